"""The short way of a body: values that are in normal form already, told at one look.

In: an attribute. Out: an `Entry` for `settle`, which walks over a body without a Python call for most values; what it
cannot tell it leaves to the attribute's acceptor. It decides nothing that the acceptor would not. Called by `fields`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from gluon.model import patterns, strict
from gluon.model.types import Attribute, AttributeType, Format
from gluon.model.wrong import Acceptor, Wrong

_MATCH, _TEXT, _INTEGER, _BOOLEAN, _NUMBER, _PATTERN, _OTHER = range(7)

Entry = tuple[int, Any, Any, Acceptor]
"""What to look for, two facts about it, and the acceptor for all else."""


def entry(attribute: Attribute, accept: Acceptor) -> Entry:
    """How to tell a value of `attribute`. `accept` also judges null."""
    match attribute.value_type:
        case AttributeType.BOOLEAN:
            return _BOOLEAN, None, None, accept
        case AttributeType.INTEGER:
            return _INTEGER, *strict.limits(attribute), accept
        case AttributeType.NUMBER:
            return _NUMBER, *strict.bounds(attribute), accept
        case AttributeType.UUID | AttributeType.ENUM | AttributeType.STRING:
            normal = _normal(attribute)
            if normal is not None:
                return _MATCH, normal, None, accept
            least, most = attribute.min_length or 0, attribute.length
            if (
                attribute.value_format is None
                and most is not None
                and attribute.role not in strict.FREE_LENGTH
            ):
                if attribute.pattern is None:
                    return _TEXT, least, most, accept
                if patterns.is_quick(attribute.pattern):
                    return _PATTERN, patterns.matcher(attribute.pattern), range(least, most + 1), accept
        case _:
            pass
    return asked(accept)


def kept_entry(attribute: Attribute, accept: Acceptor) -> Entry:
    """The same for an attribute of language 1.0, of which other forms than the normal one are kept."""
    match attribute.value_type:
        case AttributeType.BOOLEAN:
            return _BOOLEAN, None, None, accept
        case AttributeType.INTEGER:
            return _INTEGER, *strict.limits(attribute), accept
        case AttributeType.ENUM:
            return _MATCH, frozenset(attribute.values).__contains__, None, accept
        case AttributeType.UUID:
            return _MATCH, strict.NORMAL_UUID, None, accept
        case AttributeType.STRING if attribute.value_format is None:
            free = attribute.role in strict.FREE_LENGTH or attribute.length is None
            # an empty text refers to nothing
            return _TEXT, 1 if attribute.reference else 0, 2**31 if free else attribute.length, accept
        case AttributeType.STRING if attribute.value_format is Format.MAC and (attribute.length or 17) >= 17:
            return _MATCH, strict.NORMAL_MAC, None, accept
        case _:
            return asked(accept)


def asked(accept: Acceptor) -> Entry:
    """Nothing can be told at a look: the acceptor knows more than the attribute says."""
    return _OTHER, None, None, accept


def _normal(attribute: Attribute) -> Callable[[str], object] | None:
    """A test of texts that only normal values pass, in C."""
    if attribute.value_type is AttributeType.ENUM:
        return frozenset(attribute.values).__contains__
    if attribute.value_type is AttributeType.UUID:
        return strict.NORMAL_UUID
    return strict.normal_test(attribute)


def settle(table: Mapping[str, Entry], body: dict[str, Any]) -> dict[str, Any] | None:
    """The normal form of a body in which nothing is wrong, else None: then each value has to be asked."""
    values = body.copy()
    try:
        for name, value in body.items():
            kind, first, second, accept = table[name]
            if kind == _MATCH:
                if first(value):
                    continue
            elif kind == _TEXT:
                if (
                    type(value) is str
                    and first <= len(value) <= second
                    and value.isascii()
                    and "\0" not in value
                ):
                    continue
            elif kind == _INTEGER:
                if type(value) is int and first <= value <= second:
                    continue
            elif kind == _BOOLEAN:
                if value is True or value is False:
                    continue
            elif kind == _NUMBER:
                if type(value) is float and value and first <= value <= second:  # zero may be -0.0
                    continue
            elif (
                kind == _PATTERN
                and type(value) is str
                and len(value) in second
                and value.isascii()
                and "\0" not in value
                and first(value)
            ):
                continue
            values[name] = accept(value)
    except (Wrong, KeyError, TypeError):  # a test of texts takes nothing else
        return None
    return values
