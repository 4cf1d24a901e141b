"""A witness of what a server answered: writers with a ledger, and a judge of what is left of it.

In: running `gluon server`s. Out: a load of creates, changes, deletes and binds over HTTP (`load`),
everything that was answered (`ledger`), and a list of what is not as it must be (`judge`).
Used by the fault tests of the whole system.
"""
