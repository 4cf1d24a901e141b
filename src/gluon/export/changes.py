"""What a client may ask of a change, as OpenAPI has it: to try it, to do it once, several in one; merge patches.

In: an object type and the operations of its paths. Out: the same with parameters, bodies and operations more. Called by
`openapi`; 1.0 has the key alone, and versions that are not stored have none of it.
"""

from __future__ import annotations

from typing import Any

from gluon.export import shared
from gluon.model.types import ObjectType

Document = dict[str, Any]

MOST = 1000
MERGE_PATCH = "application/merge-patch+json"
_JSON = "application/json"
_VERBS = ("post", "put", "patch", "delete")

PARAMETERS: Document = {
    "IdempotencyKey": {
        "name": "Idempotency-Key",
        "in": "header",
        "required": False,
        "description": "Sent again with the same key, a change is not done again: the first answer comes back (24 hours).",
        "schema": {"type": "string", "pattern": '^([!#-~]{1,255}|"[ !#-~]{1,255}")$'},
    },
    "DryRun": {
        "name": "dry_run",
        "in": "query",
        "required": False,
        "description": "Judge and answer, and write nothing.",
        "schema": {"type": "boolean", "default": False},
    },
}


def with_terms(item: Document, *, old: bool) -> Document:
    """The operations of a path, with what may be asked of its changes."""
    names = ("IdempotencyKey",) if old else ("IdempotencyKey", "DryRun")
    asked = [{"$ref": f"#/components/parameters/{name}"} for name in names]
    return {
        verb: {
            **operation,
            "parameters": [*operation.get("parameters", ()), *asked],
            "responses": _repeatable(operation["responses"]),
        }
        if verb in _VERBS
        else operation
        for verb, operation in item.items()
    }


def _repeatable(responses: Document) -> Document:
    """The good answers, which a key brings back."""
    return {
        status: {**said, "headers": {**said["headers"], **shared.REPLAYED}} if status < "300" else said
        for status, said in responses.items()
    }


def without(item: Document) -> Document:
    """The operations as a version has them that is not stored."""
    kept = {verb: operation for verb, operation in item.items() if verb != "patch"}
    for verb in _VERBS:
        if verb not in kept:
            continue
        given = [
            p for p in kept[verb].get("parameters", ()) if p.get("$ref", "").split("/")[-1] not in PARAMETERS
        ]
        kept[verb] = {k: v for k, v in kept[verb].items() if k != "parameters"} | (
            {"parameters": given} if given else {}
        )
        kept[verb]["responses"] = {
            status: {
                **said,
                "headers": {n: h for n, h in said["headers"].items() if n not in shared.REPLAYED},
            }
            if "headers" in said
            else said
            for status, said in kept[verb]["responses"].items()
        }
    return kept


def patched(put: Document, name: str, schema: Document) -> Document:
    """The operation that merges, made of the one that replaces."""
    return {
        **put,
        "operationId": name,
        "description": "As PUT, but of objects and maps only the members that are given change; null removes one"
        " (RFC 7396).",
        "requestBody": {
            "required": True,
            "content": {_JSON: {"schema": schema}, MERGE_PATCH: {"schema": schema}},
        },
    }


def merge_patch(schema: Document) -> Document:
    """Of a body that merges, made of that of one that replaces."""
    return {**schema, "properties": {name: _part(value) for name, value in schema["properties"].items()}}


def _part(schema: Document) -> Document:
    """Of an object or map any members, each of which null removes."""
    kinds = schema.get("type")
    if "object" not in (kinds if isinstance(kinds, list) else [kinds]):
        return schema
    part = {k: v for k, v in schema.items() if k not in ("required", "minProperties")}
    if "properties" in part:
        part["properties"] = {name: _or_null(value) for name, value in part["properties"].items()}
    if isinstance(part.get("additionalProperties"), dict):
        part["additionalProperties"] = _or_null(part["additionalProperties"])
    return part


def _or_null(schema: Document) -> Document:
    return {"anyOf": [_part(schema), {"type": "null"}]}


def several_made(t: ObjectType, one: Document) -> Document:
    """A body of one object, or of several under the plural."""
    return {"anyOf": [one, _listed(t, one)]}


def several_gone(t: ObjectType, key: Document) -> Document:
    """Which objects are to go; `key`: the schema of each key."""
    return {
        "name": t.key,
        "in": "query",
        "required": True,
        "description": f"The keys of the {t.plural} to delete: all of them, or none.",
        "schema": {"type": "array", "items": key, "minItems": 1, "maxItems": MOST},
    }


def _listed(t: ObjectType, one: Document) -> Document:
    items = {"type": "array", "items": one, "minItems": 1, "maxItems": MOST}
    return {
        "type": "object",
        "properties": {t.plural: items},
        "required": [t.plural],
        "additionalProperties": False,
    }
