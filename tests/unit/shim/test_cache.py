"""The cache holds what the bus holds, however the events are bundled."""

import asyncio
import itertools
from collections.abc import AsyncIterator

import pytest

from gluon.errors import BusError
from gluon.kv.memory import MemoryBus
from gluon.objects import codec, keys
from gluon.shim import history
from gluon.shim.cache import Cache
from gluon.shim.settings import Pace
from gluon.spi.backend import Ref
from gluon.spi.bus import Event, KeyValue, Listing, Synced, Watched

API = "net-l3vpn"


def event(name: str, revision: int, *, there: bool) -> Event:
    key = keys.proton(API, "VpnService", name)
    body = codec.encode({"id": name, "revision": revision})
    found = KeyValue(key=key, value=body, create_revision=revision, mod_revision=revision)
    return Event(key=key, value=found if there else None)


class Bundling(MemoryBus):
    """Gives all events of the objects at once, as a watch does that was away for a moment."""

    async def follow(self, prefix: str) -> AsyncIterator[Synced | Watched]:
        if prefix != keys.proton_prefix(API):
            async for item in super().follow(prefix):
                yield item
        yield Synced(listing=Listing(items=(), revision=5))
        events = (
            event("short", 6, there=True),
            event("again", 7, there=True),
            event("short", 8, there=False),
            event("again", 9, there=False),
            event("again", 10, there=True),
        )
        yield Watched(revision=10, events=events)
        await asyncio.Event().wait()


async def test_made_and_deleted_in_one_bundle_of_events() -> None:
    bus = Bundling()
    cache = Cache(bus, controller="fake", apis={API: ()}, pace=Pace())
    following = asyncio.create_task(cache.run())
    async with asyncio.timeout(60):
        while cache.world.get(Ref(API, "VpnService", "again")) is None:
            await asyncio.sleep(0.01)
    assert cache.world.get(Ref(API, "VpnService", "short")) is None
    following.cancel()
    await asyncio.wait({following})
    await bus.close()


class Refusing(MemoryBus):
    """Breaks the history of one prefix, and lets nobody read the cursor just then."""

    refused = False

    async def follow(self, prefix: str) -> AsyncIterator[Synced | Watched]:
        if prefix == keys.proton_prefix(API):
            yield Synced(listing=Listing(items=(), revision=5))
            yield Synced(listing=Listing(items=(), revision=6))
            yield Watched(revision=7, events=(event("again", 7, there=True),))
            await asyncio.Event().wait()
        async for item in super().follow(prefix):
            yield item

    async def get(self, key: str) -> KeyValue | None:
        if not self.refused:
            self.refused = True
            raise BusError("etcd refused: permission denied")
        return await super().get(key)


async def test_a_cursor_that_may_not_be_read_for_a_moment_ends_nothing() -> None:
    bus = Refusing()
    cache = Cache(bus, controller="fake", apis={API: ()}, pace=Pace(first_wait=0.01))
    following = asyncio.create_task(cache.run())
    async with asyncio.timeout(60):
        while not following.done() and cache.world.get(Ref(API, "VpnService", "again")) is None:
            await asyncio.sleep(0.01)
    assert bus.refused
    assert not following.done()
    following.cancel()
    await asyncio.wait({following})
    await bus.close()


async def test_a_cursor_that_goes_back_is_believed_when_nobody_moves_it() -> None:
    bus = MemoryBus()
    cache = Cache(bus, controller="fake", apis={API: ()}, pace=Pace(patience=1.0))
    await bus.put(keys.RELAY_CURSOR, b"one.5.0")
    following = asyncio.create_task(cache.run())
    await seen(cache, complete=True)
    await bus.put(keys.RELAY_CURSOR, b"one.3.0")
    await seen(cache, complete=False)
    await seen(cache, complete=True)
    following.cancel()
    await asyncio.wait({following})
    await bus.close()


async def test_a_cursor_that_goes_back_is_believed_though_others_go_on_to_write(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The database was set back as well: what is written now may take days to come where it was."""
    monkeypatch.setattr(history, "_TIMES", 0.2)
    bus = MemoryBus()
    cache = Cache(bus, controller="fake", apis={API: ()}, pace=Pace(patience=5.0))
    await bus.put(keys.RELAY_CURSOR, b"one.5000000.0")
    following = asyncio.create_task(cache.run())
    await seen(cache, complete=True)

    async def write() -> None:
        for revision in itertools.count(3):
            await bus.put(keys.RELAY_CURSOR, b"one.%d.0" % revision)
            await asyncio.sleep(0.01)

    await bus.put(keys.RELAY_CURSOR, b"one.2.0")
    await seen(cache, complete=False)
    writing = asyncio.create_task(write())
    await seen(cache, complete=True)
    writing.cancel()
    following.cancel()
    await asyncio.wait({following, writing})
    await bus.close()


@pytest.mark.parametrize("after", [b"one.5.1", b"one.6.0.ahead", b"two.2.0"])
async def test_a_cursor_that_goes_back_is_waited_for(after: bytes) -> None:
    bus = MemoryBus()
    cache = Cache(bus, controller="fake", apis={API: ()}, pace=Pace())
    await bus.put(keys.RELAY_CURSOR, b"one.5.0")
    following = asyncio.create_task(cache.run())
    await seen(cache, complete=True)
    await bus.put(keys.RELAY_CURSOR, b"one.3.0")
    await seen(cache, complete=False)
    await bus.put(keys.RELAY_CURSOR, b"one.4.0")
    await bus.put(keys.RELAY_CURSOR, b"one.9.0.resync-1")
    await bus.put(keys.RELAY_CURSOR, after)
    await seen(cache, complete=True)
    following.cancel()
    await asyncio.wait({following})
    await bus.close()


async def test_an_etcd_that_is_written_anew_may_have_less() -> None:
    bus = MemoryBus()
    cache = Cache(bus, controller="fake", apis={API: ()}, pace=Pace())
    await bus.put(keys.RELAY_CURSOR, b"one.5.0")
    following = asyncio.create_task(cache.run())
    await seen(cache, complete=True)
    await bus.delete(keys.RELAY_CURSOR)
    await seen(cache, complete=False)
    await bus.put(keys.RELAY_CURSOR, b"one.3.0")
    await seen(cache, complete=True)
    following.cancel()
    await asyncio.wait({following})
    await bus.close()


async def test_nobody_waits_for_a_cursor_while_a_resync_runs() -> None:
    believed: list[KeyValue] = []
    seen_back = history.History(0.0, believed.append)
    five, three = (
        KeyValue(key=keys.RELAY_CURSOR, value=value, create_revision=1, mod_revision=2)
        for value in (b"one.5.0", b"one.3.0")
    )
    assert not seen_back.went_back(five)
    assert seen_back.went_back(three)
    seen_back.stop()
    for _ in range(3):
        await asyncio.sleep(0)
    assert not believed
    assert seen_back.went_back(three)
    for _ in range(3):
        await asyncio.sleep(0)
    assert believed == [three]
    assert not seen_back.went_back(three)


async def seen(cache: Cache, *, complete: bool) -> None:
    async with asyncio.timeout(60):
        while cache.complete is not complete:
            await asyncio.sleep(0.01)
