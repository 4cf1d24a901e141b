"""The shim engine: holds the desired state in memory and drives one backend to it.

In: etcd (or the embedded bus), a backend's class. Out: calls of the backend, replies to bindings
and statuses under `/status/`. It knows no backend and no field of a model. Made by `cmd` and by
`gluon.testing`.
"""
