"""Parts of a frozen model as version 2.0 of the language writes them: plain data for `describe` and `dump`.

What is at its default and would come out the same is left out. Loading what was written gives the
same parts again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from gluon.model import conversions, fieldtypes
from gluon.model.types import Action, Attribute, AttributeType, Check, ObjectType, OnDelete, Pool, Version

_FLAGS = ("required", "immutable", "read_only", "secret", "unique_items", "indexed")
_PLAIN = ("pattern", "min_length", "min_items", "max_items", "listed_as", "renamed_from")


def attribute(a: Attribute, *, item: bool = False) -> dict[str, Any]:
    """One attribute; `item`: of a list or map, which is not nullable by default."""
    word = fieldtypes.LINK if a.reference else fieldtypes.word_of(a.type, a.format)
    written: dict[str, Any] = {"type": a.reference or word.name}
    if a.description:
        written["description"] = a.description
    if a.primary:
        written["primary"] = True
    written |= extras(a, item=item)
    if a.items:
        written["items"] = attribute(a.items, item=True)
    if a.type is AttributeType.OBJECT:
        written["attributes"] = {name: attribute(m) for name, m in a.members.items()}
    limits = {"length": a.length, "values": list(a.values), "min": a.minimum, "max": a.maximum}
    written |= {key: value for key, value in limits.items() if key in word.keys and value not in (None, [])}
    if a.role:
        written["role"] = a.role.value
    return written


def extras(a: Attribute, *, item: bool = False) -> dict[str, Any]:
    """What the common keys of 2.0 say beside type, description and key."""
    written: dict[str, Any] = {flag: True for flag in _FLAGS if getattr(a, flag)}
    strict = a.required or a.default is not None or a.primary or item
    if a.nullable is strict:
        written["nullable"] = a.nullable
    for key in ("default", "example"):
        if getattr(a, key) is not None:
            written[key] = getattr(a, key)
    written |= {key: getattr(a, key) for key in _PLAIN if getattr(a, key) is not None}
    if a.on_delete is not OnDelete.RESTRICT:
        written["on_delete"] = a.on_delete.value
    if a.policies:
        written["policies"] = dict(a.policies)
    if a.pool:
        written["pool"] = f"{a.pool.through}.{a.pool.name}" if a.pool.through else a.pool.name
    return written


def pool(p: Pool) -> dict[str, Any]:
    """A supply of values."""
    written: dict[str, Any] = {"type": fieldtypes.word_of(p.type, p.format).name, "rest": p.rest}
    facts = {
        "description": p.description, "ranges": list(p.ranges), "from": p.source,
        "exclude": list(p.exclude), "template": p.template,
        "open": p.open,
    }  # fmt: skip
    return written | {key: fact for key, fact in facts.items() if fact}


def check(c: Check) -> dict[str, Any]:
    """A rule."""
    written = {"rule": c.rule, "message": c.message}
    if c.at:
        written["at"] = c.at
    return written | ({"on": "write"} if c.write_only else {})


def action(a: Action) -> dict[str, Any]:
    """An action."""
    written: dict[str, Any] = {"hook": a.hook}
    if a.description:
        written["description"] = a.description
    for key, attributes in (("takes", a.takes), ("gives", a.gives)):
        if attributes:
            written[key] = {name: attribute(taken) for name, taken in attributes.items()}
    return written


def parts(t: ObjectType) -> dict[str, Any]:
    """What an object type says beside its attributes and policies."""
    written: dict[str, Any] = {
        "unique": [{"attributes": list(u.attributes), "scope": u.scope.value} for u in t.unique],
        "checks": [check(c) for c in t.checks],
        "pools": pools(t.pools),
        "quota": t.quota,
        "actions": {name: action(a) for name, a in t.actions.items()},
        "hooks": {point.value: list(names) for point, names in t.hooks.items()},
        "neutron": {key: _one_or_more(names) for key, names in t.neutron.items()},
        "examples": [plain(example) for example in t.examples],
    }
    return {key: value for key, value in written.items() if value not in (None, [], {})}


def pools(of: Mapping[str, Pool]) -> dict[str, Any]:
    """Pools by name."""
    return {name: pool(p) for name, p in of.items()}


def plain(value: Any) -> Any:
    """A value as JSON would hold it."""
    if isinstance(value, Mapping):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    return value


def _one_or_more(names: str | Iterable[str]) -> str | list[str]:
    return names if isinstance(names, str) else list(names)


def versions(others: Iterable[Version]) -> dict[str, Any]:
    """What is said of other versions."""
    return {v.model.version: _version(v) for v in others}


def _version(v: Version) -> dict[str, Any]:
    dates = {"deprecated": v.deprecated, "sunset": v.sunset}
    written: dict[str, Any] = {key: date for key, date in dates.items() if date}
    types = {name: _type(name, said) for name, said in v.types.items()}
    return written | ({"types": types} if types else {})


def _type(name: str, said: conversions.TypeFacts) -> dict[str, Any]:
    written: dict[str, Any] = {"is": said.name} if said.name != name else {}
    if said.attributes:
        written["attributes"] = {name: origin(o) for name, o in said.attributes.items()}
    return written


def origin(said: conversions.Origin) -> Any:
    """Where the value of an attribute of another version is, in the words of a file."""
    match said:
        case conversions.Renamed(name=name, values=values):
            return {"is": name, "values": dict(values)} if values else name
        case conversions.Joined(names=names, by=by):
            return {"join": list(names), "by": by}
        case conversions.Part(name=name, by=by, index=index):
            return {"split": name, "by": by, "part": index}
        case conversions.Fixed(value=value):
            return {"fixed": value}
