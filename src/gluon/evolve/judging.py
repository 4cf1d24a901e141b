"""Stored objects judged by the rules that a new model brings.

In: an object in its new form, and a way to read those it refers to, in theirs. Out: the messages of the rules that
it breaks. Rules that say `on: write`, and those that held before of the same values, are not asked. Pure; called by
`work`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from gluon import expressions
from gluon.evolve import attributes, values, watching
from gluon.evolve.changes import Impact
from gluon.evolve.convert import Converter
from gluon.model import shapes
from gluon.model.types import Attribute, Link, Model, ObjectType
from gluon.particles import records
from gluon.spi import store

Get = Callable[[str, Any], store.Row | None]
"""The row of a table of the old model with this key, or None."""


class Rules:
    """The rules of one object type that are asked: new ones, and those that read what is converted."""

    def __init__(self, old: Model, new: Model, name: str) -> None:
        self._old, self._new, self._name = old, new, name
        known = {c.rule for c in old.types[name].checks if not c.write_only}
        roots = shapes.roots(new.types, name)
        compiled = [(c, expressions.rule(c.rule, roots)) for c in new.types[name].checks if not c.write_only]
        self._rules = [
            (check, holds)
            for check, holds in compiled
            if check.rule not in known or self._converted(holds.paths)
        ]
        paths = {path for _, holds in self._rules for path in holds.paths if path[0] == "self"}
        self.watches = watching.watches(old, new, name, paths)
        """What the rules read of other objects."""
        self._hidden = shapes.secret(new.types, name)
        self._converters: dict[str, Converter] = {}

    def _converted(self, paths: Iterable[tuple[str, ...]]) -> bool:
        """Whether a rule that held of the old values may not hold of the new ones. One that compares with the object
        before is about changes, and nobody changes anything here."""
        if any(path[0] == "old" for path in paths):
            return False
        return any(
            _altered(self._old.types.get(name), self._new.types[name].attributes[attribute])
            for path in paths
            if path[0] == "self"
            for name, attribute, _ in watching.read(self._new, self._name, path)
        )

    def __bool__(self) -> bool:
        return bool(self._rules)

    def key_column(self, table: str) -> str:
        """Of a table of the old model."""
        kinds = (records.Records(self._old, kind) for kind in self._old.types.values())
        return next(made.key_column for made in kinds if made.table == table)

    def broken(self, row: store.Row, get: Get) -> list[str]:
        """What the object of this row breaks. Raises what `get` raises, and `Unfit`."""
        made = records.Records(self._new, self._new.types[self._name])
        seen = {"self": self._values(self._name, made.values_of(row), get)}
        seen["old"] = seen["self"]
        found = []
        for check, holds in self._rules:
            if not holds(seen):
                why = holds.explain(seen, hidden=self._hidden)
                found.append(f"{check.message} ({check.rule}{f'; {why}' if why else ''})")
        return found

    def _values(self, name: str, stored: Mapping[str, Any], get: Get) -> dict[str, Any]:
        kind = self._new.types[name]
        found = dict(stored)
        for attribute in kind.references:
            key = stored[attribute.name]
            if key is not None:
                found[attribute.name] = expressions.Ref(key, self._fetch(attribute.reference or "", get))
        for link in kind.links:
            found[link.top] = self._linked(link, link.path[1:], found[link.top], get)
        return found

    def _linked(self, link: Link, path: tuple[str, ...], value: Any, get: Get) -> Any:
        """A nested value with references in place of the keys at `path`."""
        if value is None:
            return None
        if not path:
            return expressions.Ref(value, self._fetch(link.target, get))
        if path[0] != "*":
            return {**value, path[0]: self._linked(link, path[1:], value.get(path[0]), get)}
        if isinstance(value, dict):
            return {name: self._linked(link, path[1:], item, get) for name, item in value.items()}
        return [self._linked(link, path[1:], item, get) for item in value]

    def _fetch(self, name: str, get: Get) -> Callable[[Any], dict[str, Any] | None]:
        def fetch(key: Any) -> dict[str, Any] | None:
            converter = self._converter(name)
            if converter is None:  # a type that the old model had not: no object of it is stored
                return None
            row = get(converter.old.table, key)
            return (
                None
                if row is None
                else self._values(name, converter.new.values_of(converter.make(row).row), get)
            )

        return fetch

    def _converter(self, name: str) -> Converter | None:
        if name not in self._converters and name in self._old.types:
            types = self._old.types[name], self._new.types[name]
            self._converters[name] = Converter(self._old, self._new, *types)
        return self._converters.get(name)


def _altered(kind: ObjectType | None, attribute: Attribute) -> bool:
    """Whether stored values of an attribute become others."""
    before = values.source(kind.attributes, attribute) if kind is not None else None
    if kind is None or before is None:
        return False
    found = attributes.changes(kind.attributes[before], attribute, "", "")
    return any(change.impact is Impact.MIGRATION and change.aspect != "renamed" for change in found)
