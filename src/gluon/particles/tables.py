"""Model to tables: one table an object type, one column an attribute.

Beside the attributes' columns every table has `_project` (which *is* the attribute of role
project, where there is one), `_revision` (of the last intent), `_created`, `_updated` (UTC text) and
`_written`: JSON of the attributes that were written in another form than the normal one that the
column holds ("kept as written, compared normalised"). Lists, maps and objects are JSON text; each kind of reference
in them has a *link table* of owner and target, so that referrers are found by an index.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from typing import Any

from gluon.model import acceptors, types, widths
from gluon.objects import codec
from gluon.spi import tables

PROJECT = "_project"
REVISION = "_revision"
WRITTEN = "_written"
CREATED = "_created"
UPDATED = "_updated"

OWNER = "owner"
TARGET = "target"
"""The columns of a link table: keys of who refers and of what is referred to."""

TIME_LENGTH = 26
"""Characters of `2026-01-31T23:59:59.000001`."""

_KEPT = 100
"""Services that are known from batch to batch: what binds ports to them looks at each."""
_LONGEST_NAME = 56
_INDEXED_LENGTH = 255
LONGEST_TEXT = _INDEXED_LENGTH * 16
"""Characters of a text; one that may have more is a document."""

_TYPES = {
    types.AttributeType.STRING: tables.ColumnType.TEXT,
    types.AttributeType.ENUM: tables.ColumnType.TEXT,
    types.AttributeType.UUID: tables.ColumnType.TEXT,
    types.AttributeType.INTEGER: tables.ColumnType.INTEGER,
    types.AttributeType.NUMBER: tables.ColumnType.NUMBER,
    types.AttributeType.BOOLEAN: tables.ColumnType.BOOLEAN,
    types.AttributeType.LIST: tables.ColumnType.DOCUMENT,
    types.AttributeType.MAP: tables.ColumnType.DOCUMENT,
    types.AttributeType.OBJECT: tables.ColumnType.DOCUMENT,
}

_TEXTS = frozenset({types.AttributeType.STRING, types.AttributeType.ENUM, types.AttributeType.UUID})
_FREE_LENGTH = frozenset({types.Role.PROFILE, types.Role.VIF_DETAILS})


def table_name(api: str, object_type: str) -> str:
    """The SQL table of an object type: the name as read, shortened by a digest where it is long."""
    name = f"{re.sub(r'[^a-z0-9]', '_', api.lower())}_{object_type}"
    if len(name) <= _LONGEST_NAME and re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", api):
        return name
    return _marked(name, f"{api}/{object_type}")


def table_of(model: types.Model, object_type: types.ObjectType) -> str:
    """The SQL table that holds the objects of a type: the one of its name, unless the database says another."""
    return object_type.table or table_name(model.name, object_type.name)


def link_table_name(model: types.Model, object_type: types.ObjectType, link: types.Link) -> str:
    """The SQL table of the references at one path of an object type."""
    path = "_".join(part for part in link.path if part != "*")
    full = f"{object_type.table or f'{model.name}/{object_type.name}'}/{'/'.join(link.path)}"
    return _marked(f"{table_of(model, object_type)}__{path}", full)


def next_table(model: types.Model, object_type: types.ObjectType, mark: str) -> str:
    """A table of another name for the same objects; `mark` tells it from those before."""
    return _marked(table_name(model.name, object_type.name), f"{model.name}/{object_type.name}/{mark}")


def _marked(name: str, full: str) -> str:
    mark = hashlib.blake2b(full.encode(), digest_size=4).hexdigest()
    return f"{name[: _LONGEST_NAME - 9]}_{mark}"


def column_name(attribute: types.Attribute) -> str:
    """The column that holds an attribute."""
    return PROJECT if attribute.role is types.Role.PROJECT else attribute.name


def unique_columns(object_type: types.ObjectType, unique: types.Unique) -> tuple[str, ...]:
    """The columns whose values no two rows share; per project: the project's column first."""
    columns = tuple(column_name(object_type.attributes[name]) for name in unique.attributes)
    if unique.scope is types.Scope.PROJECT and PROJECT not in columns:
        return (PROJECT, *columns)
    return columns


def _column(object_type: types.ObjectType, attribute: types.Attribute) -> tables.Column:
    kind = _TYPES[attribute.value_type]
    if attribute.role in _FREE_LENGTH or (attribute.length or 0) > LONGEST_TEXT:
        kind = tables.ColumnType.DOCUMENT
    return tables.Column(
        name=column_name(attribute),
        type=kind,
        length=widths.length(attribute) if attribute.value_type in _TEXTS else _INDEXED_LENGTH,
        nullable=_nullable(object_type, attribute),
        default=stored_form(_default(attribute)),
    )


def stored_form(value: Any) -> str | int | float | bool | None:
    """A value as its column holds it: lists, maps and objects as JSON."""
    return codec.encode(value).decode() if isinstance(value, (list, tuple, Mapping)) else value


def _default(attribute: types.Attribute) -> Any:
    """The normal form of the default."""
    return None if attribute.default is None else acceptors.acceptor(attribute)(attribute.default)


def _nullable(object_type: types.ObjectType, attribute: types.Attribute) -> bool:
    """Whether rows may hold null: 1.0 says `required` and means that, 2.0 says each on its own."""
    if attribute.name == object_type.key:
        return False
    return not attribute.required if attribute.kept else attribute.nullable


def table(model: types.Model, object_type: types.ObjectType) -> tables.Table:
    """The table of one object type, with keys, indexes and references."""
    columns = [_column(object_type, a) for a in object_type.attributes.values()]
    if object_type.role(types.Role.PROJECT) is None:
        columns.append(tables.Column(name=PROJECT, type=tables.ColumnType.TEXT, length=64))
    columns += [
        tables.Column(name=REVISION, type=tables.ColumnType.INTEGER, nullable=False),
        tables.Column(name=WRITTEN, type=tables.ColumnType.DOCUMENT),
        tables.Column(name=CREATED, type=tables.ColumnType.TEXT, length=TIME_LENGTH, nullable=False),
        tables.Column(name=UPDATED, type=tables.ColumnType.TEXT, length=TIME_LENGTH, nullable=False),
    ]
    references = object_type.references
    unique = tuple(unique_columns(object_type, u) for u in object_type.unique)
    key = (column_name(object_type.attributes[object_type.key]),)
    asked = [group for group in _asked(model, object_type, key) if group[:1] not in unique]
    indexed = {(column_name(a),) for a in references if a.name != object_type.key}
    begun = {group[:1] for group in (*unique, *asked)}
    indexes = [*sorted(indexed - begun), (PROJECT, *key), *asked]
    return tables.Table(
        name=table_of(model, object_type),
        columns=tuple(columns),
        key=key,
        kept=_KEPT if object_type.kind is types.Kind.SERVICE else 0,
        unique=unique,
        indexes=tuple(indexes),
        foreign=tuple(
            tables.ForeignKey(column=column_name(a), table=table_of(model, model.types[a.reference or ""]))
            for a in references
        ),
    )


def _asked(model: types.Model, object_type: types.ObjectType, key: tuple[str, ...]) -> list[tuple[str, ...]]:
    """What lists are asked for: names, and what the model says. Lists of 1.0 cannot be asked for anything."""
    if model.file_version == "1.0":
        return []
    name = object_type.role(types.Role.NAME)
    others = [a for a in object_type.attributes.values() if a.name != object_type.key]
    asked = [a for a in others if (a.indexed or a.name == name) and not a.secret]
    return [(column_name(a), *key) for a in asked if _fits(a) and column_name(a) != PROJECT]


def _fits(attribute: types.Attribute) -> bool:
    if attribute.value_type in _TEXTS:
        return attribute.role not in _FREE_LENGTH and widths.length(attribute) <= _INDEXED_LENGTH
    return attribute.type not in types.NESTED


def link_table(model: types.Model, object_type: types.ObjectType, link: types.Link) -> tables.Table:
    """Who refers to what at one path; no row twice, however often the value names the target."""
    target = model.types[link.target]
    owner = _column(object_type, object_type.attributes[object_type.key])
    other = _column(target, target.attributes[target.key])
    return tables.Table(
        name=link_table_name(model, object_type, link),
        columns=tuple(
            tables.Column(name=name, type=c.type, length=c.length, nullable=False)
            for name, c in ((OWNER, owner), (TARGET, other))
        ),
        key=(OWNER, TARGET),
        indexes=((TARGET,),),
        foreign=(
            tables.ForeignKey(column=OWNER, table=table_of(model, object_type)),
            tables.ForeignKey(column=TARGET, table=table_of(model, target)),
        ),
    )


def tables_of(models: Iterable[types.Model]) -> tuple[tables.Table, ...]:
    """All tables of all models. Raises `ValueError` if two object types would share one."""
    found: dict[str, tables.Table] = {}
    for model in models:
        for object_type in model.types.values():
            links = (link_table(model, object_type, link) for link in object_type.links)
            for made in (table(model, object_type), *links):
                if made.name in found:
                    raise ValueError(
                        f"{model.name}: {object_type.name} needs table {made.name}, which another type has"
                    )
                found[made.name] = made
    return tuple(found.values())
