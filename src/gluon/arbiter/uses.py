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


class Uses:
    """Reads one database; `known`: the models that are served now."""

    def __init__(self, database: store.Store, known: Callable[[], registry.Registry]) -> None:
        self._store = database
        self._known = known

    def types(self) -> Collection[str]:
        """Of what joins interfaces to services."""
        return {r.name for r in self._known().by_name.values() if r.type.kind is Kind.BINDING}

    async def concerned(self, entries: Sequence[journal.Entry]) -> Collection[str]:
        """The ports of the interfaces that some entries join to services, or part from them."""
        known = self._known().by_name
        wanted: dict[str, tuple[registry.Resource, set[store.Value]]] = {}
        for entry in entries:
            joins = known.get((entry.api, entry.type))
            if joins is None or joins.type.kind is not Kind.BINDING:
                continue
            for interface, key in _interfaces(joins, entry):
                wanted.setdefault(interface.table, (interface, set()))[1].add(key)
        found: set[str] = set()
        for interface, keys in wanted.values():
            rows = await self._store.select(_some(interface.table, interface.records.key_column, keys))
            column = interface.records.column(_role(interface, Role.PORT))
            found.update(str(row[column]) for row in rows if row[column] is not None)
        return found

    async def use(self, ids: Collection[str]) -> Mapping[str, notices.Use]:
        rows = await self._store.select(_some(tables.PORT, "id", ids))
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
        """Of each port the hosts with a binding that carries no traffic yet, where its device is plugged."""
        spare = await self._store.select(
            _some(tables.BINDING, tables.PORT_ID, ids, active=False, state=bindings.State.BOUND.value)
        )
        found: dict[str, list[str]] = {}
        for binding in map(bindings.read, spare):
            if binding.ready:
                found.setdefault(binding.port, []).append(binding.host)
        return found


def _interfaces(
    joins: registry.Resource, entry: journal.Entry
) -> Iterable[tuple[registry.Resource, store.Value]]:
    """The interface that an entry was about before, and is now."""
    attribute = _role(joins, Role.INTERFACE)
    target = next((r.target for r in joins.references if r.attribute == attribute), None)
    if target is None:
        return
    interface = joins.family[target]
    for text in (entry.old, entry.new):
        value = None if text is None else codec.decode(text).get(attribute)
        if value is not None:
            try:
                yield interface, interface.fields.key(str(value))
            except errors.Invalid:
                continue


def _role(resource: registry.Resource, role: Role) -> str:
    """The attribute that plays a role."""
    return resource.type.role(role) or ""


def _some(table: str, column: str, keys: Collection[store.Value], **equals: store.Value) -> store.Select:
    """The rows in which a column has one of these values."""
    one = store.Filter(column=column, match=store.Match.EQUAL, values=tuple(sorted(keys, key=str)))
    return store.Select(table=table, equals=tuple(equals.items()), filters=(one,))
