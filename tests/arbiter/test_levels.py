"""Several controllers for one binding, and hosts that die: what the port shows then."""

import asyncio
from typing import Any

from gluon.arbiter import history, tables
from gluon.kv.memory import MemoryBus
from gluon.objects import keys
from tests.arbiter.conftest import Rig, ScriptedShim

PART: dict[str, Any] = {"vif_details": {"vlan": 7}}
VIF: dict[str, Any] = {"vif_type": "ovs", "vif_details": {"bridge_name": "br-x"}}


async def test_a_port_is_bound_when_all_levels_have_answered_and_up_when_all_are(
    rig: Rig, bus: MemoryBus
) -> None:
    fabric, host = ScriptedShim(bus, "fabric", level=0), ScriptedShim(bus, "host", level=1)
    await fabric.register()
    await host.register()
    port = await rig.port()
    binding = asyncio.create_task(rig.bind(port, "A"))
    epoch = await host.answer(port["id"], "A", **VIF)
    await rig.until(port, lambda s: s["observed_revision"] == epoch)
    standing = await rig.standing(port)
    assert (standing["binding"]["state"], standing["binding"]["controllers"]) == (
        "Binding",
        ["fabric", "host"],
    )
    assert await fabric.answer(port["id"], "A", **PART) == epoch
    bound = await binding
    assert (bound["vif_type"], bound["vif_details"]) == ("ovs", '{"vlan":7,"bridge_name":"br-x"}')
    await host.report(port["id"], "A", epoch=epoch, up=True, **VIF)
    await rig.until(port, lambda s: s["binding"]["levels"][1]["up"])
    assert (await rig.standing(port))["status"] == "DOWN"
    await fabric.report(port["id"], "A", epoch=epoch, up=True, **PART)
    standing = await rig.until(port, lambda s: s["status"] == "ACTIVE")
    assert [(one["level"], one["controller"]) for one in standing["binding"]["levels"]] == [
        (0, "fabric"),
        (1, "host"),
    ]
    await rig.unbind(port)
    await host.clear(port["id"])
    await rig.until(port, lambda s: s["binding"]["controllers"] == ["fabric"])
    assert (await rig.standing(port))["binding"]["state"] == "Unbinding"
    await fabric.clear(port["id"])
    await rig.until(port, lambda s: s["binding"]["state"] == "Unbound")


async def test_a_refusal_of_one_level_tries_its_next_under_a_new_epoch_for_all(
    rig: Rig, bus: MemoryBus
) -> None:
    fabric = ScriptedShim(bus, "fabric", level=0)
    first, second = ScriptedShim(bus, "host-1", level=1), ScriptedShim(bus, "host-2", level=1)
    for shim in (fabric, first, second):
        await shim.register()
    port = await rig.port()
    binding = asyncio.create_task(rig.bind(port, "A"))
    epoch = await fabric.answer(port["id"], "A", **PART)
    await first.answer(port["id"], "A", refused="NoRoom", message="full")
    assert await fabric.answer(port["id"], "A", epoch_after=epoch, **PART) > epoch
    await second.answer(port["id"], "A", epoch_after=epoch, **VIF)
    assert (await binding)["vif_type"] == "ovs"
    assert (await rig.standing(port))["binding"]["controllers"] == ["fabric", "host-2"]
    left, _ = history.read(await rig.node.database.get(tables.HISTORY, port["id"]))
    assert (left.state, left.next, left.controllers) == ("Binding", "Binding", ("fabric", "host-1"))
    assert (left.answers["host-1"].refused, left.answers["host-1"].message) == ("NoRoom", "full")


async def test_a_level_that_stays_silent_fails_the_bind_and_is_named(rig: Rig, bus: MemoryBus) -> None:
    fabric, host = (
        ScriptedShim(bus, "fabric", level=0, deadline=3.0),
        ScriptedShim(bus, "host", level=1, deadline=3.0),
    )
    await fabric.register()
    await host.register()
    port = await rig.port()
    failed, _ = await asyncio.gather(rig.bind(port, "A"), fabric.answer(port["id"], "A", **PART))
    assert failed["vif_type"] == "binding_failed"
    standing = await rig.standing(port)
    assert standing["binding"]["reason"] == "Timeout"
    assert standing["binding"]["message"] == "host did not answer in time"


async def test_a_machine_is_evacuated_from_a_dead_host_without_waiting_for_it(
    rig: Rig, bus: MemoryBus
) -> None:
    dead, living = ScriptedShim(bus, "x", "A"), ScriptedShim(bus, "y", "B")
    await dead.register()
    await living.register()
    port = await rig.port()
    _, old = await asyncio.gather(rig.bind(port, "A"), dead.answer(port["id"], "A"))
    await dead.leave()
    bound, _ = await asyncio.gather(rig.put(port, host_id="B"), living.answer(port["id"], "B"))
    assert (bound["host_id"], bound["vif_type"]) == ("B", "ovs")
    async with asyncio.timeout(30):
        while await bus.get(keys.binding("net-l3vpn", port["id"], "A")) is not None:
            await asyncio.sleep(0.01)
    await dead.report(port["id"], "A", epoch=old, up=True, **VIF)
    standing = await rig.until(port, lambda s: s["observed_revision"] == old)
    assert (standing["status"], standing["binding"]["host"]) == ("DOWN", "B")
