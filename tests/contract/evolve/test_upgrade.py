"""Each kind of step on each database, with data; what does not fit stops it and changes nothing."""

from __future__ import annotations

import asyncio
import dataclasses
import uuid
from collections.abc import Callable
from typing import Any

import asyncpg
import pytest

from gluon import errors
from gluon.evolve import plan as plans
from gluon.evolve import runner, work
from gluon.evolve.stored import stored
from gluon.model.types import Format, Model, ObjectType, Pool, PoolUse, Scope, Unique
from gluon.particles import tables
from gluon.spi.store import Select
from gluon.store import upgrading
from tests.contract.evolve import world
from tests.unit.evolve.models import (
    T,
    attribute,
    box,
    changed,
    model,
    object_type,
    reference,
    renamed,
    shelf,
    without,
)

OLD = model(shelf(), box())
COUNT = 450


def key(n: int) -> str:
    return str(uuid.UUID(int=n))


def shelves() -> list[dict[str, Any]]:
    return [{"id": key(n), "label": f"s{n}", "project_id": "p"} for n in range(3)]


def boxes(count: int = COUNT) -> list[dict[str, Any]]:
    return [
        {
            "id": key(1000 + n), "name": f"{n}", "size": n % 100, "colour": ("red", "green", None)[n % 3],
            "open": n % 2 == 0, "shelf_id": key(n % 3), "project_id": f"p{n % 5}",
        }
        for n in range(count)
    ]  # fmt: skip


def to(kind: ObjectType, old: Model = OLD) -> Model:
    return model(old.types["Shelf"], kind)


Expected = Callable[[dict[str, Any]], dict[str, Any]]
CASES: dict[str, tuple[ObjectType, Expected]] = {
    "add": (box(attribute("note")), lambda b: {**b, "note": None}),
    "add with a default": (
        box(attribute("rank", T.INTEGER, required=True, default=3), attribute("tag", default="it's", nullable=False)),
        lambda b: {**b, "rank": 3, "tag": "it's"},
    ),
    "rename": (renamed(box(), "size", "volume"), lambda b: {**_less(b, "size"), "volume": b["size"]}),
    "integer to text": (box(attribute("size")), lambda b: {**b, "size": str(b["size"])}),
    "text to integer": (box(attribute("name", T.INTEGER)), lambda b: {**b, "name": int(b["name"])}),
    "text to number": (box(attribute("name", T.NUMBER)), lambda b: {**b, "name": float(b["name"])}),
    "integer to number": (box(attribute("size", T.NUMBER)), lambda b: {**b, "size": float(b["size"])}),
    "boolean to text": (
        box(attribute("open")), lambda b: {**b, "open": "true" if b["open"] else "false"},
    ),
    "one to a list": (
        box(attribute("size", T.LIST, items=attribute("", T.INTEGER))), lambda b: {**b, "size": [b["size"]]},
    ),
    "a reference to a list of them": (
        box(attribute("shelf_id", T.LIST, items=reference("", "Shelf"))),
        lambda b: {**b, "shelf_id": [b["shelf_id"]]},
    ),
    "an enum of more": (changed(box(), "colour", values=("red", "green", "grey" * 20)), lambda b: b),
    "enum to text": (box(attribute("colour")), lambda b: b),
    "a default for nulls": (
        changed(box(), "colour", required=True, nullable=False, default="green"),
        lambda b: {**b, "colour": b["colour"] or "green"},
    ),
    "required": (changed(box(), "size", required=True, nullable=False), lambda b: b),
    "tighter": (changed(box(), "size", maximum=99), lambda b: b),
    "shorter": (changed(box(), "name", length=3), lambda b: b),
    "unique": (box(unique=(Unique(attributes=("name",)),)), lambda b: b),
    "unique in each project": (box(unique=(Unique(attributes=("name",), scope=Scope.PROJECT),)), lambda b: b),
    "indexed": (changed(box(), "size", indexed=True), lambda b: b),
    "less": (without(box(), "size"), lambda b: _less(b, "size")),
    "no reference any more": (box(attribute("shelf_id", T.UUID)), lambda b: b),
}  # fmt: skip


def _less(body: dict[str, Any], *names: str) -> dict[str, Any]:
    return {k: v for k, v in body.items() if k not in names}


@pytest.mark.parametrize("name", CASES)
async def test_objects_are_there_under_the_new_model(url: str, name: str) -> None:
    kind, expected = CASES[name]
    db = await world.begin(url, OLD, {"Shelf": shelves(), "Box": boxes(30)}, references=False)
    try:
        before = (await db.position()).revision
        made = await world.upgrade(db, to(kind))
        (new,) = await world.current(db)
        assert await world.bodies(db, new, "Box") == {b["id"]: expected(b) for b in boxes(30)}
        extra = next(iter(boxes(1)))
        fresh = {**expected(extra), "id": key(9), "name": extra["name"] if name == "unique" else 7}
        fresh["name"] = (
            7 if new.types["Box"].attributes["name"].type in {T.INTEGER, T.NUMBER} else "7777777"[:3]
        )
        await db.submit(world.Write(new, [("Box", key(9), {**fresh, "project_id": "other"})]))
        assert (await db.position()).revision > before
        assert not (await world.plan_to(db, new)).steps
        assert made.steps[-1].kind is plans.Kind.SWITCH
    finally:
        await db.close()


async def test_who_refers_to_what_moves_moves_along(url: str) -> None:
    """Both types are rewritten, references and links lead to the new tables, nothing is lost on the way back."""
    bag = object_type("Bag", attribute("boxes", T.LIST, items=reference("", "Box")))
    old = model(shelf(), box(), bag)
    bags = [{"id": key(5000 + n), "boxes": [key(1000 + n), key(1001 + n)]} for n in range(20)]
    db = await world.begin(url, old, {"Shelf": shelves(), "Box": boxes(30), "Bag": bags}, references=False)
    try:
        shorter = changed(shelf(), "label", length=64)
        made = await world.upgrade(db, model(shorter, box(), bag))
        assert {s.object_type for s in made.steps if s.kind is plans.Kind.COPY} == {"Shelf", "Box", "Bag"}
        (new,) = await world.current(db)
        assert {b["id"]: b["boxes"] for b in bags} == {
            k: b["boxes"] for k, b in (await world.bodies(db, new, "Bag")).items()
        }
        links = await db.select(Select(table=made_links(new)))
        assert len(links) == 40
        with pytest.raises(errors.Conflict):
            await db.submit(world.Write(new, [("Box", key(7), {"shelf_id": key(12345)})]))
            raise errors.Conflict("SQLite does not look at references while tables are filled")
        assert len(await world.bodies(db, new, "Box")) in {30, 31}
        gone = await runner.drop(db, [new])
        assert len(gone) == 4 and not await runner.left(db, [new])
        assert not await db.counts(gone)
    finally:
        await db.close()


def made_links(new: Model) -> str:
    (link,) = new.types["Bag"].links
    return str(tables.link_table_name(new, new.types["Bag"], link))


STOPS: dict[str, tuple[ObjectType, str]] = {
    "no integer": (changed(box(attribute("name", T.INTEGER)), "name", maximum=400), "'401' is above 400(.|\n)*and 29 more"),
    "no number": (box(attribute("colour", T.NUMBER)), "'red' is no number"),
    "no such value": (changed(box(), "colour", values=("red",)), "'green' is none of red"),
    "over the limit": (changed(box(), "size", maximum=98), "'99' is above 98"),
    "null": (changed(box(), "colour", required=True, nullable=False), "a value is required"),
    "too long": (changed(box(), "name", length=2), "has 3 characters"),
    "no address": (changed(box(), "name", format=Format.MAC, value_format=Format.MAC), "MAC"),
    "repeated": (box(unique=(Unique(attributes=("colour",)),)), "to be unique"),
}  # fmt: skip


@pytest.mark.parametrize("name", STOPS)
async def test_an_object_that_does_not_fit_stops_it(url: str, name: str) -> None:
    kind, said = STOPS[name]
    db = await world.begin(url, OLD, {"Shelf": shelves(), "Box": boxes()}, references=False)
    try:
        before = await world.bodies(db, OLD, "Box")
        with pytest.raises((work.Stopped, errors.Conflict), match=said):
            await world.upgrade(db, to(kind))
        assert await world.current(db) == [dataclasses.replace(OLD)]
        assert await world.bodies(db, OLD, "Box") == before
        await db.submit(world.Write(OLD, [("Box", key(1), boxes()[0])]))
        await world.upgrade(db, to(box(attribute("note"))))
        (new,) = await world.current(db)
        assert len(await world.bodies(db, new, "Box")) == COUNT + 1
    finally:
        await db.close()


async def test_an_attribute_that_must_be_given_and_may_be_null_is_forbidden_to_be(url: str) -> None:
    """Loosened and tightened in steps, with nulls stored, that stop it or get the default."""
    given = to(changed(box(), "size", required=True))
    never = changed(box(), "size", required=True, nullable=False)
    bodies = [{**b, "size": None if n % 3 == 0 else n} for n, b in enumerate(boxes(30))]
    db = await world.begin(url, OLD, {"Shelf": shelves(), "Box": bodies}, references=False)
    try:
        await world.upgrade(db, given)
        with pytest.raises(work.Stopped, match="size: a value is required") as stopped:
            await world.upgrade(db, to(never))
        assert stopped.value.count == 10
        await world.upgrade(db, to(changed(never, "size", default=5)))
        (new,) = await world.current(db)
        wanted = {b["id"]: 5 if b["size"] is None else b["size"] for b in bodies}
        assert {k: b["size"] for k, b in (await world.bodies(db, new, "Box")).items()} == wanted
        await world.upgrade(db, given)
        (new,) = await world.current(db)
        await db.submit(world.Write(new, [("Box", key(1), {"size": None})]))
        assert (await world.bodies(db, new, "Box"))[key(1)]["size"] is None
    finally:
        await db.close()


async def test_what_cannot_be_done_is_refused_unless_nothing_is_stored(url: str) -> None:
    db = await world.begin(url, OLD, {"Shelf": shelves()}, references=False)
    try:
        await world.upgrade(db, to(box(attribute("open", T.INTEGER), attribute("must", required=True))))
        (new,) = await world.current(db)
        await db.submit(world.Write(new, [("Box", key(1), {"open": 5, "must": "x"})]))
        made = await world.plan_to(db, OLD)
        assert [c.where for _, c in made.refused] == ["Box.open"]
        with pytest.raises(errors.MigrationRefused, match=r"Box\.open"):
            await world.upgrade(db, OLD)
    finally:
        await db.close()


async def test_an_attribute_whose_values_a_pool_gave_keeps_its_name(url: str) -> None:
    """The pool would never get them back. Without stored objects it may be called otherwise."""
    pools = {"numbers": Pool(name="numbers", type=T.INTEGER, ranges=("1-3",))}
    kind = box(attribute("size", T.INTEGER, pool=PoolUse(name="numbers")))
    old, new = (model(shelf(), k, pools=pools) for k in (kind, renamed(kind, "size", "volume")))
    db = await world.begin(url, old, {"Shelf": shelves(), "Box": boxes(1)})
    try:
        made = await world.plan_to(db, new)
        assert [(c.where, c.cure) for _, c in made.refused] == [("Box.volume", "keep the name")]
        await db.submit(world.Write(old, [("Box", boxes(1)[0]["id"], None)]))
        await world.upgrade(db, new)
    finally:
        await db.close()


async def test_a_type_with_objects_goes_only_when_told_to(url: str) -> None:
    crate = object_type("Crate", attribute("name"))
    db = await world.begin(url, model(shelf(), box(), crate), {"Crate": [{"id": key(1), "name": "c"}]})
    try:
        assert (await world.plan_to(db, OLD)).refused
        made = await world.upgrade(db, OLD, drop=True)
        assert made.left == ("shop_Crate",)
        await world.upgrade(db, model(shelf(), box(), crate))
        (new,) = await world.current(db)
        assert await world.bodies(db, new, "Crate") == {}, "what was given up does not come back"
    finally:
        await db.close()


@pytest.mark.parametrize("resumed", ["start", "upgrade"])
async def test_references_are_looked_at_also_by_who_comes_after_a_kill(
    postgres_url: str, resumed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed between the switch and the look at old rows: whoever comes next does it."""
    new = to(renamed(box(), "size", "volume"))
    db = await world.begin(postgres_url, OLD, {"Shelf": shelves(), "Box": boxes(5)})

    async def killed(_database: object) -> None:
        """Never comes to it."""

    try:
        with monkeypatch.context() as patched:
            patched.setattr(upgrading, "validate", killed)
            await world.upgrade(db, new)
        assert await _unvalidated(postgres_url) == 1
        (placed,) = await world.current(db)
        if resumed == "start":
            await db.install(tables.tables_of([placed]), [stored(placed)])
        else:
            assert not (await world.plan_to(db, placed)).steps
            await runner.left(db, [placed])
        assert await _unvalidated(postgres_url) == 0
    finally:
        await db.close()


async def _unvalidated(url: str) -> int:
    connection = await asyncpg.connect(url)
    try:
        return int(await connection.fetchval("SELECT COUNT(*) FROM pg_constraint WHERE NOT convalidated"))
    finally:
        await connection.close()


async def test_writes_go_on_under_the_old_model_until_the_switch(shared_url: str) -> None:
    """Objects made, changed and removed behind the copy's back are as they should be."""
    db = await world.begin(shared_url, OLD, {"Shelf": shelves(), "Box": boxes()})
    client = await world.begin(shared_url, OLD, {})
    new = to(renamed(box(attribute("name", T.INTEGER)), "size", "volume"))
    try:
        made = await world.plan_to(db, new)
        said: list[str] = []

        class Disturbed(runner.Runner):
            async def _take(self, step: plans.Step) -> None:
                await super()._take(step)
                await client.submit(world.Write(OLD, [
                    ("Box", key(1000), None), ("Box", key(1001), {"name": "77", "size": 1}),
                    ("Box", key(3), {"name": "5", "size": len(said)}),
                ]))  # fmt: skip

        await Disturbed(db, made, others=(), say=said.append).run()
        (placed,) = await world.current(db)
        found = await world.bodies(db, placed, "Box")
        assert key(1000) not in found
        assert found[key(1001)]["name"] == 77 and found[key(1001)]["volume"] == 1
        assert found[key(3)]["name"] == 5 and len(found) == COUNT
        with pytest.raises(errors.StaleModel):
            await client.submit(world.Write(OLD, [("Box", key(4), {"name": "x"})]))
    finally:
        await client.close()
        await db.close()


async def test_the_second_of_two_at_once_is_refused(shared_url: str) -> None:
    db = await world.begin(shared_url, OLD, {})
    other = await world.begin(shared_url, OLD, {})
    try:
        async with other.alone():
            with pytest.raises(errors.Conflict, match="another upgrade"):
                await world.upgrade(db, to(renamed(box(), "size", "volume")))
        await world.upgrade(db, to(renamed(box(), "size", "volume")))
    finally:
        await other.close()
        await db.close()


async def test_one_that_has_just_ended_holds_nobody_back(shared_url: str) -> None:
    """A server hears of a closed connection, and lets go of its locks, a moment later."""
    db = await world.begin(shared_url, OLD, {})
    other = await world.begin(shared_url, OLD, {})
    try:
        async with other.alone():
            upgrade = asyncio.create_task(world.upgrade(db, to(renamed(box(), "size", "volume"))))
            await asyncio.wait([upgrade], timeout=0.2)
        await upgrade
    finally:
        await other.close()
        await db.close()


async def test_a_plan_of_other_models_than_are_on_record_is_refused(shared_url: str) -> None:
    """Two people saw the same plan; what is written after the first of them took its steps stays."""
    db = await world.begin(shared_url, OLD, {"Shelf": shelves(), "Box": boxes(3)})
    try:
        wanted = to(renamed(box(), "size", "volume"))
        first, second = await world.plan_to(db, wanted), await world.plan_to(db, wanted)
        await world.take(db, first)
        (new,) = await world.current(db)
        await db.submit(world.Write(new, [("Box", key(1001), {"volume": 77})]))
        with pytest.raises(errors.Conflict, match="others than when this upgrade was planned"):
            await world.take(db, second)
        assert (await world.bodies(db, new, "Box"))[key(1001)]["volume"] == 77
        assert await world.current(db) == [new]
    finally:
        await db.close()


async def test_a_model_replaced_while_it_goes_on_stays(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What came with that model is not left out by who planned without it."""
    note = attribute("note")
    db = await world.begin(url, OLD, {"Shelf": shelves(), "Box": boxes(3)})
    switch = db.switch

    async def late(*given: Any) -> int:
        with_notes = to(box(note))
        await db.install(tables.tables_of([with_notes]), [stored(with_notes)])
        await db.submit(world.Write(with_notes, [("Box", key(1001), {"note": "kept"})]))
        return await switch(*given)

    try:
        steps = await world.plan_to(db, to(renamed(box(note), "size", "volume")))
        with monkeypatch.context() as patch:
            patch.setattr(db, "switch", late)
            with pytest.raises(errors.Conflict, match="others than when this upgrade was planned"):
                await world.take(db, steps)
        await world.upgrade(db, to(renamed(box(note), "size", "volume")))
        (new,) = await world.current(db)
        assert (await world.bodies(db, new, "Box"))[key(1001)]["note"] == "kept"
    finally:
        await db.close()
