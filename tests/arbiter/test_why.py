"""`gluon why`: the account of a port by the API, and how the command shows it."""

import asyncio
from typing import Any

from gluon.cmd import why_commands
from gluon.kv.memory import MemoryBus
from tests.arbiter.conftest import Rig, ScriptedShim
from tests.arbiter.test_alternates import add, bound, context


async def test_the_account_of_a_port_tells_who_refused_it_and_who_has_it_now(
    rig: Rig, bus: MemoryBus
) -> None:
    first, second = ScriptedShim(bus, "a"), ScriptedShim(bus, "b")
    await first.register()
    await second.register()
    port = await rig.port(name="web")
    await asyncio.gather(
        rig.bind(port, "A"),
        first.answer(port["id"], "A", refused="NoRoom", message="full"),
        second.answer(port["id"], "A"),
    )
    await rig.until(port, lambda s: bool(s["observed_revision"]))
    code, found = await rig("GET", f"/gluon/v1/ports/{port['id']}")
    assert (code, found["works"], found["stuck_at"]) == (200, False, "the data plane is up")
    assert [s["state"] for s in found["stages"]] == ["done"] * 5 + ["waiting"]
    text = "\n".join(why_commands.lines(found))
    assert f'port {port["id"]} "web" of net-l3vpn: DOWN' in text
    assert "a: refused, NoRoom: full" in text
    assert "b: ovs, not up" in text
    assert "host A: Binding -> Binding (Assigned)" in text
    epoch = found["bindings"][0]["epoch"]
    await second.report(port["id"], "A", epoch=epoch, vif_type="ovs", up=True)
    await rig.until(port, lambda s: s["status"] == "ACTIVE")
    _, found = await rig("GET", f"/gluon/v1/ports/{port['id']}")
    assert (found["works"], found["stuck_at"]) == (True, None)
    assert f'port {port["id"]} "web" of net-l3vpn: ACTIVE' in "\n".join(why_commands.lines(found))


async def test_without_a_controller_the_account_says_what_was_looked_for_and_what_helps(rig: Rig) -> None:
    port = await rig.port()
    await rig.bind(port, "A")
    _, found = await rig("GET", f"/gluon/v1/ports/{port['id']}")
    assert found["stuck_at"] == "controllers were chosen"
    text = "\n".join(why_commands.lines(found))
    assert "host 'A'" in text
    assert "registered: none" in text
    assert "what helps: start a shim" in text


async def test_a_shim_that_comes_too_late_is_named_and_what_brings_the_port_to_it(
    rig: Rig, bus: MemoryBus
) -> None:
    port, shim = await rig.port(), ScriptedShim(bus, "late")
    await rig.bind(port, "A")
    await shim.register()
    async with asyncio.timeout(60):
        while "late" not in (text := await told(rig, port)):
            await asyncio.sleep(0.02)
    assert "registered: none" in text, "as it was at the bind"
    assert "what helps: bind it again" in text and "start a shim" not in text
    await asyncio.gather(rig.bind(port, "A"), shim.answer(port["id"], "A"))
    assert "registered: none" not in (await told(rig, port)).split("before, newest first")[0]
    await shim.leave()


async def told(rig: Rig, port: dict[str, Any]) -> str:
    _, found = await rig("GET", f"/gluon/v1/ports/{port['id']}")
    return "\n".join(why_commands.lines(found))


async def test_the_account_of_a_port_tells_when_its_traffic_moved(rig: Rig, bus: MemoryBus) -> None:
    shim = ScriptedShim(bus, "one")
    await shim.register()
    port = await bound(rig, shim)
    await add(rig, shim, port, "B")
    await rig.node.alternates.activate(context(rig), port["id"], "B")
    await rig.node.alternates.activate(context(rig), port["id"], "A")  # the machine did not get there
    _, found = await rig("GET", f"/gluon/v1/ports/{port['id']}")
    lines = list(why_commands.lines(found))
    there, back = (left for left in found["history"] if left.get("reason") == "Moved")
    assert [(left["host"], left["active"]) for left in (there, back)] == [("A", True), ("B", True)]
    assert f"  {there['until']}  host A: Bound -> Bound (Moved: host 'B' carries the traffic)" in lines
    assert f"  {back['until']}  host B: Bound -> Bound (Moved: host 'A' carries the traffic)" in lines
    held = {one["host"]: one for one in found["bindings"]}
    assert (held["A"]["since"], held["A"]["reason"], held["A"]["message"]) == (back["until"], "Bound", "")
    assert f"  host B: Bound since {back['until']}, carries none" in lines


async def test_nobody_has_a_port_of_that_id(rig: Rig) -> None:
    assert (await rig("GET", "/gluon/v1/ports/nowhere"))[0] == 404
