"""Parts that fail are started again; parts that must end do end."""

import asyncio

import pytest

from gluon.errors import Unavailable
from gluon.publisher.stats import Stats
from gluon.publisher.supervise import supervise, together


async def test_a_part_that_swallows_a_cancellation_is_ended_all_the_same() -> None:
    swallowed = 0

    async def stubborn() -> None:
        nonlocal swallowed
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                swallowed += 1
                if swallowed > 1:
                    raise

    async def fails() -> None:
        await asyncio.sleep(0)
        raise Unavailable("away")

    with pytest.raises(Unavailable):
        async with asyncio.timeout(60):
            await together(stubborn=stubborn(), fails=fails())
    assert swallowed == 2


async def test_failures_are_counted_and_only_the_fatal_one_ends_it() -> None:
    stats, runs = Stats(), 0

    async def part() -> None:
        nonlocal runs
        runs += 1
        if runs == 1:
            raise Unavailable("away")
        if runs == 2:
            raise ZeroDivisionError
        raise KeyError

    with pytest.raises(KeyError):
        async with asyncio.timeout(60):
            await supervise("part", part, stats, fatal=(KeyError,))
    assert stats.failures == {"part": 2}
