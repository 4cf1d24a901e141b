"""The fake's data plane: forwarding facts in memory, plugs, and the answer to "does A reach B?".

In: facts written by `apply`, plugs and trouble made by tests. Out: our facts by scope; `Reach`.
Invariant: it outlives backends, as a switch outlives its agent; what nobody marked as ours
(`foreign`) is neither shown nor touched. One network is shared by the shards of one world.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from gluon.backends.fake.desired import Fact, Place, Route, Vrf
from gluon.errors import TryLater


@dataclass(frozen=True, slots=True)
class Reach:
    """Whether a packet arrives, and why (not)."""

    ok: bool
    why: str

    def __bool__(self) -> bool:
        return self.ok


@dataclass(slots=True)
class Plane:
    """What is programmed on one shard: `facts` are ours."""

    facts: dict[str, Fact] = field(default_factory=dict)
    foreign: dict[str, Any] = field(default_factory=dict)
    watchers: list[Callable[[str | None], None]] = field(default_factory=list)
    down: bool = False
    """Neither read nor written while true."""
    writes_left: int | None = None
    """So many facts can be written before a write fails; None: any number."""
    writes: int = 0

    def read(self) -> Mapping[str, Mapping[str, Fact]]:
        """Our facts by scope. Raises `TryLater` while down."""
        self.check()
        found: dict[str, dict[str, Fact]] = {}
        for key, fact in self.facts.items():
            found.setdefault(fact.scope, {})[key] = fact
        return found

    def check(self) -> None:
        """Raises `TryLater` while down."""
        if self.down:
            raise TryLater("the fake data plane is down")

    def tell(self, scope: str | None) -> None:
        """Something happened to a scope (None: to everything)."""
        for watcher in list(self.watchers):
            watcher(scope)


class FakeNetwork:
    """All hosts of one fake world. `auto`: a VIF is plugged unless `unplug` took it away."""

    def __init__(self, *, auto: bool = True) -> None:
        self.auto = auto
        self._planes: dict[str, Plane] = {}
        self._plugged: set[str] = set()
        self._unplugged: set[str] = set()

    def plane(self, shard: str) -> Plane:
        """The data plane of one shard, made at first use."""
        return self._planes.setdefault(shard, Plane())

    def plug(self, port: str) -> None:
        """The hypervisor plugs the VIF of a port."""
        self._plugged.add(port)
        self._unplugged.discard(port)
        self._tell(port)

    def unplug(self, port: str) -> None:
        """The hypervisor takes the VIF of a port away."""
        self._plugged.discard(port)
        self._unplugged.add(port)
        self._tell(port)

    def is_plugged(self, port: str) -> bool:
        """Whether the VIF of a port is there."""
        return port in self._plugged or (self.auto and port not in self._unplugged)

    def reaches(self, source: str, target: str) -> Reach:
        """Whether a packet of port `source` to the address of port `target` arrives there."""
        starts = self._routes(source)
        ends = self._routes(target)
        for port, routes in ((source, starts), (target, ends)):
            if problem := self._absent(port, routes):
                return Reach(False, problem)
        reasons = []
        for start in starts:
            for end in ends:
                found = self._path(start, end)
                if found:
                    return found
                reasons.append(found.why)
        return Reach(False, "; ".join(dict.fromkeys(reasons)))

    def pings(self, source: str, target: str) -> Reach:
        """Whether a packet arrives, and the answer comes back."""
        there = self.reaches(source, target)
        back = self.reaches(target, source)
        return there if not there or back else Reach(False, f"no way back: {back.why}")

    def routes(self) -> list[Route]:
        """The host routes of all plugged ports."""
        return list(self._all_routes())

    def _path(self, start: Route, end: Route) -> Reach:
        """Local routes of a VRF win over imported ones, as in any PE; equals share the load."""
        source = self._vrf(start.service, start.host)
        if source is None:
            return Reach(False, f"host {start.host} has no VRF of {start.service}")
        candidates = [r for r in self._all_routes() if r.address == end.address and r.port != start.port]
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
        origin = self._vrf(route.service, route.host)
        return origin is not None and into.imports_from(origin)

    def _absent(self, port: str, routes: Iterable[Route]) -> str:
        placed = [f for f in self._facts() if isinstance(f, Place) and f.port == port]
        if not placed:
            return f"port {port} is not bound to any host"
        if not self.is_plugged(port):
            return f"port {port} is not plugged"
        return "" if list(routes) else f"port {port} has no address in a VPN"

    def _facts(self) -> Iterable[Fact]:
        return (fact for plane in self._planes.values() for fact in plane.facts.values())

    def _all_routes(self) -> Iterable[Route]:
        return (f for f in self._facts() if isinstance(f, Route) and self.is_plugged(f.port))

    def _routes(self, port: str) -> list[Route]:
        return [f for f in self._facts() if isinstance(f, Route) and f.port == port]

    def _vrf(self, service: str, host: str) -> Vrf | None:
        found = (f for f in self._facts() if isinstance(f, Vrf) and (f.service, f.host) == (service, host))
        return next(found, None)

    def _tell(self, port: str) -> None:
        for plane in self._planes.values():
            plane.tell(f"port/{port}")
