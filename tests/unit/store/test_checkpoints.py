"""SQLite's log is copied beside the writer, and begins anew."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from gluon import store
from gluon.store import checkpoints
from tests.contract.store.world import TABLES, network, put


async def until(told: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not told():
            await asyncio.sleep(0.005)


async def test_a_long_log_is_copied_and_begins_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoints, "_ANEW", 1)
    path = tmp_path / "db.sqlite"

    def connected() -> sqlite3.Connection:
        raw = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        raw.execute("PRAGMA journal_mode = WAL").fetchall()
        raw.execute("PRAGMA wal_autocheckpoint = 0").fetchall()
        return raw

    def copied() -> bool:
        return path.stat().st_size > 500_000

    writer, found = connected(), checkpoints.Checkpoints(connected)
    writer.execute("CREATE TABLE t (x TEXT)")
    writer.executemany("INSERT INTO t VALUES (?)", [("x" * 1000,)] * 500)
    found.wrote(599)
    assert not copied()
    found.wrote(1)
    await until(copied)
    log = Path(f"{path}-wal")
    size = log.stat().st_size
    await until(lambda: found._nearly)
    for _ in range(3):
        found.finish(writer)
        writer.execute("INSERT INTO t VALUES ('x')")
    assert log.stat().st_size == size
    found.close()
    found.join()
    assert writer.execute("SELECT COUNT(*) FROM t").fetchone() == (503,)
    writer.close()


async def test_the_store_has_its_log_copied(tmp_path: Path) -> None:
    path = tmp_path / "db.sqlite"
    db = store.open(f"sqlite:///{path}")
    try:
        await db.install(TABLES, ())
        before = path.stat().st_size
        rows = [network(f"{n:03}", f"{n}", notes="x" * 200) for n in range(400)]
        await db.submit(put(*(("Network", row) for row in rows)))
        await until(lambda: path.stat().st_size > before)
    finally:
        await db.close()
    assert not Path(f"{path}-wal").exists()
