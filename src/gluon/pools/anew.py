"""A pool made anew of the rows of its values alone, where what it knows of itself cannot be trusted; and whether it can.

In: the supply, and the rows one after the other; of those without a holder only `free_at` and the order of slots count. Out: what must
be written instead, and at the end the pool's own rows. Memory: the positions, and what waits in the queue. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gluon.pools import marks
from gluon.pools.state import CHUNK, FRESH, HOLES, new, released
from gluon.pools.supply import Supply
from gluon.pools.tables import BLOCK, POOL, VALUE
from gluon.spi import store

_SPARE = 1024
"""Slots that a queue may have beyond four for each value before it is numbered anew."""


class Anew:
    """`now`: since when values are free of which nobody knows it."""

    def __init__(self, supply: Supply, now: str) -> None:
        self._supply, self._now = supply, now
        self._positions: list[int] = []
        self._waiting: list[tuple[bool, int, str, str]] = []
        self._astray: set[str] = set()
        """Those that wait at a place where nobody looks for them."""
        self._held = self._outside = 0

    def judge(self, row: store.Row) -> store.Write | None:
        """What has to be written at once instead of a row."""
        id_, value = self._supply.id, str(row["value"])
        number = self._supply.space.number(value)
        position = self._supply.space.position(number) if number is not None else None
        if position is not None:
            self._positions.append(position)
        if row["holder"] is not None:
            self._held += 1
            self._outside += position is None
            right = {**row, **_FREE, "outside": position is None}
            return (VALUE, right) if right != row else None
        if position is None:
            return VALUE, (id_, value)
        slot = row["slot"]
        if slot is not None and row["chunk"] != int(slot) // CHUNK:
            self._astray.add(value)
        self._waiting.append((slot is None, int(slot or 0), value, str(row["free_at"] or self._now)))
        return None

    def end(self) -> Iterator[store.Write]:
        """Rows of the queue whose places are others, then those of the pool, of which no block is left by now."""
        slots, after = self._queue()
        used = set(slots)
        holes = (slot for slot in range(slots[0] if slots else after, after) if slot not in used)
        hole_height, blocks = marks.made(self._supply.id, HOLES, holes)
        for slot, (lost, before, value, free_at) in zip(slots, self._waiting, strict=True):
            if lost or slot != before or value in self._astray:
                yield VALUE, released(self._supply.id, value, free_at, slot)
        self._positions.sort()
        given = next((n for n, position in enumerate(self._positions) if n != position), len(self._positions))
        fresh_height, ahead = marks.made(self._supply.id, FRESH, self._positions[given:])
        for row in (*blocks, *ahead):
            yield BLOCK, row
        space = self._supply.space
        yield POOL, {
            **new(self._supply.id, space), "size": str(space.size), "next": str(given), "fresh_height": fresh_height,
            "head": slots[0] if slots else after, "tail": after, "hole_height": hole_height,
            "queued": len(slots), "held": self._held, "outside": self._outside,
        }  # fmt: skip

    def _queue(self) -> tuple[list[int], int]:
        """The slots of what waits, in order, and the next one. What had none comes last."""
        self._waiting.sort()
        slots = [slot for lost, slot, _, _ in self._waiting if not lost]
        fine = len(set(slots)) == len(slots) and (not slots or slots[0] >= 0)
        if not fine or (slots and slots[-1] - slots[0] > 4 * len(slots) + _SPARE):
            slots = list(range(len(slots)))
        after = slots[-1] + 1 if slots else 0
        more = len(self._waiting) - len(slots)
        return [*slots, *range(after, after + more)], after + more


_FREE: store.Row = {"free_at": None, "slot": None, "chunk": None}


def sound(pool: store.Row, blocks: Sequence[store.Row], *, within: int, queued: int) -> bool:
    """Whether what a pool knows is what its rows say: values of its ranges, and those of them that wait."""
    given = int(str(pool["next"])) + marks.count(blocks, FRESH, int(str(pool["next"])))
    head, tail = int(pool["head"] or 0), int(pool["tail"] or 0)
    return given == within and tail - head - marks.count(blocks, HOLES, head) == queued
