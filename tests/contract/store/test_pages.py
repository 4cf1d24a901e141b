"""Filters, orders and pages mean the same on every database: what a few lines of Python say they mean."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import replace
from functools import cmp_to_key
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from gluon import errors, store
from gluon.spi import tables
from gluon.spi.store import Along, Beside, Changes, Filter, Match, Order, Row, Select, Value, View, Wanted
from tests.contract.store.conftest import Opener
from tests.contract.store.world import Unit, column, draft, text

ITEM = tables.Table(
    name="Item",
    columns=(
        text("id", nullable=False),
        text("_project", 64),
        text("name", 255),
        text("long", 4000),
        column("notes", tables.ColumnType.DOCUMENT),
        column("size", tables.ColumnType.INTEGER),
        column("share", tables.ColumnType.NUMBER),
        column("up", tables.ColumnType.BOOLEAN),
        text("address"),
        text("prefix"),
    ),
    key=("id",),
    indexes=(("_project", "id"),),
)
SAID = tables.Table(
    name="Said", columns=(text("item", nullable=False), text("word", 8, nullable=False)), key=("item",)
)
BESIDE = Beside(table="Said", key="item", column="word", missing="DOWN")
ASKED = Beside(table="Said", key="item", column="word", missing="DOWN", told_by="size")
THROUGH = Beside(table="Said", key="item", column="word", missing="DOWN", of="name")
SHOWN: tuple[str | Beside, ...] = (
    *(c.name for c in ITEM.columns if c.name != "long"),
    BESIDE,
    ASKED,
    THROUGH,
)
NAMES = ["", "a", "A", "b", "ab", "a b", "a ", " a", "a%", "a_c", "ä", "Ä", "ß", "ss", "z", "é", "e\u0301",
         "\uffff", "\U0001f600", "\ud7ff", "\U0010ffff", "\U0010ffffx", "'", "\\", "?", "a?b", None]  # fmt: skip
SIZES: list[Value] = [-(2**63), -1, 0, 1, 9, 10, 2**63 - 1, None]
SHARES: list[Value] = [-1.5, 0.0, 0.1, 2.0, 1e300, None]
ADDRESSES: list[Value] = ["10.0.0.1", "10.0.0.10", "10.0.0.9", "10.1.0.1", "192.0.2.1", "::ffff:10.0.0.1",
                          "2001:db8::1", "2001:db8:0:1::1", "::", "0.0.0.0", "255.255.255.255", None]  # fmt: skip
PREFIXES: list[Value] = ["10.0.0.0/8", "10.0.0.0/9", "10.0.0.0/24", "10.16.0.0/12", "0.0.0.0/0", "::/0",
                         "2001:db8::/32", "2001:db8::/48", "10.0.0.1/32", "2001:db8::1/128", None]  # fmt: skip
COLUMNS: dict[str, list[Any]] = {
    "name": NAMES, "long": NAMES, "notes": NAMES, "size": SIZES, "share": SHARES, "up": [True, False, None],
    "address": ADDRESSES, "prefix": PREFIXES,
}  # fmt: skip
SINCE: list[Value] = [None, "A", "a050", "a999", "\u00e4"]
TEXTS = ("name", "long", "notes")
SORTED = ("id", "name", "size", "share", "up", "address", "_project")


def rows(chance: random.Random, number: int) -> list[Row]:
    return [
        {
            "id": f"{'aAbäZ'[n % 5]}{n:03}",
            "_project": chance.choice([None, "p", "q"]),
            **{name: chance.choice(values) for name, values in COLUMNS.items()},
        }
        for n in range(number)
    ]


def condition(chance: random.Random) -> Filter:
    name = chance.choice(list(COLUMNS))
    kinds = [Match.EQUAL, Match.UNLIKE]
    if name in ("address", "prefix"):
        kinds.append(Match.WITHIN)
    elif name != "up":
        kinds += [Match.LESS, Match.AT_MOST, Match.MORE, Match.AT_LEAST]
    if name in TEXTS:
        kinds += [Match.CONTAINS, Match.BEGINS]
    match = chance.choice(kinds)
    values = COLUMNS[name]
    if match is Match.EQUAL:
        return Filter(column=name, match=match, values=tuple(chance.sample(values, chance.randint(1, 3))))
    if match is Match.WITHIN:
        return Filter(column=name, match=match, values=(chance.choice([p for p in PREFIXES if p]),))
    if match is not Match.UNLIKE:
        values = [v for v in values if v is not None]
    return Filter(column=name, match=match, values=(chance.choice(values),))


def holds(row: Row, one: Filter) -> bool:
    held: Any = row[one.column]
    value: Any = one.values[0]
    if one.match is Match.EQUAL:
        return held in one.values
    if one.match is Match.UNLIKE:
        return bool(held != value)
    if held is None:
        return False
    if one.match is Match.WITHIN:
        inner, outer = ip_network(held), ip_network(value)
        return inner.version == outer.version and inner.subnet_of(outer)  # type: ignore[arg-type]
    tests: dict[Match, Callable[[], Any]] = {
        Match.LESS: lambda: held < value, Match.AT_MOST: lambda: held <= value,
        Match.MORE: lambda: held > value, Match.AT_LEAST: lambda: held >= value,
        Match.CONTAINS: lambda: value in held, Match.BEGINS: lambda: held.startswith(value),
    }  # fmt: skip
    return bool(tests[one.match]())


def expected(all_rows: list[Row], query: Select) -> list[Row]:
    def compare(one: Row, other: Row) -> int:
        for order in (
            *query.order,
            Order(column="id", descending=bool(query.order) and query.order[-1].descending),
        ):
            a, b = one[order.column], other[order.column]
            if a != b:
                less = a is None or (b is not None and a < b)  # type: ignore[operator]
                return 1 if less == order.descending else -1
        return 0

    scope = (None, query.project)
    found = [r for r in all_rows if query.project is None or r["_project"] in scope]
    return sorted((r for r in found if all(holds(r, f) for f in query.filters)), key=cmp_to_key(compare))


async def test_pages_as_python_says(url: str, opener: Opener) -> None:
    chance = random.Random(7)
    made = rows(chance, 150)
    words = {row["id"]: "UP" for row in made if chance.random() < 0.5}
    words |= dict.fromkeys(("a", "Ä", "a ", ""), "NAMED")
    db = await opener(url, wanted=[ITEM, SAID])

    def decide(_: View) -> Changes:
        changes = Changes(entries=[draft("all")])
        for row in made:
            changes.put("Item", row)
        for key, word in words.items():
            changes.put("Said", {"item": key, "word": word})
        return changes

    await db.submit(Unit(decide))
    for _ in range(400):
        query = Select(
            table="Item",
            project=chance.choice([None, "p", "q", "nobody"]),
            filters=tuple(condition(chance) for _ in range(chance.choice([0, 1, 1, 2]))),
            order=tuple(
                Order(column=name, descending=chance.random() < 0.5)
                for name in chance.sample(SORTED, chance.randint(0, 3))
            ),
        )
        wanted = expected(made, query)
        assert await db.count(query) == len(wanted), query
        assert list(await db.select(query)) == wanted, query
        some = replace(
            query, limit=chance.choice([None, 7]), since=None if query.order else chance.choice(SINCE)
        )
        assert [tuple(line) for line in await db.values(some, SHOWN)] == lines(wanted, some, words), some
        await in_pages(db, query, wanted, chance.randint(1, 40))


async def test_rows_of_another_table_along(url: str, opener: Opener) -> None:
    """A row comes with each row that names it and once where none does; of what that says there is what is beside it."""
    more = tables.Table(
        name="More",
        columns=(
            text("id", nullable=False),
            text("item"),
            tables.Column(name="up", type=tables.ColumnType.BOOLEAN),
        ),
        key=("id",),
        indexes=(("item",),),
    )
    db = await opener(url, wanted=[ITEM, SAID, more])
    blank: Row = dict.fromkeys(c.name for c in ITEM.columns)

    def decide(_: View) -> Changes:
        changes = Changes(entries=[draft("all")])
        for n in range(4):
            changes.put(
                "Item", {**blank, "id": f"i{n}", "name": f"n{n}", "up": n % 2 == 0, "_project": "pq"[n % 2]}
            )
        for key, item, up in (
            ("m1", "i0", True),
            ("m2", "i2", False),
            ("m3", "i0", None),
            ("m4", None, True),
        ):
            changes.put("More", {"id": key, "item": item, "up": up})
        changes.put("Said", {"item": "m1", "word": "UP"})
        return changes

    await db.submit(Unit(decide))
    said = Beside(table="Said", key="item", column="word", missing="-", of="id")
    wanted: Wanted = (
        "id",
        BESIDE,
        "up",
        Along(table="More", column="item", columns=("id", "up"), beside=(said,)),
    )
    lines_of: dict[str, list[tuple[Value, ...]]] = {
        "i0": [("i0", "DOWN", True, "m1", True, "UP"), ("i0", "DOWN", True, "m3", None, "-")],
        "i1": [("i1", "DOWN", False, None, None, "-")],
        "i2": [("i2", "DOWN", True, "m2", False, "-")],
        "i3": [("i3", "DOWN", False, None, None, "-")],
    }
    some = Filter(column="id", match=Match.EQUAL, values=("i0", "i1", "i2"))
    for query, keys in (
        (Select(table="Item"), "0123"),
        (Select(table="Item", equals=(("id", "i0"),)), "0"),
        (Select(table="Item", project="p"), "02"),
        (Select(table="Item", filters=(some,)), "012"),
        (Select(table="Item", filters=(some,), project="p", limit=1), "0"),
        (Select(table="Item", limit=2), "01"),
    ):
        found = [tuple(line) for line in await db.values(query, wanted)]
        assert sorted(found, key=str) == [line for key in keys for line in lines_of[f"i{key}"]], query
        assert [line[0] for line in found] == sorted(str(line[0]) for line in found), query


async def test_descending_pages_end_with_those_without_a_value(url: str, opener: Opener) -> None:
    """From each object on, also from one without a value: as a whole, in a project, and behind a second column."""
    db = await opener(url, wanted=[ITEM, SAID])
    blank: Row = dict.fromkeys(c.name for c in ITEM.columns)
    sizes: list[Value] = [None, 3, None, 1, 3, None, 2, None]
    made: list[Row] = [
        {**blank, "id": f"i{n}", "_project": "p" if n % 3 else None, "size": size, "up": n % 2 == 0}
        for n, size in enumerate(sizes)
    ]

    def decide(_: View) -> Changes:
        changes = Changes(entries=[draft("all")])
        for row in made:
            changes.put("Item", row)
        return changes

    await db.submit(Unit(decide))
    by_size = (Order(column="size", descending=True),)
    for project in (None, "p"):
        for order in (by_size, (*by_size, Order(column="up"))):
            query = Select(table="Item", project=project, order=order)
            wanted = expected(made, query)
            assert [row["size"] for row in wanted] == [3, 3, 2, 1, None, None, None, None]
            for place, row in enumerate(wanted):
                for limit in (1, 3, None):
                    some = replace(query, start=row, limit=limit)
                    behind = wanted[place + 1 :][:limit]
                    assert list(await db.select(some)) == behind, (some, row["id"])


def lines(wanted: list[Row], query: Select, words: Mapping[Value, str]) -> list[tuple[Value, ...]]:
    """What `values` gives where `select` without limit and beginning gives `wanted`."""
    found = [row for row in wanted if query.since is None or row["id"] >= query.since]  # type: ignore[operator]
    return [
        (
            *(row[c] for c in SHOWN if isinstance(c, str)),
            word,
            "DOWN" if row["size"] is None else word,
            words.get(row["name"], "DOWN"),
        )
        for row in found[: query.limit]
        for word in (words.get(row["id"], "DOWN"),)
    ]


async def in_pages(db: store.SqlStore, query: Select, wanted: list[Row], size: int) -> None:
    """A walk over all pages sees each row once, in order."""
    start: Row | None = None
    if not (query.filters or query.order):
        return
    for place in range(0, len(wanted) + 1, size):
        page = await db.select(
            Select(
                table=query.table,
                project=query.project,
                filters=query.filters,
                order=query.order,
                start=start,
                limit=size,
            )
        )
        assert list(page) == wanted[place : place + size], (query, start)
        start = page[-1] if page else None


async def test_a_value_that_no_row_can_hold(url: str, opener: Opener) -> None:
    db = await opener(url, wanted=[ITEM])
    for value in ("\ud800", "1", True, 2**63):
        one = Filter(column="size", match=Match.EQUAL, values=(value,))
        assert await db.select(Select(table="Item", filters=(one,))) == ()
        assert await db.count(Select(table="Item", filters=(one,))) == 0


async def test_a_page_that_takes_too_long_is_ended(tmp_path: Path, opener: Opener) -> None:
    """The other databases end statements themselves."""
    url = f"sqlite:///{tmp_path}/gluon.db"
    db = await opener(url, store.Settings(statement_timeout=0.01), wanted=[ITEM])
    with closing(sqlite3.connect(tmp_path / "gluon.db")) as raw, raw:
        raw.execute(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200000)"
            " INSERT INTO \"Item\" (id, long) SELECT printf('%09d', i), hex(zeroblob(500)) FROM n"
        )
    odd = Filter(column="long", match=Match.CONTAINS, values=("x",))
    with pytest.raises(errors.TooSlow):
        await db.select(Select(table="Item", filters=(odd,), limit=1))
    assert len(await db.select(Select(table="Item", limit=5))) == 5, "the connection goes on"
