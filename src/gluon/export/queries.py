"""The arguments of lists, as OpenAPI has them.

In: an object type. Out: parameters, and what answers have besides the objects. Called by `openapi`.
"""

from __future__ import annotations

from typing import Any

from gluon.model import body_schema
from gluon.model.schema_words import TYPES
from gluon.model.types import Attribute, ObjectType
from gluon.particles import queries

Document = dict[str, Any]

_TIME: Document = {
    "type": "string",
    "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}(:[0-9]{2}){2}(\.[0-9]{1,6})?$",
}


def parameters(kind: ObjectType) -> list[Document]:
    """Filters first, in the order of the attributes."""
    found = [_filter(name, kind.attributes.get(name)) for name in queries.filtered(kind) if _free(name)]
    directions = {"type": "array", "items": {"type": "string", "enum": ["asc", "desc"]}}
    limit = {"type": "integer", "minimum": 0, "maximum": queries.MOST, "default": queries.MOST}
    found += [
        _parameter("sort_key", "Sort by these, then by the key.", _names(queries.sorted_by(kind), once=True)),
        _parameter("sort_dir", "The direction of each `sort_key`.", directions),
        _parameter("limit", "Objects of one answer.", limit),
        _parameter("marker", "The key of the object that the page follows.", {"type": "string"}),
        _parameter("fields", "Show only these.", _names(queries.shown(kind))),
        _parameter("count", "Say how many objects there are on all pages.", {"type": "boolean"}),
    ]
    if references := queries.embedded(kind):
        found.append(_parameter("embed", "Show what these refer to.", _names(references)))
    return found


def listed(kind: ObjectType, whole: Document) -> Document:
    """The answer: with `fields` objects have some members, with `embed` one more."""
    link = {
        "type": "object",
        "properties": {"rel": {"type": "string", "enum": ["next"]}, "href": {"type": "string"}},
        "required": ["rel", "href"],
    }
    more: Document = {
        f"{kind.plural}_links": {
            "type": "array",
            "items": link,
            "description": "Where the next page is; absent on the last.",
        },
        "count": {"type": "integer", "description": "Of all pages, where it was asked for."},
    }
    objects = whole["properties"][kind.plural]
    part = {"type": "object", "description": "With `fields` or `embed`: what was asked for."}
    either = {**objects, "items": {"anyOf": [objects["items"], part]}}
    return {**whole, "properties": {kind.plural: either, **more}}


def _free(name: str) -> bool:
    """An attribute called as a word of the query is only filtered by as `name__eq`."""
    return name not in queries.WORDS


def _filter(name: str, attribute: Attribute | None) -> Document:
    words = ", ".join(f"`{name}__{word}`" for word in queries.suffixes(attribute))
    plain = _TIME if attribute is None else _value(attribute)
    text = f"Only objects with one of these values; empty stands for null. Also {words}."
    items = {"anyOf": [plain, {"type": "string", "maxLength": 0}]}
    return _parameter(name, text, {"type": "array", "items": items})


def _value(attribute: Attribute) -> Document:
    return {"type": TYPES[attribute.value_type], **body_schema.facts(attribute)}


def _names(names: tuple[str, ...], *, once: bool = False) -> Document:
    found: Document = {"type": "array", "items": {"type": "string", "enum": list(names)}}
    return {**found, "uniqueItems": True} if once else found


def _parameter(name: str, text: str, schema: Document) -> Document:
    return {"name": name, "in": "query", "required": False, "description": text, "schema": schema}
