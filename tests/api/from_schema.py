"""Values that fit a JSON Schema, and values that do not: Hypothesis strategies, as much of it as bodies use."""

import ipaddress
import json
import uuid
from functools import cache
from typing import Any

from hypothesis import strategies as st

Schema = dict[str, Any]

_TEXT = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
_FORMATS: dict[str, st.SearchStrategy[Any]] = {
    "uuid": st.uuids().map(str),
    "date-time": st.datetimes().map(lambda t: t.replace(microsecond=0).isoformat() + "Z"),
    "ipv4": st.ip_addresses(v=4).map(str),
    "ipv6": st.ip_addresses(v=6).map(str),
    "ip": st.ip_addresses().map(str),
    "cidr": st.tuples(st.ip_addresses(), st.integers(8, 32)).map(
        lambda pair: str(ipaddress.ip_network(f"{pair[0]}/{pair[1]}", strict=False))
    ),
    "mac": st.integers(0, 2**40).map(lambda n: ":".join(f"{n:012x}"[i : i + 2] for i in range(0, 12, 2))),
    "route_target": st.integers(0, 2**32 - 1).map(lambda n: f"65000:{n}"),
    "route_distinguisher": st.integers(0, 2**32 - 1).map(lambda n: f"65000:{n}"),
    "uri": st.integers(0, 999).map(lambda n: f"https://example.net/{n}"),
    "email": st.integers(0, 999).map(lambda n: f"noc{n}@example.net"),
}


def fitting(schema: Schema) -> st.SearchStrategy[Any]:
    """Values that `schema` allows. Made once a schema: a strategy finds out much about itself when it is first drawn from."""
    return _fitting(json.dumps(schema, sort_keys=True))


@cache
def _fitting(text: str) -> st.SearchStrategy[Any]:
    schema: Schema = json.loads(text)
    for word in ("anyOf", "oneOf"):
        if word in schema:
            return st.one_of([fitting(s) for s in schema[word]])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if "const" in schema:
        return st.just(schema["const"])
    kinds = schema.get("type", "null")
    return st.one_of([_kind(k, schema) for k in ([kinds] if isinstance(kinds, str) else kinds)])


def _kind(kind: str, schema: Schema) -> st.SearchStrategy[Any]:
    if kind == "object":
        return _object(schema)
    if kind == "array":
        least, most = schema.get("minItems", 0), min(schema.get("maxItems", 4), 4)
        unique = repr if schema.get("uniqueItems") else None
        return st.lists(fitting(schema["items"]), min_size=least, max_size=max(least, most), unique_by=unique)
    plain: dict[str, st.SearchStrategy[Any]] = {
        "null": st.none(),
        "boolean": st.booleans(),
        "integer": st.integers(schema.get("minimum", -(2**63)), schema.get("maximum", 2**63 - 1)),
        "number": st.floats(
            schema.get("minimum"), schema.get("maximum"), allow_nan=False, allow_infinity=False
        ),
    }
    return plain[kind] if kind in plain else _text(schema)


def _text(schema: Schema) -> st.SearchStrategy[str]:
    least, most = schema.get("minLength", 0), schema.get("maxLength", 255)
    if schema.get("contentMediaType") == "application/json":
        return st.sampled_from(["{}", '{"a": 1}', "[]"])
    if schema.get("format") in _FORMATS:
        return _FORMATS[schema["format"]]
    if "pattern" in schema:
        pattern: str = schema["pattern"]
        return st.from_regex(pattern, fullmatch=True).filter(lambda t: least <= len(t) <= most)
    return st.text(_TEXT, min_size=least, max_size=min(most, least + 40))


def _object(schema: Schema) -> st.SearchStrategy[dict[str, Any]]:
    properties = schema.get("properties", {})
    needed = {name: fitting(properties[name]) for name in schema.get("required", ())}
    others = {name: fitting(s) for name, s in properties.items() if name not in needed}
    if properties or not isinstance(schema.get("additionalProperties"), dict):
        return st.fixed_dictionaries(needed, optional=others)
    least = schema.get("minProperties", 0)
    inner = fitting(schema["additionalProperties"])
    return st.dictionaries(st.text(_TEXT, min_size=1, max_size=20), inner, min_size=least, max_size=least + 3)


@st.composite
def broken(draw: st.DrawFn, schema: Schema) -> dict[str, Any]:
    """A body that breaks one rule of an object's schema."""
    body: dict[str, Any] = draw(fitting(schema))
    name = draw(st.sampled_from(sorted(schema["properties"])))
    needed = schema.get("required", [])
    how = draw(st.sampled_from(["type", "unknown", *(["missing"] if needed else [])]))
    if how == "missing":
        body.pop(draw(st.sampled_from(needed)))
        return body
    if how == "unknown":
        return {**body, f"no_such_{uuid.uuid4().hex[:6]}": 1}
    return {**body, name: {"no": ["such", "value"]}}
