"""Keeping the parts of an engine running: repeat with growing waits, say why, lose nothing.

In: a coroutine function that should run for ever. Out: it runs for ever. Invariant: only errors
named as `fatal` and cancellation end it.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import structlog

from gluon.errors import BusError, GluonError, Unavailable
from gluon.publisher.stats import Stats

log = structlog.get_logger(__name__)

_AGAIN = 0.5
_HEALTHY = 30.0
"""Who ran so long starts with short waits again."""


class Backoff:
    """Growing waits with jitter."""

    def __init__(self, *, first: float = 0.1, longest: float = 5.0) -> None:
        self._first = first
        self._longest = longest
        self._next = first

    @property
    def fresh(self) -> bool:
        """Nothing was waited for since the last success."""
        return self._next == self._first

    def reset(self) -> None:
        self._next = self._first

    async def wait(self) -> None:
        await asyncio.sleep(self._next * random.uniform(0.5, 1.0))
        self._next = min(self._next * 2, self._longest)


async def supervise(
    name: str,
    run: Callable[[], Awaitable[None]],
    stats: Stats,
    *,
    fatal: tuple[type[BaseException], ...] = (),
) -> None:
    """Run, and run again after it ended or failed, until cancelled or one of `fatal`."""
    backoff = Backoff()
    loop = asyncio.get_running_loop()
    while True:
        began = loop.time()
        try:
            await run()
        except fatal:
            raise
        except Exception as error:  # noqa: BLE001 - one part's failure must not end the others
            stats.failures[name] += 1
            _say(name, error, fresh=backoff.fresh)
        if loop.time() - began >= _HEALTHY:
            backoff.reset()
        await backoff.wait()


def _say(name: str, error: Exception, *, fresh: bool) -> None:
    """An outage is one line; what nobody expected has its stack each time."""
    if not isinstance(error, GluonError):
        log.error("part failed, starting it again", part=name, exc_info=error)
    elif fresh or not isinstance(error, (BusError, Unavailable)):
        log.warning("part failed, starting it again", part=name, reason=str(error))


async def together(**works: Coroutine[Any, Any, None]) -> None:
    """Run them until one fails, which is raised, or we are cancelled; none of them is left running.

    Cancelled again and again: before Python 3.12 `asyncio.wait_for`, which drivers use, may swallow
    a cancellation, and a part that goes on by itself would be worse than one that ends late.
    """
    tasks = {asyncio.create_task(work, name=name) for name, work in works.items()}
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        for task in done:
            task.result()
    finally:
        running = {task for task in tasks if not task.done()}
        while running:
            for task in running:
                task.cancel()
            _, running = await asyncio.wait(running, timeout=_AGAIN)


async def every(seconds: float, call: Callable[[], Awaitable[None]]) -> None:
    """Call it now and then with this pause between, for ever."""
    while True:
        await call()
        await asyncio.sleep(seconds)
