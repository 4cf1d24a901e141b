"""Filters of a watch find the objects that those of a list find."""

import random
from pathlib import Path
from typing import Any

from gluon import store
from gluon.spi import store as spi_store
from gluon.spi import tables
from gluon.spi.store import Filter, Match
from gluon.watch import matching

COLUMNS = {
    "id": tables.ColumnType.TEXT,
    "word": tables.ColumnType.TEXT,
    "count": tables.ColumnType.INTEGER,
    "share": tables.ColumnType.NUMBER,
    "up": tables.ColumnType.BOOLEAN,
    "net": tables.ColumnType.TEXT,
}
TABLE = tables.Table(
    name="thing",
    columns=tuple(tables.Column(name=n, type=t, nullable=n != "id") for n, t in COLUMNS.items()),
    key=("id",),
)
VALUES: dict[str, list[Any]] = {
    "word": ["", "a", "A", "ab", "b%", "_", "ä", "\U0001f600", None],
    "count": [-1, 0, 1, 2**40, None],
    "share": [-0.5, 0.0, 0.5, 2.0, None],
    "up": [True, False, None],
    "net": ["10.0.0.0/8", "10.1.0.0/16", "10.1.2.3", "2001:db8::/32", "2001:db8::1", "192.0.2.1", None],
}
ORDERED = (Match.LESS, Match.AT_MOST, Match.MORE, Match.AT_LEAST)


class Fill:
    who = request_id = ""
    reads: tuple[spi_store.Lookup, ...] = ()

    def __init__(self, rows: list[spi_store.Row]) -> None:
        self._rows = rows

    def decide(self, _view: spi_store.View) -> spi_store.Changes:
        changes = spi_store.Changes()
        for row in self._rows:
            changes.put("thing", row)
        return changes


def some_filter(rng: random.Random) -> Filter:
    column = rng.choice(list(VALUES))
    known = [value for value in VALUES[column] if value is not None]
    if column == "net":
        match = rng.choice((Match.WITHIN, Match.EQUAL, Match.UNLIKE, Match.BEGINS))
        if match is Match.WITHIN:
            known = [value for value in known if "/" in value]
    elif column == "up":
        match = rng.choice((Match.EQUAL, Match.UNLIKE))
    else:
        texts = (Match.CONTAINS, Match.BEGINS) if column == "word" else ()
        match = rng.choice((Match.EQUAL, Match.UNLIKE, *ORDERED, *texts))
    if match is Match.EQUAL:
        return Filter(column=column, match=match, values=tuple(rng.sample(VALUES[column], rng.randint(1, 2))))
    if match is Match.UNLIKE:
        return Filter(column=column, match=match, values=(rng.choice(VALUES[column]),))
    return Filter(column=column, match=match, values=(rng.choice(known),))


async def test_they_agree(tmp_path: Path) -> None:
    rng = random.Random(3)
    database = store.open(f"sqlite:///{tmp_path}/gluon.db")
    await database.install([TABLE], ())
    rows: list[spi_store.Row] = [
        {"id": f"k{n}", **{name: rng.choice(some) for name, some in VALUES.items()}} for n in range(300)
    ]
    await database.submit(Fill(rows))
    names = {name: name for name in COLUMNS}
    for _ in range(600):
        filters = tuple(some_filter(rng) for _ in range(rng.randint(1, 2)))
        found = await database.select(spi_store.Select(table="thing", filters=filters))
        matches = matching.compiled(filters, names)
        assert matches is not None
        assert [row["id"] for row in found] == sorted(str(row["id"]) for row in rows if matches(row)), filters
    await database.close()
