"""How a stored value of one attribute becomes one of another: by the types of both, value by value.

In: two attributes. Out: a function of decoded values (lists and maps as such), or None where there is no
way. The result is raw: whoever calls passes it through the new attribute's own check. Pure.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

from gluon.model.types import Attribute, AttributeType

Convert = Callable[[Any], Any]

_INTEGER = re.compile(r"\s*([+-]?[0-9]{1,19})\s*").fullmatch
_NUMBER = re.compile(r"\s*([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)\s*").fullmatch
_TEXTS = frozenset({AttributeType.STRING, AttributeType.UUID, AttributeType.ENUM})
_NESTED = frozenset({AttributeType.LIST, AttributeType.MAP, AttributeType.OBJECT})
_BOOLEANS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


class Unfit(ValueError):
    """This value has no form in the new type."""


def converter(old: Attribute, new: Attribute) -> Convert | None:
    """What makes values of `new` from those of `old`; None: no way that keeps their meaning."""
    if old.type in _NESTED or new.type in _NESTED:
        return _nested(old, new)
    return _single(old.value_type, new.value_type)


def same(value: Any) -> Any:
    """Nothing to convert."""
    return value


def _single(old: AttributeType, new: AttributeType) -> Convert | None:
    if old is new or (old in _TEXTS and new in _TEXTS):
        return same
    if new in _TEXTS:
        return _text
    if old in _TEXTS:
        return {
            AttributeType.INTEGER: _integer_of_text,
            AttributeType.NUMBER: _number_of_text,
            AttributeType.BOOLEAN: _boolean_of_text,
        }.get(new)
    if old is AttributeType.INTEGER and new is AttributeType.NUMBER:
        return _number_of_integer
    if old is AttributeType.NUMBER and new is AttributeType.INTEGER:
        return _integer_of_number
    return None


def _nested(old: Attribute, new: Attribute) -> Convert | None:
    if new.type is AttributeType.LIST and new.items is not None and old.type not in _NESTED:
        return _listed(converter(old, new.items))
    if old.type is not new.type:
        return None
    if old.type is AttributeType.OBJECT:
        return _members(old, new)
    if old.items is None or new.items is None:
        return None
    inner = converter(old.items, new.items)
    if inner is None:
        return None
    each = inner
    if old.type is AttributeType.LIST:
        return lambda value: [None if v is None else each(v) for v in value]
    return lambda value: {k: None if v is None else each(v) for k, v in value.items()}


def _listed(inner: Convert | None) -> Convert | None:
    return None if inner is None else lambda value: [inner(value)]


def _members(old: Attribute, new: Attribute) -> Convert | None:
    """Members keep their names or say what they were called; those that are gone go, new ones take their default."""
    ways: list[tuple[str, str, Convert, Any]] = []
    for member in new.members.values():
        before = source(old.members, member)
        if before is None:
            ways.append((member.name, "", same, member.default))
            continue
        inner = converter(old.members[before], member)
        if inner is None:
            return None
        ways.append((member.name, before, inner, member.default))

    def convert(value: Any) -> Any:
        made = {}
        for name, before, inner, default in ways:
            given = value.get(before) if before else None
            made[name] = default if given is None else inner(given)
        return made

    return convert


def source(old: Any, new: Attribute) -> str | None:
    """The name under which `new` was stored among `old` attributes; None: it is new."""
    if new.name in old:
        return new.name
    return new.renamed_from if new.renamed_from in old else None


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _integer_of_text(value: Any) -> int:
    match = _INTEGER(value)
    if match is None:
        raise Unfit("is no integer")
    return int(match[1])


def _number_of_text(value: Any) -> float:
    match = _NUMBER(value)
    if match is None or math.isinf(number := float(match[1])):
        raise Unfit("is no number")
    return number


def _number_of_integer(value: Any) -> float:
    if int(float(value)) != value:
        raise Unfit("has more digits than a number keeps")
    return float(value)


def _integer_of_number(value: Any) -> int:
    if not float(value).is_integer():
        raise Unfit("is no whole number")
    return int(value)


def _boolean_of_text(value: Any) -> bool:
    found = _BOOLEANS.get(value.strip().lower())
    if found is None:
        raise Unfit("is neither true nor false")
    return found
