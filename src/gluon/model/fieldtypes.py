"""The table of the language: which types there are and which keys each takes.

A new field type is a row here, its value in `gluon.values` and its acceptor in `accept`.
Lowest file of the pipeline: `declare`, `resolve` and `check` read it.
"""

from __future__ import annotations

from collections.abc import Mapping

from gluon.model.types import AttributeType, Format

STRING_LENGTH = 255
"""Characters of a string that states no length."""

RESERVED = frozenset({"created_at", "updated_at"})
"""Attributes that every object has and no client writes."""

IMPLICIT_KEY = "uuid"
"""The key of an object type that declares no primary attribute."""

MAX_LENGTH = 1_048_576
MAX_NAME = 60

RANGES: Mapping[Format, tuple[int, int]] = {
    Format.INT32: (-(2**31), 2**31 - 1),
    Format.INT64: (-(2**63), 2**63 - 1),
}

TYPES: Mapping[str, AttributeType] = {t.value: t for t in AttributeType if t is not AttributeType.REFERENCE}
"""Type names as models write them; any other name is that of an object type."""

COMMON_KEYS = ("type", "primary", "required", "description")

TYPE_KEYS: Mapping[AttributeType, tuple[str, ...]] = {
    AttributeType.STRING: ("length", "format"),
    AttributeType.INTEGER: ("format", "min", "max"),
    AttributeType.NUMBER: (),
    AttributeType.BOOLEAN: (),
    AttributeType.UUID: (),
    AttributeType.ENUM: ("values",),
    AttributeType.REFERENCE: (),
}
"""Keys that a type takes beside the common ones."""

FORMATS: Mapping[AttributeType, tuple[Format, ...]] = {
    AttributeType.STRING: tuple(f for f in Format if f not in RANGES),
    AttributeType.INTEGER: tuple(RANGES),
}


def type_of(name: str) -> AttributeType:
    """The type that `name` stands for: one of the language, else a reference."""
    return TYPES.get(name, AttributeType.REFERENCE)
