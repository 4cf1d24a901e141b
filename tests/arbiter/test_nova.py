"""Nova is told what becomes of ports, through outages of Nova and the death of who tells it."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from gluon.arbiter import uses
from gluon.cmd import node as nodes
from gluon.cmd import settings
from gluon.kv.memory import MemoryBus
from gluon.nova import client, notifier, place
from gluon.objects import codec, journal, status
from gluon.proton import registry
from gluon.spi import store
from tests import novas
from tests.arbiter.conftest import V1, Rig, ScriptedShim
from tests.arbiter.test_alternates import context

PLUGGED, UNPLUGGED, DELETED, CHANGED = (
    "network-vif-plugged", "network-vif-unplugged", "network-vif-deleted", "network-changed",
)  # fmt: skip
GONE = [DELETED, CHANGED, DELETED]
VIF = {"vif_type": "ovs", "vif_details": {"bridge_name": "br-x"}}


async def until(good: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not good():
            await asyncio.sleep(0.01)


class Site(Rig):
    """A node, a shim for all hosts, and ports of servers."""

    shim: ScriptedShim
    nova: novas.Nova

    async def server(self, host: str = "A", **more: Any) -> tuple[dict[str, Any], int]:
        """A bound port, and the epoch of its bind."""
        port = await self.port(device_owner="compute:nova", **more)
        _, epoch = await asyncio.gather(self.bind(port, host), self.shim.answer(port["id"], host))
        return port, epoch

    async def up(self, port: dict[str, Any], epoch: int, *, up: bool = True, host: str = "A") -> None:
        await self.shim.report(port["id"], host, epoch=epoch, up=up, **VIF)
        await self.until(port, lambda s: s["status"] == ("ACTIVE" if up else "DOWN"))

    def notifier(self) -> notifier.Notifier:
        """One more."""
        known = registry.Registry(self.node.models)
        api = client.Nova(client.Place(endpoint=f"{self.nova.url}/v2.1", seconds=60), None)
        return notifier.Notifier(self.node.database, uses.Uses(self.node.database, lambda: known), api)


@pytest.fixture
async def nova() -> AsyncIterator[novas.Nova]:
    async with novas.serving() as made:
        yield made


async def opened(nodes_settings: dict[str, Any], bus: MemoryBus, nova: novas.Nova) -> AsyncIterator[Site]:
    wanted = settings.load(None, nodes_settings)
    async with nodes.open_node(wanted, url="http://localhost:2705", shared=bus) as node:
        site = Site(node, bus)
        site.nova, site.shim = nova, ScriptedShim(bus, "one")
        await site.shim.register()
        yield site


@pytest.fixture
async def site(tmp_path: Path, bus: MemoryBus, nova: novas.Nova) -> AsyncIterator[Site]:
    """It tells Nova."""
    telling = {
        "enabled": True, "auth_url": nova.url, "user": "gluon", "password": "secret", "timeout_seconds": 60,
    }  # fmt: skip
    async for made in opened({"data": {"directory": str(tmp_path)}, "nova": telling}, bus, nova):
        yield made


@pytest.fixture
async def quiet(tmp_path: Path, bus: MemoryBus, nova: novas.Nova) -> AsyncIterator[Site]:
    """Nobody tells Nova but a test."""
    async for made in opened({"data": {"directory": str(tmp_path)}}, bus, nova):
        yield made


async def test_nova_hears_of_the_life_of_a_port(site: Site) -> None:
    port, epoch = await site.server()

    def told() -> list[str]:
        return site.nova.names(port["id"])

    await site.up(port, epoch)
    await until(lambda: told() == [PLUGGED, CHANGED])
    await site.up(port, epoch, up=False)
    await until(lambda: told() == [PLUGGED, CHANGED, UNPLUGGED])
    assert (await site("DELETE", f"{V1}/ports/{port['id']}"))[0] == 204
    await until(lambda: told() == [PLUGGED, CHANGED, UNPLUGGED, *GONE])
    assert site.nova.taken[0]["server_uuid"] == site.nova.taken[-1]["server_uuid"]
    assert {e["status"] for e in site.nova.taken if "status" in e} == {"completed"}


async def test_nova_hears_that_a_port_has_another_network(site: Site) -> None:
    port, epoch = await site.server()
    idle = await site.port()
    _, vpn = await site("POST", f"{V1}/vpns", {"tenant_id": site.project, "name": "red"})
    for one in (port, idle):
        body = {
            "tenant_id": site.project, "interface_id": one["id"], "service_id": vpn["id"], "ipaddress": "10.0.0.5",
            "subnet_prefix": 24, "gateway": "10.0.0.1",
        }  # fmt: skip
        assert (await site("POST", f"{V1}/vpnbindings", body))[0] == 201
    await until(lambda: site.nova.names(port["id"]) == [CHANGED])
    assert (await site("DELETE", f"{V1}/vpnbindings/{port['id']}"))[0] == 204
    await until(lambda: site.nova.names(port["id"]) == [CHANGED, CHANGED])
    assert epoch and site.nova.names(idle["id"]) == []


async def test_what_a_model_of_before_has_written_stops_nothing(quiet: Site) -> None:
    """Keys were texts then, and are UUIDs now."""
    known = registry.Registry(quiet.node.models)
    old, new = (codec.encode({"mtu": mtu}) for mtu in (1400, 1500))
    entry = journal.Entry(
        revision=1, n=0, at="2026-01-31T12:00:00.000000", who="", request_id="", api="net-l2", type="Network",
        key="red", op=journal.Operation.UPDATE, old=old, new=new, project=None, intent=True,
    )  # fmt: skip
    assert await uses.Uses(quiet.node.database, lambda: known).concerned([entry]) == set()


async def test_nova_hears_that_a_network_went_with_its_interface(site: Site) -> None:
    l2 = "/proton/net-l2/v2.0"
    own = {"project_id": site.project}
    _, network = await site("POST", f"{l2}/networks", own)
    _, port = await site("POST", f"{l2}/ports", {**own, "device_owner": "compute:x"})
    change = {"host_id": "A", "device_id": str(uuid.uuid4())}
    assert (await site("PUT", f"{l2}/ports/{port['id']}", change))[0] == 200
    tagged = {**own, "port_id": port["id"], "segmentation_type": "vlan", "segmentation_id": 5}
    _, interface = await site("POST", f"{l2}/interfaces", tagged)
    joined = {**own, "interface_id": interface["id"], "service_id": network["id"]}
    assert (await site("POST", f"{l2}/attachments", joined))[0] == 201
    await until(lambda: site.nova.names(port["id"]) == [CHANGED])
    assert (await site("DELETE", f"{l2}/interfaces/{interface['id']}"))[0] == 204
    await until(lambda: site.nova.names(port["id"]) == [CHANGED, CHANGED])


async def test_nova_hears_that_the_network_of_a_port_is_another(site: Site) -> None:
    """Of a service that says its subnets itself. Its name is nothing that a machine lives by."""
    l2 = "/proton/net-l2/v2.0"
    body = {"project_id": site.project, "name": "desk", "subnets": [{"cidr": "192.0.2.0/24"}]}
    _, network = await site("POST", f"{l2}/networks", body)
    made = [
        (await site("POST", f"{l2}/ports", {"project_id": site.project, "device_owner": "compute:x"}))[1]
        for _ in range(2)
    ]
    port, idle = made
    change = {"host_id": "A", "device_id": str(uuid.uuid4())}
    assert (await site("PUT", f"{l2}/ports/{port['id']}", change))[0] == 200
    for one in made:
        joined = {"project_id": site.project, "interface_id": one["id"], "service_id": network["id"]}
        status, answer = await site("POST", f"{l2}/attachments", joined)
        assert status == 201, answer
    await until(lambda: site.nova.names(port["id"]) == [CHANGED])
    assert (await site("PATCH", f"{l2}/networks/{network['id']}", {"name": "other"}))[0] == 200
    assert (await site("PATCH", f"{l2}/networks/{network['id']}", {"mtu": 1400}))[0] == 200
    await until(lambda: site.nova.names(port["id"]) == [CHANGED, CHANGED])
    assert site.nova.names(idle["id"]) == []


async def test_nova_hears_that_the_target_of_a_live_migration_is_ready(site: Site) -> None:
    """Before the bindings are swapped, whatever the port reads."""
    port, epoch = await site.server()
    await site.up(port, epoch)
    await until(lambda: site.nova.names(port["id"]) == [PLUGGED, CHANGED])
    report = {"A": status.BindingReport(epoch=epoch, up=True, vif_type="ovs")}

    async def answer() -> None:
        """Of the source nothing else is said meanwhile."""
        wanted = await site.shim.wanted(port["id"], "B")
        report["B"] = status.BindingReport(epoch=wanted.epoch, vif_type="ovs")
        await site.shim.say(port["id"], report)

    target, _ = await asyncio.gather(site.node.alternates.add(context(site), port["id"], "B"), answer())
    report["B"] = status.BindingReport(epoch=target.epoch, ready=True, vif_type="ovs")
    await site.shim.say(port["id"], report)
    await until(lambda: site.nova.names(port["id"]) == [PLUGGED, CHANGED, PLUGGED])
    await site.node.alternates.activate(context(site), port["id"], "B")
    await until(lambda: site.nova.names(port["id"])[3:] == [UNPLUGGED])
    report["B"] = status.BindingReport(epoch=target.epoch, up=True, vif_type="ovs")
    await site.shim.say(port["id"], report)
    await until(lambda: site.nova.names(port["id"])[3:] == [UNPLUGGED, PLUGGED, CHANGED])


async def test_the_host_that_a_machine_has_left_is_no_target_of_a_migration(site: Site) -> None:
    """Its VIF stays plugged until Nova has cleared up there. What is told of that would end the wait for another target."""
    port, first = await site.server()
    await site.up(port, first)
    await until(lambda: site.nova.names(port["id"]) == [PLUGGED, CHANGED])
    report = {"A": status.BindingReport(epoch=first, up=True, vif_type="ovs")}

    async def answer() -> None:
        wanted = await site.shim.wanted(port["id"], "B")
        report["B"] = status.BindingReport(epoch=wanted.epoch, ready=True, vif_type="ovs")
        await site.shim.say(port["id"], report)

    target, _ = await asyncio.gather(site.node.alternates.add(context(site), port["id"], "B"), answer())
    await until(lambda: site.nova.names(port["id"]) == [PLUGGED, CHANGED, PLUGGED])
    await site.node.alternates.activate(context(site), port["id"], "B")
    report["A"] = status.BindingReport(epoch=first, ready=True, vif_type="ovs")
    report["B"] = status.BindingReport(epoch=target.epoch, vif_type="ovs")
    await site.shim.say(port["id"], report)

    async def ready() -> bool:
        held = await site.node.alternates.all(context(site), port["id"])
        return [b.ready for b in held] == [False, True]

    async with asyncio.timeout(60):
        while not await ready():
            await asyncio.sleep(0.01)
    other, second = await site.server()  # what is told of it, is told after that
    await site.up(other, second)
    await until(lambda: site.nova.names(other["id"]) == [PLUGGED, CHANGED])
    assert site.nova.names(port["id"])[3:] == [UNPLUGGED]
    report["B"] = status.BindingReport(epoch=target.epoch, up=True, vif_type="ovs")
    await site.shim.say(port["id"], report)
    await until(lambda: site.nova.names(port["id"])[3:] == [UNPLUGGED, PLUGGED, CHANGED])


async def test_a_bind_that_fails_is_not_told_as_its_request_says_so(site: Site) -> None:
    port = await site.port(device_owner="compute:nova")
    await asyncio.gather(
        site.bind(port, "A"), site.shim.answer(port["id"], "A", refused="NoRoom", message="full")
    )
    other, epoch = await site.server()
    await site.up(other, epoch)
    await until(lambda: site.nova.names(other["id"]) == [PLUGGED, CHANGED])
    assert site.nova.names(port["id"]) == []


@pytest.mark.parametrize("trouble", [{"refused": "NoBridge"}, {"failed": "NotPossible", "vif_type": "ovs"}])
async def test_a_shim_that_refuses_later_ends_the_wait_of_nova(site: Site, trouble: dict[str, str]) -> None:
    port, epoch = await site.server()
    await site.shim.report(port["id"], "A", epoch=epoch, message="br-x is gone", **trouble)
    standing = await site.until(port, lambda s: s["status"] == "ERROR")
    await until(lambda: [(e["name"], e.get("status")) for e in site.nova.taken] == [(PLUGGED, "failed")])
    assert standing["binding"]["state"] == "Bound"
    await site.up(port, epoch)
    await until(lambda: site.nova.names(port["id"]) == [PLUGGED, PLUGGED, CHANGED])


async def test_a_shim_that_gives_up_with_its_answer_ends_the_wait_of_nova(site: Site) -> None:
    port = await site.port(device_owner="compute:nova")
    bound, epoch = await asyncio.gather(
        site.bind(port, "A"),
        site.shim.answer(
            port["id"], "A", vif_type="ovs", failed="NotPossible", message="red is not possible"
        ),
    )
    assert bound["vif_type"] == "ovs"
    await until(lambda: [(e["name"], e.get("status")) for e in site.nova.taken] == [(PLUGGED, "failed")])
    await site.up(port, epoch)
    await until(lambda: site.nova.names(port["id"]) == [PLUGGED, PLUGGED, CHANGED])


async def test_nothing_is_lost_while_nova_is_away_and_what_is_told_then_is_true_then(site: Site) -> None:
    failures: list[novas.Answer] = [None, (503, ""), (401, "")]

    def fail() -> None:
        site.nova.script = [failures.pop(0) if failures else (503, "")]

    site.nova.asked = fail
    (lasting, first), (short, second) = await site.server(), await site.server()
    await site.up(lasting, first)
    await site.up(short, second)
    await site.up(short, second, up=False)
    await until(lambda: not failures)
    site.nova.asked = lambda: None
    await until(lambda: site.nova.names(lasting["id"]) == [PLUGGED, CHANGED])
    await until(lambda: site.nova.names(short["id"]) == [UNPLUGGED])
    assert len(set(site.nova.tokens)) == 2


async def test_an_event_that_nova_cannot_take_keeps_no_other_from_it(site: Site) -> None:
    (one, first), (two, second) = await site.server(), await site.server()

    def answer() -> None:
        poisoned = any(e["tag"] == one["id"] for e in site.nova.requests[-1])
        site.nova.script = [(400, {"badRequest": {"message": "no"}})] if poisoned else []

    site.nova.asked = answer
    await site.up(one, first)
    await site.up(two, second)
    await until(lambda: site.nova.names(two["id"]) == [PLUGGED, CHANGED])
    assert site.nova.names(one["id"]) == []


@pytest.mark.parametrize("step", ["before it is sent", "before its answer", "before the place is kept"])
async def test_who_tells_may_die_at_each_step(quiet: Site, step: str) -> None:
    """Whoever comes after goes on where nothing is lost; an event may come twice."""
    port, epoch = await quiet.server()
    first, second = quiet.notifier(), quiet.notifier()
    dying = asyncio.create_task(first.run())
    await until(lambda: first.stats.leading)
    place_then = await kept(quiet)
    if step == "before it is sent":
        dying.cancel()
    elif step == "before its answer":
        quiet.nova.asked = lambda: stop(dying)
    else:
        first._store = Dying(quiet.node.database, dying)
    await quiet.up(port, epoch)
    with suppress(asyncio.CancelledError):
        async with asyncio.timeout(60):
            await dying
    assert await kept(quiet) == place_then
    quiet.nova.asked = lambda: None
    going_on = asyncio.create_task(second.run())
    await until(lambda: quiet.nova.names(port["id"])[-2:] == [PLUGGED, CHANGED])
    going_on.cancel()
    await asyncio.gather(going_on, return_exceptions=True)


async def test_that_nova_knows_no_server_at_all_is_told(quiet: Site) -> None:
    """It shows a user without the role admin those of his own project only."""
    telling = quiet.notifier()
    unknown = (404, {"itemNotFound": {"code": 404, "message": "No instances found for any event"}})
    quiet.nova.script = [unknown] * 99
    port, epoch = await quiet.server()
    running = asyncio.create_task(telling.run())
    await kept(quiet)
    telling.stats.answers.update({404: 8})
    for up in (True, False):
        await quiet.up(port, epoch, up=up)
        telling.notify()
        await until(lambda up=up: telling.stats.answers[404] >= (10 if up else 11))  # type: ignore[misc]
        assert telling.stats.strange
    quiet.nova.script = []
    await quiet.up(port, epoch)
    telling.notify()
    await until(lambda: not telling.stats.strange)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_where_the_journal_does_not_reach_back_every_port_in_use_is_looked_at(quiet: Site) -> None:
    (one, first), (two, _) = await quiet.server(), await quiet.server()
    idle = await quiet.port()
    database = quiet.node.database
    began = await database.position()
    await database.submit(place.Place(began.incarnation, 1))
    await quiet.up(one, first)
    assert await database.trim(below=(await database.position()).revision, keep_seconds=0.0, keep_rows=0)
    telling = quiet.notifier()
    running = asyncio.create_task(telling.run())
    await until(lambda: quiet.nova.names(one["id"]) == [PLUGGED, CHANGED])
    assert telling.stats.looks == 1
    assert quiet.nova.names(two["id"]) == quiet.nova.names(idle["id"]) == []
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


def stop(task: "asyncio.Task[None]") -> None:
    task.cancel()


async def kept(site: Site) -> place.Place:
    """The place of who tells Nova, once there is one: what comes after it is told."""
    async with asyncio.timeout(60):
        while (found := await place.read(site.node.database)) is None:
            await asyncio.sleep(0.01)
    return found


class Dying:
    """A store of a process that is killed when it would keep its place."""

    def __init__(self, inner: Any, victim: "asyncio.Task[None]") -> None:
        self.inner, self.victim = inner, victim

    async def submit(self, unit: store.Unit) -> store.Committed:
        self.victim.cancel()
        await asyncio.sleep(0)
        raise AssertionError("it was killed")

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)
