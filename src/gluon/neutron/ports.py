"""Ports of all protons as Neutron's.

In: an asker and what a list asks for. Out: `Found`s, whole bodies with what they were made of. `gluon_port` says which
ports there are, in one statement over all protons; the rest is read of protons' rows, one statement a type.
A filter is applied to whole bodies, also where the caller does not see what it is about, as in Neutron; what a proton's rules
hide from him is empty in them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Sequence
from dataclasses import replace
from itertools import product

import msgspec

from gluon.arbiter.tables import PORT
from gluon.neutron import asked as asking
from gluon.neutron import bodies, faults, finding, ids, owners, reading, shapes, subnets, wishes
from gluon.neutron.asker import Asker
from gluon.neutron.bodies import Body
from gluon.particles import tables
from gluon.proton import registry
from gluon.spi import networks, store

_CHUNK = 1000
_COLUMNS = {
    "id": "id",
    "device_id": "device_id",
    "binding:host_id": "host",
    "mac_address": "mac",
    "name": "name",
    "device_owner": "device_owner",
}
"""Filters that `gluon_port` answers. What is empty is null there."""
_LONGEST = 255


_MANY = 2000
"""Ports of a project that are looked up by their ids."""


class Seen(msgspec.Struct, frozen=True):
    """A port. `body`: whole, with what is for admins and services."""

    body: Body


class Found(Seen, frozen=True):
    """One of a proton; `row`: of the port."""

    wire: shapes.Wire
    row: store.Row
    attached: bodies.Attached | None


May = Callable[[registry.Resource, store.Row], bool]
"""Whether the caller may be shown an object."""

_Bound = tuple[shapes.Join, store.Row, store.Row]
"""A service binding: its type, its row, and columns of its service."""


class Page(msgspec.Struct, frozen=True):
    """`ends`: the ids of the first and the last one, which bodies need not show."""

    bodies: Sequence[Body]
    more: bool
    ends: tuple[str, str] | None


def page_of(found: Sequence[Body], shown: Sequence[Body], more: bool, key: str = "id") -> Page:
    """`found`: whole bodies; `shown`: the same as they were asked for."""
    return Page(shown, more, (found[0][key], found[-1][key]) if found else None)


class Ports:
    """Reads of one database."""

    def __init__(
        self, database: store.Store, known: shapes.Known, finder: finding.Finder, others: owners.Owners
    ) -> None:
        self._store = database
        self._others = others
        self._known = known
        self._finder = finder

    async def seen(self, asker: Asker, id: str) -> Seen:
        """Raises `Fault` for one that he may not see too."""
        row = await self._store.get(PORT, id)
        found = await self._whole(asker, [row], asker.sees) if row is not None else []
        if not found:
            raise faults.missing("Port", id)
        return found[0]

    async def get(self, asker: Asker, id: str) -> Found:
        """As `seen`; one that is no proton's is refused."""
        found = await self.seen(asker, id)
        if not isinstance(found, Found):
            text = f"Port {id} is not Gluon's own, and its owner takes no second bindings."
            raise faults.Fault(501, "HTTPNotImplemented", text, "ask its owner")
        return found

    async def page(self, asker: Asker, asked: asking.Asked) -> Page:
        """The bodies as he sees them."""
        if asked.plain and asked.limit is not None:
            found, more = await self._by_id(asker, asked, asked.limit)
        else:
            every = [f.body for f in await self.all(asker, asked)]
            if asked.marker is not None and all(body["id"] != asked.marker for body in every):
                # It passed the filters when its page was asked for; its place is what counts.
                every.append((await self.seen(asker, asked.marker)).body)
            found, more = asking.paged(asked, every, "Port")
        return page_of(found, [asking.chosen(asked, seen(asker, body)) for body in found], more)

    async def _by_id(self, asker: Asker, asked: asking.Asked, limit: int) -> tuple[list[Body], bool]:
        """A page that begins after its marker and is read no further than needed."""
        after: store.Value = None
        if asked.marker is not None:
            after = (await self.seen(asker, asked.marker)).body["id"]
        found: list[Body] = []
        step = _CHUNK if asked.filters else min(_CHUNK, limit + 1)
        async for some in self._read(asker, asked, after, step):
            found += [one.body for one in some]
            if len(found) > limit:
                break
        return found[:limit], len(found) > limit

    async def all(self, asker: Asker, asked: asking.Asked) -> list[Seen]:
        """All that pass the filters, by id."""
        return [one async for some in self._read(asker, asked, None, _CHUNK) for one in some]

    async def _read(
        self, asker: Asker, asked: asking.Asked, after: store.Value, step: int
    ) -> AsyncIterator[list[Seen]]:
        """Those that pass the filters, by id, a part at a time."""
        for select in await self._narrowed(asker, asked):
            last = after
            while True:
                rows = await self._store.select(replace(select, after=last, limit=step))
                found = await self._whole(asker, rows, asker.lists)
                yield [f for f in found if asking.passes(asked, f.body)]
                if len(rows) < step:
                    break
                last = rows[-1]["id"]

    async def _narrowed(self, asker: Asker, asked: asking.Asked) -> Sequence[store.Select]:
        """What `gluon_port` can answer of the filters; several statements have ids one after the other."""
        few = _of_one(asked)
        if few is not None:
            return (few,)
        filters: list[store.Filter] = []
        seems = {name for name in asked.filters if self._seems(asker, asked, name)}
        for name, values in asked.filters.items():
            column = _COLUMNS.get(name)
            if name in seems:
                continue
            if column is not None:
                filters.append(reading.among(column, [v[:_LONGEST] or None for v in values]))
            elif name in ("tenant_id", "project_id"):
                filters.append(reading.among("project", [ids.stored_project(v) or None for v in values]))
            elif name == "status":
                filters.append(reading.among("status", values))
        narrow = {"id", "device_id"} & asked.filters.keys() - seems
        if not asker.serves and not narrow:
            filters.append(reading.among("project", [asker.caller.project, None]))
        whole = store.Select(table=PORT, filters=tuple(filters))
        wanted = None if narrow else await self._of_networks(asker, asked)
        by_host = "binding:host_id" in asked.filters.keys() - seems
        if wanted is None and not narrow and not by_host and not self._others:
            wanted = await self._of_projects(_projects(asker, asked))
        if wanted is None:
            return (whole,)
        keys = sorted(wanted)
        parts = [keys[n : n + reading.AT_ONCE] for n in range(0, len(keys), reading.AT_ONCE)]
        return [replace(whole, filters=(*filters, reading.among("id", part))) for part in parts]

    def _seems(self, asker: Asker, asked: asking.Asked, name: str) -> bool:
        """Whether a port can look like one that is asked for by a value that it does not have: what may not be read looks empty. Such
        a filter is left to bodies: rows would tell what they hide."""
        role = wishes.ROLES.get(name)
        if role is None or all(asked.filters[name]):
            return False
        return any(asker.hides(wire.resource, role) for wire in self._known().wires.values())

    async def _of_projects(self, projects: Collection[str]) -> Collection[str] | None:
        """Ids of the ports of some projects, from protons' tables: `gluon_port` has no index by what every port has. None:
        of any, or so many that its rows are read in their order as well."""
        found: set[str] = set()
        tables_of = [wire.resource for wire in self._known().wires.values()] if projects else []
        for resource, project in product(tables_of, projects):
            select = store.Select(table=resource.table, project=project, limit=_MANY + 1)
            rows = await self._store.values(select, (resource.records.key_column,))
            found.update(str(row[0]) for row in rows)
            if len(found) > _MANY:
                return None
        return found if projects else None

    async def _of_networks(self, asker: Asker, asked: asking.Asked) -> Collection[str] | None:
        """Ids of ports that may be in the networks asked for; None: all may."""
        names = list(asked.filters.get("network_id", ()))
        halves = {value[: ids.HALF] for value in asked.addresses("subnet_id")}
        if not names and not halves:
            return None
        found: set[str] = set()
        if self._others:  # whose networks need not be here
            if not names:
                return None
            select = store.Select(table=PORT, filters=(reading.among("network_id", names),))
            found.update(str(row[0]) for row in await self._store.values(select, ("id",)))
        if not names:
            names = await self._finder.beginning(asker, halves)
        places = await self._finder.places(asker, names, unseen=True)
        for place in places.values():
            if place.net is None or place.row is None:
                return None
            resource = place.net.resource
            key = place.row[resource.records.key_column]
            for _, join in self._known().feeders.get((resource.api, resource.name), ()):
                at, of = join.column(join.interface), join.column(join.service)
                select = store.Select(table=join.resource.table, equals=((of, key),))
                columns = (join.resource.records.key_column, at)
                found.update(str(row[1]) for row in await self._store.values(select, columns))
        return found

    async def _whole(self, asker: Asker, rows: Sequence[store.Row], may: May) -> list[Seen]:
        """The ports of these rows of `gluon_port` that the caller may see, in their order."""
        strange = [row for row in rows if owners.foreign(row)]
        found: dict[store.Value, Seen] = {}
        if strange:
            found = {key: Seen(body) for key, body in (await self._others.bodies(asker, strange)).items()}
        for one in await self._of_protons(asker, [row for row in rows if not owners.foreign(row)], may):
            found[one.body["id"]] = one
        return [found[row["id"]] for row in rows if row["id"] in found]

    async def _of_protons(self, asker: Asker, rows: Sequence[store.Row], may: May) -> list[Found]:
        shown = self._known()
        by_type: dict[tuple[str, str], list[store.Row]] = {}
        for row in rows:
            by_type.setdefault((str(row["api"]), str(row["object_type"])), []).append(row)
        self._known.check(by_type)
        wires = [(shown.wires[name], some) for name, some in by_type.items() if name in shown.wires]
        asked = [
            (wire.resource.table, wire.resource.records.key_column, [row["id"] for row in some], wire.wanted)
            for wire, some in wires
        ]
        told = await reading.lines_of(self._store, asked)
        return [
            found
            for (wire, some), lines in zip(wires, told, strict=True)
            for found in await self._of_type(asker, wire, some, lines, may)
        ]

    async def _of_type(
        self,
        asker: Asker,
        wire: shapes.Wire,
        known: Sequence[store.Row],
        lines: Sequence[Sequence[store.Value]],
        may: May,
    ) -> list[Found]:
        resource, key, own = wire.resource, wire.resource.records.key_column, len(wire.columns)
        status = {row["id"]: str(row["status"]) for row in known}
        rows: dict[store.Value, store.Row] = {}
        carried: set[store.Value] = set()
        bound: dict[store.Value, _Bound] = {}
        first = wire.joins[0] if wire.joins else None
        for line in lines:
            row: store.Row = dict(zip(wire.columns, line, strict=False))
            if len(line) > own and line[own] == row[key]:
                carried.add(row[key])
            if first is not None and line[own + 1] is not None:
                _keep_oldest(bound, first, line[own + 1 :])
            rows[row[key]] = row
        for join in wire.joins[1:]:
            interface = join.column(join.interface)
            wanted: store.Wanted = (*join.columns, *join.along.beside)
            for line in await reading.lines_where(
                self._store, join.resource.table, interface, list(rows), wanted
            ):
                _keep_oldest(bound, join, line)
        found = []
        for one, row in rows.items():
            if may(resource, row):
                place = _place(asker, *bound[one]) if one in bound and one in carried else None
                body = bodies.port(wire, row, status[one], place, asker.hidden(resource, row))
                found.append(Found(body, wire, row, place))
        return found


def _keep_oldest(bound: dict[store.Value, _Bound], join: shapes.Join, line: Sequence[store.Value]) -> None:
    """The oldest binding of a default interface says the port's network. `line`: its columns, and what of its service says
    the subnets."""
    row: store.Row = dict(zip(join.columns, line, strict=False))
    said = {
        one.column: text or None
        for one, text in zip(join.along.beside, line[len(join.columns) :], strict=True)
    }
    key = row[join.column(join.interface)]
    before = bound.get(key)
    if before is None or _age(join, row) < _age(before[0], before[1]):
        bound[key] = (join, row, said)


def placed(join: shapes.Join, row: store.Row, network: str, service: store.Row | None) -> bodies.Attached:
    """A port's place in a network; `service`: the columns that say the subnets, where it says them."""
    found: Sequence[subnets.Subnet] = ()
    if not join.net.has_subnets:
        line = [row[join.column(n)] if n else None for n in (join.address, join.prefix, join.gateway)]
        found = subnets.of_bindings(network, [line])
    elif service is not None:
        found = subnets.of_service(join.net, network, service)
    return bodies.Attached(join, row, network, found)


def attached(
    asker: Asker, join: shapes.Join, row: store.Row, network: str, service: store.Row | None
) -> bodies.Attached | None:
    """The same as the caller sees it; None: he may not read what binds the port, or not what it binds it to."""
    if not asker.sees(join.resource, row):
        return None
    shown = asker.shown(join.resource, row)
    return None if shown[join.column(join.service)] is None else placed(join, shown, network, service)


def _place(asker: Asker, join: shapes.Join, row: store.Row, said: store.Row) -> bodies.Attached | None:
    resource, key = join.net.resource, row[join.column(join.service)]
    return attached(asker, join, row, networks.network_id(resource.api, resource.name, key), said)


def _age(join: shapes.Join, row: store.Row) -> tuple[str, str]:
    return str(row[tables.CREATED]), str(row[join.resource.records.key_column])


def _of_one(asked: asking.Asked) -> store.Select | None:
    """The ports of one machine, or one port: few enough that other filters are left to what they look like. The text of
    this statement is kept."""
    for name in ("id", "device_id"):
        values = asked.filters.get(name, ())
        if len(values) == 1 and values[0]:
            return store.Select(table=PORT, equals=((name, values[0]),))
    return None


def seen(asker: Asker, body: Body) -> Body:
    """A port as the caller sees it."""
    if asker.serves:
        return body
    return {name: value for name, value in body.items() if name not in bodies.BINDING}


def _projects(asker: Asker, asked: asking.Asked) -> Collection[str]:
    """Those whose ports alone can pass; none: of any."""
    for name in ("tenant_id", "project_id"):
        if name in asked.filters:
            return [project for v in asked.filters[name] if (project := ids.stored_project(v))]
    return [asker.caller.project] if not asker.serves and asker.caller.project else []
