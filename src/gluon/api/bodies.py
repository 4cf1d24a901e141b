"""What a JSON body may not be, though it can be decoded: too deep, too long in a list, ambiguous.

In: a body and what it was decoded to. Out: the first problem, or nothing. A name that stands twice is looked for only
where counting could not rule it out, so an ordinary body costs less than a microsecond. Called by `errors.json_body`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from gluon import errors

MAX_DEPTH = 64
"""Objects and lists inside each other."""
MAX_ITEMS = 10_000
"""Of one list."""
_NESTED = frozenset({dict, list})


def check(body: bytes, value: dict[str, Any]) -> None:
    """Raises `Invalid`."""
    flat = _NESTED.isdisjoint(map(type, value.values()))
    if not flat:
        _check_nested(body, value)
    # Without white space each pair has its colon right after a quotation mark. If there are no more of these than
    # names, there are no more pairs than names.
    if body.translate(None, b" \t\r\n").count(b'":') != (len(value) if flat else _names(value)):
        _check_names(body)


def _check_nested(body: bytes, value: dict[str, Any]) -> None:
    if body.count(b"{") + body.count(b"[") > MAX_DEPTH:
        _check_depth(value)
    if body.count(b",") >= MAX_ITEMS:
        _check_lists(value)


def _names(value: Any) -> int:
    found = 0
    if type(value) is dict:
        found, value = len(value), value.values()
    for inner in value:
        if type(inner) in _NESTED:
            found += _names(inner)
    return found


def _check_depth(value: Any) -> None:
    """Level by level, so that nothing here is deep."""
    level: list[tuple[str, Any]] = [("", value)]
    for _ in range(MAX_DEPTH):
        level = [
            (place, inner)
            for pointer, outer in level
            for place, inner in _parts(pointer, outer)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return
    message = f"objects and lists are nested deeper than {MAX_DEPTH}"
    raise _wrong(level[0][0][:200], "depth", message, "nest them less")


def _check_lists(value: Any) -> None:
    ahead: list[tuple[str, Any]] = [("", value)]
    while ahead:
        pointer, outer = ahead.pop()
        if isinstance(outer, list) and len(outer) > MAX_ITEMS:
            message = f"a list has {len(outer)} items, at most {MAX_ITEMS} are read"
            raise _wrong(pointer, "items", message, "send fewer")
        ahead += [part for part in _parts(pointer, outer) if isinstance(part[1], dict | list)]


class _Twice:
    """In place of an object in which a name stands twice."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name


def _object(pairs: list[tuple[str, Any]]) -> Any:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    seen: set[str] = set()
    for name, _ in pairs:
        if name in seen:
            return _Twice(name)
        seen.add(name)
    return found


def _check_names(body: bytes) -> None:
    ahead: list[tuple[str, Any]] = [("", json.loads(body, object_pairs_hook=_object))]
    while ahead:
        pointer, outer = ahead.pop()
        if isinstance(outer, _Twice):
            message = f"the name '{outer.name[:100]}' stands twice in one object"
            place = f"{pointer}/{_escaped(outer.name)}"
            raise _wrong(place, "twice", message, "JSON does not say which of the two counts; send it once")
        ahead += _parts(pointer, outer)


def _parts(pointer: str, outer: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(outer, dict):
        for name, inner in outer.items():
            yield f"{pointer}/{_escaped(name)}", inner
    elif isinstance(outer, list):
        for number, inner in enumerate(outer):
            yield f"{pointer}/{number}", inner


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def _wrong(pointer: str, code: str, message: str, hint: str) -> errors.Invalid:
    legacy = "Request is not in valid JSON format"
    problem = errors.FieldProblem(pointer=pointer, code=code, message=message, hint=hint, legacy=legacy)
    return errors.Invalid([problem])
