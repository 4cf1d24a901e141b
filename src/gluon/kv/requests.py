"""What every bus refuses, in the same words: rules of etcd that need no server to check.

In: the arguments of a call. Raises `BusError`. Called by both buses before they do anything, so
that the embedded one is never more lenient than etcd.
"""

from __future__ import annotations

from collections.abc import Sequence

from gluon.errors import BusError
from gluon.spi.bus import Compare, Delete, Op, Put

MAX_REQUEST = 1_572_864
"""Bytes of one request that etcd accepts (`--max-request-bytes`, 1.5 MiB by default)."""


class BusClosed(BusError):
    """The bus was closed by its owner; unlike an outage this does not pass."""


def check_key(key: str) -> None:
    if not key:
        raise BusError("a key must not be empty")


def max_writes(max_ops: int) -> int:
    """Etcd counts the operations of a Txn, and of each Txn in it those that are left beside the outer ones: so half of
    them may be Txns of half as many."""
    return max(max_ops, (max_ops // 2) ** 2)


def check_txn(compares: Sequence[Compare], then: Sequence[Op], otherwise: Sequence[Op], max_ops: int) -> None:
    """Sizes and keys; and no key may be changed twice in one branch."""
    rest = max(len(compares), len(otherwise))
    limit = max_writes(max_ops) if rest <= max_ops // 2 else max_ops
    if rest > max_ops or len(then) > limit:
        largest = max(rest, len(then))
        raise BusError(f"a Txn of {largest} operations is over the limit of {max_ops} or {limit}")
    for compare in compares:
        check_key(compare.key)
        given = (compare.create_revision, compare.mod_revision, compare.value)
        if sum(one is not None for one in given) != 1:
            raise BusError(f"the condition on {compare.key!r} must compare exactly one property")
    _check_branch(then)
    _check_branch(otherwise)


def _check_branch(ops: Sequence[Op]) -> None:
    puts: set[str] = set()
    deletes: list[Delete] = []
    for op in ops:
        if not op.key and not (isinstance(op, Delete) and op.prefix):
            raise BusError("a key must not be empty")
        if isinstance(op, Put):
            if op.key in puts:
                raise BusError(f"a Txn may change {op.key!r} only once")
            puts.add(op.key)
        elif isinstance(op, Delete):
            deletes.append(op)
    for delete in deletes:
        for key in puts:
            if key == delete.key or (delete.prefix and key.startswith(delete.key)):
                raise BusError(f"a Txn may change {key!r} only once")


def request_size(ops: Sequence[Op]) -> int:
    """About the bytes that these operations take on the wire."""
    return sum(len(op.key) + (len(op.value) if isinstance(op, Put) else 0) for op in ops)


def check_size(size: int) -> None:
    if size > MAX_REQUEST:
        raise BusError(f"a request of {size} bytes is over the limit of {MAX_REQUEST}")
