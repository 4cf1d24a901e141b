"""Tables as data: what `particles` makes of a model and `store` turns into SQL of three dialects.

Column and table names are used as they are, quoted. Columns of Gluon itself start with `_`,
those of a model never do.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ColumnType(StrEnum):
    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DOCUMENT = "document"
    """JSON text of any length, opaque to the store (str in rows)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """`length` in characters for TEXT; 64-bit INTEGER; TEXT compares by code point, exactly.

    `default`: what rows get that are there when the column is added; nothing else uses it.
    """

    name: str
    type: ColumnType
    length: int = 255
    nullable: bool = True
    default: str | int | float | bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignKey:
    """`column` refers to the (single) key column of `table`; always RESTRICT: a net, not the rule."""

    column: str
    table: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """`key` is the primary key; `unique` and `indexes` are column tuples. `sparse`: indexes of those rows only that have a
    value in the first column, where the database can make such: rows without one do not pay for them. `kept`: so many of its rows
    are known from one batch to the next, as most batches look at the same."""

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    unique: tuple[tuple[str, ...], ...] = ()
    indexes: tuple[tuple[str, ...], ...] = ()
    sparse: tuple[tuple[str, ...], ...] = ()
    foreign: tuple[ForeignKey, ...] = ()
    kept: int = 0

    def served(self, first: str = "") -> frozenset[str]:
        """The columns by whose values a key or an index finds rows; `first`: also where a value of that one is given."""
        groups = (self.key, *self.unique, *self.indexes, *self.sparse)
        found = {group[1] if group[0] == first and group[1:] else group[0] for group in groups}
        return frozenset(found.union([first] if first else [], (f.column for f in self.foreign)))
