"""MAC addresses (EUI-48): any usual notation in, `fa:16:3e:00:00:01` out.

Called by field types, shims and the Neutron face; two notations of one address compare equal
once both went through `parse`.
"""

from __future__ import annotations

import re

_NORMAL = re.compile(r"[0-9a-f]{2}(?::[0-9a-f]{2}){5}").fullmatch
_BARE = re.compile(r"[0-9A-Fa-f]{11,12}").fullmatch
_GROUPED = re.compile(r"[0-9A-Fa-f]{1,6}(?:([:.-])[0-9A-Fa-f]{1,6})(?:\1[0-9A-Fa-f]{1,6}){0,4}").fullmatch

# Groups -> (fewest, most digits in a group): octets, Cisco's hextets, halves.
_WIDTHS = {6: (1, 2), 3: (1, 4), 2: (5, 6)}


def parse(text: str) -> str:
    """The address as six lower-case octets joined by colons.

    Takes octets joined by colons or dashes, hextets joined by dots, colons or dashes, two halves,
    or bare digits; leading zeros of a group may be left out.
    """
    if _NORMAL(text):
        return text
    digits = _digits(text)
    if digits is None:
        raise ValueError(f"{text!r} is not a MAC address such as fa:16:3e:00:00:01")
    return ":".join(digits[i : i + 2] for i in range(0, 12, 2))


def _digits(text: str) -> str | None:
    """The twelve hex digits of any notation, or None."""
    if _BARE(text):
        return text.lower().zfill(12)
    match = _GROUPED(text)
    if match is None:
        return None
    separator = match[1]
    groups = text.split(separator)
    if len(groups) not in _WIDTHS or (separator == "." and len(groups) != 3):
        return None
    fewest, most = _WIDTHS[len(groups)]
    if not all(fewest <= len(group) <= most for group in groups):
        return None
    return "".join(group.lower().zfill(12 // len(groups)) for group in groups)
