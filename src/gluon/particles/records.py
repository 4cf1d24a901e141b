"""Rows and bodies: the two forms of an object, compiled once for each object type.

A *row* is what the table holds (normal forms; of lists, maps and objects their JSON text), a *body* what
users and shims see: every attribute in the model's order (1.0: as written), then `created_at` and
`updated_at`. Secrets stay in rows: bodies, and so journal and the objects in etcd, have null; `secrets` alone tells them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from itertools import starmap
from operator import itemgetter
from typing import Any, NamedTuple

import msgspec

from gluon.model import types
from gluon.objects import codec
from gluon.particles import tables
from gluon.spi import store

CREATED_AT = "created_at"
UPDATED_AT = "updated_at"
_written = itemgetter(-1)
"""Of a line of `Records.read`."""
_MOST_PARTS = 100
"""Sets of hidden attributes; of more, each is made anew."""


class Records:
    """Row and body of one object type."""

    __slots__ = (
        "_blank",
        "_form",
        "_names",
        "_parts",
        "_project",
        "_roles",
        "_secret",
        "_shape",
        "_take_body",
        "columns",
        "key",
        "key_column",
        "key_place",
        "nested",
        "object_type",
        "read",
        "table",
    )

    def __init__(self, model: types.Model, object_type: types.ObjectType) -> None:
        self.object_type = object_type
        self.table = tables.table_of(model, object_type)
        self.key = object_type.key
        self.key_column = tables.column_name(object_type.attributes[object_type.key])
        attributes = object_type.attributes
        columns = [tables.column_name(a) for a in attributes.values()]
        self.columns = dict(zip(attributes, columns, strict=True))
        self.nested = frozenset(a.name for a in attributes.values() if a.value_type in types.NESTED)
        self._secret = frozenset(a.name for a in attributes.values() if a.secret)
        # Places in a body whose value is not the column's own: JSON text to embed, secrets to leave out.
        self._shape = tuple(
            (n, name in self._secret)
            for n, name in enumerate(attributes)
            if name in self.nested or name in self._secret
        )
        self._names = (*attributes, CREATED_AT, UPDATED_AT)
        self._take_body = itemgetter(*columns, tables.CREATED, tables.UPDATED)
        self.read = (*columns, tables.CREATED, tables.UPDATED, tables.WRITTEN)
        self.key_place = self.read.index(self.key_column)
        self._form = _form(self._names)
        self._parts: dict[frozenset[str], _Part] = {}
        self._project = object_type.role(types.Role.PROJECT)
        self._blank: store.Row = dict.fromkeys((tables.PROJECT, *columns))
        self._roles = {role: self.column(name) for role, name in object_type.roles.items()}

    def column(self, attribute: str) -> str:
        """The column of an attribute."""
        return self.columns[attribute]

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
        row = {**self._blank, **values}
        if self.nested:
            for name in self.nested & values.keys():
                row[name] = _text(values[name])
        row[tables.PROJECT] = row.pop(self._project, None) if self._project else project
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
            new[self.columns[name]] = _text(value) if name in self.nested else value
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
        """The object as users and shims see it; nested values are JSON text that is embedded as it is."""
        body: dict[str, Any] = dict(zip(self._names, self._values(row), strict=True))
        if row[tables.WRITTEN]:
            body.update(self.written(row))
        return body

    def plain(self, row: store.Row) -> dict[str, Any]:
        """The body as plain data, for code that looks into its values."""
        body = self.body(row)
        for name in self.nested:
            if body[name] is not None:
                body[name] = codec.decode(bytes(body[name]))
        return body

    def document(self, row: store.Row, without: Collection[str] = ()) -> bytes:
        """The body as JSON: the answer of the API and the journal's `new` are these bytes. `without`: attributes left out."""
        if row[tables.WRITTEN]:
            return codec.encode({name: v for name, v in self.body(row).items() if name not in without})
        if not without:
            taken = self._take_body(row)
            return codec.encode(self._form(*(self._embedding(taken) if self._shape else taken)))
        part = self._parts.get(hidden := frozenset(without)) or self._part(hidden)
        taken = part.of_row(row) if part.of_row is not None else part.take(self._values(row))
        return codec.encode(part.form(*taken))

    def _part(self, without: frozenset[str]) -> _Part:
        """Made once for each set of attributes that rules hide from somebody."""
        shown = [n for n, name in enumerate(self._names) if name not in without]
        columns = (*self.columns.values(), tables.CREATED, tables.UPDATED)
        of_row = None if self._shape else itemgetter(*(columns[n] for n in shown))
        made = _Part(_form([self._names[n] for n in shown]), itemgetter(*shown), of_row)
        if len(self._parts) < _MOST_PARTS:
            self._parts[without] = made
        return made

    def documents(self, lines: Sequence[Sequence[store.Value]]) -> bytes:
        """Bodies as an array of JSON. A line has the values of `read`, which need not make a row."""
        if any(map(_written, lines)):
            rows = (dict(zip(self.read, line, strict=True)) for line in lines)
            return b"[%s]" % b",".join(map(self.document, rows))
        shown = map(self._embedding, lines) if self._shape else lines
        return codec.encode(list(starmap(self._form, shown)))

    def _values(self, row: store.Row) -> Sequence[Any]:
        """What a body shows, in its order; nested values are not decoded."""
        taken: Sequence[Any] = self._take_body(row)
        return self._embedding(taken) if self._shape else taken

    def _embedding(self, taken: Sequence[Any]) -> Sequence[Any]:
        """With JSON text for nested values, and null for secrets."""
        shown = list(taken)
        for n, secret in self._shape:
            if shown[n] is not None:
                shown[n] = None if secret else msgspec.Raw(str(shown[n]).encode())
        return shown

    def values_of(self, row: store.Row) -> Values:
        """The normal value of each attribute as plain data, secrets too."""
        return Values(row, self.columns, self.nested)

    def whole(self, row: store.Row) -> dict[str, Any]:
        """The plain body with its secrets, to make a new one of; it must not leave the process."""
        values = self.values_of(row)
        return {**self.plain(row), **{name: values[name] for name in self._secret}}

    @property
    def has_secrets(self) -> bool:
        return bool(self._secret)

    def secrets(self, row: store.Row) -> dict[str, Any]:
        """The secret attributes alone, in the model's order, for their key in etcd and nothing else."""
        return {
            name: msgspec.Raw(str(row[column]).encode())
            if name in self.nested and row[column] is not None
            else row[column]
            for name, column in self.columns.items()
            if name in self._secret
        }

    def roles(self, row: store.Row) -> Mapping[types.Role, store.Value]:
        """The values of the attributes that play roles."""
        return _Roles(self._roles, row)


class _Part(NamedTuple):
    """A body with fewer attributes: its Struct, and its values of those of a whole one, or of a row where nothing is embedded."""

    form: type[msgspec.Struct]
    take: Callable[[Sequence[Any]], Sequence[Any]]
    of_row: Callable[[store.Row], Sequence[Any]] | None


class _Roles(Mapping[types.Role, store.Value]):
    """A row by roles. Most are never asked for."""

    __slots__ = ("_columns", "_row")

    def __init__(self, columns: Mapping[types.Role, str], row: store.Row) -> None:
        self._columns, self._row = columns, row

    def get(self, role: types.Role, default: Any = None) -> Any:
        column = self._columns.get(role)
        return default if column is None else self._row[column]

    def __getitem__(self, role: types.Role) -> store.Value:
        return self._row[self._columns[role]]

    def __iter__(self) -> Iterator[types.Role]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)


class Values(Mapping[str, Any]):
    """A row by attribute: nested values are decoded when they are asked for, once."""

    __slots__ = ("_columns", "_decoded", "_nested", "_row")

    def __init__(self, row: store.Row, columns: Mapping[str, str], nested: frozenset[str]) -> None:
        self._row, self._columns, self._nested = row, columns, nested
        self._decoded: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        value = self._row[self._columns[name]]
        if name not in self._nested or value is None:
            return value
        if name not in self._decoded:
            self._decoded[name] = codec.decode(str(value))
        return self._decoded[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)


def _text(value: Any) -> str | None:
    """The JSON text of a nested value. Its normal form has one order of members, so equal values have equal texts."""
    return None if value is None else codec.encode(value).decode()


def _form(names: Sequence[str]) -> type[msgspec.Struct]:
    """A Struct with these members: it is filled and encoded in half the time that a dict takes. The last member takes
    what was written otherwise, and is not shown where that is nothing."""
    members = {f"member{n}": name for n, name in enumerate(names)}
    fields: list[tuple[str, Any] | tuple[str, Any, Any]] = [(m, Any) for m in members]
    fields.append(("written", Any, None))
    members["written"] = tables.WRITTEN
    return msgspec.defstruct("Body", fields, rename=members, gc=False, omit_defaults=True)
