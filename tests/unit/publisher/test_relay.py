"""The relay on the embedded bus: what it writes, when it resyncs, when it says history is broken."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from itertools import pairwise

import pytest

from gluon.errors import BusUnavailable, Unavailable
from gluon.kv.memory import MemoryBus
from gluon.objects import journal, keys
from gluon.publisher import cursor, resync
from gluon.publisher.relay import Overtaken
from gluon.publisher.stats import Stats
from gluon.spi import bus, store
from tests.unit.publisher.parts import (
    PREFIX,
    FaultyBus,
    Picture,
    Write,
    assert_converges,
    content,
    eventually,
    published,
    relay_of,
    running,
)
from tests.unit.publisher.tiny import TinyStore


@pytest.fixture
async def memory() -> AsyncIterator[MemoryBus]:
    made = MemoryBus()
    yield made
    await made.close()


async def cursor_in(target: MemoryBus) -> cursor.Cursor:
    value = await target.get(keys.RELAY_CURSOR)
    assert value is not None
    found = cursor.parse(value.value)
    assert found is not None
    return found


async def test_a_change_reaches_the_bus_and_the_cursor_follows(memory: MemoryBus) -> None:
    database, stats = TinyStore(), Stats()
    relay = relay_of(database, memory, stats=stats)
    async with running(relay):
        await assert_converges(database, memory)
        await database.submit(Write({"a": "1", "b": "1"}))
        relay.notify()
        await assert_converges(database, memory)
        await database.submit(Write({"a": None, "b": "2"}))
        relay.notify()
        await assert_converges(database, memory)
    assert sorted(await content(memory, Picture())) == [
        keys.model("t"),
        keys.secret("t", "Thing", "b"),
        PREFIX + "Thing/b",
    ]
    assert (await cursor_in(memory)).revision == 2
    assert stats.entries == 4
    assert stats.resyncs == {"missing": 1}
    assert stats.lag_seconds() == 0


async def test_without_a_wake_it_looks_each_second(memory: MemoryBus) -> None:
    database = TinyStore()
    async with running(relay_of(database, memory)):
        await assert_converges(database, memory)
        await database.submit(Write({"a": "1"}))
        await assert_converges(database, memory)


async def test_a_busy_relay_waits_for_more_between_txns(memory: MemoryBus) -> None:
    database, watched, times = TinyStore(), FaultyBus(memory), list[float]()

    def note(call: str) -> str:
        if call == "txn" and len(watched.txns[-1]) > 2:
            times.append(asyncio.get_running_loop().time())
        return ""

    relay = relay_of(database, watched)
    async with running(relay):
        await assert_converges(database, memory)
        watched.fault = note
        for n in range(40):
            await database.submit(Write({f"t{n}-{k}": "x" for k in range(10)}))
            relay.notify()
            await asyncio.sleep(0.001)
        await assert_converges(database, memory)
    assert len(times) > 1
    assert all(later - time > 0.005 for time, later in pairwise(times))


async def test_a_unit_larger_than_a_txn_is_whole_before_the_cursor_moves(memory: MemoryBus) -> None:
    database = TinyStore()
    watched = FaultyBus(memory)
    relay = relay_of(database, watched)
    async with running(relay):
        await assert_converges(database, memory)
        watched.txns.clear()
        await database.submit(Write({f"t{n}": "x" for n in range(500)}))
        relay.notify()
        await assert_converges(database, memory)
    written = [then for then in watched.txns if len(then) > 2]
    cursors = [cursor.parse(op.value) for then in written for op in then if op.key == keys.RELAY_CURSOR]  # type: ignore[union-attr]
    assert [len(then) for then in written] == [481, 481, 41]
    assert [bool(found and found.resync) for found in cursors] == [True, True, False]


async def test_a_unit_lost_while_half_of_it_is_published_is_noticed(memory: MemoryBus) -> None:
    database, stats = TinyStore(), Stats()
    await database.submit(Write({"a": "1"}))
    async with running(relay_of(database, memory)):
        await assert_converges(database, memory)
    dump = database.dump()
    await database.submit(Write({f"t{n}": "x" for n in range(500)}))
    calls = 0

    def fail_in_the_middle(call: str) -> str:
        nonlocal calls
        calls += call == "txn"
        return "before" if calls >= 4 else ""

    with pytest.raises(BusUnavailable):
        await relay_of(database, FaultyBus(memory, fail_in_the_middle)).run()
    assert (await cursor_in(memory)).resync == f"{cursor.PART}2"
    database.data = dump
    async with running(relay_of(database, memory, stats=stats)):
        await assert_converges(database, memory)
    assert stats.rebases == 1


async def test_large_values_make_small_txns(memory: MemoryBus) -> None:
    database = TinyStore()
    relay = relay_of(database, memory)
    async with running(relay):
        await assert_converges(database, memory)
        for n in range(10):
            await database.submit(Write({f"t{n}": "x" * 250_000}))
        relay.notify()
        await assert_converges(database, memory)


async def test_a_relay_that_is_behind_is_refused_and_changes_nothing(memory: MemoryBus) -> None:
    database, slow_stats = TinyStore(), Stats()
    slow = relay_of(database, memory, stats=slow_stats)
    task = asyncio.create_task(slow.run())
    await eventually(lambda: published(database, memory), "the slow one has begun")
    await database.submit(Write({"a": "1"}))
    async with running(relay_of(database, memory)):
        await assert_converges(database, memory)
    with pytest.raises(Overtaken):
        await database.submit(Write({"a": "2"}))
        slow.notify()
        await task
    assert slow_stats.refused == 1
    assert slow_stats.lag_seconds() >= 0


async def test_a_resync_is_done_when_asked_for(memory: MemoryBus) -> None:
    database, stats = TinyStore(), Stats()
    await database.submit(Write({"a": "1"}))
    async with running(relay_of(database, memory, stats=stats)):
        await assert_converges(database, memory)
        await memory.put(PREFIX + "Thing/stranger", b"{}")
        await memory.delete(PREFIX + "Thing/a")
        await resync.request(memory, "operator")
        async with asyncio.timeout(60):
            await resync.wait_done(memory)
        await assert_converges(database, memory)
    assert stats.resyncs == {"missing": 1, "asked": 1}
    assert await memory.get(keys.RELAY_RESYNC) is None


async def test_a_resync_writes_only_what_differs(memory: MemoryBus) -> None:
    database = TinyStore()
    await database.submit(Write({f"t{n}": "1" for n in range(300)}))
    async with running(relay_of(database, memory)):
        await assert_converges(database, memory)
        before = await memory.list(PREFIX)
        await memory.put(PREFIX + "Thing/t7", b"{}")
        await resync.request(memory, "operator")
        async with asyncio.timeout(60):
            await resync.wait_done(memory)
        after = await memory.list(PREFIX)
    changed = {a.key for a, b in zip(after.items, before.items, strict=True) if a != b}
    assert changed == {PREFIX + "Thing/t7"}


async def test_an_emptied_bus_is_filled_again(memory: MemoryBus) -> None:
    database, stats = TinyStore(), Stats()
    await database.submit(Write({"a": "1"}))
    async with running(relay_of(database, memory, stats=stats)):
        await assert_converges(database, memory)
        await memory.delete("", prefix=True)
        await eventually(lambda: published(database, memory), "filled again")
        await assert_converges(database, memory)
    assert stats.resyncs == {"missing": 2}
    assert stats.rebases == 0


async def test_an_interrupted_resync_begins_again(memory: MemoryBus) -> None:
    database, stats = TinyStore(), Stats()
    await database.submit(Write({f"t{n}": "1" for n in range(300)}))
    calls = 0

    def fail_in_the_middle(call: str) -> str:
        nonlocal calls
        calls += call == "txn"
        return "before" if calls >= 4 else ""

    with pytest.raises(BusUnavailable):
        await relay_of(database, FaultyBus(memory, fail_in_the_middle)).run()
    assert (await cursor_in(memory)).resync
    async with running(relay_of(database, memory, stats=stats)):
        await assert_converges(database, memory)
    assert stats.resyncs == {"interrupted": 1}


async def test_a_trimmed_journal_leads_to_a_plain_resync(memory: MemoryBus) -> None:
    database, stats = TinyStore(), Stats()
    await database.submit(Write({"a": "1"}))
    async with running(relay_of(database, memory)):
        await assert_converges(database, memory)
    for n in range(5):
        await database.submit(Write({"a": None, f"b{n}": "2"}))
    await database.trim(below=5, keep_seconds=0, keep_rows=0)
    incarnation = database.data.incarnation
    async with running(relay_of(database, memory, stats=stats)):
        await assert_converges(database, memory)
    assert stats.resyncs == {"trimmed": 1}
    assert database.data.incarnation == incarnation


@pytest.mark.parametrize("writes_after", [0, 1, 30])
async def test_an_older_dump_is_noticed_and_history_begins_anew(memory: MemoryBus, writes_after: int) -> None:
    database, stats = TinyStore(), Stats()
    hooks: list[str] = []

    async def on_rebase() -> None:
        hooks.append(database.data.incarnation)

    await database.submit(Write({"a": "1"}))
    dump = database.dump()
    async with running(relay_of(database, memory)):
        for n in range(10):
            await database.submit(Write({"a": f"new {n}", f"lost{n}": "x"}))
        await assert_converges(database, memory)
    seen = await cursor_in(memory)
    database.data = dump
    for n in range(writes_after):
        await database.submit(Write({f"after{n}": "y"}))
    async with running(relay_of(database, memory, on_rebase=on_rebase, stats=stats)):
        await assert_converges(database, memory)
        await database.submit(Write({"a": "on top"}))
        await assert_converges(database, memory)
    assert stats.rebases == 1
    assert hooks == [database.data.incarnation]
    now = await cursor_in(memory)
    assert now.incarnation != seen.incarnation
    assert now.revision > seen.revision + 1_000_000


async def test_a_crash_after_the_rebase_still_runs_the_hook(memory: MemoryBus) -> None:
    database, stats = TinyStore(), Stats()
    hooks = 0

    async def fails_once() -> None:
        nonlocal hooks
        hooks += 1
        if hooks == 1:
            raise Unavailable("the database went away")

    dump = database.dump()
    async with running(relay_of(database, memory)):
        await database.submit(Write({"a": "1"}))
        await assert_converges(database, memory)
    database.data = dump
    async with running(relay_of(database, memory, on_rebase=fails_once, stats=stats)):
        await assert_converges(database, memory)
    assert hooks == 2
    assert stats.rebases == 1


async def test_other_models_than_those_in_etcd_begin_with_a_resync(memory: MemoryBus) -> None:
    database, stats = TinyStore(), Stats()
    async with running(relay_of(database, memory)):
        await assert_converges(database, memory)
    newer = Picture("model two")
    async with running(relay_of(database, memory, picture=newer, stats=stats)):

        async def refreshed() -> bool:
            told = (await content(memory, newer))[keys.model("t")]
            return told == b"model two" and bool(stats.resyncs)  # it is counted once it is done

        await eventually(refreshed, "the new model")
    assert stats.resyncs == {"models": 1}


class Replaceable(Picture):
    """A picture of one model after another: each value says of which; `recorded` is the database's."""

    def __init__(self) -> None:
        super().__init__("one")
        self.recorded = self.shown = "one"

    async def renew(self, epoch: int | None = None) -> None:
        await asyncio.sleep(0)
        self.shown = self.recorded

    def constant(self) -> Sequence[tuple[str, bytes]]:
        return ((keys.model("t"), self.shown.encode()),)

    def of_entry(self, entry: journal.Entry) -> Sequence[tuple[str, bytes | None]]:
        return [(key, self._marked(value)) for key, value in super().of_entry(entry)]

    def of_row(self, table: str, row: store.Row) -> Sequence[tuple[str, bytes]]:
        found = super().of_row(table, row)
        return [(k, v + self.shown.encode() if k.startswith(PREFIX) else v) for k, v in found]

    def _marked(self, value: bytes | None) -> bytes | None:
        return None if value is None else value + self.shown.encode()


async def test_no_entry_is_published_as_of_another_model(memory: MemoryBus) -> None:
    database, stats, picture = TinyStore(), Stats(), Replaceable()
    wrong: list[str] = []
    written_under: dict[str, str] = {}

    async def watch() -> None:
        async for item in memory.follow(PREFIX):
            if isinstance(item, bus.Watched):
                for event in item.events:
                    name = event.key.removeprefix(PREFIX + "Thing/")
                    marked = event.value is not None and event.value.value.endswith(b"one")
                    if marked and written_under[name] != "one":
                        wrong.append(name)

    watching = asyncio.create_task(watch())
    relay = relay_of(database, memory, picture=picture, models=picture, stats=stats)
    async with running(relay):
        await assert_converges(database, memory, picture)
        for n in range(40):
            if n == 20:
                picture.recorded = "two"
            written_under[f"t{n}"] = picture.recorded
            await database.submit(Write({f"t{n}": str(n)}))
            relay.notify()
            await asyncio.sleep(0)
        await assert_converges(database, memory, picture)
    watching.cancel()
    await asyncio.wait({watching})
    assert wrong == []
    assert stats.resyncs == {"missing": 1, "models": 1}
    assert (await content(memory, picture))[keys.model("t")] == b"two"


async def test_reports_alone_write_nothing_to_the_bus(memory: MemoryBus) -> None:
    database = TinyStore()
    async with running(relay_of(database, memory)):
        await assert_converges(database, memory)
        before = (await memory.health()).revision
        for n in range(20):
            await database.submit(Write({f"s{n}": "up"}, intent=False))
        await database.submit(Write({"a": "1"}))
        await assert_converges(database, memory)
    assert (await memory.health()).revision == before + 1


async def test_the_cursor_moves_over_reports_so_that_trimming_may_follow(
    memory: MemoryBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gluon.publisher.relay._ADVANCE", 0.0)
    database = TinyStore()
    async with running(relay_of(database, memory)):
        await assert_converges(database, memory)
        for n in range(20):
            await database.submit(Write({f"s{n}": "up"}, intent=False))

        async def moved() -> bool:
            return (await cursor_in(memory)).revision == 20

        await eventually(moved, "the cursor is at the last report")
    stats = Stats()
    async with running(relay_of(database, memory, stats=stats)):
        await database.submit(Write({"a": "1"}))
        await assert_converges(database, memory)
    assert stats.resyncs == {}
