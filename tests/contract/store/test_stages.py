"""Large units of many parts, which may be written while they are decided: they are one unit, whatever the database."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence

import pytest

from gluon import errors
from gluon.objects.journal import Operation
from gluon.spi.store import Batch, Changes, Lookup, Row, Select, Unit, View
from gluon.store import Settings, SqlStore
from gluon.testing.servers import PostgresServer
from tests.contract.store import world
from tests.contract.store.conftest import Opener
from tests.contract.store.test_postgres_lock import held
from tests.contract.store.world import create, draft, network

MANY = 400


class Several:
    """As a load of objects is."""

    who = "tester"
    request_id = "request"

    def __init__(self, parts: Sequence[Unit], reads: Sequence[Lookup] = ()) -> None:
        self.parts = parts
        self.reads = reads

    def decide(self, view: Batch) -> Changes:
        together = Changes(result=[])
        for changes in view.in_turn(self.parts):
            together.writes += changes.writes
            together.entries += changes.entries
            together.result.append(changes.result)
        return together


def part(chance: random.Random, number: int, model: dict[str, Row]) -> Unit:
    """Puts, changes or deletes a network, and tells whether it saw what those before it had left. The model is of the last
    time it was decided, for it may be decided again."""
    key, name = f"n{chance.randrange(60)}", f"name{number}"
    gone = chance.random() < 0.3
    size = chance.randrange(5)

    def decide(view: View) -> Changes:
        row, counter = view.get("Network", key), view.get("Network", "counter")
        assert counter is not None
        alike = [r["id"] for r in view.rows("Network", ("size",), (size,))]
        assert row is None or view.rows("Network", ("name",), (row["name"],)) == [row]
        changes = Changes(result=(row and row["name"], alike))
        changes.put("Network", {**counter, "size": 1000 + number})
        if gone:
            changes.delete("Network", key)
            changes.entries.append(draft(key, Operation.DELETE, old=b"{}", new=None))
        else:
            changes.put("Network", network(key, name, size=size))
            changes.entries.append(draft(key))
        return changes

    def expected() -> object:
        row = model.get(key)
        found = (row and row["name"], sorted(r["id"] for r in model.values() if r["size"] == size))  # type: ignore[type-var]
        model["counter"] = {**model["counter"], "size": 1000 + number}
        if gone:
            model.pop(key, None)
        else:
            model[key] = network(key, name, size=size)
        return found

    EXPECTED.append(expected())
    return world.Unit(decide)


EXPECTED: list[object] = []


@pytest.mark.parametrize("seed", [1, 2])
async def test_parts_see_what_those_before_them_left(db: SqlStore, seed: int) -> None:
    chance = random.Random(seed)
    EXPECTED.clear()
    model = {"counter": network("counter", "counter", size=0), "n1": network("n1", "before", size=3)}
    for row in model.values():
        await db.submit(create(row))
    before = (await db.position()).revision
    parts = [part(chance, number, model) for number in range(MANY)]
    done = await db.submit(Several(parts))
    assert (done.revision, done.result) == (before + 1, EXPECTED)
    rows = await db.select(Select(table="Network"))
    assert {str(row["id"]): row for row in rows} == model
    entries = await db.tail(before, limit=1000)
    assert [(e.revision, e.n) for e in entries] == [(done.revision, n) for n in range(MANY)]
    assert (await db.submit(create(network("next", "next")))).revision == done.revision + 1


@pytest.mark.parametrize("place", [0, 63, 64, MANY - 1])
async def test_a_part_that_refuses_leaves_nothing_of_the_others(db: SqlStore, place: int) -> None:
    first = await db.submit(create(network("taken", "taken")))
    parts = [create(network(f"n{n}", "taken" if n == place else f"n{n}")) for n in range(MANY)]
    with pytest.raises(errors.Conflict):
        await db.submit(Several(parts))
    assert [row["id"] for row in await db.select(Select(table="Network"))] == ["taken"]
    assert len(await db.tail(0, limit=10)) == 1
    assert (await db.submit(create(network("next", "next")))).revision > first.revision


async def test_parts_that_do_not_look_are_caught_as_one(db: SqlStore) -> None:
    def careless(key: str, name: str) -> Unit:
        def decide(_: View) -> Changes:
            changes = Changes(entries=[draft(key)])
            changes.put("Network", network(key, name))
            return changes

        return world.Unit(decide)

    await db.submit(create(network("taken", "taken")))
    parts = [careless(f"n{n}", "taken" if n == 300 else f"n{n}") for n in range(MANY)]
    with pytest.raises(errors.Conflict):
        await db.submit(Several(parts))
    assert len(await db.select(Select(table="Network"))) == 1
    done = await db.submit(Several([careless(f"n{n}", f"n{n}") for n in range(MANY)]))
    assert len(await db.select(Select(table="Network"))) == MANY + 1
    assert len(await db.tail(done.revision - 1, limit=1000)) == MANY


async def test_parts_that_write_nothing_have_no_revision(db: SqlStore) -> None:
    before = await db.submit(create(network("one", "one")))
    idle = [world.Unit(lambda _: Changes(result="idle")) for _ in range(MANY)]
    done = await db.submit(Several(idle))
    assert (done.revision, done.result) == (0, ["idle"] * MANY)
    assert (await db.submit(create(network("two", "two")))).revision == before.revision + 1


async def test_units_of_two_processes_are_whole_beside_it(shared_url: str, opener: Opener) -> None:
    calm = Settings(patience=60, lock_timeout=60, statement_timeout=60)
    one, two = await opener(shared_url, calm), await opener(shared_url, calm)
    large = [Several([create(network(f"{m}-{n}", f"{m}-{n}")) for n in range(150)]) for m in range(3)]
    small = [create(network(f"s{n}", f"s{n}")) for n in range(60)]
    done = await asyncio.gather(*map(one.submit, large), *map(two.submit, small))
    entries = await two.tail(0, limit=10_000)
    assert [e.revision for e in entries] == sorted(e.revision for e in entries)
    assert sorted({e.revision for e in entries}) == sorted(d.revision for d in done)
    assert len(entries) == 3 * 150 + 60


async def test_nobody_holds_the_lock_after_a_large_unit(
    postgres_url: str, postgres_server: PostgresServer, opener: Opener
) -> None:
    db = await opener(postgres_url)
    await db.submit(Several([create(network(f"n{n}", f"n{n}")) for n in range(MANY)]))
    assert held(postgres_server, postgres_url) == 0
    with pytest.raises(errors.Conflict):
        await db.submit(
            Several([create(network(f"m{n}", f"m{n}" if n < 300 else "n0")) for n in range(MANY)])
        )
    assert held(postgres_server, postgres_url) == 0
    assert len(await db.select(Select(table="Network"))) == MANY


async def test_a_connection_that_is_lost_between_stages_costs_nothing(
    postgres_url: str, postgres_server: PostgresServer, opener: Opener
) -> None:
    db = await opener(postgres_url)
    cut: list[str] = []

    def decide(_: View) -> Changes:
        if not cut:
            name = postgres_url.rsplit("/", 1)[1]
            ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'gluon-writer'"
            cut.append(postgres_server.sql(f"{ended} AND datname = '{name}'"))
        return Changes()

    parts: list[Unit] = [create(network(f"n{n}", f"n{n}")) for n in range(MANY)]
    parts.insert(300, world.Unit(decide))
    done = await db.submit(Several(parts))
    assert [said.strip() for said in cut] == ["t"]
    assert db.stats.reconnects == 1
    assert len(await db.select(Select(table="Network"))) == MANY
    assert {e.revision for e in await db.tail(0, limit=1000)} == {done.revision}
