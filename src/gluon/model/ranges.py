"""Ranges of pools as the pools will read them: a text of a model in, its first and last number out.

100-199   7   1.10-1.20   192.0.2.0/24   192.0.2.10-192.0.2.20   fa:16:3e:00:00:00/24   65000:1-65000:99
"""

from __future__ import annotations

import re
from functools import lru_cache

from gluon.model.fieldtypes import Word
from gluon.model.types import AttributeType, Format
from gluon.values import identifier, space
from gluon.values.route_target import RouteDistinguisher, RouteTarget

LONGEST_TEMPLATE = 80

_COMMUNITIES: dict[Format | None, type[RouteTarget] | type[RouteDistinguisher]] = {
    Format.ROUTE_TARGET: RouteTarget,
    Format.ROUTE_DISTINGUISHER: RouteDistinguisher,
}
_FAMILIES = {Format.IPV4: 4, Format.IPV6: 6}
_LIKE = {
    Format.IP: "192.0.2.0/24 or 192.0.2.10-192.0.2.20",
    Format.IPV4: "192.0.2.0/24 or 192.0.2.10-192.0.2.20",
    Format.IPV6: "2001:db8::/64 or 2001:db8::10-2001:db8::20",
    Format.MAC: "fa:16:3e:00:00:00-fa:16:3e:ff:ff:ff",
    Format.ROUTE_TARGET: "65000:1-65000:99",
    Format.ROUTE_DISTINGUISHER: "65000:1-65000:99",
}
_ZEROS = re.compile(r"(?:^|[\s-])0[0-9]").search


def like(word: Word, *, template: bool = False) -> str:
    """A range as it would be written."""
    return "100-199" if template or word.format is None else _LIKE.get(word.format, "100-199")


@lru_cache(64)
def _codec(word: Word, *, template: bool) -> space.Codec:
    if template:
        return space.Numbers(0)
    if word.type is AttributeType.INTEGER:
        return space.Numbers(*word.range, parse=identifier.ASN.parse if word.format is Format.ASN else None)
    if word.format in _COMMUNITIES:
        return space.Communities(_COMMUNITIES[word.format])
    if word.format is Format.MAC:
        return space.Macs()
    return space.Addresses(_FAMILIES.get(word.format) if word.format else None)


def bounds(text: str, word: Word, *, template: bool = False) -> tuple[int, int]:
    """The first and last value of a range. Raises `ValueError` with what is wrong with it."""
    if (template or word.type is AttributeType.INTEGER) and _ZEROS(text):
        raise ValueError(f"{text!r} has leading zeros")
    low, high = _codec(word, template=template).interval(text, usable=False)
    if low > high:
        raise ValueError(f"{text!r} ends before it begins")
    return low, high


def made(template: str, number: int, word: Word) -> None:
    """Raises `ValueError` where the text that a template makes is no value of `word` in normal form."""
    text = template.replace("{}", str(number))
    normal = str(_COMMUNITIES[word.format].parse(text))
    if normal != text:
        raise ValueError(f"{text!r} is not in the normal form {normal}")
