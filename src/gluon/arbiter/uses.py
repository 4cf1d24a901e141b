"""Ports that devices use, for who tells others of them: `nova.notifier.Ports`, over all protons.

In: ids, or entries of the journal about what joins ports to services. Out: how those ports are used now, from
`gluon_port`; of ports that are being moved to another host also whether that host is ready. Called by the main.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from gluon import errors
from gluon.arbiter import bindings, tables
from gluon.model.types import Kind, Role
from gluon.objects import codec, journal
from gluon.proton import registry
from gluon.spi import notices, store

_AT_ONCE = 500
"""Values of one statement."""


class Uses:
    """Reads one database; `known`: the models that are served now."""

    def __init__(self, database: store.Store, known: Callable[[], registry.Registry]) -> None:
        self._store = database
        self._known = known

    def types(self) -> Collection[str]:
        """Of what joins interfaces to services, of interfaces, with which that may go, and of services that say more of a network
        than its name."""
        every = self._known().by_name.values()
        return {r.name for r in every if r.type.kind in (Kind.BINDING, Kind.INTERFACE) or _shown(r)}

    async def concerned(self, entries: Sequence[journal.Entry]) -> Collection[str]:
        """The ports of the interfaces that some entries join to services, or part from them, and of services whose
        networks are others now."""
        known = self._known().by_name
        found: set[str] = set()
        wanted: dict[str, tuple[registry.Resource, set[store.Value]]] = {}
        for entry in entries:
            resource = known.get((entry.api, entry.type))
            if resource is None:
                continue
            if resource.type.kind is Kind.INTERFACE:
                if entry.new is None and entry.old is not None:
                    found.add(str(codec.decode(entry.old).get(_role(resource, Role.PORT))))
                continue
            if resource.type.kind is Kind.BINDING:
                interfaces = list(_interfaces(resource, entry))
            else:
                interfaces = await self._members(resource, entry)
            for interface, key in interfaces:
                wanted.setdefault(interface.table, (interface, set()))[1].add(key)
        for interface, keys in wanted.values():
            rows = await self._some(interface.table, interface.records.key_column, keys)
            column = interface.records.column(_role(interface, Role.PORT))
            found.update(str(row[column]) for row in rows if row[column] is not None)
        return found

    async def _members(
        self, service: registry.Resource, entry: journal.Entry
    ) -> list[tuple[registry.Resource, store.Value]]:
        """The interfaces of a service whose network an entry changes."""
        shown = _shown(service)
        if entry.old is None or entry.new is None or not shown:
            return []
        old, new = codec.decode(entry.old), codec.decode(entry.new)
        if all(old.get(name) == new.get(name) for name in shown):
            return []
        found: list[tuple[registry.Resource, store.Value]] = []
        try:
            key = service.fields.key(entry.key)
        except errors.Invalid:  # of a model that was there before
            return []
        for reference in service.referrers:
            joins = service.family[reference.owner]
            interface = _interface(joins)
            if joins.type.kind is not Kind.BINDING or interface is None or reference.link is not None:
                continue
            rows = await self._store.select(
                store.Select(table=joins.table, equals=((reference.column, key),))
            )
            column = joins.records.column(_role(joins, Role.INTERFACE))
            found += [(interface, row[column]) for row in rows]
        return found

    async def use(self, ids: Collection[str]) -> Mapping[str, notices.Use]:
        rows = await self._some(tables.PORT, "id", ids)
        return {one.id: one for one in await self._uses([row for row in rows if row["device_id"]])}

    async def used(self, after: str | None, limit: int) -> Sequence[notices.Use]:
        has = store.Filter(column="device_id", match=store.Match.UNLIKE, values=(None,))
        rows = await self._store.select(
            store.Select(table=tables.PORT, filters=(has,), after=after, limit=limit)
        )
        return await self._uses(rows)

    async def _uses(self, rows: Sequence[store.Row]) -> Sequence[notices.Use]:
        if not rows:
            return ()
        ready = await self._ready([str(row["id"]) for row in rows])
        return [
            notices.Use(
                **{n: str(row[n] or "") for n in ("id", "device_id", "device_owner", "status", "host")},
                plugged=frozenset(ready.get(str(row["id"]), ())),
            )
            for row in rows
        ]

    async def _ready(self, ids: Collection[str]) -> Mapping[str, Collection[str]]:
        """Of each port the hosts that its traffic is to come to, where its device is plugged."""
        state = bindings.State.BOUND.value
        spare = await self._some(tables.BINDING, tables.PORT_ID, ids, active=False, state=state)
        found: dict[str, list[str]] = {}
        for binding in map(bindings.read, spare):
            if binding.awaits and binding.ready:
                found.setdefault(binding.port, []).append(binding.host)
        return found

    async def _some(
        self, table: str, column: str, keys: Collection[store.Value], **equals: store.Value
    ) -> Sequence[store.Row]:
        """The rows in which a column has one of these values."""
        wanted, found = sorted(keys, key=str), list[store.Row]()
        for start in range(0, len(wanted), _AT_ONCE):
            part = tuple(wanted[start : start + _AT_ONCE])
            one = store.Filter(column=column, match=store.Match.EQUAL, values=part)
            found += await self._store.select(
                store.Select(table=table, equals=tuple(equals.items()), filters=(one,))
            )
        return found


def _interfaces(
    joins: registry.Resource, entry: journal.Entry
) -> Iterable[tuple[registry.Resource, store.Value]]:
    """The interface that an entry was about before, and is now."""
    attribute, interface = _role(joins, Role.INTERFACE), _interface(joins)
    for text in (entry.old, entry.new):
        value = None if text is None else codec.decode(text).get(attribute)
        if value is not None and interface is not None:
            try:
                yield interface, interface.fields.key(str(value))
            except errors.Invalid:
                continue


def _interface(joins: registry.Resource) -> registry.Resource | None:
    """What a type of service bindings joins to services."""
    attribute = _role(joins, Role.INTERFACE)
    target = next((r.target for r in joins.references if r.attribute == attribute), None)
    return None if target is None else joins.family[target]


def _shown(service: registry.Resource) -> frozenset[str]:
    """The attributes of a service that machines live by: a name is for people."""
    if service.type.kind is not Kind.SERVICE:
        return frozenset()
    said = {name: (one,) if isinstance(one, str) else one for name, one in service.type.neutron.items()}
    paths = [path for name, paths in said.items() if name != "name" for path in paths]
    usual = {"mtu"} & service.type.attributes.keys()
    return frozenset(path.partition(".")[0] for path in paths) | usual


def _role(resource: registry.Resource, role: Role) -> str:
    """The attribute that plays a role."""
    return resource.type.role(role) or ""
