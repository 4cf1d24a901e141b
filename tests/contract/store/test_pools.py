"""Pools on every database: no value twice, none lost, whoever takes, releases or dies."""

from __future__ import annotations

import asyncio
import random
import signal
import sys
from asyncio.subprocess import PIPE, Process

import pytest

from gluon import errors, pools
from gluon.objects import journal
from gluon.spi.store import Row
from gluon.store import SqlStore
from tests.contract.store import world
from tests.contract.store.conftest import Opener
from tests.contract.store.pool_child import POOL, supply, take, unit

TABLES = (*world.TABLES, *pools.TABLES)
MANY = 10_000
AT_ONCE = 500
"""Units that wait together: two batches, however slow the machine, are done before they give up."""


async def start(url: str, name: str, count: int, size: int, *at: str) -> Process:
    command = [sys.executable, "-m", "tests.contract.store.pool_child", url, name, str(count), str(size), *at]
    return await asyncio.create_subprocess_exec(*command, stdout=PIPE)


async def said(process: Process) -> dict[str, str]:
    """Unit and value of each line until its end."""
    out, _ = await asyncio.wait_for(process.communicate(), 120)
    whole, _, _ = out.decode().rpartition("\n")  # who is killed may be in the midst of a line
    lines = [line.split(" ") for line in whole.splitlines()]
    return {line[0]: line[1] for line in lines if len(line) == 2}


async def rows_of(db: SqlStore, table: str) -> list[Row]:
    async with db.snapshot() as snapshot:
        return [row async for chunk in snapshot.scan(table) for row in chunk]


async def check(db: SqlStore, answered: dict[str, str]) -> dict[str, str]:
    """Held values are those of units in the journal, and who was answered is among them. Returns them by holder."""
    held = {
        str(row["holder"]): str(row["value"])
        for row in await rows_of(db, "gluon_pool_value")
        if row["holder"]
    }
    entries = await db.tail(0, limit=1_000_000)
    written = {e.request_id: e.key for e in entries if e.op is journal.Operation.CREATE}
    assert held == written
    given = {name: value for name, value in answered.items() if value != "none"}
    assert given.items() <= held.items()
    assert len(set(held.values())) == len(held), "a value was given twice"
    (pool,) = await rows_of(db, "gluon_pool")
    assert pool["held"] == len(held)
    return held


async def release_all(db: SqlStore, held: dict[str, str]) -> None:
    """Each in a unit of its own, in any order."""

    async def release(holder: str, value: str) -> None:
        def act(session: pools.Session) -> str:
            session.release(POOL, value, holder, 0)
            return value

        await db.submit(unit("r", act, journal.Operation.DELETE, (value,)))

    todo = list(held.items())
    random.shuffle(todo)
    for part in range(0, len(todo), AT_ONCE):
        await asyncio.gather(*(release(*one) for one in todo[part : part + AT_ONCE]))
    assert not [row for row in await rows_of(db, "gluon_pool_value") if row["holder"]]


async def take_many(db: SqlStore, name: str, count: int, size: int) -> dict[str, str]:
    made = supply(size)
    taken: dict[str, str] = {}
    for part in range(0, count, AT_ONCE):
        names = [f"{name}-{n}" for n in range(part, min(part + AT_ONCE, count))]
        values = await asyncio.gather(*(take(db, made, n) for n in names))
        taken.update({n: str(v or "none") for n, v in zip(names, values, strict=True)})
    return taken


async def take_all_again(db: SqlStore, held: dict[str, str], size: int) -> None:
    await release_all(db, held)
    again = await take_many(db, "again", size + 5, size)
    values = [v for v in again.values() if v != "none"]
    assert len(values) == len(set(values)) == size


@pytest.mark.parametrize(
    "url",
    # the others are asked by three processes at once, below
    [
        "sqlite",
        *(
            pytest.param(kind, marks=pytest.mark.long("10,000 batches one by one"))
            for kind in ("postgresql", "mariadb")
        ),
    ],
    indirect=True,
)
async def test_ten_thousand_takes_of_one_process(url: str, opener: Opener) -> None:
    db = await opener(url, wanted=TABLES)
    answered = await take_many(db, "one", MANY + 500, MANY)
    held = await check(db, answered)
    assert len(held) == MANY and sum(v == "none" for v in answered.values()) == 500
    await take_all_again(db, held, MANY)


@pytest.mark.fault
async def test_ten_thousand_takes_of_three_processes(shared_url: str, opener: Opener) -> None:
    db = await opener(shared_url, wanted=TABLES)
    takers = [await start(shared_url, f"w{n}", 3600, MANY) for n in range(3)]
    answered = {k: v for said_ in await asyncio.gather(*map(said, takers)) for k, v in said_.items()}
    assert len(answered) == 10_800 and all(t.returncode == 0 for t in takers)
    held = await check(db, answered)
    assert len(held) == MANY
    assert sorted(held.values()) == sorted(v for v in answered.values() if v != "none")


@pytest.mark.fault
async def test_takers_that_are_killed_leak_nothing(shared_url: str, opener: Opener) -> None:
    """One dies with the lock held, one at any moment; a third goes on."""
    size = 4500
    db = await opener(shared_url, wanted=TABLES)
    dying = await start(shared_url, "dying", 3000, size, "700")
    killed = await start(shared_url, "killed", 100_000, size)
    living = await start(shared_url, "living", 1500, size)
    assert killed.stdout is not None
    first = [(await asyncio.wait_for(killed.stdout.readline(), 60)).decode().split() for _ in range(300)]
    killed.kill()
    parts = await asyncio.gather(*map(said, (dying, killed, living)))
    assert dying.returncode == killed.returncode == -signal.SIGKILL and living.returncode == 0
    answered = {k: v for part in (dict(first), *parts) for k, v in part.items()}
    held = await check(db, answered)
    assert len([name for name in held if name.startswith("living")]) == 1500
    await take_all_again(db, held, size)


@pytest.mark.fault
@pytest.mark.parametrize("at", ["700", "-1"], ids=["with the lock", "at any moment"])
async def test_a_taker_that_is_killed_leaks_nothing(url: str, opener: Opener, at: str) -> None:
    """One process at a time, as SQLite wants it; the file is read by another one after."""
    size = 4400
    taker = await start(url, "taker", 100_000, size, at)
    assert taker.stdout is not None
    first = [(await asyncio.wait_for(taker.stdout.readline(), 60)).decode().split() for _ in range(400)]
    if at == "-1":
        taker.kill()
    answered = {**dict(first), **await said(taker)}
    assert taker.returncode == -signal.SIGKILL
    db = await opener(url, wanted=TABLES)
    held = await check(db, answered)
    assert len(held) >= 400
    assert at == "-1" or f"taker-{at}" not in held  # killed at any moment it may have come further
    await take_all_again(db, held, size)


async def test_wishes_beside_takes(url: str, opener: Opener) -> None:
    """Half of the clients wish for values ahead; whoever loses a race is told so."""
    db, size = await opener(url, wanted=TABLES), 4400
    made = supply(size)
    values = [made.space.codec.value(made.space.at(n)) for n in range(0, size, 3)]
    random.shuffle(values)

    async def wish(n: int, value: int | str) -> str:
        one = unit(f"wish-{n}", lambda s: s.wish(made, value, f"wish-{n}"), reads=(str(value),))
        try:
            done = await db.submit(one)
        except errors.Conflict as error:
            if error.code != "pool_taken":
                raise
            return "none"
        return str(done.result)

    wishes = [wish(n, value) for n, value in enumerate(values)]
    takes = [take(db, made, f"take-{n}") for n in range(len(values))]
    done = await asyncio.gather(*(one for pair in zip(wishes, takes, strict=True) for one in pair))
    names = [f"{kind}-{n}" for n in range(len(values)) for kind in ("wish", "take")]
    held = await check(db, {n: str(v) for n, v in zip(names, done, strict=True)})
    await take_all_again(db, held, size)


async def test_a_pool_is_dropped_whole(url: str, opener: Opener) -> None:
    db = await opener(url, wanted=TABLES)
    made = supply(4200)
    for n in range(0, 600, 2):
        value = made.space.codec.value(made.space.at(n + 300))
        await db.submit(unit(f"w{n}", lambda s, v=value, n=n: s.wish(made, v, f"w{n}")))  # type: ignore[misc]

    def drop(session: pools.Session) -> str:
        session.drop(POOL)
        return "dropped"

    await db.submit(unit("drop", drop))
    for table in pools.TABLES:
        assert await rows_of(db, table.name) == []
