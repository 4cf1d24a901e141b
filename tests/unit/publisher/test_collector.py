"""The collector: newest per key, in order, hostile values aside, the store's outages waited out."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from gluon.errors import Unavailable
from gluon.kv.memory import MemoryBus
from gluon.objects import keys, status
from gluon.publisher.collector import BATCH, GATHER, PACE, Collector, Report
from gluon.publisher.relay import Overtaken
from gluon.publisher.stats import Stats
from gluon.spi import store
from tests.unit.publisher.parts import Write, eventually
from tests.unit.publisher.tiny import TinyStore


@pytest.fixture
async def memory() -> AsyncIterator[MemoryBus]:
    made = MemoryBus()
    yield made
    await made.close()


def status_key(name: str, shard: str = "host1") -> str:
    return keys.status("ctl", shard, "net", "Port", name)


class Desk:
    """The main's part: reports become rows; values that begin with `bad` are refused."""

    def __init__(self) -> None:
        self.database = TinyStore()
        self.stats = Stats()
        self.batches: list[Sequence[Report]] = []
        self.known_names: list[str] = []
        self.now: float | None = None
        """What the clock shows; None: the time."""

    def make_unit(self, items: Sequence[Report]) -> store.Unit:
        self.batches.append(items)
        if any(value and value.startswith(b"bad") for _, value in items):
            raise ValueError("no report")
        return Write({key.key: value.decode() if value is not None else None for key, value in items})

    async def known(self) -> AsyncIterator[keys.StatusKey]:
        for name in self.known_names:
            found = keys.parse_status(status_key(name))
            assert found is not None
            yield found

    def holds(self) -> dict[str, object]:
        return {name: row["value"] for name, row in self.database.data.rows.items()}

    @asynccontextmanager
    async def open(self, target: MemoryBus) -> AsyncIterator[asyncio.Task[None]]:
        collector = Collector(
            database=self.database,
            target=target,
            make_unit=self.make_unit,
            known=self.known,
            stats=self.stats,
            clock=lambda: time.monotonic() if self.now is None else self.now,
        )
        task = asyncio.create_task(collector.run())
        try:
            yield task
        finally:
            task.cancel()
            await asyncio.wait([task])

    async def until(self, expected: dict[str, object]) -> None:
        async def there() -> bool:
            return self.holds() == expected

        await eventually(there, f"the database holds {expected}")


async def test_reports_present_and_new_reach_the_database(memory: MemoryBus) -> None:
    desk = Desk()
    await memory.put(status_key("a"), b"one")
    async with desk.open(memory):
        await desk.until({"a": "one"})
        await memory.put(status_key("b"), b"two")
        await desk.until({"a": "one", "b": "two"})
        await memory.delete(status_key("a"))
        await desk.until({"b": "two"})
    assert desk.stats.reports == 3


async def test_known_keys_that_are_gone_are_told(memory: MemoryBus) -> None:
    desk = Desk()
    await desk.database.submit(Write({"gone": "old", "here": "old"}))
    desk.known_names = ["gone", "here"]
    await memory.put(status_key("here"), b"new")
    async with desk.open(memory):
        await desk.until({"here": "new"})


async def test_many_reports_make_bounded_units(memory: MemoryBus) -> None:
    desk = Desk()
    for n in range(150):
        await memory.put(status_key(f"p{n}"), b"up")
    async with desk.open(memory):
        await desk.until({f"p{n}": "up" for n in range(150)})
    assert max(len(batch) for batch in desk.batches) <= BATCH
    assert len(desk.batches) < 10


async def test_a_report_that_has_just_come_is_left_to_who_waits_for_it(memory: MemoryBus) -> None:
    desk = Desk()
    desk.now = 0.0
    async with desk.open(memory):
        await memory.put(status_key("a"), b"one")

        async def one() -> bool:
            return desk.stats.reports_waiting == 1

        async def both() -> bool:
            return desk.stats.reports_waiting == 2

        await eventually(one, "the first has come")
        desk.now = GATHER / 2
        await memory.put(status_key("b"), b"two")
        await memory.put(status_key("a"), b"three")  # it has waited all the same
        await eventually(both, "both wait")
        desk.now = GATHER * 1.2
        await desk.until({"a": "three"})
        assert desk.stats.reports_waiting == 1
        desk.now = GATHER * 2
        await desk.until({"a": "three", "b": "two"})


async def test_what_comes_due_while_a_unit_is_written_waits_for_more(memory: MemoryBus) -> None:
    """Each unit keeps the processes that answer clients from writing."""
    desk = Desk()
    desk.now = 0.0
    written: list[float] = []

    async def one_waits() -> bool:
        return desk.stats.reports_waiting == 1

    class Slow(TinyStore):
        async def submit(self, unit: store.Unit) -> store.Committed:
            if len(desk.batches) == 1:
                await memory.put(status_key("b"), b"two")
                await eventually(one_waits, "the second has come")
                desk.now = 5 * GATHER
            written.append(time.monotonic())
            return await super().submit(unit)

    desk.database = Slow()
    async with desk.open(memory):
        await memory.put(status_key("a"), b"one")
        await eventually(one_waits, "the first has come")
        desk.now = 2 * GATHER
        await desk.until({"a": "one", "b": "two"})
    assert len(desk.batches) == 2
    assert written[-1] - written[-2] > PACE / 2, written


async def test_a_poisonous_report_is_skipped_and_said_once(
    memory: MemoryBus, capsys: pytest.CaptureFixture[str]
) -> None:
    desk = Desk()
    await memory.put(status_key("a"), b"one")
    await memory.put(status_key("b"), b"bad \xff")
    await memory.put(status_key("c"), b"three")
    await memory.put(status_key("large"), b"x" * (status.MAX_REPORT + 1))
    await memory.put("/status/no/report", b"x")
    async with desk.open(memory):
        await desk.until({"a": "one", "c": "three"})
        await memory.put(status_key("b"), b"bad \xff")
        await memory.put(status_key("d"), b"four")
        await desk.until({"a": "one", "c": "three", "d": "four"})
        await memory.put(status_key("b"), b"better")
        await desk.until({"a": "one", "b": "better", "c": "three", "d": "four"})
    said = capsys.readouterr().out
    assert said.count("report refused") == 2
    assert "/status/ctl/host1/net/Port/b" in said
    assert desk.stats.reports_refused == 3


async def test_the_newest_value_is_stored_after_an_outage_of_the_database(memory: MemoryBus) -> None:
    desk = Desk()
    down = False

    def refuse() -> None:
        if down:
            raise Unavailable("the database is away")

    desk.database.refuse = refuse
    async with desk.open(memory):
        await memory.put(status_key("a"), b"zero")
        await desk.until({"a": "zero"})
        down = True
        await memory.put(status_key("a"), b"one")

        async def tried() -> bool:
            return len(desk.batches) > 1

        await eventually(tried, "it tried once")
        for n in range(50):
            await memory.put(status_key("a"), str(n).encode())
        down = False
        await desk.until({"a": "49"})
    values = [value for batch in desk.batches for _, value in batch]
    assert values[-1] == b"49"


async def test_who_stood_still_writes_nothing_over_what_its_successor_wrote(memory: MemoryBus) -> None:
    desk = Desk()
    await memory.put(status_key("a"), b"one")
    async with desk.open(memory) as first:
        await desk.until({"a": "one"})
        async with desk.open(memory):
            await memory.put(status_key("a"), b"two")
            await desk.until({"a": "two"})
            async with asyncio.timeout(60):
                await asyncio.wait({first})
            assert isinstance(first.exception(), Overtaken)
            await memory.put(status_key("a"), b"three")
            await desk.until({"a": "three"})


async def test_who_stood_still_before_anybody_ever_wrote_writes_nothing_either(memory: MemoryBus) -> None:
    still, desk, before = Desk(), Desk(), MemoryBus()
    still.database, still.now = desk.database, 0.0
    await before.put(status_key("a"), b"one")
    await memory.put(status_key("a"), b"two")
    async with still.open(before) as first:

        async def has_read() -> bool:
            return still.stats.reports_waiting == 1

        await eventually(has_read, "the first has read the reports")
        async with desk.open(memory):
            await desk.until({"a": "two"})
            still.now = 1.0
            async with asyncio.timeout(60):
                await asyncio.wait({first})
            assert isinstance(first.exception(), Overtaken)
            assert desk.holds() == {"a": "two"}
            await memory.put(status_key("a"), b"three")
            await desk.until({"a": "three"})
    await before.close()
