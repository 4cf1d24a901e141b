"""Many changes of objects of several protons in one unit: planned, applied, kept as history, undone.

In: what a client asks for, decoded. Out: one unit for the store, and what it did. `asked` reads requests, `together`
is the unit, `record` and `history` keep and tell what was done, `plans` and `undo` make requests of it; `engine` is
what faces call.
"""
