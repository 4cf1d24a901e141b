"""The loaded models, compiled: a `Resource` for each object type, found by path or by name.

Immutable; loading other models makes another registry.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from gluon.model import fields, types
from gluon.particles import records, tables
from gluon.proton import defaults
from gluon.spi import store


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """An attribute of one type that refers to another: both ends by table and column."""

    attribute: str
    column: str
    owner: str
    owner_table: str
    owner_key: str
    target: str
    target_table: str
    target_key: str

    def target_of(self, value: store.Value) -> store.Lookup:
        """The look-up of the object referred to."""
        return store.Lookup(self.target_table, (self.target_key,), (value,))

    def referrers_of(self, key: store.Value) -> store.Lookup:
        """The look-up of the objects that refer to `key`."""
        return store.Lookup(self.owner_table, (self.column,), (key,))


@dataclass(slots=True, kw_only=True, eq=False)
class Resource:
    """One object type, ready to serve. Filled by `Registry`, then never changed."""

    model: types.Model
    type: types.ObjectType
    records: records.Records
    fields: fields.Fields
    api: str = field(init=False)
    name: str = field(init=False)
    table: str = field(init=False)
    is_port: bool = field(init=False)
    references: tuple[Reference, ...] = ()
    referrers: tuple[Reference, ...] = ()
    unique: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = ()
    """Each group as (attributes, columns)."""
    default_interface: Resource | None = None
    """For a port type: the type of the interface that is made with it."""
    fill_default: defaults.Filler | None = None
    """What fills that interface."""
    children: Mapping[str, Resource] = field(default_factory=dict)
    """By plural."""

    def __post_init__(self) -> None:
        self.api = self.model.name
        self.name = self.type.name
        self.table = self.records.table
        self.is_port = self.type.kind is types.Kind.PORT

    def lookup(self, key: store.Value) -> store.Lookup:
        """The look-up of the object with this key."""
        return store.Lookup(self.table, (self.records.key_column,), (key,))

    @property
    def legacy_name(self) -> str:
        """The name in the original's fault texts: `net_l3vpn_Port`."""
        return f"{self.api.replace('-', '_')}_{self.name}"

    @property
    def path(self) -> str:
        return f"/proton/{self.api}/v{self.model.version}/{self.type.plural}"


class Registry:
    """All resources of all loaded models."""

    def __init__(self, models: Sequence[types.Model]) -> None:
        self.models = tuple(models)
        self.by_name: dict[tuple[str, str], Resource] = {}
        self.by_path: dict[tuple[str, str], dict[str, Resource]] = {}
        for model in models:
            self._add(model)

    def _add(self, model: types.Model) -> None:
        made = {
            t.name: Resource(
                model=model, type=t, records=records.Records(model, t), fields=fields.compile_fields(t)
            )
            for t in model.types.values()
        }
        links = [link for t in model.types.values() for link in _references(made, t)]
        interfaces = [r for r in made.values() if r.type.kind is types.Kind.INTERFACE]
        for resource in made.values():
            kind = resource.type
            resource.references = tuple(k for k in links if k.owner == resource.name)
            resource.referrers = tuple(k for k in links if k.target == resource.name)
            resource.unique = tuple((u.attributes, tables.unique_columns(kind, u)) for u in kind.unique)
            resource.children = {r.type.plural: r for r in made.values() if r.type.parent == resource.name}
            if resource.is_port and interfaces and defaults.fits(interfaces[0].type):
                resource.default_interface = interfaces[0]
                resource.fill_default = defaults.filler(kind, interfaces[0].type)
            self.by_name[model.name, resource.name] = resource
        self.by_path[model.name, f"v{model.version}"] = {r.type.plural: r for r in made.values()}


def _references(made: Mapping[str, Resource], kind: types.ObjectType) -> list[Reference]:
    owner = made[kind.name]
    found = []
    for attribute in kind.references:
        target = made[attribute.reference or ""]
        found.append(
            Reference(
                attribute=attribute.name,
                column=tables.column_name(attribute),
                owner=owner.name,
                owner_table=owner.table,
                owner_key=owner.records.key_column,
                target=target.name,
                target_table=target.table,
                target_key=target.records.key_column,
            )
        )
    return found
