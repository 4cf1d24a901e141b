"""On every database and bus: what was committed is in etcd, also under crashes and two relays at once."""

import asyncio
import random

import pytest

from gluon import store
from gluon.objects import keys
from gluon.publisher import cursor, resync
from gluon.publisher.stats import Stats
from gluon.spi import bus
from tests.unit.publisher.parts import (
    PREFIX,
    Write,
    assert_converges,
    eventually,
    persist,
    relay_of,
    running,
)

DICE = random.Random(7)


def some_things(count: int = 3) -> dict[str, str | None]:
    return {f"t{DICE.randrange(40)}": DICE.choice([None, "1", "two", "x" * 3000]) for _ in range(count)}


async def test_writes_before_and_while_the_relay_runs(database: store.SqlStore, target: bus.Bus) -> None:
    await database.submit(Write({f"t{n}": "first" for n in range(300)}))
    relay = relay_of(database, target)
    async with running(relay):
        await assert_converges(database, target)
        for _ in range(10):
            await asyncio.gather(*(database.submit(Write(some_things())) for _ in range(20)))
            relay.notify()
        await assert_converges(database, target)


async def test_relays_that_crash_anywhere(database: store.SqlStore, target: bus.Bus) -> None:
    for _ in range(25):
        task = asyncio.create_task(persist(relay_of(database, target)))
        await asyncio.gather(*(database.submit(Write(some_things())) for _ in range(5)))
        await asyncio.sleep(DICE.random() * 0.03)  # it crashes anywhere
        task.cancel()
        await asyncio.wait([task])
    async with running(relay_of(database, target)):
        await assert_converges(database, target)


async def test_two_relays_at_once(database: store.SqlStore, target: bus.Bus) -> None:
    one, two = Stats(), Stats()
    relays = [relay_of(database, target, stats=one), relay_of(database, target, stats=two)]
    async with running(*relays):
        for number in range(40):
            await asyncio.gather(*(database.submit(Write(some_things())) for _ in range(5)))
            relays[number % 2].notify()
        await assert_converges(database, target)
    assert one.rebases + two.rebases == 0


async def test_a_cursor_of_a_lost_future_makes_a_new_incarnation(
    database: store.SqlStore, target: bus.Bus
) -> None:
    stats = Stats()
    await database.submit(Write({"a": "1"}))
    async with running(relay_of(database, target)):
        await assert_converges(database, target)
    before = await database.position()
    lost = cursor.Cursor(incarnation=before.incarnation, revision=before.revision + 500, digest="0123")
    await target.put(keys.RELAY_CURSOR, lost.encode())
    await target.put(PREFIX + "Thing/lost", b"{}")
    async with running(relay_of(database, target, stats=stats)):
        await assert_converges(database, target)
        await database.submit(Write({"a": "2"}))
        await assert_converges(database, target)
    after = await database.position()
    assert stats.rebases == 1
    assert after.incarnation != before.incarnation
    assert after.revision > lost.revision + 1_000_000


@pytest.mark.parametrize("kept", [0, 3])
async def test_trimming_up_to_the_cursor_costs_nothing(
    database: store.SqlStore, target: bus.Bus, kept: int
) -> None:
    stats = Stats()
    relay = relay_of(database, target)
    async with running(relay):
        for n in range(10):
            await database.submit(Write({f"t{n}": "1"}))
        relay.notify()
        await assert_converges(database, target)
        reached = relay.reached
        assert reached is not None
        await database.trim(below=reached.revision, keep_seconds=0, keep_rows=kept)
    async with running(relay_of(database, target, stats=stats)):
        await database.submit(Write({"t1": None}))
        await assert_converges(database, target)
    assert stats.resyncs == {}


async def test_a_resync_is_one_consistent_picture_under_writes(
    database: store.SqlStore, target: bus.Bus
) -> None:
    await database.submit(Write({f"t{n}": "x" * 500 for n in range(700)}))
    relay, stats = relay_of(database, target), Stats()

    going_on = True

    async def write() -> None:
        while going_on:
            await database.submit(Write(some_things()))

    writer = asyncio.create_task(write())
    async with running(relay):
        for _ in range(3):
            await resync.request(target, "test")
            async with asyncio.timeout(60):
                await resync.wait_done(target)
        going_on = False
        await writer
        await assert_converges(database, target)
    async with running(relay_of(database, target, stats=stats)):

        async def begun() -> bool:
            return stats.cursor > 0

        await eventually(begun, "it went on")
    assert stats.resyncs == {}
