"""One shard of a shim: campaigns, leads, and keeps its session where that is right.

In: the bus, how to make a session. Out: nothing; runs until it is cancelled. Invariants: only a
leader writes into etcd; a shard of all hosts programs only while it leads. A backend of one host
goes on while etcd is away (routes of other hosts change, VIFs are plugged), until it sees that
another instance leads: both would be on this very host, and compute the same. Called by `engine`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import structlog

from gluon.errors import BusError
from gluon.shim.queue import Backoff
from gluon.shim.session import Session
from gluon.shim.settings import Pace, Stats
from gluon.spi.bus import Bus, KeyValue, Leadership, Synced, Watched

log = structlog.get_logger(__name__)


class Shard:
    """`key` and `value` are those of the election; `value` tells this process from all others."""

    def __init__(
        self,
        bus: Bus,
        make_session: Callable[[], Session],
        *,
        key: str,
        value: bytes,
        per_host: bool,
        pace: Pace,
        stats: Stats,
    ) -> None:
        self._bus = bus
        self._make_session = make_session
        self._key = key
        self._value = value
        self._per_host = per_host
        self._pace = pace
        self._stats = stats
        self._running: asyncio.Task[None] | None = None
        self.session: Session | None = None

    @property
    def leads(self) -> bool:
        """Whether this instance leads now."""
        return self.session is not None and self.session.leads

    async def run(self) -> None:
        """Campaign, lead, and campaign again, for ever."""
        backoff = Backoff(self._pace, asyncio.get_running_loop().time)
        try:
            while True:
                try:
                    async with self._campaign() as lead:
                        backoff.clear(None)
                        await self._lead(lead)
                except BusError as error:  # the lease is lost, or etcd does not let us in
                    log.warning("leads no more", key=self._key, reason=str(error))
                    await self._leads_no_more()
                except Exception:
                    log.exception("a leadership ended badly", key=self._key)
                    await self._end()
                if _is_cancelled():
                    # An error on the way out must not turn an end into another beginning.
                    raise asyncio.CancelledError
                backoff.fail(None)
                await asyncio.sleep(max(0.0, backoff.due(None) - asyncio.get_running_loop().time()))
        finally:
            await self._end()

    @asynccontextmanager
    async def _campaign(self) -> AsyncIterator[Leadership]:
        """Wait for leadership; meanwhile a session that went on ends when another instance leads."""
        watching = asyncio.create_task(self._end_for_rival())
        try:
            async with self._bus.campaign(self._key, self._value, ttl=self._pace.ttl) as lead:
                watching.cancel()
                await asyncio.wait({watching})
                yield lead
        finally:
            watching.cancel()
            await asyncio.wait({watching})

    async def _lead(self, lead: Leadership) -> None:
        """Lead until cancelled, or until the session fails."""
        if self.session is None or self._running is None:
            self.session = self._make_session()
            self._running = asyncio.create_task(self.session.run())
        self._stats.leaderships += 1
        log.info("leads", key=self._key)
        self.session.lead(lead)
        await asyncio.wait({self._running})
        self._running.result()

    async def _leads_no_more(self) -> None:
        if self.session is not None and self._per_host:
            self.session.lead(None)
        else:
            await self._end()

    async def _end(self) -> None:
        running, self._running, self.session = self._running, None, None
        if running is not None:
            running.cancel()
            await asyncio.wait({running})

    async def _end_for_rival(self) -> None:
        if self.session is None:
            return
        async for item in self._bus.follow(self._key):
            if any(kv.key == self._key and kv.value != self._value for kv in _values(item)):
                log.info("another instance leads", key=self._key)
                await self._end()
                return


def _values(item: Synced | Watched) -> list[KeyValue]:
    if isinstance(item, Synced):
        return list(item.listing.items)
    return [event.value for event in item.events if event.value is not None]


def _is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
