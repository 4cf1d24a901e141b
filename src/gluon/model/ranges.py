"""Ranges of pools: texts in, the first and last value as numbers out.

    100-199   7   192.0.2.0/24   192.0.2.10-192.0.2.20   fa:16:3e:00:00:00-fa:16:3e:ff:ff:ff   65000:1-65000:99

Called by `check_pools` and by the pools themselves.
"""

from __future__ import annotations

import ipaddress
import re

from gluon.model.fieldtypes import Word
from gluon.model.types import AttributeType, Format
from gluon.values.route_target import Administrator, RouteTarget

_INTEGERS = re.compile(r"(-?(?:0|[1-9][0-9]{0,18}))(?:\s*-\s*(-?(?:0|[1-9][0-9]{0,18})))?").fullmatch
_MAC = r"([0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){5})"
_MACS = re.compile(rf"{_MAC}(?:\s*-\s*{_MAC})?").fullmatch
_ROUTES = re.compile(r"([0-9.]+):([0-9]+)(?:\s*-\s*(?:([0-9.]+):)?([0-9]+))?").fullmatch

_FAMILIES = {Format.IPV4: 4, Format.IPV6: 6}

NUMBERS = Word(name="number", type=AttributeType.INTEGER, about="a number for a template")


def bounds(text: str, word: Word) -> tuple[int, int]:
    """The first and last value of a range of `word`. Raises `ValueError` with what would be one."""
    low, high = _parse(text.strip(), word)
    if low > high:
        raise ValueError(f"{text!r} ends before it starts")
    return low, high


def _parse(text: str, word: Word) -> tuple[int, int]:
    if word.type is AttributeType.INTEGER:
        return _integers(text, word)
    if word.format is Format.MAC:
        return _macs(text)
    if word.format in {Format.ROUTE_TARGET, Format.ROUTE_DISTINGUISHER}:
        return _routes(text, word)
    return _addresses(text, word)


def _integers(text: str, word: Word) -> tuple[int, int]:
    match = _INTEGERS(text)
    if match is None:
        raise ValueError(f"{text!r} is no range of integers such as 100-199")
    low, high = int(match[1]), int(match[2] or match[1])
    lowest, highest = word.range
    for end in (low, high):
        if not lowest <= end <= highest:
            raise ValueError(f"{end} is no {word.name}: it is from {lowest} to {highest}")
    return low, high


def _macs(text: str) -> tuple[int, int]:
    match = _MACS(text)
    if match is None:
        raise ValueError(f"{text!r} is no range such as fa:16:3e:00:00:00-fa:16:3e:ff:ff:ff")
    low, high = (int(end.replace(":", ""), 16) for end in (match[1], match[2] or match[1]))
    return low, high


def _routes(text: str, word: Word) -> tuple[int, int]:
    """Of one administrator; the number alone may follow the dash."""
    match = _ROUTES(text)
    if match is None or (match[3] and match[3] != match[1]):
        raise ValueError(f"{text!r} is no range such as 65000:1-65000:99")
    what = word.name.replace("_", " ")
    ends = [_route(f"{match[1]}:{number}", what) for number in (match[2], match[4] or match[2])]
    return ends[0], ends[1]


def _route(text: str, what: str) -> int:
    """The six octets of a route target or distinguisher as a number."""
    try:
        value = RouteTarget.parse(text)
    except ValueError as error:
        raise ValueError(str(error).replace("route target", what)) from None
    width = 32 if value.kind is Administrator.AS2 else 16
    return (value.administrator << width) | value.number


def _addresses(text: str, word: Word) -> tuple[int, int]:
    like = "192.0.2.0/24 or 192.0.2.10-192.0.2.20"
    if word.format is Format.IPV6:
        like = "2001:db8::/64 or 2001:db8::10-2001:db8::20"
    first, dash, last = (part.strip() for part in text.partition("-"))
    try:
        if "/" in text:
            prefix = ipaddress.ip_network(text)
            ends = (prefix[0], prefix[-1])
        else:
            ends = (ipaddress.ip_address(first), ipaddress.ip_address(last if dash else first))
    except ValueError as error:
        hint = " (the address has bits below the prefix)" if "host bits" in str(error) else ""
        raise ValueError(f"{text!r} is no range such as {like}{hint}") from None
    families = {end.version for end in ends}
    if len(families) > 1:
        raise ValueError(f"{text!r} mixes IPv4 and IPv6")
    wanted = _FAMILIES.get(word.format) if word.format else None
    if wanted and families != {wanted}:
        raise ValueError(f"{text!r} is not IPv{wanted}")
    return int(ends[0]), int(ends[1])
