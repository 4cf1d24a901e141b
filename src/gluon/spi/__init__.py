"""The borders: Protocols between engines and adapters, and the small data that crosses them.

`bus` (etcd or the embedded bus), `store` (SQL), `backend` (what a shim programs), `ports`
(what the arbiter adds to a proton's units). Nothing here does I/O.
"""
