"""Two PEs with everything real: namespaces, Open vSwitch, gobgpd, a reflector, and the backend on each.

The desired state is made by hand (`tests.unit.bgp_mpls.network`); a plain reconciler stands where a
shim's engine would. Backends live in an event loop of their own thread, so tests are plain functions.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from gluon.backends.bgp_mpls.backend import BgpMplsBackend
from gluon.errors import TryLater
from gluon.particles import l3vpn
from gluon.spi.backend import Delta, ObjectStatus, Ref, Rows, Setting, World
from gluon.testing.hypervisor import Hypervisor, Plug
from gluon.testing.lab import GobgpDaemon, Host, Lab, NameServer, OvsInstance, RouteReflector, ask_name, ping
from gluon.testing.process import ProcessFailed, wait_until
from tests.unit.bgp_mpls.network import Network

ASN = 65000
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


class Reconciler:
    """Looks at scopes, compares, applies; after a failure everything is read back."""

    def __init__(self, backend: BgpMplsBackend, world: World) -> None:
        self.backend = backend
        self.world = world
        self.deltas: list[Delta] = []
        self._held: dict[str, Rows] = {}
        self._dirty: set[str | None] = {None}
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        await self.backend.start(self.look)
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        assert self._task is not None
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        await self.backend.stop()

    def look(self, scope: str | None) -> None:
        self._dirty.add(scope)
        self._wake.set()

    async def _run(self) -> None:
        self._wake.set()
        while True:
            await self._wake.wait()
            self._wake.clear()
            dirty, self._dirty = self._dirty, set()
            try:
                await self._reconcile(dirty)
            except TryLater:
                await asyncio.sleep(0.2)
                self.look(None)

    async def _reconcile(self, dirty: set[str | None]) -> None:
        if None in dirty:
            self._held = dict(await self.backend.actual())
            dirty = {*self._held, *self.backend.all_scopes(self.world)}
        for scope in sorted(s for s in dirty if s is not None):
            wanted, held = self.backend.desired(self.world, scope), self._held.get(scope, {})
            delta = Delta(
                make={k: v for k, v in wanted.items() if k not in held},
                change={k: v for k, v in wanted.items() if k in held and held[k] != v},
                remove={k: v for k, v in held.items() if k not in wanted},
            )
            if delta:
                self.deltas.append(delta)
                await self.backend.apply(delta)
            self._held[scope] = wanted


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
        self.reconciler: Reconciler | None = None

    def start_daemons(self) -> None:
        self.switch.start()
        self.switch.underlay("eth0", f"{self.address}/24")
        self.gobgpd.start()

    def start(self) -> None:
        """A new life of the shim."""
        options = {
            "ovsdb": self.switch.db,
            "ovs_rundir": str(self.switch.run_dir),
            "speaker": self.gobgpd.target,
            "router_id": self.address,
            "asn": ASN,
            "peers": [{"address": REFLECTOR, "passive": self.site.reflector.dials, "hold_time": 9}],
            "labels": "1000-1999" if self.name == "a" else "2000-2999",
        }
        setting = Setting(controller="bgp_mpls", host=self.name, options=options)

        async def begin() -> Reconciler:
            made = Reconciler(BgpMplsBackend(setting), self.site.network.world)
            await made.start()
            return made

        self.reconciler = self.site.loop.run(begin())

    def stop(self) -> None:
        if self.reconciler is not None:
            reconciler, self.reconciler = self.reconciler, None
            self.site.loop.run(reconciler.stop())

    def status(self, object_type: str, key: str) -> ObjectStatus | None:
        reconciler = self.reconciler
        assert reconciler is not None
        ref = Ref(l3vpn.API, object_type, key)
        return self.site.loop.do(lambda: reconciler.backend.status(self.site.network.world, ref))

    def up(self, port: str) -> bool:
        found = self.status(l3vpn.PORT, port)
        return found is not None and found.up

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
        backend = self.pe.reconciler.backend if self.pe.reconciler else None
        assert backend is not None
        binding = self.site.network.binding(self.port, self.pe.name)
        vif = self.site.loop.do(lambda: backend.bind(self.site.network.world, binding))
        return Plug(
            port_id=self.port,
            mac=f"02:00:00:00:00:{self.number:02x}",
            address=f"{self.address}/24",
            gateway=self.gateway,
            vif_type=vif.vif_type,
            vif_details=vif.details,
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
        self.network = Network()
        self.vms: list[Vm] = []
        middle = lab.host("reflector")
        self.core = lab.segment("core", lab.host("a"), lab.host("b"), middle)
        middle.address("eth0", f"{REFLECTOR}/24")
        self.a, self.b = Pe(self, "a", "192.0.2.1"), Pe(self, "b", "192.0.2.2")
        clients = [self.a.address, self.b.address]
        self.reflector = RouteReflector(middle, router_id=REFLECTOR, clients=clients, asn=ASN)

    def start(self) -> None:
        for pe in (self.a, self.b):
            pe.start_daemons()
            pe.start()
        self.reflector.start()

    def close(self) -> None:
        for pe in (self.a, self.b):
            pe.stop()
        self.loop.close()

    def change(self, work: Callable[[Network], object]) -> None:
        """Change the desired state; everything is looked at again."""
        self.loop.do(lambda: work(self.network))
        for pe in (self.a, self.b):
            if pe.reconciler is not None:
                self.loop.do(lambda pe=pe: pe.reconciler.look(None))  # type: ignore[misc]

    def vm(self, pe: Pe, vpn: str, address: str) -> Vm:
        """A port, bound, with a VM plugged."""
        made = Vm(self, pe, vpn, address)
        self.vms.append(made)

        def ask(network: Network) -> None:
            network.port(made.port, number=made.number, host=pe.name)
            network.join(made.port, vpn, address, made.gateway)

        self.change(ask)
        made.boot()
        return made

    def wait(self, condition: Callable[[], bool], what: str, *, limit: float = 20) -> None:
        wait_until(condition, what, limit=limit, every=0.1)
