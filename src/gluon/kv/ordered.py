"""Keys in order, in blocks: a key that comes or goes moves one block, not all that sort after it.

In: keys. Out: those with a prefix, in order. Invariant: no block is empty, and each begins with the key that `_first` has for it.
Used by `keyspace`.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort

_MOST = 1000
"""Keys of one block; twice as many are two blocks."""


class Ordered:
    __slots__ = ("_blocks", "_first")

    def __init__(self) -> None:
        self._blocks: list[list[str]] = []
        self._first: list[str] = []

    def add(self, key: str) -> None:
        """A key that is not there."""
        if not self._blocks:
            self._blocks.append([key])
            self._first.append(key)
            return
        n = self._at(key)
        block = self._blocks[n]
        insort(block, key)
        self._first[n] = block[0]
        if len(block) > 2 * _MOST:
            self._blocks.insert(n + 1, block[_MOST:])
            self._first.insert(n + 1, block[_MOST])
            del block[_MOST:]

    def remove(self, key: str) -> None:
        """A key that is there."""
        n = self._at(key)
        block = self._blocks[n]
        del block[bisect_left(block, key)]
        if block:
            self._first[n] = block[0]
        else:
            del self._blocks[n], self._first[n]

    def prefixed(self, prefix: str) -> list[str]:
        """All keys that begin so."""
        found: list[str] = []
        for n in range(self._at(prefix), len(self._blocks)):
            block = self._blocks[n]
            first = bisect_left(block, prefix)
            if first == len(block):
                continue  # all of it sorts before
            if block[-1].startswith(prefix):
                found += block[first:] if first else block
                continue
            # Text has no "next prefix" that could serve as the end.
            last = bisect_left(block, 1, first, key=lambda key: not key.startswith(prefix))
            found += block[first:last]
            break
        return found

    def _at(self, key: str) -> int:
        """The block in which a key would be."""
        return max(bisect_right(self._first, key) - 1, 0)
