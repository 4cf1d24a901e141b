"""The shim engine with the fake backend on both buses: every test of this folder runs on each.

`connect` makes a client of the bus (for the embedded one it is always the same), `world` writes the
desired state, `serve` runs a shim until the test ends. Time limits are for a slow machine.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from gluon.backends.fake.actual import FakeNetwork
from gluon.backends.fake.backend import FakeBackend
from gluon.kv.connect import connect as connect_bus
from gluon.objects import status
from gluon.particles import l3vpn
from gluon.shim.engine import Shim
from gluon.shim.settings import Pace
from gluon.spi.backend import Backend
from gluon.spi.bus import Bus
from gluon.testing.backend_suite import until
from gluon.testing.desired_state import DesiredState
from gluon.testing.fixtures import require_programs
from gluon.testing.servers import EtcdServer

PACE = Pace(first_wait=0.02, longest_wait=0.5, later=0.05, ttl=20, gather=0.02)
BRIEF = dataclasses.replace(PACE, ttl=2)
"""For who has to lose a lease; others keep theirs where the machine stands still for a second."""
Connect = Callable[[], Bus]


@pytest.fixture(params=["memory", "etcd"])
async def connect(request: pytest.FixtureRequest) -> AsyncIterator[Connect]:
    urls = [request.getfixturevalue("etcd_url")] if request.param == "etcd" else None
    made: list[Bus] = []

    def make() -> Bus:
        if urls is not None or not made:
            made.append(connect_bus(urls, progress=0.2))
        return made[-1]

    yield make
    for bus in made:
        await bus.close()


@pytest.fixture
def bus(connect: Connect) -> Bus:
    return connect()


@pytest.fixture
async def world(bus: Bus) -> DesiredState:
    """Complete, with the VPN `blue` on two targets."""
    made = DesiredState(bus, api=l3vpn.API, controllers=("fake",))
    await made.vpn("blue", "65000:1")
    await made.complete()
    return made


@pytest.fixture
def own_etcd() -> Iterator[EtcdServer]:
    """An etcd that the test may break."""
    require_programs("etcd", "etcdctl")
    with EtcdServer() as server:
        yield server


@dataclass
class Running:
    """Shims that run, each on its own, over one fake network."""

    network: FakeNetwork = field(default_factory=FakeNetwork)
    tasks: dict[Shim, asyncio.Task[None]] = field(default_factory=dict)

    def __call__(
        self,
        bus: Bus,
        *hosts: str,
        backend: type[Backend] = FakeBackend,
        pace: Pace = PACE,
        options: dict[str, Any] | None = None,
        **more: Any,
    ) -> Shim:
        """Begin to serve; the test waits for what it needs."""
        given = {"network": self.network, **(options or {})}
        shim = Shim(bus, backend, hosts=hosts or ("h1",), options=given, pace=pace, **more)
        self.tasks[shim] = asyncio.create_task(shim.run())
        return shim

    async def end(self, shim: Shim) -> None:
        shim.stop()
        await self.tasks.pop(shim)

    async def kill(self, shim: Shim) -> None:
        """End it without letting it say goodbye: as far as one process can play that."""
        task = self.tasks.pop(shim)
        task.cancel()
        await asyncio.wait({task})


@pytest.fixture
async def serve() -> AsyncIterator[Running]:
    running = Running()
    yield running
    for shim in list(running.tasks):
        await running.end(shim)


async def leads(shim: Shim, host: str = "h1") -> None:
    await until(lambda: host in shim.leading, f"the shim leads {host}")


async def reported(
    world: DesiredState,
    key: str,
    holds: Callable[[status.Report | None], bool],
    *,
    shard: str = "h1",
    object_type: str = "Port",
    what: str = "the report is as expected",
) -> None:
    """Wait until the report of an object is as it should be."""

    async def look() -> bool:
        return holds(await world.report(shard, object_type, key))

    await until(look, what)


def up(report: status.Report | None) -> bool:
    return report is not None and any(b.up for b in report.bindings.values())


def accepted(report: status.Report | None) -> bool:
    """Whether h1 was answered with a VIF."""
    return report is not None and "h1" in report.bindings and bool(report.bindings["h1"].vif_type)


def refused(report: status.Report | None) -> str:
    """The reason why h1 was refused; "" if it was not."""
    return report.bindings["h1"].refused if report is not None and "h1" in report.bindings else ""


def reason(report: status.Report | None, kind: str) -> str:
    """The reason of a condition; "" without one."""
    conditions = report.conditions if report else ()
    return next((c.reason for c in conditions if c.type == kind), "")
