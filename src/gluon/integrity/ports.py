"""The arbiter's tables against the protons': each port has one owner on record, each binding a port.

In: a checkup. Out: its findings; `wanted` also tells `mending` which rows there should be.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from gluon.arbiter import ledger
from gluon.arbiter import tables as arbiter_tables
from gluon.integrity.findings import Checkup, Kind
from gluon.particles import tables as model_tables
from gluon.proton import registry, units
from gluon.spi import store

_REPAIR = "gluon db check --repair writes the index of owners anew"
_OWN = ("owner", "api", "object_type", "project")


async def check(checkup: Checkup) -> None:
    there = checkup.picture.there
    if arbiter_tables.PORT not in there:
        return
    table = next(t for t in arbiter_tables.TABLES if t.name == arbiter_tables.PORT)
    kept: dict[str, tuple[store.Value, ...]] = {}
    async for chunk in checkup.picture.scan(table):
        kept |= {str(row["id"]): tuple(row[c] for c in _OWN) for row in chunk}
    served = {m.name for m in checkup.models}
    unknown: set[str] = set()
    async for resource, row in wanted(checkup):
        key = str(row["id"])
        said = kept.pop(key, None)
        if said is None:
            unknown.add(key)
            _find(checkup, key, f"{resource.api} has this port, and the index of owners does not know it")
        elif said != tuple(row[c] for c in _OWN):
            _find(checkup, key, f"the index of owners says {said}, and it is {tuple(row[c] for c in _OWN)}")
    for key, said in kept.items():
        if said[0] == ledger.OWNER and said[1] in served:
            _find(checkup, key, f"the index of owners says that {said[1]} has this port, and it has not")
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


async def wanted(checkup: Checkup) -> AsyncIterator[tuple[registry.Resource, store.Row]]:
    """The row that the index should have for each port, as for one that is not bound."""
    for resource in checkup.known.by_name.values():
        if resource.is_port and resource.table in checkup.picture.there:
            async for chunk in checkup.picture.scan(model_tables.table(resource.model, resource.type)):
                for row in chunk:
                    revision = int(row[model_tables.REVISION] or 0)
                    yield resource, ledger.port_row(units.facts(resource, row), revision, "DOWN")


def _find(checkup: Checkup, port: str, message: str) -> None:
    checkup.find(Kind.PORTS, arbiter_tables.PORT, f"port {port}", message, _REPAIR, mendable=True)
