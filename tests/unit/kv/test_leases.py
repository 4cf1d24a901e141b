"""A kept lease counts by its own clock: it is lost before the bus can have given it to another."""

from __future__ import annotations

import asyncio

import pytest

from gluon.errors import BusUnavailable, LeaseLost
from gluon.kv.leases import kept_lease

LIMIT = 60.0


class Keeper:
    """Leases of a bus whose answers the test decides."""

    def __init__(self) -> None:
        self.asked: asyncio.Queue[int] = asyncio.Queue()
        self.revoked: list[int] = []
        self.answer: int | Exception | None = 1

    async def grant(self, ttl: int) -> tuple[int, int]:
        return 7, ttl

    async def keep_alive(self, lease: int) -> int:
        self.asked.put_nowait(lease)
        if self.answer is None:
            await asyncio.Event().wait()
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer or 0

    async def revoke(self, lease: int) -> None:
        self.revoked.append(lease)


async def test_it_renews_and_revokes() -> None:
    keeper = Keeper()
    async with kept_lease(keeper, 3) as lease:
        assert lease.id == 7
        async with asyncio.timeout(LIMIT):
            for _ in range(2):
                assert await keeper.asked.get() == 7
        assert not lease.lost
    assert keeper.revoked == [7]


@pytest.mark.parametrize("answer", [BusUnavailable("away"), None])
async def test_without_answers_it_is_lost_after_its_ttl(answer: Exception | None) -> None:
    keeper = Keeper()
    keeper.answer = answer
    loop = asyncio.get_running_loop()
    start = loop.time()
    async with kept_lease(keeper, 1) as lease:
        async with asyncio.timeout(LIMIT):
            await lease.wait_lost()
        assert loop.time() - start > 0.9
        assert lease.lost
    assert keeper.revoked == []


async def test_it_is_lost_as_soon_as_the_bus_says_so() -> None:
    keeper = Keeper()
    keeper.answer = LeaseLost("gone")
    async with kept_lease(keeper, 3) as lease, asyncio.timeout(LIMIT):
        await lease.wait_lost()
    assert keeper.asked.qsize() == 1


async def test_an_outage_shorter_than_its_ttl_is_bridged() -> None:
    keeper = Keeper()
    keeper.answer = BusUnavailable("away")
    async with kept_lease(keeper, 5) as lease:
        async with asyncio.timeout(LIMIT):
            for _ in range(2):
                await keeper.asked.get()
        keeper.answer = 5
        await asyncio.sleep(5)
        assert not lease.lost
