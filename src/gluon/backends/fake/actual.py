"""The fake's data plane: forwarding facts in memory, plugs, and the answer to "does A reach B?".

In: facts written by `apply`, plugs and trouble made by tests. Out: our facts by scope; `Reach`.
Invariant: it outlives backends, as a switch outlives its agent; what nobody marked as ours
(`foreign`) is neither shown nor touched. One network is shared by the shards of one world.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from gluon.backends.fake.desired import APIS, Fact, port_scope
from gluon.backends.fake.reach import Reach, View
from gluon.errors import TryLater


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
        self._plugged: set[tuple[str, str]] = set()
        self._unplugged: set[tuple[str, str]] = set()

    def plane(self, shard: str) -> Plane:
        """The data plane of one shard, made at first use."""
        return self._planes.setdefault(shard, Plane())

    def plug(self, port: str, host: str = "") -> None:
        """The hypervisor plugs the VIF of a port, on one host or wherever the port is."""
        self._plugged.add((port, host))
        self._unplugged.discard((port, host))
        self._tell(port)

    def unplug(self, port: str, host: str = "") -> None:
        """The hypervisor takes the VIF of a port away."""
        self._plugged.discard((port, host))
        self._unplugged.add((port, host))
        self._tell(port)

    def is_plugged(self, port: str, host: str = "") -> bool:
        """Whether the VIF of a port is there; what was said of the host goes before what was said of all."""
        for one in ((port, host), (port, "")):
            if one in self._plugged or one in self._unplugged:
                return one in self._plugged
        return self.auto

    def view(self) -> View:
        """All that is programmed now, for many questions."""
        facts = (fact for plane in self._planes.values() for fact in plane.facts.values())
        return View(facts, self.is_plugged)

    def reaches(self, source: str, target: str) -> Reach:
        """Whether a packet of port `source` to the address of port `target` arrives there."""
        return self.view().reaches(source, target)

    def reaches_address(self, source: str, address: str) -> Reach:
        """Whether a packet of port `source` to `address` arrives at whoever has it."""
        return self.view().reaches_address(source, address)

    def pings(self, source: str, target: str) -> Reach:
        """Whether a packet arrives, and the answer comes back."""
        return self.view().pings(source, target)

    def _tell(self, port: str) -> None:
        for plane in self._planes.values():
            for api in APIS:
                plane.tell(port_scope(port, api))
