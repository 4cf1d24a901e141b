"""Prefixes in CIDR notation (RFC 4632, RFC 4291 section 2.3): `192.0.2.0/24`, `2001:db8::/32`.

A prefix has no host bits here: one network, one text. IPv6 is in the form of RFC 5952.
"""

from __future__ import annotations

import ipaddress
import re

from gluon.values import ip

_LENGTH = re.compile(r"0|[1-9][0-9]{0,2}").fullmatch


class HostBits(ValueError):
    """An address with a length that is not a network; `network` is the one that it lies in."""

    def __init__(self, text: str, network: str) -> None:
        super().__init__(f"{text!r} has host bits set; its network is {network}")
        self.network = network


def parse(text: str) -> str:
    """The prefix in its one form. Raises `HostBits` where bits after the length are set."""
    head, slash, tail = text.partition("/")
    try:
        address = ip.parse_plain(head)
    except ValueError:
        raise ValueError(f"{text!r} is not a prefix such as 192.0.2.0/24 or 2001:db8::/32") from None
    most = 128 if ":" in address else 32
    if not slash:
        raise ValueError(f"{text!r} has no length; one address is {address}/{most}")
    if not _LENGTH(tail) or int(tail) > most:
        raise ValueError(f"{text!r} is not a prefix: the length is from 0 to {most}")
    network = ipaddress.ip_network(f"{address}/{tail}", strict=False)
    normal = f"{ip.parse_plain(str(network.network_address))}/{tail}"
    if normal != f"{address}/{tail}":
        raise HostBits(text, normal)
    return normal
