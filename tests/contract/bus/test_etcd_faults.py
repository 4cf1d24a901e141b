"""etcd stopped, killed, wiped, restored, hanging, one of two gone: what its client makes of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from gluon.errors import BusError, BusUnavailable, Compacted, LeaseLost
from gluon.kv import endpoints
from gluon.kv.connect import connect
from gluon.kv.etcd import EtcdBus
from gluon.kv.settings import EtcdSettings, parse_addresses
from gluon.spi.bus import Put, Watched
from gluon.testing.crowd import Crowd
from gluon.testing.fixtures import require_programs
from gluon.testing.servers import EtcdServer
from tests.contract.bus.conftest import PROGRESS
from tests.contract.bus.streams import LIMIT, close, following, take

pytestmark = pytest.mark.fault


async def _answers(bus: EtcdBus) -> None:
    """Wait until the bus can be used again."""
    async with asyncio.timeout(LIMIT):
        while True:
            try:
                await bus.get("/")
            except BusUnavailable:
                continue
            return


@pytest.mark.parametrize("kill", [False, True])
async def test_a_watch_goes_on_after_a_restart_without_losing_events(
    own_etcd: EtcdServer, connected: EtcdBus, kill: bool
) -> None:
    after = await connected.put("/w/0", b"")
    stream = connected.watch("/w/", after=after)
    await connected.put("/w/1", b"")
    await take(stream, 1)
    # Committed while the client is away, by somebody who reaches etcd sooner.
    await asyncio.to_thread(own_etcd.kill9 if kill else own_etcd.stop)
    await asyncio.to_thread(own_etcd.start)
    for n in range(2, 5):
        await asyncio.to_thread(own_etcd.etcdctl, "put", f"/w/{n}", "x")
    events = await take(stream, 3)
    assert [event.key for event in events] == ["/w/2", "/w/3", "/w/4"]
    await _answers(connected)
    await connected.put("/w/5", b"")
    assert [event.key for event in await take(stream, 1)] == ["/w/5"]
    await close(stream)


async def test_broken_streams_leave_no_task_behind(own_etcd: EtcdServer) -> None:
    before = asyncio.all_tasks()
    bus = connect([own_etcd.url], timeout=4.0, progress=PROGRESS)
    async with following(bus.follow("/w/")) as follower, bus.lease(20) as lease:
        for n in range(2):
            await asyncio.to_thread(own_etcd.kill9)
            await asyncio.to_thread(own_etcd.start)
            await asyncio.to_thread(own_etcd.etcdctl, "put", f"/w/{n}", "x")
            await follower.until(lambda f, n=n: len(f.seen) == n + 1)  # type: ignore[misc]
        assert not lease.lost
    await bus.close()
    async with asyncio.timeout(LIMIT):
        while left := asyncio.all_tasks() - before:
            await asyncio.wait(left)


async def test_answered_writes_survive_kills_and_reach_the_follower_once(
    own_etcd: EtcdServer, connected: EtcdBus
) -> None:
    answered: dict[str, bytes] = {}
    stopping = False
    progressed = asyncio.Event()

    async def write() -> None:
        n = 0
        while not stopping:
            key, value = f"/w/{n:04}", b"%d" % n
            try:
                await connected.put(key, value)
            except BusUnavailable:
                continue
            answered[key] = value
            if n % 50 == 0:
                progressed.set()
            n += 1
            await asyncio.sleep(0.002)

    async with following(connected.follow("/w/")) as follower:
        writer = asyncio.create_task(write())
        for _ in range(3):
            progressed.clear()
            async with asyncio.timeout(LIMIT):
                await progressed.wait()
            await asyncio.to_thread(own_etcd.kill9)
            await asyncio.to_thread(own_etcd.start)
        stopping = True
        await writer
        listing = await connected.list("/w/")
        await follower.until(lambda f: f.revision >= listing.revision)
        assert follower.content() == {item.key: item.value for item in listing.items}
        assert answered.items() <= follower.content().items()
        assert follower.syncs == 1
        # A put whose answer was lost is repeated, so its key may come twice, but in order.
        keys = [key for key, _ in follower.seen]
        assert keys == sorted(keys)


async def test_an_etcd_that_comes_back_is_noticed_within_about_a_second(
    own_etcd: EtcdServer, connected: EtcdBus
) -> None:
    await connected.put("/a", b"")
    await asyncio.to_thread(own_etcd.stop)
    with pytest.raises(BusUnavailable):
        await connected.get("/a")
    with pytest.raises(BusUnavailable):
        await connected.put("/a", b"")
    await asyncio.to_thread(own_etcd.start)
    start = time.monotonic()
    with Crowd() as crowd:
        await _answers(connected)
    assert time.monotonic() - start < crowd.allows(3)


async def test_a_call_without_etcd_fails_within_its_limit(own_etcd: EtcdServer, connected: EtcdBus) -> None:
    await asyncio.to_thread(own_etcd.stop)
    start = time.monotonic()
    with Crowd() as crowd:
        with pytest.raises(BusUnavailable, match="127.0.0.1"):
            await connected.txn((), [Put(key="/a", value=b"")])
        with pytest.raises(BusUnavailable):
            await connected.health()
        with pytest.raises(BusUnavailable):
            async with connected.lease(5):
                pytest.fail("no lease can be granted")
    assert time.monotonic() - start < crowd.allows(3 * 4.0 + 3.0)


@pytest.mark.parametrize("same_cluster", [False, True])
async def test_a_wiped_etcd_is_noticed_although_its_revision_is_ahead_again(
    own_etcd: EtcdServer, connected: EtcdBus, same_cluster: bool
) -> None:
    await connected.put("/w/kept", b"old")
    last = await connected.put("/w/lost", b"old")
    async with following(connected.follow("/w/")) as follower:
        stream = connected.watch("/w/", after=last - 1)
        await take(stream, 1)
        await asyncio.to_thread(own_etcd.wipe, same_cluster=same_cluster)
        for n in range(20):
            await asyncio.to_thread(own_etcd.etcdctl, "put", "/w/kept", f"new{n}")
        with pytest.raises(Compacted):
            await take(stream, 1000)
        await follower.until(lambda f: f.content() == {"/w/kept": b"new19"})
        assert follower.syncs >= 2


async def test_a_wiped_etcd_is_noticed_by_who_follows_a_prefix_without_keys(
    own_etcd: EtcdServer, connected: EtcdBus
) -> None:
    for n in range(10):
        await connected.put("/elsewhere", b"%d" % n)
    async with (
        following(connected.follow("/empty/")) as empty,
        following(connected.follow("/emptied/")) as emptied,
    ):
        await connected.put("/emptied/a", b"")
        await connected.put("/emptied/b", b"")
        await connected.delete("/emptied/b")
        await connected.delete("/emptied/a")
        await emptied.until(lambda f: len(f.seen) == 4)
        await asyncio.to_thread(own_etcd.wipe, same_cluster=True)
        for key in ("/empty/new", "/emptied/new", *["/elsewhere"] * 20):
            await asyncio.to_thread(own_etcd.etcdctl, "put", key, "x")
        await empty.until(lambda f: f.content() == {"/empty/new": b"x"})
        await emptied.until(lambda f: f.content() == {"/emptied/new": b"x"})


async def test_an_empty_etcd_behind_a_watch_is_noticed(own_etcd: EtcdServer, connected: EtcdBus) -> None:
    """The watch's revision is ahead of the server: etcd itself would keep silent for ever."""
    last = 0
    for n in range(10):
        last = await connected.put(f"/w/{n}", b"")
    stream = connected.watch("/w/", after=last - 1)
    await take(stream, 1)
    await asyncio.to_thread(own_etcd.wipe, same_cluster=True)
    with pytest.raises(Compacted):
        await take(stream, 1)
    # A client that starts only now, with a position from before, hears it too.
    fresh = connect([own_etcd.url])
    with pytest.raises(Compacted):
        await take(fresh.watch("/w/", after=last), 1)
    await fresh.close()


async def test_a_restored_snapshot_is_noticed(own_etcd: EtcdServer, connected: EtcdBus) -> None:
    await connected.put("/w/a", b"1")
    snapshot = await asyncio.to_thread(own_etcd.snapshot)
    await connected.put("/w/a", b"2")
    await connected.put("/w/b", b"2")
    async with following(connected.follow("/w/")) as follower:
        assert follower.content() == {"/w/a": b"2", "/w/b": b"2"}
        await asyncio.to_thread(own_etcd.restore, snapshot)
        await follower.until(lambda f: f.content() == {"/w/a": b"1"})
        await _answers(connected)
        await connected.put("/w/c", b"3")
        await follower.until(lambda f: f.content() == {"/w/a": b"1", "/w/c": b"3"})


async def test_a_restored_snapshot_is_noticed_although_its_revision_is_ahead_again(
    own_etcd: EtcdServer, connected: EtcdBus
) -> None:
    await connected.put("/w/a", b"1")
    snapshot = await asyncio.to_thread(own_etcd.snapshot)
    await connected.put("/w/b", b"lost")
    async with following(connected.follow("/w/")) as follower:
        await asyncio.to_thread(own_etcd.restore, snapshot)
        for n in range(20):
            await asyncio.to_thread(own_etcd.etcdctl, "put", "/w/a", f"{n}")
        await follower.until(lambda f: f.content() == {"/w/a": b"19"})


async def test_a_lease_is_lost_when_etcd_is_away_too_long(own_etcd: EtcdServer, connected: EtcdBus) -> None:
    async with connected.lease(2) as lease:
        await asyncio.to_thread(own_etcd.stop)
        async with asyncio.timeout(LIMIT):
            await lease.wait_lost()
        assert lease.lost


async def test_a_lease_bridges_a_short_outage(own_etcd: EtcdServer, connected: EtcdBus) -> None:
    async with connected.lease(30) as lease:
        await connected.put("/l", b"", lease=lease.id)
        await asyncio.to_thread(own_etcd.kill9)
        await asyncio.to_thread(own_etcd.start)
        await _answers(connected)
        assert await connected.keep_alive(lease.id) == 30
        assert not lease.lost
        assert await connected.get("/l") is not None


async def test_a_leader_steps_down_in_an_outage_and_leads_again_after_it(
    own_etcd: EtcdServer, connected: EtcdBus
) -> None:
    with pytest.raises(LeaseLost):
        async with asyncio.timeout(LIMIT), connected.campaign("/e", b"1", ttl=2):
            await asyncio.to_thread(own_etcd.stop)
            await asyncio.Event().wait()

    async def lead_again() -> int:
        async with connected.campaign("/e", b"2", ttl=2) as won:
            return won.create_revision

    waiting = asyncio.create_task(lead_again())
    await asyncio.to_thread(own_etcd.start)
    async with asyncio.timeout(LIMIT):
        assert await waiting > 0


@pytest.fixture
async def two(own_etcd: EtcdServer) -> AsyncIterator[tuple[EtcdBus, EtcdServer]]:
    """A client that knows a dead endpoint first and a living one second."""
    with EtcdServer() as dead:
        address = dead.url
    bus = connect([f"{address},{own_etcd.url}"], timeout=8.0, progress=PROGRESS)
    assert isinstance(bus, EtcdBus)
    yield bus, own_etcd
    await bus.close()


async def test_one_of_two_endpoints_may_be_dead(two: tuple[EtcdBus, EtcdServer]) -> None:
    bus, server = two
    start = time.monotonic()
    with Crowd() as crowd:
        revision = await bus.put("/a", b"1")
    assert time.monotonic() - start < crowd.allows(6), "less than the time limit of a call"
    stream = bus.watch("/a", after=revision)
    await bus.put("/a", b"2")
    await take(stream, 1)
    assert (await bus.health()).members == 1
    await asyncio.to_thread(server.kill9)
    await asyncio.to_thread(server.start)
    await _answers(bus)
    await bus.put("/a", b"3")
    (event,) = await take(stream, 1)
    assert event.value is not None
    assert event.value.value == b"3"
    await close(stream)


async def test_an_endpoint_that_hangs_is_left_for_one_that_answers(own_etcd: EtcdServer) -> None:
    """Two independent etcds play one cluster: enough to see where a call goes."""
    with EtcdServer() as hanging:
        bus = connect([hanging.url, own_etcd.url], timeout=6.0, progress=PROGRESS)
        await bus.put("/a", b"first")
        await asyncio.to_thread(own_etcd.etcdctl, "put", "/a", "second")
        hanging.daemon.pause()
        try:
            found = await bus.get("/a")
            assert found is not None
            assert found.value == b"second"
        finally:
            hanging.daemon.resume()
        await bus.close()


async def test_an_endpoint_that_hangs_is_not_taken_again_while_another_connects(
    own_etcd: EtcdServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection of the one that hangs stands, that of the other has to be made first."""
    monkeypatch.setattr(endpoints, "_OTHERS_FIRST", LIMIT)
    monkeypatch.setattr(endpoints, "_AVOIDED", LIMIT)
    with EtcdServer() as hanging:
        own_etcd.pause()
        known = endpoints.Endpoints(EtcdSettings(addresses=parse_addresses([hanging.url, own_etcd.url])))
        try:
            end = asyncio.get_running_loop().time() + LIMIT
            first = await known.ready(end)
            known.leave(first)
            asked = asyncio.ensure_future(known.ready(end))
            done, _ = await asyncio.wait({asked}, timeout=0.2)
            assert not done, "the first stands, the other does not: neither may be taken yet"
            own_etcd.resume()
            assert (await asked) is not first
            assert [e.is_ready() for e in known.all] == [True, True]
        finally:
            own_etcd.resume()
            await known.close()


async def test_a_watch_on_an_endpoint_that_hangs_goes_on_when_it_answers(
    own_etcd: EtcdServer, connected: EtcdBus
) -> None:
    after = await connected.put("/w", b"1")
    stream = connected.watch("/w", after=after)
    await connected.put("/w", b"2")
    await take(stream, 1)
    own_etcd.daemon.pause()
    next_one: asyncio.Task[Watched] = asyncio.ensure_future(anext(stream))
    # Longer than the watchdog allows: the stream is given up and opened anew.
    await asyncio.wait({next_one}, timeout=4 * PROGRESS)
    own_etcd.daemon.resume()
    await _answers(connected)
    revision = await connected.put("/w", b"3")
    async with asyncio.timeout(LIMIT):
        watched = await next_one
        while not watched.events:
            watched = await anext(stream)
    assert watched.revision == revision
    await close(stream)


async def test_a_full_etcd_refuses_writes_says_why_and_raises_an_alarm() -> None:
    require_programs("etcd", "etcdctl")
    with EtcdServer("--quota-backend-bytes=2000000") as small:
        bus = connect([small.url], progress=PROGRESS)
        with pytest.raises(BusError, match="space exceeded") as caught:
            for n in range(200):  # etcd weighs its file now and then only
                await bus.put(f"/{n}", bytes(500_000))
        assert not isinstance(caught.value, BusUnavailable)
        health = await bus.health()
        assert health.alarms == ("NOSPACE",)
        assert health.size > 1_000_000
        assert await bus.get("/0") is not None
        await bus.close()
