"""A model as the database keeps it, and back.

In: a frozen model. Out: JSON text of all of it, from which the same model is made again without a loader. Texts of the
first release, which were `describe`'s, are read too: they say all that 1.0 had. Called by mains.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from gluon.evolve import plain
from gluon.model.types import Attribute, Kind, Model, ObjectType, Role, Unique
from gluon.objects import codec
from gluon.particles import tables
from gluon.spi import store

_MARK = "model"


def stored(model: Model, who: str = "") -> store.StoredModel:
    """What the store records; `who` loads it."""
    text = codec.encode({_MARK: plain.plain(model)}).decode()
    return store.StoredModel(
        api=model.name, version=model.version, digest=model.digest, document=text, who=who,
        counted={t.name: tables.table_of(model, t) for t in model.types.values() if t.quota is not None},
    )  # fmt: skip


def restore(kept: store.StoredModel) -> Model:
    """The model that was recorded. Raises `ValueError` for a text of a later release."""
    found: dict[str, Any] = codec.decode(kept.document)
    model: Model = plain.made(found[_MARK], Model) if _MARK in found else _described(found)
    return replace(model, digest=kept.digest)


def placed(model: Model, before: Model | None) -> Model:
    """`model` with each object type in the table that holds it by now."""
    return _placed(model, {n: t.table for n, t in before.types.items()}) if before is not None else model


def kept(model: Model, record: store.StoredModel) -> Model:
    """The same for a model that is on record as it is: of the record only the names of tables are read."""
    found: dict[str, Any] = codec.decode(record.document)
    return _placed(model, {n: t.get("table", "") for n, t in found.get(_MARK, found)["types"].items()})


def _placed(model: Model, where: Mapping[str, str]) -> Model:
    if all(where.get(name, t.table) == t.table for name, t in model.types.items()):
        return model
    types = {name: replace(t, table=where[name]) if name in where else t for name, t in model.types.items()}
    return replace(model, types=types)


def _described(found: Mapping[str, Any]) -> Model:
    return Model(
        file_version=found["file_version"], name=found["name"], version=found["version"],
        description=found.get("description", ""), author=found.get("author", {}), digest="",
        types={name: _type(name, said) for name, said in found["types"].items()},
    )  # fmt: skip


def _type(name: str, said: Mapping[str, Any]) -> ObjectType:
    return ObjectType(
        name=name, singular=said["singular"], plural=said["plural"], kind=Kind(said["kind"]),
        description=said.get("description", ""), key=said["key"], generated_key=said["generated_key"],
        attributes={n: _attribute(n, a) for n, a in said["attributes"].items()},
        unique=tuple(plain.made(u, Unique) for u in said.get("unique", ())),
        parent=said.get("parent"), parent_key=said.get("parent_key"), policies=said.get("policies", {}),
        roles={Role(role): attribute for role, attribute in said.get("roles", {}).items()},
    )  # fmt: skip


def _attribute(name: str, said: Mapping[str, Any]) -> Attribute:
    facts = {k: v for k, v in said.items() if k not in {"min", "max"}}
    facts.setdefault("value_type", said["type"])
    facts.setdefault("value_format", said.get("format"))
    limits = {"minimum": said.get("min"), "maximum": said.get("max")}
    made: Attribute = plain.made({"name": name, **limits, **facts}, Attribute)
    return made
