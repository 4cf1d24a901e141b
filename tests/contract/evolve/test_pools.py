"""Attributes that get a pool, another one or none any more, while objects have values of it: on each database."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import Any

import pytest

from gluon import errors, pools
from gluon import store as stores
from gluon.evolve import plan as plans
from gluon.evolve import runner, work
from gluon.evolve.stored import stored
from gluon.model.types import Model, ObjectType, Pool, PoolUse
from gluon.particles import pooling, tables
from gluon.pools import tables as pool_tables
from gluon.spi import store
from gluon.testing.crowd import Crowd
from tests.contract.evolve import world
from tests.contract.evolve.test_upgrade import key
from tests.unit.evolve.models import T, attribute, box, model, object_type, reference, shelf, without

RANGES = {"numbers": ("1-4", "9"), "others": ("2-99",)}
POOLS = {name: Pool(name=name, type=T.INTEGER, ranges=given, rest=0) for name, given in RANGES.items()}
NUMBERS = PoolUse(name="numbers")


def size(pool: str | None = None, *, listed: bool = False, kind: T = T.INTEGER) -> ObjectType:
    use = PoolUse(name=pool) if pool else None
    if listed:
        return box(attribute("size", T.LIST, items=attribute("", kind), pool=use))
    return box(attribute("size", kind, pool=use))


def shop(kind: ObjectType) -> Model:
    return model(shelf(), kind, pools=POOLS)


class Using:
    """A unit that does something with pools."""

    who, request_id = "test", "r"
    reads: tuple[store.Lookup, ...] = ()

    def __init__(self, act: Callable[[pools.Session], Any]) -> None:
        self._act = act

    def decide(self, view: store.View) -> store.Changes:
        changes, session = store.Changes(), pools.Session(view)
        changes.result = self._act(session)
        session.flush(changes)
        return changes


async def begin(url: str, old: Model, sizes: list[Any]) -> stores.SqlStore:
    """The objects of before; what has a pool holds its values."""
    db = stores.open(url, stores.Settings(references=False))
    await db.install((*tables.tables_of([old]), *pools.TABLES), [stored(old)])
    objects = [(key(n), {"size": value, "project_id": "p"}) for n, value in enumerate(sizes)]
    await db.submit(world.Write(old, [("Box", id_, body) for id_, body in objects]))
    sort = old.types["Box"].attributes["size"]
    if sort.pool is not None:
        supply = pools.of_model(old.name, POOLS[sort.pool.name])

        def hold(session: pools.Session) -> None:
            for id_, body in objects:
                for value in body["size"] if isinstance(body["size"], list) else [body["size"]]:
                    session.wish(supply, value, pooling.holder("Box", id_, "size"))

        await db.submit(Using(hold))
    return db


async def held(db: stores.SqlStore) -> dict[str, dict[str, str]]:
    """By pool the values that are in use, and who has them."""
    found: dict[str, dict[str, str]] = {}
    for row in await db.select(store.Select(table=pool_tables.VALUE)):
        if row["holder"] is not None:
            found.setdefault(str(row["pool"]), {})[str(row["value"])] = str(row["holder"])
    return found


def by(n: int) -> str:
    return f"Box/{key(n)}/size"


IN_NUMBERS, IN_OTHERS = "shop/numbers", "shop/others"
WAYS: dict[str, tuple[ObjectType, list[Any], ObjectType, dict[str, dict[str, str]]]] = {
    "one for a value": (
        size(), [2, None, 7, 9], size("numbers"), {IN_NUMBERS: {"2": by(0), "7": by(2), "9": by(3)}}),
    "one for a list": (
        size(listed=True), [[2, 9], None, [], [7]], size("numbers", listed=True),
        {IN_NUMBERS: {"2": by(0), "9": by(0), "7": by(3)}}),
    "another one": (size("numbers"), [2, 3, 4], size("others"), {IN_OTHERS: {"2": by(0), "3": by(1), "4": by(2)}}),
    "another one for a list": (
        size("numbers", listed=True), [[1, 2], [3]], size("others", listed=True),
        {IN_OTHERS: {"1": by(0), "2": by(0), "3": by(1)}}),
    "none any more": (size("numbers", listed=True), [[1, 2], [3]], size(listed=True), {}),
    "an attribute that goes": (size("numbers"), [2, 4, 3], without(box(), "size"), {}),
    "a list that goes": (size("numbers", listed=True), [[1, 2], [3]], without(box(), "size"), {}),
    "one, and another type": (
        size(kind=T.STRING), ["2", "7"], size("numbers"), {IN_NUMBERS: {"2": by(0), "7": by(1)}}),
    "one, and a list of it": (size(), [2, 7], size("numbers", listed=True), {IN_NUMBERS: {"2": by(0), "7": by(1)}}),
}  # fmt: skip


@pytest.mark.parametrize("name", WAYS)
async def test_values_go_to_the_pool_that_they_are_of(url: str, name: str) -> None:
    old, sizes, new, expected = WAYS[name]
    db = await begin(url, shop(old), sizes)
    try:
        made = await world.upgrade(db, shop(new))
        assert [s.kind for s in made.steps][-2:] == [plans.Kind.HOLD, plans.Kind.SWITCH]
        assert await held(db) == expected
        await db.install((*tables.tables_of(await world.current(db)), *pools.TABLES), [])
        supply = pools.of_model("shop", POOLS["numbers"])
        free = [v for v in (1, 2, 3, 4, 9) if str(v) not in expected.get(IN_NUMBERS, {})]
        taken = [(await db.submit(Using(lambda s: s.take(supply, "next")))).result for _ in free]
        assert sorted(taken) == free
        with pytest.raises(errors.Conflict, match="exhausted"):
            await db.submit(Using(lambda s: s.take(supply, "next")))
    finally:
        await db.close()


@pytest.mark.parametrize("listed", [False, True])
async def test_what_two_have_stops_it_and_nothing_is_changed(url: str, listed: bool) -> None:
    sizes = [[2], [3, 2]] if listed else [2, 2]
    old, new = shop(size(listed=listed)), shop(size("numbers", listed=listed))
    db = await begin(url, old, sizes)
    try:
        made = await world.plan_to(db, new)
        assert not made.refused and not made.at_once
        with pytest.raises(work.Stopped) as stopped:
            await world.take(db, made)
        said = f"shop Box {key(1)}: size: 2 of pool numbers is in use by {by(0)}"
        assert (stopped.value.problems, stopped.value.count) == ((said,), 1)
        assert await held(db) == {}
        assert [m.digest for m in await world.current(db)] == [old.digest]
        await db.submit(
            world.Write(old, [("Box", key(1), {"size": [3] if listed else 3, "project_id": "p"})])
        )
        await world.take(db, made)
        assert await held(db) == {IN_NUMBERS: {"2": by(0), "3": by(1)}}
    finally:
        await db.close()


async def test_one_that_was_killed_holds_what_was_written_since(url: str) -> None:
    """Between the look and the switch, by objects that it had noted and by others."""

    def killed(said: str) -> None:
        if said.startswith("switch"):
            raise KeyboardInterrupt

    old, new = shop(size("numbers")), shop(size("others"))
    db = await begin(url, old, [2, 3])
    try:
        made = await world.plan_to(db, new)
        with pytest.raises(KeyboardInterrupt):
            await runner.Runner(db, made, others=(), say=killed).run()
        supply = pools.of_model(old.name, POOLS["numbers"])
        await db.submit(Using(lambda s: s.release(supply.id, 2, by(0), 0)))
        for n, value in ((0, 4), (7, 9)):
            await db.submit(Using(lambda s, n=n, value=value: s.wish(supply, value, by(n))))  # type: ignore[misc]
            await db.submit(world.Write(old, [("Box", key(n), {"size": value, "project_id": "p"})]))
        await world.take(db, await world.plan_to(db, new))
        assert await held(db) == {IN_OTHERS: {"4": by(0), "3": by(1), "9": by(7)}}
    finally:
        await db.close()


async def test_a_type_that_goes_gives_its_values_back(url: str) -> None:
    """With its objects, as only --drop takes it; the values are others' at once."""
    db = await begin(url, shop(size("numbers")), [2, 3])
    try:
        made = await world.upgrade(db, model(shelf(), pools=POOLS), drop=True)
        assert [s.kind for s in made.steps] == [plans.Kind.HOLD, plans.Kind.SWITCH, plans.Kind.DROP]
        assert await held(db) == {}
    finally:
        await db.close()


async def test_a_pool_without_stored_values_needs_no_more_than_a_start(url: str) -> None:
    db = await begin(url, shop(size()), [])
    try:
        assert (await world.plan_to(db, shop(size("numbers")))).at_once
    finally:
        await db.close()


async def test_values_of_many_pools_that_others_use_already(url: str) -> None:
    """Of the object that a reference names, as it will be; resting values are held again, and a pool may have thousands."""
    net = {"addresses": Pool(name="addresses", type=T.STRING, format=None, source="ranges", rest=3600)}
    net["addresses"] = Pool(name="addresses", type=T.INTEGER, source="ranges", rest=3600)
    owner = object_type("Net", attribute("ranges", length=64), pools=net)
    use = PoolUse(name="addresses", through="net_id")

    def host(more: PoolUse | None) -> ObjectType:
        listed = attribute("more", T.LIST, items=attribute("", T.INTEGER), pool=more)
        return object_type("Host", reference("net_id", "Net"), attribute("one", T.INTEGER, pool=use), listed)

    old, new = model(owner, host(None)), model(owner, host(use))
    db = stores.open(url, stores.Settings(references=False))
    await db.install((*tables.tables_of([old]), *pools.TABLES), [stored(old)])
    try:
        nets = [{"id": key(n), "ranges": "1-9000"} for n in range(3)]
        hosts: list[dict[str, Any]] = [
            {
                "id": key(100 + n),
                "net_id": key(n % 3) if n % 4 else None,
                "more": [*range(20 * n + 5, 20 * n + 25)],
            }
            for n in range(60)
        ]
        for kind, bodies in (("Net", nets), ("Host", hosts)):
            await db.submit(world.Write(old, [(kind, b["id"], b) for b in bodies]))
        supplies = {
            n: pools.of_object("shop", "Net", key(n), net["addresses"], ("1-9000",)) for n in range(3)
        }

        def others(session: pools.Session) -> None:
            for n, supply in supplies.items():
                for value in (25, 300, 301, 8999):
                    session.wish(supply, value, "before")
                    session.release(supply.id, value, "before", 3600)
                session.take(supply, f"first of {n}")

        await db.submit(Using(others))
        made = await world.plan_to(db, new)
        await runner.Runner(db, made, others=pools.TABLES, say=lambda text: None).run()
        expected = {
            supply.id: {
                "1": f"first of {n}",
                **{str(v): f"Host/{h['id']}/more" for h in hosts if h["net_id"] == key(n) for v in h["more"]},
            }
            for n, supply in supplies.items()
        }
        assert await held(db) == expected
    finally:
        await db.close()


async def test_thousands_of_values_hold_the_lock_for_seconds(url: str) -> None:
    """Each looks at the head of a queue that waits, and at the rows of those that were held just before."""
    rested, each, count = 1200, 10, 800
    numbers = Pool(name="numbers", type=T.INTEGER, ranges=("1-99999",), rest=3600)
    old, new = (
        model(shelf(), size(pool, listed=True), pools={"numbers": numbers}) for pool in (None, "numbers")
    )
    sizes = [[*range(2000 + each * n, 2000 + each * (n + 1))] for n in range(count)]
    db = stores.open(url, stores.Settings(references=False))
    await db.install((*tables.tables_of([old]), *pools.TABLES), [stored(old)])
    try:
        objects = [(key(n), {"size": value, "project_id": "p"}) for n, value in enumerate(sizes)]
        for start in range(0, count, 200):
            part = objects[start : start + 200]
            await db.submit(world.Write(old, [("Box", id_, body) for id_, body in part]))
        supply = pools.of_model(old.name, numbers)

        def rest(session: pools.Session) -> None:
            for n in range(rested):
                session.release(supply.id, session.take(supply, f"before {n}"), f"before {n}", 3600)

        await db.submit(Using(rest))
        made = await world.plan_to(db, new)
        with Crowd() as crowd:
            begun = monotonic()
            await world.take(db, made)
            took = monotonic() - begun
        assert took < crowd.allows(8), took
        assert await held(db) == {IN_NUMBERS: {str(v): by(n) for n, value in enumerate(sizes) for v in value}}
    finally:
        await db.close()
