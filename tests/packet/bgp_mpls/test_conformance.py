"""The backend passes the conformance suite of backends, on a real Open vSwitch and a real gobgpd."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from gluon.backends.bgp_mpls import actual, config, flows
from gluon.backends.bgp_mpls.apply import Writer
from gluon.backends.bgp_mpls.backend import BgpMplsBackend
from gluon.backends.bgp_mpls.ovs import Switch
from gluon.backends.bgp_mpls.routes import VpnRoute
from gluon.backends.bgp_mpls.speaker import Speaker
from gluon.errors import TryLater
from gluon.spi.backend import Look, Setting
from gluon.testing.backend_suite import BackendSuite, Rig, until
from gluon.testing.l3vpn_states import P1, P2, P3
from gluon.testing.lab import GobgpDaemon, Lab, OvsInstance, needs, unmet_needs
from gluon.values.route_target import RouteDistinguisher

pytestmark = pytest.mark.packet

ROUTER = "192.0.2.1"
OFPORTS = {P1: 11, P2: 12, P3: 13}
FOREIGN_FLOW = "cookie=0x7,table=20,priority=999,ip actions=drop"
FOREIGN_ROUTE = VpnRoute(
    rd=RouteDistinguisher.parse("65000:99"),
    prefix="10.99.0.0/16",
    label=1500,
    next_hop="192.0.2.77",
    route_targets=frozenset(),
)


def device(port: str) -> str:
    return f"tap{port[:11]}"


@dataclass(slots=True)
class Budget:
    """How many rows may still be written; None: any number."""

    left: int | None = None

    def spend(self, rows: int) -> None:
        if self.left is not None:
            if self.left < rows:
                raise TryLater("broken by the test")
            self.left -= rows


class FragileSwitch(Switch):
    budget: Budget

    async def write_external_ids(self, values: Mapping[str, str | None]) -> None:
        self.budget.spend(len(values))
        await super().write_external_ids(values)

    async def edit_flows(self, lines: Iterable[str]) -> None:
        made = list(lines)
        self.budget.spend(len(made))
        await super().edit_flows(made)


class FragileSpeaker(Speaker):
    budget: Budget

    async def announce(self, route: VpnRoute) -> None:
        self.budget.spend(1)
        await super().announce(route)

    async def withdraw(self, route: VpnRoute) -> None:
        self.budget.spend(1)
        await super().withdraw(route)


class RigBackend(BgpMplsBackend):
    """The backend with writes that can be made to fail, and whose start waits for what is plugged."""

    rig: BgpMplsRig

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        switch = FragileSwitch(db=self._switch.db, run_dir=self._switch.run_dir, bridge=self._switch.bridge)
        speaker = FragileSpeaker(self._config.speaker)
        switch.budget = speaker.budget = self.rig.budget
        self._writer = Writer(switch, speaker, self._config)
        self._fragile = speaker

    async def start(self, look: Look) -> None:
        await super().start(look)
        self.rig.live = self
        await self.sees_plugs()

    async def stop(self) -> None:
        self.rig.live = None
        await super().stop()
        await self._fragile.close()

    async def sees_plugs(self) -> None:
        await until(lambda: self._facts.plugs.keys() == self.rig.plugged, "the backend sees what is plugged")


class BgpMplsRig(Rig):
    def __init__(self, plane: Plane) -> None:
        self.plane = plane
        self.options = {
            "ovsdb": plane.ovs.db,
            "ovs_rundir": str(plane.ovs.run_dir),
            "speaker": plane.gobgpd.target,
            "router_id": ROUTER,
            "asn": 65000,
            "labels": "1000-60000",
        }
        self.config = config.read(self.options)
        self.backend = type("Tested", (RigBackend,), {"rig": self})
        self.budget = Budget()
        self.plugged: set[str] = set()
        self.live: RigBackend | None = None
        self.switch = Switch(db=plane.ovs.db, run_dir=plane.ovs.run_dir, bridge=self.config.bridge)
        self.speaker = Speaker(plane.gobgpd.target)

    async def clean(self) -> None:
        """As nothing had ever been here; the bridge is there, since hypervisors plug into it."""
        await Writer(self.switch, self.speaker, self.config).prepare()
        await self.plug(())
        await self.switch.replace_flows(())
        kept = await self.switch.external_ids()
        await self.switch.write_external_ids({k: None for k in kept if not k.startswith("gluon-owner")})
        await self.speaker.start(asn=65000, router_id=ROUTER)
        for route in (await self.speaker.routes()).own.values():
            await self.speaker.withdraw(route)

    async def rows(self) -> Any:
        return await actual.read(self.switch, await self.speaker.routes(), self.config)

    async def plug(self, ports: Collection[str]) -> None:
        words: list[str] = []
        for port in set(OFPORTS) - set(ports):
            words += ["--", "--if-exists", "del-port", self.config.bridge, device(port)]
        for port in ports:
            words += ["--", "--may-exist", "add-port", self.config.bridge, device(port)]
            words += ["--", "set", "Interface", device(port), f"external_ids:iface-id={port}"]
            words += [f"ofport_request={OFPORTS[port]}"]
        self.plugged = set(ports)
        await asyncio.to_thread(self.plane.ovs.vsctl, *words[1:])
        if self.live is not None:
            await self.live.sees_plugs()

    async def damage(self, dice: random.Random) -> None:
        found = await self.rows()
        rows = [row for scope in sorted(found) for _, row in sorted(found[scope].items())]
        lines = ["add " + _stray_flow()]
        for row in dice.sample(rows, k=len(rows) // 2):
            if isinstance(row, VpnRoute):
                await self.speaker.withdraw(row)
            elif isinstance(row, flows.Flow):
                spoiled = flows.Flow(
                    table=row.table,
                    priority=row.priority,
                    match=row.match,
                    cookie=row.cookie,
                    actions="set_field:0x63->reg5",
                )
                lines.append(dice.choice((row.deletion(), spoiled.addition())))
        await self.switch.edit_flows(lines)
        await self.switch.write_external_ids({f"{actual.NUMBER}333": "nobody"})
        await self.speaker.announce(
            VpnRoute(
                rd=RouteDistinguisher.parse("65000:1"),
                prefix="10.9.9.9/32",
                label=1400,
                next_hop=ROUTER,
                route_targets=frozenset(),
            )
        )

    async def add_foreign(self) -> None:
        await self.switch.edit_flows(["add " + FOREIGN_FLOW])
        await self.speaker.announce(FOREIGN_ROUTE)
        await self.switch.write_external_ids({"theirs": "kept"})

    async def foreign(self) -> Any:
        dumped = await self.switch.dump_flows()
        routes = (await self.speaker.routes()).own.values()
        external_ids = await self.switch.external_ids()
        return (
            [f for f in dumped if not flows.parse(f.text, f.cookie).ours],
            [r for r in routes if not actual.is_ours(r, self.config)],
            {k: v for k, v in external_ids.items() if not k.startswith(actual.NUMBER)},
        )

    async def break_writes(self, after: int) -> None:
        self.budget.left = after

    async def heal(self) -> None:
        self.budget.left = None


def _stray_flow() -> str:
    return f"cookie={flows.MARK | 444:#x},table=20,priority=332,ip,reg0=0x1bc,nw_dst=10.9.9.9 actions=drop"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plane:
    """One host's daemons, for all tests here: each begins with a clean bridge and speaker."""

    ovs: OvsInstance
    gobgpd: GobgpDaemon


@pytest.fixture(scope="module")
def plane() -> Iterator[Plane]:
    if why := unmet_needs(*needs.SWITCH, *needs.SPEAKER):
        pytest.skip(why)
    with Lab() as lab:
        host = lab.host("pe")
        made = Plane(ovs=OvsInstance(host), gobgpd=GobgpDaemon(host))
        made.ovs.start()
        made.gobgpd.start()
        for port in OFPORTS:
            lab.cable(host, device(port), lab.host(f"vm{port[:2]}"), "eth0")
        yield made


class TestBgpMpls(BackendSuite):
    examples = 3
    _plane: Plane

    @pytest.fixture(autouse=True)
    def _use(self, plane: Plane) -> None:
        type(self)._plane = plane

    def rig(self) -> AbstractAsyncContextManager[Rig]:
        return _rig(self._plane)


@asynccontextmanager
async def _rig(plane: Plane) -> AsyncIterator[Rig]:
    made = BgpMplsRig(plane)
    await made.clean()
    try:
        yield made
    finally:
        await made.speaker.close()
