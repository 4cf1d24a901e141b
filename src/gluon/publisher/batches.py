"""Journal entries to Txns of bounded size. Pure.

In: entries of whole revisions, oldest first. Out: `Batch`es in order. Invariant: applying a batch
that is `whole` leaves exactly the state after the revision of its `last`; newest per key within a
batch, since a Txn may touch a key once. A revision too big for one Txn is cut, and only its last
part is whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import Protocol

from gluon.objects import journal, keys
from gluon.spi import bus

MAX_OPS = 480
"""A Txn costs etcd as much as thirty puts, whatever is in it; beyond this that is no more worth a longer Txn."""
MAX_BYTES = 1024 * 1024
_OVERHEAD = 16  # bytes of framing around a key and its value
_revision = attrgetter("revision")


class Picture(Protocol):
    """Keys and their new values (None: gone) after an entry."""

    def of_entry(self, entry: journal.Entry) -> Sequence[tuple[str, bytes | None]]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Of one Txn, the put of the cursor not counted."""

    ops: int = MAX_OPS
    bytes: int = MAX_BYTES

    @classmethod
    def of(cls, target: bus.Bus) -> Limits:
        """As many as the bus takes, less the cursor's own operations."""
        return cls(ops=max(1, min(MAX_OPS, target.max_writes - 1)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """`last`: the last entry of which this Txn holds something, None for what is of no revision.

    `part` numbers, from 1, the Txns of a revision that go before its last one.
    """

    changes: Mapping[str, bytes | None]
    last: journal.Entry | None
    part: int = 0

    @property
    def whole(self) -> bool:
        return self.part == 0

    @property
    def ops(self) -> list[bus.Op]:
        return [op(key, value) for key, value in self.changes.items()]


def op(key: str, value: bytes | None) -> bus.Put | bus.Delete:
    """None deletes."""
    return bus.Delete(key=key) if value is None else bus.Put(key=key, value=value)


def weight(key: str, value: bytes | None) -> int:
    """What a change adds to a request, in bytes (keys are ASCII)."""
    return len(key) + _OVERHEAD + (len(value) if value is not None else 0)


def _weigh(changes: Mapping[str, bytes | None]) -> int:
    """The weight of them all, in one loop: it is made of everything that is published."""
    size = _OVERHEAD * len(changes)
    for key, value in changes.items():
        size += len(key) + (len(value) if value is not None else 0)
    return size


def plan(entries: Sequence[journal.Entry], picture: Picture, limits: Limits) -> Iterator[Batch]:
    """At least one batch if there are entries, even if none of them has anything in etcd."""
    changes: dict[str, bytes | None] = {}
    size = 0
    last: journal.Entry | None = None
    for _, group in groupby(entries, key=_revision):
        own: dict[str, bytes | None] = {}
        for entry in group:
            own.update(picture.of_entry(entry))
            newest = entry
        own_size = _weigh(own)
        # Counting a key twice that both have may cut early, which costs a Txn and nothing else.
        if len(changes) + len(own) > limits.ops or size + own_size > limits.bytes:
            if last is not None:
                yield Batch(changes=changes, last=last)
            *parts, own = cut(own, limits)
            for number, part in enumerate(parts, 1):
                yield Batch(changes=part, last=newest, part=number)
            changes, size = {}, 0
            own_size = _weigh(own)
        changes.update(own)
        size += own_size
        last = newest
    if last is not None:
        yield Batch(changes=changes, last=last)


def cut(changes: dict[str, bytes | None], limits: Limits) -> list[dict[str, bytes | None]]:
    """At least one part; a change that is too big by itself is a part of its own, and so are an object's secrets with it."""
    part: dict[str, bytes | None] = {}
    parts = [part]
    size = 0
    for piece in _pieces(changes):
        more = _weigh(piece)
        if part and (len(part) + len(piece) > limits.ops or size + more > limits.bytes):
            part, size = {}, 0
            parts.append(part)
        part.update(piece)
        size += more
    return parts


def _pieces(changes: Mapping[str, bytes | None]) -> Iterator[dict[str, bytes | None]]:
    """What belongs into one Txn: secrets stand before their object."""
    piece: dict[str, bytes | None] = {}
    for key, value in changes.items():
        piece[key] = value
        if not key.startswith(keys.SECRET):
            yield piece
            piece = {}
    if piece:
        yield piece
