"""The view of an L3VPN that backends program: VRFs, their attachments, and the routes of these. Pure.

Made by `l3vpn` from objects of either version of `net-l3vpn`. Invariant: addresses, prefixes, MAC
addresses and targets are in their normal text form; text that means nothing is in `problems`.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from enum import StrEnum


class Family(StrEnum):
    """An address family."""

    V4 = "ipv4"
    V6 = "ipv6"

    @property
    def bits(self) -> int:
        return 32 if self is Family.V4 else 128


def family_of(text: str) -> Family:
    """The family of an address or prefix."""
    return Family.V6 if ":" in text else Family.V4


class Role(StrEnum):
    """What an attachment is in its VPN. A hub hears hubs and spokes, a spoke hears hubs only."""

    MEMBER = "member"
    HUB = "hub"
    SPOKE = "spoke"


class Kind(StrEnum):
    """Where a route comes from: an address of the machine, one that others may have too, a prefix behind it."""

    ADDRESS = "address"
    ANYCAST = "anycast"
    STATIC = "static"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Route:
    """A prefix that is reached through an attachment. `next_hop`, of a static route, is informational:
    all packets for an attachment are sent to its MAC address."""

    prefix: str
    kind: Kind = Kind.ADDRESS
    next_hop: str = ""

    @property
    def family(self) -> Family:
        return family_of(self.prefix)

    @property
    def length(self) -> int:
        return int(self.prefix.rpartition("/")[2])

    @property
    def destination(self) -> str:
        """The prefix as people write it: a host route as its address."""
        return self.prefix.removesuffix(f"/{self.family.bits}")


def host_route(address: str, kind: Kind = Kind.ADDRESS) -> Route:
    """The route to one address."""
    return Route(prefix=f"{address}/{family_of(address).bits}", kind=kind)


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Attachment:
    """One interface of a bound port inside a VPN.

    `address` is "" where the service binding gives none, or none that can be read; `prefix_length`
    0 where it gives none. `more` are its further routes, `gateways` those of further subnets.
    `problems` are sentences about its own text. `active` False: the target of a live migration, not
    announced yet.
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
    role: Role = Role.MEMBER
    more: tuple[Route, ...] = ()
    gateways: tuple[str, ...] = ()

    @property
    def routes(self) -> tuple[Route, ...]:
        """All that is reached through it, one route a prefix."""
        first = (host_route(self.address),) if self.address else ()
        return first + self.more

    @property
    def routed(self) -> bool:
        """Whether its routes are to be routes of the VPN."""
        return bool(self.routes) and self.admin_up and self.active


@dataclass(frozen=True, slots=True, kw_only=True)
class Targets:
    """Route targets of one address family, sorted."""

    imported: tuple[str, ...] = ()
    exported: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Vrf:
    """One VPN as a PE sees it, or (by `by_role`) what those of one role see of it.

    `route_distinguisher` is "" where the service names none. `import_targets` and `export_targets` are
    for IPv4. `problems` are sentences about text of the service that could not be used.
    """

    service: str
    name: str
    revision: int
    route_distinguisher: str = ""
    import_targets: tuple[str, ...] = ()
    export_targets: tuple[str, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    problems: tuple[str, ...] = ()
    ipv6: Targets = Targets()
    role: Role = Role.MEMBER
    hub_target: str = ""
    spoke_target: str = ""
    says_families: bool = False
    """Whether the service has targets for each family, as those of version 2.0."""

    @property
    def table(self) -> str:
        """Names the VRF among all of a PE: members, hubs and spokes of a VPN have one each."""
        return self.service if self.role is Role.MEMBER else f"{self.service}/{self.role}"

    @property
    def isolates(self) -> bool:
        """Whether its attachments do not even hear one another."""
        return self.role is Role.SPOKE

    def targets(self, family: Family) -> Targets:
        if family is Family.V6:
            return self.ipv6
        return Targets(imported=self.import_targets, exported=self.export_targets)

    def imports_from(self, other: Vrf, family: Family = Family.V4) -> bool:
        """Whether routes that `other` exports come in here (RFC 4364, section 4.3.1)."""
        return not set(self.targets(family).imported).isdisjoint(other.targets(family).exported)

    def hears(self, other: Vrf) -> bool:
        """Whether routes of any family come in here."""
        return any(self.imports_from(other, family) for family in Family)

    def by_role(self) -> tuple[Vrf, ...]:
        """The VRF of each role that an attachment has; that of members where there is no attachment."""
        roles = {attached.role for attached in self.attachments} or {Role.MEMBER}
        return tuple(self._of(role) for role in Role if role in roles)

    def _of(self, role: Role) -> Vrf:
        held = tuple(attached for attached in self.attachments if attached.role is role)
        if role is Role.MEMBER:
            return dataclasses.replace(self, attachments=held)
        hub, spoke = _given(self.hub_target), _given(self.spoke_target)
        targets = Targets(imported=tuple(sorted({*hub, *spoke})), exported=hub)
        if role is Role.SPOKE:
            targets = Targets(imported=hub, exported=spoke)
        return dataclasses.replace(
            self,
            attachments=held,
            role=role,
            import_targets=targets.imported,
            export_targets=targets.exported,
            ipv6=targets,
        )


def _given(target: str) -> tuple[str, ...]:
    return (target,) if target else ()
