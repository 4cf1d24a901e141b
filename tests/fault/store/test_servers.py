"""The database server crashes, hangs or is wiped while work goes on; SQLite's process is killed."""

from __future__ import annotations

import asyncio
import sys
import time
from asyncio.subprocess import PIPE
from collections.abc import Iterator
from pathlib import Path

import pytest

from gluon import errors, store
from gluon.spi.store import Committed, Select
from gluon.testing.fixtures import require_programs
from gluon.testing.servers import MariadbServer, PostgresServer
from tests.contract.store import world
from tests.contract.store.world import create, network

pytestmark = pytest.mark.fault

Server = PostgresServer | MariadbServer


@pytest.fixture(params=["postgresql", "mariadb"])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """A server of the test's own, to be broken."""
    if request.param == "postgresql":
        require_programs("initdb", "postgres", "psql")
        with PostgresServer() as postgres:
            yield postgres
    else:
        require_programs("mariadb-install-db", "mariadbd", "mariadb")
        with MariadbServer() as mariadb:
            yield mariadb


async def write_on(db: store.SqlStore, name: str, answered: list[str], stop: asyncio.Event) -> int:
    """One client that creates and repeats what was refused. How often it heard "not now"."""
    number = refused = 0
    while not stop.is_set():
        key = f"{name}-{number}"
        try:
            await db.submit(create(network(key, key)))
        except errors.OutcomeUnknown:
            number += 1
        except errors.Unavailable:
            refused += 1
            await asyncio.sleep(0.05)
        else:
            answered.append(key)
            number += 1
    return refused


async def until_more(answered: list[str], more: int) -> None:
    aim = len(answered) + more
    async with asyncio.timeout(60):
        while len(answered) < aim:
            await asyncio.sleep(0.02)


async def test_a_crash_of_the_server_loses_nothing_that_was_answered(server: Server) -> None:
    db = store.open(server.url(server.create_database("crash")))
    await db.install(world.TABLES, ())
    answered: list[str] = []
    stop = asyncio.Event()
    clients = [asyncio.create_task(write_on(db, f"c{n}", answered, stop)) for n in range(8)]
    for _ in range(2):
        await until_more(answered, 100)
        server.kill9()
        await asyncio.to_thread(server.start)
    await until_more(answered, 100)
    stop.set()
    await asyncio.gather(*clients)
    rows = {str(r["id"]) for r in await db.select(Select(table="Network"))}
    entries = [e.key for e in await db.tail(0, limit=1_000_000)]
    assert set(answered) <= rows == set(entries) and len(entries) == len(rows)
    await db.close()


async def test_a_server_that_hangs_is_unavailable_until_it_is_back(server: Server) -> None:
    settings = store.Settings(lock_timeout=1, statement_timeout=1, patience=1)
    db = store.open(server.url(server.create_database("hang")), settings)
    await db.install(world.TABLES, ())
    await db.submit(create(network("before", "before")))
    server.pause()
    try:
        began = time.monotonic()
        done = await asyncio.wait_for(
            asyncio.gather(
                db.submit(create(network("during", "during"))),
                db.get("Network", "before"),
                return_exceptions=True,
            ),
            40,
        )
        hung = time.monotonic() - began
    finally:
        server.resume()
    # A server whose sessions are processes of their own may go on answering those that it has.
    assert all(isinstance(d, errors.Unavailable | Committed | dict) for d in done)
    assert hung < 30
    async with asyncio.timeout(60):
        while True:
            try:
                await db.submit(create(network("after", "after")))
                break
            except errors.Unavailable:
                await asyncio.sleep(0.1)
    assert await db.get("Network", "before") == network("before", "before")
    await db.close()


async def test_an_older_dump_is_another_history(server: Server) -> None:
    """The database is replaced under the store: it goes on, and a rebase jumps beyond what was seen."""
    name = server.create_database("restored")
    db = store.open(server.url(name))
    await db.install(world.TABLES, ())
    await db.submit(create(network("kept", "kept")))
    dump = server.dump(name)
    lost = await db.submit(create(network("lost", "lost")))
    await db.close()
    server.restore(name, dump)
    db = store.open(server.url(name))
    await db.install(world.TABLES, ())
    assert (await db.position()).revision < lost.revision
    old = await db.position()
    new = await db.rebase(lost.revision)
    assert new.incarnation != old.incarnation and new.revision > lost.revision + 999_999
    again = await db.submit(create(network("lost", "again")))
    assert again.revision > new.revision
    assert [r["id"] for r in await db.select(Select(table="Network"))] == ["kept", "lost"]
    await db.close()


async def test_a_killed_process_leaves_its_sqlite_file_whole(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/gluon.db"
    answered: set[str] = set()
    for n in range(3):
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.contract.store.child", url, f"w{n}", "100000", stdout=PIPE
        )
        assert child.stdout is not None
        async with asyncio.timeout(60):
            for _ in range(150):
                answered.add((await child.stdout.readline()).decode().strip())
        child.kill()
        out, _ = await child.communicate()
        # The last line may be torn by the kill.
        answered |= set(out.decode().split("\n")[:-1]) - {""}
    db = store.open(url)
    await db.install(world.TABLES, ())
    keys = [e.key for e in await db.tail(0, limit=1_000_000)]
    assert answered <= set(keys) and len(keys) == len(set(keys))
    assert {str(r["id"]) for r in await db.select(Select(table="Network"))} == set(keys)
    await db.close()
