"""What an admin or a monitor may ask of a process: `api.routes.Operations` over the parts of a node.

In: the parts. Out: facts and actions, as plain data. Called by `node`.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from gluon import errors
from gluon.api import metrics, ports, routes
from gluon.arbiter import account, hosts
from gluon.cmd import administer, figures
from gluon.cmd.gathering import Gathering
from gluon.cmd.health import Health
from gluon.cmd.protons import Protons
from gluon.objects import codec, keys
from gluon.publisher import publisher
from gluon.publisher import resync as resync_room
from gluon.spi import bus as spi_bus
from gluon.spi import store as spi_store

_PATIENCE = 1.0
"""Seconds that etcd has to answer for an account of a port."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Of one node."""

    database: spi_store.Store
    bus: spi_bus.Bus
    publishing: publisher.Publisher
    process: str
    protons: Protons
    health: Health
    gathering: Gathering

    async def status(self) -> dict[str, Any]:
        stands = await publisher.standing(self.database, self.bus)
        position = await self.database.position()
        return {
            "process": self.process,
            "database": {
                "incarnation": position.incarnation,
                "revision": position.revision,
                "oldest": position.oldest,
            },
            "resync_wanted": not stands.error and await self.bus.get(keys.RELAY_RESYNC) is not None,
            "publisher": {
                **codec.decode(codec.encode(stands)),
                "lag": stands.lag,
                **self.publishing.stats.snapshot(),
            },
            "policy": self.protons.policy.facts(),
            "shims": codec.decode(codec.encode(list(self.publishing.registrations.current()))),
            **self._away(),
            "processes": await self.gathering.all(),
            "shared": await self.shared(),
        }

    async def shared(self) -> dict[str, Any]:
        return await figures.shared(self.database, self.bus, self.protons.models)

    async def page(self) -> tuple[bytes, str]:
        """The metrics of all processes of this server."""
        try:
            common = await self.shared()
        except errors.GluonError:  # no table yet, say: what processes count is told all the same
            common = {"database_up": 0, "etcd_up": 0, "pools": []}
        return metrics.page(figures.families(await self.gathering.all(), common))

    async def resync(self) -> dict[str, Any]:
        await resync_room.request(self.bus, self.process)
        return {"resync": "asked for"}

    async def peek(self, key: str) -> bytes | None:
        """The value of a key in etcd, if it answers soon. Raises `BusError`."""
        try:
            async with asyncio.timeout(_PATIENCE):
                found = await self.bus.get(key)
        except TimeoutError:
            raise errors.BusUnavailable(f"not within {_PATIENCE:g} s") from None
        return found.value if found is not None else None

    def _away(self) -> dict[str, Any]:
        """Hosts of which something was said and that nobody serves; nothing while that is not known."""
        try:
            found = self.hosts.list()["hosts"]
        except errors.BusError:
            return {}
        return {"away": [host for host in found if not host["instances"]]}

    async def listed(self) -> dict[str, Any]:
        return self.hosts.list()

    @property
    def hosts(self) -> hosts.Hosts:
        return hosts.Hosts(
            self.database, self.bus, self.publishing.told, self.publishing.registrations.current
        )

    @property
    def accounts(self) -> account.Accounts:
        known = self.publishing.registrations
        return account.Accounts(self.database, known, self.protons.versions, self.peek)


def operations(parts: Parts, admin: administer.Administration) -> routes.Operations:
    return routes.Operations(
        status=parts.status,
        ready=parts.health.look,
        metrics=parts.page,
        resync=parts.resync,
        hosts=parts.listed,
        forget=parts.hosts.forget,
        ports=ports.Ports(parts.database).page,
        account=parts.accounts.of,
        protons=admin.loaded,
        load=admin.load,
        retire=admin.retire,
    )
