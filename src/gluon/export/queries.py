"""The arguments of lists and of watches, as OpenAPI has them.

In: an object type. Out: parameters, and what answers have besides the objects. Called by `openapi`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gluon.export import answers
from gluon.model import body_schema
from gluon.model.schema_words import ANY_TEXT, NEW_FORMATS, TYPES
from gluon.model.types import Attribute, Format, ObjectType
from gluon.particles import queries
from gluon.spi.store import Match

Document = dict[str, Any]

_TIME: Document = {
    "type": "string",
    "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}(:[0-9]{2}){2}(\.[0-9]{1,6})?$",
}


WATCH: tuple[Document, ...] = (
    {
        "name": "watch",
        "in": "query",
        "required": False,
        "description": "Be told of changes from now on, by an answer that does not end; of the other arguments only filters"
        " and `resume` go with it.",
        "schema": {"type": "boolean", "enum": [True]},
    },
    {
        "name": "resume",
        "in": "query",
        "required": False,
        "description": "With `watch`: from where on, as a list or an event has said.",
        "schema": {"type": "string"},
    },
)
EVENT: Document = {
    "type": "object",
    "description": "One change, as a watch tells it. What it has depends on its `type`.",
    "properties": {
        "type": {"type": "string", "enum": ["ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR"]},
        "api": {"type": "string", "description": "The proton."},
        "version": {"type": "string"},
        "kind": {"type": "string", "description": "The object type."},
        "plural": {"type": "string"},
        "key": {"type": "string", "description": "Of the object, as text."},
        "op": {"type": "string", "enum": ["create", "update", "delete"]},
        "cause": {"type": "string", "enum": ["intent", "status"]},
        "at": {"type": "string", "description": "The time of the commit, UTC."},
        "revision": {"type": "integer"},
        "resume": {"type": "string", "description": "Where a watch goes on after this."},
        "object": {"type": "object", "description": "As it is now; of one that is gone, as it was."},
        "old": {"type": "object", "description": "As it was before."},
        "code": {"type": "string", "description": "Why the stream ends."},
        "detail": {"type": "string"},
    },
    "required": ["type"],
}


def streams() -> Document:
    """What a watch is answered in."""
    lines = {"type": "string", "description": "A `gluon.Event` a line, as JSON."}
    data = {
        "type": "string",
        "contentMediaType": "application/json",
        "contentSchema": {"$ref": "#/components/schemas/gluon.Event"},
    }
    words = {"id": {"type": "string"}, "event": EVENT["properties"]["type"], "data": data}
    events = {
        "type": "object",
        "description": "Server-sent events, each of these.",
        "properties": words,
        "required": ["event", "data"],
    }
    return {"application/x-ndjson": {"schema": lines}, "text/event-stream": {"schema": events}}


def parameters(kind: ObjectType, key: Document) -> list[Document]:
    """Filters first, in the order of the attributes; `key`: the schema of the key."""
    found = [_filter(name, kind.attributes.get(name)) for name in queries.filtered(kind) if _free(name)]
    directions = {"type": "array", "items": {"type": "string", "enum": ["asc", "desc"]}}
    limit = {"type": "integer", "minimum": 0, "maximum": queries.MOST, "default": queries.MOST}
    found += [
        {"$ref": f"#/components/parameters/{kind.name}.compared"},
        _parameter("sort_key", "Sort by these, then by the key.", _names(queries.sorted_by(kind), once=True)),
        _parameter("sort_dir", "The direction of each `sort_key`.", directions),
        _parameter("limit", "Objects of one answer.", limit),
        _parameter("marker", "The key of the object that the page follows.", key),
        _parameter("fields", "Show only these.", _names(queries.shown(kind))),
        _parameter("count", "Say how many objects there are on all pages.", {"type": "boolean"}),
    ]
    if references := queries.embedded(kind):
        found.append(_parameter("embed", "Show what these refer to.", _names(references)))
    return found


def compared(kind: ObjectType) -> Document:
    """All filters by more than equality, as one parameter whose members are arguments of the query."""
    found: Document = {}
    for name in queries.filtered(kind):
        attribute = kind.attributes.get(name)
        for word in queries.suffixes(attribute):
            found[f"{name}__{word}"] = _compared(attribute, word)
    return {
        "name": "compared",
        "in": "query",
        "required": False,
        "description": "Filters by comparison; each member is an argument of its own, `?name__startswith=a`.",
        "style": "form",
        "explode": True,
        "schema": {"type": "object", "properties": found, "additionalProperties": False},
    }


def _compared(attribute: Attribute | None, word: str) -> Document:
    """The value behind one suffix."""
    plain = _TIME if attribute is None else _value(attribute)
    either = {"anyOf": [plain, {"type": "string", "maxLength": 0}]}
    if word == queries.IN:
        return {"type": "array", "items": either, "minItems": 1, "maxItems": queries.VALUES}
    match = Match(word)
    if match in queries.PARTS:
        return {"type": "string", "pattern": ANY_TEXT}
    if match is Match.WITHIN:
        forms = (Format.CIDR, Format.IP)
        return {"anyOf": [{"type": "string", **NEW_FORMATS[form]} for form in forms]}
    if match in queries.BOTH:
        return either
    is_text = attribute is not None and attribute.value_type in queries.TEXTS
    if is_text and attribute is not None and attribute.value_format is None:
        return {"type": "string", "pattern": ANY_TEXT}
    return plain


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
        "count": {"type": "integer", "minimum": 0, "description": "Of all pages, where it was asked for."},
    }
    objects = whole["properties"][kind.plural]
    part = {"$ref": f"#/components/schemas/{kind.name}.shown"}
    either = {**objects, "items": {"anyOf": [objects["items"], part]}}
    return {**whole, "properties": {kind.plural: either, **more}}


def shown(kind: ObjectType) -> Document:
    """One object of a list, in part."""
    targets: Mapping[str, str] = {
        a.name: f"#/components/schemas/{a.reference}"
        for a in kind.references
        if a.name in queries.embedded(kind)
    }
    return answers.shown(kind, targets)


def _free(name: str) -> bool:
    """An attribute called as a word of the query is only filtered by as `name__eq`."""
    return name not in queries.WORDS


def _filter(name: str, attribute: Attribute | None) -> Document:
    plain = _TIME if attribute is None else _value(attribute)
    text = "Only objects with one of these values; empty stands for null."
    items = {"anyOf": [plain, {"type": "string", "maxLength": 0}]}
    return _parameter(name, text, {"type": "array", "items": items})


def _value(attribute: Attribute) -> Document:
    return {"type": TYPES[attribute.value_type], **body_schema.facts(attribute)}


def _names(names: tuple[str, ...], *, once: bool = False) -> Document:
    found: Document = {"type": "array", "items": {"type": "string", "enum": list(names)}}
    return {**found, "uniqueItems": True} if once else found


def _parameter(name: str, text: str, schema: Document) -> Document:
    return {"name": name, "in": "query", "required": False, "description": text, "schema": schema}
