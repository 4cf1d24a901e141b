"""From the desired state and what is known of this host to rows. Pure.

A scope is one VPN on this host (`vpn/<service>`), or `bridge` for what does not belong to a VPN.
Its rows: the VRF's number (kept in the switch), flows, and the routes announced. A route is
wanted only for an attachment that is plugged; local delivery needs no route target, delivery
between two VPNs of one host follows their targets as between hosts (RFC 4364, section 4.3).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from gluon.backends.bgp_mpls import flows
from gluon.backends.bgp_mpls.config import Config
from gluon.backends.bgp_mpls.labels import Numbers
from gluon.backends.bgp_mpls.learnt import Learnt
from gluon.backends.bgp_mpls.routes import VpnRoute
from gluon.particles import l3vpn
from gluon.spi.backend import Rows, World
from gluon.values.route_target import RouteDistinguisher, RouteTarget

BRIDGE = "bridge"
_VPN = "vpn/"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptNumber:
    """A VRF's number, written into the switch's database so that a restart finds it again."""

    number: int
    service: str

    @property
    def key(self) -> str:
        return f"number {self.number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bridge:
    """The bridge, with the tunnel port in it."""

    name: str
    tunnel: str
    encapsulation: str

    @property
    def key(self) -> str:
        return "bridge"


Row = KeptNumber | Bridge | flows.Flow | VpnRoute


@dataclass(slots=True, kw_only=True)
class Facts:
    """What is known of this host.

    `plugs`: OpenFlow ports by port id; `tunnel` the tunnel's (0: none). While `switch` is False
    (vswitchd is dead) no flow is wanted, and so no port plugged; while `speaker` is False (gobgpd is)
    nothing is said of announced routes, wanted or actual, and `trouble` has reason and sentence.
    """

    config: Config
    numbers: Numbers
    learnt: Learnt
    plugs: Mapping[str, int] = field(default_factory=dict)
    tunnel: int = 0
    switch: bool = True
    speaker: bool = False
    trouble: tuple[str, str] = ("NoSpeaker", "the BGP speaker has not answered yet")
    sessions_down: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """An attachment that takes part: plugged at OpenFlow port `ofport`, its address its own."""

    attachment: l3vpn.Attachment
    ofport: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Local:
    """The desired state of one host: the VPNs with an attachment there, in the order that settles
    every dispute, and for each port the VPN that it sends into: that of its default interface (the
    one with the port's own key), else the first in order."""

    vrfs: Mapping[str, l3vpn.Vrf]
    owners: Mapping[str, str]


def scope_of(service: str) -> str:
    return _VPN + service


def service_of(scope: str) -> str | None:
    """None for a scope that is no VPN's."""
    return scope.removeprefix(_VPN) if scope.startswith(_VPN) else None


def key_of(row: Row) -> str:
    """The key of a row: unique over all scopes of the host."""
    return f"route {row.rd} {row.prefix}" if isinstance(row, VpnRoute) else row.key


def rows(made: Iterator[Row]) -> dict[str, Row]:
    return {key_of(row): row for row in made}


def bridge_row(config: Config) -> Bridge:
    return Bridge(name=config.bridge, tunnel=config.tunnel, encapsulation=config.encapsulation)


def bridge_rows(facts: Facts) -> Rows:
    fixed = flows.fixed(facts.tunnel) if facts.switch else ()
    return rows(iter((bridge_row(facts.config), *fixed)))


def local(world: World, host: str) -> Local:
    """What of the desired state is on this host."""
    vrfs = l3vpn.vrfs_at(world, l3vpn.API, host)
    claims: dict[str, tuple[bool, str]] = {}
    for service, vrf in vrfs.items():
        for attached in vrf.attachments:
            claim = (attached.interface != attached.port, service)
            claims[attached.port] = min(claim, claims.get(attached.port, claim))
    return Local(vrfs=vrfs, owners={port: service for port, (_, service) in claims.items()})


def vrf_rows(here: Local, facts: Facts, service: str) -> Rows:
    """All rows of one VPN; none if it has no attachment on this host, or no label is left."""
    vrf = here.vrfs.get(service)
    number = facts.numbers.take(service) if vrf is not None else None
    return rows(_vrf_rows(here, facts, vrf, number)) if vrf is not None and number is not None else {}


def _vrf_rows(here: Local, facts: Facts, vrf: l3vpn.Vrf, number: int) -> Iterator[Row]:
    yield KeptNumber(number=number, service=vrf.service)
    if not facts.switch:
        return
    yield flows.vrf_of_label(number, facts.config.labels.label(number))
    rd = route_distinguisher(here, facts, vrf, number)
    reached: set[str] = set()
    for place in placed(here, facts, vrf):
        reached.add(place.attachment.address)
        yield from attachment_flows(number, place)
        if vrf.export_targets and facts.speaker:
            yield announcement(facts, vrf, number, rd, place)
    for other in here.vrfs.values():
        if other.service != vrf.service and vrf.imports_from(other):
            for place in placed(here, facts, other):
                if place.attachment.address not in reached:
                    reached.add(place.attachment.address)
                    yield _local_route(number, place)
    if facts.tunnel:
        for prefix, route in facts.learnt.imported(vrf.import_targets).items():
            if prefix.removesuffix("/32") not in reached:
                yield flows.remote_route(
                    number, prefix, label=route.label, pe=route.next_hop, tunnel=facts.tunnel
                )


def route_distinguisher(here: Local, facts: Facts, vrf: l3vpn.Vrf, number: int) -> RouteDistinguisher:
    """The service's own, or `<router id>:<number>`: so too where a VPN before it in order has the
    same one, since BGP could not tell the two VPNs' routes apart."""
    given = vrf.route_distinguisher
    if given and not any(
        other.service < vrf.service and other.route_distinguisher == given for other in here.vrfs.values()
    ):
        return RouteDistinguisher.parse(given)
    return RouteDistinguisher.parse(f"{facts.config.router_id}:{number}")


def announcement(
    facts: Facts, vrf: l3vpn.Vrf, number: int, rd: RouteDistinguisher, place: Placed
) -> VpnRoute:
    """The host route of an attachment, under our label, to our tunnel address."""
    return VpnRoute(
        rd=rd,
        prefix=f"{place.attachment.address}/32",
        label=facts.config.labels.label(number),
        next_hop=facts.config.router_id,
        route_targets=frozenset(RouteTarget.parse(t) for t in vrf.export_targets),
    )


def attachment_flows(number: int, place: Placed) -> Iterator[flows.Flow]:
    attached = place.attachment
    yield from flows.attachment(number, place.ofport, attached.mac, attached.address, attached.gateway)
    yield _local_route(number, place)


def _local_route(number: int, place: Placed) -> flows.Flow:
    return flows.local_route(number, place.attachment.address, place.ofport, place.attachment.mac)


def placed(here: Local, facts: Facts, vrf: l3vpn.Vrf) -> list[Placed]:
    """The attachments that take part, one an address."""
    found: dict[str, Placed] = {}
    for attachment in vrf.attachments:
        ofport = facts.plugs.get(attachment.port)
        if ofport is None or attachment.address in found or obstacle(here, vrf, attachment) is not None:
            continue
        found[attachment.address] = Placed(attachment=attachment, ofport=ofport)
    return list(found.values())


def obstacle(here: Local, vrf: l3vpn.Vrf, attachment: l3vpn.Attachment) -> tuple[str, str] | None:
    """Why the input itself keeps an attachment out: reason and sentence; None: nothing does."""
    if not attachment.active:
        return "Inactive", "another host has the active binding"
    if not attachment.admin_up:
        return "AdminDown", "admin_state_up is false"
    if attachment.segmentation_type != "none":
        return "SegmentationNotSupported", f"segmentation_type {attachment.segmentation_type} is not served"
    if attachment.problems:
        return "InvalidValue", "; ".join(attachment.problems)
    if not attachment.address:
        return "NoAddress", f"VpnBinding {attachment.interface} gives no IPv4 address"
    if not attachment.mac:
        return "NoAddress", "the port has no mac_address"
    owner = here.owners[attachment.port]
    if owner != vrf.service:
        return "PortInUse", f"the port sends into VPN {owner}: one port without segmentation has one VPN"
    return None
