"""What the journal says to those who follow the use of ports."""

import asyncio
import uuid

import msgspec

from gluon.kv.memory import MemoryBus
from gluon.objects import journal
from gluon.spi import notices
from tests.arbiter.conftest import V1, Rig, ScriptedShim

VIF = {"vif_type": "ovs", "vif_details": {"bridge_name": "br-x"}}
OWNER = "compute:nova"


async def told(rig: Rig) -> list[tuple[str, notices.Notice | None, notices.Notice | None]]:
    """Operation, port before and after of each notice."""
    return [
        (
            entry.op.value,
            None if entry.old is None else notices.decode(entry.old),
            None if entry.new is None else notices.decode(entry.new),
        )
        for entry in await rig.node.database.tail(0, limit=10_000)
        if (entry.api, entry.type) == (journal.GLUON, notices.PORT)
    ]


async def test_a_port_in_use_tells_that_traffic_flows_and_stops_and_that_it_went(
    rig: Rig, bus: MemoryBus
) -> None:
    shim, device = ScriptedShim(bus, "one"), str(uuid.uuid4())
    await shim.register()
    port = await rig.port(device_owner=OWNER)
    _, epoch = await asyncio.gather(rig.bind(port, "A", device), shim.answer(port["id"], "A"))
    assert await told(rig) == []
    await shim.report(port["id"], "A", epoch=epoch, up=True, **VIF)
    await rig.until(port, lambda s: s["status"] == "ACTIVE")
    await shim.report(port["id"], "A", epoch=epoch, up=False, **VIF)
    await rig.until(port, lambda s: s["status"] == "DOWN")
    assert (await rig("DELETE", f"{V1}/ports/{port['id']}"))[0] in (200, 204)
    down = notices.Notice(id=port["id"], device_id=device, device_owner=OWNER, status="DOWN", host="A")
    active = msgspec.structs.replace(down, status="ACTIVE")
    first, second, last = await told(rig)
    assert (first, second) == (("update", down, active), ("update", active, down))
    assert last[0] == "delete" and last[2] is None
    assert last[1] is not None and (last[1].device_id, last[1].device_owner) == (device, OWNER)


async def test_a_bind_that_fails_is_told(rig: Rig) -> None:
    port = await rig.port()
    assert (await rig.bind(port, "A"))["vif_type"] == "binding_failed"
    ((_, before, after),) = await told(rig)
    assert before is not None and after is not None
    assert (before.status, after.status) == ("BUILD", "ERROR")


async def test_ports_that_nobody_uses_tell_nothing(rig: Rig, bus: MemoryBus) -> None:
    port, device = await rig.port(device_owner=OWNER), str(uuid.uuid4())
    shim = ScriptedShim(bus, "one")
    await shim.register()
    _, epoch = await asyncio.gather(rig.bind(port, "A", device), shim.answer(port["id"], "A"))
    await rig.unbind(port)
    await shim.clear(port["id"])
    assert epoch and (await rig("DELETE", f"{V1}/ports/{port['id']}"))[0] in (200, 204)
    assert await told(rig) == []
