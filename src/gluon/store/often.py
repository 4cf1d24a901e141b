"""Which combinations of statements are worth a statement of their own.

In: what a combination is made of. Out: whether it came often enough: preparing one costs as much as some runs.
"""

from __future__ import annotations

from collections.abc import Hashable

_TIMES = 3
_KINDS = 1000
"""Combinations that are counted; with more of them, counting begins anew."""


class Often:
    """`often(kind)` whenever it comes."""

    def __init__(self) -> None:
        self._seen: dict[Hashable, int] = {}

    def __call__(self, kind: Hashable) -> bool:
        if len(self._seen) > _KINDS:
            self._seen.clear()
        count = self._seen[kind] = self._seen.get(kind, 0) + 1
        return count >= _TIMES
