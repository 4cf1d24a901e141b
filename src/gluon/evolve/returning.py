"""Attributes that went and come again: their columns, with what was stored, are still there.

In: both models, the columns that tables have, and how long the texts in them are. Out: the old model with such
attributes, without limits, so that what is left is judged and converted like any stored value; and the tables in which
something is left that nobody can judge, whose objects are copied without it. Pure; called by `survey`.
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

_SAID = "left from before"

Longest = Mapping[str, int | None]
"""By name: characters of the longest text that is left; None: no object has any."""

_TEXTS = frozenset({AttributeType.STRING, AttributeType.ENUM, AttributeType.UUID})
_KINDS = {
    AttributeType.INTEGER: tables.ColumnType.INTEGER,
    AttributeType.NUMBER: tables.ColumnType.NUMBER,
    AttributeType.BOOLEAN: tables.ColumnType.BOOLEAN,
}


def asked(old: Model, new: Model, there: Mapping[str, Columns]) -> dict[str, list[str]]:
    """By table the columns of which `returning` wants to know the longest text."""
    found: dict[str, list[str]] = {}
    for name, kind in old.types.items():
        table = particles.table_of(old, kind)
        if name in new.types:
            left = _left(kind, new.types[name], there.get(table, {}))
            texts = [particles.column_name(a) for a, type_, _ in left if _as_text(a, type_)]
            if texts:
                found[table] = texts
    return found


def returning(
    old: Model, new: Model, there: Mapping[str, Columns], longest: Mapping[str, Longest]
) -> tuple[Model, frozenset[str]]:
    """`there`: the columns of each table of the old model; `longest`: what was `asked` of them."""
    types = dict(old.types)
    rigid: set[str] = set()
    for name, kind in old.types.items():
        if name not in new.types:
            continue
        table = particles.table_of(old, kind)
        known = longest.get(table, {})
        left = _left(kind, new.types[name], there.get(table, {}))
        found = {a.name: _judged(a, type_, n, known.get(particles.column_name(a))) for a, type_, n in left}
        if None in found.values():
            rigid.add(table)
        back = {n: a for n, a in found.items() if a is not None}
        if back:
            types[name] = replace(kind, attributes={**kind.attributes, **back})
    return (replace(old, types=types) if types != old.types else old), frozenset(rigid)


def _left(
    old: ObjectType, new: ObjectType, there: Columns
) -> list[tuple[Attribute, tables.ColumnType | None, int | None]]:
    """Attributes that are new and have a column, with its type and length."""
    known = {particles.column_name(a) for a in old.attributes.values()}
    found = []
    for attribute in new.attributes.values():
        column = particles.column_name(attribute)
        fresh = values.source(old.attributes, attribute) is None and attribute.role is not Role.PROJECT
        if fresh and column in there and column not in known:
            found.append((attribute, *there[column]))
    return found


def _as_text(attribute: Attribute, kind: tables.ColumnType | None) -> bool:
    """Whether it is a text, in a column of texts."""
    texts = {tables.ColumnType.TEXT, tables.ColumnType.DOCUMENT}
    single = not (attribute.reference or attribute.pool)
    return single and attribute.value_type in _TEXTS and kind in texts


def _judged(
    attribute: Attribute, kind: tables.ColumnType | None, length: int | None, longest: int | None
) -> Attribute | None:
    """The attribute as it may have been: of the type of its column, and with no limit but what is there.

    None: nobody can judge what is in it.
    """
    type_ = attribute.value_type
    if _as_text(attribute, kind):
        least = particles.LONGEST_TEXT + 1 if kind is tables.ColumnType.DOCUMENT else 1
        if longest is None:
            return replace(
                attribute, length=length or max(attribute.length or 0, least), required=False, nullable=True,
                default=None, renamed_from=None, description=_SAID,
            )  # fmt: skip
        type_, length = AttributeType.STRING, length or max(longest, least)
    elif attribute.reference or attribute.pool or kind is None or _KINDS.get(type_) is not kind:
        return None
    else:
        length = None
    return Attribute(
        name=attribute.name, type=type_, value_type=type_, length=length, description=_SAID,
        kept=attribute.kept, secret=attribute.secret,
    )  # fmt: skip
