"""Stands before a package of the test tools, which an installed server has not: its logging would load it at each start."""

raise ModuleNotFoundError("hidden from the processes that tests start", name="rich")
