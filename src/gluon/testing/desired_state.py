"""Writes a desired state into a bus, as the publisher does: for tests of shims and backends.

In: objects and wanted bindings in plain words. Out: the keys of `gluon.objects.keys`. Revisions
grow by one a write. It has no database behind it, so it is no publisher.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gluon.objects import codec, keys, status
from gluon.spi.bus import Bus

CURSOR = b"test.%d.0"
RESYNC = b"test.1.0.resync-1"


class DesiredState:
    """What a publisher would have written, for one proton."""

    def __init__(self, bus: Bus, *, api: str, controllers: Sequence[str]) -> None:
        self._bus = bus
        self._api = api
        self._controllers = tuple(controllers)
        self._revision = 0
        self.digest = ""
        """The model that objects name from now on; none: any."""

    async def complete(self, revision: int = 1) -> None:
        """Say that all is there, up to this revision of the publisher's."""
        await self._bus.put(keys.RELAY_CURSOR, CURSOR % revision)

    async def begin_resync(self) -> None:
        """Say that something may be missing."""
        await self._bus.put(keys.RELAY_CURSOR, RESYNC)

    async def model(self, version: str, **more: Any) -> None:
        """The proton's model, as far as a shim looks at it."""
        document = {"name": self._api, "version": version, "types": {"Port": {"kind": "port"}}, **more}
        if self.digest:
            document["digest"] = self.digest
        await self._bus.put(keys.model(self._api), codec.encode(document))

    async def put(self, object_type: str, key: str, **body: Any) -> int:
        """Add or replace an object; returns its revision."""
        self._revision += 1
        named = {"model": self.digest} if self.digest else {}
        value = codec.encode({**body, "revision": self._revision, **named})
        await self._bus.put(keys.proton(self._api, object_type, key), value)
        return self._revision

    async def secret(self, object_type: str, key: str, *, revision: int = 0, **values: Any) -> None:
        """The secret attributes of the newest object, or of another revision."""
        said = {"values": values, "revision": revision or self._revision, "model": self.digest}
        await self._bus.put(keys.secret(self._api, object_type, key), codec.encode(said))

    async def delete(self, object_type: str, key: str) -> None:
        await self._bus.delete(keys.proton(self._api, object_type, key))

    async def bind(self, port: str, host: str, *, epoch: int = 0, **wanted: Any) -> int:
        """Want a port bound to a host; returns the epoch."""
        self._revision += 1
        chosen = epoch or self._revision
        given = {"controllers": self._controllers, **wanted}
        value = status.WantedBinding(epoch=chosen, revision=self._revision, **given)
        await self._bus.put(keys.binding(self._api, port, host), codec.encode(value))
        return chosen

    async def unbind(self, port: str, host: str) -> None:
        await self._bus.delete(keys.binding(self._api, port, host))

    async def report(self, shard: str, object_type: str, key: str) -> status.Report | None:
        """What a shim of the first controller says of an object."""
        name = keys.status(self._controllers[0], shard, self._api, object_type, key)
        found = await self._bus.get(name)
        return status.decode_report(found.value) if found else None

    # net-l3vpn in few words.

    async def vpn(self, key: str, targets: str | None = None, **body: Any) -> None:
        await self.put("VpnService", key, id=key, name=key, ipv4_family=targets, **body)

    async def port(self, key: str, **body: Any) -> None:
        """A port with its default interface."""
        await self.put(
            "Port", key, **{"id": key, "mac_address": _mac(key), "admin_state_up": True, "mtu": 1400, **body}
        )
        await self.put("Interface", key, id=key, port_id=key, segmentation_type="none", segmentation_id=0)

    async def attach(self, port: str, service: str, address: str, **body: Any) -> None:
        """The port's default interface becomes part of a service."""
        given = {"ipaddress": address, "subnet_prefix": 24, "gateway": "10.1.1.1", **body}
        await self.put("VpnBinding", port, interface_id=port, service_id=service, **given)

    async def join(self, port: str, service: str, address: str | None, **body: Any) -> None:
        """As `attach`, in version 2.0."""
        given = {"interface_id": port, "service_id": service, "ip_address": address, **body}
        await self.put("VpnBinding", port, id=port, **given)

    async def detach(self, port: str) -> None:
        await self.delete("VpnBinding", port)


def _mac(key: str) -> str:
    digits = codec.digest(key.encode())[:6]
    return f"fa:16:3e:{digits[0:2]}:{digits[2:4]}:{digits[4:6]}"
