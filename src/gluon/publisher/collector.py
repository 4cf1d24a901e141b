"""The collector: what shims say under `/status/` becomes units of the store.

In: a followed prefix, `make_unit` and `known` of the main. Out: submitted units. Invariant: for
each key the newest value is handed over at last, values of one key in order; a value that the
units refuse is said once and skipped, never in the way of others; of two collectors the one that began last writes (`turns`). Run
by the leader.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from itertools import islice

import structlog

from gluon.errors import Unavailable
from gluon.objects import codec, keys, status
from gluon.publisher import turns
from gluon.publisher.relay import Overtaken
from gluon.publisher.stats import Stats
from gluon.publisher.supervise import Backoff, together
from gluon.spi import bus, store

log = structlog.get_logger(__name__)

Report = tuple[keys.StatusKey, bytes | None]
"""A key under `/status/` and its newest value, None if it is gone."""

MakeUnit = Callable[[Sequence[Report]], store.Unit]
Known = Callable[[], AsyncIterator[keys.StatusKey]]

BATCH = 64
GATHER = 0.02
"""Seconds that each report is left to a process that waits for it: that one stores it at once, and here nothing is left to write.
Of two that store it together one has to wait for the other, and then finds nothing to do."""
PACE = 0.1
"""Seconds from one unit to the next that is not full: who waits for a bind does not wait for us, and what a shim says of it
a moment later is taken with it."""
_MOST_REFUSED = 10_000


class Collector:
    """One follower of `/status/`. `known` lists the status keys that the database holds."""

    def __init__(
        self,
        *,
        database: store.Store,
        target: bus.Bus,
        make_unit: MakeUnit,
        known: Known,
        stats: Stats,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = database
        self._bus = target
        self._make_unit = make_unit
        self._known = known
        self._stats = stats
        self._clock = clock
        self._waiting: dict[keys.StatusKey, tuple[float, bytes | None]] = {}
        """Since when, and the newest value; those that wait longest come first."""
        self._filled = asyncio.Event()
        self._full = asyncio.Event()
        self._refused: dict[keys.StatusKey, str] = {}
        self._turn = turns.Turn()

    async def run(self) -> None:
        """Until cancelled. Raises `Overtaken` when another process collects."""
        self._waiting.clear()
        first = not await turns.began(self._store)
        self._turn = turns.Turn(first=first)
        if not first:
            await self._begin()  # before anything is read
        await together(follow=self._follow(), submit=self._submit_all())

    # -- from the bus --------------------------------------------------------------------------

    async def _follow(self) -> None:
        async for seen in self._bus.follow(keys.STATUS):
            if isinstance(seen, bus.Synced):
                await self._replace(seen.listing)
            else:
                for event in seen.events:
                    self._take(event.key, event.value.value if event.value else None)

    async def _replace(self, listing: bus.Listing) -> None:
        """What the listing has, and which known keys it has not.

        Events wait in the stream meanwhile, so a key that comes back is newer than its end.
        """
        present = {found for item in listing.items if (found := self._take(item.key, item.value))}
        self._forget_absent(present)
        backoff = Backoff()
        while True:
            try:
                async for key in self._known():
                    if key not in present:
                        self._put(key, None)
                return
            except Unavailable as error:
                if backoff.fresh:
                    log.warning("cannot list known reports, trying again", reason=str(error))
                await backoff.wait()

    def _forget_absent(self, present: set[keys.StatusKey]) -> None:
        """What was waiting from before a break in history and is gone since."""
        for key, (since, _) in self._waiting.items():
            if key not in present:
                self._waiting[key] = since, None

    def _take(self, key: str, value: bytes | None) -> keys.StatusKey | None:
        found = keys.parse_status(key)
        if found is None:
            log.warning("no key of a report", key=key[:512])
            return None
        if value is not None and len(value) > status.MAX_REPORT:
            self._refuse(found, value, f"{len(value)} bytes, at most {status.MAX_REPORT} are read")
        else:
            self._put(found, value)
        return found

    def _put(self, key: keys.StatusKey, value: bytes | None) -> None:
        since, _ = self._waiting.get(key) or (self._clock(), None)
        self._waiting[key] = since, value
        self._stats.reports_waiting = len(self._waiting)
        self._filled.set()
        if len(self._waiting) >= BATCH:
            self._full.set()

    # -- into the store ------------------------------------------------------------------------

    async def _submit_all(self) -> None:
        loop = asyncio.get_running_loop()
        ended = loop.time() - PACE
        while True:
            await self._filled.wait()
            with suppress(TimeoutError):
                async with asyncio.timeout_at(max(loop.time() + GATHER, ended + PACE)):
                    await self._full.wait()
            self._filled.clear()
            self._full.clear()
            while batch := self._due():
                for key, _ in batch:
                    del self._waiting[key]
                self._stats.reports_waiting = len(self._waiting)
                await self._submit(batch)
                if len(self._waiting) < BATCH:
                    break  # what came due meanwhile are few
            if self._waiting:
                self._filled.set()
            ended = loop.time()

    def _due(self) -> Sequence[Report]:
        """What goes into one unit: those that nobody else takes any more, or all where that many wait."""
        limit = self._clock() - GATHER if len(self._waiting) < BATCH else math.inf
        first = islice(self._waiting.items(), BATCH)
        return [(key, value) for key, (since, value) in first if since <= limit]

    async def _submit(self, batch: Sequence[Report]) -> None:
        """All of them in one unit; if that is refused, each by itself."""
        refusal = await self._try(batch)
        if refusal is None:
            self._stats.reports += len(batch)
            for key, _ in batch:
                self._refused.pop(key, None)
        elif len(batch) > 1:
            for report in batch:
                await self._submit((report,))
        else:
            key, value = batch[0]
            self._refuse(key, value or b"", refusal)

    async def _begin(self) -> None:
        self._live(await self._done(lambda: self._turn))
        self._turn.begun = True

    async def _try(self, batch: Sequence[Report]) -> str | None:
        """Why it can never be done, None once it is."""
        if not self._turn.begun:
            await self._begin()
        try:
            result = await self._done(lambda: self._turn.of(self._make_unit(batch)))
        except Exception as error:  # noqa: BLE001 - reports are hostile: none may end the loop
            return f"{type(error).__name__}: {error}"
        self._live(result)
        return None

    def _live(self, result: object) -> None:
        """Raises `Overtaken` for the result of a unit that did nothing."""
        if isinstance(result, turns.Over):
            raise Overtaken("another process collects reports")

    async def _done(self, make: Callable[[], store.Unit]) -> object:
        """The result of a unit. While the store is away it waits."""
        backoff = Backoff()
        while True:
            try:
                return (await self._store.submit(make())).result
            except Unavailable as error:
                # Perhaps done after all (OutcomeUnknown): reports are states, a repeat is harmless.
                if backoff.fresh:
                    log.warning("cannot store reports, trying again", reason=str(error))
                await backoff.wait()

    def _refuse(self, key: keys.StatusKey, value: bytes, reason: str) -> None:
        """Say it once for each value."""
        self._stats.reports_refused += 1
        digest = codec.digest(value)
        if self._refused.get(key) == digest:
            return
        if len(self._refused) >= _MOST_REFUSED:
            self._refused.clear()
        self._refused[key] = digest
        log.warning("report refused", key=_text(key), reason=reason[:500])


def _text(key: keys.StatusKey) -> str:
    return keys.status(key.controller, key.shard, key.api, key.object_type, key.key)[:512]
