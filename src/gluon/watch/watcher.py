"""One watcher: what waits for it, how far it is, and its end.

In: lines of the feed, in order. Out: chunks for its connection. Invariant: what waits is bounded in bytes, but for what
is told at once; who lets more gather is cut, and told from where to go on. Its token never passes what was taken.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from enum import StrEnum
from typing import Protocol

from gluon.watch import told
from gluon.watch.interest import Interest, Place

CHUNK = 32 * 1024
"""Bytes after which a chunk is full."""


class End(StrEnum):
    """Why a stream ends, as its last event says."""

    SLOW = "slow"
    STOPPING = "stopping"
    RENEW = "renew"
    EXPIRED = "expired"
    TOKEN = "token_expired"  # noqa: S105 - a word


class History(Protocol):
    """Where the process is."""

    @property
    def head(self) -> int:
        """The revision up to which all watchers were told."""

    @property
    def first(self) -> int:
        """The number of the oldest change that is kept."""

    @property
    def batch(self) -> int:
        """The number of the first change of those that are told at once."""

    def token(self, revision: int) -> str: ...


class Watcher:
    """`abort` ends the connection at once, where the client takes nothing more."""

    def __init__(self, interest: Interest, history: History, after: int, *, limit: int) -> None:
        self.interest = interest
        self.after = after
        """Up to here it was told all before it was live."""
        self.live = False
        self.places: frozenset[Place] = frozenset()
        self.abort: Callable[[], None] | None = None
        self.born = self.spoke = asyncio.get_running_loop().time()
        self.marked = after
        self.ended: float | None = None
        self._end: tuple[End, str] | None = None
        self._last = 0
        """Where the process was at its end: what comes later is not told here any more."""
        self._history = history
        self._limit = limit
        self._size = 0
        self._waiting: deque[tuple[int, int, bytes]] = deque()
        self._ready = asyncio.Event()

    @property
    def reached(self) -> int:
        """All that it has to know up to this revision was taken."""
        if self.live and not self._waiting:
            return max(self.after, self._history.head if self._end is None else self._last)
        return self.after

    @property
    def behind(self) -> int | None:
        """The number of the oldest change that waits."""
        return self._waiting[0][0] if self._waiting else None

    def offer(self, change: told.Told) -> None:
        """A change that may be of interest; the history's head is before it."""
        if change.revision <= self.after or self._end is not None:
            return
        line = self.interest.line(change)
        if line is None:
            return
        self.after = self.reached
        self._size += len(line)
        behind = self.behind
        if self._size > self._limit and behind is not None and behind < self._history.batch:
            self.cut(End.SLOW, f"more than {self._limit} bytes waited for this client: it reads too slowly")
            return
        self._waiting.append((change.number, self.interest.covers(change), line))
        self._ready.set()

    def mark(self, line: bytes) -> None:
        """A bookmark, while nothing waits."""
        self._waiting.append((self._history.first, self.reached, line))
        self._size += len(line)
        self._ready.set()

    def cut(self, why: End, detail: str) -> None:
        """Nothing comes any more but the last word; what waits for a slow client, or for one who is nobody now, is dropped."""
        if self._end is not None:
            return
        if why in {End.SLOW, End.TOKEN}:
            self.after, self.live = self.reached, False
            self._waiting.clear()
            self._size = 0
        self._end, self._last = (why, detail), self._history.head
        self.ended = asyncio.get_running_loop().time()
        self._ready.set()

    @property
    def slow(self) -> bool:
        """Whether it was cut because its client reads too slowly."""
        return self._end is not None and self._end[0] is End.SLOW

    @property
    def cut_off(self) -> bool:
        return self._end is not None

    async def wait(self) -> None:
        await self._ready.wait()

    def take(self) -> tuple[bytes, bool]:
        """What there is to send, and whether more may come."""
        parts: list[bytes] = []
        size = 0
        while self._waiting and size < CHUNK:
            _, self.after, line = self._waiting.popleft()
            parts.append(line)
            size += len(line)
        self._size -= size
        self.spoke = asyncio.get_running_loop().time()
        if self._waiting:
            return b"".join(parts), True
        self._ready.clear()
        if self._end is None:
            return b"".join(parts), True
        parts.append(self._last_word(*self._end))
        return b"".join(parts), False

    def _last_word(self, why: End, detail: str) -> bytes:
        token = None if why is End.EXPIRED else self._history.token(self.reached)
        return told.error(self.interest.shape, why, detail, token)
