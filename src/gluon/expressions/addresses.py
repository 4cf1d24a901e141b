"""Addresses and prefixes of both families as numbers.

In: text. Out: `(family, first, last)`, or None where the text is neither. Parsed texts are kept, as the same
few prefixes are compared again and again.
"""

from __future__ import annotations

import functools
import ipaddress
import re

_LONGEST = 50
_PREFIX = re.compile(r"[0-9A-Fa-f.:]+/[0-9]{1,3}").fullmatch

Range = tuple[int, int, int]


def address_or_prefix(text: str) -> Range | None:
    """A prefix has no host bits; an address is a range of one."""
    return _parsed(text) if len(text) <= _LONGEST else None


def prefix(text: str) -> Range | None:
    """Only a text with `/`."""
    return _parsed(text) if len(text) <= _LONGEST and "/" in text else None


@functools.lru_cache(maxsize=4096)
def _parsed(text: str) -> Range | None:
    try:
        if "/" not in text:
            address = ipaddress.ip_address(text)
            return address.version, int(address), int(address)
        if not _PREFIX(text):
            return None
        network = ipaddress.ip_network(text)
    except ValueError:
        return None
    return network.version, int(network.network_address), int(network.broadcast_address)
