"""Counts that a process keeps from one batch for the next, where others write as well."""

from __future__ import annotations

import asyncio

from gluon.spi import usage
from gluon.spi.store import Changes, Lookup, View
from gluon.store import SqlStore
from gluon.store.picture import alter
from tests.contract.store.conftest import Opener
from tests.contract.store.world import Unit

KEY = ("p", "net-l2", "Port")
TABLES = (usage.TABLE, usage.LIMITS)
PARTS = ("project", "api", "type")


def one_more() -> Unit:
    def decide(view: View) -> Changes:
        row = view.get(usage.TABLE.name, *KEY)
        n = int(row["n"] or 0) + 1 if row is not None else 1
        changes = Changes(result=n)
        changes.put(usage.TABLE.name, {**dict(zip(PARTS, KEY, strict=True)), "n": n})
        return changes

    return Unit(decide, reads=(Lookup(usage.TABLE.name, PARTS, KEY),))


async def _count(db: SqlStore, times: int, found: list[int]) -> None:
    found += [(await db.submit(one_more())).result for _ in range(times)]


async def test_two_processes_lose_no_count(shared_url: str, opener: Opener) -> None:
    first, second = [await opener(shared_url, wanted=TABLES) for _ in range(2)]
    found: list[int] = []
    await _count(first, 3, found)
    await _count(second, 3, found)
    await _count(first, 1, found)
    assert found == list(range(1, 8))
    await asyncio.gather(*(_count(db, 15, found) for db in (first, second, first, second)))
    assert sorted(found) == list(range(1, 68))


async def test_a_count_that_is_mended_meanwhile_counts_at_once(shared_url: str, opener: Opener) -> None:
    db = await opener(shared_url, wanted=TABLES)
    found: list[int] = []
    await _count(db, 3, found)
    async with alter(shared_url) as picture:
        await picture.fetch("UPDATE gluon_usage SET n = 10")
        await picture.advance()
    await _count(db, 2, found)
    assert found == [1, 2, 3, 11, 12]
