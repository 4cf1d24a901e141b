"""The bus: our client of etcd v3 and the embedded bus, both behind `gluon.spi.bus.Bus`.

In: keys and values of the engines, in their words. Out: revisions, listings, watches, leases.
Invariant: one conformance suite (`tests/contract/bus`) holds for both, so no engine can tell
them apart. The mains come here through `connect.connect`; nobody else imports this room, and
protobuf is loaded only for etcd.
"""
