"""What travels: journal entries, etcd keys, JSON text, statuses and replies of shims.

Pure data and pure functions. Everything here is on disk, in etcd or on the wire somewhere: change
a form only together with a version of it.
"""
