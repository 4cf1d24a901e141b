"""Waking the relay after a commit, without anyone waiting for it.

In: `notify()` after each commit of this process. Out: the local relay's event if this process
leads, else a put of `/gluon/wake/<process>`. Invariant: at most one put is in flight, and one
follows if something was committed meanwhile. A wake that gets lost costs a second: the relay looks.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

import structlog

from gluon.errors import BusError
from gluon.objects import keys
from gluon.publisher.supervise import Backoff
from gluon.spi import bus

log = structlog.get_logger(__name__)

_GOODBYE = 1.0
_GATHER = 0.004


class Waker:
    """One per API process. `local` wakes a relay of this process and says whether there is one."""

    def __init__(self, target: bus.Bus, process: str, *, local: Callable[[], bool] = lambda: False) -> None:
        self._bus = target
        self._key = keys.wake(process)
        self._local = local
        self._wanted = asyncio.Event()
        self._put_once = False

    def notify(self) -> None:
        """Something was committed. Never waits, never fails."""
        if not self._local():
            self._wanted.set()

    async def run(self) -> None:
        """Until cancelled; then the key is taken away."""
        backoff = Backoff()
        try:
            while True:
                await self._wanted.wait()
                self._wanted.clear()
                try:
                    await self._bus.put(self._key, b"")
                    self._put_once = True
                    backoff.reset()
                    if self._wanted.is_set():  # a busy time: the relay gathers as well
                        await asyncio.sleep(_GATHER)
                except BusError as error:
                    if backoff.fresh:
                        log.warning("cannot wake the relay, it looks by itself", reason=str(error))
                    await backoff.wait()
        finally:
            await self._leave()

    async def _leave(self) -> None:
        if not self._put_once:
            return
        with suppress(BusError, TimeoutError):
            async with asyncio.timeout(_GOODBYE):
                await self._bus.delete(self._key)


async def listen(target: bus.Bus, notify: Callable[[], None]) -> None:
    """Call `notify` whenever a process wakes the relay. Run by the leader, for ever.

    Keys that processes left behind are of no use to anyone: they go first.
    """
    await target.delete(keys.WAKE, prefix=True)
    async for _ in target.follow(keys.WAKE):
        notify()
