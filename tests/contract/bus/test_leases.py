"""Leases and elections: keys that live as long as their holder."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack

import pytest

from gluon.errors import LeaseLost
from gluon.spi.bus import Put
from tests.contract.bus.conftest import AnyBus
from tests.contract.bus.streams import LIMIT, close, following, take


async def _gone(bus: AnyBus, key: str) -> None:
    """Return once `key` does not exist."""
    listing = await bus.list(key)
    if any(item.key == key for item in listing.items):
        stream = bus.watch(key, after=listing.revision)
        await take(stream, 1)
        await close(stream)
    assert await bus.get(key) is None


async def test_a_lease_that_nobody_renews_takes_its_keys_along(bus: AnyBus) -> None:
    lease, ttl = await bus.grant(3)
    await bus.txn((), [Put(key="/l/a", value=b"", lease=lease), Put(key="/l/b", value=b"", lease=lease)])
    await bus.put("/l/stays", b"")
    found = await bus.get("/l/a")
    assert found is not None
    assert found.lease == lease
    async with following(bus.follow("/l/")) as follower:
        assert len(follower.values) == 3
        await follower.until(lambda f: set(f.values) == {"/l/stays"}, limit=ttl + LIMIT)


async def test_a_kept_lease_outlives_its_ttl(bus: AnyBus) -> None:
    async with bus.lease(3) as lease:
        await bus.put("/l/a", b"", lease=lease.id)
        loop = asyncio.get_running_loop()
        end = loop.time() + 7  # a machine may stand still for a second
        while loop.time() < end:
            assert await bus.get("/l/a") is not None
            assert not lease.lost
            await asyncio.sleep(0.2)
    await _gone(bus, "/l/a")


async def test_leaving_the_context_ends_the_lease_at_once(bus: AnyBus) -> None:
    async with bus.lease(60) as lease:
        await bus.put("/l/a", b"", lease=lease.id)
    assert await bus.get("/l/a") is None
    with pytest.raises(LeaseLost):
        await bus.put("/l/a", b"", lease=lease.id)


async def test_a_revoked_lease_is_noticed(bus: AnyBus) -> None:
    async with bus.lease(2) as lease:
        await bus.revoke(lease.id)
        async with asyncio.timeout(LIMIT):
            await lease.wait_lost()
        assert lease.lost
        with pytest.raises(LeaseLost):
            await bus.keep_alive(lease.id)
    await bus.revoke(lease.id)


async def test_a_put_without_lease_frees_the_key(bus: AnyBus) -> None:
    async with bus.lease(60) as lease:
        await bus.put("/l/a", b"1", lease=lease.id)
        await bus.put("/l/a", b"2")
    found = await bus.get("/l/a")
    assert found is not None
    assert (found.value, found.lease) == (b"2", 0)


async def test_a_key_moves_to_the_lease_of_its_last_put(bus: AnyBus) -> None:
    async with bus.lease(60) as keeps:
        async with bus.lease(60) as ends:
            await bus.put("/l/a", b"1", lease=ends.id)
            await bus.put("/l/a", b"2", lease=keeps.id)
            await bus.put("/l/b", b"1", lease=ends.id)
            await bus.delete("/l/b")
            await bus.put("/l/b", b"2")
        assert {item.key for item in (await bus.list("/l/")).items} == {"/l/a", "/l/b"}
    assert {item.key for item in (await bus.list("/l/")).items} == {"/l/b"}


async def test_the_keys_of_a_lease_go_in_one_revision(bus: AnyBus) -> None:
    async with bus.lease(60) as lease:
        result = await bus.txn((), [Put(key=f"/l/{n}", value=b"", lease=lease.id) for n in range(3)])
    stream = bus.watch("/l/", after=result.revision)
    async with asyncio.timeout(LIMIT):
        watched = await anext(stream)
    assert watched.revision == result.revision + 1
    assert [(event.key, event.value) for event in watched.events] == [(f"/l/{n}", None) for n in range(3)]
    await close(stream)


@pytest.fixture
async def tasks() -> AsyncIterator[set[asyncio.Task[None]]]:
    """Tasks that end with the test."""
    running: set[asyncio.Task[None]] = set()
    yield running
    for task in running:
        task.cancel()
    if running:
        await asyncio.wait(running)


async def test_only_one_leads_and_all_get_their_turn(another: Callable[[], AnyBus]) -> None:
    leading: list[int] = []
    turns: list[int] = []

    async def run(number: int, bus: AnyBus) -> None:
        async with bus.campaign("/e", b"%d" % number, ttl=20) as won:
            leading.append(number)
            assert leading == [number]
            found = await bus.get("/e")
            assert found is not None
            assert (found.value, found.create_revision) == (b"%d" % number, won.create_revision)
            assert won.key == "/e"
            await asyncio.sleep(0.02)
            turns.append(number)
            leading.remove(number)

    async with asyncio.timeout(60):
        await asyncio.gather(*(run(n, another()) for n in range(5)))
    assert sorted(turns) == [0, 1, 2, 3, 4]


async def test_a_leader_whose_lease_ends_is_cancelled_and_another_one_follows(
    another: Callable[[], AnyBus], tasks: set[asyncio.Task[None]]
) -> None:
    first, second = another(), another()
    leads, cancelled, follows = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def lead() -> None:
        try:
            async with first.campaign("/e", b"first", ttl=20):
                leads.set()
                await asyncio.Event().wait()
        except LeaseLost:
            cancelled.set()

    async def succeed() -> None:
        async with second.campaign("/e", b"second", ttl=20):
            follows.set()
            await asyncio.Event().wait()

    async with asyncio.timeout(LIMIT):
        tasks.add(asyncio.create_task(lead()))
        await leads.wait()
        tasks.add(asyncio.create_task(succeed()))
        found = await first.get("/e")
        assert found is not None
        assert not follows.is_set()
        await first.revoke(found.lease)
        await cancelled.wait()
        await follows.wait()
    found = await first.get("/e")
    assert found is not None
    assert found.value == b"second"


@pytest.mark.parametrize("act", ["delete", "replace"])
async def test_a_leader_whose_key_goes_is_cancelled(bus: AnyBus, act: str) -> None:
    with pytest.raises(LeaseLost):
        async with asyncio.timeout(LIMIT), bus.campaign("/e", b"me", ttl=60):
            await bus.delete("/e")
            if act == "replace":
                await bus.put("/e", b"usurper")
            await asyncio.Event().wait()


async def test_writing_the_leaders_key_does_not_end_its_leadership(bus: AnyBus) -> None:
    async with asyncio.timeout(LIMIT), bus.campaign("/e", b"me", ttl=60) as won:
        await bus.put("/e", b"still me")
        await bus.put("/e/below", b"")
        await bus.delete("/e/below")
        stream = bus.watch("/e", after=won.create_revision)
        await take(stream, 3)
        await close(stream)


async def test_errors_of_the_body_leave_the_campaign_unchanged(bus: AnyBus) -> None:
    for error in (RuntimeError("body"), TimeoutError("body"), LeaseLost("body")):
        with pytest.raises(type(error), match="body"):
            async with bus.campaign("/e", b"", ttl=60):
                raise error
        assert await bus.get("/e") is None


async def test_a_candidate_that_gives_up_leaves_nothing(another: Callable[[], AnyBus]) -> None:
    leader, candidate = another(), another()
    async with leader.campaign("/e", b"leader", ttl=60):
        with pytest.raises(TimeoutError):
            async with AsyncExitStack() as stack, asyncio.timeout(0.3):
                await stack.enter_async_context(candidate.campaign("/e", b"candidate", ttl=60))
        found = await leader.get("/e")
        assert found is not None
        assert found.value == b"leader"
    assert await leader.get("/e") is None
