"""JSON Schema of the bodies of one object type, draft 2020-12: what fits it is accepted (references and uniqueness apart).

In: an object type. Out: plain data. 1.0 takes more than it says here (digits as text, other forms of a uuid); the
schema names the one form that is meant.
"""

from __future__ import annotations

from typing import Any

from gluon.model.fieldtypes import RANGES, STRING_LENGTH
from gluon.model.types import Attribute, AttributeType, Format, ObjectType

Schema = dict[str, Any]

_TYPES = {
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
_OCTET = "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_UUID = "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
_FORMATS: dict[Format, Schema] = {
    Format.DATE_TIME: {"format": "date-time"},
    Format.JSON: {"contentMediaType": "application/json"},
    Format.IPV4: {"format": "ipv4", "pattern": rf"^{_OCTET}(\.{_OCTET}){{3}}$"},
    Format.IPV6: {"format": "ipv6"},
    Format.MAC: {"pattern": "^[0-9a-f]{2}(:[0-9a-f]{2}){5}$"},
    Format.URI: {"format": "uri"},
    Format.EMAIL: {"format": "email"},
}


def schema(object_type: ObjectType, *, create: bool) -> Schema:
    """Of a body that creates an object, or that changes one."""
    properties: Schema = {}
    required = []
    for name, attribute in object_type.attributes.items():
        if attribute.read_only:
            continue
        key = name == object_type.key
        # a key that refers to an object cannot be made up
        made = key and object_type.generated_key and not attribute.reference
        properties[name] = _value(attribute, null=made or not (key or _never_null(attribute)))
        if create and not made and (attribute.required or key) and not _filled(attribute):
            required.append(name)
    return {
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


def _filled(attribute: Attribute) -> bool:
    return attribute.default is not None or attribute.pool is not None


def _never_null(attribute: Attribute) -> bool:
    return attribute.required or not attribute.nullable


def _value(attribute: Attribute, *, null: bool) -> Schema:
    found: Schema = {"type": _TYPES[attribute.value_type], **_facts(attribute)}
    if null:
        found["type"] = [found["type"], "null"]
        if "enum" in found:
            found["enum"] = [*found["enum"], None]
    if attribute.description:
        found["description"] = attribute.description.strip()
    if attribute.default is not None:
        found["default"] = attribute.default
    if attribute.example is not None:
        found["examples"] = [attribute.example]
    if attribute.secret:
        found["writeOnly"] = True
    return found


def _facts(attribute: Attribute) -> Schema:
    match attribute.value_type:
        case AttributeType.ENUM:
            return {"enum": list(attribute.values)}
        case AttributeType.UUID:
            return {"format": "uuid", "pattern": _UUID}
        case AttributeType.INTEGER:
            low, high = RANGES.get(attribute.value_format or Format.INT64, RANGES[Format.INT64])
            low = low if attribute.minimum is None else max(low, int(attribute.minimum))
            high = high if attribute.maximum is None else min(high, int(attribute.maximum))
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


def _text(attribute: Attribute) -> Schema:
    found = dict(_FORMATS.get(attribute.value_format, {})) if attribute.value_format else {}
    found["maxLength"] = STRING_LENGTH if attribute.length is None else attribute.length
    if attribute.min_length:
        found["minLength"] = attribute.min_length
    elif attribute.primary:
        found["minLength"] = 1
    if attribute.pattern:
        found["pattern"] = f"^(?:{attribute.pattern})$"
    return found


def _nested(attribute: Attribute) -> Schema:
    if attribute.value_type is AttributeType.OBJECT:
        members = attribute.members
        return {
            "properties": {n: _value(m, null=not _never_null(m)) for n, m in members.items()},
            "required": [n for n, m in members.items() if m.required and not _filled(m)],
            "additionalProperties": False,
        }
    inner = _value(attribute.items, null=False) if attribute.items else {}
    is_list = attribute.value_type is AttributeType.LIST
    least, most = ("minItems", "maxItems") if is_list else ("minProperties", "maxProperties")
    limits = {least: attribute.min_items, most: attribute.max_items, "uniqueItems": attribute.unique_items}
    found = {key: limit for key, limit in limits.items() if limit}
    return {"items" if is_list else "additionalProperties": inner, **found}
