"""Refusals that must not tell by their time why: a foreign object from a missing one.

In: the error, who asked, when the request began. Out: nothing, after a while. Reading a row and asking the policy takes
some microseconds more than finding none, which who asks often enough can measure. So the answer waits for the next
of a request's own ticks, which is the same for both. Called by `lane`.
"""

from __future__ import annotations

import asyncio

from gluon import errors
from gluon.api import rates
from gluon.spi import policy

_TICK = 0.004
"""Seconds; more than the work of nearly every refusal."""


def now() -> float:
    """The time of the loop. It stands still while a callback runs, and timers are due by it: a tick reckoned from
    another clock would be rounded to the one or the other side, which tells again."""
    return asyncio.get_running_loop().time()


async def hold(error: Exception, caller: policy.Caller | None, began: float) -> None:
    """Before the answer to a request that began at that time, by `now`. Who sees everything waits for nothing."""
    if isinstance(error, rates.Refused):
        await asyncio.sleep(error.hold)
    elif isinstance(error, errors.NotFound) and caller is not None and not caller.admin:
        await tick(began)


async def tick(began: float) -> None:
    """Wait for the next one of a request that began at that time."""
    await asyncio.sleep(_TICK - (now() - began) % _TICK)
