"""Ranges of prefixes and messages of etcd; needs the extra, but no server."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("google.protobuf")

from gluon.kv import wire
from gluon.kv.etcdpb import etcd_pb2 as pb
from gluon.spi.bus import Compare, Delete, Event, Get, KeyValue, Put

BYTES = st.binary(min_size=1, max_size=4)


def _inside(key: bytes, start: bytes, end: bytes) -> bool:
    return start <= key and (end == b"\0" or key < end)


@given(prefix=st.binary(max_size=4).map(lambda b: b.decode("utf-8", "surrogateescape")), key=BYTES)
def test_a_range_holds_exactly_the_keys_of_its_prefix(prefix: str, key: bytes) -> None:
    start, end = wire.prefix_range(prefix)
    raw = prefix.encode("utf-8", "surrogateescape")
    for one in (key, raw + key, raw[:-1] + key):
        if one != b"\0":  # etcd's sign for "everything" begins at the key \0
            assert _inside(one, start, end) == one.startswith(raw)


@given(st.binary(max_size=6))
def test_a_key_of_any_bytes_goes_there_and_back(raw: bytes) -> None:
    message = pb.KeyValue(key=raw, value=b"v", create_revision=1, mod_revision=2, lease=3)
    value = wire.key_value(message)
    assert wire.encode_key(value.key) == raw
    assert (value.value, value.create_revision, value.mod_revision, value.lease) == (b"v", 1, 2, 3)


def test_events() -> None:
    kv = pb.KeyValue(key=b"/a", value=b"", create_revision=1, mod_revision=2)
    assert wire.event(pb.Event(type=pb.Event.PUT, kv=kv)) == Event(
        key="/a", value=KeyValue(key="/a", value=b"", create_revision=1, mod_revision=2)
    )
    assert wire.event(pb.Event(type=pb.Event.DELETE, kv=kv)) == Event(key="/a", value=None)


def test_a_txn_request_keeps_the_order_and_marks_every_operation() -> None:
    request = wire.txn_request(
        [
            Compare(key="/c", value=b""),
            Compare(key="/d", create_revision=0),
            Compare(key="/e", mod_revision=0),
        ],
        [Put(key="/a", value=b"", lease=5), Get(key="/b"), Delete(key="/c", prefix=True)],
        [Delete(key="/c")],
        8,
    )
    assert [one.WhichOneof("target_union") for one in request.compare] == [
        "value",
        "create_revision",
        "mod_revision",
    ]
    assert [one.target for one in request.compare] == [pb.Compare.VALUE, pb.Compare.CREATE, pb.Compare.MOD]
    assert [one.WhichOneof("request") for one in request.success] == [
        "request_put",
        "request_range",
        "request_delete_range",
    ]
    assert request.success[0].request_put.lease == 5
    assert request.success[2].request_delete_range.range_end == b"/d"
    assert request.failure[0].request_delete_range.range_end == b""


def test_no_txn_in_a_txn_has_more_operations_than_those_beside_it_leave() -> None:
    limit = 8
    ops = [Put(key=f"/{n}", value=b"") for n in range((limit // 2) ** 2)]
    for count in range(len(ops) + 1):
        request = wire.txn_request((), ops[:count], (), limit)
        outer = list(request.success)
        assert len(outer) <= limit
        nested = [one.request_txn for one in outer if one.HasField("request_txn")]
        assert all(len(one.success) <= limit - len(outer) for one in nested)
        flat = [put for one in nested for put in one.success] or outer
        assert [put.request_put.key for put in flat] == [op.key.encode() for op in ops[:count]]


def test_the_messages_cannot_collide_with_those_of_another_client() -> None:
    assert pb.DESCRIPTOR.package == "gluon.etcdpb"
    assert pb.DESCRIPTOR.name == "gluon/kv/etcdpb/etcd.proto"
