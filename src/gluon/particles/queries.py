"""What lists of an object type can be asked for: by what they are filtered, sorted and shown.

In: an object type of version 2.0 or later. Out: names and comparisons. Secrets and what no row holds are in none of
them. Read by who parses a query, and by who documents it.
"""

from __future__ import annotations

from gluon.model import types, widths
from gluon.model.types import Attribute, AttributeType, Format, ObjectType
from gluon.particles import records, tables
from gluon.spi.store import Match

MOST = 1000
"""Objects of one answer, also where nothing is said."""
VALUES = 200
"""Of one filter; and all arguments of a request together."""
WORDS = ("sort_key", "sort_dir", "limit", "marker", "fields", "count", "embed")
IN = "in"
TIMES = {records.CREATED_AT: tables.CREATED, records.UPDATED_AT: tables.UPDATED}
TEXTS = frozenset({AttributeType.STRING, AttributeType.ENUM, AttributeType.UUID})
BOTH = frozenset({Match.EQUAL, Match.UNLIKE})
ORDERED = frozenset({Match.LESS, Match.AT_MOST, Match.MORE, Match.AT_LEAST})
PARTS = frozenset({Match.CONTAINS, Match.BEGINS})

_SORTED_LENGTH = 255
"""MariaDB sorts texts by their first 1,024 bytes."""
_ADDRESSES = frozenset({Format.IP, Format.IPV4, Format.IPV6, Format.CIDR})
_FREE = frozenset({types.Role.PROFILE, types.Role.VIF_DETAILS})


def shown(kind: ObjectType) -> tuple[str, ...]:
    """What `fields` may name."""
    return (*(a.name for a in kind.attributes.values() if not a.secret), *TIMES)


def filtered(kind: ObjectType) -> tuple[str, ...]:
    """What can be filtered by."""
    return (*(a.name for a in kind.attributes.values() if _can_filter(a)), *TIMES)


def sorted_by(kind: ObjectType) -> tuple[str, ...]:
    """What `sort_key` may name."""
    return tuple(n for n in filtered(kind) if n in TIMES or _short(kind.attributes[n]))


def embedded(kind: ObjectType) -> tuple[str, ...]:
    """What `embed` may name."""
    return tuple(a.name for a in kind.references if not a.secret)


def suffixes(attribute: Attribute | None) -> tuple[str, ...]:
    """The words behind `name__`; None stands for a time of Gluon's own."""
    return (*sorted(m.value for m in _matches(attribute)), IN)


def _can_filter(attribute: Attribute) -> bool:
    """A status that clients do not write is computed, so no row has it."""
    computed = attribute.role is types.Role.STATUS and attribute.read_only
    return not (attribute.secret or computed or attribute.type in types.NESTED)


def _matches(attribute: Attribute | None) -> frozenset[Match]:
    """Addresses have no order as texts; prefixes contain them instead."""
    if attribute is None:
        return BOTH | ORDERED
    if attribute.value_format in _ADDRESSES:
        return BOTH | PARTS | {Match.WITHIN}
    if attribute.value_type is AttributeType.BOOLEAN:
        return BOTH
    return BOTH | ORDERED | (PARTS if attribute.value_type in TEXTS else frozenset())


def _short(attribute: Attribute) -> bool:
    if attribute.value_type not in TEXTS:
        return True
    return attribute.role not in _FREE and widths.length(attribute) <= _SORTED_LENGTH
