"""SQLite writes several rows a statement, in few sizes: each number of rows arrives whole."""

from __future__ import annotations

from pathlib import Path

from gluon import store
from gluon.spi import tables
from gluon.spi.store import Row, Select
from tests.contract.store.world import TABLES, network, put, text

WIDE = tables.Table(
    name="Wide", columns=(text("id", nullable=False), *(text(f"c{n}") for n in range(300))), key=("id",)
)
COUNTS = (1, 2, 3, 4, 5, 15, 16, 17, 20, 21, 63, 64, 65, 84, 85, 150)


async def test_any_number_of_rows_is_written(tmp_path: Path) -> None:
    db = store.open(f"sqlite:///{tmp_path}/db.sqlite")
    try:
        await db.install((*TABLES, WIDE), ())
        for count in COUNTS:
            rows = [network(f"{count}-{n:03}", f"{count}-{n}", size=count) for n in range(count)]
            done = await db.submit(put(*(("Network", row) for row in rows)))
            assert await db.select(Select(table="Network", equals=(("size", count),))) == rows
            changed = [{**row, "notes": "other"} for row in rows]
            await db.submit(put(*(("Network", row) for row in changed)))
            assert await db.select(Select(table="Network", equals=(("size", count),))) == changed
            assert len(await db.tail(done.revision - 1, limit=count)) == count
        wide: list[Row] = [{"id": f"{n:02}", **{f"c{m}": f"{n}.{m}" for m in range(300)}} for n in range(21)]
        await db.submit(put(*(("Wide", row) for row in wide)))
        assert await db.select(Select(table="Wide")) == wide
    finally:
        await db.close()
