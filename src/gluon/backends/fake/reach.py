"""Does A reach B? Computed from forwarding facts as PEs would forward. Pure.

In: all facts of a network, and which ports are plugged. Out: `Reach`. A view is indexed once, so a
question costs what the two ports have. Called by `actual`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from gluon.backends.fake.desired import Fact, Place, Route, Vrf


@dataclass(frozen=True, slots=True)
class Reach:
    """Whether a packet arrives, and why (not)."""

    ok: bool
    why: str

    def __bool__(self) -> bool:
        return self.ok


class View:
    """The facts of one moment."""

    def __init__(self, facts: Iterable[Fact], is_plugged: Callable[[str], bool]) -> None:
        self._is_plugged = is_plugged
        self._placed: set[str] = set()
        self._vrfs: dict[tuple[str, str], Vrf] = {}
        self._by_port: dict[str, list[Route]] = defaultdict(list)
        self._by_address: dict[str, list[Route]] = defaultdict(list)
        for fact in facts:
            if isinstance(fact, Place):
                self._placed.add(fact.port)
            elif isinstance(fact, Vrf):
                self._vrfs[fact.service, fact.host] = fact
            else:
                self._by_port[fact.port].append(fact)
                if is_plugged(fact.port):
                    self._by_address[fact.address].append(fact)

    @property
    def routes(self) -> list[Route]:
        """The host routes of all plugged ports."""
        return [route for routes in self._by_address.values() for route in routes]

    def reaches(self, source: str, target: str) -> Reach:
        """Whether a packet of port `source` to the address of port `target` arrives there."""
        for port in (source, target):
            if problem := self._absent(port):
                return Reach(False, problem)
        reasons = []
        for start in self._by_port[source]:
            for end in self._by_port[target]:
                found = self._path(start, end)
                if found:
                    return found
                reasons.append(found.why)
        return Reach(False, "; ".join(dict.fromkeys(reasons)))

    def pings(self, source: str, target: str) -> Reach:
        """Whether a packet arrives, and the answer comes back."""
        there = self.reaches(source, target)
        if not there:
            return there
        back = self.reaches(target, source)
        return there if back else Reach(False, f"no way back: {back.why}")

    def _path(self, start: Route, end: Route) -> Reach:
        """Local routes of a VRF win over imported ones, as in any PE; equals share the load."""
        source = self._vrfs.get((start.service, start.host))
        if source is None:
            return Reach(False, f"host {start.host} has no VRF of {start.service}")
        candidates = [r for r in self._by_address.get(end.address, ()) if r.port != start.port]
        local = [r for r in candidates if (r.service, r.host) == (start.service, start.host)]
        hops = local or [r for r in candidates if self._imported(source, r)]
        if not hops:
            return Reach(False, f"VRF {start.service}@{start.host} has no route to {end.address}")
        if end not in hops:
            others = ", ".join(sorted(r.port for r in hops))
            return Reach(False, f"{end.address} leads to port {others} in {start.service}@{start.host}")
        way = f"on host {start.host}" if end.host == start.host else f"from {start.host} to {end.host}"
        return Reach(True, f"{start.address} to {end.address} in {start.service} {way}")

    def _imported(self, into: Vrf, route: Route) -> bool:
        origin = self._vrfs.get((route.service, route.host))
        return origin is not None and into.imports_from(origin)

    def _absent(self, port: str) -> str:
        if port not in self._placed:
            return f"port {port} is not bound to any host"
        if not self._is_plugged(port):
            return f"port {port} is not plugged"
        return "" if self._by_port.get(port) else f"port {port} has no address in a VPN"
