"""Acceptors of lists, maps and nested objects: plain Python data in, its normal form out.

The normal form has every member of an object in the order of declaration (absent ones as their default or null)
and the keys of a map in order, so that its JSON text is one. What is wrong is told with every place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from gluon.model.problems import suggest
from gluon.model.strict import is_unicode
from gluon.model.types import Attribute, AttributeType
from gluon.model.wrong import MOST_PROBLEMS, Absent, Acceptor, Part, Several, Wrong, parts_of

KEY_LENGTH = 255
"""Most characters of a key of a map."""

MOST_ITEMS = 1_000
"""Items of a list or map that states no `max_items`."""

Make = Callable[[Attribute], Acceptor]


def acceptor(attribute: Attribute, make: Make) -> Acceptor:
    """The closure that judges values of a nested `attribute`; `make` gives those of what it holds."""
    if attribute.value_type is AttributeType.OBJECT:
        return _object(attribute, make)
    if attribute.items is None:
        raise ValueError(f"{attribute.name} does not say what its items are")
    one = nullable(attribute.items, make(attribute.items), "leave it out")
    return _list(attribute, one) if attribute.value_type is AttributeType.LIST else _map(attribute, one)


def nullable(attribute: Attribute, parse: Acceptor, hint: str) -> Acceptor:
    """`parse` with an answer for null; `hint` is the cure where it is refused."""
    if attribute.nullable:
        return lambda value: None if value is None else parse(value)

    def accept(value: Any) -> Any:
        if value is None:
            raise Absent(hint)
        return parse(value)

    return accept


def copy(value: Any) -> Any:
    """A nested value of its own: who gets it may keep it."""
    if type(value) is list:
        return [copy(item) for item in value]
    if type(value) is dict:
        return {name: copy(item) for name, item in value.items()}
    return value


def limits(attribute: Attribute) -> tuple[int, int]:
    """The fewest and the most items of a list or map."""
    most = MOST_ITEMS if attribute.max_items is None else attribute.max_items
    return attribute.min_items or 0, most


def _count(value: list[Any] | dict[str, Any], least: int, most: int) -> None:
    if not least <= len(value) <= most:
        bound = f"{most} are allowed" if len(value) > most else f"{least} are the fewest"
        raise Wrong("items", f"has {len(value)} items, {bound}", hint=f"give {least} to {most} items")


def _list(attribute: Attribute, one: Acceptor) -> Acceptor:
    least, most = limits(attribute)
    unique = attribute.unique_items

    def accept(value: Any) -> list[Any]:
        if type(value) is not list:
            raise Wrong("type", "is not a list", hint="put the items in brackets: [ ]")
        _count(value, least, most)
        try:
            normal = [one(item) for item in value]
        except Wrong:
            raise Several(_parts((str(n), one, item) for n, item in enumerate(value))) from None
        if unique:
            _differ(normal)
        return normal

    return accept


def _differ(normal: list[Any]) -> None:
    """No two items have the same normal form."""
    seen: dict[bytes, int] = {}
    parts: list[Part] = []
    for n, item in enumerate(normal):
        first = seen.setdefault(msgspec.json.encode(item), n)
        if first != n and len(parts) < MOST_PROBLEMS:
            parts.append(
                Part((str(n),), item, Wrong("duplicate", f"is item {first} again", hint="leave it out"))
            )
    if parts:
        raise Several(parts)


def _map(attribute: Attribute, one: Acceptor) -> Acceptor:
    least, most = limits(attribute)

    def accept(value: Any) -> dict[str, Any]:
        if type(value) is not dict:
            raise Wrong("type", "is not a map", hint="put the entries in braces: { }")
        _count(value, least, most)
        try:
            return {_key(name): one(value[name]) for name in sorted(value)}
        except Wrong:
            raise Several(_parts(((n, _entry(n, one), v) for n, v in value.items()))) from None

    return accept


def _entry(name: str, one: Acceptor) -> Acceptor:
    def accept(value: Any) -> Any:
        _key(name)
        return one(value)

    return accept


def _key(name: str) -> str:
    if len(name) > KEY_LENGTH:
        raise Wrong(
            "length", f"has a key of {len(name)} characters, {KEY_LENGTH} are allowed", hint="shorten it"
        )
    if "\0" in name or not (name.isascii() or is_unicode(name)):
        raise Wrong(
            "characters",
            "has a key with a character that cannot be stored",
            hint="leave NUL and lone surrogates out",
        )
    return name


def _parts(judged: Iterable[tuple[str, Acceptor, Any]]) -> list[Part]:
    """Every broken rule of these (name, acceptor, value), the first hundred."""
    found: list[Part] = []
    for name, one, value in judged:
        try:
            one(value)
        except Wrong as wrong:
            found += [Part((name, *p.path), p.value, p.wrong) for p in parts_of(value, wrong)]
            if len(found) >= MOST_PROBLEMS:
                break
    return found[:MOST_PROBLEMS]


def _object(attribute: Attribute, make: Make) -> Acceptor:
    members = {
        name: nullable(member, make(member), f"give {name}") for name, member in attribute.members.items()
    }
    fallback = {name: _fallback(member, make) for name, member in attribute.members.items()}
    table = tuple((name, one, fallback[name]) for name, one in members.items())
    known = members.keys()

    def accept(value: Any) -> dict[str, Any]:
        if type(value) is not dict:
            raise Wrong("type", "is not an object", hint="put its members in braces: { }")
        try:
            if not value.keys() <= known:
                raise Wrong("unknown", "has a member that is not known")
            return {n: one(value[n]) if n in value else absent(None) for n, one, absent in table}
        except Wrong:
            raise Several(_parts(_judged(value, members, fallback))) from None

    return accept


def _judged(
    value: dict[str, Any], members: Mapping[str, Acceptor], fallback: Mapping[str, Acceptor]
) -> Iterable[tuple[str, Acceptor, Any]]:
    for name, item in value.items():
        yield name, members.get(name) or _unknown(name, members), item
    for name, absent in fallback.items():
        if name not in value:
            yield name, absent, None


def _unknown(name: str, members: Mapping[str, Acceptor]) -> Acceptor:
    def refuse(value: Any) -> Any:
        hint = suggest(name, members) if len(name) <= KEY_LENGTH else ""
        raise Wrong("unknown", "stands in a member that is not known", hint=hint)

    return refuse


def _fallback(member: Attribute, make: Make) -> Acceptor:
    """What an absent member is: its default, else null, else a fault."""
    if member.default is not None:
        default = make(member)(member.default)
        return (lambda _: copy(default)) if isinstance(default, list | dict) else (lambda _: default)

    def refuse(value: Any) -> Any:
        raise Absent(f"give {member.name}")

    return refuse if member.required or not member.nullable else (lambda _: None)
