"""One closure for each attribute of a model: a value of a JSON body in, its normal form out.

1.0, below, is lenient as the original was: yes/no/1/0 are booleans, digits as text are integers, any form
of a MAC address or uuid will do, and an empty text passes as uuid and JSON. 2.0 is in `strict` and
`nested`. Compiled once a model by `fields`, called for every value of every request.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from gluon.model import nested, strict, wrong
from gluon.model.fieldtypes import RANGES
from gluon.model.types import NESTED, Attribute, AttributeType, Format
from gluon.values import ip, mac, text, uuid

Acceptor = wrong.Acceptor
Wrong = wrong.Wrong
shown = wrong.shown
FREE_LENGTH = strict.FREE_LENGTH

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}").fullmatch
_INTEGER = re.compile(r"[+-]?[0-9]{1,20}").fullmatch
_NUMBER = re.compile(
    r"[+-]?(?:[0-9]{1,40}(?:\.[0-9]{0,40})?|\.[0-9]{1,40})(?:[eE][+-]?[0-9]{1,3})?"
).fullmatch

_BOOLEANS: Mapping[object, bool] = {
    "true": True, "yes": True, "1": True, 1: True,
    "false": False, "no": False, "0": False, 0: False,
}  # fmt: skip


def acceptor(attribute: Attribute) -> Acceptor:
    """The closure that judges values of `attribute`; it raises `Wrong`. Null is not its business."""
    if attribute.value_type in NESTED:
        return nested.acceptor(attribute, acceptor)
    if not attribute.kept:
        return strict.acceptor(attribute)
    match attribute.value_type:
        case AttributeType.BOOLEAN:
            return _boolean
        case AttributeType.INTEGER:
            return _integer(attribute)
        case AttributeType.NUMBER:
            return _number
        case AttributeType.UUID:
            return _reference if attribute.reference else _uuid
        case AttributeType.ENUM:
            return _enum(attribute.values)
        case _:
            return _string(attribute)


def _boolean(value: Any) -> bool:
    if value is True or value is False:
        return bool(value)
    known = value.lower() if type(value) is str else value if type(value) is int else None
    found = _BOOLEANS.get(known)
    if found is None:
        why = f"Invalid boolean value: {shown(value)}"
        raise Wrong("type", "is not a boolean", hint="give true or false", why=why)
    return found


def _integer(attribute: Attribute) -> Acceptor:
    lowest, highest = RANGES[attribute.value_format or Format.INT64]
    low = lowest if attribute.minimum is None else max(lowest, int(attribute.minimum))
    high = highest if attribute.maximum is None else min(highest, int(attribute.maximum))
    limits = f"give an integer from {low} to {high}"

    def accept(value: Any) -> int:
        if type(value) is not int:
            value = _as_integer(value, limits)
        if value < low:
            why = f"Value should be greater or equal to {low}"
            raise Wrong("range", f"is below {low}", hint=limits, why=why)
        if value > high:
            why = f"Value should be lower or equal to {high}"
            raise Wrong("range", f"is above {high}", hint=limits, why=why)
        return int(value)

    return accept


def _as_integer(value: Any, limits: str) -> int:
    """Digits as text, or a whole number that JSON wrote with a fraction."""
    if type(value) is str and _INTEGER(value):
        return int(value)
    why = f"Expected integer, got '{shown(value)}'"
    if type(value) is float and value.is_integer():
        return strict.exact(value, why=why)
    raise Wrong("type", "is not an integer", hint=limits, why=why)


def _number(value: Any) -> float:
    if type(value) in {int, float} or (type(value) is str and _NUMBER(value)):
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if math.isfinite(number):
            return number
    why = f"Invalid float value: {shown(value)}"
    raise Wrong("type", "is not a number", hint="give a finite decimal number", why=why)


def _uuid(value: Any) -> str:
    if type(value) is str:
        if _UUID(value) or not value:
            return value
        try:
            return uuid.parse(value)
        except ValueError:
            pass
    why = "Value should be UUID format"
    raise Wrong("format", "is not a UUID", hint="give 32 hexadecimal digits with dashes", why=why)


def _reference(value: Any) -> str | None:
    """As a uuid, but an empty text refers to nothing and so is null."""
    return _uuid(value) or None


def _enum(values: tuple[str, ...]) -> Acceptor:
    known = frozenset(values)
    listed = ", ".join(values)

    def accept(value: Any) -> str:
        if type(value) is str and value in known:
            return value
        raise Wrong(
            "enum", f"is none of {listed}", hint="give one of them", why=f"Value should be one of: {listed}"
        )

    return accept


def _string(attribute: Attribute) -> Acceptor:
    length = None if attribute.role in FREE_LENGTH else attribute.length
    plain = _text(length)
    if attribute.reference:
        plain = _referring(plain)
    if attribute.value_format is None:
        return plain
    parse, what = _FORMATS[attribute.value_format]

    def accept(value: Any) -> Any:
        given = plain(value)
        if given is None:
            return None
        try:
            return parse(given)
        except ValueError as error:
            why = what.format(shown(value))
            hint = _HINTS[attribute.value_format] if attribute.value_format else ""
            raise Wrong("format", f"is not {_NAMES[attribute.value_format]}", hint=hint, why=why) from error

    return accept


def _text(length: int | None) -> Acceptor:
    most = length if length is not None else 2**31

    def accept(value: Any) -> str:
        if type(value) is not str:
            raise Wrong(
                "type", "is not a text", hint="put it in quotes", why=f"Expected String, got '{shown(value)}'"
            )
        if len(value) > most:
            why = f"Value should have at most {most} characters"
            raise Wrong(
                "length", f"has {len(value)} characters, {most} are allowed", hint="shorten it", why=why
            )
        if "\0" in value or not (value.isascii() or strict.is_unicode(value)):
            why = "Value holds a character that cannot be stored"
            hint = "leave NUL and lone surrogates out"
            raise Wrong("characters", "holds a character that cannot be stored", hint=hint, why=why)
        return value

    return accept


def _referring(accept: Acceptor) -> Acceptor:
    return lambda value: accept(value) or None


_FORMATS: Mapping[Format, tuple[Callable[[str], str], str]] = {
    Format.MAC: (mac.parse, "Expected MAC String, got '{}'"),
    Format.IPV4: (ip.parse_v4, "Expected IPv4 string, got '{}'"),
    Format.IPV6: (ip.parse_v6, "Expected IPv6  String, got '{}'"),
    Format.JSON: (text.parse_json, "String not in JSON format: '{}'"),
    Format.DATE_TIME: (text.parse_date_time, "Invalid Date string: '{}'"),
    Format.URI: (text.parse_uri, "Not valid URI format: '{}'"),
    Format.EMAIL: (text.parse_email, "Expected Email String, got '{}'"),
}

_NAMES: Mapping[Format | None, str] = {
    Format.MAC: "a MAC address",
    Format.IPV4: "an IPv4 address",
    Format.IPV6: "an IPv6 address",
    Format.JSON: "JSON",
    Format.DATE_TIME: "a date and time",
    Format.URI: "a URI",
    Format.EMAIL: "an e-mail address",
}

_HINTS: Mapping[Format, str] = {
    Format.MAC: "write it like fa:16:3e:00:00:01",
    Format.IPV4: "write it like 192.0.2.1",
    Format.IPV6: "write it like 2001:db8::1",
    Format.JSON: "give a JSON document as text",
    Format.DATE_TIME: "write it like 2024-05-17T12:00:00Z",
    Format.URI: "write it like https://example.net/a",
    Format.EMAIL: "write it like name@example.net",
}
