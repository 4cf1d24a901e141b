"""What is decided while a batch is written: sent only if that was, and decided again if it was not."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from gluon import errors
from gluon.spi.store import Committed, Select
from gluon.store import driver
from tests.contract.store import world
from tests.unit.store.held import MANY, Write, begun, begun_by, blind, breaks, fine, opened, until


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
