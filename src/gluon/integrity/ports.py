"""The arbiter's tables against the protons': the index has each port as it is and as it is bound, and nothing of ports that are gone.

In: a checkup. Out: its findings; `wanted` also tells `mending` which rows there should be. Of rows digests are kept, 8 bytes a
port; the active bindings of all ports are kept as host and status.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from hashlib import blake2b

from gluon.arbiter import bindings, ledger
from gluon.arbiter import tables as arbiter_tables
from gluon.integrity.findings import MOST, Checkup, Kind
from gluon.model.types import Role
from gluon.particles import queries
from gluon.particles import tables as model_tables
from gluon.proton import registry, units
from gluon.spi import store
from gluon.store.ddl import listed, quoted

TOLD = (
    "owner", "api", "object_type", "project", "device_id", "device_owner", "host", "mac", "name", "status",
)  # fmt: skip
"""Columns of the index that follow from the port and its bindings."""

_HISTORIES = "SELECT h.port_id FROM gluon_binding_history h LEFT JOIN gluon_port p ON p.id = h.port_id WHERE p.id IS NULL"
_STATUSES = (
    "SELECT DISTINCT s.object_key FROM gluon_status s LEFT JOIN gluon_port p ON p.id = s.object_key"
    " WHERE p.id IS NULL AND s.api = ? AND s.object_type = ?"
)
_REPAIR = "gluon db check --repair writes the index of owners anew"
_FORGET = "gluon db check --repair removes it"
_Active = Mapping[str, tuple[str, str]]
"""By port: host and operational status of the binding that carries its traffic."""


async def check(checkup: Checkup) -> None:
    if arbiter_tables.PORT not in checkup.picture.there:
        return
    table = next(t for t in arbiter_tables.TABLES if t.name == arbiter_tables.PORT)
    kept: dict[str, bytes] = {}
    served = {m.name for m in checkup.models}
    ours: dict[str, str] = {}
    async for chunk in checkup.picture.scan(table):
        for row in chunk:
            kept[str(row["id"])] = _digest(row)
            if row["owner"] == ledger.OWNER and row["api"] in served:
                ours[str(row["id"])] = str(row["api"])
    active = await _active(checkup)
    unknown: set[str] = set()
    async for resource, row in wanted(checkup, active):
        key = str(row["id"])
        said = kept.pop(key, None)
        ours.pop(key, None)
        if said is None:
            unknown.add(key)
            _find(checkup, key, f"{resource.api} has this port, and the index of owners does not know it")
        elif said != _digest(row):
            _find(checkup, key, f"the index of owners says {await _unlike(checkup, row)}")
    for key, api in ours.items():
        _find(checkup, key, f"the index of owners says that {api} has this port, and it has not")
    await _unbound(checkup, active)
    await _left(checkup, unknown)


async def wanted(
    checkup: Checkup, active: _Active | None = None
) -> AsyncIterator[tuple[registry.Resource, store.Row]]:
    """The row that the index should have for each port."""
    bound = await _active(checkup) if active is None else active
    for resource in checkup.known.by_name.values():
        if resource.is_port and resource.table in checkup.picture.there:
            async for chunk in checkup.picture.scan(model_tables.table(resource.model, resource.type)):
                for row in chunk:
                    revision = int(row[model_tables.REVISION] or 0)
                    made = ledger.port_row(units.facts(resource, row), revision, "DOWN")
                    if found := bound.get(str(made["id"])):
                        made["host"], made["status"] = found
                    yield resource, made


async def _active(checkup: Checkup) -> _Active:
    if arbiter_tables.BINDING not in checkup.picture.there:
        return {}
    table = next(t for t in arbiter_tables.TABLES if t.name == arbiter_tables.BINDING)
    found: dict[str, tuple[str, str]] = {}
    async for chunk in checkup.picture.scan(table):
        for binding in (bindings.read(row) for row in chunk if row["active"]):
            found[binding.port] = binding.host, bindings.operational(binding)
    return found


async def _unbound(checkup: Checkup, active: _Active) -> None:
    """Lists take a port without a host for one that is down, and look no further."""
    for resource in checkup.known.by_name.values():
        host = resource.type.role(Role.HOST) if resource.is_port else None
        texts = resource.type.attributes[resource.type.key].value_type in queries.TEXTS
        if not active or host is None or not texts or resource.table not in checkup.picture.there:
            continue
        key, column = quoted(resource.records.key_column), quoted(resource.records.column(host))
        rows = await checkup.picture.fetch(
            f"SELECT o.{key}, b.host FROM {quoted(resource.table)} o JOIN gluon_binding b ON b.port_id = o.{key}"
            f" WHERE b.active AND o.{column} IS NULL ORDER BY o.{key} LIMIT {MOST * 50}"
        )
        for port, where in rows:
            checkup.find(
                Kind.PORTS, resource.table, f"{resource.api} {resource.name} {port}",
                f"it carries traffic on host {where}, and says that it is on no host",
                "bind it once more: write its host and device",
            )  # fmt: skip


async def _left(checkup: Checkup, unknown: set[str]) -> None:
    """What is kept of ports that are in no index, and should have gone with them."""
    rows = await checkup.picture.fetch(
        "SELECT b.port_id, b.host FROM gluon_binding b LEFT JOIN gluon_port p ON p.id = b.port_id"
        " WHERE p.id IS NULL LIMIT 1000"
    )
    for port, host in rows:
        if port not in unknown:
            checkup.find(
                Kind.PORTS, arbiter_tables.BINDING, f"port {port}", f"it is bound to {host}, and there is no such port",
                "make it with this id and delete it again, or restore a backup",
            )  # fmt: skip
    words = {
        arbiter_tables.HISTORY: "what became of its bindings",
        arbiter_tables.STATUS: "what shims say of it",
    }
    for table, key, _ in await gone(checkup, f"LIMIT {MOST * 50}"):
        if key not in unknown:
            message = f"{words[table]} is kept, and there is no such port"
            checkup.find(Kind.PORTS, table, f"port {key}", message, _FORGET, mendable=True)


async def gone(checkup: Checkup, limit: str = "") -> list[tuple[str, str, Mapping[str, str]]]:
    """Tables, ports that they speak of and that are in no index, and the columns by which these rows are found."""
    found: list[tuple[str, str, Mapping[str, str]]] = []
    if arbiter_tables.HISTORY in checkup.picture.there:
        for row in await checkup.picture.fetch(f"{_HISTORIES} {limit}"):
            key = str(row[0])
            found.append((arbiter_tables.HISTORY, key, {arbiter_tables.PORT_ID: key}))
    if arbiter_tables.STATUS in checkup.picture.there:
        for resource in (r for r in checkup.known.by_name.values() if r.is_port):
            of = resource.api, resource.name
            for row in await checkup.picture.fetch(f"{_STATUSES} {limit}", *of):
                key = str(row[0])
                named = dict(zip(arbiter_tables.OF_OBJECT, (*of, key), strict=True))
                found.append((arbiter_tables.STATUS, key, named))
    return found


async def _unlike(checkup: Checkup, right: store.Row) -> str:
    """What one row of the index says otherwise."""
    sql = f"SELECT {listed(TOLD)} FROM {quoted(arbiter_tables.PORT)} WHERE id = ?"
    said = (await checkup.picture.fetch(sql, right["id"]))[0]
    return ", ".join(
        f"{name} {is_now!r}, and it is {right[name]!r}"
        for name, is_now in zip(TOLD, said, strict=True)
        if is_now != right[name]
    )


def _digest(row: store.Row) -> bytes:
    return blake2b(repr([row[name] for name in TOLD]).encode(), digest_size=8).digest()


def _find(checkup: Checkup, port: str, message: str) -> None:
    checkup.find(Kind.PORTS, arbiter_tables.PORT, f"port {port}", message, _REPAIR, mendable=True)
