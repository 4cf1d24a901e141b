"""An OpenAPI document as it is for one caller: which bodies need a project, what may be left out of answers, what he may not do.

In: the document of a model and, by type, what the rules say of him. Out: the same document, changed. Called by the API. A
document that nobody asks for is that of an admin without a project, to whom nothing is hidden.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from gluon.export import paths, shared
from gluon.model.types import Model, ObjectType, Role

Document = dict[str, Any]

ALLOWED = "x-gluon-allowed"
"""Of an operation: false where the rules let him do it to no object."""


@dataclass(frozen=True, slots=True, kw_only=True)
class May:
    """What one may do with a type. `owns`: a body that names no project is his project's; `hidden`: attributes that answers
    to him may leave out; `unset`: what he may not give to a new object, and `unchanged`: may not change; `never`: actions."""

    owns: bool = False
    hidden: frozenset[str] = frozenset()
    unset: frozenset[str] = frozenset()
    unchanged: frozenset[str] = frozenset()
    never: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Eyes:
    """By the name of the type, in its order; hashable."""

    every: tuple[tuple[str, May], ...] = field(default=())


def of(document: Document, model: Model, eyes: Eyes) -> Document:
    """The document for him."""
    for name, may in eyes.every:
        kind = model.types[name]
        _schemas(document["components"]["schemas"], model, kind, may)
        for place in paths.places(model, kind):
            many, one = document["paths"].get(place.path, {}), document["paths"].get(place.one, {})
            for body in _made(many, kind):
                _created(body, model, kind, may)
            for operation, action in _operations(document["paths"], place, many, one):
                if action in may.never:
                    operation[ALLOWED] = False
    return document


def _schemas(schemas: Document, model: Model, kind: ObjectType, may: May) -> None:
    whole = schemas[kind.name]
    whole["required"] = [name for name in whole["required"] if name not in may.hidden]
    _created(schemas[f"{kind.name}.create"], model, kind, may)
    changed = schemas[f"{kind.name}.update"]["properties"]
    for name in may.unchanged & changed.keys():
        rule = f"{model.name}:update_{kind.singular}:{name}"
        changed[name] = _told(changed[name], f"You may not change it: the rule is `{rule}`.")


def _created(schema: Document, model: Model, kind: ObjectType, may: May) -> None:
    """A body that makes one: without a project it is the caller's."""
    known = schema["properties"]
    project = kind.role(Role.PROJECT)
    if may.owns and project in known:
        schema["required"] = [name for name in schema["required"] if name != project]
        known[project] = _told(known[project], "Without it: your project.")
    for name in may.unset & known.keys():
        attribute = kind.attributes[name]
        rule = f"{model.name}:create_{kind.singular}:{name}"
        usual = [None] if attribute.nullable else []
        if attribute.default is not None:
            usual.append(attribute.default)
        told = _told(known[name], f"You may not set it: the rule is `{rule}`.")
        known[name] = {"enum": usual, "description": told["description"]}


def _told(schema: Document, words: str) -> Document:
    """With more in its description, once."""
    said = schema.get("description", "")
    return schema if words in said else {**schema, "description": f"{said} {words}".strip()}


def _made(item: Document, kind: ObjectType) -> Iterator[Document]:
    """The schemas of new objects that a path has as its own."""
    if "post" not in item:
        return
    schema = item["post"]["requestBody"]["content"][shared.JSON]["schema"]
    for one in schema.get("anyOf", (schema,)):
        several = one.get("properties", {}).get(kind.plural, {}).get("items")
        found = one if several is None else several
        if "$ref" not in found:
            yield found


def _operations(
    every: Document, place: paths.Place, many: Document, one: Document
) -> Iterator[tuple[Document, str]]:
    """Those of a place, and the action of the rules that each is."""
    for item, verb, action in (
        (many, "get", "list"), (many, "post", "create"), (many, "delete", "delete"),
        (one, "get", "get"), (one, "put", "update"), (one, "patch", "update"), (one, "delete", "delete"),
    ):  # fmt: skip
        if verb in item:
            yield item[verb], action
    for step, verb, action in (("status", "get", "get"), *((a, "post", a) for a in place.type.actions)):
        if operation := every.get(f"{place.one}/{step}", {}).get(verb):
            yield operation, action
