"""What is read for a batch while the one before is written: it is decided by what that one leaves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import hypothesis
import pytest

from gluon import errors, store
from gluon.spi.store import Committed
from gluon.store import batches, driver
from gluon.store.opening import open_database
from gluon.store.sql import SqlStore
from tests.contract.store import test_model
from tests.contract.store.world import Unit, count, create, delete, network
from tests.unit.store.held import MANY, Held, Write, begun, breaks, fine, opened, until


def looking() -> tuple[list[Unit], Callable[[list[Any]], None]]:
    """Two halves of units that look at what they change, the second at what the first one left; what is to become of them."""
    names = [f"n{n}" for n in range(MANY // 2)]
    first = [create(network(name, name, size=1)) for name in names]
    second = [
        create(network("again", names[0])),  # its name is taken
        *(count(name) for name in names[1 : MANY // 2 - 3]),
        delete("Network", names[-3]),
        create(network("instead", names[-3])),
        create(network("fresh", "fresh")),
    ]

    def judge(done: list[Any]) -> None:
        assert all(isinstance(one, Committed) for one in done[: MANY // 2])
        refused, *rest = done[MANY // 2 :]
        assert isinstance(refused, errors.Conflict)
        revisions = [one.revision for one in done if one is not refused]
        assert revisions == list(range(revisions[0], revisions[0] + MANY - 1))
        assert [one.result for one in rest[: len(names) - 4]] == [2] * (len(names) - 4)

    assert len(second) == MANY // 2
    return [*first, *second], judge


@asynccontextmanager
async def scouted(folder: Path) -> AsyncIterator[tuple[SqlStore, Held]]:
    """One that has the connection to read ahead by."""
    async with opened(folder) as (db, held):
        held.held = False
        for _ in range(2):
            await asyncio.gather(*(db.submit(count("first")) for _ in range(MANY)))
            await until(lambda: held.sessions == 2)
        held.held = True
        yield db, held


@pytest.mark.parametrize("when", ["before", "after"])
async def test_who_reads_ahead_sees_what_is_written_meanwhile(tmp_path: Path, when: str) -> None:
    """Whether what he reads is of before that or of after it."""
    async with scouted(tmp_path) as (db, held):
        first = (await db.position()).revision
        written = asyncio.Event()

        async def late(read: Write) -> None:
            await written.wait()
            await read()

        async def tells(write: Write) -> None:
            await write()
            written.set()

        held.reads = late if when == "after" else fine
        units, judge = looking()
        asked = begun(db, units)
        assert await held.sent.get() == MANY // 2
        if when == "before":
            await until(lambda: all(unit.asked for unit in units))
        held.go.put_nowait(tells)
        assert await held.sent.get() == MANY // 2 - 1
        assert db.stats.ahead > 0 and not any(one.done() for one in asked[MANY // 2 :])
        held.go.put_nowait(fine)
        done = await asyncio.gather(*asked, return_exceptions=True)
        judge(done)
        entries = [e.revision for e in await db.tail(first, limit=1000)]
        assert entries == [one.revision for one in done if isinstance(one, Committed)]


@pytest.mark.parametrize("when", ["read", "unread"])
async def test_who_read_ahead_of_a_failure_is_decided_again(tmp_path: Path, when: str) -> None:
    async with scouted(tmp_path) as (db, held):
        failed = asyncio.Event()

        async def late(read: Write) -> None:
            await failed.wait()
            await read()

        held.reads = late if when == "unread" else fine
        units, judge = looking()
        asked = begun(db, units)
        await held.sent.get()
        await until(lambda: db.stats.waiting == 0)
        if when == "read":
            await until(lambda: all(unit.asked for unit in units))
        held.held = False
        held.go.put_nowait(breaks(driver.Busy("busy")))
        done = await asyncio.gather(*asked, return_exceptions=True)
        failed.set()
        judge(done)


@pytest.mark.parametrize("error", [driver.Lost("lost"), driver.Busy("busy"), driver.Failed("odd")])
async def test_who_cannot_read_ahead_reads_in_his_turn(tmp_path: Path, error: driver.DriverError) -> None:
    async with scouted(tmp_path) as (db, held):
        held.reads = breaks(error)
        units, judge = looking()
        asked = begun(db, units)
        await held.sent.get()
        await until(lambda: db.stats.waiting == 0)
        held.held = False
        held.go.put_nowait(fine)
        judge(await asyncio.gather(*asked, return_exceptions=True))


async def test_who_has_to_read_waits_for_what_is_written(tmp_path: Path) -> None:
    """There is no connection to read ahead by yet."""
    async with opened(tmp_path) as (db, held):
        units, judge = looking()
        asked = begun(db, units)
        await held.sent.get()
        await until(lambda: db.stats.waiting == 0)
        assert not any(unit.asked for unit in units[MANY // 2 :])
        held.held = False
        held.go.put_nowait(fine)
        judge(await asyncio.gather(*asked, return_exceptions=True))


@pytest.mark.parametrize("pause", [0.0, 0.002])
def test_any_batches_in_halves_do_what_a_dict_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pause: float
) -> None:
    """Where writing takes a while, nearly all second halves are decided before it ends."""
    monkeypatch.setattr(batches, "_MANY", 2)

    @hypothesis.settings(max_examples=60, derandomize=True, deadline=None)
    @hypothesis.given(test_model.batches)
    def hold(plan: list[list[test_model.Step]]) -> None:
        async def run() -> None:
            settings = store.Settings()
            database = Held(open_database(f"sqlite:///{tmp_path}/db.sqlite", settings))
            database.pause = pause
            db = SqlStore(cast("driver.Database", database), settings)
            await test_model.check(db, plan, ahead=bool(pause))

        asyncio.run(run())

    hold()
