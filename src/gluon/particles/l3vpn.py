"""What the objects of `net-l3vpn` 1.0 mean: VRFs with their targets and attachments.

In: the desired state (`spi.backend.World`) and a proton's name.
Out: frozen `Vrf` views. Pure, and total: text that means nothing ends up in `Vrf.problems`, never
in an exception. Called by every backend that serves L3VPNs, so that all of them agree on who is a
member of a VPN and which routes it imports and exports.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from gluon.objects import status
from gluon.spi.backend import PortBinding, Ref, Stored, World
from gluon.values import ip, mac, uuid
from gluon.values.route_target import RouteDistinguisher, RouteTarget

API = "net-l3vpn"
PORT = "Port"
INTERFACE = "Interface"
SERVICE = "VpnService"
BINDING = "VpnBinding"
AF_CONFIG = "VpnAfConfig"

REMOTE_ROUTES = "RemoteRoutes"
"""Condition type of a service: does it exchange routes with other hosts?"""

_EXPORTS = frozenset({"export_extcommunity", "both"})
_IMPORTS = frozenset({"import_extcommunity", "both"})


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Attachment:
    """One interface of a bound port inside a VPN.

    `address` is "" where the service binding gives none, or none that can be read; `prefix_length`
    0 where it gives none. `problems` are sentences about its own text. `active` False: the target of a live migration, not announced yet.
    """

    port: str
    interface: str
    host: str
    mac: str
    address: str
    prefix_length: int = 0
    gateway: str = ""
    mtu: int = 0
    segmentation_type: str = "none"
    segmentation_id: int = 0
    admin_up: bool = True
    active: bool = True
    problems: tuple[str, ...] = ()

    @property
    def routed(self) -> bool:
        """Whether its address is to be reachable: a host route (/32) of the VPN."""
        return bool(self.address) and self.admin_up and self.active


@dataclass(frozen=True, slots=True, kw_only=True)
class Vrf:
    """One VPN as a PE sees it.

    `route_distinguisher` is "" where the service names none. Targets are in their normal text
    form, sorted. `problems` are sentences about text of the service that could not be used.
    """

    service: str
    name: str
    revision: int
    route_distinguisher: str = ""
    import_targets: tuple[str, ...] = ()
    export_targets: tuple[str, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    problems: tuple[str, ...] = ()

    def imports_from(self, other: Vrf) -> bool:
        """Whether routes that `other` exports come in here (RFC 4364, section 4.3.1)."""
        return not set(self.import_targets).isdisjoint(other.export_targets)


def vrf(world: World, api: str, service: str, host: str | None = None) -> Vrf | None:
    """The VPN `service` with the attachments bound to `host` (None: to any). None: no such service."""
    found = world.get(Ref(api, SERVICE, service))
    return _view(world, api, found, _attachments(world, api, found, host)) if found else None


def vrfs(world: World, api: str, host: str | None = None) -> tuple[Vrf, ...]:
    """All VPNs, ordered by key, those without attachments too."""
    services = world.all(api, SERVICE)
    return tuple(_view(world, api, found, _attachments(world, api, found, host)) for found in services)


def vrfs_at(world: World, api: str, host: str) -> dict[str, Vrf]:
    """The VPNs with an attachment on `host`, by key in order. It costs what the ports of that host do,
    however many members the VPNs have elsewhere."""
    found: dict[str, list[Attachment]] = {}
    for bound in world.bindings(api, host):
        if bound.port is None:
            continue
        for interface in world.where(api, INTERFACE, "port_id", bound.ref.key):
            binding = world.get(Ref(api, BINDING, interface.ref.key))
            if binding is not None:
                service = _key(binding.body.get("service_id"))
                found.setdefault(service, []).append(_attachment(binding, interface, bound.port, bound))
    services = ((world.get(Ref(api, SERVICE, key)), found[key]) for key in sorted(found))
    return {service.ref.key: _view(world, api, service, held) for service, held in services if service}


def attached_services(world: World, api: str, host: str | None = None) -> frozenset[str]:
    """The keys of the services with a port that is wanted on `host` (None: on any)."""
    ports = {bound.ref.key for bound in world.bindings(api, host)}
    named = {service for port in ports for service in _services_of_port(world, api, port)}
    return frozenset(service for service in named if world.get(Ref(api, SERVICE, service)))


def port_of(world: World, api: str, object_type: str, key: str) -> Ref | None:
    """The port that a port, interface or service binding belongs to; None for any other object."""
    if object_type == PORT:
        return Ref(api, PORT, key)
    interface = world.get(Ref(api, INTERFACE, key)) if object_type in {INTERFACE, BINDING} else None
    return Ref(api, PORT, _key(interface.body.get("port_id"))) if interface else None


def services_of(world: World, api: str, object_type: str, key: str) -> frozenset[str]:
    """The keys of the services whose VRF may depend on this object (which may be gone)."""
    if object_type == SERVICE:
        return frozenset({key})
    if object_type == PORT:
        return frozenset(_services_of_port(world, api, key))
    if object_type in {INTERFACE, BINDING}:
        return frozenset(_services_of_interface(world, api, key))
    if object_type == AF_CONFIG:
        wanted = _normal(key)
        return frozenset(
            service.ref.key
            for service in world.all(api, SERVICE)
            if wanted in map(_normal, _split(service.body.get("ipv4_family")))
        )
    return frozenset()


def attachments_of_port(
    world: World, api: str, port: str, host: str | None = None
) -> tuple[tuple[str, Attachment], ...]:
    """The services of one port, each with the attachment there, without reading all of the service."""
    found = []
    for interface in world.where(api, INTERFACE, "port_id", port):
        binding = world.get(Ref(api, BINDING, interface.ref.key))
        stored = world.get(Ref(api, PORT, port))
        service = _key(binding.body.get("service_id")) if binding else ""
        if binding is None or stored is None or world.get(Ref(api, SERVICE, service)) is None:
            continue
        found += [
            (service, _attachment(binding, interface, stored, bound))
            for bound in world.bindings_of(stored.ref)
            if host is None or bound.host == host
        ]
    return tuple(sorted(found))


def port_of_interface(world: World, api: str, interface: str) -> Ref | None:
    """The port that an interface is on; None: no such interface."""
    found = world.get(Ref(api, INTERFACE, interface))
    return Ref(api, PORT, _key(found.body.get("port_id"))) if found else None


def members(world: World, api: str, service: str) -> frozenset[Ref]:
    """The service itself, its service bindings, and their interfaces and ports."""
    found = {Ref(api, SERVICE, service)}
    for binding in world.where(api, BINDING, "service_id", service):
        found |= {binding.ref, Ref(api, INTERFACE, binding.ref.key)}
        port = port_of_interface(world, api, binding.ref.key)
        if port is not None:
            found.add(port)
    return frozenset(found)


def routing_condition(view: Vrf) -> status.Condition:
    """What to tell the owner of a VPN about its exchange of routes with other hosts."""
    if view.problems:
        return status.Condition(
            type=REMOTE_ROUTES, status="False", reason="InvalidValue", message="; ".join(view.problems)
        )
    if not view.import_targets and not view.export_targets:
        return status.Condition(
            type=REMOTE_ROUTES,
            status="False",
            reason="NoRouteTarget",
            message="ipv4_family names no route target: no routes are exchanged with other hosts",
        )
    if not view.import_targets or not view.export_targets:
        way, other = ("export", "imported") if view.export_targets else ("import", "exported")
        return status.Condition(
            type=REMOTE_ROUTES,
            status="True",
            reason="OneWay",
            message=f"all route targets are {way} only: no routes are {other}",
        )
    return status.Condition(type=REMOTE_ROUTES, status="True", reason="RouteTargets")


def _view(world: World, api: str, service: Stored, attachments: Iterable[Attachment]) -> Vrf:
    problems: list[str] = []
    imports: set[str] = set()
    exports: set[str] = set()
    for raw in _split(service.body.get("ipv4_family")):
        try:
            target = str(RouteTarget.parse(raw))
        except ValueError as error:
            problems.append(f"ipv4_family: {error}")
            continue
        direction = _direction(world, api, raw, target)
        if direction in _IMPORTS:
            imports.add(target)
        if direction in _EXPORTS:
            exports.add(target)
    return Vrf(
        service=service.ref.key,
        name=str(service.body.get("name") or ""),
        revision=service.revision,
        route_distinguisher=_route_distinguisher(service, problems),
        import_targets=tuple(sorted(imports)),
        export_targets=tuple(sorted(exports)),
        attachments=tuple(sorted(attachments)),
        problems=tuple(problems),
    )


def _direction(world: World, api: str, raw: str, target: str) -> str:
    """What the VpnAfConfig of a target says; without one a target is imported and exported."""
    config = world.get(Ref(api, AF_CONFIG, raw)) or world.get(Ref(api, AF_CONFIG, target))
    return str(config.body.get("vrf_rt_type") or "both") if config else "both"


def _route_distinguisher(service: Stored, problems: list[str]) -> str:
    """The first of `route_distinguishers`: a PE has one VRF of a VPN, so it needs one."""
    for raw in _split(service.body.get("route_distinguishers")):
        try:
            return str(RouteDistinguisher.parse(raw))
        except ValueError as error:
            problems.append(f"route_distinguishers: {error}")
            break
    return ""


def _attachments(world: World, api: str, service: Stored, host: str | None) -> Iterator[Attachment]:
    for binding in world.where(api, BINDING, "service_id", service.ref.key):
        interface = world.get(Ref(api, INTERFACE, binding.ref.key))
        port = world.get(Ref(api, PORT, _key(interface.body.get("port_id")))) if interface else None
        if interface is None or port is None:
            continue
        for bound in world.bindings_of(port.ref):
            if host is None or bound.host == host:
                yield _attachment(binding, interface, port, bound)


def _attachment(binding: Stored, interface: Stored, port: Stored, bound: PortBinding) -> Attachment:
    problems: list[str] = []
    address = _read(ip.parse_v4, binding.body.get("ipaddress"), "ipaddress", problems)
    gateway = _read(ip.parse_v4, binding.body.get("gateway"), "gateway", problems)
    ether = _read(mac.parse, port.body.get("mac_address"), "mac_address", problems)
    return Attachment(
        port=port.ref.key,
        interface=interface.ref.key,
        host=bound.host,
        mac=ether,
        address=address,
        prefix_length=_number(binding.body.get("subnet_prefix")),
        gateway=gateway,
        mtu=_number(port.body.get("mtu")),
        segmentation_type=str(interface.body.get("segmentation_type") or "none"),
        segmentation_id=_number(interface.body.get("segmentation_id")),
        admin_up=port.body.get("admin_state_up") is not False,
        active=bound.wanted.active,
        problems=tuple(problems),
    )


def _read(parse: Callable[[str], str], value: Any, what: str, problems: list[str]) -> str:
    if not value:
        return ""
    try:
        return parse(str(value))
    except ValueError as error:
        problems.append(f"{what}: {error}")
        return ""


def _number(value: Any) -> int:
    return value if isinstance(value, int) else 0


def _key(value: Any) -> str:
    """A reference as the key of what it names: bodies hold a UUID as it was written."""
    try:
        return uuid.parse(str(value))
    except ValueError:
        return str(value)


def _split(value: Any) -> list[str]:
    return [part for raw in str(value or "").split(",") if (part := raw.strip())]


def _normal(text: str) -> str:
    try:
        return str(RouteTarget.parse(text))
    except ValueError:
        return text.strip()


def _services_of_port(world: World, api: str, port: str) -> Iterator[str]:
    for interface in world.where(api, INTERFACE, "port_id", port):
        yield from _services_of_interface(world, api, interface.ref.key)


def _services_of_interface(world: World, api: str, interface: str) -> Iterator[str]:
    binding = world.get(Ref(api, BINDING, interface))
    if binding and binding.body.get("service_id"):
        yield _key(binding.body["service_id"])
