"""From the desired state and what is known of this host to rows. Pure.

A scope is one VRF on this host (`vpn/<table>`), or `bridge` for what does not belong to a VPN. Members,
hubs and spokes of a VPN have a VRF each. Its rows: its numbers, one an address family (kept in the
switch), flows, and the routes announced. A route is wanted only for an attachment that is plugged; delivery inside a
VRF needs no route target, between two VRFs of one host it follows their targets as between
hosts (RFC 4364, section 4.3), and spokes of one host do not hear one another either.
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
from gluon.particles.vrf import Targets
from gluon.spi.backend import Rows, World
from gluon.values.route_target import RouteDistinguisher, RouteTarget

BRIDGE = "bridge"
_VPN = "vpn/"
_OF_V6 = "/ipv6"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptNumber:
    """A VRF's number, written into the switch's database so that a restart finds it again."""

    number: int
    name: str

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
    """An attachment that takes part, plugged at OpenFlow port `ofport`: it is reached by `routes`, and
    may send from `sources`. Of several attachments with one prefix the first has the route."""

    attachment: l3vpn.Attachment
    ofport: int
    routes: tuple[l3vpn.Route, ...]
    sources: tuple[l3vpn.Route, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Local:
    """The desired state of one host: the VRFs with an attachment there, in the order that settles
    every dispute, those of each VPN, and for each port the VRF that it sends into: that of its default
    interface (the one with the port's own key), else the first in order."""

    vrfs: Mapping[str, l3vpn.Vrf]
    tables: Mapping[str, tuple[str, ...]]
    owners: Mapping[str, str]

    def of_service(self, service: str) -> list[l3vpn.Vrf]:
        """The VRFs of one VPN."""
        return [self.vrfs[table] for table in self.tables.get(service, ())]


def scope_of(table: str) -> str:
    return _VPN + table


def table_of(scope: str) -> str | None:
    """None for a scope that is no VRF's."""
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
    whole = l3vpn.vrfs_at(world, l3vpn.API, host)
    split = {service: vrf.by_role() for service, vrf in whole.items()}
    vrfs = {vrf.table: vrf for views in split.values() for vrf in views}
    claims: dict[str, tuple[bool, str, str]] = {}
    for table, vrf in vrfs.items():
        for attached in vrf.attachments:
            claim = (attached.interface != attached.port, table, attached.interface)
            claims[attached.port] = min(claim, claims.get(attached.port, claim))
    return Local(
        vrfs=vrfs,
        tables={service: tuple(vrf.table for vrf in views) for service, views in split.items()},
        owners={port: table for port, (_, table, _) in claims.items()},
    )


def vrf_rows(here: Local, facts: Facts, table: str) -> Rows:
    """All rows of one VRF; none if it has no attachment on this host, or no label is left."""
    vrf = here.vrfs.get(table)
    made: dict[str, Row] = {}
    for family in families(vrf) if vrf is not None else ():
        number = facts.numbers.take(number_name(table, family))
        if vrf is not None and number is not None:
            made |= rows(_family_rows(here, facts, vrf, family, number))
    return made


def families(vrf: l3vpn.Vrf) -> tuple[l3vpn.Family, ...]:
    """Those for which a VRF has a number and a label: IPv6 where a route of it is wanted."""
    has_v6 = any(r.family is l3vpn.Family.V6 for one in vrf.attachments for r in one.routes)
    return tuple(l3vpn.Family) if has_v6 else (l3vpn.Family.V4,)


def number_name(table: str, family: l3vpn.Family) -> str:
    """What a number is kept for: under a label are packets of one family."""
    return table if family is l3vpn.Family.V4 else f"{table}{_OF_V6}"


def table_of_number(name: str) -> str:
    """The VRF that `number_name` named."""
    return name.removesuffix(_OF_V6)


def _family_rows(
    here: Local, facts: Facts, vrf: l3vpn.Vrf, family: l3vpn.Family, number: int
) -> Iterator[Row]:
    yield KeptNumber(number=number, name=number_name(vrf.table, family))
    if not facts.switch:
        return
    yield flows.vrf_of_label(number, facts.config.labels.label(number), family)
    rd = route_distinguisher(here, facts, vrf, number)
    reached: set[str] = set()
    for place in placed(here, facts, vrf, family):
        yield from attachment_flows(vrf, family, number, place)
        if facts.speaker:
            yield from announcements(facts, vrf.targets(family), number, rd, place)
        if not vrf.isolates:
            reached |= {route.prefix for route in place.routes}
    register = _register(vrf, number)
    for place, route in _imported_here(here, facts, vrf, family):
        if route.prefix not in reached:
            reached.add(route.prefix)
            yield flows.local_route(
                number, route.prefix, place.ofport, place.attachment.mac, register=register
            )
    if facts.tunnel:
        for prefix, learnt in facts.learnt.imported(vrf.targets(family).imported, family).items():
            if prefix not in reached:
                yield flows.remote_route(
                    number,
                    prefix,
                    label=learnt.label,
                    pe=learnt.next_hop,
                    tunnel=facts.tunnel,
                    register=register,
                )


def _register(vrf: l3vpn.Vrf, number: int) -> int:
    """Where what attachments send is routed: where they do not hear one another, not where packets for
    them are."""
    return flows.upstream(number) if vrf.isolates else number


def _imported_here(
    here: Local, facts: Facts, vrf: l3vpn.Vrf, family: l3vpn.Family
) -> Iterator[tuple[Placed, l3vpn.Route]]:
    """Routes that other VRFs of this host export to this one."""
    for other in here.vrfs.values():
        if other.table != vrf.table and vrf.imports_from(other, family):
            for place in placed(here, facts, other, family):
                yield from ((place, route) for route in place.routes)


def route_distinguisher(here: Local, facts: Facts, vrf: l3vpn.Vrf, number: int) -> RouteDistinguisher:
    """The service's own, or `<router id>:<number>`: so too where a VRF before it in order has the
    same one, since BGP could not tell the two VRFs' routes apart."""
    given = vrf.route_distinguisher
    if given:
        first = next(table for table, one in here.vrfs.items() if one.route_distinguisher == given)
        if first == vrf.table:
            return RouteDistinguisher.parse(given)
    return RouteDistinguisher.parse(f"{facts.config.router_id}:{number}")


def announcements(
    facts: Facts, of_family: Targets, number: int, rd: RouteDistinguisher, place: Placed
) -> Iterator[VpnRoute]:
    """The routes of an attachment, under our label, to our tunnel address; none without targets."""
    targets = frozenset(RouteTarget.parse(target) for target in of_family.exported)
    for route in place.routes if targets else ():
        yield VpnRoute(
            rd=rd,
            prefix=route.prefix,
            label=facts.config.labels.label(number),
            next_hop=facts.config.router_id,
            route_targets=targets,
        )


def attachment_flows(
    vrf: l3vpn.Vrf, family: l3vpn.Family, number: int, place: Placed
) -> Iterator[flows.Flow]:
    """What an attachment may send, and how it is reached inside its VRF."""
    attached, port = place.attachment, place.ofport
    gateways = [gateway for gateway in (attached.gateway, *attached.gateways) if gateway]
    register = _register(vrf, number)
    yield from flows.attachment(number, port, attached.mac, register=register, family=family)
    for route in place.sources:
        if route.kind is l3vpn.Kind.STATIC:
            yield flows.source_prefix(number, port, route.prefix)
        else:
            yield from flows.own_address(number, port, route.destination, gateways)
    for route in place.routes:
        yield flows.local_route(number, route.prefix, port, attached.mac)


def placed(here: Local, facts: Facts, vrf: l3vpn.Vrf, family: l3vpn.Family) -> list[Placed]:
    """The attachments that take part with routes of a family, one a prefix. One whose only addresses others have does not."""
    found: list[Placed] = []
    taken: set[str] = set()
    for attachment in vrf.attachments:
        ofport = facts.plugs.get(attachment.port)
        if ofport is None or obstacle(here, vrf, attachment) is not None:
            continue
        own = [route for route in attachment.routes if route.family is family]
        held = tuple(route for route in own if route.prefix not in taken)
        sources = tuple(route for route in own if route in held or route.kind is not l3vpn.Kind.ADDRESS)
        if sources:
            taken |= {route.prefix for route in held}
            found.append(Placed(attachment=attachment, ofport=ofport, routes=held, sources=sources))
    return found


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
    if not attachment.routes:
        return "NoAddress", f"VpnBinding of interface {attachment.interface} gives no address"
    if not attachment.mac:
        return "NoAddress", "the port has no mac_address"
    owner = here.owners[attachment.port]
    if owner != vrf.table:
        return "PortInUse", f"the port sends into VPN {owner}: one port without segmentation has one VPN"
    return None
