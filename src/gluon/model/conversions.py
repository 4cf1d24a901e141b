"""What a model says of its other versions (`Version` in `types` holds it with their models): for each attribute there, where its value is here.

*There* is the other version, *here* the stored one, whose file holds these facts. An attribute of
which nothing is said has the same name here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class State(StrEnum):
    """How a version is offered; the stored one is current."""

    CURRENT = "CURRENT"
    SUPPORTED = "SUPPORTED"
    DEPRECATED = "DEPRECATED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Renamed:
    """The value of `name` here. `values`: text there → text here, for an enum whose values have other names."""

    name: str
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """One text there, several attributes here: their texts with `by` between them."""

    names: tuple[str, ...]
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Part `index` (from 0) of the text `name` here, which `by` divides into as many parts as are declared."""

    name: str
    by: str
    index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Fixed:
    """Nothing here: it reads as `value`, and no other value can be written."""

    value: Any


Origin = Renamed | Joined | Part | Fixed


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeFacts:
    """An object type there. `name`: its name here."""

    name: str
    attributes: Mapping[str, Origin] = field(default_factory=dict)
