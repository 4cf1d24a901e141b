"""Stands before a package of the test tools, which an installed server has not: its logging would load it at each start,
and lay out tracebacks with it."""

raise ModuleNotFoundError("hidden from tests and the processes that they start", name="rich")
