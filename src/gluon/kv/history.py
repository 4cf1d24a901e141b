"""The past of the embedded bus: what happened at each revision, up to a bound.

In: the events of a revision, in order, without gaps. Out: the events after a revision that touch
a prefix. Invariant: holds every revision in `compacted < r <= newest`; the oldest go when events
or bytes get too many, as if compacted. Used by `memory`.
"""

from __future__ import annotations

from gluon.errors import Compacted
from gluon.spi.bus import Event, Watched

_BATCH = 1000


class History:
    def __init__(self, *, max_events: int, max_bytes: int) -> None:
        self._max_events, self._max_bytes = max_events, max_bytes
        self._revisions: list[tuple[Event, ...]] = []
        self._sizes: list[int] = []
        self._dropped = 0  # entries at the front that are gone but not yet cut off
        self._base = 1  # revision before the first entry of the list
        self._events = self._bytes = 0

    @property
    def newest(self) -> int:
        return self._base + len(self._revisions)

    @property
    def compacted(self) -> int:
        """The newest revision that cannot be replayed any more."""
        return self._base + self._dropped

    def append(self, events: tuple[Event, ...]) -> int:
        """Add the next revision and return its number."""
        size = sum(len(event.value.value) for event in events if event.value is not None)
        self._revisions.append(events)
        self._sizes.append(size)
        self._events += len(events)
        self._bytes += size
        while self._events > self._max_events or self._bytes > self._max_bytes:
            self._drop_oldest()
        self._cut()
        return self.newest

    def compact(self, revision: int) -> None:
        """Forget the revisions up to and including `revision`."""
        while self.compacted < revision:
            self._drop_oldest()
        self._cut()

    def after(self, revision: int, prefix: str) -> Watched | None:
        """What touches `prefix` next after `revision`: some whole revisions; None: nothing yet.

        `Watched.events` is empty if the revisions looked at touch other keys only. Raises
        `Compacted` for a revision that is gone or not reached.
        """
        if revision < self.compacted:
            raise Compacted(f"revision {revision} is compacted; the oldest kept is {self.compacted}")
        if revision > self.newest:
            raise Compacted(f"revision {revision} is ahead of the bus, which is at {self.newest}")
        if revision == self.newest:
            return None
        start = revision - self._base
        found = [
            event
            for events in self._revisions[start : start + _BATCH]
            for event in events
            if event.key.startswith(prefix)
        ]
        return Watched(revision=min(revision + _BATCH, self.newest), events=tuple(found))

    def _drop_oldest(self) -> None:
        self._events -= len(self._revisions[self._dropped])
        self._bytes -= self._sizes[self._dropped]
        self._revisions[self._dropped] = ()
        self._dropped += 1

    def _cut(self) -> None:
        """Free the front of the lists once that is most of them, so that a drop costs O(1)."""
        if self._dropped > 64 and self._dropped * 2 > len(self._revisions):
            del self._revisions[: self._dropped], self._sizes[: self._dropped]
            self._base += self._dropped
            self._dropped = 0
