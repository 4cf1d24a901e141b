"""The VPN route as the backend sees it: a value, whoever the speaker is (RFC 4364).

Pure: made by `desired`, announced and learnt by `speaker`. Two routes with the same `key` are the
same route to BGP: announcing one replaces the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from gluon.values.route_target import RouteDistinguisher, RouteTarget


class RouteKey(NamedTuple):
    """What BGP tells routes apart by: the NLRI without its label."""

    rd: RouteDistinguisher
    prefix: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VpnRoute:
    """A VPNv4 or VPNv6 route: packets for `prefix` go to the PE `next_hop` under MPLS label `label`.

    `prefix` is canonical (`10.1.1.5/32`, `2001:db8::5/128`), `next_hop` an IPv4 address.
    """

    rd: RouteDistinguisher
    prefix: str
    label: int
    next_hop: str
    route_targets: frozenset[RouteTarget]

    @property
    def key(self) -> RouteKey:
        return RouteKey(self.rd, self.prefix)

    def __str__(self) -> str:
        targets = ",".join(sorted(map(str, self.route_targets)))
        return f"{self.rd}:{self.prefix} via {self.next_hop} label {self.label} targets {targets}"
