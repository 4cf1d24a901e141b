"""Which indexes tables have: for references, names and what the model says."""

from __future__ import annotations

from dataclasses import replace

from gluon.model.types import Attribute, Model, ObjectType, Role, Scope, Unique
from gluon.particles import tables
from tests.unit.evolve.models import T, attribute, model, object_type, reference, shelf


def indexes(*attributes: Attribute, file_version: str = "2.0", **more: object) -> set[tuple[str, ...]]:
    kind: ObjectType = object_type("Box", *attributes, **more)
    made: Model = replace(model(shelf(), kind), file_version=file_version)
    return set(tables.table(made, kind).indexes)


OWN = ("_project", "id")


def test_what_lists_are_asked_for_has_an_index_with_the_key() -> None:
    asked = (
        attribute("name", role=Role.NAME),
        attribute("size", T.INTEGER, indexed=True),
        reference("shelf_id", "Shelf", indexed=True),
        reference("other_id", "Shelf"),
        attribute("note"),
        attribute("word", secret=True, indexed=True),
        attribute("text", length=300, indexed=True),
    )
    roles = {Role.PROJECT: "project_id", Role.NAME: "name"}
    named = {("name", "id"), ("size", "id"), ("shelf_id", "id"), ("other_id",), OWN}
    assert indexes(*asked, roles=roles) == named
    assert indexes(*asked, roles=roles, file_version="1.0") == {("shelf_id",), ("other_id",), OWN}


def test_what_is_unique_over_all_needs_no_other() -> None:
    size = attribute("size", T.INTEGER, indexed=True)
    assert indexes(size, unique=(Unique(attributes=("size",)),)) == {OWN}
    own = Unique(attributes=("size",), scope=Scope.PROJECT)
    assert indexes(size, unique=(own,)) == {OWN, ("size", "id")}
