"""The backend `fake`: what the shim engine talks to.

In: the desired state; options of tests. Out: facts in a `FakeNetwork`. Serves one host or all
(`*`). Options: `network` (a `FakeNetwork` to share), `plug` (`auto`: a VIF is there as soon as its
place is; `manual`: by `FakeNetwork.plug`), `bridge`, `refuse` (hosts whose bindings are refused),
`delay` (seconds before a binding is answered), `explain` (a condition `Reaches` on each port says whom
it reaches, as long as there are few), `hypervisors` (a folder of files that say what is plugged on hosts, see there).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import ClassVar, Literal

from gluon.backends.fake import apply, desired
from gluon.backends.fake.actual import FakeNetwork
from gluon.backends.fake.hypervisors import Hypervisors
from gluon.errors import GiveUp, TryLater
from gluon.objects import status
from gluon.objects.status import Condition
from gluon.particles import l2, l3vpn
from gluon.spi import backend as spi

_OPTIONS = frozenset({"network", "plug", "bridge", "refuse", "delay", "explain", "hypervisors"})
_SHOWN = 32
"""Most neighbours that `Reaches` names."""
_EXPLAINED = 100
"""Most addresses of a network for which `Reaches` is computed at all."""


class FakeBackend:
    """L3VPNs and layer 2 networks in memory."""

    api_version: ClassVar[int] = spi.API_VERSION
    name: ClassVar[str] = "fake"
    apis: ClassVar[Mapping[str, tuple[str, ...]]] = {
        l3vpn.API: l3vpn.VERSIONS,
        l2.API: l2.VERSIONS,
    }
    vnic_types: ClassVar[tuple[str, ...]] = ()
    per_host: ClassVar[bool] = False
    deadline: ClassVar[float] = 10.0
    secrets: ClassVar[tuple[str, ...]] = (l3vpn.API, l2.API)

    def __init__(self, setting: spi.Setting) -> None:
        options = setting.options
        unknown = sorted(set(options) - _OPTIONS)
        if unknown:
            raise ValueError(f"the fake backend has no option {', '.join(unknown)}")
        self.network: FakeNetwork = options.get("network") or FakeNetwork()
        self.plane = self.network.plane(setting.host)
        self._host = None if setting.host == "*" else setting.host
        if "plug" in options:
            self.network.auto = options["plug"] == "auto"
        self._hypervisors: Hypervisors | None = None
        if "hypervisors" in options:
            self.network.auto = False
            self._hypervisors = Hypervisors(Path(options["hypervisors"]), self.network, self._host)
        self._following: asyncio.Task[None] | None = None
        self._bridge = str(options.get("bridge", "br-gluon"))
        self._refused = frozenset(options.get("refuse", ()))
        self._delay = float(options.get("delay", 0.0))
        self._explains = bool(options.get("explain", False))
        self._asked: dict[tuple[spi.Ref, str], tuple[int, float]] = {}
        self._look: spi.Look | None = None

    async def start(self, look: spi.Look) -> None:
        self.plane.check()
        self._look = look
        self.plane.watchers.append(look)
        if self._hypervisors is not None:
            self._hypervisors.look()
            self._following = asyncio.create_task(
                self._hypervisors.follow(), name=f"hypervisors of {self._host or '*'}"
            )

    async def stop(self) -> None:
        if self._look is not None and self._look in self.plane.watchers:
            self.plane.watchers.remove(self._look)
        if self._following is not None:
            self._following.cancel()
            await asyncio.gather(self._following, return_exceptions=True)

    def bind(self, world: spi.World, binding: spi.PortBinding) -> spi.Vif:
        if binding.host in self._refused:
            raise GiveUp(f"host {binding.host} is refused by configuration", reason="HostRefused")
        if self._hypervisors is not None and self._hypervisors.refuses(binding.host):
            raise GiveUp(f"host {binding.host} refuses bindings", reason="HostRefused")
        self._wait(binding)
        return spi.Vif(vif_type="ovs", details={"bridge_name": self._bridge, "port_filter": False})

    def scopes(self, world: spi.World, ref: spi.Ref) -> frozenset[str]:
        return desired.scopes(world, ref)

    def all_scopes(self, world: spi.World) -> Iterator[str]:
        return desired.all_scopes(world, self._host)

    def members(self, world: spi.World, scope: str) -> frozenset[spi.Ref]:
        return desired.members(world, scope)

    def desired(self, world: spi.World, scope: str) -> spi.Rows:
        return desired.rows(world, scope, self._host, self._bridge)

    async def actual(self) -> Mapping[str, spi.Rows]:
        return self.plane.read()

    async def apply(self, delta: spi.Delta) -> None:
        apply.write(delta, self.plane)

    def status(self, world: spi.World, ref: spi.Ref) -> spi.ObjectStatus | None:
        found = self._status(world, ref)
        given = sorted(name for name, value in (world.secrets(ref) or {}).items() if value is not None)
        if not given or ref.api not in desired.APIS or (found is None and self._host is not None):
            return found
        told = _condition("Secrets", "Present", ", ".join(given))  # their names, and nothing more
        if found is None:
            return spi.ObjectStatus(conditions=(told,), up=True)
        return replace(found, conditions=(*found.conditions, told))

    def _status(self, world: spi.World, ref: spi.Ref) -> spi.ObjectStatus | None:
        if ref.api not in desired.APIS or world.get(ref) is None:
            return None
        if ref.object_type == l3vpn.PORT:
            return self._of_port(world, ref)
        if ref.api == l2.API and ref.object_type == l2.SERVICE:
            return self._of_network(world, ref.key)
        if ref.api == l3vpn.API and ref.object_type == l3vpn.SERVICE:
            return self._of_service(world, ref.key)
        if self._uses(world, ref):
            return spi.ObjectStatus(conditions=(_condition(status.READY, "Used"),), up=True)
        return None

    def _wait(self, binding: spi.PortBinding) -> None:
        """The option `delay`, counted from when an epoch was asked for first."""
        if not self._delay:
            return
        now = time.monotonic()
        key = (binding.ref, binding.host)
        epoch, since = self._asked.get(key, (None, now))
        if epoch != binding.wanted.epoch:
            since = now
            self._asked[key] = (binding.wanted.epoch, now)
        left = since + self._delay - now
        if left > 0:
            raise TryLater("the option delay says so", after=left)

    def _of_port(self, world: spi.World, ref: spi.Ref) -> spi.ObjectStatus | None:
        bound = desired.bindings(world, ref, self._host)
        if not bound:
            return None
        there = frozenset(b.host for b in bound if self.network.is_plugged(ref.key, b.host))
        plugged = all(b.host in there for b in bound if b.wanted.active)
        wanted = [desired.place_key(ref.key, b.host, ref.api) for b in bound]
        problems: list[str] = []
        if ref.api == l2.API:
            for network, station in l2.attachments_of_port(world, ref.key, self._host):
                problems += station.problems
                if station.switched:
                    wanted.append(desired.station_key(network, station.interface, station.host))
        else:
            for service, attached in l3vpn.attachments_of_port(world, ref.api, ref.key, self._host):
                problems += attached.problems
                wanted += desired.route_keys(service, attached)
        missing = any(key not in self.plane.facts for key in wanted)
        if problems:
            programmed = _condition(status.PROGRAMMED, "InvalidValue", "; ".join(problems), state="False")
        elif missing:
            programmed = _condition(status.PROGRAMMED, "Pending", state="False")
        else:
            programmed = _condition(status.PROGRAMMED, "Programmed")
        up = plugged and programmed.status == "True"
        why = "Up" if up else "NotPlugged" if not plugged else programmed.reason
        ready = _condition(status.READY, why, state="True" if up else "False")
        told = (self._reached(ref),) if self._explains else ()
        return spi.ObjectStatus(conditions=(programmed, ready, *told), up=up, plugged=there)

    def _reached(self, ref: spi.Ref) -> Condition:
        """Whom the port reaches, and back: `<address> <port>` each, in a network `<MAC address> <port>`."""
        view = self.network.view()
        ends = [(r.address, r.port) for r in view.routes]
        if ref.api == l2.API:
            ends = [(s.mac, s.port) for s in view.stations]
        if len(ends) > _EXPLAINED:
            return _condition("Reaches", "TooMany", f"not computed for more than {_EXPLAINED} addresses")
        near = [end for end in ends if end[1] == ref.key or view.pings(ref.key, end[1])]
        names = sorted({f"{address} {port}" for address, port in near})
        more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        return _condition("Reaches", "Computed", ", ".join(names[:_SHOWN]) + more)

    def _of_service(self, world: spi.World, service: str) -> spi.ObjectStatus | None:
        view = l3vpn.vrf(world, l3vpn.API, service, self._host)
        if view is None or (self._host is not None and not view.attachments):
            return None
        ready = _condition(status.READY, "Programmed")
        return spi.ObjectStatus(conditions=(ready, l3vpn.routing_condition(view)), up=True)

    def _of_network(self, world: spi.World, service: str) -> spi.ObjectStatus | None:
        view = l2.network(world, service, self._host)
        if view is None or (self._host is not None and not view.attachments):
            return None
        return spi.ObjectStatus(conditions=(_condition(status.READY, "Programmed"),), up=True)

    def _uses(self, world: spi.World, ref: spi.Ref) -> bool:
        """Whether something on this shard is made from an interface, a service binding or a target."""
        binding = l2.BINDING if ref.api == l2.API else l3vpn.BINDING
        if ref.object_type in {l3vpn.INTERFACE, binding}:
            if self._host is None:
                return True
            port = (
                l2.port_of(world, ref.object_type, ref.key)
                if ref.api == l2.API
                else l3vpn.port_of(world, ref.api, ref.object_type, ref.key)
            )
            return port is not None and bool(desired.bindings(world, port, self._host))
        if ref.object_type != l3vpn.AF_CONFIG:
            return False
        used = l3vpn.services_of(world, ref.api, ref.object_type, ref.key)
        return self._host is None or not used.isdisjoint(l3vpn.attached_services(world, ref.api, self._host))


def _condition(
    kind: str, reason: str, message: str = "", *, state: Literal["True", "False", "Unknown"] = "True"
) -> status.Condition:
    return status.Condition(type=kind, status=state, reason=reason, message=message)
