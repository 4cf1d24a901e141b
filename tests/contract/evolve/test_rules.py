"""Rules are asked of stored objects where they are new, or where what they read changes; also behind an upgrade's back."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from gluon.evolve import plan as plans
from gluon.evolve import runner, work
from gluon.model.types import Check, Model, ObjectType
from tests.contract.evolve import world
from tests.contract.evolve.test_upgrade import OLD, boxes, key, shelves, to
from tests.unit.evolve.models import T, attribute, box, changed, model, reference, renamed, shelf

RULES: dict[str, tuple[str, str]] = {
    "of the object": ("self.size < 20", "self.size is 2[0-9]"),
    "of what it refers to": ("self.shelf_id.label != 's1'", "self.shelf_id.label is .s1."),
}


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("copied", [False, True])
async def test_a_new_rule_is_asked_of_stored_objects(url: str, name: str, copied: bool) -> None:
    rule, said = RULES[name]
    ruled = box(checks=(Check(rule=rule, message="too bad"),))
    kind = renamed(ruled, "name", "title") if copied else ruled
    db = await world.begin(url, OLD, {"Shelf": shelves(), "Box": boxes(30)}, references=False)
    try:
        with pytest.raises(work.Stopped, match=f"too bad.*{said}") as stopped:
            await world.upgrade(db, to(kind))
        assert stopped.value.count == 10
        good = [("Box", b["id"], None) for b in boxes(30) if b["size"] >= 20 or b["shelf_id"] == key(1)]
        await db.submit(world.Write(OLD, good))
        await world.upgrade(db, to(kind))
        (new,) = await world.current(db)
        assert len(await world.bodies(db, new, "Box")) == 30 - len(good)
    finally:
        await db.close()


def _of_many() -> tuple[Model, ObjectType]:
    """Boxes that have shelves in a list, and the same with a rule."""
    many = attribute("shelves", T.LIST, items=reference("", "Shelf"))
    ruled = box(many, checks=(Check(rule="self.shelves.all(s, s.label != 'bad')", message="too bad"),))
    return model(shelf(), box(many)), ruled


@pytest.mark.parametrize("when", ["check", "last"])
@pytest.mark.parametrize("how", ["in place", "copied", "list"])
async def test_what_a_new_rule_reads_changes_behind_its_back(shared_url: str, when: str, how: str) -> None:
    """Old processes do not know the rule: they write only what is referred to, after the referrer was judged."""
    old, kind = (
        _of_many()
        if how == "list"
        else (OLD, box(checks=(Check(rule="self.shelf_id.label != 'bad'", message="too bad"),)))
    )
    kind = renamed(kind, "name", "title") if how == "copied" else kind
    bodies = [{**b, "shelves": [key(0), b["shelf_id"]]} if how == "list" else b for b in boxes(30)]
    db = await world.begin(shared_url, old, {"Shelf": shelves(), "Box": bodies})
    client = await world.begin(shared_url, old, {})
    write = world.Write(old, [("Shelf", key(1), {**shelves()[1], "label": "bad"})])

    class Disturbed(runner.Runner):
        async def _take(self, step: plans.Step) -> None:
            await super()._take(step)
            if when == "check" and step.kind is plans.Kind.CHECK:
                await client.submit(write)

        async def _catch_up(self) -> None:
            await super()._catch_up()
            if when == "last":
                await client.submit(write)

    try:
        made = await world.plan_to(db, to(kind, old))
        with pytest.raises(work.Stopped, match="too bad") as stopped:
            await Disturbed(db, made, others=(), say=lambda text: None).run()
        assert stopped.value.count == (1 if when == "last" else 10)
        assert [m.digest for m in await world.current(db)] == [old.digest]
        await client.submit(world.Write(old, [("Shelf", key(1), shelves()[1])]))
        await world.upgrade(db, to(kind, old))
    finally:
        await client.close()
        await db.close()


ALTERED: dict[str, tuple[str, ObjectType, ObjectType]] = {
    "its own": (
        "self.colour != 'green'", shelf(), changed(box(), "colour", required=True, nullable=False, default="green"),
    ),
    "what it refers to": (
        "self.shelf_id.label != 'green'", changed(shelf(), "label", required=True, nullable=False, default="green"), box(),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ALTERED)
async def test_an_old_rule_is_asked_of_values_that_become_others(url: str, name: str) -> None:
    rule, racks, kind = ALTERED[name]
    check = Check(rule=rule, message="too bad")
    ruled = dataclasses.replace(box(), checks=(check,))
    old, new = model(shelf(), ruled), model(racks, dataclasses.replace(kind, checks=(check,)))
    bodies = [{**b, "colour": None, "shelf_id": key(n % 2)} for n, b in enumerate(boxes(10))]
    first: list[dict[str, Any]] = [{"id": key(0), "label": None}, {"id": key(1), "label": "x"}]
    db = await world.begin(url, old, {"Shelf": first, "Box": bodies}, references=False)
    try:
        with pytest.raises(work.Stopped, match="too bad") as stopped:
            await world.upgrade(db, new)
        assert stopped.value.count == (10 if name == "its own" else 5)
        assert [m.digest for m in await world.current(db)] == [old.digest]
    finally:
        await db.close()
