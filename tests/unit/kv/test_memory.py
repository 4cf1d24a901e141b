"""What only the embedded bus has: a bound on history, a clock of its own, one object for all."""

from __future__ import annotations

import asyncio
import time

import pytest

from gluon.errors import BusError, Compacted
from gluon.kv.connect import connect
from gluon.kv.history import History
from gluon.kv.memory import MemoryBus
from gluon.spi.bus import Delete, Event, KeyValue, Op, Put, Watched


def _event(key: str, size: int = 1) -> Event:
    return Event(key=key, value=KeyValue(key=key, value=bytes(size), create_revision=1, mod_revision=1))


def test_history_gives_whole_revisions_and_says_where_it_ends() -> None:
    history = History(max_events=100, max_bytes=10_000)
    assert history.newest == 1
    history.append((_event("/a"), _event("/b")))
    history.append((_event("/c"),))
    assert history.after(1, "/") == Watched(revision=3, events=(_event("/a"), _event("/b"), _event("/c")))
    assert history.after(1, "/b") == Watched(revision=3, events=(_event("/b"),))
    assert history.after(3, "/") is None
    with pytest.raises(Compacted):
        history.after(4, "/")
    with pytest.raises(Compacted):
        history.after(0, "/")


@pytest.mark.parametrize(("max_events", "max_bytes"), [(200, 10**9), (10**9, 200)])
def test_history_stays_within_its_bound(max_events: int, max_bytes: int) -> None:
    history = History(max_events=max_events, max_bytes=max_bytes)
    for n in range(1000):
        history.append((_event(f"/{n}"),))
    assert history.newest == 1001
    assert history.compacted == 801
    watched = history.after(801, "/")
    assert watched is not None
    assert [event.key for event in watched.events] == [f"/{n}" for n in range(800, 1000)]
    with pytest.raises(Compacted):
        history.after(800, "/")
    history.compact(1001)
    assert history.after(1001, "/") is None


async def test_a_consumer_slower_than_history_is_told() -> None:
    bus = MemoryBus(max_events=100)
    stream = bus.watch("/slow/", after=1)
    await bus.put("/slow/a", b"")
    assert (await anext(stream)).revision == 2
    for n in range(200):
        await bus.put("/slow/a", b"%d" % n)
    with pytest.raises(Compacted):
        await anext(stream)


async def test_a_watcher_of_quiet_keys_survives_any_number_of_loud_ones() -> None:
    bus = MemoryBus(max_events=100, progress=600)
    stream = bus.watch("/quiet/", after=1)
    waiting = asyncio.ensure_future(anext(stream))
    for n in range(1000):
        await bus.put("/loud", b"%d" % n)
    revision = await bus.put("/quiet/a", b"")
    watched = await waiting
    assert watched.revision == revision
    assert [event.key for event in watched.events] == ["/quiet/a"]
    await stream.aclose()


async def test_a_leaser_gets_a_chance_after_the_process_stood_still() -> None:
    bus = MemoryBus()
    async with bus.lease(1) as lease:
        await bus.put("/l", b"", lease=lease.id)
        time.sleep(2.5)  # noqa: ASYNC251 - the whole process is what stands still here
        await asyncio.sleep(0.1)
        assert await bus.get("/l") is not None
    await bus.close()


async def test_a_request_over_the_limit_of_etcd_is_refused_as_etcd_would() -> None:
    bus = MemoryBus()
    half: list[Op] = [Put(key=f"/{n}", value=bytes(800_000)) for n in range(2)]
    with pytest.raises(BusError, match="limit"):
        await bus.txn((), half)
    await bus.txn((), half[:1])


async def test_compacting_the_future_is_refused() -> None:
    bus = MemoryBus()
    with pytest.raises(BusError, match="future|is at"):
        await bus.compact(100)


async def test_size_counts_keys_and_values_that_are_there() -> None:
    bus = MemoryBus()
    await bus.put("/a", b"12345")
    await bus.put("/a", b"1")
    await bus.put("/b", b"22")
    assert (await bus.health()).size == 2 + 1 + 2 + 2
    await bus.txn((), [Delete(key="/", prefix=True)])
    assert (await bus.health()).size == 0


async def test_ten_thousand_puts_a_second_are_far_below_what_it_can() -> None:
    """A bound wide enough for a busy machine; benches measure the real speed."""
    bus = MemoryBus()
    start = time.process_time()
    for n in range(10_000):
        await bus.put(f"/{n:05}", b"x" * 500)
    assert time.process_time() - start < 6


def test_who_publishes_inside_of_the_server_writes_little_at_once() -> None:
    assert connect().max_writes == 64
    assert connect(max_ops=4).max_writes == 4
