"""Route targets (RFC 4360, RFC 5668) and route distinguishers (RFC 4364): `65000:100`, `192.0.2.1:7`.

Both are an administrator (a 2-octet AS, an IPv4 address or a 4-octet AS) and a number in the
bytes that are left of six. The text form is one: digits without leading zeros, and an AS that fits two
octets is one of two octets. Called by shims (VRF import and export) and by checks of bodies.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum
from typing import Self

from gluon.values import ip

_DIGITS = re.compile(r"[0-9]{1,10}").fullmatch
_TWO_OCTETS = 0xFFFF
_FOUR_OCTETS = 0xFFFFFFFF


class Administrator(IntEnum):
    """Who gave the number; the values are the type fields of RFC 4360 and RFC 4364."""

    AS2 = 0
    IPV4 = 1
    AS4 = 2


@dataclass(frozen=True, slots=True)
class RouteTarget:
    """An extended community that says which VRFs import a route."""

    kind: Administrator
    administrator: int
    number: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `AS:number` or `IPv4:number`; an AS above 65535 takes a number up to 65535 only."""
        return cls(*_parse(text, "route target"))

    def __str__(self) -> str:
        return _format(self.kind, self.administrator, self.number)


@dataclass(frozen=True, slots=True)
class RouteDistinguisher:
    """What makes equal prefixes of several VPNs unlike routes. It has no order: none would mean anything."""

    kind: Administrator
    administrator: int
    number: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `AS:number` or `IPv4:number`; an AS above 65535 takes a number up to 65535 only."""
        return cls(*_parse(text, "route distinguisher"))

    def __str__(self) -> str:
        return _format(self.kind, self.administrator, self.number)


def parse_route_targets(text: str) -> tuple[RouteTarget, ...]:
    """A comma-separated list, blanks around the commas allowed; each target once, in order."""
    parts = [part.strip() for part in text.split(",")]
    if parts == [""]:
        return ()
    return tuple(dict.fromkeys(RouteTarget.parse(part) for part in parts))


def _parse(text: str, what: str) -> tuple[Administrator, int, int]:
    head, colon, tail = text.strip().rpartition(":")
    if not colon or not _DIGITS(tail):
        raise ValueError(f"{text!r} is not a {what} such as 65000:100 or 192.0.2.1:100")
    number = int(tail)
    if "." in head:
        try:
            octets = ip.parse_v4(head).split(".")
        except ValueError:
            raise ValueError(f"{text!r} is not a {what}: {head!r} is no IPv4 address") from None
        administrator = int.from_bytes(bytes(map(int, octets)), "big")
        kind, most = Administrator.IPV4, _TWO_OCTETS
    elif _DIGITS(head) and int(head) <= _FOUR_OCTETS:
        administrator = int(head)
        two = administrator <= _TWO_OCTETS
        kind, most = (Administrator.AS2, _FOUR_OCTETS) if two else (Administrator.AS4, _TWO_OCTETS)
    else:
        raise ValueError(f"{text!r} is not a {what}: {head!r} is no AS number (0 to {_FOUR_OCTETS})")
    if number > most:
        raise ValueError(f"{text!r} is not a {what}: after {head} the number is at most {most}")
    return kind, administrator, number


def _format(kind: Administrator, administrator: int, number: int) -> str:
    if kind is Administrator.IPV4:
        return f"{'.'.join(map(str, administrator.to_bytes(4, 'big')))}:{number}"
    return f"{administrator}:{number}"
