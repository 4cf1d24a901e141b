"""Hosts that are gone for good: what shims have said of them is forgotten, and nothing waits for them any more."""

import asyncio
from typing import Any

from gluon.kv.memory import MemoryBus
from gluon.objects import codec, keys, status
from tests.arbiter.conftest import V1, Rig, ScriptedShim

HOSTS = "/gluon/v1/hosts"


async def a_vpn(rig: Rig) -> dict[str, Any]:
    code, vpn = await rig("POST", f"{V1}/vpns", {"name": "red", "tenant_id": rig.project})
    assert code == 201, vpn
    made: dict[str, Any] = vpn
    return made


async def say(shim: ScriptedShim, vpn: dict[str, Any], revision: int) -> None:
    """That the VPN is ready."""
    ready = status.Condition(type=status.READY, status="True")
    report = status.Report(observed_revision=revision, conditions=(ready,))
    key = keys.status(shim.controller, shim.shard, "net-l3vpn", "VpnService", vpn["id"])
    await shim.bus.put(key, codec.encode(report))


async def until(rig: Rig, vpn: dict[str, Any], word: str) -> dict[str, Any]:
    async with asyncio.timeout(60):
        while True:
            _, standing = await rig("GET", f"{V1}/vpns/{vpn['id']}/status")
            if standing["status"] == word:
                told: dict[str, Any] = standing
                return told
            await asyncio.sleep(0.02)


async def listed(rig: Rig) -> list[dict[str, Any]]:
    code, found = await rig("GET", HOSTS)
    assert code == 200, found
    hosts: list[dict[str, Any]] = found["hosts"]
    return hosts


async def known(rig: Rig, *hosts: dict[str, Any]) -> None:
    async with asyncio.timeout(60):
        while await listed(rig) != list(hosts):
            await asyncio.sleep(0.02)


def host(name: str, reports: int, *instances: str, controller: str = "x") -> dict[str, Any]:
    return {"controller": controller, "host": name, "reports": reports, "instances": list(instances)}


async def test_a_vpn_does_not_wait_for_a_host_that_is_forgotten(rig: Rig, bus: MemoryBus) -> None:
    dead, living = ScriptedShim(bus, "x", "A"), ScriptedShim(bus, "y", "B")
    await dead.register()
    await living.register()
    vpn = await a_vpn(rig)
    revision = (await until(rig, vpn, "DOWN"))["revision"]
    for shim in (dead, living):
        await say(shim, vpn, revision)
    await until(rig, vpn, "ACTIVE")
    await dead.leave()
    await known(rig, host("A", 1), host("B", 1, "one", controller="y"))
    assert (await rig("GET", "/gluon/v1/status"))[1]["away"] == [host("A", 1)]
    await rig("PUT", f"{V1}/vpns/{vpn['id']}", {"name": "blue"})
    standing = await until(rig, vpn, "BUILD")
    await say(living, vpn, standing["revision"])
    assert await rig("DELETE", f"{HOSTS}/A") == (200, {"forgotten": [host("A", 1)]})
    standing = await until(rig, vpn, "ACTIVE")
    assert [c["shard"] for c in standing["conditions"]] == ["B"]
    await known(rig, host("B", 1, "one", controller="y"))
    code, refused = await rig("DELETE", f"{HOSTS}/A")
    assert (code, refused["code"]) == (404, "not_found")
    assert "host 'A'" in refused["detail"]


async def test_many_reports_go_in_parts(rig: Rig, bus: MemoryBus) -> None:
    """etcd needs a minute to tell those who watch of 100,000 keys that went at once, and nothing else meanwhile."""
    shim, count = ScriptedShim(bus, "x", "A"), 1001
    for number in range(count):
        await say(shim, {"id": f"vpn-{number}"}, 1)
    await known(rig, host("A", count))
    before = (await bus.list(keys.STATUS)).revision
    assert (await rig("DELETE", f"{HOSTS}/A"))[0] == 200
    after = await bus.list(keys.STATUS)
    assert not after.items
    assert after.revision >= before + 3


async def test_of_several_controllers_one_may_be_forgotten(rig: Rig, bus: MemoryBus) -> None:
    first, second = ScriptedShim(bus, "x", "A"), ScriptedShim(bus, "y", "A")
    vpn = await a_vpn(rig)
    await say(first, vpn, 1)
    await say(second, vpn, 1)
    await known(rig, host("A", 1), host("A", 1, controller="y"))
    path = f"{HOSTS}/A"
    assert (await rig("DELETE", f"{path}?controller=z"))[0] == 404
    assert (await rig("DELETE", f"{path}?controller=x"))[0] == 200
    await known(rig, host("A", 1, controller="y"))


async def test_a_host_that_a_shim_serves_is_not_forgotten(rig: Rig, bus: MemoryBus) -> None:
    shim = ScriptedShim(bus, "x", "A")
    await shim.register()
    vpn = await a_vpn(rig)
    await say(shim, vpn, 1)
    await known(rig, host("A", 1, "one"))
    code, refused = await rig("DELETE", f"{HOSTS}/A?force=true")
    assert (code, refused["code"]) == (409, "host_served")
    assert "controller 'x', instance 'one'" in refused["detail"]
    await bus.put(keys.lead("x", "A"), b"one")
    await shim.leave()
    await known(rig, host("A", 1))
    code, refused = await rig("DELETE", f"{HOSTS}/A")
    assert (code, refused["code"]) == (409, "host_served")
    await known(rig, host("A", 1))
    assert (await rig("DELETE", f"{HOSTS}/A?force=maybe"))[0] == 400


async def test_a_host_with_bound_ports_is_forgotten_only_by_force(rig_anywhere: Rig, bus: MemoryBus) -> None:
    rig = rig_anywhere
    shim, central = ScriptedShim(bus, "x", "A"), ScriptedShim(bus, "y")
    await shim.register()
    port, other = await rig.port(), await rig.port()
    _, epoch = await asyncio.gather(rig.bind(port, "A"), shim.answer(port["id"], "A"))
    await shim.report(port["id"], "A", epoch=epoch, vif_type="ovs", up=True)
    await rig.until(port, lambda s: s["status"] == "ACTIVE")
    await central.register()
    await asyncio.gather(rig.bind(other, "B"), central.answer(other["id"], "B"))
    for one in (shim, central):
        await one.leave()
    await known(rig, host("A", 1), host("*", 1, controller="y"))
    for name in ("A", "*"):
        code, refused = await rig("DELETE", f"{HOSTS}/{name}")
        assert (code, refused["code"]) == (409, "in_use")
        assert refused["detail"].endswith(": 1")
    assert (await rig("DELETE", f"{HOSTS}/A?force=true"))[0] == 200
    standing = await rig.until(port, lambda s: s["status"] == "DOWN")
    assert standing["binding"]["state"] == "Bound"
    await shim.register()
    await shim.report(port["id"], "A", epoch=epoch, vif_type="ovs", up=True)
    await rig.until(port, lambda s: s["status"] == "ACTIVE")
    await rig.unbind(other)
    await rig.until(other, lambda s: s["binding"]["state"] != "Bound")
    assert (await rig("DELETE", f"{HOSTS}/*"))[0] == 200


async def test_what_a_shim_of_all_hosts_said_takes_nothing_from_what_one_of_the_host_says(
    rig: Rig, bus: MemoryBus
) -> None:
    """The same controller, first served for all hosts at once, then by a shim on each."""
    before, now = ScriptedShim(bus, "x"), ScriptedShim(bus, "x", "A")
    await before.register()
    port = await rig.port()
    _, epoch = await asyncio.gather(rig.bind(port, "A"), before.answer(port["id"], "A"))
    await before.report(port["id"], "A", epoch=epoch, vif_type="ovs", up=True)
    await rig.until(port, lambda s: s["status"] == "ACTIVE")
    await now.register()
    await now.report(port["id"], "A", epoch=epoch, vif_type="ovs", up=True)
    await before.report(port["id"], "A", epoch=epoch, vif_type="ovs")  # its last word
    await known(rig, host("*", 1), host("A", 1, "one"))
    assert (await rig("DELETE", f"{HOSTS}/*?force=true"))[0] == 200
    vpn = await a_vpn(rig)
    await say(now, vpn, 10**6)
    await until(rig, vpn, "ACTIVE")  # it is told after that
    assert (await rig.standing(port))["status"] == "ACTIVE"
    await now.clear(port["id"])
    await rig.until(port, lambda s: s["status"] == "DOWN")


async def test_all_of_a_host_is_forgotten_or_nothing(rig: Rig, bus: MemoryBus) -> None:
    """Though of one controller somebody leads there who is not registered yet."""
    first, second = ScriptedShim(bus, "x", "A"), ScriptedShim(bus, "y", "A")
    vpn = await a_vpn(rig)
    await say(first, vpn, 1)
    await say(second, vpn, 1)
    await known(rig, host("A", 1), host("A", 1, controller="y"))
    await bus.put(keys.lead("y", "A"), b"one")
    code, refused = await rig("DELETE", f"{HOSTS}/A")
    assert (code, refused["code"]) == (409, "host_served")
    assert await bus.get(keys.status("x", "A", "net-l3vpn", "VpnService", vpn["id"])) is not None
    await bus.delete(keys.lead("y", "A"))
    told = [host("A", 1), host("A", 1, controller="y")]
    assert await rig("DELETE", f"{HOSTS}/A") == (200, {"forgotten": told})
    await known(rig)


async def test_a_misspelt_argument_forgets_nothing(rig: Rig, bus: MemoryBus) -> None:
    shim = ScriptedShim(bus, "x", "A")
    await say(shim, await a_vpn(rig), 1)
    await known(rig, host("A", 1))
    code, refused = await rig("DELETE", f"{HOSTS}/A?controler=y")
    assert (code, refused["errors"][0]["detail"]) == (400, "query argument 'controler' is not known")
    await known(rig, host("A", 1))
