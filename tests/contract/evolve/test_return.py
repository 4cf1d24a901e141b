"""Attributes that go and come again: what is left of them is judged like any stored value, or begins anew."""

from __future__ import annotations

from typing import Any

import pytest

from gluon import errors
from gluon.evolve import runner, work
from gluon.evolve.plan import Kind
from gluon.evolve.stored import stored
from gluon.model.types import ObjectType
from gluon.particles import tables
from gluon.store import upgrading
from tests.contract.evolve import world
from tests.contract.evolve.test_upgrade import OLD, boxes, key, shelves, to
from tests.unit.evolve.models import T, attribute, box, changed, model, renamed, shelf, without


async def _gone(url: str, *names: str, objects: int = 12) -> Any:
    """A database whose boxes had more attributes, and have a box of no such attribute."""
    db = await world.begin(url, OLD, {"Shelf": shelves(), "Box": boxes(objects)})
    await world.upgrade(db, to(without(box(), *names)))
    (less,) = await world.current(db)
    await db.submit(world.Write(less, [("Box", key(1), {"project_id": "p"})]))
    return db


async def _with(db: Any, kind: ObjectType, name: str) -> dict[str, Any]:
    await world.upgrade(db, to(kind))
    (new,) = await world.current(db)
    return {k: b[name] for k, b in (await world.bodies(db, new, "Box")).items()}


async def test_values_come_back(url: str) -> None:
    db = await _gone(url, "size", "colour")
    try:
        wanted = {b["id"]: b["size"] for b in boxes(12)} | {key(1): None}
        assert await _with(db, without(box(), "colour"), "size") == wanted
        colours = {b["id"]: b["colour"] or "blue" for b in boxes(12)} | {key(1): "blue"}
        kind = changed(box(), "colour", required=True, nullable=False, default="blue")
        assert await _with(db, kind, "colour") == colours
    finally:
        await db.close()


TIGHTER: dict[str, tuple[ObjectType, str]] = {
    "limit": (changed(box(), "size", maximum=10), "size: '11' is above 10"),
    "values": (changed(box(), "colour", values=("red", "blue")), "'green' is none of red, blue"),
    "length": (changed(box(), "name", length=1), "has 2 characters"),
    "null": (changed(box(), "size", required=True, nullable=False), "size: a value is required"),
}


LONG = box(attribute("note"), attribute("story", length=50_000))
BACK: dict[str, tuple[str | None, ObjectType, bool]] = {
    "short in what takes long ones": ("ä" * 255, LONG, True),
    "too long": ("ä" * 255, box(attribute("note", length=254)), False),
    "never given": (None, LONG, True),
    "never given, and of a pattern": (None, box(attribute("note", pattern="[a-z]+")), True),
    "given, and of a pattern": ("blue", box(attribute("note", pattern="[a-z]+")), False),
}
"""By name: what is left of `note`, the type to which it comes again, and whether that needs no look at each object."""


@pytest.mark.parametrize("name", BACK)
async def test_what_is_left_decides_not_what_its_column_takes(url: str, name: str) -> None:
    note, kind, at_once = BACK[name]
    db = await world.begin(
        url, to(LONG), {"Shelf": shelves(), "Box": [{**b, "note": note, "story": note} for b in boxes(3)]}
    )
    try:
        await world.upgrade(db, OLD)
        made = await world.plan_to(db, to(kind))
        looked = any(s.kind is Kind.CHECK and s.rows for s in made.steps)
        assert looked is not at_once, made.steps
        if at_once:
            assert set((await _with(db, kind, "note")).values()) == {note}
    finally:
        await db.close()


@pytest.mark.parametrize("name", TIGHTER)
async def test_values_that_come_back_are_judged(url: str, name: str) -> None:
    kind, said = TIGHTER[name]
    db = await _gone(url, "size", "colour", "name")
    try:
        (before,) = await world.current(db)
        with pytest.raises(work.Stopped, match=said):
            await world.upgrade(db, to(kind))
        assert await world.current(db) == [before]
    finally:
        await db.close()


async def test_references_and_nested_values_begin_anew(url: str) -> None:
    """What they referred to may be gone, and nobody can tell what the documents were."""
    db = await _gone(url, "shelf_id", "name")
    try:
        (less,) = await world.current(db)
        await db.submit(world.Write(less, [("Shelf", key(0), None)]))
        many = attribute("name", T.LIST, items=attribute("", T.INTEGER))
        kind = box(many)
        assert set((await _with(db, kind, "shelf_id")).values()) == {None}
        assert set((await _with(db, kind, "name")).values()) == {None}
        (new,) = await world.current(db)
        with pytest.raises((errors.Conflict, errors.Invalid)):
            await db.submit(world.Write(new, [("Box", key(2), {"shelf_id": key(0)})]))
    finally:
        await db.close()


async def test_of_another_type_it_begins_anew(url: str) -> None:
    db = await _gone(url, "size", objects=3)
    try:
        kind = box(attribute("size", T.BOOLEAN))
        assert set((await _with(db, kind, "size")).values()) == {None}
    finally:
        await db.close()


async def test_a_reference_that_goes_lets_go(url: str) -> None:
    """What it referred to can be deleted."""
    db = await _gone(url, "shelf_id")
    try:
        (less,) = await world.current(db)
        await db.submit(world.Write(less, [("Shelf", shelf["id"], None) for shelf in shelves()]))
        assert await world.bodies(db, less, "Shelf") == {}
    finally:
        await db.close()


@pytest.mark.parametrize("killed", [False, True])
async def test_what_is_left_holds_nothing_back(
    url: str, killed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The table before the change refers to the same shelves; they can be deleted when no box of today has them."""
    db = await world.begin(url, OLD, {"Shelf": shelves(), "Box": boxes(5)})

    async def never(_database: object, _names: object) -> None:
        """Killed as it ended."""

    try:
        with monkeypatch.context() as patched:
            if killed:
                patched.setattr(upgrading, "release", never)
            await world.upgrade(db, to(renamed(box(), "size", "volume")))
        (new,) = await world.current(db)
        left = await runner.left(db, [new])
        assert left == ["shop_Box"]
        await db.install(tables.tables_of([new]), [stored(new)])
        await db.submit(world.Write(new, [("Box", b["id"], None) for b in boxes(5)]))
        await db.submit(world.Write(new, [("Shelf", s["id"], None) for s in shelves()]))
        assert await world.bodies(db, new, "Shelf") == {}
        assert (await db.counts(left)) == {"shop_Box": 5}, (
            "they are there for the day on which it turns out wrong"
        )
        assert await runner.drop(db, [new]) == left
    finally:
        await db.close()


async def test_a_type_that_comes_again_begins_anew(url: str) -> None:
    """Also where its table is left and empty."""
    db = await world.begin(url, OLD, {"Shelf": shelves()})
    try:
        await world.upgrade(db, model(shelf()))
        await world.upgrade(db, OLD)
        (new,) = await world.current(db)
        await db.submit(world.Write(new, [("Box", key(5), {"shelf_id": key(1)})]))
        assert set(await world.bodies(db, new, "Box")) == {key(5)}
    finally:
        await db.close()


async def test_there_and_back_and_there_again(url: str) -> None:
    """A way that was gone before does not meet what it left."""
    there = to(renamed(box(), "size", "volume"))
    back = to(renamed(there.types["Box"], "volume", "size"))
    db = await world.begin(url, OLD, {"Shelf": shelves(), "Box": boxes(5)})
    try:
        for n, wanted in enumerate([there, back, there, back]):
            await world.upgrade(db, wanted)
            (new,) = await world.current(db)
            assert set(await world.bodies(db, new, "Box")) == {b["id"] for b in boxes(5)[n:]}
            await db.submit(world.Write(new, [("Box", boxes(5)[n]["id"], None)]))
    finally:
        await db.close()
