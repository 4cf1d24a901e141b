"""Any batches of any units do what a dict would do (Hypothesis, against a model of plain Python)."""

from __future__ import annotations

import asyncio
import random
import uuid
from collections.abc import Sequence
from pathlib import Path

import hypothesis
import pytest
from hypothesis import strategies

from gluon import errors, store
from gluon.spi.store import Changes, Committed, Lookup, Row, Select, View
from tests.contract.store import world
from tests.contract.store.world import Unit, draft, network

KEYS = ["a", "b", "c", "d"]
NAMES = ["x", "y", "z", None]

Step = tuple[str, str, str | None, int, bool]
steps = strategies.tuples(
    strategies.sampled_from(["put", "blind", "delete", "rename", "add", "many", "refuse"]),
    strategies.sampled_from(KEYS),
    strategies.sampled_from(NAMES),
    strategies.integers(0, 3),
    strategies.booleans(),
)
batches = strategies.lists(strategies.lists(steps, min_size=1, max_size=12), min_size=1, max_size=6)


class Plain:
    """The same view over a dict."""

    revision = 1
    now = incarnation = ""

    def __init__(self, rows: dict[str, Row]) -> None:
        self._rows = rows

    def get(self, table: str, *key: object) -> Row | None:
        return self._rows.get(str(key[0]))

    def rows(self, table: str, columns: tuple[str, ...], values: tuple[object, ...]) -> Sequence[Row]:
        if None in values:
            return []
        found = [r for r in self._rows.values() if tuple(r[c] for c in columns) == values]
        return sorted(found, key=lambda r: str(r["id"]))

    def prefetch(self, lookups: Sequence[object]) -> None:
        """All is here."""


def taken(view: View, name: str | None, key: str) -> bool:
    return any(r["id"] != key for r in view.rows("Network", ("name",), (name,)))


def decide(view: View, step: Step) -> Changes:
    what, key, name, size, _ = step
    changes = Changes()
    if what == "blind":
        changes.put("Network", network(key, f"own name of {key}", size=size))
    elif what == "delete":
        changes.delete("Network", key)
    elif what == "many":
        rows = view.rows("Network", ("size",), (size,))
        changes.result = [r["id"] for r in rows]
        for row in rows:
            changes.put("Network", {**row, "size": size + 1})
    elif what == "refuse":
        changes.put("Network", network(key, name))
        raise errors.Conflict("always", code=f"{key}{view.get('Network', key) is None}")
    else:
        row = view.get("Network", key) or {}
        if what == "put" or not row:
            row = network(key, None, size=size)
        if what != "add":
            if taken(view, name, key):
                raise errors.Conflict("taken", code="name")
            row = {**row, "name": name}
        else:
            row = {**row, "size": (row["size"] if isinstance(row["size"], int) else 0) + size}
        changes.put("Network", row)
        changes.result = row
    changes.entries.append(draft(key))
    return changes


def apply(rows: dict[str, Row], step: Step) -> object:
    """What the unit answers, done to the dict."""
    try:
        changes = decide(Plain(rows), step)
    except errors.Conflict as refused:
        return refused.code
    for _, write in changes.writes:
        if isinstance(write, tuple):
            rows.pop(str(write[0]), None)
        else:
            rows[str(write["id"])] = write
    return changes.result


def unit(step: Step) -> Unit:
    what, key, name, size, declared = step
    reads = [
        world.by_key("Network", key),
        Lookup("Network", ("name",), (name,)),
        Lookup("Network", ("size",), (size,)),
    ]
    return Unit(lambda view: decide(view, step), reads if declared and what != "blind" else ())


async def read_ahead(db: store.SqlStore) -> None:
    """Until it has the connection by which it reads for one half while the other is written."""
    key = uuid.uuid4().hex
    await db.submit(world.create(world.network(key, key)))
    async with asyncio.timeout(60):
        while not db.stats.ahead:
            await asyncio.gather(*(db.submit(world.count(key)) for _ in range(64)))


async def check(db: store.SqlStore, plan: list[list[Step]], *, ahead: bool = False) -> None:
    """`ahead`: once it reads ahead."""
    try:
        await db.install(world.TABLES, ())
        if ahead:
            await read_ahead(db)
        rows = await db.select(Select(table="Network"))
        await asyncio.gather(*(db.submit(world.delete("Network", r["id"])) for r in rows))
        after = (await db.position()).revision
        model: dict[str, Row] = {}
        written: list[str] = []
        for batch in plan:
            done = await asyncio.gather(*(db.submit(unit(s)) for s in batch), return_exceptions=True)
            for step, outcome in zip(batch, done, strict=True):
                expected = apply(model, step)
                if isinstance(outcome, Committed):
                    assert outcome.result == expected
                    written.append(step[1])
                else:
                    assert isinstance(outcome, errors.Conflict), outcome
                    assert outcome.code == expected
            stored = {str(r["id"]): r for r in await db.select(Select(table="Network"))}
            assert stored == model
        assert [e.key for e in await db.tail(after, limit=10_000)] == written
    finally:
        await db.close()


@pytest.mark.parametrize("kind", ["sqlite", "postgresql", "mariadb"])
def test_any_batches_do_what_a_dict_does(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    fixture = {"postgresql": "postgres_url", "mariadb": "mariadb_url"}
    url = str(request.getfixturevalue(fixture[kind])) if kind in fixture else f"sqlite:///{tmp_path}/gluon.db"
    examples = 25 if kind in fixture else 60

    @hypothesis.settings(max_examples=examples, derandomize=True)
    @hypothesis.given(batches)
    def hold(plan: list[list[Step]]) -> None:
        asyncio.run(check(store.open(url), plan))

    hold()


@pytest.mark.parametrize("seed", range(4))
def test_many_at_once_do_what_a_dict_does(seed: int, postgres_url: str) -> None:
    """So many that one half is read for and decided while the other is written."""
    chosen = random.Random(seed)
    whats = ["put", "blind", "delete", "rename", "add", "many", "refuse"]

    def step() -> Step:
        key, name = chosen.choice(KEYS), chosen.choice(NAMES)
        return chosen.choice(whats), key, name, chosen.randrange(4), chosen.random() < 0.7

    plan = [[step() for _ in range(chosen.randrange(32, 200))] for _ in range(12)]
    asyncio.run(check(store.open(postgres_url), plan, ahead=True))
