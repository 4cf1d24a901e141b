"""The writer lock of PostgreSQL, which the session takes and the transaction of a write takes over."""

from __future__ import annotations

import asyncio

import pytest

from gluon import errors
from gluon.spi.store import Changes, View
from gluon.store import Settings, driver, postgres_session
from gluon.store.overlay import Plan
from gluon.store.postgres import PostgresDatabase
from gluon.testing.servers import PostgresServer
from tests.contract.store.conftest import Opener
from tests.contract.store.world import Unit, create, draft, network

_HELD = "SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database WHERE locktype = 'advisory'"
_WAITING = """
    SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database
    WHERE locktype = 'advisory' AND NOT granted AND datname = current_database()"""
_PATIENT = Settings(idle_timeout=600, lock_timeout=60, statement_timeout=60, patience=120)
"""However slow the machine is, who holds the lock is not ended, and who waits is not refused."""
_OFTEN = 4
"""So many batches alike, and the later ones are written by one statement."""


def held(server: PostgresServer, url: str) -> int:
    return int(server.sql(f"{_HELD} AND datname = '{url.rsplit('/', 1)[1]}'"))


async def test_nobody_holds_the_lock_after_a_batch(
    postgres_url: str, postgres_server: PostgresServer, opener: Opener
) -> None:
    db = await opener(postgres_url)
    for n in range(_OFTEN):
        await db.submit(create(network(f"n{n}", f"n{n}")))
        assert held(postgres_server, postgres_url) == 0
    with pytest.raises(errors.Conflict):
        await db.submit(create(network("n0", "n0")))
    assert held(postgres_server, postgres_url) == 0


async def test_nobody_holds_the_lock_after_a_constraint_caught_a_unit(
    postgres_url: str, postgres_server: PostgresServer, opener: Opener
) -> None:
    """The unit does not look, so that the write itself fails."""

    def careless(name: str, key: str) -> Unit:
        def decide(view: View) -> Changes:
            changes = Changes(entries=[draft(key)])
            changes.put("Network", network(key, name))
            return changes

        return Unit(decide)

    db = await opener(postgres_url)
    for n in range(_OFTEN):
        await db.submit(careless(f"n{n}", f"n{n}"))
    with pytest.raises(errors.Conflict):
        await db.submit(careless("n0", "other"))
    assert held(postgres_server, postgres_url) == 0
    assert (await db.submit(careless("fine", "fine"))).revision


@pytest.mark.parametrize("before", [0, _OFTEN])
async def test_nothing_is_written_under_another_epoch_than_was_read(
    postgres_url: str, postgres_server: PostgresServer, opener: Opener, before: int
) -> None:
    db = await opener(postgres_url)
    for n in range(before):
        await db.submit(create(network(f"n{n}", f"n{n}")))

    def decide(view: View) -> Changes:
        name = postgres_url.rsplit("/", 1)[1]
        postgres_server.sql("UPDATE gluon_writer SET epoch = epoch + 1", database=name)
        changes = Changes(entries=[draft("late")])
        changes.put("Network", network("late", "late"))
        return changes

    with pytest.raises(errors.StaleModel):
        await db.submit(Unit(decide))
    assert await db.get("Network", "late") is None
    assert len(await db.tail(0, limit=100)) == before


async def test_who_lost_the_lock_does_not_set_revisions_back(postgres_url: str, opener: Opener) -> None:
    """A sequence is not set back by a rollback: who lost the lock must not touch it. Both ways of writing are tried."""
    db = await opener(postgres_url)
    await db.submit(create(network("first", "first")))
    stale = await PostgresDatabase(postgres_url, _PATIENT).session()
    try:
        for n in range(_OFTEN):
            await stale.lock()
            state = await stale.state(1)
            await stale.execute("SELECT pg_advisory_unlock_all()")
            newest = [(await db.submit(create(network(f"{n}{m}", f"{n}{m}")))).revision for m in range(3)][-1]
            what = ("create", "test", "Network", "stale", None, "", "", True, None, "{}")
            record = (state.first, 0, *what, state.now)
            with pytest.raises(driver.Busy):
                await stale.commit(Plan(journal=[record], revision=state.first), 0)
            await stale.rollback()
            assert (await db.submit(create(network(f"{n}", f"{n}")))).revision == newest + 1
    finally:
        stale.kill()
    revisions = [entry.revision for entry in await db.tail(0, limit=100)]
    assert revisions == list(range(1, 2 + 4 * _OFTEN))


@pytest.mark.parametrize("before", [1, _OFTEN])
async def test_who_follows_a_batch_of_his_own_sees_that_another_wrote(
    postgres_url: str, opener: Opener, before: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is decided without the lock, and neither written nor told where the state is another one. Both ways of writing are
    tried."""
    monkeypatch.setattr(postgres_session, "_FRESH", 600.0)  # however slow the machine is
    monkeypatch.setattr(postgres_session, "_RARE", 2.0)  # also who has just heard of another process
    db = await opener(postgres_url)
    await db.submit(create(network("first", "first")))
    session = await PostgresDatabase(postgres_url, _PATIENT).session()

    async def followed(count: int) -> Plan:
        """Batches of its own, and what is decided after them."""
        plans: list[Plan] = []
        for _ in range(count + 1):
            for plan in plans[-1:]:
                await session.commit(plan, 0)
            await session.lock()
            state = await session.state(1)
            what = ("create", "test", "Network", "own", None, "", "", True, None, "{}")
            plans.append(Plan(journal=[(state.first, 0, *what, state.now)], revision=state.first))
        return plans[-1]

    try:
        own = 0
        for what in ("commit", "agree", "begin", "commit"):
            plan = await followed(before)
            own += before
            assert not session.certain
            await db.submit(create(network(f"{own}", f"{own}")))
            with pytest.raises(driver.Outrun):
                await (session.commit(plan, 0) if what == "commit" else getattr(session, what)())
            await session.rollback()
        plan = await followed(before)
        await session.agree()
        await session.commit(plan, 0)
    finally:
        session.kill()
    revisions = [entry.revision for entry in await db.tail(0, limit=100)]
    assert revisions == list(range(1, own + before + 1 + 4 + 2))


async def test_who_follows_waits_for_nobody_and_writes_under_the_lock(
    postgres_url: str, postgres_server: PostgresServer, opener: Opener
) -> None:
    """While another holds the lock, it is not written: it takes its place in the line, and is decided again."""
    db = await opener(postgres_url, _PATIENT)
    for n in range(_OFTEN):
        await db.submit(create(network(f"n{n}", f"n{n}")))
    other = await PostgresDatabase(postgres_url, _PATIENT).session()
    try:
        await other.lock()
        waiting = asyncio.ensure_future(db.submit(create(network("later", "later"))))
        name = postgres_url.rsplit("/", 1)[1]
        async with asyncio.timeout(60):
            while not int(postgres_server.sql(_WAITING, database=name)):
                await asyncio.sleep(0.02)
        assert not waiting.done()
        await other.rollback()
        assert (await waiting).revision == _OFTEN + 1
    finally:
        other.kill()


async def test_times_do_not_go_back(postgres_url: str, opener: Opener) -> None:
    """A batch that follows another has a time that is reckoned, not asked for."""
    db = await opener(postgres_url)
    for n in range(30):
        await asyncio.gather(*(db.submit(create(network(f"{n}.{m}", f"{n}.{m}"))) for m in range(3)))
    times = [entry.at for entry in await db.tail(0, limit=1000)]
    assert times == sorted(times) and len({len(at) for at in times}) == 1


async def test_revisions_of_two_processes_are_in_order(postgres_url: str, opener: Opener) -> None:
    one, two = await opener(postgres_url), await opener(postgres_url)
    waiting = [
        db.submit(create(network(f"{name}{n}", f"{name}{n}")))
        for n in range(40)
        for name, db in (("a", one), ("b", two))
    ]
    revisions = [done.revision for done in await asyncio.gather(*waiting)]
    assert len(set(revisions)) == len(revisions)
    assert [e.revision for e in await one.tail(0, limit=1000)] == sorted(revisions)


async def test_a_session_without_the_lock_may_be_silent(
    postgres_url: str, postgres_server: PostgresServer, opener: Opener
) -> None:
    """Beyond the limit for holders of the lock, which one that was never released would meet."""
    db = await opener(postgres_url, Settings(idle_timeout=2))
    for n in range(_OFTEN):
        await db.submit(create(network(f"n{n}", f"n{n}")))
    with pytest.raises(errors.Conflict):
        await db.submit(create(network("n0", "n0")))
    before = db.stats.reconnects  # a machine that stands still holds the lock for too long
    postgres_server.sql("SELECT pg_sleep(2.5)")  # the server's own clock has to go on
    await db.submit(create(network("later", "later")))
    assert db.stats.reconnects == before
