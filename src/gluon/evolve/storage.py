"""Where objects are stored: does the table of a type take those of the new model as it is?

In: both models. Out: how the old table falls short of the new one. The store can add columns and indexes, and
widen texts, where it is; for anything else a new table is filled. Pure; called by `diff` and `plan`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from gluon.evolve import attributes, values
from gluon.evolve.changes import Change, Impact
from gluon.model.types import Attribute, AttributeType, Model, ObjectType
from gluon.particles import tables as particles
from gluon.spi import tables

_REBUILT = "the column is rebuilt"


def shortfalls(old: tables.Table, new: tables.Table) -> dict[str, str]:
    """Column of the new table (or the old one's, where it is gone) to what stands in the way."""
    found: dict[str, str] = {}
    there = {c.name: c for c in old.columns}
    for column in new.columns:
        was = there.pop(column.name, None)
        if was is None:
            if not column.nullable and column.default is None:
                found[column.name] = "new, and never null"
        elif was.type is not column.type:
            found[column.name] = f"{was.type.value} becomes {column.type.value}"
        elif was.nullable != column.nullable:
            found[column.name] = "may be null" if column.nullable else "may not be null"
        elif column.type is tables.ColumnType.TEXT and column.length < was.length:
            found[column.name] = "shorter"
    found.update({name: "gone, and never null" for name, was in there.items() if not was.nullable})
    if old.key != new.key:
        found[new.key[0]] = "another key"
    before = {f.column for f in old.foreign}
    after = {f.column for f in new.foreign}
    stored = {c.name for c in old.columns}
    found.update(dict.fromkeys(sorted((before ^ after) & stored), "another reference"))
    return found


def moved(old: ObjectType, new: ObjectType) -> frozenset[str]:
    """Columns of the new table whose values come from elsewhere, or in another form."""
    found = set()
    for attribute in new.attributes.values():
        before = values.source(old.attributes, attribute)
        if before is None:
            continue
        was = old.attributes[before]
        same = particles.column_name(was) == particles.column_name(attribute)
        shape = was.type is attribute.type and was.value_type is attribute.value_type
        form = was.value_format is attribute.value_format or attribute.value_format is None
        integer = was.value_type is AttributeType.INTEGER
        if not (same and shape and (form or integer) and was.kept == attribute.kept) or _rewritten(
            was, attribute
        ):
            found.add(particles.column_name(attribute))
    return frozenset(found)


def _rewritten(old: Attribute, new: Attribute) -> bool:
    """Whether what is nested in stored documents changes its form."""
    below = (c for c in attributes.changes(old, new, "", "") if c.attribute)
    return any(c.impact in {Impact.MIGRATION, Impact.REFUSED} for c in below)


def judged(
    old_model: Model, new_model: Model, old: ObjectType, new: ObjectType, found: Sequence[Change]
) -> Iterator[Change]:
    """`found` with what the table cannot take as it is made a migration."""
    short = shortfalls(particles.table(old_model, old), particles.table(new_model, new))
    by_attribute = {
        a.name: particles.column_name(a) for a in (*old.attributes.values(), *new.attributes.values())
    }
    for change in found:
        top = change.attribute.replace("[", ".").split(".", 1)[0]
        column = by_attribute.get(top, "")
        if column in short and change.impact is Impact.COMPATIBLE and not _harmless(change):
            yield replace(change, impact=Impact.MIGRATION, reason=f"{change.reason}; {_REBUILT}")
        else:
            yield change


def _harmless(change: Change) -> bool:
    """Words and behaviour: never why a column is rebuilt."""
    return change.aspect in {
        "description", "example", "renamed_from", "immutable", "read_only", "on_delete", "listed_as", "indexed",
    }  # fmt: skip
