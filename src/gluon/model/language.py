"""A JSON Schema of the language itself, made of its tables: editors complete and check model files by it.

It judges one file: what several files or inheritance decide, `check` says. Called by `gluon model
schema` and by the writer of the reference.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from gluon.model import keywords
from gluon.model.fieldtypes import (
    FILE_VERSIONS,
    FORMATS,
    MAX_ITEMS,
    MAX_LENGTH,
    MAX_NAME,
    NEW,
    OLD,
    REFERENCE,
    RESERVED,
    RESERVED_NAMES,
    SYSTEM_COLUMNS,
    WORDS,
    Word,
    word,
)
from gluon.model.keywords import Key, Keys, Reads
from gluon.model.types import AttributeType, Format, OnDelete

Schema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"

_NAME = f"^[A-Za-z][A-Za-z0-9_]{{0,{MAX_NAME - 1}}}$"
_SEGMENT = f"^[A-Za-z][A-Za-z0-9_.-]{{0,{MAX_NAME - 1}}}$"
_VERSION = f"^[A-Za-z0-9][A-Za-z0-9_.-]{{0,{MAX_NAME - 1}}}$"

_TEXT: Schema = {"type": ["string", "number", "boolean"]}
"""YAML takes `1.0` for a number; where a text is wanted, the loader takes it as written."""

_READS: Mapping[Reads, Schema] = {
    Reads.TEXT: _TEXT,
    Reads.TEXTS: {"type": "array", "items": _TEXT},
    Reads.ONE_OR_MORE: {"anyOf": [_TEXT, {"type": "array", "items": _TEXT}]},
    Reads.BOOLEAN: {"type": "boolean"},
    Reads.INTEGER: {"type": "integer"},
    Reads.NUMBER: {"type": "number"},
    Reads.VALUE: {},
    Reads.PART: {},
}

_LIMITED: Mapping[str, Schema] = {
    "length": {"minimum": 1, "maximum": MAX_LENGTH},
    "min_length": {"minimum": 0, "maximum": MAX_LENGTH},
    "min_items": {"minimum": 0, "maximum": MAX_ITEMS},
    "max_items": {"minimum": 0, "maximum": MAX_ITEMS},
    "values": {"minItems": 1, "uniqueItems": True},
    "quota": {"minimum": 0},
    "rest": {"minimum": 0},
    "pattern": {"format": "regex"},
    "listed_as": {"pattern": _SEGMENT},
    "pool": {"pattern": r"^[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*)?$"},
}


def schema() -> Schema:
    """The schema of a model file of any version of the language."""
    definitions: Schema = {}
    for version in FILE_VERSIONS:
        definitions |= _version(version)
    is_new = {"properties": {"file_version": {"enum": [NEW, float(NEW)]}}, "required": ["file_version"]}
    return {
        "$schema": DIALECT,
        "title": "A model of Gluon",
        "description": "One YAML file that describes a networking service.",
        "type": "object",
        "properties": {"file_version": {"enum": [*FILE_VERSIONS, *map(float, FILE_VERSIONS)]}},
        "if": is_new,
        "then": _ref("file", NEW),
        "else": _ref("file", OLD),
        "$defs": definitions,
    }


def _ref(name: str, version: str) -> Schema:
    return {"$ref": f"#/$defs/{name}-{version}"}


def _version(version: str) -> Schema:
    """The definitions of one version of the language."""
    objects = _mapping(_ref("object", version), _NAME)
    info = _part(keywords.INFO, version, author=_part(keywords.AUTHOR, version))
    info["properties"]["name"] = {
        **_TEXT,
        "pattern": _SEGMENT,
        "not": {"enum": sorted(RESERVED_NAMES)},
        "description": keywords.INFO.rows["name"].about,
    }
    info["properties"]["version"] |= {"pattern": _VERSION}
    file = _part(
        keywords.TOP,
        version,
        info=info,
        objects=objects,
        pools=_mapping(_ref("pool", version), _NAME),
        versions=_mapping(_ref("version", version), _VERSION),
    )
    file["properties"]["file_version"] = {"description": keywords.TOP.rows["file_version"].about}
    if version == OLD:
        file["properties"]["imports"] = {**_TEXT, "description": keywords.TOP.rows["imports"].about}
    found = {"file": file, "object": _object(version), "attribute": _attribute(version)}
    found["whole"] = {"allOf": [_ref("attribute", version), {"required": ["type"]}, *_needs()]}
    if version == NEW:
        found |= {
            "item": _nested(keywords.ITEM),
            "member": _nested(keywords.MEMBER),
            "pool": _pool(),
            "action": _action(),
            "version": _other_version(),
        }
    return {f"{name}-{version}": definition for name, definition in found.items()}


def _part(keys: Keys, version: str, **parts: Schema) -> Schema:
    """A mapping of known keys; `parts` are the schemas of those that hold more."""
    properties = {key.name: {**_key(key), **parts.get(key.name, {})} for key in keys.of(version).values()}
    return {"type": ["object", "null"], "properties": properties, "additionalProperties": False}


def _key(key: Key) -> Schema:
    described: Schema = {"description": key.about, **_READS[key.reads], **_LIMITED.get(key.name, {})}
    if key.values:
        described.pop("type", None)
        described["enum"] = [_plain(value) for value in key.values]
    return described


def _plain(text: str) -> str | bool:
    return {"true": True, "false": False}.get(text, str(text))


def _mapping(values: Schema, names: str | None = None) -> Schema:
    found: Schema = {"type": ["object", "null"], "additionalProperties": values}
    return found | ({"propertyNames": {"pattern": names}} if names else {})


def _object(version: str) -> Schema:
    """An object type; without a base its attributes are complete."""
    api = _part(keywords.API, version) | {
        "required": ["name"],
        "dependentRequired": {"parent": ["parent_key"], "parent_key": ["parent"]},
    }
    parts: dict[str, Schema] = {
        "api": api,
        "attributes": _attributes(_ref("attribute", version)),
        "policies": _policies(version),
    }
    if version == NEW:
        parts |= _new_parts()
    whole = {"properties": {"attributes": {"additionalProperties": _ref("whole", version)}}}
    return _part(keywords.OBJECT, version, **parts) | {"if": {"required": ["extends"]}, "else": whole}


def _attributes(of: Schema) -> Schema:
    """A mapping of attributes of an object type; names that every object has are not for them."""
    return _mapping(of) | {
        "propertyNames": {"pattern": _NAME, "not": {"enum": sorted(RESERVED | SYSTEM_COLUMNS)}}
    }


def _new_parts() -> dict[str, Schema]:
    group = {"type": "array", "items": _TEXT, "minItems": 1, "uniqueItems": True}
    scoped = _part(keywords.UNIQUE, NEW, attributes=group) | {"required": ["attributes"], "type": "object"}
    check = _part(keywords.CHECK, NEW) | {"required": ["rule", "message"], "type": "object"}
    return {
        "unique": _list({"anyOf": [group, scoped]}),
        "checks": _list(check),
        "pools": _mapping(_ref("pool", NEW), _NAME),
        "actions": _mapping(_ref("action", NEW), _NAME.replace("_]", "_-]")),
        "hooks": _part(keywords.HOOKS, NEW),
        "neutron": _part(keywords.NEUTRON, NEW),
        "examples": _list({"type": "object"}),
    }


def _list(items: Schema) -> Schema:
    return {"type": ["array", "null"], "items": items}


def _policies(version: str) -> Schema:
    role = {
        "type": "object",
        "properties": {"role": _TEXT},
        "required": ["role"],
        "additionalProperties": False,
    }
    if version == NEW:
        return _mapping({"anyOf": [_TEXT, role]})
    properties = dict.fromkeys(keywords.ACTIONS, role)
    return {"type": ["object", "null"], "properties": properties, "additionalProperties": False}


def _attribute(version: str) -> Schema:
    """An attribute of an object type: a child may say a part of it only."""
    found = _part(keywords.ATTRIBUTE, version, **_values(version))
    found["properties"]["type"] = _types(version)
    rules = [*_by_type(version, tuple(keywords.COMMON.of(version))), *(_together() if version == NEW else ())]
    return found | {"allOf": rules}


def _values(version: str) -> dict[str, Schema]:
    """Schemas of keys that refer to other definitions, or differ by version."""
    formats = sorted({f.value for formats in FORMATS[version].values() for f in formats})
    parts: dict[str, Schema] = {"format": {"enum": formats}}
    if version == OLD:
        return parts | {key: {"type": "integer"} for key in ("min", "max")}
    members = _mapping(_ref("member", NEW), _NAME)
    policies = _part(keywords.ATTRIBUTE_POLICIES, NEW)
    return parts | {"items": _ref("item", NEW), "attributes": members, "policies": policies}


def _types(version: str) -> Schema:
    words = [{"const": w.name, "description": w.about} for w in WORDS[version].values()]
    named = {"type": "string", "pattern": _NAME, "description": REFERENCE.about}
    return {"description": keywords.COMMON.rows["type"].about, "anyOf": [*words, named]}


def _by_type(version: str, common: Iterable[str]) -> list[Schema]:
    """Which keys each type takes beside the common ones, and how far its limits go."""
    rows = [_if_type(w, {"const": w.name}, common) for w in WORDS[version].values()]
    return [*rows, _if_type(word(version, ""), {"not": {"enum": list(WORDS[version])}}, common)]


def _if_type(w: Word, is_type: Schema, common: Iterable[str]) -> Schema:
    then: Schema = {"propertyNames": {"enum": [*common, *w.keys]}}
    properties: Schema = {"default": _value(w), "example": _value(w)} if "default" in common else {}
    if w.type is AttributeType.INTEGER and "min" in w.keys:
        lowest, highest = w.range
        limit = {"type": "integer", "minimum": lowest, "maximum": highest}
        properties |= {"min": limit, "max": limit}
    if properties:
        then["properties"] = properties
    return {"if": {"properties": {"type": is_type}, "required": ["type"]}, "then": then}


def _value(w: Word) -> Schema:
    """What a default or an example of a type is to JSON; null stands for none."""
    if w.type is AttributeType.INTEGER and w.format is not Format.ASN:
        lowest, highest = w.range
        return {"type": ["integer", "null"], "minimum": lowest, "maximum": highest}
    return {"type": [*_JSON.get(w.type, ("string", "number", "boolean")), "null"]}


_JSON: Mapping[AttributeType, tuple[str, ...]] = {
    AttributeType.STRING: ("string",),
    AttributeType.UUID: ("string",),
    AttributeType.NUMBER: ("number",),
    AttributeType.BOOLEAN: ("boolean",),
    AttributeType.LIST: ("array",),
    AttributeType.MAP: ("object",),
    AttributeType.OBJECT: ("object",),
}


def _together() -> list[Schema]:
    """What does not go together in an attribute of 2.0."""
    no_value = {"not": {"anyOf": [{"required": ["default"]}, {"required": ["pool"]}]}}
    no_key = {
        "nullable": {"const": False},
        "secret": {"const": False},
        "type": {"not": {"enum": ["number", "boolean", "list", "map", "object"]}},
    }
    never = {"properties": {"read_only": {"const": False}}}
    return [
        {"if": _says("primary"), "then": {**no_value, "properties": no_key}},
        {"if": {"allOf": [_says("required"), no_value]}, "then": never},
        {
            "if": _says("required"),
            "then": {"properties": {"on_delete": {"not": {"const": OnDelete.UNSET.value}}}},
        },
    ]


def _says(key: str) -> Schema:
    return {"properties": {key: {"const": True}}, "required": [key]}


def _needs() -> list[Schema]:
    """What a type cannot do without, where nothing is inherited."""
    needs = {"enum": "values", "list": "items", "map": "items", "object": "attributes"}
    return [
        {"if": {"properties": {"type": {"const": name}}, "required": ["type"]}, "then": {"required": [key]}}
        for name, key in needs.items()
    ]


def _nested(common: tuple[str, ...]) -> Schema:
    """An item or a member: it is complete where it stands."""
    keys = {
        k: row for k, row in keywords.ATTRIBUTE.rows.items() if k in common or k in keywords.OF_TYPES.rows
    }
    found = _part(
        Keys(*(row for k, row in keys.items() if k not in {"pool", "listed_as"})), NEW, **_values(NEW)
    )
    found["properties"]["type"] = _types(NEW)
    needs: list[Schema] = [*_by_type(NEW, common), *_needs()]
    return found | {"type": "object", "required": ["type"], "allOf": needs}


def _pool() -> Schema:
    given = [{"required": ["ranges"]}, {"required": ["from"]}]
    return _part(keywords.POOL, NEW) | {"type": "object", "required": ["type"], "anyOf": given}


def _other_version() -> Schema:
    texts: Schema = {"type": ["object", "null"], "additionalProperties": {**_TEXT}}
    origin: Schema = {"anyOf": [{**_TEXT}, _part(keywords.ORIGIN, NEW, values=texts)]}
    kind = _part(keywords.VERSION_TYPE, NEW, attributes=_mapping(origin, _NAME))
    return _part(keywords.VERSION, NEW, types=_mapping(kind, _NAME))


def _action() -> Schema:
    members = _mapping(_ref("member", NEW), _NAME)
    return _part(keywords.ACTION, NEW, takes=members, gives=members) | {
        "type": "object",
        "required": ["hook"],
    }
