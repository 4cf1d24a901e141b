"""Acceptors of single values in models of version 2.0: JSON's own types, one normal form for each value.

In: an attribute. Out: the closure that `acceptors` hands on. A value is accepted here exactly where the JSON
Schema of `body_schema` accepts it, as far as JSON Schema can say it. Called for every value of every
request, so what is right takes the shortest way.
"""

from __future__ import annotations

import dataclasses
import math
import re
import sys
from collections.abc import Callable, Mapping
from typing import Any

from gluon.model import patterns
from gluon.model.fieldtypes import RANGES
from gluon.model.types import Attribute, AttributeType, Format, Role
from gluon.model.wrong import Acceptor, Wrong
from gluon.values import cidr, identifier, ip, mac, text, uuid
from gluon.values.route_target import RouteDistinguisher, RouteTarget

FREE_LENGTH = frozenset({Role.PROFILE, Role.VIF_DETAILS})
"""Roles whose texts are views of a binding: the length that the model gives them does not count."""

_EXACT = 2**53
_HUGE = sys.float_info.max
_SPACES: Mapping[Format | None, identifier.Space] = {
    Format.VLAN: identifier.VLAN,
    Format.VNI: identifier.VNI,
    Format.ASN: identifier.ASN,
    Format.MPLS_LABEL: identifier.MPLS_LABEL,
}
NORMAL_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}").fullmatch
NORMAL_MAC = re.compile(":".join(["[0-9a-f]{2}"] * 6)).fullmatch


def acceptor(attribute: Attribute) -> Acceptor:
    """The closure that judges values of `attribute`; it raises `Wrong`. Null is not its business."""
    match attribute.value_type:
        case AttributeType.BOOLEAN:
            return _boolean
        case AttributeType.INTEGER:
            return _integer(attribute)
        case AttributeType.NUMBER:
            return _number(attribute)
        case AttributeType.UUID:
            return _uuid
        case AttributeType.ENUM:
            return _enum(attribute.values)
        case _:
            return _string(attribute)


def limits(attribute: Attribute) -> tuple[int, int]:
    """The smallest and the largest integer that an attribute takes."""
    space = _SPACES.get(attribute.value_format)
    lowest, highest = (space.low, space.high) if space else RANGES[attribute.value_format or Format.INT64]
    low = lowest if attribute.minimum is None else max(lowest, math.ceil(attribute.minimum))
    high = highest if attribute.maximum is None else min(highest, math.floor(attribute.maximum))
    return low, high


def from_text(attribute: Attribute, given: str) -> object:
    """The JSON value that a text of a URL stands for; the text itself where it is none."""
    match attribute.value_type:
        case AttributeType.INTEGER if re.fullmatch(r"-?[0-9]{1,19}", given):
            return int(given)
        case AttributeType.NUMBER if re.fullmatch(
            r"-?[0-9]{1,40}(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,3})?", given
        ):
            return float(given)
        case AttributeType.BOOLEAN:
            return {"true": True, "false": False}.get(given, given)
        case _:
            return given


def _boolean(value: Any) -> bool:
    if value is True:
        return True
    if value is False:
        return False
    raise Wrong("type", "is not a boolean", hint="give true or false")


def _integer(attribute: Attribute) -> Acceptor:
    low, high = limits(attribute)
    dotted = attribute.value_format is Format.ASN
    hint = f"give an integer from {low} to {high}"
    if dotted:
        hint += ', or a text such as "1.10"'

    def accept(value: Any) -> int:
        if type(value) is int and low <= value <= high:
            return value
        if type(value) is not int:
            value = _whole(value, hint, dotted=dotted)
        if low <= value <= high:
            return int(value)
        side = f"below {low}" if value < low else f"above {high}"
        raise Wrong("range", f"is {side}", hint=hint)

    return accept


def _whole(value: Any, hint: str, *, dotted: bool) -> int:
    """A whole number that JSON wrote with a fraction is an integer, as in JSON Schema."""
    if type(value) is float and value.is_integer():
        return exact(value)
    if dotted and type(value) is str:
        try:
            return identifier.ASN.parse(value)
        except ValueError:
            raise Wrong("format", "is not an AS number", hint=hint) from None
    raise Wrong("type", "is not an integer", hint=hint)


def exact(value: float, *, why: str = "") -> int:
    """A whole number that was read as a double: beyond some size it stands for others too."""
    if abs(value) < _EXACT:
        return int(value)
    rule = "is too large for an integer with a fraction or an exponent"
    raise Wrong("type", rule, hint="write its digits, without either", why=why)


def _number(attribute: Attribute) -> Acceptor:
    low, high = bounds(attribute)
    hint = "give a finite decimal number"
    if attribute.minimum is not None or attribute.maximum is not None:
        hint = f"give a number {_between(attribute.minimum, attribute.maximum)}"

    def accept(value: Any) -> float:
        number = value if type(value) is float else _float(value, hint)
        if low <= number <= high:
            return float(number + 0.0)  # -0.0 is 0.0
        if not math.isfinite(number):
            raise Wrong("type", "is not a number", hint=hint)
        raise Wrong("range", f"is below {low}" if number < low else f"is above {high}", hint=hint)

    return accept


def bounds(attribute: Attribute) -> tuple[float, float]:
    """The smallest and the largest number that an attribute takes, finite both."""
    low, high = attribute.minimum, attribute.maximum
    return -_HUGE if low is None else max(-_HUGE, low), _HUGE if high is None else min(_HUGE, high)


def _float(value: Any, hint: str) -> float:
    if type(value) is int:
        try:
            return float(value)
        except OverflowError:
            pass
    raise Wrong("type", "is not a number", hint=hint)


def _between(low: float | None, high: float | None) -> str:
    if low is None:
        return f"of {high} at most"
    return f"of {low} at least" if high is None else f"from {low} to {high}"


def _uuid(value: Any) -> str:
    try:
        if NORMAL_UUID(value):
            return str(value)
        return uuid.parse(value)
    except TypeError:
        raise Wrong("type", "is not a text", hint="give a UUID in quotes") from None
    except ValueError:
        raise Wrong("format", "is not a UUID", hint="give 32 hexadecimal digits with dashes") from None


def _enum(values: tuple[str, ...]) -> Acceptor:
    known = frozenset(values)
    listed = ", ".join(values)

    def accept(value: Any) -> Any:
        try:
            if value in known:
                return value
        except TypeError:
            pass  # a list or an object
        raise Wrong("enum", f"is none of {listed}", hint="give one of them")

    return accept


def _string(attribute: Attribute) -> Acceptor:
    plain = _text(attribute)
    if attribute.pattern is not None:
        plain = _matching(plain, attribute.pattern)
    if attribute.value_format is None:
        return plain
    parse, what, hint = _FORMATS[attribute.value_format]
    any_text = _text(dataclasses.replace(attribute, length=None, min_length=None))

    def accept(value: Any) -> Any:
        given = any_text(value)
        try:
            normal = parse(given)
        except cidr.HostBits as error:
            raise Wrong("format", "has host bits set", hint=f"its network is {error.network}") from None
        except ValueError:
            raise Wrong("format", f"is not {what}", hint=hint) from None
        return plain(normal)

    return accept


def normal_test(attribute: Attribute) -> Callable[[str], object] | None:
    """What only normal texts of a formatted attribute pass, where there is such a test."""
    short = attribute.length is not None and attribute.length < _LONGEST
    if attribute.value_format is None or attribute.pattern is not None or attribute.min_length or short:
        return None
    return _NORMAL.get(attribute.value_format)


def _text(attribute: Attribute) -> Acceptor:
    free = attribute.role in FREE_LENGTH or attribute.length is None
    most = 2**31 if free else attribute.length or 0
    least = attribute.min_length or 0

    def accept(value: Any) -> Any:
        if type(value) is str and least <= len(value) <= most and value.isascii() and "\0" not in value:
            return value
        if type(value) is not str:
            raise Wrong("type", "is not a text", hint="put it in quotes")
        if not least <= len(value) <= most:
            raise _bad_length(len(value), least, most)
        if "\0" in value or not is_unicode(value):
            raise Wrong(
                "characters",
                "holds a character that cannot be stored",
                hint="leave NUL and lone surrogates out",
            )
        return value

    return accept


def _bad_length(count: int, least: int, most: int) -> Wrong:
    if count > most:
        return Wrong("length", f"has {count} characters, {most} are allowed", hint="shorten it")
    return Wrong("length", f"has {count} characters, {least} are the fewest", hint="lengthen it")


def _matching(plain: Acceptor, pattern: str) -> Acceptor:
    matches = patterns.matcher(pattern)

    def accept(value: Any) -> Any:
        given = plain(value)
        if matches(given):
            return given
        raise Wrong("pattern", f"does not match {pattern}", hint="the whole text has to match")

    return accept


def is_unicode(value: str) -> bool:
    """Whether a text can be encoded: it has no lone surrogate."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _route_target(given: str) -> str:
    return str(RouteTarget.parse(given))


def _route_distinguisher(given: str) -> str:
    return str(RouteDistinguisher.parse(given))


_LONGEST = 32
"""Characters of the longest text that `_NORMAL` takes."""

_OCTET = r"(?:1[0-9]{0,2}|2(?:[0-4][0-9]?|5[0-5]?|[6-9])?|[3-9][0-9]?|0)"
_V4 = re.compile(rf"{_OCTET}\.{_OCTET}\.{_OCTET}\.{_OCTET}").fullmatch
_COMMUNITY = re.compile(
    r"(?:6(?:[0-4][0-9]{3}|5(?:[0-4][0-9]{2}|5(?:[0-2][0-9]|3[0-5])))|[1-5][0-9]{4}|[1-9][0-9]{0,3}+|0)"
    r":(?:[1-9][0-9]{0,8}|0)"
).fullmatch
_NORMAL: Mapping[Format, Callable[[str], object]] = {
    Format.MAC: NORMAL_MAC,
    Format.IP: _V4,
    Format.IPV4: _V4,
    Format.ROUTE_TARGET: _COMMUNITY,
    Format.ROUTE_DISTINGUISHER: _COMMUNITY,
}
"""Formats → what is certainly a normal form; the usual values are among them."""

_ROUTE = "write it like 65000:100, 192.0.2.1:100 or 4200000000:100"

_FORMATS: Mapping[Format, tuple[Callable[[str], str], str, str]] = {
    Format.MAC: (mac.parse, "a MAC address", "write it like fa:16:3e:00:00:01"),
    Format.IP: (ip.parse_plain, "an IP address", "write it like 192.0.2.1 or 2001:db8::1"),
    Format.IPV4: (ip.parse_v4, "an IPv4 address", "write it like 192.0.2.1"),
    Format.IPV6: (ip.parse_plain_v6, "an IPv6 address", "write it like 2001:db8::1"),
    Format.CIDR: (cidr.parse, "a prefix", "write it like 192.0.2.0/24 or 2001:db8::/32"),
    Format.ROUTE_TARGET: (_route_target, "a route target", _ROUTE),
    Format.ROUTE_DISTINGUISHER: (_route_distinguisher, "a route distinguisher", _ROUTE),
    Format.JSON: (text.parse_document, "JSON", "give a JSON document as text"),
    Format.DATE_TIME: (text.parse_instant, "a date and time", "write it like 2024-05-17T12:00:00Z"),
    Format.URI: (text.parse_uri, "a URI", "write it like https://example.net/a"),
    Format.EMAIL: (text.parse_email, "an e-mail address", "write it like name@example.net"),
}
