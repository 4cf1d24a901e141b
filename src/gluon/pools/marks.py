"""A set of numbers kept in rows, made to skip runs: a tree of blocks of 256 bits.

In: numbers from 0 up. Out: the first number without a mark. A block that is full has no row: its bit in
the block above stands for it, so a run of any length costs one look-up for each level, and a few bits.
Invariant: a row is neither empty nor full. Used for values given ahead of their turn, and for places of
the queue that were left.
"""

from __future__ import annotations

from collections.abc import Iterable

from gluon.pools.rows import Rows
from gluon.pools.tables import BLOCK
from gluon.spi import store

_BITS = 8
_LAST = (1 << _BITS) - 1
_FULL = (1 << (1 << _BITS)) - 1


class Marks:
    """The set `kind` (one letter) of a pool. `height` is the highest level with a row ever; -1: no mark."""

    __slots__ = ("_kind", "_pool", "_rows", "height")

    def __init__(self, rows: Rows, pool: str, kind: str, height: int) -> None:
        self._rows, self._pool, self._kind, self.height = rows, pool, kind, height

    def clear(self, low: int) -> int:
        """The first number from `low` on without a mark."""
        if self.height < 0:
            return low
        shift = _BITS * (self.height + 1)
        block = low >> shift
        found = self._search(self.height, block, low)
        while found is None:  # at most once: a full block would have one above it
            block += 1
            found = self._search(self.height, block, block << shift)
        return found

    def _search(self, level: int, block: int, low: int) -> int | None:
        shift = _BITS * level
        free = ~self._get(level, block) & _FULL & (_FULL << ((low >> shift) & _LAST))
        while free:
            child = block << _BITS | ((free & -free).bit_length() - 1)
            if not level:
                return child
            found = self._search(level - 1, child, max(low, child << shift))
            if found is not None:
                return found
            free &= free - 1
        return None

    def __contains__(self, number: int) -> bool:
        return self._level(number) is not None

    def _level(self, number: int) -> int | None:
        """The level of the block whose bit marks the number."""
        for level in range(self.height, -1, -1):
            place = number >> _BITS * level
            if self._get(level, place >> _BITS) >> (place & _LAST) & 1:
                return level
        return None

    def mark(self, number: int) -> None:
        """Add a number that is not marked."""
        level = 0
        while True:
            self.height = max(self.height, level)
            block = number >> _BITS
            bits = self._get(level, block) | 1 << (number & _LAST)
            self._put(level, block, bits)
            if bits != _FULL:
                return
            number, level = block, level + 1

    def unmark(self, number: int) -> None:
        """Take a number out, if it is marked. A full block becomes rows again, one a level."""
        top = self._level(number)
        if top is None:
            return
        for level in range(top, -1, -1):
            place = number >> _BITS * level
            bits = self._get(level, place >> _BITS) if level == top else _FULL
            self._put(level, place >> _BITS, bits & ~(1 << (place & _LAST)))

    def leave(self, old: int, new: int) -> None:
        """Nobody asks for numbers below `new` any more, nor did for those below `old`.

        Between them all are marked, or it is one number, so that only blocks of `old` can have rows.
        """
        for level in range(self.height + 1):
            block = old >> _BITS * (level + 1)
            if block != new >> _BITS * (level + 1):
                self._rows.delete(BLOCK, self._pool, self._name(level, block))

    def end(self, low: int, high: int) -> None:
        """Forget all marks; there are none but from `low` to `high`, all of which are marked."""
        for level in range(self.height + 1):
            for number in {low, high}:
                block = number >> _BITS * (level + 1)
                self._rows.delete(BLOCK, self._pool, self._name(level, block))
        self.height = -1

    def fill(self, numbers: Iterable[int]) -> None:
        """Make these the only marks; nothing of the old ones is left in rows."""
        found = levels(numbers)
        self.height = len(found) - 1
        for level, blocks in enumerate(found):
            for block, bits in blocks.items():
                self._put(level, block, bits)

    def owns(self, block: str) -> bool:
        """Is it a row of this set?"""
        return block.startswith(self._kind)

    def _name(self, level: int, block: int) -> str:
        return _name(self._kind, level, block)

    def _get(self, level: int, block: int) -> int:
        row = self._rows.get(BLOCK, self._pool, self._name(level, block))
        return int(str(row["bits"]), 16) if row is not None else 0

    def _put(self, level: int, block: int, bits: int) -> None:
        name = self._name(level, block)
        if bits in (0, _FULL):
            self._rows.delete(BLOCK, self._pool, name)
        else:
            self._rows.put(BLOCK, (self._pool, name), _row(self._pool, name, bits))


def levels(numbers: Iterable[int]) -> list[dict[int, int]]:
    """By level the blocks that mark these numbers, with their bits; full ones too, which have no row."""
    found: list[dict[int, int]] = []
    level: dict[int, int] = {}
    for number in numbers:
        level[number >> _BITS] = level.get(number >> _BITS, 0) | 1 << (number & _LAST)
    while level:
        found.append(level)
        above: dict[int, int] = {}
        for block, bits in level.items():
            if bits == _FULL:
                above[block >> _BITS] = above.get(block >> _BITS, 0) | 1 << (block & _LAST)
        level = above
    return found


def made(pool: str, kind: str, numbers: Iterable[int]) -> tuple[int, list[store.Row]]:
    """The height and the rows of a set of which nothing was known."""
    found = levels(numbers)
    rows = [
        _row(pool, _name(kind, level, block), bits)
        for level, blocks in enumerate(found)
        for block, bits in blocks.items()
        if bits != _FULL
    ]
    return len(found) - 1, rows


def count(rows: Iterable[store.Row], kind: str, low: int) -> int:
    """How many numbers from `low` on these rows mark."""
    found = 0
    for row in rows:
        name = str(row["block"])
        if not name.startswith(kind):
            continue
        level, _, block = name.removeprefix(kind).partition(":")
        shift = _BITS * int(level)
        first, bits = int(block, 16) << _BITS, int(str(row["bits"]), 16)
        while bits:
            bit = (bits & -bits).bit_length() - 1
            bits &= bits - 1
            begins = first + bit << shift
            found += max(0, begins + (1 << shift) - max(begins, low))
    return found


def _name(kind: str, level: int, block: int) -> str:
    return f"{kind}{level}:{block:x}"


def _row(pool: str, name: str, bits: int) -> store.Row:
    return {"pool": pool, "block": name, "bits": f"{bits:064x}"}
