"""JSON Schema of the bodies of one object type, draft 2020-12: what fits it is accepted (references and uniqueness apart).

In: an object type. Out: plain data. A schema names the one form that is meant, the normal form: a body that is
accepted in another (a MAC address with dashes, an AS number as `1.10`; in 1.0 digits as text) fits it once it is
normal. What JSON Schema cannot say is only named by `format`: dates, URIs, IPv6 addresses, prefixes without host
bits; JSON in a text by `contentMediaType`. It knows nothing of NUL and lone surrogates, which no database takes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gluon.model import nested, strict
from gluon.model.fieldtypes import RANGES, STRING_LENGTH
from gluon.model.schema_words import ANY_TEXT, FORMATS, NEW_FORMATS, TYPES, UUID
from gluon.model.types import Attribute, AttributeType, Format, ObjectType

Schema = dict[str, Any]


def schema(object_type: ObjectType, *, create: bool) -> Schema:
    """Of a body that creates an object, or that changes one."""
    properties: Schema = {}
    required = []
    for name, attribute in object_type.attributes.items():
        if attribute.read_only and attribute.kept:
            continue
        key = name == object_type.key
        # a key that refers to an object cannot be made up
        made = key and object_type.generated_key and not attribute.reference
        if attribute.read_only and create:
            properties[name] = _untouched(attribute)
            continue
        null = made or not (key or _never_null(attribute))
        properties[name] = _value(attribute, null=null)
        if key and not made and properties[name]["type"] == "string":
            properties[name].setdefault("minLength", 1)  # an empty key could not stand in a URL
        if create and not made and (attribute.required or key or not null) and not _filled(attribute):
            required.append(name)
    return {
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


def _untouched(attribute: Attribute) -> Schema:
    """A body that makes an object may repeat what the server will write, no more."""
    allowed = [None] if attribute.nullable else []
    if attribute.default is not None:
        allowed.append(attribute.default)
    return {"enum": allowed, "readOnly": True, **_words(attribute)}


def _filled(attribute: Attribute) -> bool:
    return attribute.default is not None or attribute.drawn


def _never_null(attribute: Attribute) -> bool:
    return attribute.required if attribute.kept else not attribute.nullable


def _value(attribute: Attribute, *, null: bool) -> Schema:
    found: Schema = {"type": TYPES[attribute.value_type], **facts(attribute)}
    if null:
        found["type"] = [found["type"], "null"]
        if "enum" in found:
            found["enum"] = [*found["enum"], None]
    found.update(_words(attribute))
    if attribute.read_only:
        found["readOnly"] = True
    return found


def _words(attribute: Attribute) -> Schema:
    """What says something about an attribute and decides nothing."""
    found: Schema = {}
    if attribute.description:
        found["description"] = attribute.description.strip()
    if attribute.default is not None:
        found["default"] = attribute.default
    if attribute.example is not None and not attribute.secret:
        found["examples"] = [attribute.example]
    if attribute.secret:
        found["writeOnly"] = True
    return found


def facts(attribute: Attribute) -> Schema:
    """What a value has to be besides its type."""
    match attribute.value_type:
        case AttributeType.ENUM:
            return {"enum": list(attribute.values)}
        case AttributeType.UUID:
            return {"format": "uuid", "pattern": UUID}
        case AttributeType.INTEGER:
            low, high = _limits(attribute) if attribute.kept else strict.limits(attribute)
            return {"minimum": low, "maximum": high}
        case AttributeType.NUMBER:
            limits = {"minimum": attribute.minimum, "maximum": attribute.maximum}
            return {key: limit for key, limit in limits.items() if limit is not None}
        case AttributeType.STRING:
            return _text(attribute)
        case AttributeType.LIST | AttributeType.MAP | AttributeType.OBJECT:
            return _nested(attribute)
        case _:
            return {}


def _limits(attribute: Attribute) -> tuple[int, int]:
    low, high = RANGES.get(attribute.value_format or Format.INT64, RANGES[Format.INT64])
    low = low if attribute.minimum is None else max(low, int(attribute.minimum))
    return low, high if attribute.maximum is None else min(high, int(attribute.maximum))


def _text(attribute: Attribute) -> Schema:
    formats = FORMATS if attribute.kept else {**FORMATS, **NEW_FORMATS}
    found = dict(formats.get(attribute.value_format, {})) if attribute.value_format else {}
    if attribute.role not in strict.FREE_LENGTH or attribute.kept:
        found["maxLength"] = STRING_LENGTH if attribute.length is None else attribute.length
    if attribute.min_length:
        found["minLength"] = attribute.min_length
    elif attribute.primary or (attribute.reference and not attribute.kept):
        found["minLength"] = 1
    if attribute.pattern:
        pattern = f"^(?:{attribute.pattern})$"
        if "pattern" in found:
            found["allOf"] = [{"pattern": pattern}]
        else:
            found["pattern"] = pattern
    elif "format" not in found:
        found["pattern"] = ANY_TEXT
    return found


def members(attributes: Mapping[str, Attribute]) -> Schema:
    """Of a nested object, or of what an action takes."""
    needed = [n for n, m in attributes.items() if (m.required or not m.nullable) and m.default is None]
    return {
        "properties": {n: _value(m, null=not _never_null(m)) for n, m in attributes.items()},
        "required": needed,
        "additionalProperties": False,
    }


def _nested(attribute: Attribute) -> Schema:
    if attribute.value_type is AttributeType.OBJECT:
        return members(attribute.members)
    items = attribute.items
    inner = _value(items, null=not _never_null(items)) if items else {}
    least, most = nested.limits(attribute)
    if attribute.value_type is AttributeType.MAP:
        found: Schema = {
            "additionalProperties": inner,
            "propertyNames": {"maxLength": nested.KEY_LENGTH, "pattern": ANY_TEXT},
        }
        return {**found, "maxProperties": most} | ({"minProperties": least} if least else {})
    found = {"items": inner, "maxItems": most, **({"minItems": least} if least else {})}
    return {**found, "uniqueItems": True} if attribute.unique_items else found
