"""One pool inside a session: the two sources of values, and what is in use.

Values never given are a pointer into the order of the space, with marks on those given ahead of their
turn. Released values are a queue of numbered slots, with marks on the slots that were left; slots are
read a chunk at a time. Invariant: a value of the space has a row, or its position is at or after
`next` without a mark. No operation costs more than some look-ups, however many values there are.
"""

from __future__ import annotations

from gluon.pools.marks import Marks
from gluon.pools.rows import Rows
from gluon.pools.tables import OF_CHUNK, POOL, VALUE
from gluon.spi import store
from gluon.values.space import Space

CHUNK = 32
"""Slots that are read at once."""


class State:
    """The row of a pool, in parts. Changes are seen by the session at once and written by `save`."""

    __slots__ = ("digest", "fresh", "head", "held", "holes", "id", "next", "outside", "queued", "rows", "size",
                 "slots", "tail")  # fmt: skip

    def __init__(self, rows: Rows, id: str, row: store.Row | None, space: Space | None = None) -> None:
        """Of a row, or a new pool of `space`."""
        self.rows, self.id = rows, id
        known = row or {}
        self.digest = str(known["digest"]) if row else space.digest if space else ""
        self.size = int(str(known["size"])) if row else space.size if space else 0
        self.next = int(str(known.get("next", 0)))
        self.head, self.tail = _int(known, "head"), _int(known, "tail")
        self.queued, self.held, self.outside = (_int(known, n) for n in ("queued", "held", "outside"))
        self.fresh = Marks(rows, id, "f", _int(known, "fresh_height") if row else -1)
        self.holes = Marks(rows, id, "h", _int(known, "hole_height") if row else -1)
        self.slots: dict[int, store.Row] = {}
        """Released in this session, by slot."""

    def save(self) -> None:
        row: store.Row = {
            "id": self.id, "digest": self.digest, "size": str(self.size), "next": str(self.next),
            "fresh_height": self.fresh.height, "head": self.head, "tail": self.tail,
            "hole_height": self.holes.height, "queued": self.queued, "held": self.held,
            "outside": self.outside,
        }  # fmt: skip
        self.rows.put(POOL, (self.id,), row)

    def value(self, value: str) -> store.Row | None:
        return self.rows.get(VALUE, self.id, value)

    def hold(self, value: str, holder: str, project: str | None) -> None:
        self.held += 1
        row: store.Row = {
            "pool": self.id, "value": value, "holder": holder, "project": project, "free_at": None,
            "slot": None, "chunk": None, "outside": False,
        }  # fmt: skip
        self.rows.put(VALUE, (self.id, value), row)

    # -- values never given -------------------------------------------------------------------

    def take_fresh(self) -> int | None:
        """The position of the next value never given; None: there is none."""
        if self.next >= self.size:
            return None
        position = self.fresh.clear(self.next)
        self.fresh.leave(self.next, position)
        self.next = position
        if position >= self.size:
            return None
        self._given()
        return position

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
        row: store.Row = {
            "pool": self.id, "value": value, "holder": None, "project": None, "free_at": free_at,
            "slot": self.tail, "chunk": self.tail // CHUNK, "outside": False,
        }  # fmt: skip
        self.slots[self.tail] = row
        self.rows.put(VALUE, (self.id, value), row)
        self.tail += 1
        self.queued += 1

    def first(self) -> store.Row | None:
        """The row at the head of the queue."""
        if not self.queued:
            return None
        slot = self.holes.clear(self.head)
        row = self.slots.get(slot)
        if row is None:
            chunk = self.rows.view.rows(VALUE, OF_CHUNK, (self.id, slot // CHUNK))
            row = next((r for r in chunk if r["slot"] == slot), None)
        assert row is not None, "a slot that is not a hole has a row"
        return row

    def dequeue(self, row: store.Row) -> None:
        """Take a released value out of its place; its row is the caller's to replace."""
        slot = _int(row, "slot")
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


def _int(row: store.Row, column: str) -> int:
    value = row.get(column, 0)
    assert isinstance(value, int)
    return value
