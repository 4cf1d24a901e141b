"""The leader: of all processes with a publisher, the one that relays, collects, sweeps and tidies.

In: duties, a bus to campaign on. Out: the duties run here while `/gluon/relay/leader` is ours.
Invariant: nothing depends on there being one leader only; it saves work. A relay that was refused
steps down.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import structlog

from gluon.errors import BusError
from gluon.objects import keys
from gluon.publisher.relay import Overtaken
from gluon.publisher.stats import Stats
from gluon.publisher.supervise import Backoff, supervise, together
from gluon.spi import bus

log = structlog.get_logger(__name__)

TTL = 5
"""Seconds after which a dead leader is replaced."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty:
    """A coroutine function that runs for ever while we lead."""

    name: str
    run: Callable[[], Awaitable[None]]


class Leader:
    """`run` it for the life of the process."""

    def __init__(self, target: bus.Bus, process: str, duties: Sequence[Duty], stats: Stats) -> None:
        self._bus = target
        self._process = process
        self._duties = duties
        self._stats = stats

    async def run(self) -> None:
        """Campaign, lead, and campaign again, until cancelled."""
        backoff = Backoff()
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            try:
                async with self._bus.campaign(keys.RELAY_LEADER, self._process.encode(), ttl=TTL):
                    await self._lead()
            except Overtaken as error:
                log.warning("another relay is ahead, stepping down", reason=str(error))
            except BusError as error:
                log.warning("leadership ended", reason=str(error))
            if loop.time() - began > TTL:
                backoff.reset()
            await backoff.wait()

    async def _lead(self) -> None:
        log.info("this process leads the publisher", process=self._process)
        self._stats.leading = True
        self._stats.elections += 1
        try:
            await together(
                **{
                    duty.name: supervise(duty.name, duty.run, self._stats, fatal=(Overtaken,))
                    for duty in self._duties
                }
            )
        finally:
            self._stats.leading = False
