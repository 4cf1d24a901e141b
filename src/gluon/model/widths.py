"""How long the text of a value gets, and what an index can hold.

In: an attribute. Out: characters. Called by the checks of models and by the makers of tables. MariaDB takes
3,072 bytes into one index and PostgreSQL 2,704 into one entry, at up to four bytes a character; every index may
begin with the project.
"""

from __future__ import annotations

from collections.abc import Mapping

from gluon.model.fieldtypes import STRING_LENGTH
from gluon.model.types import NESTED, Attribute, AttributeType, Format

IDENTIFIER = 64
"""Room for a UUID, for the project, and for each of `FORMATS`."""

MOST = 600
"""Characters of all values of one index together, the project apart."""

PAGE, ROW, INDEXES = 7_800, 64_500, 60
"""What MariaDB takes, less what every table has: bytes of a row inside of its page, of all columns, and indexes."""

_OUTSIDE = (22, 12)
"""Bytes of a long value there, which lies outside of the page."""

NUMBER = 2
"""As characters, what a number takes there."""

FORMATS: Mapping[Format, int] = {
    Format.IP: IDENTIFIER,
    Format.IPV4: IDENTIFIER,
    Format.IPV6: IDENTIFIER,
    Format.CIDR: IDENTIFIER,
    Format.MAC: IDENTIFIER,
    Format.ROUTE_TARGET: IDENTIFIER,
    Format.ROUTE_DISTINGUISHER: IDENTIFIER,
}
"""Texts of one form are never longer than this (1.0: only where the model gives no shorter length)."""


def bytes_of(attribute: Attribute, *, held: bool) -> tuple[int, int]:
    """What a column counts in the page and in the row; `held`: an index holds it."""
    if attribute.value_type in NESTED:
        return _OUTSIDE
    if (characters := length(attribute)) == NUMBER:
        return 9, 9
    size = 4 * characters + 2
    return size if characters < 64 else _OUTSIDE[0], size if held or characters <= 128 else _OUTSIDE[1]


def length(attribute: Attribute) -> int:
    """Characters of the longest text of an attribute of one value; of numbers and booleans what an index needs."""
    match attribute.value_type:
        case AttributeType.UUID:
            return IDENTIFIER
        case AttributeType.ENUM:
            return max(32, *map(len, attribute.values)) if attribute.values else STRING_LENGTH
        case AttributeType.STRING:
            if (
                not attribute.kept
                and attribute.value_format is not None
                and attribute.value_format in FORMATS
            ):
                return FORMATS[attribute.value_format]
            return attribute.length or STRING_LENGTH
        case other if other in NESTED:
            raise ValueError(f"{attribute.name} is a {other}, which no index holds")
        case _:
            return NUMBER
