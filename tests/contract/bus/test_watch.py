"""Watch and follow: order, completeness, resume, compaction, progress."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from gluon.errors import Compacted
from gluon.kv.requests import BusClosed
from gluon.spi.bus import Delete, Put
from tests.contract.bus.conftest import AnyBus
from tests.contract.bus.streams import LIMIT, close, following, take


async def test_a_watch_gives_what_comes_after_its_revision(bus: AnyBus) -> None:
    await bus.put("/w/a", b"before")
    after = await bus.put("/w/b", b"before")
    await bus.put("/w/a", b"1")
    await bus.put("/other", b"")
    await bus.delete("/w/b")
    stream = bus.watch("/w/", after=after)
    changed, deleted = await take(stream, 2)
    assert changed.value == await bus.get("/w/a")
    assert (deleted.key, deleted.value) == ("/w/b", None)
    await bus.put("/w/c", b"live")
    (live,) = await take(stream, 1)
    assert live.value == await bus.get("/w/c")
    await close(stream)


async def test_a_txn_arrives_whole_and_in_its_order(bus: AnyBus) -> None:
    after = await bus.put("/w/old", b"")
    stream = bus.watch("/w/", after=after)
    result = await bus.txn(
        (), [Put(key="/w/z", value=b"1"), Delete(key="/w/old"), Put(key="/w/a", value=b"2")]
    )
    async with asyncio.timeout(LIMIT):
        watched = await anext(stream)
        while not watched.events:
            watched = await anext(stream)
    assert watched.revision == result.revision
    assert [event.key for event in watched.events] == ["/w/z", "/w/old", "/w/a"]
    await close(stream)


async def test_a_watch_from_the_beginning_gives_all_history(bus: AnyBus) -> None:
    start = (await bus.list("/")).revision
    for n in range(2500):
        await bus.put(f"/w/{n % 7}", b"%d" % n)
    stream = bus.watch("/w/", after=start)
    events = await take(stream, 2500)
    assert [event.value.value for event in events if event.value] == [b"%d" % n for n in range(2500)]
    await close(stream)


async def test_one_large_revision_and_many_large_ones_arrive(bus: AnyBus) -> None:
    """More than etcd puts into one message: it comes in fragments."""
    start = (await bus.list("/")).revision
    value = bytes(100_000)
    for _ in range(8):
        await bus.txn((), [Put(key=f"/w/{n:02}", value=value) for n in range(14)])
    stream = bus.watch("/w/", after=start)
    seen: dict[int, int] = {}
    async with asyncio.timeout(LIMIT):
        while sum(seen.values()) < 8 * 14:
            watched = await anext(stream)
            for event in watched.events:
                assert event.value is not None
                revision = event.value.mod_revision
                assert revision <= watched.revision
                seen[revision] = seen.get(revision, 0) + 1
            assert all(count == 14 for count in seen.values()), "a revision was torn"
    await close(stream)


async def test_many_writers_and_followers_agree(another: Callable[[], AnyBus]) -> None:
    """No gap, no repeat, the same order for all, whatever happens at the same time."""
    writers = [another() for _ in range(6)]
    readers = [another() for _ in range(3)]

    async def write(number: int, bus: AnyBus) -> None:
        for n in range(60):
            key = f"/w/{(number * 7 + n) % 20}"
            if n % 5 == 4:
                await bus.delete(key)
            elif n % 7 == 3:
                await bus.txn((), [Put(key=key, value=b"t"), Put(key=f"/w/t{number}", value=b"%d" % n)])
            else:
                await bus.put(key, b"%d.%d" % (number, n))

    async with (
        following(readers[0].follow("/w/")) as one,
        following(readers[1].follow("/w/")) as two,
        following(readers[2].follow("/w/")) as three,
    ):
        await asyncio.gather(*(write(n, bus) for n, bus in enumerate(writers)))
        listing = await writers[0].list("/w/")
        last = await writers[0].put("/w/end", b"end")
        for follower in (one, two, three):
            await follower.until(lambda f: f.revision >= last)
        assert one.seen == two.seen == three.seen
        expected = {item.key: item.value for item in listing.items} | {"/w/end": b"end"}
        assert one.content() == two.content() == three.content() == expected
        assert (one.syncs, two.syncs, three.syncs) == (1, 1, 1)


async def test_a_silent_watch_makes_progress(bus: AnyBus) -> None:
    after = (await bus.list("/")).revision
    stream = bus.watch("/quiet/", after=after)
    last = 0
    for n in range(5):
        last = await bus.put("/loud", b"%d" % n)
    async with asyncio.timeout(LIMIT):
        async for watched in stream:
            assert watched.events == ()
            if watched.revision == last:
                break
    # Whoever resumes where progress left off misses nothing.
    await bus.put("/quiet/a", b"")
    again = bus.watch("/quiet/", after=last)
    assert (await take(again, 1))[0].key == "/quiet/a"
    await close(stream)
    await close(again)


async def test_a_watch_from_a_compacted_revision_is_told_so(bus: AnyBus) -> None:
    first = await bus.put("/w", b"1")
    await bus.put("/w", b"2")
    last = await bus.put("/w", b"3")
    await bus.compact(last)
    for after in (first, last - 1):
        with pytest.raises(Compacted):
            await take(bus.watch("/w", after=after), 1)
    stream = bus.watch("/w", after=last)
    await bus.put("/w", b"4")
    (event,) = await take(stream, 1)
    assert event.value is not None
    assert event.value.value == b"4"
    await close(stream)


async def test_a_delete_at_the_compacted_revision_is_not_lost(bus: AnyBus) -> None:
    """Who is not told `Compacted` gets every event: deletes are the first that compaction takes."""
    before = await bus.put("/w", b"1")
    await bus.delete("/w")
    await bus.compact(before + 1)
    with pytest.raises(Compacted):
        await take(bus.watch("/w", after=before), 1)


async def test_compacting_again_is_no_error(bus: AnyBus) -> None:
    for _ in range(3):
        revision = await bus.put("/w", b"")
    await bus.compact(revision - 1)
    await bus.compact(revision - 1)
    await bus.compact(revision - 2)


async def test_a_watch_from_a_revision_ahead_of_the_bus_is_told_so(bus: AnyBus) -> None:
    revision = await bus.put("/w", b"")
    with pytest.raises(Compacted):
        await take(bus.watch("/w", after=revision + 1000), 1)


async def test_a_follower_lists_again_when_it_was_left_behind(bus: AnyBus) -> None:
    """Its consumer sleeps while history goes; then it gets the state instead of the events."""
    await bus.put("/f/a", b"1")
    stream = bus.follow("/f/")
    first = await anext(stream)
    assert [item.key for item in first.listing.items] == ["/f/a"]  # type: ignore[union-attr]
    await close(stream)
    revision = await bus.put("/f/b", b"2")
    await bus.delete("/f/a")
    await bus.compact(revision + 1)
    async with following(bus.follow("/f/")) as follower:
        await follower.until(lambda f: f.content() == {"/f/b": b"2"})


async def test_a_follower_starts_with_what_is_there_and_goes_on(bus: AnyBus) -> None:
    await bus.put("/f/a", b"1")
    async with following(bus.follow("/f/")) as follower:
        assert follower.content() == {"/f/a": b"1"}
        await bus.put("/f/b", b"2")
        await bus.delete("/f/a")
        await bus.put("/elsewhere", b"")
        await follower.until(lambda f: f.content() == {"/f/b": b"2"})
        assert follower.syncs == 1


async def test_followers_end_when_the_bus_is_closed(bus: AnyBus) -> None:
    stream = bus.follow("/f/")
    await anext(stream)
    waiting = asyncio.ensure_future(anext(stream))
    await asyncio.sleep(0)
    await bus.close()
    with pytest.raises(BusClosed):
        async with asyncio.timeout(LIMIT):
            while True:
                await waiting
                waiting = asyncio.ensure_future(anext(stream))
    with pytest.raises(BusClosed):
        await bus.get("/f")
