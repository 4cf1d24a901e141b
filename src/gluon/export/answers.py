"""JSON Schemas of what the server answers: objects, lists of them, their standing, its refusals.

In: object types. Out: schemas of draft 2020-12. What a client may send is `model.body_schema`'s; answers have every
attribute, in normal form (1.0: in the form that was written).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gluon.model.types import Attribute, AttributeType, Format, ObjectType, Role
from gluon.values import nouns

Schema = dict[str, Any]

_JSON_TYPES = {
    AttributeType.STRING: "string",
    AttributeType.ENUM: "string",
    AttributeType.UUID: "string",
    AttributeType.INTEGER: "integer",
    AttributeType.NUMBER: "number",
    AttributeType.BOOLEAN: "boolean",
    AttributeType.LIST: "array",
    AttributeType.MAP: "object",
    AttributeType.OBJECT: "object",
}
_FORMATS = {
    Format.DATE_TIME: "date-time",
    Format.IPV4: "ipv4",
    Format.IPV6: "ipv6",
    Format.URI: "uri-reference",
    Format.EMAIL: "email",
}
_MAC = "^[0-9a-f]{2}(:[0-9a-f]{2}){5}$"
EMBEDDED = "_embedded"
_STAMP = {"type": "string", "maxLength": 26, "readOnly": True}
# The arbiter writes these; the model's length is not theirs.
_VIEWS = frozenset({Role.VIF_TYPE, Role.VIF_DETAILS, Role.PROFILE})


def whole(object_type: ObjectType) -> Schema:
    """One object as answered."""
    properties = {name: value(a, key=name == object_type.key) for name, a in object_type.attributes.items()}
    properties["created_at"] = {**_STAMP, "description": "When it was created, UTC."}
    properties["updated_at"] = {**_STAMP, "description": "When it was changed last, UTC."}
    schema: Schema = {"type": "object"}
    if object_type.description:
        schema["description"] = object_type.description
    shown = [
        n for n in properties if n not in object_type.attributes or not _hidden(object_type.attributes[n])
    ]
    schema |= {"properties": properties, "required": shown}
    if object_type.examples:
        secret = {a.name for a in object_type.attributes.values() if a.secret}
        schema["examples"] = [
            {n: None if n in secret else v for n, v in e.items()} for e in object_type.examples
        ]
    return schema


def _hidden(attribute: Attribute) -> bool:
    """Is it left out for who may not read it?"""
    return "get" in attribute.policies


def shown(object_type: ObjectType, targets: Mapping[str, str]) -> Schema:
    """One object of a list: with `fields` some of its attributes, with `embed` what they refer to (`targets`)."""
    schema = whole(object_type)
    schema["description"] = "With `fields` or `embed`: what was asked for."
    if targets:
        embedded = {name: {"anyOf": [{"$ref": ref}, {"type": "null"}]} for name, ref in targets.items()}
        schema["properties"][EMBEDDED] = {"type": "object", "properties": embedded}
    return {k: v for k, v in schema.items() if k not in {"required", "examples"}}


def value(attribute: Attribute, *, key: bool = False) -> Schema:
    """One value as answered."""
    schema = _plain(attribute)
    if (nothing := _may_be_null(attribute, key=key)) and "enum" in schema:
        schema["enum"] = [*schema["enum"], None]
    if nothing:
        schema["type"] = [schema["type"], "null"]
    text = attribute.description.strip()
    if attribute.reference:
        text = f"{text} Key of {nouns.a(attribute.reference)}.".strip()
    if text:
        schema["description"] = text
    if attribute.read_only:
        schema["readOnly"] = True
    return schema


def _may_be_null(attribute: Attribute, *, key: bool) -> bool:
    if attribute.secret:
        return True
    return attribute.nullable and not (attribute.required or key)


def _plain(attribute: Attribute) -> Schema:
    kind = attribute.value_type
    schema: Schema = {"type": _JSON_TYPES[kind]}
    match kind:
        case AttributeType.ENUM:
            schema["enum"] = list(attribute.values)
        case AttributeType.LIST:
            schema["items"] = value(attribute.items) if attribute.items else {}
        case AttributeType.MAP:
            schema["additionalProperties"] = value(attribute.items) if attribute.items else {}
        case AttributeType.OBJECT:
            schema["properties"] = {name: value(member) for name, member in attribute.members.items()}
        case AttributeType.UUID if not attribute.kept:
            schema["format"] = "uuid"
        case AttributeType.INTEGER | AttributeType.NUMBER:
            if attribute.minimum is not None:
                schema["minimum"] = attribute.minimum
            if attribute.maximum is not None:
                schema["maximum"] = attribute.maximum
            if attribute.value_format in {Format.INT32, Format.INT64}:
                schema["format"] = attribute.value_format.value
        case AttributeType.STRING:
            schema |= _text(attribute)
    return schema


def _text(attribute: Attribute) -> Schema:
    schema: Schema = {}
    if attribute.value_format in _FORMATS and not attribute.kept:
        schema["format"] = _FORMATS[attribute.value_format]
    if attribute.value_format is Format.MAC and not attribute.kept:
        schema["pattern"] = _MAC
    if attribute.length is not None and attribute.role not in _VIEWS:
        schema["maxLength"] = attribute.length
    return schema


def many(object_type: ObjectType, reference: str) -> Schema:
    """A list of objects as answered."""
    items = {"type": "array", "items": {"$ref": reference}}
    return {"type": "object", "properties": {object_type.plural: items}, "required": [object_type.plural]}


def _object(description: str, properties: dict[str, Schema]) -> Schema:
    return {
        "type": "object",
        "description": description,
        "properties": properties,
        "required": list(properties),
    }


def _string(description: str, *values: str, null: bool = False) -> Schema:
    schema: Schema = {"type": ["string", "null"] if null else "string", "description": description}
    if values:
        schema["enum"] = list(values)
    return schema


def standing() -> Schema:
    """What `…/status` answers."""
    condition = {
        **_object(
            "What one shim says; empty texts are left out.",
            {
                "type": _string("What it is about."),
                "status": _string("Whether it holds.", "True", "False", "Unknown"),
                "reason": _string("Why, in one word."),
                "message": _string("Why, for people."),
                "since": _string("Since when, UTC."),
                "controller": _string("Who says it."),
                "shard": _string("Of what part of the network."),
            },
        ),
        "required": ["type", "status"],
    }
    binding = _object(
        "How a port is bound to its host.",
        {
            "host": _string("The host.", null=True),
            "state": _string("How far the bind is."),
            "reason": _string("Why it failed, in one word."),
            "message": _string("Why it failed, for people."),
            "since": _string("Since when.", null=True),
            "vif_type": _string("How the hypervisor plugs the device.", null=True),
            "vif_details": {"type": "object", "description": "What it has to know for that."},
            "controllers": {"type": "array", "items": {"type": "string"}, "description": "Who answered."},
        },
    )
    return _object(
        "How an object stands: what was asked for, and what the network made of it.",
        {
            "revision": {"type": "integer", "description": "Of the object as stored."},
            "observed_revision": {
                "type": "integer",
                "description": "The lowest revision that all shims have acted on; 0 while none reported.",
            },
            "status": _string("In one word."),
            "binding": binding,
            "conditions": {"type": "array", "items": condition, "description": "What each shim says."},
        },
    )


def problem(*, legacy: bool) -> Schema:
    """The body of every refusal (RFC 9457); `legacy`: with the words of the first Gluon beside it."""
    field = _object(
        "One wrong value.",
        {
            "pointer": _string("JSON pointer into the body; empty for the body as a whole or the path."),
            "code": _string("What rule is broken; stable."),
            "detail": _string("The value and its rule, for people."),
            "hint": _string("The cure."),
        },
    )
    faults = {
        "faultcode": _string("Whose fault it is.", "Client", "Server"),
        "faultstring": _string("The first problem in the words of the first Gluon."),
        "debuginfo": {"type": "null"},
    }
    return _object(
        "Why a request was refused; nothing was changed.",
        {
            "type": _string(
                "Where the code is explained, on this server; about:blank in answers of the first Gluon's form."
            ),
            "title": _string("What went wrong in general."),
            "status": {"type": "integer", "description": "The status of the answer."},
            "detail": _string("What went wrong here."),
            "code": _string("What rule is broken; stable."),
            "hint": _string("The cure."),
            "request_id": _string("What the log has about it."),
            "errors": {"type": "array", "items": field, "description": "Every wrong value."},
            **(faults if legacy else {}),
        },
    )
