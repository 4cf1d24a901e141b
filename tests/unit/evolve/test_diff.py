"""Every difference of two models is found, and classified with a reason."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gluon.evolve import attributes, changes, diff, stored
from gluon.evolve.changes import Impact
from gluon.model import describe, find, loader
from gluon.model.types import Attribute, Check, Format, Kind, Model, ObjectType, PoolUse, Scope, Unique
from tests.effort import examples
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


def found(kind: ObjectType, old: ObjectType | None = None) -> list[changes.Change]:
    return list(diff.diff(model(shelf(), old or box()), model(shelf(), kind)))


CASES: dict[str, tuple[ObjectType, str, Impact, bool]] = {
    "a new attribute": (box(attribute("note")), "Box.note", Impact.COMPATIBLE, False),
    "a new attribute with a default": (
        box(attribute("rank", T.INTEGER, required=True, default=3)), "Box.rank", Impact.COMPATIBLE, False,
    ),
    "a new required attribute": (box(attribute("must", required=True)), "Box.must", Impact.REFUSED, True),
    "an attribute less": (without(box(), "size"), "Box.size", Impact.COMPATIBLE, True),
    "a rename": (renamed(box(), "size", "volume"), "Box.volume", Impact.MIGRATION, True),
    "integer to string": (box(attribute("size")), "Box.size", Impact.MIGRATION, True),
    "string to integer": (box(attribute("name", T.INTEGER)), "Box.name", Impact.MIGRATION, True),
    "boolean to integer": (box(attribute("open", T.INTEGER)), "Box.open", Impact.REFUSED, True),
    "one to a list": (
        box(attribute("name", T.LIST, items=attribute("", T.STRING))), "Box.name", Impact.MIGRATION, True,
    ),
    "a longer text": (changed(box(), "name", length=80), "Box.name", Impact.COMPATIBLE, False),
    "a shorter text": (changed(box(), "name", length=8), "Box.name", Impact.VALIDATION, True),
    "a wider limit": (changed(box(), "size", maximum=200), "Box.size", Impact.COMPATIBLE, False),
    "a tighter limit": (changed(box(), "size", minimum=1), "Box.size", Impact.VALIDATION, True),
    "an enum of more": (changed(box(), "colour", values=("red", "green", "blue", "grey")), "Box.colour", Impact.COMPATIBLE, False),
    "an enum of less": (changed(box(), "colour", values=("red",)), "Box.colour", Impact.VALIDATION, True),
    "to be given, maybe null": (changed(box(), "name", required=True), "Box.name", Impact.COMPATIBLE, True),
    "a new one to be given, maybe null": (
        box(attribute("must", required=True, nullable=True)), "Box.must", Impact.COMPATIBLE, True,
    ),
    "a pattern": (changed(box(), "name", pattern="a+"), "Box.name", Impact.VALIDATION, True),
    "a format": (changed(box(), "name", format=Format.MAC, value_format=Format.MAC), "Box.name", Impact.MIGRATION, True),
    "a smaller integer": (changed(box(), "size", format=Format.INT32, value_format=Format.INT32), "Box.size", Impact.VALIDATION, True),
    "another target": (box(reference("shelf_id", "Box")), "Box.shelf_id", Impact.REFUSED, True),
    "a secret": (changed(box(), "name", secret=True), "Box.name", Impact.COMPATIBLE, True),
    "a pool": (changed(box(), "size", pool=PoolUse(name="p")), "Box.size", Impact.VALIDATION, True),
    "unique": (box(unique=(Unique(attributes=("name",)),)), "Box", Impact.VALIDATION, True),
    "a rule": (box(checks=(Check(rule="self.size > 1", message="no"),)), "Box", Impact.VALIDATION, True),
    "another kind": (box(kind=Kind.SERVICE), "Box", Impact.REFUSED, True),
    "another key": (box(key="name"), "Box", Impact.REFUSED, True),
    "another path": (box(plural="crates"), "Box", Impact.COMPATIBLE, True),
    "a policy": (box(policies={"create": "rule:admin"}), "Box", Impact.COMPATIBLE, True),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_change_has_its_class(name: str) -> None:
    kind, where, impact, breaking = CASES[name]
    (change,) = [
        c for c in found(kind) if c.aspect != "renamed_from" and c.impact is not Impact.COMPATIBLE
    ] or [c for c in found(kind) if c.aspect != "renamed_from"]
    assert (change.where, change.impact, change.breaking) == (where, impact, breaking)
    assert change.reason and (change.cure or impact is not Impact.REFUSED)


def test_every_class_is_reached() -> None:
    assert {impact for _, _, impact, _ in CASES.values()} == set(Impact)


def test_what_becomes_optional_or_goes_and_was_never_null_is_rebuilt() -> None:
    old = changed(box(), "name", required=True, nullable=False)
    (required, nullable) = found(box(), old)
    assert {required.impact, nullable.impact} == {Impact.MIGRATION}
    (gone,) = found(without(old, "name"), old)
    assert gone.impact is Impact.MIGRATION and "rebuilt" in gone.reason


def test_an_optional_attribute_that_gets_a_default_for_its_nulls() -> None:
    new = changed(box(), "size", required=True, nullable=False, default=1)
    assert changes.heaviest(found(new)) is Impact.MIGRATION


def test_types_that_come_and_go() -> None:
    crate = object_type("Crate")
    (change,) = diff.diff(OLD, model(shelf(), box(), crate))
    assert (change.where, change.impact) == ("Crate", Impact.COMPATIBLE)
    (change,) = diff.diff(model(shelf(), box(), crate), OLD)
    assert (change.where, change.impact, change.stored) == ("Crate", Impact.VALIDATION, True)


def test_another_proton_is_refused() -> None:
    (change,) = diff.diff(OLD, model(shelf(), box(), name="other"))
    assert change.impact is Impact.REFUSED and change.where == "model"


def test_unique_within_each_project_follows_from_unique_everywhere() -> None:
    wide = box(unique=(Unique(attributes=("name",), scope=Scope.PROJECT),))
    new, gone = found(wide, box(unique=(Unique(attributes=("name",)),)))
    assert (new.impact, gone.impact) == (Impact.COMPATIBLE, Impact.COMPATIBLE)
    renamed_group = renamed(box(unique=(Unique(attributes=("name",)),)), "name", "title")
    renamed_group = dataclasses.replace(renamed_group, unique=(Unique(attributes=("title",)),))
    assert all(
        c.aspect != "unique" for c in found(renamed_group, box(unique=(Unique(attributes=("name",)),)))
    )


def test_what_is_nested_is_found() -> None:
    inner = (attribute("prefix", length=43), attribute("metric", T.INTEGER, maximum=10))
    routes = attribute("routes", T.LIST, items=attribute("", T.OBJECT, members={a.name: a for a in inner}))
    tighter = (attribute("net", length=43, renamed_from="prefix"), attribute("metric", T.INTEGER, maximum=5))
    after = attribute("routes", T.LIST, items=attribute("", T.OBJECT, members={a.name: a for a in tighter}))
    said = {(c.where, c.aspect): c.impact for c in found(box(after), box(routes))}
    assert said["Box.routes[].net", "renamed"] is Impact.MIGRATION
    assert said["Box.routes[].metric", "maximum"] is Impact.VALIDATION


def test_the_shipped_models_do_not_differ_from_themselves() -> None:
    for one in loader.load_catalog():
        assert not diff.diff(one, one)
        assert stored.restore(stored.stored(one)).digest == one.digest
        assert not diff.diff(stored.restore(stored.stored(one)), one)


def test_what_the_first_release_stored_is_read() -> None:
    for one in loader.load([Path("tests/data/models"), find.CATALOG / "net-l3vpn"]):
        kept = dataclasses.replace(stored.stored(one), document=json.dumps(describe.describe(one)))
        assert not diff.diff(stored.restore(kept), one)


def test_every_fact_of_the_language_is_judged() -> None:
    assert set(attributes.JUDGES) == {f.name for f in dataclasses.fields(Attribute)}
    facts = {f.name for f in dataclasses.fields(ObjectType)}
    assert set(diff.TYPE_FACTS) | diff.JUDGED | {"table"} == facts | {"table"}
    judged = set(diff.MODEL_FACTS) | {"name", "types", "pools", "digest", "source"}
    assert judged == {f.name for f in dataclasses.fields(Model)}


Mutation = Callable[[ObjectType], ObjectType]
_NAMES = st.sampled_from(["name", "size", "colour", "open", "shelf_id"])
_FACTS: st.SearchStrategy[dict[str, Any]] = st.sampled_from([
    {"description": "other"}, {"required": True}, {"nullable": False}, {"length": 7}, {"minimum": 5}, {"maximum": 6},
    {"immutable": True}, {"read_only": True}, {"secret": True}, {"pattern": "x"}, {"min_length": 2},
    {"values": ("red",)}, {"example": "e"}, {"listed_as": "l"}, {"kept": True}, {"unique_items": True},
    {"type": T.NUMBER, "value_type": T.NUMBER, "reference": None}, {"renamed_from": "x"}, {"pool": PoolUse(name="p")},
    {"min_items": 1}, {"max_items": 1},
])  # fmt: skip


@st.composite
def mutations(draw: st.DrawFn) -> tuple[str, Mutation]:
    name = draw(_NAMES)
    how = draw(st.sampled_from(["facts", "without", "renamed", "added"]))
    if how == "facts":
        facts = draw(_FACTS)
        return name, lambda kind: changed(kind, name, **facts)
    if how == "without":
        return name, lambda kind: without(kind, name)
    if how == "renamed":
        return f"new_{name}", lambda kind: renamed(kind, name, f"new_{name}")
    return "extra", lambda kind: dataclasses.replace(
        kind, attributes={**kind.attributes, "extra": attribute("extra", T.INTEGER)}
    )


@settings(max_examples=examples(100), deadline=None)
@given(st.dictionaries(st.integers(0, 20), mutations(), max_size=4))
def test_every_mutation_is_reported(drawn: dict[int, tuple[str, Mutation]]) -> None:
    kind, touched = box(), set[str]()
    for name, mutate in drawn.values():
        if name.removeprefix("new_") in {t.removeprefix("new_") for t in touched}:
            continue
        kind, touched = mutate(kind), touched | {name}
    said = found(kind)
    assert {c.attribute for c in said} == {
        n for n in touched if kind.attributes.get(n) != box().attributes.get(n)
    }
    assert all(c.reason for c in said)
    assert not diff.diff(model(shelf(), kind), model(shelf(), kind))
