"""From the bus's words to etcd's messages and back. Pure, and on the hot path of relay and shims.

In: operations and etcd's answers. Out: requests, `KeyValue`, `Event`. Invariant: keys are UTF-8;
a key of somebody else's that is not comes back with surrogates and is sent again as it was.
Used by `etcd` and `watching`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from gluon.kv.etcdpb import etcd_pb2 as pb
from gluon.spi.bus import Compare, Event, Get, KeyValue, Op, Put, TxnResult

_ALL = b"\0"


def encode_key(key: str) -> bytes:
    return key.encode("utf-8", "surrogateescape")


def prefix_range(prefix: str) -> tuple[bytes, bytes]:
    """First key and first key after a prefix; `\\0` to `\\0` is everything."""
    start = encode_key(prefix)
    trimmed = start.rstrip(b"\xff")
    if not trimmed:
        return start or _ALL, _ALL
    return start, trimmed[:-1] + bytes((trimmed[-1] + 1,))


def key_value(kv: pb.KeyValue) -> KeyValue:
    return KeyValue(
        key=kv.key.decode("utf-8", "surrogateescape"),
        value=kv.value,
        create_revision=kv.create_revision,
        mod_revision=kv.mod_revision,
        lease=kv.lease,
    )


def event(message: pb.Event) -> Event:
    if message.type == pb.Event.DELETE:
        return Event(key=message.kv.key.decode("utf-8", "surrogateescape"), value=None)
    value = key_value(message.kv)
    return Event(key=value.key, value=value)


def txn_request(
    compares: Sequence[Compare], then: Sequence[Op], otherwise: Sequence[Op], max_ops: int
) -> pb.TxnRequest:
    """More than `max_ops` operations stand in Txns of half as many inside of it."""
    request = pb.TxnRequest()
    for compare in compares:
        _add_compare(request, compare)
    if len(then) <= max_ops:
        _add_ops(request.success, then)
    else:
        size = max_ops // 2
        for start in range(0, len(then), size):
            _add_ops(request.success.add().request_txn.success, then[start : start + size])
    _add_ops(request.failure, otherwise)
    return request


def txn_result(response: pb.TxnResponse, then: Sequence[Op], otherwise: Sequence[Op]) -> TxnResult:
    """The answer to such a request. Of what was written it says nothing, so that is not looked at."""
    taken = then if response.succeeded else otherwise
    values = tuple(_values(response)) if any(type(op) is Get for op in taken) else ()
    return TxnResult(succeeded=response.succeeded, revision=response.header.revision, values=values)


def _values(response: pb.TxnResponse) -> Iterator[KeyValue | None]:
    for one in response.responses:
        if one.HasField("response_range"):
            yield key_value(one.response_range.kvs[0]) if one.response_range.kvs else None
        elif one.HasField("response_txn"):
            yield from _values(one.response_txn)


def delete_request(key: str, *, prefix: bool) -> pb.DeleteRangeRequest:
    if not prefix:
        return pb.DeleteRangeRequest(key=encode_key(key))
    start, end = prefix_range(key)
    return pb.DeleteRangeRequest(key=start, range_end=end)


def _add_compare(request: pb.TxnRequest, compare: Compare) -> None:
    message: Any = request.compare.add(key=encode_key(compare.key))
    if compare.create_revision is not None:
        message.target, message.create_revision = pb.Compare.CREATE, compare.create_revision
    elif compare.mod_revision is not None:
        message.target, message.mod_revision = pb.Compare.MOD, compare.mod_revision
    elif compare.value is not None:
        message.target, message.value = pb.Compare.VALUE, compare.value


def _add_ops(branch: Any, ops: Sequence[Op]) -> None:
    for op in ops:
        _set_op(branch.add(), op)


def _set_op(message: pb.RequestOp, op: Op) -> None:
    if isinstance(op, Put):
        put = message.request_put
        put.key = encode_key(op.key)
        put.value = op.value
        if op.lease:
            put.lease = op.lease
    elif isinstance(op, Get):
        message.request_range.key = encode_key(op.key)
    else:
        message.request_delete_range.CopyFrom(delete_request(op.key, prefix=op.prefix))
