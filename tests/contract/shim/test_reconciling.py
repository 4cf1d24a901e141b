"""What the engine makes of trouble: drift, failing scopes, bugs of a backend, models beyond it."""

from __future__ import annotations

import asyncio
import dataclasses
import ipaddress
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import pytest
import structlog

from gluon.backends.fake.backend import FakeBackend
from gluon.backends.fake.desired import Fact
from gluon.errors import GiveUp
from gluon.objects import codec, keys, status
from gluon.particles import l3vpn
from gluon.shim import calls, reconcile
from gluon.shim.engine import Shim
from gluon.spi import backend as spi
from gluon.spi.bus import Bus
from gluon.testing.backend_suite import until
from gluon.testing.desired_state import DesiredState
from tests.contract.shim.conftest import PACE, Running, accepted, leads, reason, refused, reported, up


class Picky(FakeBackend):
    """Gives up on one VPN, and has a bug that another meets."""

    def desired(self, world: spi.World, scope: str) -> spi.Rows:
        if scope == "vpn/red" and world.where("net-l3vpn", "VpnService", "description", "bad"):
            raise GiveUp("red is not possible", reason="NotPossible")
        if scope == "vpn/green":
            raise KeyError("green")
        return super().desired(world, scope)


class _NoVif(FakeBackend):
    def bind(self, world: spi.World, binding: spi.PortBinding) -> spi.Vif:
        return None if binding.ref.key == "p1" else super().bind(world, binding)  # type: ignore[return-value]


class _StrangeVif(FakeBackend):
    def bind(self, world: spi.World, binding: spi.PortBinding) -> spi.Vif:
        if binding.ref.key == "p1":
            return spi.Vif(vif_type="ovs", details={"gateway": ipaddress.ip_address("10.1.1.1")})
        return super().bind(world, binding)


class _NoScopes(FakeBackend):
    def scopes(self, world: spi.World, ref: spi.Ref) -> frozenset[str]:
        return None if ref.key == "p1" else super().scopes(world, ref)  # type: ignore[return-value]


class _NoRows(FakeBackend):
    def desired(self, world: spi.World, scope: str) -> spi.Rows:
        return None if scope == "vpn/green" else super().desired(world, scope)  # type: ignore[return-value]


class _StrangeMessage(FakeBackend):
    def desired(self, world: spi.World, scope: str) -> spi.Rows:
        if scope == "vpn/green":
            raise GiveUp("there is no file caf\udce9", reason="BackendError")
        return super().desired(world, scope)


class _StrangeStatus(FakeBackend):
    def status(self, world: spi.World, ref: spi.Ref) -> spi.ObjectStatus | None:
        if ref.key == "p1":
            message: Any = OSError("no text")
            no = status.Condition(type="Ready", status="False", message=message)
            return spi.ObjectStatus(conditions=(no,))
        return super().status(world, ref)


async def bound(world: DesiredState, port: str, service: str, address: str) -> None:
    await world.port(port)
    await world.attach(port, service, address)
    await world.bind(port, "h1")


def failed(report: status.Report | None) -> tuple[str, str, str]:
    said = report.bindings.get("h1") if report else None
    return (said.vif_type, said.failed, said.message) if said else ("", "", "")


async def test_a_full_scan_repairs_drift_by_itself(bus: Bus, world: DesiredState, serve: Running) -> None:
    await leads(serve(bus, pace=dataclasses.replace(PACE, full_scan=0.1)))
    await bound(world, "p1", "blue", "10.1.1.5")
    await reported(world, "p1", up)
    facts = serve.network.plane("h1").facts
    before = dict(facts)
    facts.clear()
    await until(lambda: facts == before, "the facts are back")


async def test_nobody_waits_for_a_full_scan(
    bus: Bus, world: DesiredState, serve: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Others on the event loop have their turns between its steps, however many ports there are."""
    steps = [0]

    class Counted:
        """A row: comparing it is a step."""

        def __init__(self, scope: str) -> None:
            self.scope = scope

        def __eq__(self, other: object) -> bool:
            steps[-1] += 1
            return isinstance(other, Counted)

        def __hash__(self) -> int:
            return hash(self.scope)

    class Stepwise(FakeBackend):
        def all_scopes(self, world: spi.World) -> Iterator[str]:
            for scope in super().all_scopes(world):
                steps[-1] += 1
                yield scope

        def members(self, world: spi.World, scope: str) -> frozenset[spi.Ref]:
            steps[-1] += 1
            return super().members(world, scope)

        def desired(self, world: spi.World, scope: str) -> spi.Rows:
            steps[-1] += 1
            return dict.fromkeys(super().desired(world, scope), Counted(scope))

        def status(self, world: spi.World, ref: spi.Ref) -> spi.ObjectStatus | None:
            steps[-1] += 1
            return super().status(world, ref)

    async def others() -> None:
        while True:
            steps.append(0)
            await asyncio.sleep(0)

    monkeypatch.setattr(reconcile, "_SLICE", 0.0)
    for n in range(20):
        await world.port(f"p{n}")
        await world.bind(f"p{n}", "h1")
    shim = serve(bus, backend=Stepwise)
    await leads(shim)
    await at_rest(world, shim, 20)
    steps[:] = [0]
    beside = asyncio.create_task(others())
    try:
        scans = shim.stats["h1"].full_scans
        shim.look()
        await until(lambda: shim.stats["h1"].full_scans > scans, "the scan is over")
    finally:
        beside.cancel()
    assert sum(steps) >= 5 * 20, "a scope, its rows, compared, its members and their statuses"
    assert max(steps) <= 3


class Told(FakeBackend):
    """Says when it is asked for rows, and whether the world was whole when it got some to write."""

    asked: ClassVar[asyncio.Event]
    whole: ClassVar[Callable[[], bool]]
    written: ClassVar[list[bool]]

    def desired(self, world: spi.World, scope: str) -> spi.Rows:
        self.asked.set()
        return super().desired(world, scope)

    async def apply(self, delta: spi.Delta) -> None:
        self.written.append(type(self).whole())
        await super().apply(delta)


async def at_rest(world: DesiredState, shim: Shim, ports: int) -> None:
    """Wait until all ports are up and the round that said so of the last one is over too."""
    for n in range(ports):
        await reported(world, f"p{n}", up)
    await until(lambda: shim.settled(0), "nothing is under way")


async def many(
    bus: Bus, world: DesiredState, serve: Running, monkeypatch: pytest.MonkeyPatch
) -> tuple[Shim, dict[str, Fact]]:
    """A shim that gives others their turn after each of its scopes when it scans them all, and what it has programmed."""
    monkeypatch.setattr(reconcile, "_SLICE", 0.0)
    Told.asked, Told.whole, Told.written = asyncio.Event(), lambda: True, []
    for n in range(30):
        await world.port(f"p{n}")
        await world.bind(f"p{n}", "h1")
    shim = serve(bus, backend=Told)
    await leads(shim)
    await at_rest(world, shim, 30)
    Told.asked.clear()
    Told.whole = lambda: shim.ready
    return shim, serve.network.plane("h1").facts


async def test_nothing_is_written_of_a_world_that_is_whole_no_more(
    bus: Bus, world: DesiredState, serve: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Others had their turns since it was looked at."""
    shim, facts = await many(bus, world, serve, monkeypatch)
    before = dict(facts)
    facts.clear()
    shim.look()
    await Told.asked.wait()
    await world.begin_resync()
    await until(lambda: not shim.ready or facts == before, "it is seen, if not too late")
    await world.complete()
    await until(lambda: facts == before, "the facts are back")
    assert all(Told.written)


async def test_nothing_is_removed_when_a_model_is_refused_in_the_middle(
    bus: Bus, world: DesiredState, serve: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    shim, facts = await many(bus, world, serve, monkeypatch)
    before = dict(facts)
    scans = shim.stats["h1"].full_scans
    shim.look()
    await Told.asked.wait()
    model = {"name": l3vpn.API, "version": "9.0", "types": {"Nic": {"kind": "port"}}}
    await bus.put(keys.model(l3vpn.API), codec.encode(model))
    await until(lambda: bool(shim.registration.refused), "it is refused")
    await until(lambda: shim.stats["h1"].full_scans > scans, "the scan is over")
    assert facts == before


async def test_a_scope_that_is_given_up_stands_in_nobodys_way(
    bus: Bus, world: DesiredState, serve: Running
) -> None:
    await leads(serve(bus, backend=Picky))
    await world.vpn("red", "65000:2", description="bad")
    await bound(world, "p1", "red", "10.1.1.5")
    await reported(world, "p1", lambda r: reason(r, "Programmed") == "NotPossible")
    await reported(world, "p1", lambda r: failed(r) == ("ovs", "NotPossible", "red is not possible"))
    await bound(world, "p2", "blue", "10.1.1.6")
    await reported(world, "p2", up)
    await world.vpn("red", "65000:2", description="good")
    await reported(world, "p1", up)
    await reported(world, "p1", lambda r: failed(r) == ("ovs", "", ""))


async def test_a_bug_of_a_backend_is_a_condition(bus: Bus, world: DesiredState, serve: Running) -> None:
    await leads(serve(bus, backend=Picky))
    await world.vpn("green", "65000:3")
    await bound(world, "p1", "green", "10.1.1.5")
    await reported(world, "p1", lambda r: reason(r, "Programmed") == "BackendError")
    await bound(world, "p2", "blue", "10.1.1.6")
    await reported(world, "p2", up)


@pytest.mark.parametrize(
    "backend", [_NoVif, _StrangeVif, _NoScopes, _NoRows, _StrangeMessage, _StrangeStatus]
)
async def test_an_answer_that_is_none_stands_in_nobody_elses_way(
    bus: Bus, world: DesiredState, serve: Running, backend: type[FakeBackend]
) -> None:
    shim = serve(bus, backend=backend)
    await leads(shim)
    await world.vpn("green", "65000:3")
    await bound(world, "p1", "green", "10.1.1.5")
    await reported(
        world,
        "p1",
        lambda r: "BackendError" in {refused(r), reason(r, "Programmed")} or (backend is _NoScopes and up(r)),
    )
    await bound(world, "p2", "blue", "10.1.1.6")
    await reported(world, "p2", up)
    assert shim.stats["h1"].leaderships == 1


async def test_a_backend_that_hangs_is_spoken_of(
    bus: Bus, world: DesiredState, serve: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calls, "SLOW", 0.05)
    go = asyncio.Event()

    class Hanging(FakeBackend):
        async def apply(self, delta: spi.Delta) -> None:
            await go.wait()
            await super().apply(delta)

    def spoken_of() -> bool:
        return any(log["log_level"] == "warning" and log.get("call") == "apply" for log in logs)

    with structlog.testing.capture_logs() as logs:
        await leads(serve(bus, backend=Hanging))
        await bound(world, "p1", "blue", "10.1.1.5")
        await until(spoken_of, "it is in the log")
    go.set()
    await reported(world, "p1", up)


async def test_a_data_plane_that_is_away_is_said_and_waited_for(
    bus: Bus, world: DesiredState, serve: Running
) -> None:
    plane = serve.network.plane("h1")
    plane.down = True
    await leads(serve(bus))
    await bound(world, "p1", "blue", "10.1.1.5")
    await reported(world, "p1", accepted)
    await reported(world, "p1", lambda r: reason(r, "Programmed") == "Retrying")
    plane.down = False
    await reported(world, "p1", up)
    report = await world.report("h1", "Port", "p1")
    assert report
    assert reason(report, "Programmed") == "Programmed"
    assert report.observed_revision > 0


async def test_plugs_turn_a_port_up_and_down(bus: Bus, world: DesiredState, serve: Running) -> None:
    await leads(serve(bus, options={"plug": "manual"}))
    await bound(world, "p1", "blue", "10.1.1.5")
    await reported(world, "p1", lambda r: reason(r, "Ready") == "NotPlugged")
    serve.network.plug("p1")
    await reported(world, "p1", up)
    serve.network.unplug("p1")
    await reported(world, "p1", lambda r: not up(r))


async def test_a_port_learns_of_its_service_later(bus: Bus, world: DesiredState, serve: Running) -> None:
    await leads(serve(bus))
    await world.port("p1")
    await world.bind("p1", "h1")
    await reported(world, "p1", up)
    await world.attach("p1", "blue", "10.1")
    await reported(world, "p1", lambda r: reason(r, "Programmed") == "InvalidValue")
    await world.detach("p1")
    await reported(world, "p1", up)


async def test_a_service_without_targets_says_so(bus: Bus, world: DesiredState, serve: Running) -> None:
    await leads(serve(bus))
    await world.vpn("red", None)
    await bound(world, "p1", "red", "10.1.1.5")
    await reported(
        world, "red", lambda r: reason(r, "RemoteRoutes") == "NoRouteTarget", object_type="VpnService"
    )


async def test_a_model_beyond_the_backend_stops_programming_and_is_said(
    bus: Bus, world: DesiredState, serve: Running
) -> None:
    await world.model("1.0")
    await leads(serve(bus))
    await bound(world, "p1", "blue", "10.1.1.5")
    await reported(world, "p1", up)
    facts = dict(serve.network.plane("h1").facts)
    await world.model("3.0")
    await reported(world, "p1", lambda r: reason(r, "Ready") == "ModelTooNew")
    await bound(world, "p2", "blue", "10.1.1.6")
    await reported(world, "p2", lambda r: refused(r) == "ModelTooNew")
    await world.detach("p1")
    report = await world.report("h1", "Port", "p1")
    assert report
    assert report.bindings["h1"].vif_type == "ovs"
    assert serve.network.plane("h1").facts == facts
    await world.model("1.0")
    await reported(world, "p2", up)


async def test_nothing_is_removed_while_a_resync_runs(bus: Bus, world: DesiredState, serve: Running) -> None:
    shim = serve(bus)
    await leads(shim)
    await bound(world, "p1", "blue", "10.1.1.5")
    await reported(world, "p1", up)
    facts = dict(serve.network.plane("h1").facts)
    await world.begin_resync()
    await until(lambda: not shim.ready, "it knows of the resync")
    await world.unbind("p1", "h1")
    await world.detach("p1")
    await world.port("p2")
    await world.bind("p2", "h1")
    # A new binding is answered all the same.
    await reported(world, "p2", accepted)
    assert serve.network.plane("h1").facts == facts
    await world.complete()
    await reported(world, "p1", lambda report: report is None)
    await reported(world, "p2", up)


async def test_the_fake_backend_says_which_secrets_it_has_and_none_of_them(
    bus: Bus, world: DesiredState, serve: Running
) -> None:
    await world.put("VpnService", "red", id="red", name="red", ipv4_family=None, password=None)
    await world.secret("VpnService", "red", password="hunter2-of-the-test", other=None)
    shim = serve(bus, "*")
    await leads(shim, "*")

    def told(report: status.Report | None) -> bool:
        found = [c for c in report.conditions if c.type == "Secrets"] if report else []
        return [(c.reason, c.message) for c in found] == [("Present", "password")]

    await reported(world, "red", told, object_type="VpnService", shard="*")
    listing = await bus.list("/status/")
    assert not [item for item in listing.items if b"hunter2" in item.value]
