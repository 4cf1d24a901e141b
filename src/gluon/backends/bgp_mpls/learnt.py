"""Routes learnt from other PEs, found by route target.

In: what the speaker's watch says. Out: for the import targets of a VRF one route a prefix. The
routes are hostile input: what no packet can be sent by is left out. No I/O.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping

from gluon.backends.bgp_mpls.routes import RouteKey, VpnRoute
from gluon.particles.l3vpn import Family, family_of

_FIRST_FREE_LABEL = 16
_LAST_LABEL = 0xFFFFF


class Learnt:
    """All usable remote routes. `own` is our tunnel address: a route to ourselves is no remote one."""

    def __init__(self, own: str) -> None:
        self._own = own
        self._routes: dict[RouteKey, VpnRoute] = {}
        self._by_target: dict[str, dict[RouteKey, VpnRoute]] = {}

    def __len__(self) -> int:
        return len(self._routes)

    def replace(self, routes: Mapping[RouteKey, VpnRoute]) -> frozenset[str]:
        """Exactly these routes from now on. Returns the targets for which anything changed."""
        gone: dict[RouteKey, VpnRoute | None] = dict.fromkeys(self._routes.keys() - routes.keys())
        return self.change({**gone, **routes})

    def change(self, changes: Mapping[RouteKey, VpnRoute | None]) -> frozenset[str]:
        """Routes that came or changed, or went (None). Returns the targets concerned."""
        targets: set[str] = set()
        for key, new in changes.items():
            old = self._routes.get(key)
            wanted = new if new is not None and self._usable(new) else None
            if wanted == old:
                continue
            if old is not None:
                targets |= self._forget(old)
            if wanted is not None:
                targets |= self._keep(wanted)
        return frozenset(targets)

    def imported(self, targets: Iterable[str], family: Family = Family.V4) -> dict[str, VpnRoute]:
        """By prefix of a family, the route that a VRF with these import targets uses.

        Of several PEs with one prefix the lowest tunnel address wins, on every PE alike.
        """
        found: dict[str, VpnRoute] = {}
        for target in targets:
            for route in self._by_target.get(target, {}).values():
                if family_of(route.prefix) is not family:
                    continue
                other = found.get(route.prefix)
                if other is None or _preference(route) < _preference(other):
                    found[route.prefix] = route
        return found

    def _keep(self, route: VpnRoute) -> set[str]:
        self._routes[route.key] = route
        targets = {str(t) for t in route.route_targets}
        for target in targets:
            self._by_target.setdefault(target, {})[route.key] = route
        return targets

    def _forget(self, route: VpnRoute) -> set[str]:
        del self._routes[route.key]
        targets = {str(t) for t in route.route_targets}
        for target in targets:
            of_target = self._by_target[target]
            del of_target[route.key]
            if not of_target:
                del self._by_target[target]
        return targets

    def _usable(self, route: VpnRoute) -> bool:
        try:
            ipaddress.ip_network(route.prefix)
            ipaddress.IPv4Address(route.next_hop)
        except ValueError:
            return False
        return route.next_hop != self._own and _FIRST_FREE_LABEL <= route.label <= _LAST_LABEL


def _preference(route: VpnRoute) -> tuple[int, int, str]:
    return int(ipaddress.IPv4Address(route.next_hop)), route.label, str(route.rd)
