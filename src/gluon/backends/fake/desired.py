"""From the desired state to forwarding facts. Pure.

A scope is a bound port (`port/<id>`: the place where its VIF is plugged) or a VPN (`vpn/<service>`:
its VRF on each host with an attachment, and the host routes of those attachments).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gluon.particles import l3vpn
from gluon.spi.backend import PortBinding, Ref, Rows, World

_PORT = "port/"
_VPN = "vpn/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the VIF of a port is plugged."""

    port: str
    host: str
    bridge: str

    @property
    def key(self) -> str:
        return place_key(self.port, self.host)

    @property
    def scope(self) -> str:
        return port_scope(self.port)


@dataclass(frozen=True, slots=True, kw_only=True)
class Vrf:
    """The VRF of a VPN on one host."""

    service: str
    host: str
    route_distinguisher: str
    import_targets: tuple[str, ...]
    export_targets: tuple[str, ...]

    @property
    def key(self) -> str:
        return f"vrf/{self.service}@{self.host}"

    @property
    def scope(self) -> str:
        return vpn_scope(self.service)

    def imports_from(self, other: Vrf) -> bool:
        return not set(self.import_targets).isdisjoint(other.export_targets)


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A host route: `address` is behind an interface of `port`."""

    service: str
    host: str
    port: str
    interface: str
    mac: str
    address: str

    @property
    def key(self) -> str:
        return route_key(self.service, self.interface, self.host)

    @property
    def scope(self) -> str:
        return vpn_scope(self.service)


Fact = Place | Vrf | Route


def port_scope(port: str) -> str:
    return _PORT + port


def vpn_scope(service: str) -> str:
    return _VPN + service


def place_key(port: str, host: str) -> str:
    return f"port/{port}@{host}"


def route_key(service: str, interface: str, host: str) -> str:
    return f"route/{service}/{interface}@{host}"


def scopes(world: World, ref: Ref) -> frozenset[str]:
    """The scopes that an object is part of."""
    found = {vpn_scope(s) for s in l3vpn.services_of(world, ref.api, ref.object_type, ref.key)}
    if ref.object_type == l3vpn.PORT:
        found.add(port_scope(ref.key))
    return frozenset(found)


def all_scopes(world: World, api: str, host: str | None) -> frozenset[str]:
    """The scopes that have facts on `host` (None: anywhere)."""
    ports = {port_scope(bound.ref.key) for bound in world.bindings(api, host)}
    return frozenset(ports | set(map(vpn_scope, l3vpn.attached_services(world, api, host))))


def members(world: World, api: str, scope: str) -> frozenset[Ref]:
    """The objects whose status may change with a scope."""
    if scope.startswith(_PORT):
        return frozenset({Ref(api, l3vpn.PORT, scope.removeprefix(_PORT))})
    return l3vpn.members(world, api, scope.removeprefix(_VPN))


def rows(world: World, api: str, scope: str, host: str | None, bridge: str) -> Rows:
    """The facts that `scope` should have."""
    if scope.startswith(_PORT):
        port = Ref(api, l3vpn.PORT, scope.removeprefix(_PORT))
        made: Iterator[Fact] = _places(bindings(world, port, host), bridge)
    else:
        view = l3vpn.vrf(world, api, scope.removeprefix(_VPN), host)
        made = _facts(view) if view else iter(())
    return {fact.key: fact for fact in made}


def bindings(world: World, port: Ref, host: str | None) -> list[PortBinding]:
    """The wanted bindings of a port that has arrived, on this shard."""
    return [b for b in world.bindings_of(port) if b.port is not None and host in (None, b.host)]


def _places(bound: list[PortBinding], bridge: str) -> Iterator[Fact]:
    for one in bound:
        yield Place(port=one.ref.key, host=one.host, bridge=bridge)


def _facts(view: l3vpn.Vrf) -> Iterator[Fact]:
    for host in sorted({attached.host for attached in view.attachments}):
        yield Vrf(
            service=view.service,
            host=host,
            route_distinguisher=view.route_distinguisher,
            import_targets=view.import_targets,
            export_targets=view.export_targets,
        )
    for attached in view.attachments:
        if attached.routed:
            yield Route(
                service=view.service,
                host=attached.host,
                port=attached.port,
                interface=attached.interface,
                mac=attached.mac,
                address=attached.address,
            )
