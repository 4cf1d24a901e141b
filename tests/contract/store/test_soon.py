"""What a unit said that the next one looks at is as the database has it, whoever wrote meanwhile."""

from __future__ import annotations

import asyncio
import random

from gluon import store
from gluon.spi.store import Changes, Lookup, Row, View
from tests.contract.store.conftest import Opener
from tests.contract.store.world import Unit, draft, network

SIZES = (1, 2, 3)
KEYS = tuple(f"n{n}" for n in range(6))
READS = [Lookup("Network", ("size",), (size,)) for size in SIZES]
READS += [Lookup("Network", ("id",), (key,)) for key in KEYS]


class Moves:
    """Networks go from size to size, and each unit looks whether all are there."""

    def __init__(self, chance: random.Random, reads: list[Lookup]) -> None:
        self.key, self.size = chance.choice(KEYS), chance.choice(SIZES)
        self.soon = chance.sample(READS, chance.randint(0, len(READS)))
        self.unit = Unit(self.decide, reads=reads)

    def decide(self, view: View) -> Changes:
        view.prefetch(READS)
        sizes = [(row["id"], size) for size in SIZES for row in view.rows("Network", ("size",), (size,))]
        rows = {key: view.get("Network", key) for key in KEYS}
        assert dict(sizes) == {key: row["size"] for key, row in rows.items() if row is not None}
        assert len(sizes) == len(KEYS)
        changes = Changes(entries=[draft(self.key)], soon=self.soon, result=dict(sizes))
        row: Row = {**(rows[self.key] or {}), "size": self.size}
        changes.put("Network", row)
        return changes


async def test_it_is_what_the_database_has(url: str, opener: Opener) -> None:
    chance = random.Random(7)
    first = await opener(url)
    # A file of SQLite is one process's.
    others = [first] if url.startswith("sqlite") else [first, await opener(url)]

    def make(_: View) -> Changes:
        changes = Changes(entries=[draft("all")])
        for key in KEYS:
            changes.put("Network", network(key, size=1))
        return changes

    await first.submit(Unit(make))
    oracle = dict.fromkeys(KEYS, 1)
    for _ in range(150):
        who: store.SqlStore = chance.choice(others) if chance.random() < 0.3 else first
        reads = READS if chance.random() < 0.7 else chance.sample(READS, 3)
        moves = [Moves(chance, reads) for _ in range(chance.choice([1, 1, 1, 4]))]
        done = await asyncio.gather(*(who.submit(one.unit) for one in moves))
        for committed, one in sorted(zip(done, moves, strict=True), key=lambda pair: pair[0].revision):
            assert committed.result == oracle
            oracle[one.key] = one.size


async def test_nobody_asks_the_database_for_it(url: str, opener: Opener) -> None:
    """A unit that declares nothing is decided once, as all it looks at is there; else it is asked again."""
    db = await opener(url)

    def look(view: View, *soon: Lookup) -> Changes:
        rows = view.rows("Network", ("size",), (1,))
        changes = Changes(entries=[draft("a")], soon=soon, result=len(rows))
        changes.put("Network", network("a", size=1))
        return changes

    first = Unit(lambda view: look(view, READS[0]))
    second = Unit(look)
    await db.submit(Unit(look))  # of this state the database is known
    found = [(await db.submit(one)).result for one in (first, second)]
    assert found == [1, 1]
    assert [len(first.asked), len(second.asked)] == [2, 1]
