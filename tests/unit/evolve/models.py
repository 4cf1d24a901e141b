"""Small models made of the frozen types, without files: what the tests of `evolve` change."""

from __future__ import annotations

import dataclasses
import hashlib
from typing import Any

from gluon.model.types import Attribute, AttributeType, Kind, Model, ObjectType, Role

T = AttributeType


def attribute(name: str, kind: AttributeType = T.STRING, **more: Any) -> Attribute:
    more.setdefault("value_type", kind)
    more.setdefault("kept", False)
    if kind is T.STRING:
        more.setdefault("length", 255)
    if more.get("required"):
        more.setdefault("nullable", False)
    return Attribute(name=name, type=kind, **more)


def reference(name: str, target: str, **more: Any) -> Attribute:
    return attribute(name, T.REFERENCE, reference=target, value_type=T.UUID, **more)


def object_type(name: str, *attributes: Attribute, **more: Any) -> ObjectType:
    """With the key `id` and the project's attribute."""
    key = attribute("id", T.UUID, primary=True)
    project = attribute("project_id", role=Role.PROJECT)
    every = {a.name: a for a in (key, project, *attributes)}
    facts: dict[str, Any] = {
        "name": name, "singular": name.lower(), "plural": f"{name.lower()}s", "kind": Kind.OTHER,
        "attributes": every, "key": "id", "generated_key": True, "roles": {Role.PROJECT: "project_id"},
        "policies": {"create": "rule:admin_or_owner"},
    }  # fmt: skip
    return ObjectType(**{**facts, **more})


def model(*types: ObjectType, **more: Any) -> Model:
    facts: dict[str, Any] = {
        "file_version": "2.0", "name": "shop", "version": "1", "types": {t.name: t for t in types}, "digest": ""
    }  # fmt: skip
    made = Model(**{**facts, **more})
    return dataclasses.replace(made, digest=hashlib.sha256(repr(made).encode()).hexdigest())


def shelf(**more: Any) -> ObjectType:
    return object_type("Shelf", attribute("label"), **more)


def box(*attributes: Attribute, **more: Any) -> ObjectType:
    """A type with an attribute of each common sort; those given replace or extend them."""
    usual = (
        attribute("name", length=64),
        attribute("size", T.INTEGER, minimum=0, maximum=100),
        attribute("colour", T.ENUM, values=("red", "green", "blue")),
        attribute("open", T.BOOLEAN),
        reference("shelf_id", "Shelf"),
    )
    every = {a.name: a for a in (*usual, *attributes)}
    return object_type("Box", *every.values(), **more)


def changed(kind: ObjectType, name: str, **facts: Any) -> ObjectType:
    """`kind` with other facts of one attribute."""
    attributes = dict(kind.attributes)
    attributes[name] = dataclasses.replace(attributes[name], **facts)
    return dataclasses.replace(kind, attributes=attributes)


def without(kind: ObjectType, *names: str) -> ObjectType:
    return dataclasses.replace(kind, attributes={n: a for n, a in kind.attributes.items() if n not in names})


def renamed(kind: ObjectType, old: str, new: str) -> ObjectType:
    """`kind` with an attribute under another name, saying so."""
    attributes = {
        (new if n == old else n): (dataclasses.replace(a, name=new, renamed_from=old) if n == old else a)
        for n, a in kind.attributes.items()
    }
    return dataclasses.replace(kind, attributes=attributes)
