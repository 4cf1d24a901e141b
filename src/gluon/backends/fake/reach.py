"""Does A reach B? Computed from forwarding facts as PEs and switches would forward. Pure.

In: all facts of a network, and which ports are plugged. Out: `Reach`. A view is indexed once, so a
question costs what the two ports have. It is the reachability of the fabric itself: a machine that
forwards packets for others (a hub that routes between its spokes) is none of it. Called by `actual`.
"""

from __future__ import annotations

import ipaddress
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from gluon.backends.fake.desired import Fact, Place, Route, Station, Vrf
from gluon.particles import l3vpn


@dataclass(frozen=True, slots=True)
class Reach:
    """Whether a packet arrives, and why (not)."""

    ok: bool
    why: str

    def __bool__(self) -> bool:
        return self.ok


class View:
    """The facts of one moment."""

    def __init__(self, facts: Iterable[Fact], is_plugged: Callable[[str, str], bool]) -> None:
        self._is_plugged = is_plugged
        self._placed: dict[str, set[str]] = defaultdict(set)
        self._vrfs: dict[tuple[str, str, str], Vrf] = {}
        self._by_port: dict[str, list[Route]] = defaultdict(list)
        self._by_address: dict[str, list[Route]] = defaultdict(list)
        self._prefixes: set[str] = set()
        self._stations: dict[str, list[Station]] = defaultdict(list)
        for fact in facts:
            if isinstance(fact, Place):
                self._placed[fact.port].add(fact.host)
            elif isinstance(fact, Vrf):
                self._vrfs[fact.service, fact.host, fact.role] = fact
            elif isinstance(fact, Station):
                self._stations[fact.port].append(fact)
            else:
                self._by_port[fact.port].append(fact)
                if is_plugged(fact.port, fact.host):
                    self._by_address[fact.address].append(fact)
                    if "/" in fact.address:
                        self._prefixes.add(fact.address)

    @property
    def routes(self) -> list[Route]:
        """The routes of all plugged ports."""
        return [route for routes in self._by_address.values() for route in routes]

    @property
    def stations(self) -> list[Station]:
        """Who is in a network."""
        return [station for stations in self._stations.values() for station in stations]

    def reaches(self, source: str, target: str) -> Reach:
        """Whether a packet of port `source` arrives at port `target`: to an address of it, to a prefix
        behind it, or as a frame in a network of both."""
        for port in (source, target):
            if problem := self._absent(port):
                return Reach(False, problem)
        reasons = []
        for start in self._own(source):
            for end in self._by_port.get(target, ()):
                found = self._path(start, end)
                if found:
                    return found
                reasons.append(found.why)
        found = self._switched(source, target)
        if found or not reasons:
            return found
        return Reach(False, "; ".join(dict.fromkeys(reasons)))

    def reaches_address(self, source: str, address: str) -> Reach:
        """Whether a packet of port `source` to `address` arrives at whoever has it: of several with one
        anycast address the nearest."""
        if problem := self._absent(source):
            return Reach(False, problem)
        reasons = []
        for start in self._own(source):
            hops = self._hops(start, address)
            if hops:
                names = ", ".join(sorted({r.port for r in hops}))
                return Reach(True, f"{address} leads to port {names} in {start.service}@{start.host}")
            reasons.append(f"VRF {start.service}@{start.host} has no route to {address}")
        return Reach(False, "; ".join(dict.fromkeys(reasons)) or f"port {source} has no address in a VPN")

    def pings(self, source: str, target: str) -> Reach:
        """Whether a packet arrives, and the answer comes back."""
        there = self.reaches(source, target)
        if not there:
            return there
        back = self.reaches(target, source)
        return there if back else Reach(False, f"no way back: {back.why}")

    def _own(self, port: str) -> list[Route]:
        """From what a port sends: its addresses, not the prefixes behind it."""
        return [route for route in self._by_port.get(port, ()) if route.kind != l3vpn.Kind.STATIC]

    def _path(self, start: Route, end: Route) -> Reach:
        """Whether what leaves as `start` may arrive as `end`."""
        if start.family is not end.family:
            return Reach(False, f"{start.address} and {end.address} are of two families")
        if (start.service, start.host, start.role) not in self._vrfs:
            return Reach(False, f"host {start.host} has no VRF of {start.service}")
        hops = self._hops(start, end.address)
        if not hops:
            return Reach(False, f"VRF {start.service}@{start.host} has no route to {end.address}")
        if end not in hops:
            others = ", ".join(sorted(r.port for r in hops))
            return Reach(False, f"{end.address} leads to port {others} in {start.service}@{start.host}")
        way = f"on host {start.host}" if end.host == start.host else f"from {start.host} to {end.host}"
        return Reach(True, f"{start.address} to {end.address} in {start.service} {way}")

    def _hops(self, start: Route, destination: str) -> list[Route]:
        """Where a packet goes: by the longest prefix that the VRF has. Of equal ones those of the VRF
        itself win over imported ones, as in any PE; equals share the load."""
        source = self._vrfs.get((start.service, start.host, start.role))
        if source is None or l3vpn.family_of(destination) is not start.family:
            return []
        for prefix in self._covering(destination):
            candidates = [r for r in self._by_address.get(prefix, ()) if r.port != start.port]
            local = [r for r in candidates if not source.isolates and self._same(start, r)]
            hops = local or [r for r in candidates if self._imported(source, r)]
            if hops:
                return hops
        return []

    def _covering(self, destination: str) -> list[str]:
        """The destination and all prefixes around it, the longest first."""
        wanted = ipaddress.ip_network(destination)
        around = [
            (-network.prefixlen, text)
            for text in self._prefixes
            if (network := ipaddress.ip_network(text)).version == wanted.version
            and network.prefixlen <= wanted.prefixlen
            and wanted.network_address in network
        ]
        return list(dict.fromkeys((destination, *(text for _, text in sorted(around)))))

    def _same(self, start: Route, end: Route) -> bool:
        return (start.service, start.host, start.role) == (end.service, end.host, end.role)

    def _imported(self, into: Vrf, route: Route) -> bool:
        origin = self._vrfs.get((route.service, route.host, route.role))
        return origin is not None and into.imports_from(origin, route.family)

    def _switched(self, source: str, target: str) -> Reach:
        """In one network all reach all, with addresses or without."""
        ends = {station.network: station for station in self._stations.get(target, ())}
        for start in self._stations.get(source, ()):
            end = ends.get(start.network)
            if end is not None:
                return Reach(True, f"{_shown(start)} to {_shown(end)} in network {start.network}")
        return Reach(False, f"ports {source} and {target} have no network in common")

    def _absent(self, port: str) -> str:
        if port not in self._placed:
            return f"port {port} is not bound to any host"
        if not any(self._is_plugged(port, host) for host in self._placed[port]):
            return f"port {port} is not plugged"
        if self._by_port.get(port) or self._stations.get(port):
            return ""
        return f"port {port} has no address in a VPN"


def _shown(station: Station) -> str:
    return f"{station.mac} {f'tag {station.tag}' if station.tag else 'untagged'}"
