"""From the journal to etcd, and from shims' reports back to the database.

In: a `Store`, a `Bus`, a `Projection` (what a row looks like in etcd). Out: etcd holds exactly the
projection of the database, with `/gluon/relay/cursor` saying up to which revision; what shims say
becomes units of the store. Invariant: content and cursor change in one Txn that compares the
cursor, so whoever is behind is refused. Nothing here knows what an object means.
"""
