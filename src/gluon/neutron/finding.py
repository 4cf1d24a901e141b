"""Networks found by their ids, and the subnets of services.

In: ids, or what a list asks for. Out: `Place`s: a service and its row, or a project of a proton. What was stored before
there was a table of networks is entered when a service type is first asked for. Called by `ports`, `networks`, `writing`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import replace
from itertools import product
from typing import Any

import msgspec

from gluon.neutron import ids, reading, shapes, subnets
from gluon.neutron.asker import Asker
from gluon.particles import tables
from gluon.proton import registry
from gluon.proton.units import Context
from gluon.spi import networks, store

_CHUNK = 1000
_MOST = 10_000
"""Ids that are kept."""


class Place(msgspec.Struct, frozen=True):
    """A network: the service that it is, or without one the project of a proton whose other ports it has."""

    id: str
    api: str
    net: shapes.Net | None
    row: store.Row | None
    project: str | None


class Named(msgspec.Struct, frozen=True):
    """The service that a network is, which never changes; `project`: whose it was when it was last read."""

    api: str
    kind: str
    key: store.Value
    project: store.Value


class Finder:
    """Reads networks of one database."""

    def __init__(self, database: store.Store, known: shapes.Known) -> None:
        self._store = database
        self._known = known
        self._entered: set[tuple[str, str]] = set()
        self._entered_all: object = None
        self._known_ids: dict[str, tuple[str, str, str]] = {}
        self._read: dict[str, Named] = {}

    def named(self, one: str) -> Named | None:
        """A network that was read before, seen or not."""
        return self._read.get(one)

    async def places(
        self, asker: Asker, wanted: Collection[str], *, unseen: bool = False
    ) -> dict[str, Place]:
        """The networks of these ids that the caller may see; `unseen`: the others too."""
        await self._enter_all(asker)
        shown = self._known()
        known = await self._services_of(wanted)
        found: dict[str, Place] = {}
        by_type: dict[tuple[str, str], dict[str, str]] = {}
        for one, (api, kind, of) in known.items():
            by_type.setdefault((api, kind), {})[of] = one
        self._known.check(by_type)
        for name, keys in by_type.items():
            net = shown.nets.get(name)
            if net is None:
                continue
            services = await reading.by_key(
                self._store, net.resource.table, net.resource.records.key_column, list(keys)
            )
            for key, row in services.items():
                self._note(keys[str(key)], net.resource, row)
                if unseen or asker.sees(net.resource, row):
                    place = Place(keys[str(key)], name[0], net, row, None)
                    found[place.id] = place
        left = [one for one in wanted if one not in known]
        return {**found, **await self._plain(asker, left)} if left else found

    async def _services_of(self, wanted: Collection[str]) -> dict[str, tuple[str, str, str]]:
        """Proton, type and key of each network that was a service: which one an id means never changes."""
        found = {one: self._known_ids[one] for one in wanted if one in self._known_ids}
        left = [one for one in wanted if one not in found]
        if left:
            rows = await reading.by_key(self._store, networks.TABLE.name, "id", left)
            for row in rows.values():
                named = (str(row["api"]), str(row["object_type"]), str(row["object_key"]))
                found[str(row["id"])] = named
                _bound(self._known_ids)
                self._known_ids[str(row["id"])] = named
        return found

    def _note(self, one: str, resource: registry.Resource, row: store.Row) -> None:
        key = row[resource.records.key_column]
        _bound(self._read)
        self._read[one] = Named(resource.api, resource.name, key, row[tables.PROJECT])

    async def _plain(self, asker: Asker, wanted: Sequence[str]) -> dict[str, Place]:
        """Those of ports without a service: of projects that have ports, and the caller's own."""
        apis = {api for api, _ in self._known().wires}
        guesses: list[Place] = []
        for one in wanted:
            try:
                guesses += [Place(one, api, None, None, ids.project_of(one, api)) for api in apis]
            except ValueError:
                continue
        mine = asker.caller.project
        own = {
            one: Place(one, api, None, None, mine)
            for one, api in product(wanted, apis)
            if mine and ids.plain_network(api, mine) == one
        }
        if not asker.serves:
            return own
        others = [g for g in guesses if g.id not in own]
        return {**own, **{g.id: g for g in await self._used(others)}} if others else own

    async def _used(self, guesses: Sequence[Place]) -> list[Place]:
        """Those whose project has ports in the proton. Of the guesses for one id at most one is right."""
        found = await asyncio.gather(*map(self._has_ports, guesses))
        return [guess for guess, used in zip(guesses, found, strict=True) if used]

    async def _has_ports(self, guess: Place) -> bool:
        for wire in self._known().of_api(guess.api):
            none = () if guess.project else (reading.among(tables.PROJECT, [None]),)
            select = store.Select(table=wire.resource.table, filters=none, limit=1)
            if guess.project:
                select = replace(select, equals=((tables.PROJECT, guess.project),))
            if await self._store.select(select):
                return True
        return False

    async def beginning(self, asker: Asker, halves: Collection[str]) -> list[str]:
        """Ids of services' networks that begin so."""
        await self._enter_all(asker)
        found: list[str] = []
        for half in halves:
            begins = store.Filter(column="id", match=store.Match.BEGINS, values=(half,))
            rows = await self._store.select(store.Select(table=networks.TABLE.name, filters=(begins,)))
            found += [str(row["id"]) for row in rows]
        return found

    async def services(self, asker: Asker, net: shapes.Net) -> Sequence[Place]:
        """All services of a type that the caller may see."""
        resource = net.resource
        project = None if asker.serves else asker.caller.project
        rows = await self._store.select(store.Select(table=resource.table, project=project))
        key = resource.records.key_column
        found: list[Place] = []
        for row in rows:
            one = networks.network_id(resource.api, resource.name, row[key])
            self._note(one, resource, row)
            if asker.sees(resource, row):
                found.append(Place(one, resource.api, net, row, None))
        return found

    async def in_network(self, place: Place) -> Sequence[subnets.Subnet]:
        """Those of a network."""
        return (await self.subnets_of([place]))[place.id]

    async def subnets_of(self, places: Sequence[Place]) -> dict[str, Sequence[subnets.Subnet]]:
        """Those of several networks, by their ids: a statement for each type of service whose bindings say them."""
        found: dict[str, Sequence[subnets.Subnet]] = {}
        asked: dict[tuple[str, str], dict[store.Value, str]] = {}
        for place in places:
            net, row = place.net, place.row
            if net is None or row is None:
                found[place.id] = ()
            elif net.has_subnets:
                found[place.id] = subnets.of_service(net, place.id, row)
            else:
                resource = net.resource
                key = row[resource.records.key_column]
                asked.setdefault((resource.api, resource.name), {})[key] = place.id
        for name, ids_of in asked.items():
            lines: dict[store.Value, list[Sequence[store.Value]]] = {key: [] for key in ids_of}
            for _, join in self._known().feeders.get(name, ()):
                for key, *line in await self._lines(join, list(ids_of)):
                    lines[key].append(line)
            found |= {one: subnets.of_bindings(one, lines[key]) for key, one in ids_of.items()}
        return found

    async def _lines(self, join: shapes.Join, services: Sequence[store.Value]) -> list[Sequence[store.Value]]:
        """Service, address, length of the prefix and gateway of all bindings of some services."""
        if join.address is None:
            return []
        records = join.resource.records
        names = [
            join.column(n) if n else None for n in (join.service, join.address, join.prefix, join.gateway)
        ]
        columns = tuple(dict.fromkeys((records.key_column, *(n for n in names if n is not None))))
        places = [columns.index(n) if n is not None else None for n in names]
        rows = await reading.lines_where(
            self._store, join.resource.table, join.column(join.service), services, columns
        )
        return [[None if n is None else row[n] for n in places] for row in rows]

    # -- what was stored before there was a table of networks ----------------------------------

    async def _enter_all(self, asker: Asker) -> None:
        shown = self._known()
        if self._entered_all is shown:
            return
        marks = {
            networks.row(*name, "")["id"]: net
            for name, net in shown.nets.items()
            if name not in self._entered
        }
        done = await reading.by_key(self._store, networks.TABLE.name, "id", list(marks)) if marks else {}
        for mark, net in marks.items():
            if mark not in done:
                await self._enter(asker, net)
        self._entered.update(shown.nets)
        self._entered_all = shown

    async def _enter(self, asker: Asker, net: shapes.Net) -> None:
        """Once for each type: a row without a key says that it was done."""
        resource = net.resource
        mark = networks.row(resource.api, resource.name, "")
        key, after = resource.records.key_column, None
        while True:
            rows = await self._store.select(store.Select(table=resource.table, after=after, limit=_CHUNK))
            entered = [networks.row(resource.api, resource.name, row[key]) for row in rows]
            last = len(rows) < _CHUNK
            await self._store.submit(_Enter(asker.context(resource), [*entered, mark] if last else entered))
            if last:
                return
            after = rows[-1][key]


def _bound(kept: dict[str, Any]) -> None:
    """Make room for one more."""
    while len(kept) >= _MOST:
        del kept[next(iter(kept))]


class _Enter:
    """Rows of networks, for services that are still there."""

    reads: Sequence[store.Lookup] = ()
    who = "gluon"

    def __init__(self, context: Context, rows: Sequence[store.Row]) -> None:
        self._resource = context.resource
        self._rows = rows
        self.request_id = context.request_id

    def decide(self, view: store.Batch) -> store.Changes:
        changes = store.Changes()
        table, resource = self._resource.table, self._resource
        view.prefetch([resource.lookup(row["object_key"]) for row in self._rows if row["object_key"]])
        for row in self._rows:
            if not row["object_key"] or view.get(table, row["object_key"]) is not None:
                changes.put(networks.TABLE.name, row)
        return changes
