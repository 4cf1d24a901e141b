"""Calls that are to be made at their time, without a task or a timer for each: requests that wait for their turn.

In: a call and seconds. Out: the call, made then or within the millisecond after. One timer is armed, for the first that
is due; those of the same millisecond are made in one turn of the loop. Invariant: in the order of their times. Called by `posts`.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable
from itertools import count

Call = Callable[[], None]
_TICK = 0.001
"""Seconds; the loop's timers know no less."""


class Turns:
    """`Call`s must not raise."""

    __slots__ = ("_at", "_due", "_number", "_timer")

    def __init__(self) -> None:
        self._due: list[tuple[float, int, Call]] = []
        self._number = count()
        self._timer: asyncio.TimerHandle | None = None
        self._at = 0.0

    def after(self, seconds: float, call: Call) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        heapq.heappush(self._due, (now + seconds, next(self._number), call))
        if self._timer is None or self._due[0][0] + _TICK < self._at:
            self._arm(loop, now)

    def _arm(self, loop: asyncio.AbstractEventLoop, now: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._at = max(self._due[0][0], now + _TICK)
        self._timer = loop.call_later(self._at - now, self._run, loop)

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer, due = None, self._due
        now = loop.time()
        while due and due[0][0] <= now:
            heapq.heappop(due)[2]()
        if due and self._timer is None:
            self._arm(loop, now)
