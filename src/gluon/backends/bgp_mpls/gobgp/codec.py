"""VPN routes to GoBGP's paths and back.

Out: `path_of(route)`, `route_of(path)`. Invariant: `route_of(path_of(r)) == r`; a path of another
family, or one that no packet can be sent by, gives None, never an exception. Called by `speaker`.
"""

from __future__ import annotations

import ipaddress

from google.protobuf.any_pb2 import Any
from google.protobuf.message import Message

from gluon.backends.bgp_mpls.gobgp import gobgp_pb2 as pb
from gluon.backends.bgp_mpls.routes import RouteKey, VpnRoute
from gluon.values.route_target import Administrator, RouteDistinguisher, RouteTarget

VPNV4 = pb.Family(afi=1, safi=128)
VPNV6 = pb.Family(afi=2, safi=128)
FAMILIES = (VPNV4, VPNV6)
_ROUTE_TARGET = 2  # sub-type, RFC 4360 section 4
_IGP = 0  # origin, RFC 4271
_OWN = ("", "<nil>")  # how gobgpd spells "no neighbour": the path was added by its API


def path_of(route: VpnRoute) -> pb.Path:
    """The path to add or delete. VPN routes travel in MP_REACH_NLRI, next hop and NLRI in it."""
    network = ipaddress.ip_network(route.prefix)
    family = family_of(route)
    # RFC 4659, section 3.2.1.2: over an IPv4 core the next hop of IPv6 routes is an IPv4-mapped address.
    next_hop = route.next_hop if network.version == 4 else f"::ffff:{route.next_hop}"
    nlri = _any(
        pb.LabeledVPNIPAddressPrefix(
            labels=[route.label],
            rd=_any(_rd_message(route.rd)),
            prefix_len=network.prefixlen,
            prefix=str(network.network_address),
        )
    )
    attributes: list[Message] = [
        pb.OriginAttribute(origin=_IGP),
        pb.MpReachNLRIAttribute(family=family, next_hops=[next_hop], nlris=[nlri]),
    ]
    if route.route_targets:
        targets = sorted(route.route_targets, key=str)  # one order, so equal routes are equal paths
        attributes.append(
            pb.ExtendedCommunitiesAttribute(communities=[_any(_target_message(t)) for t in targets])
        )
    return pb.Path(family=family, nlri=nlri, pattrs=[_any(a) for a in attributes])


def family_of(route: VpnRoute) -> pb.Family:
    """VPNv4 or VPNv6, by the prefix."""
    return VPNV6 if ":" in route.prefix else VPNV4


def key_of(path: pb.Path) -> RouteKey | None:
    """Which route a path is about; a withdrawal has nothing else."""
    nlri = pb.LabeledVPNIPAddressPrefix()
    if not path.nlri.Unpack(nlri):
        return None
    rd = _rd_value(nlri.rd)
    return None if rd is None else RouteKey(rd, _normal(f"{nlri.prefix}/{nlri.prefix_len}"))


def route_of(path: pb.Path) -> VpnRoute | None:
    """The route of a path, or None if it is no VPN route with label and next hop."""
    key = key_of(path)
    nlri = pb.LabeledVPNIPAddressPrefix()
    next_hop = _next_hop(path)
    if key is None or not path.nlri.Unpack(nlri) or not nlri.labels or next_hop is None:
        return None
    return VpnRoute(
        rd=key.rd,
        prefix=key.prefix,
        label=nlri.labels[0],
        next_hop=next_hop,
        route_targets=_route_targets(path),
    )


def is_own(path: pb.Path) -> bool:
    """Was it added to this gobgpd by its API, not learnt from a neighbour?"""
    return path.neighbor_ip in _OWN


def _next_hop(path: pb.Path) -> str | None:
    reach = pb.MpReachNLRIAttribute()
    for attribute in path.pattrs:
        if attribute.Unpack(reach) and reach.next_hops:
            return _unmapped(reach.next_hops[0])
    return None


def _unmapped(address: str) -> str:
    """The IPv4 address in an IPv4-mapped one; anything else as it is."""
    try:
        mapped = ipaddress.IPv6Address(address).ipv4_mapped
    except ValueError:
        return address
    return str(mapped) if mapped is not None else address


def _normal(prefix: str) -> str:
    """An IPv6 prefix in its one form; what is none as it is."""
    if ":" not in prefix:
        return prefix
    try:
        return str(ipaddress.IPv6Network(prefix, strict=False))
    except ValueError:
        return prefix


def _route_targets(path: pb.Path) -> frozenset[RouteTarget]:
    found: set[RouteTarget] = set()
    communities = pb.ExtendedCommunitiesAttribute()
    for attribute in path.pattrs:
        if attribute.Unpack(communities):
            found.update(t for c in communities.communities if (t := _target_value(c)) is not None)
    return frozenset(found)


def _rd_message(rd: RouteDistinguisher) -> Message:
    match rd.kind:
        case Administrator.AS2:
            return pb.RouteDistinguisherTwoOctetASN(admin=rd.administrator, assigned=rd.number)
        case Administrator.AS4:
            return pb.RouteDistinguisherFourOctetASN(admin=rd.administrator, assigned=rd.number)
        case Administrator.IPV4:
            return pb.RouteDistinguisherIPAddress(admin=_address(rd.administrator), assigned=rd.number)


def _rd_value(message: Any) -> RouteDistinguisher | None:
    two, four, ipv4 = (
        pb.RouteDistinguisherTwoOctetASN(),
        pb.RouteDistinguisherFourOctetASN(),
        pb.RouteDistinguisherIPAddress(),
    )
    if message.Unpack(two):
        return RouteDistinguisher(Administrator.AS2, two.admin, two.assigned)
    if message.Unpack(four):
        return RouteDistinguisher(Administrator.AS4, four.admin, four.assigned)
    if message.Unpack(ipv4):
        return RouteDistinguisher(Administrator.IPV4, int(ipaddress.IPv4Address(ipv4.admin)), ipv4.assigned)
    return None


def _target_message(target: RouteTarget) -> Message:
    match target.kind:
        case Administrator.AS2:
            return pb.TwoOctetAsSpecificExtended(
                is_transitive=True,
                sub_type=_ROUTE_TARGET,
                asn=target.administrator,
                local_admin=target.number,
            )
        case Administrator.AS4:
            return pb.FourOctetAsSpecificExtended(
                is_transitive=True,
                sub_type=_ROUTE_TARGET,
                asn=target.administrator,
                local_admin=target.number,
            )
        case Administrator.IPV4:
            return pb.IPv4AddressSpecificExtended(
                is_transitive=True,
                sub_type=_ROUTE_TARGET,
                address=_address(target.administrator),
                local_admin=target.number,
            )


def _target_value(message: Any) -> RouteTarget | None:
    two, four, ipv4 = (
        pb.TwoOctetAsSpecificExtended(),
        pb.FourOctetAsSpecificExtended(),
        pb.IPv4AddressSpecificExtended(),
    )
    if message.Unpack(two) and two.sub_type == _ROUTE_TARGET:
        return RouteTarget(Administrator.AS2, two.asn, two.local_admin)
    if message.Unpack(four) and four.sub_type == _ROUTE_TARGET:
        return RouteTarget(Administrator.AS4, four.asn, four.local_admin)
    if message.Unpack(ipv4) and ipv4.sub_type == _ROUTE_TARGET:
        return RouteTarget(Administrator.IPV4, int(ipaddress.IPv4Address(ipv4.address)), ipv4.local_admin)
    return None


def _any(message: Message) -> Any:
    packed = Any()
    packed.Pack(message)
    return packed


def _address(number: int) -> str:
    return str(ipaddress.IPv4Address(number))
