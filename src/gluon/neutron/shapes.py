"""What the objects of each proton are to Neutron: compiled once from the models, then only read.

In: a registry. Out: a `Wire` for each port type (how a port, its interface, its service bindings and services hang
together) and a `Net` for each service type (which attributes say what of a network). Names come from roles, from the
model's `neutron:` block, and where it has none from those of the base pattern.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec

from gluon import errors
from gluon.model.types import AttributeType, Format, Kind, ObjectType, Role
from gluon.particles import tables
from gluon.proton import registry, supplies
from gluon.spi import store

_RETIRED = 5.0
"""Seconds that a type counts as retired before it is looked for again."""
_ADDRESSES = ("ip_address", "ipaddress", "address")
_MORE = "more_addresses"
_PREFIX = "subnet_prefix"
_GATEWAY = "gateway"
_IPS = frozenset({Format.IP, Format.IPV4, Format.IPV6})
_SUBNETS = ("subnets", "gateway", "dns")
_KEYS = ("name", "mtu", "subnets", "gateway", "dns", "port_security")


class Net(msgspec.Struct, frozen=True, eq=False):
    """A service type as a network: paths of attributes, empty where nothing says it."""

    resource: registry.Resource
    paths: Mapping[str, tuple[tuple[str, ...], ...]]
    heads: tuple[str, ...]
    """Columns that subnets are made of."""

    @property
    def has_subnets(self) -> bool:
        """The service says its prefixes; else its bindings do."""
        return bool(self.paths["subnets"])


class Join(msgspec.Struct, frozen=True, eq=False):
    """A type of service bindings: attributes of it that name the interface, the service, and what it has there."""

    resource: registry.Resource
    interface: str
    service: str
    net: Net
    address: str | None
    pooled: bool
    more: str | None
    each: supplies.Draws | None
    """How a new one has an address of each family; None: it has room for one."""
    prefix: str | None
    gateway: str | None
    columns: tuple[str, ...]
    """All of its table."""
    along: store.Along
    """All of them, and what the service says of its subnets."""

    def column(self, name: str) -> str:
        return self.resource.records.column(name)


class Wire(msgspec.Struct, frozen=True, eq=False):
    """A port type. `joins`: what can bind its default interface."""

    resource: registry.Resource
    joins: tuple[Join, ...]
    columns: tuple[str, ...]
    """All of its table."""
    wanted: store.Wanted
    """What is read of it: `columns`; the port of the interface that was made with it, if that is still there; what binds it
    by the first of `joins`."""
    roles: Mapping[Role, str]
    """Columns of the attributes that play roles."""
    admin_state: str | None
    """The attribute that says whether it is to forward traffic, as the base pattern calls it."""
    description: str | None
    """Its column."""

    def attribute(self, role: Role) -> str | None:
        return self.resource.type.role(role)


class Shapes(msgspec.Struct, frozen=True, eq=False):
    wires: Mapping[tuple[str, str], Wire]
    """By proton and object type."""
    nets: Mapping[tuple[str, str], Net]
    """Those that ports can be in."""
    feeders: Mapping[tuple[str, str], tuple[tuple[Wire, Join], ...]]
    """By service type: the joins that lead to it."""
    types: frozenset[tuple[str, str]]
    """Of all ports and services."""

    def of_api(self, api: str) -> Sequence[Wire]:
        return [wire for (name, _), wire in self.wires.items() if name == api]


class Known:
    """The shapes of the models as they are now."""

    def __init__(self, known: Callable[[], registry.Registry]) -> None:
        self._known = known
        self._paths: object = None
        self._shapes = Shapes({}, {}, {}, frozenset())
        self._looked: dict[tuple[str, str], float] = {}

    def check(self, names: Iterable[tuple[str, str]]) -> None:
        """Raises `StaleModel` for types of rows that no model here has: another process may have loaded it just now. What is
        still not there when it is asked for again was retired, and nobody sees it."""
        shown, now = self(), time.monotonic()
        strange = [n for n in names if n not in shown.types]
        fresh = [n for n in strange if self._looked.get(n, 0.0) <= now]
        for name in fresh:
            self._looked[name] = now + _RETIRED
        if fresh:
            raise errors.StaleModel("there are ports of models that this process does not know yet")

    def __call__(self) -> Shapes:
        found = self._known()
        if found.by_path is not self._paths:
            self._shapes, self._paths = compiled(found), found.by_path
        return self._shapes


def compiled(known: registry.Registry) -> Shapes:
    nets = {name: _net(r) for name, r in known.by_name.items() if r.is_service}
    wires = {name: _wire(r, nets) for name, r in known.by_name.items() if r.is_port}
    feeders: dict[tuple[str, str], list[tuple[Wire, Join]]] = {}
    for wire in wires.values():
        for join in wire.joins:
            feeders.setdefault((join.net.resource.api, join.net.resource.name), []).append((wire, join))
    joined = {name: net for name, net in nets.items() if name in feeders}
    found = {name: tuple(some) for name, some in feeders.items()}
    return Shapes(wires, joined, found, frozenset((*wires, *nets)))


def _net(resource: registry.Resource) -> Net:
    said = resource.type.neutron
    usual = {"name": resource.type.role(Role.NAME)}
    if "mtu" in resource.type.attributes:
        usual["mtu"] = "mtu"
    paths: dict[str, tuple[tuple[str, ...], ...]] = {}
    for key in _KEYS:
        given = said.get(key) or usual.get(key) or ()
        texts = (given,) if isinstance(given, str) else tuple(given)
        paths[key] = tuple(tuple(text.split(".")) for text in texts)
    firsts = [path[0] for key in _SUBNETS for path in paths[key]] if paths["subnets"] else []
    return Net(resource, paths, tuple(resource.records.column(one) for one in dict.fromkeys(firsts)))


def _wire(port: registry.Resource, nets: Mapping[tuple[str, str], Net]) -> Wire:
    interface = port.default_interface
    carrier = interface.type.role(Role.PORT) if interface is not None else None
    columns = _columns(port)
    joins: list[Join] = []
    wanted: store.Wanted = columns
    if interface is not None and carrier is not None:
        for r in port.family.values():
            if r.type.kind is Kind.BINDING and _leads_to(r.type, Role.INTERFACE) == interface.name:
                joins += [join] if (join := _join(r, nets)) is not None else []
        records = interface.records
        there = store.Beside(
            table=interface.table, key=records.key_column, column=records.column(carrier), missing=""
        )
        wanted = (*columns, there, *(join.along for join in joins[:1]))
    state = port.type.attributes.get("admin_state_up")
    return Wire(
        resource=port,
        joins=tuple(joins),
        columns=columns,
        wanted=wanted,
        roles={role: port.records.column(name) for role, name in port.type.roles.items()},
        admin_state=state.name if state is not None and state.value_type is AttributeType.BOOLEAN else None,
        description=port.records.columns.get("description"),
    )


def _beside(binding: registry.Resource, service: str, net: Net) -> tuple[store.Beside, ...]:
    """The columns of a binding's service that subnets are made of; they hold texts."""
    return tuple(
        store.Beside(
            table=net.resource.table,
            key=net.resource.records.key_column,
            column=head,
            missing="",
            of=binding.records.column(service),
        )
        for head in net.heads
    )


def _columns(resource: registry.Resource) -> tuple[str, ...]:
    own = (tables.PROJECT, tables.REVISION, tables.WRITTEN, tables.CREATED, tables.UPDATED)
    return tuple(dict.fromkeys((*resource.records.columns.values(), *own)))


def _leads_to(kind: ObjectType, role: Role) -> str | None:
    name = kind.role(role)
    return kind.attributes[name].reference if name else None


def _join(binding: registry.Resource, nets: Mapping[tuple[str, str], Net]) -> Join | None:
    kind = binding.type
    net = nets.get((binding.api, _leads_to(kind, Role.SERVICE) or ""))
    interface, service = kind.role(Role.INTERFACE), kind.role(Role.SERVICE)
    if net is None or interface is None or service is None:
        return None
    pooled = [n for n, a in kind.attributes.items() if a.pool and a.drawn and a.pool.through == service]
    address = next((n for n in (*pooled, *_ADDRESSES) if n in kind.attributes), None)

    def there(name: str, fits: Callable[[ObjectType], bool]) -> str | None:
        return name if name in kind.attributes and fits(kind) else None

    columns = _columns(binding)
    more = there(_MORE, lambda k: k.attributes[_MORE].type is AttributeType.LIST)
    has_room = (
        more is not None and address in pooled and kind.attributes[more].pool == kind.attributes[address].pool
    )
    return Join(
        columns=columns,
        along=store.Along(
            table=binding.table,
            column=binding.records.column(interface),
            columns=columns,
            beside=_beside(binding, service, net),
        ),
        resource=binding,
        interface=interface,
        service=service,
        net=net,
        address=address,
        pooled=address in pooled,
        more=more,
        each=supplies.Draws(first=address, others=more) if address is not None and has_room else None,
        prefix=there(_PREFIX, lambda k: k.attributes[_PREFIX].value_type is AttributeType.INTEGER),
        gateway=there(_GATEWAY, lambda k: k.attributes[_GATEWAY].value_format in _IPS),
    )
