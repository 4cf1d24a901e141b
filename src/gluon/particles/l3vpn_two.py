"""Reads `net-l3vpn` 2.0: targets by family, hubs and spokes, several addresses, prefixes behind a machine.

In: objects as published. Out: the parts of a `vrf.Vrf`. Pure and total. Prefix length and gateway of
an attachment are those of the subnet of its VPN that its address lies in. Called by `l3vpn`.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from gluon.particles import membership, reading
from gluon.particles.vrf import Attachment, Kind, Role, Route, Targets, Vrf, host_route
from gluon.spi.backend import Stored, World
from gluon.values import cidr, ip, mac
from gluon.values.route_target import RouteDistinguisher, RouteTarget

SHAPE = membership.Shape(service="VpnService", binding="VpnBinding")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Subnet:
    network: ipaddress.IPv4Network | ipaddress.IPv6Network
    gateway: str


def service(world: World, api: str, found: Stored) -> Vrf:
    """A VPN without its attachments."""
    problems: list[str] = []
    body = found.body
    ipv4 = _family(body, "ipv4", problems)
    return Vrf(
        service=found.ref.key,
        name=str(body.get("name") or ""),
        revision=found.revision,
        route_distinguisher=reading.parse(
            _distinguisher, body.get("route_distinguisher"), "route_distinguisher", problems
        ),
        import_targets=ipv4.imported,
        export_targets=ipv4.exported,
        ipv6=_family(body, "ipv6", problems),
        hub_target=reading.parse(_target, body.get("hub_target"), "hub_target", problems),
        spoke_target=reading.parse(_target, body.get("spoke_target"), "spoke_target", problems),
        problems=tuple(problems),
        says_families=True,
    )


def attachment(found: Stored, member: membership.Member) -> Attachment:
    """One member of a VPN."""
    problems: list[str] = []
    binding, interface, port = member.binding.body, member.interface, member.port
    address = reading.parse(ip.parse_plain, binding.get("ip_address"), "ip_address", problems)
    more = _routes(binding, address, problems)
    subnets = list(_subnets(found, problems))
    own = _subnet(subnets, address)
    others = [_subnet(subnets, r.destination) for r in more if r.kind is not Kind.STATIC]
    gateway = own.gateway if own else ""
    gateways = {subnet.gateway for subnet in others if subnet and subnet.gateway} - {gateway}
    return Attachment(
        port=port.ref.key,
        interface=interface.ref.key,
        host=member.bound.host,
        mac=reading.parse(mac.parse, port.body.get("mac_address"), "mac_address", problems),
        address=address,
        prefix_length=own.network.prefixlen if own else 0,
        gateway=gateway,
        mtu=reading.number(port.body.get("mtu")),
        segmentation_type=str(interface.body.get("segmentation_type") or "none"),
        segmentation_id=reading.number(interface.body.get("segmentation_id")),
        admin_up=port.body.get("admin_state_up") is not False,
        active=member.bound.wanted.active,
        role=_role(binding, found, problems),
        more=more,
        gateways=tuple(sorted(gateways)),
        problems=tuple(problems),
    )


def services_by_target(world: World, api: str, object_type: str, key: str) -> frozenset[str]:
    """Targets are values of their services here: no object says anything about them."""
    return frozenset()


def _family(body: Any, name: str, problems: list[str]) -> Targets:
    given = reading.mapping(body.get(name))
    both, imported, exported = (
        reading.parse_all(_target, given.get(way), f"{name}.{way}", problems)
        for way in ("both", "imported", "exported")
    )
    return Targets(
        imported=tuple(sorted({*both, *imported})),
        exported=tuple(sorted({*both, *exported})),
    )


def _routes(binding: Any, address: str, problems: list[str]) -> tuple[Route, ...]:
    """All routes but that of `address`: a prefix once, an address before what is behind the machine."""
    found: dict[str, Route] = {}
    own = host_route(address).prefix if address else ""
    for attribute, kind in (("more_addresses", Kind.ADDRESS), ("anycast_addresses", Kind.ANYCAST)):
        for text in reading.parse_all(ip.parse_plain, binding.get(attribute), attribute, problems):
            route = host_route(text, kind)
            found.setdefault(route.prefix, route)
    for given in reading.mappings(binding.get("static_routes")):
        prefix = reading.parse(cidr.parse, given.get("prefix"), "static_routes", problems)
        hop = reading.parse(ip.parse_plain, given.get("next_hop"), "static_routes", problems)
        if prefix:
            found.setdefault(prefix, Route(prefix=prefix, kind=Kind.STATIC, next_hop=hop))
    found.pop(own, None)
    return tuple(found.values())


def _role(binding: Any, found: Stored, problems: list[str]) -> Role:
    """A hub or spoke of a VPN without targets for them is one nevertheless: it reaches nobody, and not all."""
    try:
        role = Role(str(binding.get("role") or Role.MEMBER))
    except ValueError:
        problems.append(f"role: {binding.get('role')!r} is none of {', '.join(Role)}")
        return Role.SPOKE
    if role is not Role.MEMBER and not (found.body.get("hub_target") and found.body.get("spoke_target")):
        problems.append("role: the VPN has no targets for hubs and spokes")
    return role


def _subnets(found: Stored, problems: list[str]) -> Iterator[_Subnet]:
    for given in reading.mappings(found.body.get("subnets")):
        prefix = reading.parse(cidr.parse, given.get("cidr"), "subnets", problems)
        gateway = reading.parse(ip.parse_plain, given.get("gateway"), "subnets", problems)
        if prefix:
            yield _Subnet(network=ipaddress.ip_network(prefix), gateway=gateway)


def _subnet(subnets: list[_Subnet], address: str) -> _Subnet | None:
    """That which an address lies in; False for another family."""
    if not address:
        return None
    one = ipaddress.ip_address(address)
    return next((subnet for subnet in subnets if one in subnet.network), None)


def _target(text: str) -> str:
    return str(RouteTarget.parse(text))


def _distinguisher(text: str) -> str:
    return str(RouteDistinguisher.parse(text))
