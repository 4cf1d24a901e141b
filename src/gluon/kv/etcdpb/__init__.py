"""Messages of etcd's v3 protocol, generated from `etcd.proto` by `scripts/etcd-stubs`.

Only `etcd_pb2` is made: the calls themselves are the table in `gluon.kv.rpcs`. Never edited by
hand; no linter or type check looks inside.
"""
