"""Who asks: tokens of Keystone, of a file, and JWTs, made `Caller`s.

In: the headers of a request. Out: a `Caller`, or `Unauthorized`, or `Unavailable`. Invariant: a request is never let in
because something that should judge it is away, and no token stands in a log. Wired by `cmd`, asked by `api`.
"""
