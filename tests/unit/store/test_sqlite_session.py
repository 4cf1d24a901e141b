"""SQLite's writer decides by the state that the batch before has left, and writes only where that state is still there."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from gluon import errors, store
from gluon.spi.store import Committed, Select, StoredModel
from tests.contract.store.world import TABLES, network, put


async def test_another_state_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "db.sqlite"
    db = store.open(f"sqlite:///{path}")
    try:
        await db.install(TABLES, ())
        first = await db.submit(put(("Network", network("1", "a"))))
        with sqlite3.connect(path, isolation_level=None) as other:
            other.execute("UPDATE gluon_writer SET revision = revision + 10")
        other.close()
        second = await db.submit(put(("Network", network("2", "b"))))
        assert second.revision == first.revision + 11
        with sqlite3.connect(path, isolation_level=None) as other:
            other.execute("UPDATE gluon_writer SET epoch = epoch + 1")
        other.close()
        with pytest.raises(errors.StaleModel):
            await db.submit(put(("Network", network("3", "c"))))
        assert [row["id"] for row in await db.select(Select(table="Network"))] == ["1", "2"]
    finally:
        await db.close()


async def test_who_writes_after_an_install_meets_no_older_state(tmp_path: Path) -> None:
    db = store.open(f"sqlite:///{tmp_path / 'db.sqlite'}")
    try:
        for number in range(3):
            await db.install(TABLES, [StoredModel(api=f"m{number}", version="1.0", digest="", document="{}")])
            await db.submit(put(("Network", network(str(number), str(number)))))
        assert len(await db.select(Select(table="Network"))) == 3
    finally:
        await db.close()


async def test_what_is_refused_leaves_nothing_begun(tmp_path: Path) -> None:
    path = tmp_path / "db.sqlite"
    db = store.open(f"sqlite:///{path}")
    try:
        await db.install(TABLES, ())
        first = await db.submit(put(("Network", network("1", "a"))))
        with pytest.raises(errors.Conflict):
            await db.submit(put(("Network", network("2", "a"))))
        with sqlite3.connect(path, isolation_level=None, timeout=0) as other:  # nobody has the lock
            other.execute("BEGIN IMMEDIATE")
            other.execute("ROLLBACK")
        other.close()
        second: Committed = await db.submit(put(("Network", network("3", "c"))))
        assert second.revision == first.revision + 1
    finally:
        await db.close()
