"""Two PEs with everything real: namespaces, Open vSwitch, gobgpd, a reflector, and a shim on each.

The desired state is written into a bus in memory, as a publisher would. The shims live in an event loop
of their own thread, so tests are plain functions.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from gluon.backends.bgp_mpls.backend import BgpMplsBackend
from gluon.kv.memory import MemoryBus
from gluon.objects import status
from gluon.particles import l3vpn
from gluon.shim.engine import Shim
from gluon.shim.settings import Stats
from gluon.testing.desired_state import DesiredState
from gluon.testing.hypervisor import Hypervisor, Plug
from gluon.testing.lab import GobgpDaemon, Host, Lab, NameServer, OvsInstance, RouteReflector, ask_name, ping
from gluon.testing.process import ProcessFailed, wait_until

ASN = 65000
CONTROLLER = "bgp_mpls"
REFLECTOR = "192.0.2.9"
GATEWAYS = {"10.1.1": "10.1.1.1", "10.3.7": "10.3.7.1"}
_Result = TypeVar("_Result")


class Loop:
    """An event loop in a thread."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="backends", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, _Result]) -> _Result:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    def do(self, work: Callable[[], _Result]) -> _Result:
        """Call it inside the loop: the world is read there."""

        async def call() -> _Result:
            return work()

        return self.run(call())

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()


class Pe:
    """One host: daemons, hypervisor, and a backend that may be restarted."""

    def __init__(self, site: Site, name: str, address: str) -> None:
        self.site = site
        self.name = name
        self.address = address
        self.host = site.lab.host(name)
        self.switch = OvsInstance(self.host)
        self.gobgpd = GobgpDaemon(self.host)
        self.hypervisor = Hypervisor(site.lab, self.switch)
        self.labels = "1000-1999" if name == "a" else "2000-2999"
        self.shim: Shim | None = None
        self._running: asyncio.Task[None] | None = None

    def start_daemons(self) -> None:
        self.switch.start()
        self.switch.underlay("eth0", f"{self.address}/24")
        self.gobgpd.start()

    def start(self) -> None:
        """A new life of the shim; returns when it has looked at everything."""
        options = {
            "ovsdb": self.switch.db,
            "ovs_rundir": str(self.switch.run_dir),
            "speaker": self.gobgpd.target,
            "router_id": self.address,
            "asn": ASN,
            "peers": [{"address": REFLECTOR, "passive": self.site.reflector.dials, "hold_time": 9}],
            "labels": self.labels,
        }

        async def begin() -> tuple[Shim, asyncio.Task[None]]:
            made = Shim(
                self.site.bus, BgpMplsBackend, hosts=[self.name], controller=CONTROLLER, options=options
            )
            return made, asyncio.create_task(made.run())

        self.shim, self._running = self.site.loop.run(begin())
        self.site.wait(lambda: self.stats.full_scans > 0, "first full scan")

    def stop(self) -> None:
        if self._running is None or self.shim is None:
            return
        running, self._running = self._running, None

        async def end(shim: Shim) -> None:
            shim.stop()
            await running

        self.site.loop.run(end(self.shim))

    @property
    def stats(self) -> Stats:
        assert self.shim is not None
        return self.shim.stats[self.name]

    def look(self) -> None:
        """What a periodic full scan does."""
        assert self.shim is not None
        self.site.loop.do(self.shim.look)

    def report(self, object_type: str, key: str) -> status.Report:
        found = self.site.loop.run(self.site.state.report(self.name, object_type, key))
        return found or status.Report(observed_revision=0)

    def reasons(self, object_type: str, key: str) -> dict[str, str]:
        return {c.type: c.reason for c in self.report(object_type, key).conditions}

    def up(self, port: str) -> bool:
        bound = self.report(l3vpn.PORT, port).bindings.get(self.name)
        return bound is not None and bound.up

    def flows(self) -> list[str]:
        """None while the switch is away."""
        try:
            text = self.switch.ofctl("br-mpls", "dump-flows", "--no-stats", "--no-names")
        except ProcessFailed:
            return []
        return sorted(line.strip() for line in text.splitlines() if "actions=" in line)


class Vm:
    """A VM with one NIC in one VPN."""

    def __init__(self, site: Site, pe: Pe, vpn: str, address: str) -> None:
        self.site, self.pe, self.vpn, self.address = site, pe, vpn, address
        self.number = len(site.vms) + 1
        self.port = f"{self.number:08x}-0000-4000-8000-000000000000"
        self.gateway = GATEWAYS[address.rpartition(".")[0]]
        self.host: Host | None = None

    @property
    def name(self) -> str:
        return f"{self.vpn}{self.number}"

    @property
    def plug(self) -> Plug:
        """What Nova knows after the bind."""
        self.site.wait(lambda: self.pe.name in self.pe.report(l3vpn.PORT, self.port).bindings, "the answer")
        reply = self.pe.report(l3vpn.PORT, self.port).bindings[self.pe.name]
        return Plug(
            port_id=self.port,
            mac=f"02:00:00:00:00:{self.number:02x}",
            address=f"{self.address}/24",
            gateway=self.gateway,
            vif_type=reply.vif_type,
            vif_details=reply.vif_details,
        )

    def boot(self) -> None:
        self.host = self.pe.hypervisor.boot(self.name, self.plug)
        NameServer(self.host).start()

    def pings(self, address: str) -> bool:
        assert self.host is not None
        return ping(self.host, address, seconds=0.5)

    def asks(self, address: str) -> str:
        assert self.host is not None
        return ask_name(self.host, address, seconds=0.5)


class Site:
    """The whole of it."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.loop = Loop()
        self.bus = self.loop.do(MemoryBus)
        self.state = DesiredState(self.bus, api=l3vpn.API, controllers=[CONTROLLER])
        self.vms: list[Vm] = []
        self.version = "1.0"
        middle = lab.host("reflector")
        self.core = lab.segment("core", lab.host("a"), lab.host("b"), middle)
        middle.address("eth0", f"{REFLECTOR}/24")
        self.a, self.b = Pe(self, "a", "192.0.2.1"), Pe(self, "b", "192.0.2.2")
        clients = [self.a.address, self.b.address]
        self.reflector = RouteReflector(middle, router_id=REFLECTOR, clients=clients, asn=ASN)

    def start(self) -> None:
        self.speak(self.version)
        self.change(lambda s: s.complete())
        for pe in (self.a, self.b):
            pe.start_daemons()
            pe.start()
        self.reflector.start()

    def close(self) -> None:
        for pe in (self.a, self.b):
            pe.stop()
        self.loop.close()

    def change(self, work: Callable[[DesiredState], Coroutine[Any, Any, object]]) -> None:
        """Change the desired state."""
        self.loop.run(work(self.state))

    def speak(self, version: str) -> None:
        """Say which version of the model all objects are in."""
        self.version = version
        self.change(lambda s: s.model(version))

    def target(self, target: str, kind: str) -> None:
        """Say what a route target is for."""
        self.change(lambda s: s.put(l3vpn.AF_CONFIG, target, vrf_rt_value=target, vrf_rt_type=kind))

    def vm(self, pe: Pe, vpn: str, address: str, **body: Any) -> Vm:
        """A port, bound, with a VM plugged. `body`: more of its membership, in version 2.0."""
        made = Vm(self, pe, vpn, address)
        self.vms.append(made)
        mac = f"02:00:00:00:00:{made.number:02x}"
        self.change(lambda s: s.port(made.port, mac_address=mac))
        if self.version == "1.0":
            self.change(lambda s: s.attach(made.port, vpn, address, gateway=made.gateway))
        else:
            self.change(lambda s: s.join(made.port, vpn, address, **body))
        self.change(lambda s: s.bind(made.port, pe.name))
        made.boot()
        return made

    def wait(self, condition: Callable[[], bool], what: str, *, limit: float = 20) -> None:
        wait_until(condition, what, limit=limit, every=0.1)
