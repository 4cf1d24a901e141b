"""Attributes that went and come again: their columns, with what was stored, are still there.

In: both models and the columns that tables have. Out: the old model with such attributes, without limits, so that
what is left is judged and converted like any stored value; and the tables in which something is left that nobody can
judge, whose objects are copied without it. Pure; called by `survey`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from gluon.evolve import values
from gluon.model.types import Attribute, AttributeType, Model, ObjectType, Role
from gluon.particles import tables as particles
from gluon.spi import tables

Columns = Mapping[str, tuple[tables.ColumnType | None, int | None]]
"""By name: the type and, of texts that have one, the length."""

_LONG = 65_000
"""Characters of a text whose column has no length."""

_TEXTS = frozenset({AttributeType.STRING, AttributeType.ENUM, AttributeType.UUID})
_KINDS = {
    AttributeType.INTEGER: tables.ColumnType.INTEGER,
    AttributeType.NUMBER: tables.ColumnType.NUMBER,
    AttributeType.BOOLEAN: tables.ColumnType.BOOLEAN,
}


def returning(old: Model, new: Model, there: Mapping[str, Columns]) -> tuple[Model, frozenset[str]]:
    """`there`: the columns of each table of the old model."""
    types = dict(old.types)
    rigid: set[str] = set()
    for name, kind in old.types.items():
        if name not in new.types:
            continue
        table = particles.table_of(old, kind)
        found = _left(kind, new.types[name], there.get(table, {}))
        if None in found.values():
            rigid.add(table)
        back = {n: a for n, a in found.items() if a is not None}
        if back:
            types[name] = replace(kind, attributes={**kind.attributes, **back})
    return (replace(old, types=types) if types != old.types else old), frozenset(rigid)


def _left(old: ObjectType, new: ObjectType, there: Columns) -> dict[str, Attribute | None]:
    """Attributes that are new and have a column; None: nobody can judge what is in it."""
    known = {particles.column_name(a) for a in old.attributes.values()}
    found = {}
    for attribute in new.attributes.values():
        column = particles.column_name(attribute)
        fresh = values.source(old.attributes, attribute) is None and attribute.role is not Role.PROJECT
        if fresh and column in there and column not in known:
            found[attribute.name] = _judged(attribute, *there[column])
    return found


def _judged(attribute: Attribute, kind: tables.ColumnType | None, length: int | None) -> Attribute | None:
    """The attribute as it may have been: of the type of its column, and without a limit."""
    if attribute.reference or attribute.pool:
        return None
    type_ = attribute.value_type
    if type_ in _TEXTS and kind in {tables.ColumnType.TEXT, tables.ColumnType.DOCUMENT}:
        type_, length = AttributeType.STRING, length or _LONG
    elif kind is None or _KINDS.get(type_) is not kind:
        return None
    else:
        length = None
    return Attribute(
        name=attribute.name, type=type_, value_type=type_, length=length, description="left from before",
        kept=attribute.kept, secret=attribute.secret,
    )  # fmt: skip
