"""Units of many parts: what is read for them, and how long they may ask for more."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from gluon import errors
from gluon.spi import store
from gluon.store import deciding, shape
from gluon.store.settings import Settings
from tests.contract.store.world import NETWORK

TABLES = (NETWORK,)
CATALOG = shape.catalog(1, TABLES, {t.name: [c.name for c in t.columns] for t in TABLES})
STATE = deciding.State(epoch=1, incarnation="i", first=1, now="2026-01-01T00:00:00.000000")


class Part:
    """Looks up the rows that `asks` names, one after the other."""

    reads: tuple[store.Lookup, ...] = ()
    who, request_id = "somebody", "r"

    def __init__(self, asks: Callable[[], list[str]]) -> None:
        self.asks, self.decided = asks, 0

    def decide(self, view: store.Batch) -> store.Changes:
        self.decided += 1
        for key in self.asks():
            view.get(NETWORK.name, key)
        return store.Changes(result="done")


class Whole(Part):
    def __init__(self, parts: list[Part]) -> None:
        super().__init__(list)
        self.parts = parts

    def decide(self, view: store.Batch) -> store.Changes:
        return store.Changes(result=[c.result for c in view.in_turn(self.parts)])


async def decided(unit: Whole) -> tuple[int, Any]:
    """How many rounds of reading it took, and what came of it."""
    answer: asyncio.Future[store.Committed] = asyncio.get_running_loop().create_future()
    found = deciding.Deciding(CATALOG, [deciding.Waiting(unit, answer, 0.0)], STATE, Settings(), nul=False)
    rounds = 0
    while not found.proceed():
        rounds += 1
        for table, columns, values in found.wanted():
            found.load(table, columns, values, [])
    return rounds, found.answers[0][1]


async def test_parts_that_ask_for_the_same_are_not_all_asked_before_it_is_read() -> None:
    whole = Whole([Part(lambda: ["n1"]) for _ in range(500)])
    rounds, outcome = await decided(whole)
    assert rounds == 1 and outcome.result == ["done"] * 500
    assert sum(part.decided for part in whole.parts) < 530


async def test_parts_that_ask_for_something_each_need_one_round() -> None:
    parts = [Part(lambda n=n: [f"n{n}"]) for n in range(300)]  # type: ignore[misc]
    rounds, outcome = await decided(Whole(parts))
    assert rounds == 1 and len(outcome.result) == 300


async def test_a_few_that_ask_for_more_need_few_rounds() -> None:
    parts = [Part(lambda n=n: ["n1", *([f"m{n}"] if n % 100 == 50 else [])]) for n in range(1000)]  # type: ignore[misc]
    rounds, outcome = await decided(Whole(parts))
    assert rounds <= 6 and len(outcome.result) == 1000


async def test_a_unit_that_goes_on_asking_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deciding, "_MOST_PARTS", 2000)
    keys = iter(range(10**9))
    whole = Whole([*(Part(list) for _ in range(99)), Part(lambda: [f"n{next(keys)}"])])
    rounds, outcome = await decided(whole)
    assert isinstance(outcome, errors.Conflict) and outcome.code == "too_many" and "split" in outcome.hint
    assert rounds == 20
