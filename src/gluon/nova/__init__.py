"""Nova is told what becomes of the ports of its servers, by its external events.

In: the journal, ports as they are (`notifier.Ports`). Out: requests to Nova's API, and a place in the database up to which all
was told. Nothing is lost while Nova, Keystone or this process is away; an event may come twice. Run by the leader.
"""
