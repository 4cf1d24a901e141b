"""A small graph of object types made by hand, and its engine on a SQLite file."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from gluon import store
from gluon.arbiter import assign, ledger
from gluon.arbiter import tables as arbiter_tables
from gluon.model import types
from gluon.objects import codec, journal
from gluon.objects.status import Registration
from gluon.particles import tables
from gluon.proton import registry, service, units
from gluon.proton import tables as proton_tables
from gluon.spi import policy
from gluon.spi import store as spi_store

API = "graph"
POOL_VALUE = "gluon_pool_value"
PROJECT = "p1"
CALLER = policy.Caller(user="u", project=PROJECT, roles=frozenset(), admin=True)

T = types.AttributeType


class Anyone:
    """A policy without limits; `project`: nobody sees more than what belongs to it or to none."""

    guards = False

    def __init__(self) -> None:
        self.project: str | None = None

    def of(self, api: str, object_type: str) -> Anyone:
        return self

    def allows(self, action: str, caller: policy.Caller, target: policy.Target) -> bool:
        return self.lists(caller, target)

    def listed(self, caller: policy.Caller) -> policy.Scope:
        return policy.Scope.ALL if self.project is None else policy.Scope.ROWS

    def lists(self, caller: policy.Caller, target: policy.Target) -> bool:
        return self.project is None or target.get("project_id") in (self.project, None)

    def hidden(self, caller: policy.Caller, target: policy.Target) -> Sequence[str]:
        return ()

    def readable(self, attribute: str, caller: policy.Caller) -> policy.Scope:
        return policy.Scope.ALL

    def scope(self, action: str, caller: policy.Caller, attribute: str = "") -> policy.Scope:
        return policy.Scope.ALL

    def ruled(self, action: str) -> Sequence[str]:
        return ()

    def own(self, caller: policy.Caller) -> None:
        """Each object has to be asked about."""

    def refused(
        self, action: str, attributes: Collection[str], caller: policy.Caller, target: policy.Target
    ) -> Sequence[str]:
        return ()


class Nobody:
    def current(self) -> tuple[Registration, ...]:
        return ()


def attribute(name: str, type_: T = T.STRING, **more: Any) -> types.Attribute:
    value_type = T.STRING if type_ is T.REFERENCE else type_
    return types.Attribute(name=name, type=type_, **{"value_type": value_type, "kept": False, **more})


def reference(name: str, target: str, on_delete: str = "restrict", **more: Any) -> types.Attribute:
    return attribute(
        name, T.REFERENCE, reference=target, on_delete=types.OnDelete(on_delete), length=36, **more
    )


def many(name: str, item: types.Attribute, kind: T = T.LIST, **more: Any) -> types.Attribute:
    return attribute(name, kind, items=item, **more)


def object_type(name: str, *attributes: types.Attribute, **more: Any) -> types.ObjectType:
    own = (
        attribute("id", length=36, primary=True, required=True, nullable=False),
        attribute("project_id", length=64, role=types.Role.PROJECT),
        *attributes,
    )
    return types.ObjectType(
        **{
            "name": name,
            "singular": name.lower(),
            "plural": f"{name.lower()}s",
            "kind": types.Kind.OTHER,
            "attributes": {a.name: a for a in own},
            "key": "id",
            "generated_key": False,
            "roles": {types.Role.PROJECT: "project_id"},
            **more,
        }
    )


def model(*object_types: types.ObjectType, **more: Any) -> types.Model:
    return types.Model(
        **{
            "file_version": "2.0",
            "name": API,
            "version": "1.0",
            "types": {t.name: t for t in object_types},
            "digest": "d",
            **more,
        }
    )


class Engine:
    """The actions as a face calls them."""

    def __init__(self, database: spi_store.Store, known: registry.Registry, rules: Anyone) -> None:
        self.database = database
        self.known = known
        self.rules = rules
        self.caller = CALLER
        self._actions = service.Service(database, rules, ledger.Ledger(assign.Assigner(Nobody(), {})))

    def context(self, kind: str) -> units.Context:
        return self._actions.context(self.known.by_name[API, kind], self.caller, "req-1")

    async def make(self, kind: str, key: str, **body: Any) -> dict[str, Any]:
        body = {"id": key, "project_id": PROJECT, **body}
        made = await self._actions.create(self.context(kind), body)
        document: dict[str, Any] = codec.decode(made.document)
        return document

    async def put(self, kind: str, key: str, **body: Any) -> dict[str, Any]:
        done = await self._actions.update(self.context(kind), key, body)
        document: dict[str, Any] = codec.decode(done.document)
        return document

    async def delete(self, kind: str, key: str) -> None:
        await self._actions.delete(self.context(kind), key)

    async def get(self, kind: str, key: str) -> dict[str, Any]:
        document: dict[str, Any] = codec.decode((await self._actions.get(self.context(kind), key)).document)
        return document

    async def keys(self, kind: str) -> list[str]:
        return [str(body["id"]) for body in await self._actions.list(self.context(kind))]

    async def entries(self, after: int = 0) -> Sequence[journal.Entry]:
        return await self.database.tail(after, limit=100_000)

    async def select(self, table: str) -> Sequence[spi_store.Row]:
        return await self.database.select(spi_store.Select(table=table))

    async def state(self) -> Mapping[tuple[str, str], dict[str, Any]]:
        """Every object by type and key."""
        found = {}
        for (_, name), resource in self.known.by_name.items():
            for row in await self.select(resource.table):
                found[name, str(row["id"])] = codec.decode(resource.records.document(row))
        return found


@asynccontextmanager
async def engine(folder: Path, wanted: types.Model) -> AsyncIterator[Engine]:
    database = store.open(f"sqlite:///{folder / 'db'}")
    try:
        installed = (*arbiter_tables.TABLES, *proton_tables.TABLES, *tables.tables_of([wanted]))
        await database.install(installed, [])
        yield Engine(database, registry.Registry([wanted]), Anyone())
    finally:
        await database.close()


async def settled(running: Engine) -> None:
    """What is kept beside the rows agrees with the rows, and the journal leads to the same state."""
    state = await running.state()
    replayed: dict[tuple[str, str], Any] = {}
    for entry in await running.entries():
        if entry.new is None:
            del replayed[entry.type, entry.key]
        else:
            replayed[entry.type, entry.key] = codec.decode(entry.new)
    assert replayed == state
    for (_, kind), resource in running.known.by_name.items():
        rows = await running.select(resource.table)
        for ref in resource.references:
            held = {(row["id"], key) for row in rows for _, key in ref.held(row)}
            assert all((ref.target, key) in state for _, key in held), f"{kind}.{ref.name} dangles"
            if ref.link is not None:
                links = await running.select(ref.link_table)
                assert {(r[tables.OWNER], r[tables.TARGET]) for r in links} == held
    counts: dict[tuple[Any, str], int] = {}
    for (name, _), body in state.items():
        if running.known.by_name[API, name].type.quota is not None:
            counted = (body["project_id"] or "", name)
            counts[counted] = counts.get(counted, 0) + 1
    supplied = {}
    for (_, kind), resource in running.known.by_name.items():
        for row in await running.select(resource.table):
            for pooled in resource.pooled:
                pool = pooled.id(row)
                if pool is not None and row[pooled.column] is not None:
                    holder = f"{kind}/{row['id']}/{pooled.attribute.name}"
                    supplied[str(pool), str(row[pooled.column])] = holder
    stored = await running.select(POOL_VALUE)
    holders = {(str(r["pool"]), str(r["value"])): r["holder"] for r in stored if r["holder"] is not None}
    assert holders == supplied
    kept = {(r["project"], str(r["type"])): r["n"] for r in await running.select(proton_tables.USAGE)}
    assert {k: n for k, n in kept.items() if n} == counts
