"""What is decided while a batch is written: sent only if that was, and decided again if it was not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import pytest

from gluon import errors, store
from gluon.spi import context
from gluon.spi.store import Changes, Committed, Select, View
from gluon.store import driver
from gluon.store.opening import open_database
from gluon.store.sql import SqlStore
from tests.contract.store import world
from tests.contract.store.world import Unit, create, draft, network

MANY = 40
"""Units that are worth two batches."""
Write = Callable[[], Awaitable[None]]


class Held:
    """A database whose batches are written one by one as the test lets them, by a session that may be ahead."""

    def __init__(self, inner: driver.Database) -> None:
        self.inner = inner
        self.held = False
        self.sent: asyncio.Queue[int] = asyncio.Queue()
        """Rows of the journal in each batch that was sent."""
        self.go: asyncio.Queue[Callable[[Write], Awaitable[None]]] = asyncio.Queue()

    async def session(self) -> driver.Session:
        return cast("driver.Session", _Session(await self.inner.session(), self))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


class _Session:
    ahead = True

    def __init__(self, inner: driver.Session, held: Held) -> None:
        self._inner = inner
        self._held = held

    def clock(self) -> str:
        return "2026-01-01T00:00:00.000000"

    async def commit(self, plan: Any, way: int) -> None:
        held = self._held
        if not held.held:
            await self._inner.commit(plan, way)
            return
        held.sent.put_nowait(len(plan.journal))
        do = await held.go.get()
        await do(lambda: self._inner.commit(plan, way))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


async def fine(write: Write) -> None:
    await write()


def breaks(error: Exception) -> Callable[[Write], Awaitable[None]]:
    async def broken(_: Write) -> None:
        raise error

    return broken


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[tuple[SqlStore, Held]]:
    settings = store.Settings()
    database = Held(open_database(f"sqlite:///{folder}/db.sqlite", settings))
    db = SqlStore(cast("driver.Database", database), settings)
    try:
        await db.install(world.TABLES, ())
        await db.submit(create(network("first", "first")))
        database.held = True
        async with asyncio.timeout(120):
            yield db, database
    finally:
        database.held = False
        for _ in range(2):  # who waits still, as a failed test left him
            database.go.put_nowait(fine)
        await db.close()


def blind(key: str) -> Unit:
    """Looks at nothing, so that it can be decided before the batch before it is written."""

    def decide(view: View) -> Changes:
        changes = Changes(result=view.revision)
        changes.put("Network", network(key, key))
        changes.entries.append(draft(key))
        return changes

    return Unit(decide)


def begun(db: SqlStore, units: list[Unit]) -> list[asyncio.Future[Committed]]:
    return [asyncio.ensure_future(db.submit(unit)) for unit in units]


def begun_by(project: str, db: SqlStore, units: list[Unit]) -> list[asyncio.Future[Committed]]:
    """In the turn of that project."""
    token = context.PROJECT.set(project)
    try:
        return begun(db, units)
    finally:
        context.PROJECT.reset(token)


async def until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.001)


async def test_half_is_decided_while_the_other_is_written(tmp_path: Path) -> None:
    async with opened(tmp_path) as (db, held):
        units = [blind(f"n{n}") for n in range(MANY)]
        asked = begun(db, units)
        assert await held.sent.get() == MANY // 2
        await until(lambda: all(unit.asked for unit in units))
        assert held.sent.empty() and not any(one.done() for one in asked)
        held.go.put_nowait(fine)
        assert await held.sent.get() == MANY // 2
        held.go.put_nowait(fine)
        done = await asyncio.gather(*asked)
        assert [one.revision for one in done] == [one.result for one in done] == list(range(2, MANY + 2))
        assert all(len(unit.asked) == 1 for unit in units)
        entries = await db.tail(0, limit=1000)
        assert [entry.revision for entry in entries] == list(range(1, MANY + 2))


async def test_the_database_does_not_wait_for_answers(tmp_path: Path) -> None:
    """The next batch is sent before anybody hears of the one before."""
    async with opened(tmp_path) as (db, held):
        asked = begun(db, [blind(f"n{n}") for n in range(MANY)])
        await held.sent.get()
        await until(lambda: db.stats.waiting == 0)
        told: list[int] = []
        asked[0].add_done_callback(lambda _: told.append(held.sent.qsize()))
        held.go.put_nowait(fine)
        await asked[0]
        await until(lambda: bool(told))
        assert told == [1]
        held.go.put_nowait(fine)
        await asyncio.gather(*asked)


async def test_a_batch_is_sent_once_however_soon_it_is_written(tmp_path: Path) -> None:
    """Before the writer has heard of the end of the one before."""

    async def at_once(_: Write) -> None:
        pass

    async with opened(tmp_path) as (db, held):
        units = [blind(f"n{n}") for n in range(MANY)]
        asked = begun(db, units)
        await held.sent.get()
        await until(lambda: all(unit.asked for unit in units))
        for write in (fine, at_once):
            held.go.put_nowait(write)
        await until(lambda: all(one.done() for one in asked) or held.sent.qsize() > 1)
        assert held.sent.qsize() == 1


async def test_who_has_to_read_waits_for_what_is_written(tmp_path: Path) -> None:
    async with opened(tmp_path) as (db, held):
        names = [f"n{n}" for n in range(MANY // 2)]
        units = [create(network(f"{m}{name}", name)) for m in range(2) for name in names]
        asked = begun(db, units)
        await held.sent.get()
        await until(lambda: db.stats.waiting == 0)
        assert not any(unit.asked for unit in units[MANY // 2 :])
        held.go.put_nowait(fine)
        done = await asyncio.gather(*asked, return_exceptions=True)
        assert all(isinstance(one, Committed) for one in done[: MANY // 2])
        assert all(isinstance(one, errors.Conflict) for one in done[MANY // 2 :])
        assert await db.count(Select(table="Network")) == MANY // 2 + 1


@pytest.mark.parametrize(
    "error",
    [
        driver.Busy("busy"),
        driver.Outrun("outrun"),
        driver.Lost("lost"),
        driver.Violation(driver.Kind.TAKEN),
        driver.Failed("odd", unfit=True),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_what_was_decided_ahead_of_a_failure_is_decided_again(tmp_path: Path, error: Exception) -> None:
    async with opened(tmp_path) as (db, held):
        units = [blind(f"n{n}") for n in range(MANY)]
        asked = begun(db, units)
        await held.sent.get()
        await until(lambda: all(unit.asked for unit in units))
        held.held = False
        held.go.put_nowait(breaks(error))
        done = await asyncio.gather(*asked)
        assert len({one.revision for one in done}) == MANY
        assert [one.revision for one in done] == [one.result for one in done]
        assert all(len(unit.asked) > 1 for unit in units)
        assert await db.count(Select(table="Network")) == MANY + 1


async def test_a_mistake_of_ours_fails_the_batch_that_met_it(tmp_path: Path) -> None:
    async with opened(tmp_path) as (db, held):
        asked = begun(db, [blind(f"n{n}") for n in range(MANY)])
        await held.sent.get()
        await until(lambda: db.stats.waiting == 0)
        held.held = False
        held.go.put_nowait(breaks(RuntimeError("odd")))
        done = await asyncio.gather(*asked, return_exceptions=True)
        assert all(isinstance(one, errors.OutcomeUnknown) for one in done[: MANY // 2])
        assert all(isinstance(one, Committed) for one in done[MANY // 2 :])


async def test_a_lost_answer_is_settled_before_the_next_batch(tmp_path: Path) -> None:
    async with opened(tmp_path) as (db, held):
        units = [blind(f"n{n}") for n in range(MANY)]
        asked = begun(db, units)
        await held.sent.get()
        await until(lambda: all(unit.asked for unit in units))

        async def lost(write: Write) -> None:
            held.held = False
            await write()
            raise driver.Lost("lost", committing=True)

        held.go.put_nowait(lost)
        done = await asyncio.gather(*asked)
        assert [one.revision for one in done] == list(range(2, MANY + 2))
        assert db.stats.settled == 1 and all(len(unit.asked) == 1 for unit in units[: MANY // 2])


async def test_both_batches_end_when_the_store_is_closed(tmp_path: Path) -> None:
    async with opened(tmp_path) as (db, held):
        units = [blind(f"n{n}") for n in range(MANY)]
        asked = begun(db, units)
        await held.sent.get()
        await until(lambda: all(unit.asked for unit in units))
        closing = asyncio.ensure_future(db.close())
        for _ in range(2):
            held.go.put_nowait(fine)
        await closing
        assert all(isinstance(one, Committed) for one in await asyncio.gather(*asked))


async def test_a_job_has_its_turn_behind_what_was_decided(tmp_path: Path) -> None:
    async with opened(tmp_path) as (db, held):
        units = [blind(f"n{n}") for n in range(MANY)]
        asked = begun(db, units)
        await held.sent.get()
        await until(lambda: all(unit.asked for unit in units))
        job = asyncio.ensure_future(db.install((*world.TABLES,), ()))
        for _ in range(2):
            held.go.put_nowait(fine)
        assert all(isinstance(one, Committed) for one in await asyncio.gather(*asked))
        await job


async def test_few_are_one_batch(tmp_path: Path) -> None:
    async with opened(tmp_path) as (db, held):
        asked = begun(db, [blind(f"n{n}") for n in range(MANY // 2)])
        assert await held.sent.get() == MANY // 2
        held.go.put_nowait(fine)
        await asyncio.gather(*asked)


async def test_who_goes_first_is_decided_while_few_are_written_and_is_alone_in_his_batch(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path) as (db, held):
        held.held = False
        await asyncio.gather(*begun_by("busy", db, [blind(f"b{n}") for n in range(400)]))
        held.held = True
        greedy = begun_by("busy", db, [blind(f"c{n}") for n in range(4)])
        assert await held.sent.get() == 4
        greedy += begun_by("busy", db, [blind(f"d{n}") for n in range(4)])
        unit = blind("calm")
        calm = begun_by("calm", db, [unit])[0]
        await until(lambda: bool(unit.asked))
        assert not any(one.done() for one in greedy), "it is decided while the others are written"
        held.go.put_nowait(fine)
        assert await held.sent.get() == 1
        held.go.put_nowait(fine)
        await calm
        assert not any(one.done() for one in greedy[4:])
        assert await held.sent.get() == 4
        held.go.put_nowait(fine)
        await asyncio.gather(*greedy)


async def test_the_database_does_not_wait_for_the_answers_of_few(tmp_path: Path) -> None:
    async with opened(tmp_path) as (db, held):
        asked = begun(db, [blind(f"n{n}") for n in range(4)])
        assert await held.sent.get() == 4
        behind = begun(db, [blind(f"m{n}") for n in range(4)])
        await until(lambda: db.stats.waiting == 4)
        told: list[int] = []
        asked[0].add_done_callback(lambda _: told.append(held.sent.qsize()))
        held.go.put_nowait(fine)
        await asked[0]
        await until(lambda: bool(told))
        assert told == [1]
        held.go.put_nowait(fine)
        await asyncio.gather(*behind)
