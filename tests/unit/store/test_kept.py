"""Counts, and places in pools, that are kept from one batch for the next: only while nobody else has written."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest

from gluon import pools
from gluon.model import loader
from gluon.model.find import CATALOG as MODELS
from gluon.model.types import AttributeType, Pool
from gluon.particles import tables
from gluon.pools.state import new
from gluon.spi import store, usage
from gluon.store import deciding, kept, shape
from gluon.store.settings import Settings

TABLES = (usage.TABLE, usage.LIMITS, *pools.TABLES)
CATALOG = shape.catalog(1, TABLES, {t.name: [c.name for c in t.columns] for t in TABLES})
KEY = ("p", "net-l2", "Port")
COLUMNS = ("project", "api", "type")
LOOKUPS = tuple(store.Lookup(table.name, COLUMNS, KEY) for table in (usage.TABLE, usage.LIMITS))
SUPPLY = pools.of_model("net-l2", Pool(name="labels", type=AttributeType.INTEGER, ranges=("7-9",)))


class Count:
    reads = LOOKUPS
    who, request_id = "somebody", "r"

    def decide(self, view: store.Batch) -> store.Changes:
        row = view.get(usage.TABLE.name, *KEY)
        n = int(row["n"] or 0) if row is not None else 0
        view.get(usage.LIMITS.name, *KEY)
        changes = store.Changes(result=n)
        changes.put(usage.TABLE.name, {**dict(zip(COLUMNS, KEY, strict=True)), "n": n + 1})
        return changes


class Forget(Count):
    def decide(self, view: store.Batch) -> store.Changes:
        changes = store.Changes()
        changes.delete(usage.TABLE.name, *KEY)
        return changes


class Take(Count):
    reads = tuple(pools.reads(SUPPLY.id))

    def decide(self, view: store.Batch) -> store.Changes:
        session = pools.Session(view)
        changes = store.Changes(result=session.take(SUPPLY, "Port/1/label"))
        session.flush(changes)
        return changes


def _row(n: int) -> store.Row:
    return {**dict(zip(COLUMNS, KEY, strict=True)), "n": n}


async def _batch(
    one: kept.Kept,
    *units: store.Unit,
    first: int,
    there: Mapping[str, store.Row] | None = None,
    incarnation: str = "i",
    epoch: int = 1,
    committed: bool = True,
) -> tuple[list[str], list[object]]:
    """What was read, and what came of each unit."""
    loop = asyncio.get_running_loop()
    waiting = [deciding.Waiting(unit, loop.create_future(), 0.0) for unit in units]
    state = deciding.State(epoch=epoch, incarnation=incarnation, first=first, now="")
    batch = deciding.Deciding(CATALOG, waiting, state, Settings(), nul=False, kept=one)
    read = []
    while True:
        for table, columns, values in batch.wanted():
            read.append(table)
            batch.load(table, columns, values, [there[table]] if there and table in there else [])
        if batch.proceed():
            break
    if committed:
        batch.done()
    outcomes = [outcome for _, outcome in batch.answers]
    assert not [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    return read, [outcome.result for outcome in outcomes if isinstance(outcome, store.Committed)]


async def test_the_next_batch_reads_nothing_again() -> None:
    one = kept.Kept()
    read, counts = await _batch(one, Count(), Count(), first=5)
    assert (sorted(read), counts) == (["gluon_quota", "gluon_usage"], [0, 1])
    assert await _batch(one, Count(), first=7) == ([], [2])
    assert await _batch(one, Forget(), first=8) == ([], [None])
    assert await _batch(one, Count(), first=9) == ([], [0])


async def test_the_next_batch_goes_on_in_a_pool() -> None:
    one = kept.Kept()
    assert await _batch(one, Take(), first=5) == (["gluon_pool"], [7])
    assert await _batch(one, Take(), first=6) == ([], [8])


async def test_what_others_took_of_a_pool_is_not_given_again() -> None:
    one = kept.Kept()
    await _batch(one, Take(), first=5)
    there = {"gluon_pool": {**new(SUPPLY.id, SUPPLY.space), "size": "3", "next": "2", "held": 2}}
    assert await _batch(one, Take(), first=7, there=there) == (["gluon_pool"], [9])


@pytest.mark.parametrize(
    "other", [{"first": 8}, {"first": 5}, {"first": 6, "incarnation": "j"}, {"first": 6, "epoch": 2}]
)
async def test_what_others_may_have_written_is_read_again(other: dict[str, object]) -> None:
    one = kept.Kept()
    await _batch(one, Count(), first=5)
    there = {"gluon_usage": _row(40)}
    read, counts = await _batch(one, Count(), there=there, **other)  # type: ignore[arg-type]
    assert (len(read), counts) == (2, [40])


async def test_what_was_not_committed_is_not_kept() -> None:
    one = kept.Kept()
    await _batch(one, Count(), first=5)
    assert await _batch(one, Count(), first=6, committed=False) == ([], [1])
    assert await _batch(one, Count(), first=6) == ([], [1])
    there = {"gluon_usage": _row(7)}  # had it been, its revision would have been taken
    read, counts = await _batch(one, Count(), first=9, there=there)
    assert (len(read), counts) == (2, [7])


async def test_what_somebody_wrote_by_hand_counts_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(kept, "monotonic", lambda: now)
    one = kept.Kept()
    await _batch(one, Count(), first=5)
    now += 0.6
    assert await _batch(one, Count(), first=6) == ([], [1])
    now += 0.6
    there = {"gluon_usage": _row(40)}
    assert (await _batch(one, Count(), first=7, there=there))[1] == [40]
    assert await _batch(one, Count(), first=8) == ([], [41])


class Counts(Count):
    """Of many projects."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.reads = tuple(store.Lookup(usage.TABLE.name, COLUMNS, (str(n), *KEY[1:])) for n in range(most))

    def decide(self, view: store.Batch) -> store.Changes:
        for n in range(self._most):
            view.get(usage.TABLE.name, str(n), *KEY[1:])
        return store.Changes()


async def test_of_very_many_projects_none_is_kept() -> None:
    for many, read in ((usage.TABLE.kept, []), (usage.TABLE.kept + 1, ["gluon_usage"])):
        one = kept.Kept()
        assert (await _batch(one, Counts(many), first=5))[0] == ["gluon_usage"]
        assert (await _batch(one, Counts(many), first=5))[0] == read


def test_services_are_kept_and_what_there_are_many_of_is_not() -> None:
    (model,) = loader.load([MODELS / "net-l2"])
    found = {t.name: t.kept for t in tables.tables_of([model])}
    assert {name for name, most in found.items() if most} == {"net_l2_Network"}
