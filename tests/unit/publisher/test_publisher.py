"""The publisher put together: one of several leads, duties restart, the next one takes over."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from gluon.errors import Unavailable
from gluon.kv.memory import MemoryBus
from gluon.objects import keys
from gluon.publisher.collector import Report
from gluon.publisher.housekeeping import Keep
from gluon.publisher.publisher import Hooks, Publisher, Settings, standing
from gluon.spi import store
from tests.unit.publisher.parts import (
    Picture,
    Write,
    assert_converges,
    eventually,
    no_hook,
)
from tests.unit.publisher.tiny import TinyStore


@pytest.fixture
async def memory() -> AsyncIterator[MemoryBus]:
    made = MemoryBus()
    yield made
    await made.close()


@dataclass
class Process:
    """What one API process has."""

    publisher: Publisher
    sweeps: list[int] = field(default_factory=list)
    task: asyncio.Task[None] | None = None

    async def end(self) -> None:
        assert self.task is not None
        self.task.cancel()
        await asyncio.wait([self.task])


def make_unit(items: Sequence[Report]) -> store.Unit:
    return Write({key.key: (value or b"").decode() for key, value in items}, intent=False)


async def known() -> AsyncIterator[keys.StatusKey]:
    nothing: tuple[keys.StatusKey, ...] = ()
    for key in nothing:
        yield key


def start(
    database: TinyStore, target: MemoryBus, name: str, sweep: Callable[[], None] = lambda: None
) -> Process:
    sweeps: list[int] = []

    async def swept() -> None:
        sweeps.append(1)
        sweep()

    hooks = Hooks(make_unit=make_unit, known=known, sweep=swept, on_rebase=no_hook)
    settings = Settings(
        sweep=0.01, housekeeping=0.05, keep=Keep(etcd_seconds=0.05, journal_seconds=0, journal_rows=1)
    )
    publisher = Publisher(database, target, Picture(), process=name, hooks=hooks, settings=settings)
    return Process(publisher, sweeps, asyncio.create_task(publisher.run()))


@asynccontextmanager
async def processes(database: TinyStore, target: MemoryBus, *names: str) -> AsyncIterator[list[Process]]:
    made = [start(database, target, name) for name in names]
    try:
        yield made
    finally:
        for process in made:
            await process.end()


async def leader_of(target: MemoryBus) -> str:
    async def there() -> bool:
        return await target.get(keys.RELAY_LEADER) is not None

    await eventually(there, "somebody leads")
    value = await target.get(keys.RELAY_LEADER)
    assert value is not None
    return value.value.decode()


async def test_one_leads_and_another_takes_over(memory: MemoryBus) -> None:
    database = TinyStore()
    async with processes(database, memory, "one", "two") as made:
        first = await leader_of(memory)
        await assert_converges(database, memory)
        by_name = dict(zip(("one", "two"), made, strict=True))
        other = "two" if first == "one" else "one"
        assert not by_name[other].publisher.stats.leading
        await database.submit(Write({"a": "1"}))
        by_name[other].publisher.notify()
        await assert_converges(database, memory)
        await by_name[first].end()

        async def replaced() -> bool:
            return by_name[other].publisher.stats.leading

        await eventually(replaced, "the other one leads")
        await database.submit(Write({"a": "2"}))
        by_name[other].publisher.notify()
        await assert_converges(database, memory)
    assert await memory.get(keys.RELAY_LEADER) is None


async def test_a_lost_lease_stops_the_duties_until_it_is_won_again(memory: MemoryBus) -> None:
    database = TinyStore()
    async with processes(database, memory, "one") as (process,):
        await leader_of(memory)
        await memory.delete(keys.RELAY_LEADER)

        async def again() -> bool:
            return process.publisher.stats.elections == 2 and process.publisher.stats.leading

        await eventually(again, "elected again")
        await database.submit(Write({"a": "1"}))
        await assert_converges(database, memory)


async def test_a_failing_duty_is_started_again(memory: MemoryBus) -> None:
    database = TinyStore()
    failures = 0

    def fail() -> None:
        nonlocal failures
        failures += 1
        if failures <= 2:
            raise RuntimeError("a mistake of ours") if failures == 1 else Unavailable("away")

    process = start(database, memory, "one", fail)

    async def swept() -> bool:
        return failures > 5

    await eventually(swept, "the sweeper runs on")
    await database.submit(Write({"a": "1"}))
    await assert_converges(database, memory)
    assert process.publisher.stats.failures["sweeper"] == 2
    await process.end()


async def test_the_leader_trims_and_compacts_but_never_above_the_cursor(memory: MemoryBus) -> None:
    database = TinyStore()
    async with processes(database, memory, "one") as (process,):
        for n in range(20):
            await database.submit(Write({f"t{n}": "1"}))
        await assert_converges(database, memory)

        async def tidy() -> bool:
            return process.publisher.stats.trimmed >= 19

        await eventually(tidy, "the journal is trimmed")
        assert [entry.revision for entry in database.data.journal] == [20]
        assert process.publisher.stats.etcd_size > 0
        await database.submit(Write({"t0": None}))
        await assert_converges(database, memory)
        assert process.publisher.stats.resyncs == {"missing": 1}


async def test_reports_and_standing_are_seen(memory: MemoryBus) -> None:
    database = TinyStore()
    async with processes(database, memory, "one") as (process,):
        await leader_of(memory)
        async with process.publisher.subscribe("net", "Port", "p1") as replies:
            await memory.put(keys.status("ctl", "h1", "net", "Port", "p1"), b"up")
            async with asyncio.timeout(60):
                assert (await anext(replies))[1] == b"up"

        async def stored() -> bool:
            return process.publisher.stats.reports == 1

        await eventually(stored, "the report is stored")
        await assert_converges(database, memory)
        found = await standing(database, memory)
        assert found.leader == "one"
        assert found.lag <= 1
        assert not found.error
        assert process.publisher.stats.snapshot()["leading"] is True


async def test_standing_says_when_the_bus_does_not_answer() -> None:
    memory = MemoryBus()
    await memory.close()
    found = await standing(TinyStore(), memory)
    assert found.error
