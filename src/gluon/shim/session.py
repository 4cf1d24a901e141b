"""A backend at work on one shard: its queue, its rounds, its replies.

In: the cache, elections won and lost. Out: nothing; runs until it is cancelled. Invariant: it begins
with what is there (actual rows, statuses in etcd), so that a successor writes only what differs.
Called by `shard`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import Any

import structlog

from gluon.shim import calls, served
from gluon.shim.binder import Binder
from gluon.shim.cache import Cache
from gluon.shim.calls import Failure
from gluon.shim.queue import Queue
from gluon.shim.reconcile import Reconciler
from gluon.shim.report import Reporter
from gluon.shim.settings import Pace, Stats
from gluon.spi.backend import Backend, Ref, Setting
from gluon.spi.bus import Bus, Leadership

log = structlog.get_logger(__name__)

_STOP_LIMIT = 5.0
_LONGEST_REST = 0.25


class Session:
    """Drives the backend of one shard."""

    def __init__(
        self,
        bus: Bus,
        cache: Cache,
        backend: type[Backend],
        *,
        controller: str,
        shard: str,
        options: Mapping[str, Any],
        serving: served.Served,
        pace: Pace,
        stats: Stats,
    ) -> None:
        self.backend = backend(Setting(controller=controller, host=shard, options=options))
        self._cache = cache
        self._shard = shard
        self._stats = stats
        self._rest = pace.rest
        self._queue = Queue(pace)
        self._reporter = Reporter(
            bus,
            cache,
            controller=controller,
            shard=shard,
            pace=pace,
            stats=stats,
            unsaid=partial(self._queue.add, ()),
        )
        self._binder = Binder(self.backend, cache, self._reporter, shard=shard, serving=serving, pace=pace)
        self._reconciler = Reconciler(
            self.backend, cache, self._queue, self._reporter, self._binder, stats=stats
        )
        self._complete = asyncio.Event()
        self._waits = False

    async def run(self) -> None:
        """Work until cancelled. What is programmed stays programmed."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._reporter.run())
                await self._reporter.wait_ready()
                self._cache.observe(self)
                self._binder.look_at_all()
                group.create_task(self._reconcile())
        finally:
            self._cache.forget(self)
            self._binder.stop()
            await self._stop()

    @property
    def leads(self) -> bool:
        """Whether it may write into etcd."""
        return self._reporter.lead is not None

    def lead(self, won: Leadership | None) -> None:
        """From now on replies and statuses are written under this leadership; None: not at all."""
        self._reporter.begin(won)

    @property
    def idle(self) -> bool:
        """Whether nothing is under way or waits to be done."""
        return self._waits and self._queue.empty and self._reporter.idle

    # `cache.Observer`.

    def before(self, refs: frozenset[Ref]) -> None:
        self._stats.events += 1
        self._queue.add(self._scopes(refs), refs)

    def after(self, refs: frozenset[Ref]) -> None:
        self._binder.look(refs)
        self._queue.add(self._scopes(refs), refs)

    def completed(self) -> None:
        self._complete.set()
        self._binder.look_at_all()
        self._queue.add_all()

    def look(self, scope: str | None) -> None:
        """The backend saw something outside that may change its rows or statuses."""
        if scope is None:
            self._reconciler.retry_all()
            self._queue.backoff.clear(None)  # a daemon that is back is not kept waiting
            self._queue.add_all()
        else:
            self._queue.look(scope)

    def _scopes(self, refs: frozenset[Ref]) -> frozenset[str]:
        found: set[str] = set()
        for ref in refs:
            if self._cache.refusal(ref.api):
                continue  # the backend knows nothing of it
            scopes = calls.scopes(self.backend, self._cache.world, ref)
            if isinstance(scopes, Failure):
                # Without an answer only a look at everything is right.
                self._queue.add_all()
            else:
                found |= scopes
        return frozenset(found)

    async def _reconcile(self) -> None:
        await self._start()
        while True:
            while not self._cache.complete:
                self._complete.clear()
                await self._complete.wait()
            work = self._queue.take()
            if not work:
                self._waits = True
                await self._queue.wait()
                self._waits = False
                continue
            await self._reconciler.round(work)
            # Rounds take half of the time at most: replies to bindings come in between.
            await asyncio.sleep(max(min(self._reconciler.busy, _LONGEST_REST), self._rest))

    async def _start(self) -> None:
        """Start the backend, however long its outside is away."""
        told = ""
        while True:
            failure = await calls.act("start", partial(self.backend.start, self.look))
            if not isinstance(failure, Failure):
                self._reconciler.started = True
                self._queue.backoff.clear(None)
                return
            if failure.message != told:
                told = failure.message
                log.warning("the backend cannot start yet", shard=self._shard, reason=told)
            await self._reconciler.fail(failure)
            await asyncio.sleep(self._queue.patience())

    async def _stop(self) -> None:
        try:
            async with asyncio.timeout(_STOP_LIMIT):
                failure = await calls.act("stop", self.backend.stop)
        except TimeoutError:
            log.warning("the backend does not stop", shard=self._shard)
            return
        if isinstance(failure, Failure):
            log.warning("the backend stopped badly", shard=self._shard, reason=failure.message)
