"""Rows and bodies: the two forms of an object, compiled once for each object type.

A *row* is what the table holds (normal forms), a *body* what users and shims see: every attribute
in the model's order, as written, then `created_at` and `updated_at`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gluon.model import types
from gluon.objects import codec
from gluon.particles import tables
from gluon.spi import store

CREATED_AT = "created_at"
UPDATED_AT = "updated_at"


class Records:
    """Row and body of one object type."""

    __slots__ = ("_pairs", "_roles", "key", "key_column", "object_type", "table")

    def __init__(self, model: types.Model, object_type: types.ObjectType) -> None:
        self.object_type = object_type
        self.table = tables.table_name(model.name, object_type.name)
        self.key = object_type.key
        self.key_column = tables.column_name(object_type.attributes[object_type.key])
        self._pairs = tuple((a.name, tables.column_name(a)) for a in object_type.attributes.values())
        self._roles = tuple(
            (role, tables.column_name(object_type.attributes[name]))
            for role, name in object_type.roles.items()
        )

    def column(self, attribute: str) -> str:
        """The column of an attribute."""
        return tables.column_name(self.object_type.attributes[attribute])

    def row(
        self,
        values: Mapping[str, Any],
        written: Mapping[str, Any],
        *,
        revision: int,
        now: str,
        project: str | None = None,
    ) -> store.Row:
        """A new row. `values` by attribute in normal form (absent: null), `written` only what differs.

        `project` counts where the type has no attribute for it.
        """
        row: store.Row = {tables.PROJECT: project}
        for name, column in self._pairs:
            row[column] = values.get(name)
        row[tables.REVISION] = revision
        row[tables.WRITTEN] = codec.encode(written).decode() if written else None
        row[tables.CREATED] = now
        row[tables.UPDATED] = now
        return row

    def changed(
        self,
        row: store.Row,
        values: Mapping[str, Any],
        written: Mapping[str, Any],
        *,
        revision: int,
        now: str,
    ) -> store.Row | None:
        """`row` with the given attributes replaced; None if that changes nothing."""
        shown = self.written(row)
        after = {name: text for name, text in shown.items() if name not in values}
        after.update(written)
        new = dict(row)
        for name, value in values.items():
            new[self.column(name)] = value
        if new == row and after == shown:
            return None
        new[tables.WRITTEN] = codec.encode(after).decode() if after else None
        new[tables.REVISION] = revision
        new[tables.UPDATED] = now
        return new

    @staticmethod
    def written(row: store.Row) -> dict[str, Any]:
        """The attributes whose written form differs from the normal one."""
        text = row[tables.WRITTEN]
        return dict(codec.decode(str(text))) if text else {}

    def body(self, row: store.Row) -> dict[str, Any]:
        """The object as users and shims see it."""
        body: dict[str, Any] = {name: row[column] for name, column in self._pairs}
        if row[tables.WRITTEN]:
            body.update(self.written(row))
        body[CREATED_AT] = row[tables.CREATED]
        body[UPDATED_AT] = row[tables.UPDATED]
        return body

    def document(self, row: store.Row) -> bytes:
        """The body as JSON: the answer of the API and the journal's `new` are these bytes."""
        return codec.encode(self.body(row))

    def roles(self, row: store.Row) -> dict[types.Role, store.Value]:
        """The values of the attributes that play roles."""
        return {role: row[column] for role, column in self._roles}
