"""One new port in a network that is known, begun without reading anything: all of it is decided in its unit.

In: an asker and what a body says of a port. Out: a `NewPort`, a unit whose result is a `Made`; None where there is more to
do, which `writing` does: a network that nobody has asked for yet, addresses or a host that are named, a wrong body. Invariant: what is
kept here never changes (which service a network is), everything else is looked at in the unit as it is stored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from gluon import errors
from gluon.model.types import Role
from gluon.neutron import bodies, faults, finding, glance, shapes, shown, wishes
from gluon.neutron import ports as reads
from gluon.neutron.asker import Asker
from gluon.neutron.blame import Blamed
from gluon.proton import create, incoming, registry, units
from gluon.proton.ids import new_id
from gluon.spi import store

_MOST = 2000
"""Projects and networks of which it is kept how their bindings begin."""


class Way(msgspec.Struct, frozen=True, eq=False):
    """How ports get into the services of one type."""

    wire: shapes.Wire
    join: shapes.Join
    members: Mapping[str, glance.Entry]
    project: str
    """The attribute of a port that says whose it is."""
    usual: Mapping[str, Any]
    """What a proton requires of a new port and clients never say."""
    mac: str | None
    """The same of its address, which is another each time."""
    fresh: frozenset[str]
    """The column of a binding that names the interface."""
    beginnings: dict[tuple[store.Value, str], Beginning]
    """By project and service."""

    @property
    def port(self) -> registry.Resource:
        return self.wire.resource


class Beginning(msgspec.Struct, frozen=True):
    """A binding without its key and its interface; what a port of its project looks at, and what both do."""

    values: Mapping[str, Any]
    of_port: Sequence[store.Lookup]
    of_both: Sequence[store.Lookup]


class NewPort:
    """A port, its default interface and its binding to a service, as one unit."""

    __slots__ = ("_join", "_port", "_service", "asker", "network", "reads", "request_id", "way", "who")

    def __init__(
        self,
        way: Way,
        asker: Asker,
        place: tuple[str, store.Value],
        port: create.Create,
        join: create.Create,
        reads: Sequence[store.Lookup],
    ) -> None:
        """`place`: the network, and the key of the service that it is."""
        self.way, self.asker, self._port, self._join = way, asker, port, join
        self.network, self._service = place
        self.who, self.request_id = port.who, port.request_id
        self.reads = reads

    def decide(self, view: store.Batch) -> store.Changes:
        way = self.way
        service = way.join.net.resource
        if way.port.former:
            way.port.check()
        row = view.get(service.table, self._service)
        if row is None or not self.asker.sees(service, row):
            raise faults.missing("Network", self.network)
        try:
            changes = self._port.decide(view)
        except errors.Rejected as refusal:
            raise Blamed(self._port, way.port).told(refusal) from None
        join = way.join
        try:
            more = self._join.decide(_After(view, way.port, changes))
        except errors.Rejected as refusal:
            raise Blamed(self._join, join.resource, join.address).told(refusal) from None
        made: units.Result = changes.result
        changes.writes += more.writes
        changes.entries += more.entries
        changes.result = Made(self, made.row, more.result.row, row)
        return changes


class Made(msgspec.Struct, frozen=True):
    """A port that was made: its row, that of its binding, and that of the service."""

    unit: NewPort
    row: store.Row
    bound: store.Row
    service: store.Row

    def body(self) -> bodies.Body:
        """As who serves sees it."""
        attached, hidden = self._shown()
        return bodies.port(self.unit.way.wire, self.row, "DOWN", attached, hidden)

    def document(self) -> bytes:
        """As the asker sees it, as JSON."""
        attached, hidden = self._shown()
        serves = self.unit.asker.serves
        return shown.document(self.unit.way.wire, self.row, "DOWN", attached, hidden, serves=serves)

    def _shown(self) -> tuple[bodies.Attached | None, frozenset[str]]:
        unit = self.unit
        attached = reads.attached(unit.asker, unit.way.join, self.bound, unit.network, self.service)
        return attached, unit.asker.hidden(unit.way.port, self.row)


class _After:
    """A view with a new port and its interface in it, which nobody else can have seen."""

    __slots__ = ("_interface", "_key", "_port", "_rows", "_view", "incarnation", "now", "revision")

    def __init__(self, view: store.View, port: registry.Resource, changes: store.Changes) -> None:
        interface = port.default_interface
        assert interface is not None
        self._view, self._port, self._interface = view, port, interface
        tables = (port.table, interface.table)
        self._rows: dict[str, store.Row] = {
            table: row for table, row in changes.writes if table in tables and isinstance(row, dict)
        }
        self._key = self._rows[port.table][port.records.key_column]
        self.revision, self.now, self.incarnation = view.revision, view.now, view.incarnation

    def get(self, table: str, *key: store.Value) -> store.Row | None:
        if key[0] == self._key and (row := self._rows.get(table)) is not None:
            return row
        return self._view.get(table, *key)

    def rows(
        self, table: str, columns: tuple[str, ...], values: tuple[store.Value, ...]
    ) -> Sequence[store.Row]:
        row = self._rows.get(table)
        if row is None:
            return self._view.rows(table, columns, values)
        kind = self._port if table == self._port.table else self._interface
        if columns == (kind.records.key_column,) and values == (self._key,):
            return (row,)
        found = self._view.rows(table, columns, values)
        if None in values or any(row[c] != v for c, v in zip(columns, values, strict=True)):
            return found
        key = kind.records.key_column
        return sorted((*found, row), key=lambda one: str(one[key]))

    def prefetch(self, lookups: Sequence[store.Lookup]) -> None:
        self._view.prefetch([one for one in lookups if self._key not in one.values])


class Quick:
    """Units of new ports."""

    def __init__(self, known: shapes.Known, finder: finding.Finder) -> None:
        self._known, self._finder = known, finder
        self._shapes: shapes.Shapes | None = None
        self._ways: dict[tuple[str, str], Way | None] = {}

    def unit(self, asker: Asker, body: Mapping[str, Any]) -> NewPort | None:
        """None: it takes more. It never raises."""
        network = body.get("network_id")
        named = self._finder.named(network) if type(network) is str else None
        if named is None:
            return None
        if named.project is not None and named.project != asker.caller.project and not asker.serves:
            return None  # it is told as one that is not there, and in the same time
        way = self._way(named.api, named.kind)
        if way is None or str(body.get("device_owner") or "").startswith("network:"):
            return None
        try:
            return self._unit(way, asker, body, (str(network), named.key))
        except errors.Rejected:
            return None

    def _unit(
        self, way: Way, asker: Asker, body: Mapping[str, Any], place: tuple[str, store.Value]
    ) -> NewPort | None:
        values = glance.values(way.members, body)
        if values is None:
            return None
        if way.project not in values:
            if asker.serves or not asker.caller.project:
                return None  # it is the network's project that counts
            values[way.project] = asker.caller.project
        values = {**way.usual, **values}
        if way.mac is not None and way.mac not in values:
            values[way.mac] = wishes.any_mac()
        context = asker.context(way.port)
        new = incoming.new(context, values, None)
        if not new.made:
            return None
        port = create.Create(context, new.key, True, new.values, new.written)
        project: store.Value = new.values[way.project]
        known = way.beginnings.get((project, place[0]))
        if known is None:
            known = _begin(way, asker, port, project, new.key, place[1])
            if known is None:
                return None
            if len(way.beginnings) >= _MOST:
                way.beginnings.clear()
            way.beginnings[project, place[0]] = known
        kind = way.join.resource
        key = new_id()
        bound = {**known.values, kind.type.key: key, way.join.interface: new.key}
        join = create.Create(
            asker.drawing(kind, way.join.each), key, True, bound, {}, fresh=way.fresh, reads=()
        )
        if port.reads is known.of_port:
            looks = known.of_both
        else:
            looks = (*port.reads, *known.of_both[len(known.of_port) :])
        return NewPort(way, asker, place, port, join, looks)

    def _way(self, api: str, kind: str) -> Way | None:
        shown_ = self._known()
        if shown_ is not self._shapes:
            self._shapes, self._ways = shown_, {}
        try:
            return self._ways[api, kind]
        except KeyError:
            feeders = shown_.feeders.get((api, kind), ())
            way = self._ways[api, kind] = _compiled(*feeders[0]) if feeders else None
            return way


def _compiled(wire: shapes.Wire, join: shapes.Join) -> Way | None:
    """None where a port takes more than its unit: hooks, keys that clients choose, addresses that nobody gives."""
    port, binding, interface = wire.resource, join.resource, wire.resource.default_interface
    project, whose = wire.attribute(Role.PROJECT), binding.type.role(Role.PROJECT)
    if (
        project is None
        or whose is None
        or interface is None
        or port.before_hooks
        or binding.before_hooks
        or not (port.type.generated_key and binding.type.generated_key)
        or not (join.pooled or join.address is None)
        or not _pools(binding).isdisjoint(_pools(port) | _pools(interface))
    ):
        return None
    usual = wishes.filled(wire, {}, {**wishes.USUAL, "project": "", "mac": ""})
    usual.pop(project, None)
    name = wire.attribute(Role.MAC)
    mac = name if name is not None and usual.pop(name, None) is not None else None
    fresh = frozenset({join.column(join.interface)})
    return Way(
        wire=wire,
        join=join,
        members=glance.table(wire),
        project=project,
        usual=usual,
        mac=mac,
        fresh=fresh,
        beginnings={},
    )


def _pools(kind: registry.Resource) -> frozenset[str]:
    """Pools of the model that a new object takes from."""
    return frozenset(one.supply.id for one in kind.pooled if one.supply is not None)


def _begin(
    way: Way, asker: Asker, port: create.Create, project: store.Value, key: store.Value, service: store.Value
) -> Beginning | None:
    """What all bindings of a project to a service have. None where they are not alike."""
    binding, join = way.join.resource, way.join
    whose = binding.type.role(Role.PROJECT)
    body = {join.interface: key, join.service: service, whose: project}
    new = incoming.new(asker.context(binding), body, None)
    if not new.made or new.written:
        return None
    unit = create.Create(asker.context(binding), new.key, True, new.values, {}, fresh=way.fresh)
    interface = way.port.default_interface
    own = [one for one in unit.reads if interface is None or one.table != interface.table]
    values = {n: v for n, v in new.values.items() if n not in (binding.type.key, join.interface)}
    net = join.net.resource
    return Beginning(values, port.reads, (*port.reads, net.lookup(service), *own))
