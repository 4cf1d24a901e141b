"""From the desired state to forwarding facts. Pure.

A scope is a bound port (`port/<id>`: the place where its VIF is plugged) or a VPN (`vpn/<service>`:
its VRFs on each host with an attachment, and the routes of those attachments). Those of `net-l2` are
`l2port/<id>` and `network/<service>`: who is a station of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gluon.particles import l2, l3vpn
from gluon.spi.backend import PortBinding, Ref, Rows, World

_PORTS = {l3vpn.API: "port/", l2.API: "l2port/"}
_SERVICES = {l3vpn.API: "vpn/", l2.API: "network/"}
APIS = tuple(_PORTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the VIF of a port is plugged."""

    port: str
    host: str
    bridge: str
    api: str = l3vpn.API

    @property
    def key(self) -> str:
        return place_key(self.port, self.host, self.api)

    @property
    def scope(self) -> str:
        return port_scope(self.port, self.api)


@dataclass(frozen=True, slots=True, kw_only=True)
class Vrf:
    """The VRF of a VPN on one host, for the attachments of one role; targets without family are IPv4's."""

    service: str
    host: str
    route_distinguisher: str
    import_targets: tuple[str, ...]
    export_targets: tuple[str, ...]
    role: str = l3vpn.Role.MEMBER
    import_targets_v6: tuple[str, ...] = ()
    export_targets_v6: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        return f"vrf/{_table(self.service, self.role)}@{self.host}"

    @property
    def scope(self) -> str:
        return vpn_scope(self.service)

    @property
    def isolates(self) -> bool:
        """Whether its attachments do not even hear one another."""
        return self.role == l3vpn.Role.SPOKE

    def imports_from(self, other: Vrf, family: l3vpn.Family) -> bool:
        if family is l3vpn.Family.V6:
            return not set(self.import_targets_v6).isdisjoint(other.export_targets_v6)
        return not set(self.import_targets).isdisjoint(other.export_targets)


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """`address` is behind an interface of `port`: an address, or a prefix."""

    service: str
    host: str
    port: str
    interface: str
    mac: str
    address: str
    role: str = l3vpn.Role.MEMBER
    kind: str = l3vpn.Kind.ADDRESS
    first: bool = True
    """The address that its attachment has before all others."""

    @property
    def key(self) -> str:
        return route_key(self.service, self.interface, self.host, "" if self.first else self.address)

    @property
    def scope(self) -> str:
        return vpn_scope(self.service)

    @property
    def family(self) -> l3vpn.Family:
        return l3vpn.family_of(self.address)


@dataclass(frozen=True, slots=True, kw_only=True)
class Station:
    """An interface of `port` in a network: `tag` 0 means untagged. It needs no address."""

    network: str
    host: str
    port: str
    interface: str
    mac: str
    tag: int
    addresses: tuple[str, ...]

    @property
    def key(self) -> str:
        return station_key(self.network, self.interface, self.host)

    @property
    def scope(self) -> str:
        return _SERVICES[l2.API] + self.network


Fact = Place | Vrf | Route | Station


def port_scope(port: str, api: str = l3vpn.API) -> str:
    return _PORTS[api] + port


def vpn_scope(service: str) -> str:
    return _SERVICES[l3vpn.API] + service


def place_key(port: str, host: str, api: str = l3vpn.API) -> str:
    return f"{_PORTS[api]}{port}@{host}"


def route_key(service: str, interface: str, host: str, destination: str = "") -> str:
    return f"route/{service}/{interface}{destination and '/'}{destination}@{host}"


def station_key(network: str, interface: str, host: str) -> str:
    return f"station/{network}/{interface}@{host}"


def scopes(world: World, ref: Ref) -> frozenset[str]:
    """The scopes that an object is part of."""
    if ref.api not in _PORTS:
        return frozenset()
    if ref.api == l2.API:
        services = l2.services_of(world, ref.object_type, ref.key)
    else:
        services = l3vpn.services_of(world, ref.api, ref.object_type, ref.key)
    found = {_SERVICES[ref.api] + service for service in services}
    if ref.object_type == l3vpn.PORT:
        found.add(port_scope(ref.key, ref.api))
    return frozenset(found)


def all_scopes(world: World, host: str | None) -> Iterator[str]:
    """The scopes that have facts on `host` (None: anywhere)."""
    for api in APIS:
        for bound in world.bindings(api, host):
            yield from scopes(world, bound.ref)


def members(world: World, scope: str) -> frozenset[Ref]:
    """The objects whose status may change with a scope."""
    api, is_port, key = _parse(scope)
    if is_port:
        return frozenset({Ref(api, l3vpn.PORT, key)})
    return l2.members(world, key) if api == l2.API else l3vpn.members(world, api, key)


def rows(world: World, scope: str, host: str | None, bridge: str) -> Rows:
    """The facts that `scope` should have."""
    api, is_port, key = _parse(scope)
    made: Iterator[Fact] = iter(())
    if is_port:
        made = _places(bindings(world, Ref(api, l3vpn.PORT, key), host), bridge)
    elif api == l2.API and (network := l2.network(world, key, host)) is not None:
        made = _stations(network)
    elif api == l3vpn.API and (view := l3vpn.vrf(world, api, key, host)) is not None:
        made = _facts(view)
    return {fact.key: fact for fact in made}


def bindings(world: World, port: Ref, host: str | None) -> list[PortBinding]:
    """The wanted bindings of a port that has arrived, on this shard."""
    return [b for b in world.bindings_of(port) if b.port is not None and host in (None, b.host)]


def route_keys(service: str, attached: l3vpn.Attachment) -> list[str]:
    """The keys of the routes of an attachment, none if it is to have none."""
    made = _routes(service, attached) if attached.routed else ()
    return [route.key for route in made]


def _parse(scope: str) -> tuple[str, bool, str]:
    """The proton, whether it is a port's, and the key."""
    kind, _, key = scope.partition("/")
    for is_port, names in ((True, _PORTS), (False, _SERVICES)):
        for api, prefix in names.items():
            if prefix == f"{kind}/":
                return api, is_port, key
    return "", False, key


def _table(service: str, role: str) -> str:
    return service if role == l3vpn.Role.MEMBER else f"{service}/{role}"


def _places(bound: list[PortBinding], bridge: str) -> Iterator[Fact]:
    for one in bound:
        yield Place(port=one.ref.key, host=one.host, bridge=bridge, api=one.ref.api)


def _facts(whole: l3vpn.Vrf) -> Iterator[Fact]:
    for view in whole.by_role():
        for host in sorted({attached.host for attached in view.attachments}):
            yield Vrf(
                service=view.service,
                host=host,
                route_distinguisher=view.route_distinguisher,
                import_targets=view.import_targets,
                export_targets=view.export_targets,
                role=view.role,
                import_targets_v6=view.ipv6.imported,
                export_targets_v6=view.ipv6.exported,
            )
    for attached in whole.attachments:
        if attached.routed:
            yield from _routes(whole.service, attached)


def _routes(service: str, attached: l3vpn.Attachment) -> Iterator[Route]:
    for route in attached.routes:
        yield Route(
            service=service,
            host=attached.host,
            port=attached.port,
            interface=attached.interface,
            mac=attached.mac,
            address=route.destination,
            role=attached.role,
            kind=route.kind,
            first=route.destination == attached.address,
        )


def _stations(network: l2.Network) -> Iterator[Fact]:
    for attached in network.attachments:
        if attached.switched:
            yield Station(
                network=network.service,
                host=attached.host,
                port=attached.port,
                interface=attached.interface,
                mac=attached.mac,
                tag=attached.tag,
                addresses=attached.addresses,
            )
