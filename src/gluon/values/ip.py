"""IP addresses, strictly: no partial forms, no leading zeros, IPv6 in the form of RFC 5952.

An IPv4-mapped address is written as RFC 5952 section 5 recommends (`::ffff:192.0.2.1`), whatever the
Python below does.
"""

from __future__ import annotations

import ipaddress
import re

_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_V4 = re.compile(rf"{_OCTET}(?:\.{_OCTET}){{3}}").fullmatch


def parse_v4(text: str) -> str:
    """The four octets as they are: an IPv4 address has one form only."""
    if _V4(text):
        return text
    raise ValueError(f"{text!r} is not an IPv4 address such as 192.0.2.1")


def parse_v6(text: str) -> str:
    """The shortest lower-case form; a zone (`%eth0`) is kept, as two zones are two addresses."""
    try:
        address = ipaddress.IPv6Address(text)
    except ValueError:
        raise ValueError(f"{text!r} is not an IPv6 address such as 2001:db8::1") from None
    mapped = address.ipv4_mapped
    if mapped is None:
        return str(address)
    zone = f"%{address.scope_id}" if address.scope_id else ""
    return f"::ffff:{mapped}{zone}"


def parse(text: str) -> str:
    """An address of either family."""
    if _V4(text):
        return text
    try:
        return parse_v6(text)
    except ValueError:
        raise ValueError(f"{text!r} is not an IP address") from None


def parse_plain_v6(text: str) -> str:
    """As `parse_v6`, without a zone: it means something on one host only (RFC 4007), so nothing in a model."""
    if "%" in text:
        raise ValueError(f"{text!r} has a zone, which means nothing on another host")
    return parse_v6(text)


def parse_plain(text: str) -> str:
    """An address of either family without a zone."""
    if _V4(text):
        return text
    try:
        return parse_plain_v6(text)
    except ValueError:
        raise ValueError(f"{text!r} is not an IP address such as 192.0.2.1 or 2001:db8::1") from None
