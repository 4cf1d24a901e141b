"""How PostgreSQL and MariaDB read pages out of many rows: by an index to the limit, and never sorting a table."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from gluon import store
from gluon.spi import tables
from gluon.spi.store import Filter, Match, Order, Row, Select
from gluon.store import pages
from tests.contract.store.conftest import Opener
from tests.contract.store.world import column, text

MANY = 20_000
PROJECTS = 40
PAGE = 100
READ = 40 * PAGE
"""Rows that it may look at for a page: a small project that is sorted has some more than a page; a table has 200 pages."""

ITEM = tables.Table(
    name="Item",
    columns=(
        text("id", nullable=False),
        text("_project", 64),
        text("name", 64),
        column("size", tables.ColumnType.INTEGER),
        text("note"),
        text("holder"),
    ),
    key=("id",),
    indexes=(("_project", "id"), ("name", "id"), ("size", "id")),
    sparse=(("holder",),),
)
FILL = 'INSERT INTO "Item" (id, _project, name, size, note, holder) SELECT {id}, {project}, {name}, {size}, {note}, {holder} FROM ({numbers}) AS g'
POSTGRES = FILL.format(
    id="md5(i::text)", project=f"'p' || i % {PROJECTS}", name=f"'n' || i % {MANY // 10}", note="'x'",
    size="CASE WHEN i % 2 = 0 THEN i END", holder="CASE WHEN i % 100 = 0 THEN 'h' || i END", numbers=f"SELECT generate_series(1, {MANY}) AS i",
)  # fmt: skip
MARIADB = FILL.format(
    id="MD5(seq)", project=f"CONCAT('p', seq % {PROJECTS})", name=f"CONCAT('n', seq % {MANY // 10})", note="'x'",
    size="IF(seq % 2 = 0, seq, NULL)", holder="IF(seq % 100 = 0, CONCAT('h', seq), NULL)", numbers=f"SELECT seq FROM seq_1_to_{MANY}",
)  # fmt: skip


@pytest.fixture
async def filled(shared_url: str, opener: Opener) -> store.SqlStore:
    db = await opener(shared_url, wanted=[ITEM])
    made = POSTGRES if shared_url.startswith("postgres") else MARIADB
    async with db._locked() as connection:
        await connection.execute(made)
    async with db._locked() as connection:
        await connection.execute(
            'ANALYZE "Item"' if made is POSTGRES else 'ANALYZE TABLE "Item" PERSISTENT FOR ALL'
        )
    return db


BY_NAME, BY_SIZE = (Order(column="name"),), (Order(column="size"),)
BACK_BY_NAME, BACK_BY_SIZE = ((Order(column=n, descending=True),) for n in ("name", "size"))
MIDDLE: Row = {
    "id": "8" * 32,
    "name": "n1500",
    "size": MANY // 2,
    "_project": "p1",
    "note": "x",
    "holder": None,
}
NONE: Row = {**MIDDLE, "size": None}
ONE = (Filter(column="name", match=Match.EQUAL, values=("n77",)),)
HELD = (Filter(column="holder", match=Match.EQUAL, values=("h100", "h300")),)
BEGUN = (Filter(column="name", match=Match.BEGINS, values=("n77",)),)

CASES: dict[str, Select] = {
    "first": Select(table="Item", limit=PAGE),
    "behind a key": Select(table="Item", after="8" * 32, limit=PAGE),
    "of a project": Select(table="Item", project="p1", limit=PAGE),
    "of a project behind a key": Select(table="Item", project="p1", after="8" * 32, limit=PAGE),
    "by name": Select(table="Item", order=BY_NAME, limit=PAGE),
    "by name, back": Select(table="Item", order=BACK_BY_NAME, limit=PAGE),
    "by name behind the middle": Select(table="Item", order=BY_NAME, start=MIDDLE, limit=PAGE),
    "by name behind the middle, back": Select(table="Item", order=BACK_BY_NAME, start=MIDDLE, limit=PAGE),
    "by size": Select(table="Item", order=BY_SIZE, limit=PAGE),
    "by size, back": Select(table="Item", order=BACK_BY_SIZE, limit=PAGE),
    "by size behind the middle": Select(table="Item", order=BY_SIZE, start=MIDDLE, limit=PAGE),
    "by size behind the middle, back": Select(table="Item", order=BACK_BY_SIZE, start=MIDDLE, limit=PAGE),
    "by size behind none": Select(table="Item", order=BY_SIZE, start=NONE, limit=PAGE),
    "by size behind none, back": Select(table="Item", order=BACK_BY_SIZE, start=NONE, limit=PAGE),
    "by name of a project": Select(table="Item", project="p1", order=BY_NAME, limit=PAGE),
    "by name of a project behind the middle": Select(
        table="Item", project="p1", order=BACK_BY_NAME, start=MIDDLE, limit=PAGE
    ),
    "of a name": Select(table="Item", filters=ONE, limit=PAGE),
    "of a name, of a project": Select(table="Item", project="p1", filters=ONE, limit=PAGE),
    "of two holders": Select(table="Item", filters=HELD),
    "of a holder": Select(table="Item", equals=(("holder", "h200"),)),
    "of names that begin so": Select(table="Item", filters=BEGUN, limit=PAGE),
}
WALKED = {"by size behind none, back"}
"""MariaDB reads all objects without a value that stand before the marker."""


async def test_pages_are_read_by_an_index(filled: store.SqlStore) -> None:
    """One test for all: the table is filled once."""
    wrong = {}
    walked = WALKED if filled._database.dialect.name == "mysql" else set()
    for name, query in CASES.items():
        found = pages.read(filled._database.dialect, filled._shape("Item"), query)
        assert found is not None and not found[2], name
        looked = await explained(filled, found[0], found[1])
        assert len(await filled.select(query)) <= PAGE
        if looked > READ and name not in walked:
            wrong[name] = looked
    assert not wrong


async def test_what_no_index_serves_is_known(filled: store.SqlStore) -> None:
    odd = Filter(column="note", match=Match.EQUAL, values=("y",))
    for query in (
        Select(table="Item", filters=(odd,), limit=PAGE),
        Select(table="Item", order=(Order(column="note"),), limit=PAGE),
    ):
        found = pages.read(filled._database.dialect, filled._shape("Item"), query)
        assert found is not None and found[2]
        assert await explained(filled, found[0], found[1]) > READ


async def explained(db: store.SqlStore, sql: str, args: Any) -> int:
    """How many rows the database looks at as it runs the statement."""
    connection = await db._database.reader()
    try:
        if db._database.dialect.name == "postgresql":
            said = (await connection.fetch(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", *args))[0][0]
            return round(sum(_looked(json.loads(said)[0]["Plan"])))
        await connection.fetch("FLUSH STATUS")
        await connection.fetch(sql, *args)
        return sum(int(n) for _, n in await connection.fetch("SHOW SESSION STATUS LIKE 'Handler_read%'"))
    finally:
        connection.kill()


def _looked(node: dict[str, Any]) -> Iterator[float]:
    if "Relation Name" in node or "Index Name" in node:
        gone = sum(node.get(f"Rows Removed by {why}", 0) for why in ("Filter", "Index Recheck"))
        yield (node["Actual Rows"] + gone) * node["Actual Loops"]
    for below in node.get("Plans", ()):
        yield from _looked(below)
