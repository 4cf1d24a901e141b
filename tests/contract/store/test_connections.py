"""Connections that break at the worst moment: nothing twice, nothing lost, nothing guessed."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from gluon import errors
from gluon.spi.store import Changes, Committed, View
from gluon.store import Settings, SqlStore
from gluon.testing.process import ProcessFailed
from tests.contract.store.conftest import Opener
from tests.contract.store.proxy import Cut, Proxy
from tests.contract.store.test_units import together
from tests.contract.store.world import Unit, create, draft, network

pytestmark = pytest.mark.fault


async def keys(db: SqlStore) -> list[str]:
    return [e.key for e in await db.tail(0, limit=1000)]


def rows_only(key: str) -> Unit:
    def decide(view: View) -> Changes:
        changes = Changes()
        changes.put("Network", network(key, key))
        return changes

    return Unit(decide)


@pytest.mark.parametrize("cut", [Cut.BEFORE, Cut.AFTER])
@pytest.mark.parametrize("before", [("first",), ("a", "b", "c")], ids=["first", "as ever"])
async def test_a_lost_answer_to_commit_is_settled_by_the_journal(
    shared_url: str, opener: Opener, cut: Cut, before: tuple[str, ...]
) -> None:
    """Also when such a batch has come often enough to be written another way."""
    async with Proxy(shared_url) as proxy:
        db = await opener(proxy.url)
        for name in before:
            await db.submit(create(network(name, name)))
        proxy.cut = cut
        done = await together(db, *(create(network(f"n{n}", f"n{n}")) for n in range(5)))
        assert proxy.hits == 1 and db.stats.settled == 1
        assert all(isinstance(d, Committed) for d in done), done
        assert sorted(await keys(db)) == sorted((*before, *(f"n{n}" for n in range(5))))
        for one in done:
            assert isinstance(one, Committed) and (await db.entry(one.revision))[0].revision == one.revision
        await db.close()


@pytest.mark.parametrize("before", [("first",), ("a", "b", "c", "d", "e")], ids=["first", "as ever"])
async def test_what_was_not_written_is_not_written_later_either(
    shared_url: str, opener: Opener, before: tuple[str, ...]
) -> None:
    """A network that was away brings the statement after who sent it has looked, and gave up on its units."""
    async with Proxy(shared_url) as proxy:
        db = await opener(proxy.url, Settings(lock_timeout=1, statement_timeout=1, patience=1))
        for name in before:
            await db.submit(create(network(name, name)))
        proxy.cut = Cut.LATE
        with pytest.raises(errors.Unavailable):
            await db.submit(create(network("late", "late")))
        assert proxy.hits == 1 and db.stats.settled == 1
        await proxy.deliver()
        assert await keys(db) == [*before]
        assert await db.get("Network", "late") is None
        await db.submit(create(network("late", "late")))
        await db.close()


async def test_what_cannot_be_settled_is_said_so(shared_url: str, opener: Opener) -> None:
    async with Proxy(shared_url) as proxy:
        db = await opener(proxy.url, Settings(patience=2, lock_timeout=2))
        proxy.cut = Cut.FOR_GOOD
        with pytest.raises(errors.OutcomeUnknown):
            await asyncio.wait_for(db.submit(create(network("a", "a"))), 60)
        with pytest.raises(errors.Unavailable):
            await asyncio.wait_for(db.submit(create(network("b", "b"))), 60)
        await db.close()
    again = await opener(shared_url)
    assert await keys(again) == ["a"]


async def test_rows_without_entries_cannot_be_settled(shared_url: str, opener: Opener) -> None:
    async with Proxy(shared_url) as proxy:
        db = await opener(proxy.url)
        proxy.cut = Cut.AFTER
        with pytest.raises(errors.OutcomeUnknown):
            await db.submit(rows_only("a"))
        assert await db.get("Network", "a") is not None
        await db.close()


async def test_a_writer_connection_killed_before_commit_runs_the_batch_again(
    shared_url: str, opener: Opener, request: pytest.FixtureRequest
) -> None:
    """Also: the session of the reader that was idle meanwhile is replaced unseen."""
    db = await opener(shared_url)
    await db.submit(create(network("first", "first")))
    assert await db.get("Network", "first") is not None
    killed: list[int] = []

    def decide(view: View) -> Changes:
        if len(killed) < 2:
            killed.append(view.revision)
            kill_sessions(shared_url, request)
        changes = Changes(result="done")
        changes.put("Network", network("again", "again"))
        changes.entries.append(draft("again"))
        return changes

    done = await together(db, create(network("a", "a")), Unit(decide), create(network("b", "b")))
    assert all(isinstance(d, Committed) for d in done), done
    assert sorted(await keys(db)) == ["a", "again", "b", "first"]
    assert (await db.get("Network", "again") or {})["name"] == "again"
    assert db.stats.reconnects >= 2


async def test_a_connection_that_always_dies_is_given_up(
    shared_url: str, opener: Opener, request: pytest.FixtureRequest
) -> None:
    db = await opener(shared_url)

    def decide(view: View) -> Changes:
        kill_sessions(shared_url, request)
        return Changes(entries=[draft("never")])

    with pytest.raises(errors.Unavailable):
        await asyncio.wait_for(db.submit(Unit(decide)), 60)
    await db.submit(create(network("fine", "fine")))
    assert await keys(db) == ["fine"]


def kill_sessions(url: str, request: pytest.FixtureRequest) -> None:
    """End every session of this database on the server."""
    name = url.rsplit("/", 1)[1]
    if url.startswith("postgresql"):
        server = request.getfixturevalue("postgres_server")
        server.sql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
        return
    server = request.getfixturevalue("mariadb_server")
    for number in server.sql(f"SELECT id FROM information_schema.processlist WHERE db = '{name}'").split():
        with suppress(ProcessFailed):  # it ended by itself meanwhile
            server.sql(f"KILL {number}")
