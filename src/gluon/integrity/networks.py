"""The table of networks against the services: each service is the network that its id says, and no other is there.

In: a checkup. Out: its findings; `differing` also tells `mending` what to write. Types that nobody has asked for as networks yet are
not judged: their services are entered when somebody does.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from gluon.integrity.findings import Checkup, Kind
from gluon.particles import tables as model_tables
from gluon.spi import networks, store

_REPAIR = "gluon db check --repair writes the table of networks anew"


async def check(checkup: Checkup) -> None:
    async for row, there in differing(checkup):
        what = f"{row['api']} {row['object_type']} {row['object_key']}"
        wrong = f"the table of networks says that this is network {row['id']}, and it is not"
        said = wrong if there else "the table of networks does not know this service"
        checkup.find(Kind.NETWORKS, networks.TABLE.name, what, said, _REPAIR, mendable=True)


async def differing(checkup: Checkup) -> AsyncIterator[tuple[store.Row, bool]]:
    """Rows that should not be there, and (false) rows that should."""
    if networks.TABLE.name not in checkup.picture.there:
        return
    kept: dict[str, store.Row] = {}
    async for chunk in checkup.picture.scan(networks.TABLE):
        kept |= {str(row["id"]): row for row in chunk}
    for resource in checkup.known.by_name.values():
        if not resource.is_service or resource.table not in checkup.picture.there:
            continue
        entered = kept.pop(networks.network_id(resource.api, resource.name, ""), None) is not None
        async for chunk in checkup.picture.scan(model_tables.table(resource.model, resource.type)):
            for service in chunk:
                row = networks.row(resource.api, resource.name, service[resource.records.key_column])
                said = kept.pop(str(row["id"]), None)
                if said is not None and said != row:
                    yield said, True
                if said != row and (said is not None or entered):
                    yield row, False
    served = {m.name for m in checkup.models}
    for row in kept.values():
        if row["api"] in served:
            yield row, True
