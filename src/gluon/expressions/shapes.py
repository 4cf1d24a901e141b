"""Static types of values: what a rule may do with `self.mtu` is known before any object exists.

Made by whoever knows a model (`model.shapes`), used by `checker`. Members are a function, called when a rule
asks for them: object types refer to each other in circles.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum


class Kind(StrEnum):
    """`ANY` is the item of an empty list; it fits everywhere."""

    INT = "int"
    DOUBLE = "double"
    STRING = "string"
    BOOL = "bool"
    NULL = "null"
    LIST = "list"
    MAP = "map"
    OBJECT = "object"
    REFERENCE = "reference"
    ANY = "any"


Members = Callable[[], "Mapping[str, Shape]"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """`items`: of a list, or the values of a map; `most`: how many of them where that is known; `members`: of an object, or of the object referred to;
    `key`: what a reference is as a value; `name`: what to call the object in a message."""

    kind: Kind
    nullable: bool = False
    items: Shape | None = None
    members: Members | None = None
    key: Shape | None = None
    name: str = ""
    most: int | None = field(default=None, compare=False)

    def __str__(self) -> str:
        match self.kind:
            case Kind.LIST:
                text = f"list of {self.items}"
            case Kind.MAP:
                text = f"map of {self.items}"
            case Kind.OBJECT:
                text = self.name or "object"
            case Kind.REFERENCE:
                text = f"reference to {self.name}"
            case _:
                text = self.kind.value
        return f"{text} or null" if self.nullable and self.kind is not Kind.NULL else text

    @property
    def value(self) -> Shape:
        """This shape, or the key's where it is a reference: what operators and functions see."""
        if self.kind is Kind.REFERENCE and self.key:
            return replace(self.key, nullable=self.nullable or self.key.nullable)
        return self


INT = Shape(kind=Kind.INT)
DOUBLE = Shape(kind=Kind.DOUBLE)
STRING = Shape(kind=Kind.STRING)
BOOL = Shape(kind=Kind.BOOL)
NULL = Shape(kind=Kind.NULL, nullable=True)
ANY = Shape(kind=Kind.ANY, nullable=True)

NUMBERS = frozenset({Kind.INT, Kind.DOUBLE})


def nullable(shape: Shape) -> Shape:
    """The same, or null."""
    return shape if shape.nullable else replace(shape, nullable=True)


def list_of(items: Shape, most: int | None = None) -> Shape:
    return Shape(kind=Kind.LIST, items=items, most=most)


def map_of(items: Shape, most: int | None = None) -> Shape:
    """Keys are texts."""
    return Shape(kind=Kind.MAP, items=items, most=most)


def object_of(name: str, members: Members) -> Shape:
    return Shape(kind=Kind.OBJECT, name=name, members=members)


def reference(name: str, key: Shape, members: Members) -> Shape:
    """A reference to an object type of that name."""
    return Shape(kind=Kind.REFERENCE, name=name, key=key, members=members)


def alike(a: Shape, b: Shape) -> bool:
    """Whether a value of one may equal a value of the other; null and any may equal everything."""
    a, b = a.value, b.value
    if Kind.ANY in {a.kind, b.kind} or Kind.NULL in {a.kind, b.kind}:
        return True
    if a.kind is not b.kind:
        return {a.kind, b.kind} == NUMBERS
    if a.kind is Kind.OBJECT:
        return a.name == b.name
    return a.items is None or b.items is None or alike(a.items, b.items)


def joined(a: Shape, b: Shape) -> Shape | None:
    """The shape that holds the values of both, or None where they are unlike."""
    if a.kind is Kind.REFERENCE and b.kind is Kind.REFERENCE and a.name == b.name:
        return nullable(a) if b.nullable else a
    if a.kind in {Kind.NULL, Kind.ANY}:
        return nullable(b) if a.kind is Kind.NULL else b
    if b.kind in {Kind.NULL, Kind.ANY}:
        return nullable(a) if b.kind is Kind.NULL else a
    a, b = a.value, b.value
    if a.kind is not b.kind or not alike(a, b):
        return None
    if a.items and b.items:
        items = joined(a.items, b.items)
        if items is None:
            return None
        a = replace(a, items=items)
    return nullable(a) if b.nullable else a
