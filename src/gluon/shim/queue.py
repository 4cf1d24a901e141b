"""What needs a look: scopes and objects, deduplicated, each with its own back-off.

In: marks from events, from the backend's `look` and from failures. Out: `Work`, everything that is
due, once. Invariant: a mark made while its work is under way is work again. Held by one event loop.
Called by `shard` (marks) and `reconcile` (takes).
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from gluon.shim.settings import Pace
from gluon.spi.backend import Ref


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What to look at. `full`: read back and compare everything. `looked`: those of `scopes` that the
    backend named itself. `since`: when the oldest was marked."""

    full: bool = False
    scopes: frozenset[str] = frozenset()
    looked: frozenset[str] = frozenset()
    refs: frozenset[Ref] = frozenset()
    since: float = 0.0

    def __bool__(self) -> bool:
        return bool(self.full or self.scopes or self.refs)


class Backoff:
    """Growing waits per key, with jitter, so that what failed together does not come back together."""

    def __init__(self, pace: Pace, clock: Callable[[], float]) -> None:
        self._pace = pace
        self._clock = clock
        self._failures: dict[str | None, int] = {}
        self._due: dict[str | None, float] = {}

    def fail(self, key: str | None, after: float = 0.0) -> None:
        """`key` failed again; `after` overrides the wait."""
        count = self._failures.get(key, 0)
        self._failures[key] = min(count + 1, 32)
        wait = min(self._pace.first_wait * 2**count, self._pace.longest_wait) * random.uniform(0.5, 1.0)
        self._due[key] = self._clock() + (after or wait)

    def clear(self, key: str | None) -> None:
        """`key` worked, or its input changed."""
        self._failures.pop(key, None)
        self._due.pop(key, None)

    def due(self, key: str | None) -> float:
        """When to try again; 0: now."""
        return self._due.get(key, 0.0)


class Queue:
    """The marks of one shard. `None` in the back-off stands for the whole shard."""

    def __init__(self, pace: Pace, clock: Callable[[], float] = time.monotonic) -> None:
        self._pace = pace
        self._clock = clock
        self._wake = asyncio.Event()
        self._scopes: set[str] = set()
        self._refs: set[Ref] = set()
        self._looked: set[str] = set()
        self._later: set[Ref] = set()
        self._later_due = 0.0
        self._full = True
        self._since = clock()
        self._next_scan = clock()
        self.backoff = Backoff(pace, clock)

    def add(self, scopes: Iterable[str] = (), refs: Iterable[Ref] = ()) -> None:
        """These need a look."""
        if not (self._scopes or self._refs):
            self._since = self._clock()
        self._scopes.update(scopes)
        self._refs.update(refs)
        self._wake.set()

    def look(self, scope: str) -> None:
        """The backend saw something outside: the members' statuses are wanted soon."""
        self._looked.add(scope)
        self.add((scope,))

    def add_later(self, refs: Iterable[Ref]) -> None:
        """The statuses of these may have changed; there is no haste."""
        if not self._later:
            self._later_due = self._clock() + self._pace.later
        self._later.update(refs)

    def add_all(self) -> None:
        """Everything needs a look, with the actual state read again."""
        self._full = True
        self._wake.set()

    def retry(self, scope: str | None, after: float = 0.0) -> None:
        """`scope` (None: reading or the whole shard) failed: again after a while."""
        self.backoff.fail(scope, after)
        if scope is None:
            self._full = True
        else:
            self._scopes.add(scope)
        self._wake.set()

    @property
    def empty(self) -> bool:
        """Whether nothing is marked, not even for later."""
        return not (self._full or self._scopes or self._refs or self._later)

    def holds(self, ref: Ref) -> bool:
        """Whether the object changed again since its work was taken."""
        return ref in self._refs

    def patience(self) -> float:
        """Seconds until the shard as a whole may be tried again."""
        return max(0.0, self.backoff.due(None) - self._clock())

    def take(self) -> Work:
        """All that is due now; back in the queue if `retry` or `add` says so."""
        now = self._clock()
        if self.backoff.due(None) > now:
            return Work()
        full = self._full or now >= self._next_scan
        scopes = {s for s in self._scopes if self.backoff.due(s) <= now}
        refs = frozenset(self._refs)
        if self._later and (full or self._later_due <= now):
            refs |= self._later
            self._later.clear()
        looked = scopes & self._looked
        work = Work(
            full=full, scopes=frozenset(scopes), looked=frozenset(looked), refs=refs, since=self._since
        )
        if work:
            self._scopes -= scopes
            self._looked -= looked
            self._refs.clear()
            self._full = False
        if full:
            self._next_scan = now + self._pace.full_scan * random.uniform(0.9, 1.0)
        return work

    async def wait(self) -> None:
        """Return when `take` may have something."""
        self._wake.clear()
        now = self._clock()
        shard = self.backoff.due(None)
        moments = [self._next_scan, *(self.backoff.due(s) for s in self._scopes)]
        if self._full or self._refs:
            moments.append(now)
        if self._later:
            moments.append(self._later_due)
        wait = max(0.0, max(min(moments), shard) - now)
        try:
            async with asyncio.timeout(wait):
                await self._wake.wait()
        except TimeoutError:
            return
