"""Names of objects that are made in the same request: where bodies have them, and the order that they ask for.

In: a body and the attributes of its type. `{"$ref": "blue"}` stands for the key of what the request makes under the name
`blue`. It is read where the model wants one value; an object is never one, so nothing that a client means as a
value can be taken for a name: in a map, `$ref` is a member like any other. Pure.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, TypeGuard

from gluon.model import types

REF = "$ref"
is_name = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}").fullmatch

Swap = Callable[[str, Any], Any]
"""`swap(pointer, name)`: the key to put there."""


def is_ref(value: Any) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, dict) and value.keys() == {REF}


def swapped(attributes: Mapping[str, types.Attribute], body: Any, swap: Swap, pointer: str = "") -> Any:
    """The body with keys in the places of names. It goes no deeper than the model does."""
    if not isinstance(body, dict):
        return body
    return {
        name: _value(attributes[name], value, swap, f"{pointer}/{name}") if name in attributes else value
        for name, value in body.items()
    }


def _value(attribute: types.Attribute, value: Any, swap: Swap, pointer: str) -> Any:
    if not isinstance(value, dict | list):
        return value
    kind, items = attribute.type, attribute.items
    if kind is types.AttributeType.OBJECT:
        return swapped(attribute.members, value, swap, pointer)
    if kind is types.AttributeType.LIST:
        if not isinstance(value, list) or items is None:
            return value
        return [_value(items, item, swap, f"{pointer}/{n}") for n, item in enumerate(value)]
    if kind is types.AttributeType.MAP:
        if not isinstance(value, dict) or items is None:
            return value
        return {k: _value(items, item, swap, f"{pointer}/{_escaped(k)}") for k, item in value.items()}
    return swap(pointer, value[REF]) if is_ref(value) else value


def _escaped(member: str) -> str:
    return member.replace("~", "~0").replace("/", "~1")


def ordered(count: int, before: Mapping[int, Collection[int]]) -> tuple[list[int], list[int]]:
    """The numbers below `count` in their order, but each after those that it has `before` it; and those for which there is
    no such order, as they stand in a circle or wait for one."""
    waits = {n: set(before.get(n, ())) for n in range(count)}
    behind: dict[int, list[int]] = {}
    for n, others in waits.items():
        for other in others:
            behind.setdefault(other, []).append(n)
    ready = [n for n in range(count) if not waits[n]]
    found: list[int] = []
    while ready:
        n = heapq.heappop(ready)
        found.append(n)
        for other in behind.get(n, ()):
            waits[other].discard(n)
            if not waits[other]:
                heapq.heappush(ready, other)
    left = set(range(count)) - set(found)
    return found, sorted(left)


def circle(left: Sequence[int], before: Mapping[int, Collection[int]]) -> list[int]:
    """Those of `left` that stand in one circle, of which there is one at least."""
    among = set(left)
    path: dict[int, int] = {}
    n = left[0]
    while n not in path:
        path[n] = len(path)
        n = min(m for m in before[n] if m in among)
    return [m for m, place in path.items() if place >= path[n]]
