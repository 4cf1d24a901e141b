"""The row of an object under the new model, made of the one under the old.

In: both types and a row as the old table holds it. Out: the new row with its link rows, or what is wrong
with the object, in words. What no change touches is carried over as it is stored. Pure; called by `runner`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from gluon import errors
from gluon.evolve import attributes, storage, values
from gluon.model import fields
from gluon.model.types import Model, ObjectType
from gluon.objects import codec
from gluon.particles import links, records, tables
from gluon.spi import store

_OWN = (tables.REVISION, tables.CREATED, tables.UPDATED)


@dataclass(frozen=True, slots=True)
class Made:
    """The new form of one object: its row, and by link table the keys that it refers to."""

    row: store.Row
    links: Mapping[str, tuple[Any, ...]]


class Unfit(Exception):
    """An object has no form under the new model. The message names attribute, value and rule."""


class Converter:
    """For one object type."""

    def __init__(self, old_model: Model, new_model: Model, old: ObjectType, new: ObjectType) -> None:
        self.old = records.Records(old_model, old)
        self.new = records.Records(new_model, new)
        self.old_table = tables.table(old_model, old)
        self.new_table = tables.table(new_model, new)
        self.link_tables = tuple(tables.link_table(new_model, new, link) for link in new.links)
        self._links = tuple(zip((t.name for t in self.link_tables), new.links, strict=True))
        self._fields = fields.compile_fields(new)
        self._defaults = {n: a.default for n, a in new.attributes.items() if a.default is not None}
        moved = storage.moved(old, new)
        self._carried: list[tuple[str, str]] = []
        self._checked: list[tuple[str, str, values.Convert, bool]] = []
        self._names: dict[str, str] = {}
        for attribute in new.attributes.values():
            before = values.source(old.attributes, attribute)
            if before is None:
                continue
            was = old.attributes[before]
            self._names[before] = attribute.name
            if tables.column_name(attribute) not in moved and _as_wide(was, attribute):
                self._carried.append((tables.column_name(was), tables.column_name(attribute)))
            else:
                way = values.converter(was, attribute) or values.same
                same = tables.column_name(attribute) not in moved
                self._checked.append((before, attribute.name, way, same))
        self._retyped = {n for _, n, _, same in self._checked if not same}

    def make(self, row: store.Row) -> Made:
        """Raises `Unfit`."""
        given = self.old.values_of(row)
        made: dict[str, Any] = dict(self._defaults)
        wrong: list[str] = []
        for before, name, way, _ in self._checked:
            try:
                made[name] = self._value(name, given[before], way)
            except Unfit as unfit:
                wrong.append(str(unfit))
        if wrong:
            raise Unfit("; ".join(wrong))
        new = self.new.row(
            made, self._written(row), revision=0, now="", project=_text(row.get(tables.PROJECT))
        )
        for source, column in self._carried:
            new[column] = row[source]
        for column in _OWN:
            new[column] = row[column]
        decoded = self.new.values_of(new)
        found = {
            table: tuple(dict.fromkeys(key for _, key in links.targets(link, decoded[link.top])))
            for table, link in self._links
        }
        return Made(new, found)

    def _value(self, name: str, value: Any, way: Callable[[Any], Any]) -> Any:
        try:
            raw = None if value is None else way(value)
            if raw is None:
                raw = self._defaults.get(name) if self._fields[name].required else None
            return self._fields.normal(name, raw)
        except values.Unfit as unfit:
            raise Unfit(f"{name}: '{_short(value)}' {unfit}") from unfit
        except errors.Invalid as invalid:
            raise Unfit("; ".join(p.message for p in invalid.problems)) from invalid

    def _written(self, row: store.Row) -> dict[str, Any]:
        """What clients wrote in another form: under the new names, and only where the form may stay."""
        if not row[tables.WRITTEN]:
            return {}
        return {
            self._names[name]: text
            for name, text in self.old.written(row).items()
            if name in self._names
            and self._names[name] not in self._retyped
            and self.new.object_type.attributes[self._names[name]].kept
        }


def _as_wide(old: Any, new: Any) -> bool:
    """Whether nothing about the new attribute could refuse a value of the old one."""
    return not any(
        change.impact.value != "compatible"
        for change in attributes.changes(old, new, "", "")
        if change.aspect != "renamed"
    )


def _short(value: Any) -> str:
    text = codec.encode(value).decode() if isinstance(value, (dict, list)) else str(value)
    return text if len(text) <= 60 else f"{text[:59]}…"


def _text(value: store.Value) -> str | None:
    return None if value is None else str(value)
