"""Servers that stop, forget or go back; relays that are killed: at the end etcd is the database's picture."""

import asyncio
import os
import random
import shutil
import sqlite3
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gluon import store
from gluon.kv.connect import connect
from gluon.objects import keys
from gluon.publisher import cursor
from gluon.publisher.stats import Stats
from gluon.spi import bus
from gluon.testing.fixtures import require_programs
from gluon.testing.process import Daemon
from gluon.testing.servers import EtcdServer
from tests.unit.publisher.parts import (
    PREFIX,
    THING,
    Picture,
    Write,
    assert_converges,
    content,
    eventually,
    published,
    relay_of,
    running,
)

pytestmark = pytest.mark.fault
ROOT = Path(__file__).parents[3]


@pytest.fixture
def etcd() -> Iterator[EtcdServer]:
    """An etcd that the test may break."""
    require_programs("etcd", "etcdctl")
    with EtcdServer() as server:
        yield server


@pytest.fixture
async def target(etcd: EtcdServer) -> AsyncIterator[bus.Bus]:
    made = connect([etcd.url], timeout=4.0, progress=0.5)
    yield made
    await made.close()


@asynccontextmanager
async def opened(path: Path) -> AsyncIterator[store.SqlStore]:
    made = store.open(f"sqlite:///{path}")
    await made.install((THING,), ())
    try:
        yield made
    finally:
        await made.close()


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[store.SqlStore]:
    async with opened(tmp_path / "gluon.db") as made:
        yield made


async def write_some(database: store.SqlStore, word: str, count: int = 50) -> None:
    await asyncio.gather(
        *(database.submit(Write({f"t{n % 37}": None if n % 7 == 3 else f"{word} {n}"})) for n in range(count))
    )


async def in_thread(act: object, *args: object) -> None:
    assert callable(act)
    await asyncio.to_thread(act, *args)


async def test_etcd_stopped_for_a_while(database: store.SqlStore, target: bus.Bus, etcd: EtcdServer) -> None:
    stats = Stats()
    async with running(relay_of(database, target, stats=stats)):
        await write_some(database, "before")
        await assert_converges(database, target)
        await in_thread(etcd.stop)
        await write_some(database, "meanwhile")

        async def noticed() -> bool:
            return stats.lag_seconds() > 0

        await eventually(noticed, "the lag is seen")
        await in_thread(etcd.start)
        await assert_converges(database, target)
    assert stats.resyncs == {"missing": 1}
    assert stats.rebases == 0


async def test_etcd_killed_while_much_is_written(
    database: store.SqlStore, target: bus.Bus, etcd: EtcdServer
) -> None:
    going_on = True

    async def write() -> None:
        number = 0
        while going_on:
            number += 1
            await write_some(database, str(number), count=20)

    stats = Stats()
    async with running(relay_of(database, target, stats=stats)):
        writer = asyncio.create_task(write())
        for _ in range(3):
            await asyncio.sleep(random.random())
            await in_thread(etcd.kill9)
            await in_thread(etcd.start)
        going_on = False
        await writer
        await assert_converges(database, target)
    assert stats.rebases == 0


@pytest.mark.parametrize("same_cluster", [True, False])
async def test_etcd_wiped(
    database: store.SqlStore, target: bus.Bus, etcd: EtcdServer, same_cluster: bool
) -> None:
    stats = Stats()
    async with running(relay_of(database, target, stats=stats)):
        await write_some(database, "before")
        await assert_converges(database, target)
        await asyncio.to_thread(etcd.wipe, same_cluster=same_cluster)
        await write_some(database, "after")
        await eventually(lambda: published(database, target), "all published")
        await assert_converges(database, target)
    assert stats.resyncs["missing"] == 2
    assert stats.rebases == 0


@pytest.mark.parametrize("writes_after", [False, True])
async def test_etcd_restored_to_an_older_snapshot_is_relayed_from_its_cursor(
    database: store.SqlStore, target: bus.Bus, etcd: EtcdServer, writes_after: bool
) -> None:
    """Content and cursor of a snapshot belong together, so nothing but the rest of the journal is needed."""
    stats = Stats()
    async with running(relay_of(database, target, stats=stats)):
        await write_some(database, "first")
        await assert_converges(database, target)
        snapshot = await asyncio.to_thread(etcd.snapshot)
        then = await content(target, Picture())
        await database.submit(Write({f"later{n}": "x" for n in range(300)}))
        await write_some(database, "second")
        await assert_converges(database, target)
        assert await content(target, Picture()) != then
        await in_thread(etcd.restore, snapshot)
        if writes_after:
            await write_some(database, "third")
        await assert_converges(database, target)
    assert stats.resyncs == {"missing": 1}
    assert stats.rebases == 0


async def test_etcd_restored_to_a_snapshot_older_than_the_journal_is_resynced(
    database: store.SqlStore, target: bus.Bus, etcd: EtcdServer
) -> None:
    stats = Stats()
    relay = relay_of(database, target, stats=stats)
    async with running(relay):
        await write_some(database, "first")
        await assert_converges(database, target)
        snapshot = await asyncio.to_thread(etcd.snapshot)
        await database.submit(Write({f"later{n}": "x" for n in range(300)}))
        await assert_converges(database, target)
        assert relay.reached is not None
        await database.trim(below=relay.reached.revision, keep_seconds=0, keep_rows=0)
        await in_thread(etcd.restore, snapshot)
        await assert_converges(database, target)
    assert stats.resyncs == {"missing": 1, "trimmed": 1}
    assert stats.rebases == 0


@pytest.mark.parametrize("writes_after", [0, 3, 400])
async def test_a_database_restored_to_an_older_dump(
    target: bus.Bus, tmp_path: Path, writes_after: int
) -> None:
    """A copy of the file is put back; with 400 writes more its revisions have passed etcd's again."""
    path, dump, stats = tmp_path / "gluon.db", tmp_path / "dump.db", Stats()
    hooks: list[str] = []
    async with opened(path) as database, running(relay_of(database, target)):
        await write_some(database, "kept")
        with sqlite3.connect(path) as source, sqlite3.connect(dump) as copy:
            source.backup(copy)
        copy.close()
        source.close()
        await write_some(database, "lost")
        await database.submit(Write({"never seen again": "x"}))
        await assert_converges(database, target)
        before = await database.position()
    for leftover in tmp_path.glob("gluon.db*"):
        leftover.unlink()
    shutil.copy(dump, path)

    async with opened(path) as database:

        async def on_rebase() -> None:
            hooks.append((await database.position()).incarnation)

        for n in range(writes_after):
            await database.submit(Write({f"w{n}": "x"}))
        async with running(relay_of(database, target, on_rebase=on_rebase, stats=stats)):
            await assert_converges(database, target)
            await write_some(database, "after")
            await assert_converges(database, target)
        after = await database.position()
    assert stats.rebases == 1
    assert hooks == [after.incarnation]
    assert after.incarnation != before.incarnation
    assert after.revision > before.revision + 1_000_000
    assert PREFIX + "Thing/never%20seen%20again" not in await content(target, Picture())


async def test_relay_processes_killed_mid_way(
    postgres_url: str, target: bus.Bus, etcd: EtcdServer, tmp_path: Path
) -> None:
    """Two relays at once, each killed at any moment and started again, while much is written."""
    database = store.open(postgres_url)
    await database.install((THING,), ())
    script = Path(__file__).with_name("relay_process.py")
    env = {**os.environ, "PYTHONPATH": f"{ROOT}/src:{ROOT}"}
    relays = [
        Daemon([sys.executable, str(script), postgres_url, etcd.url], log=tmp_path / f"relay{n}.log", env=env)
        for n in range(2)
    ]
    try:
        for relay in relays:
            relay.start()
        for number in range(6):
            await write_some(database, f"round {number}", count=200)
            await database.submit(Write({f"big{n}": str(number) for n in range(300)}))
            await eventually(lambda: moved(target), "a relay is at work")
            await asyncio.sleep(random.random() * 0.3)
            victim = relays[number % 2]
            await in_thread(victim.kill9)
            victim.start()
        await eventually(lambda: published(database, target), "all published", limit=120)
        await assert_converges(database, target)
        position = await database.position()
        assert position.revision < 1_000_000, "no relay may have taken history for broken"
    finally:
        for relay in relays:
            await in_thread(relay.kill9)
        await database.close()


async def moved(target: bus.Bus) -> bool:
    value = await target.get(keys.RELAY_CURSOR)
    return value is not None and cursor.parse(value.value) is not None
