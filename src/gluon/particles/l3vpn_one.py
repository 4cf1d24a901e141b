"""Reads `net-l3vpn` 1.0: targets as text with commas, their directions in VpnAfConfig, one address.

In: objects as published. Out: the parts of a `vrf.Vrf`. Pure and total. Called by `l3vpn`.
"""

from __future__ import annotations

from gluon.particles import membership, reading
from gluon.particles.vrf import Attachment, Vrf
from gluon.spi.backend import Ref, Stored, World
from gluon.values import ip, mac
from gluon.values.route_target import RouteDistinguisher, RouteTarget

SHAPE = membership.Shape(service="VpnService", binding="VpnBinding", one_service=True)
AF_CONFIG = "VpnAfConfig"

_EXPORTS = frozenset({"export_extcommunity", "both"})
_IMPORTS = frozenset({"import_extcommunity", "both"})


def service(world: World, api: str, found: Stored) -> Vrf:
    """A VPN without its attachments."""
    problems: list[str] = []
    imports: set[str] = set()
    exports: set[str] = set()
    for raw in _split(found.body.get("ipv4_family")):
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
        service=found.ref.key,
        name=str(found.body.get("name") or ""),
        revision=found.revision,
        route_distinguisher=_route_distinguisher(found, problems),
        import_targets=tuple(sorted(imports)),
        export_targets=tuple(sorted(exports)),
        problems=tuple(problems),
    )


def attachment(found: Stored, member: membership.Member) -> Attachment:
    """One member of a VPN."""
    problems: list[str] = []
    binding, interface, port = member.binding.body, member.interface, member.port
    address = reading.parse(ip.parse_v4, binding.get("ipaddress"), "ipaddress", problems)
    gateway = reading.parse(ip.parse_v4, binding.get("gateway"), "gateway", problems)
    ether = reading.parse(mac.parse, port.body.get("mac_address"), "mac_address", problems)
    return Attachment(
        port=port.ref.key,
        interface=interface.ref.key,
        host=member.bound.host,
        mac=ether,
        address=address,
        prefix_length=reading.number(binding.get("subnet_prefix")),
        gateway=gateway,
        mtu=reading.number(port.body.get("mtu")),
        segmentation_type=str(interface.body.get("segmentation_type") or "none"),
        segmentation_id=reading.number(interface.body.get("segmentation_id")),
        admin_up=port.body.get("admin_state_up") is not False,
        active=member.bound.wanted.active,
        problems=tuple(problems),
    )


def services_by_target(world: World, api: str, object_type: str, key: str) -> frozenset[str]:
    """The keys of the services that a VpnAfConfig is about."""
    if object_type != AF_CONFIG:
        return frozenset()
    wanted = _normal(key)
    return frozenset(
        found.ref.key
        for found in world.all(api, SHAPE.service)
        if wanted in map(_normal, _split(found.body.get("ipv4_family")))
    )


def _direction(world: World, api: str, raw: str, target: str) -> str:
    """What the VpnAfConfig of a target says; without one a target is imported and exported."""
    config = world.get(Ref(api, AF_CONFIG, raw)) or world.get(Ref(api, AF_CONFIG, target))
    return str(config.body.get("vrf_rt_type") or "both") if config else "both"


def _route_distinguisher(found: Stored, problems: list[str]) -> str:
    """The first of `route_distinguishers`: a PE has one VRF of a VPN, so it needs one."""
    for raw in _split(found.body.get("route_distinguishers")):
        try:
            return str(RouteDistinguisher.parse(raw))
        except ValueError as error:
            problems.append(f"route_distinguishers: {error}")
            break
    return ""


def _split(value: object) -> list[str]:
    return [part for raw in str(value or "").split(",") if (part := raw.strip())]


def _normal(text: str) -> str:
    try:
        return str(RouteTarget.parse(text))
    except ValueError:
        return text.strip()
