"""One pool inside a session: the two sources of values, and what is in use.

Values never given are a pointer into the order of the space, with marks on those given ahead of their
turn. Released values are a queue of numbered slots, with marks on the slots that were left; slots are
read a chunk at a time. Invariant: a value of the space has a row, or its position is at or after
`next` without a mark. No operation costs more than some look-ups, however many values there are.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gluon.pools.marks import Marks
from gluon.pools.rows import Rows
from gluon.pools.tables import OF_CHUNK, POOL, VALUE
from gluon.spi import store
from gluon.values.space import Part, Space

CHUNK = 32
"""Slots that are read at once."""
GROUP = 8
"""Chunks that are read at once by units that come together."""

FRESH, HOLES = "f", "h"
"""The sets of marks: positions that were given ahead of their turn, slots that were left."""


class State:
    """The row of a pool, in parts. Changes are seen by the session at once and written by `save`."""

    __slots__ = ("_fresh", "_holes", "_known", "_slots", "digest", "head", "held", "id", "next", "outside",
                 "queued", "rows", "size", "tail")  # fmt: skip

    def __init__(self, rows: Rows, known: dict[str, Any]) -> None:
        """Of a row, or of `new`. Parts that most units do not look at are made when they are asked for."""
        self.rows, self.id, self.digest, self._known = rows, known["id"], known["digest"], known
        self.size, self.next = int(known["size"]), int(known["next"])
        self.head, self.tail = known["head"], known["tail"]
        self.queued, self.held, self.outside = known["queued"], known["held"], known["outside"]
        self._fresh: Marks | None = None
        self._holes: Marks | None = None
        self._slots: dict[int, store.Row] | None = None

    @property
    def fresh(self) -> Marks:
        """The positions that were given ahead of their turn."""
        if self._fresh is None:
            self._fresh = Marks(self.rows, self.id, FRESH, self._known["fresh_height"])
        return self._fresh

    @property
    def holes(self) -> Marks:
        """The slots that were left."""
        if self._holes is None:
            self._holes = Marks(self.rows, self.id, HOLES, self._known["hole_height"])
        return self._holes

    @property
    def slots(self) -> dict[int, store.Row]:
        """Released in this session, by slot."""
        if self._slots is None:
            self._slots = {}
        return self._slots

    @property
    def marked(self) -> bool:
        """Whether any value was ever given ahead of its turn."""
        return (self._known["fresh_height"] if self._fresh is None else self._fresh.height) >= 0

    def save(self) -> None:
        fresh, holes = self._fresh, self._holes
        row: store.Row = {
            "id": self.id, "digest": self.digest, "size": str(self.size), "next": str(self.next),
            "fresh_height": self._known["fresh_height"] if fresh is None else fresh.height,
            "head": self.head, "tail": self.tail,
            "hole_height": self._known["hole_height"] if holes is None else holes.height,
            "queued": self.queued, "held": self.held, "outside": self.outside,
        }  # fmt: skip
        self.rows.put(POOL, (self.id,), row)

    def value(self, value: str) -> store.Row | None:
        return self.rows.get(VALUE, self.id, value)

    def hold(self, value: str, holder: str, project: str | None) -> None:
        self.held += 1
        self.rows.put(VALUE, (self.id, value), held(self.id, value, holder, project))

    def hold_outside(self, value: str, holder: str, project: str | None) -> None:
        """One that is nobody's, and never given, once it is released."""
        self.held += 1
        self.outside += 1
        self.rows.put(VALUE, (self.id, value), {**held(self.id, value, holder, project), "outside": True})

    # -- values never given -------------------------------------------------------------------

    def take_fresh(self) -> int | None:
        """The position of the next value never given; None: there is none."""
        if self.next >= self.size:
            return None
        if not self.marked:
            self.next += 1
            return self.next - 1
        position = self.fresh.clear(self.next)
        self.fresh.leave(self.next, position)
        self.next = position
        if position >= self.size:
            return None
        self._given()
        return position

    def fresh_in(self, part: Part) -> int | None:
        """The first position of a part whose value nobody ever had; None: there is none."""
        for low, high in part.ranges:
            position = self.fresh.clear(max(low, self.next))
            if position <= high:
                return position
        return None

    def take_ahead(self, position: int) -> None:
        """Take a value never given out of its turn."""
        if position == self.next:
            self._given()
        elif position > self.next:
            self.fresh.mark(position)

    def _given(self) -> None:
        self.fresh.leave(self.next, self.next + 1)
        self.next += 1

    # -- released values ----------------------------------------------------------------------

    def enqueue(self, value: str, free_at: str) -> None:
        """To the end of the queue."""
        row = released(self.id, value, free_at, self.tail)
        self.slots[self.tail] = row
        self.rows.put(VALUE, (self.id, value), row)
        self.tail += 1
        self.queued += 1

    def first(self) -> store.Row | None:
        """The row at the head of the queue."""
        if not self.queued:
            return None
        return self._at(self.holes.clear(self.head))

    def waiting(self) -> Iterator[store.Row]:
        """The rows of the queue in their order; each may be taken out when it is seen."""
        slot = self.head
        while self.queued and (slot := self.holes.clear(slot)) < self.tail:
            yield self._at(slot)
            slot += 1

    def _at(self, slot: int) -> store.Row:
        row = self.slots.get(slot)
        if row is None:
            chunk = slot // CHUNK
            if not slot % CHUNK:  # so many takes are under way that the next chunks will be asked for as well
                group = range(chunk, (chunk // GROUP + 1) * GROUP)
                self.rows.view.prefetch([store.Lookup(VALUE, OF_CHUNK, (self.id, n)) for n in group])
            row = next(r for r in self.rows.view.rows(VALUE, OF_CHUNK, (self.id, chunk)) if r["slot"] == slot)
        return row

    def dequeue(self, row: store.Row) -> None:
        """Take a released value out of its place; its row is the caller's to replace."""
        slot = row["slot"]
        assert isinstance(slot, int)
        self.slots.pop(slot, None)
        self.queued -= 1
        if not self.queued:
            if self.holes.height >= 0:
                self.holes.mark(slot)
                self.holes.end(self.head, self.tail - 1)
            self.head = self.tail
        elif slot == self.holes.clear(self.head):
            self.holes.leave(self.head, slot)
            self.holes.leave(slot, slot + 1)
            self.head = slot + 1
        else:
            self.holes.mark(slot)


def held(pool: str, value: str, holder: str, project: str | None) -> store.Row:
    """The row of a value in use."""
    return {
        "pool": pool, "value": value, "holder": holder, "project": project, "free_at": None,
        "slot": None, "chunk": None, "outside": False,
    }  # fmt: skip


def released(pool: str, value: str, free_at: str, slot: int) -> store.Row:
    """The row of a value that waits in the queue."""
    return {
        "pool": pool, "value": value, "holder": None, "project": None, "free_at": free_at,
        "slot": slot, "chunk": slot // CHUNK, "outside": False,
    }  # fmt: skip


def new(id: str, space: Space) -> dict[str, Any]:
    """A pool that nobody has taken from."""
    return {
        "id": id, "digest": space.digest, "size": space.size, "next": 0, "fresh_height": -1,
        "head": 0, "tail": 0, "hole_height": -1, "queued": 0, "held": 0, "outside": 0,
    }  # fmt: skip
