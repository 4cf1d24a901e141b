"""Recent changes in memory, bounded in number and bytes. Invariant: it has all changes of revisions above `floor`."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from gluon.watch.told import Told

MOST = 8192
MOST_BYTES = 32 * 1024 * 1024


class Ring:
    """`number`s count the changes of a process; `first` is that of the oldest one kept, `next` of the next to come."""

    def __init__(self, *, most: int = MOST, most_bytes: int = MOST_BYTES) -> None:
        self._most, self._most_bytes = most, most_bytes
        self._kept: deque[Told] = deque()
        self._bytes = 0
        self.next = 0
        self.floor = 0

    @property
    def first(self) -> int:
        return self.next - len(self._kept)

    def begin(self, floor: int) -> None:
        """Empty, and whole from here on."""
        self._kept.clear()
        self._bytes = 0
        self.floor = floor

    def add(self, change: Told) -> None:
        change.number = self.next
        self.next += 1
        self._kept.append(change)
        self._bytes += change.size
        while len(self._kept) > self._most or (self._bytes > self._most_bytes and len(self._kept) > 1):
            gone = self._kept.popleft()
            self._bytes -= gone.size
            self.floor = gone.revision

    def after(self, revision: int) -> Iterable[Told]:
        """All behind a revision that is not below `floor`, in order."""
        found: list[Told] = []
        for change in reversed(self._kept):
            if change.revision <= revision:
                break
            found.append(change)
        return reversed(found)
