"""References compiled: both ends by table and column, for attributes and for what is inside of values.

In: the types of a model and their rows' forms. Out: `Reference`s, which find the object referred to and the
referrers, and take a reference out of a row. Made by `registry`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gluon.model import types
from gluon.objects import codec
from gluon.particles import links, records, tables
from gluon.spi import store


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """An attribute of one type that refers to another; with `link`, a place inside of its value."""

    attribute: str
    column: str
    owner: str
    owner_table: str
    owner_key: str
    target: str
    target_table: str
    target_key: str
    on_delete: types.OnDelete
    listed_as: str | None = None
    link: types.Link | None = None
    link_table: str = ""

    @property
    def name(self) -> str:
        """For people: `service_id`, `hosts[]`, `routes[].next_hop`."""
        if self.link is None:
            return self.attribute
        return ".".join(self.link.path).replace(".*", "[]")

    def target_of(self, value: store.Value) -> store.Lookup:
        """The look-up of the object referred to."""
        return store.Lookup(self.target_table, (self.target_key,), (value,))

    def referrers_of(self, key: store.Value) -> store.Lookup:
        """The look-up that leads to the objects that refer to `key`."""
        if self.link is not None:
            return store.Lookup(self.link_table, (tables.TARGET,), (key,))
        return store.Lookup(self.owner_table, (self.column,), (key,))

    def rows(self, view: store.View, key: store.Value) -> Sequence[store.Row]:
        """The rows of the objects that refer to `key`."""
        if self.link is None:
            return view.rows(self.owner_table, (self.column,), (key,))
        owners = [row[tables.OWNER] for row in view.rows(self.link_table, (tables.TARGET,), (key,))]
        view.prefetch([store.Lookup(self.owner_table, (self.owner_key,), (o,)) for o in owners])
        found = (view.get(self.owner_table, owner) for owner in owners)
        return [row for row in found if row is not None]

    def keys(self, value: Any) -> Iterator[tuple[str, Any]]:
        """Each key that an attribute's plain value refers to, and a JSON pointer to it."""
        if self.link is not None:
            yield from links.targets(self.link, value)
        elif value is not None:
            yield f"/{self.attribute}", value

    def held(self, row: store.Row) -> Iterator[tuple[str, Any]]:
        """The same for a row."""
        return self.keys(plain(row[self.column]) if self.link is not None else row[self.column])

    def emptied(self, row: store.Row, gone: Collection[Any]) -> store.Row:
        """The row without references to `gone`."""
        if self.link is None:
            return {**row, self.column: None}
        value = links.without(self.link, plain(row[self.column]), gone)
        return {**row, self.column: None if value is None else codec.encode(value).decode()}


def plain(text: store.Value) -> Any:
    """The value of a list, map or object as its column holds it."""
    return codec.decode(str(text)) if text is not None else None


def of_type(
    model: types.Model, object_type: types.ObjectType, made: Mapping[str, records.Records]
) -> list[Reference]:
    """All references of one type, those of attributes first."""
    places: list[tuple[str, types.Attribute, types.Link | None]] = [
        *((a.name, a, None) for a in object_type.references),
        *((link.top, link.attribute, link) for link in object_type.links),
    ]
    return [_reference(model, object_type, made, *place) for place in places]


def _reference(
    model: types.Model,
    object_type: types.ObjectType,
    made: Mapping[str, records.Records],
    name: str,
    attribute: types.Attribute,
    link: types.Link | None,
) -> Reference:
    owner, target = made[object_type.name], made[attribute.reference or ""]
    return Reference(
        attribute=name,
        column=owner.column(name),
        owner=object_type.name,
        owner_table=owner.table,
        owner_key=owner.key_column,
        target=target.object_type.name,
        target_table=target.table,
        target_key=target.key_column,
        on_delete=attribute.on_delete,
        listed_as=attribute.listed_as,
        link=link,
        link_table=tables.link_table_name(model, object_type, link) if link else "",
    )
