"""Reads of several tables that are asked for together are the same as each alone, on every database."""

from __future__ import annotations

import random

from gluon.spi import tables
from gluon.spi.store import Along, Beside, Changes, Filter, Match, Order, Select, View, Wanted
from tests.contract.store.conftest import Opener
from tests.contract.store.world import NETWORK, Unit, column, draft, network, text

PART = tables.Table(
    name="Part",
    columns=(text("id", nullable=False), text("network"), column("up", tables.ColumnType.BOOLEAN)),
    key=("id",),
    indexes=(("network",),),
)
WHOLE: Wanted = tuple(c.name for c in NETWORK.columns)
PARTS: Wanted = (
    "id",
    "up",
    Beside(table="Part", key="id", column="network", missing="-"),
    Along(table="Part", column="network", columns=("id", "up")),
)
READS: list[tuple[Select, Wanted]] = [
    (Select(table="Network", equals=(("id", "t1"),)), WHOLE),
    (Select(table="Network", equals=(("size", 1),)), PARTS),
    (Select(table="Network", equals=(("id", "nobody"),)), PARTS),
    (Select(table="Network", filters=(Filter(column="id", match=Match.EQUAL, values=("t3", "t0")),)), PARTS),
    (Select(table="Part", equals=(("network", "t2"),)), ("id", "network", "up")),
    (Select(table="Part", since="p2", limit=3), ("up", "id")),
    (Select(table="Network", order=(Order(column="name", descending=True),), limit=2), ("id", "name")),
    # reads all, and can match nothing
    (Select(table="Network", filters=(Filter(column="share", match=Match.MORE, values=(0.4,)),)), WHOLE),
    (Select(table="Network", equals=(("name", "\ud800"),)), WHOLE),
]


async def test_each_is_told_its_own(url: str, opener: Opener) -> None:
    db = await opener(url, wanted=[NETWORK, PART])

    def decide(_: View) -> Changes:
        changes = Changes(entries=[draft("all")])
        for n in range(5):
            fields = {"size": n % 3, "share": n / 4, "up": (True, False, None)[n % 3]}
            changes.put("Network", network(f"t{n}", f"?$1'{n}", notes=None if n == 1 else "[1]", **fields))
            changes.put("Part", {"id": f"p{n}", "network": f"t{n // 2}", "up": n % 2 == 0})
        return changes

    await db.submit(Unit(decide))
    alone = [[tuple(line) for line in await db.values(*read)] for read in READS]
    assert [len(lines) for lines in alone] == [1, 3, 0, 3, 1, 3, 2, 3, 0]
    assert await db.several([]) == []
    chance = random.Random(1)
    for _ in range(60):
        some = chance.choices(range(len(READS)), k=chance.randint(1, 4))
        for _ in range(4):  # a combination that comes often is one statement
            found = await db.several([READS[n] for n in some])
            for lines, n in zip(found, some, strict=True):
                assert [line[0] for line in lines] == [line[0] for line in alone[n]], n
                assert sorted(map(tuple, lines), key=str) == sorted(alone[n], key=str), n
