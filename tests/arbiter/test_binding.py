"""Binding a port, as a client and as shims live it: states, reasons, epochs, deadlines."""

import asyncio
import uuid

from gluon.kv.memory import MemoryBus
from gluon.objects import keys
from tests.arbiter.conftest import Rig, ScriptedShim


async def test_a_bind_answers_with_the_vif_of_the_assigned_shim(rig: Rig, bus: MemoryBus) -> None:
    shim = ScriptedShim(bus, "one")
    await shim.register()
    port = await rig.port()
    bound, _ = await asyncio.gather(rig.bind(port, "A"), shim.answer(port["id"], "A"))
    assert (bound["vif_type"], bound["vif_details"]) == ("ovs", '{"bridge_name":"br-x"}')
    standing = await rig.standing(port)
    assert standing["binding"]["state"] == "Bound"
    assert standing["binding"]["controllers"] == ["one"]
    assert standing["status"] == "DOWN"


async def test_a_bound_port_is_active_once_its_shim_says_it_is_up(rig: Rig, bus: MemoryBus) -> None:
    shim = ScriptedShim(bus, "one")
    await shim.register()
    port = await rig.port()
    _, epoch = await asyncio.gather(rig.bind(port, "A"), shim.answer(port["id"], "A"))
    vif = {"vif_type": "ovs", "vif_details": {"bridge_name": "br-x"}}
    await shim.report(port["id"], "A", epoch=epoch, up=True, **vif)
    await rig.until(port, lambda s: s["status"] == "ACTIVE")
    await shim.report(port["id"], "A", epoch=epoch, up=False, **vif)
    standing = await rig.until(port, lambda s: s["status"] == "DOWN")
    assert standing["binding"]["state"] == "Bound"


async def test_without_a_controller_the_bind_fails_after_the_grace_and_says_what_was_looked_for(
    rig: Rig,
) -> None:
    port = await rig.port()
    bound = await rig.bind(port, "A")
    assert bound["vif_type"] == "binding_failed"
    standing = await rig.standing(port)
    assert (standing["status"], standing["binding"]["reason"]) == ("ERROR", "NoController")
    assert "host 'A'" in standing["binding"]["message"]
    assert "registered: none" in standing["binding"]["message"]


async def test_a_controller_that_registers_within_the_grace_gets_the_bind(rig: Rig, bus: MemoryBus) -> None:
    shim = ScriptedShim(bus, "late")
    port = await rig.port()
    binding = asyncio.create_task(rig.bind(port, "A"))
    await rig.until(port, lambda s: s["binding"]["state"] == "Binding")
    await shim.register()
    await shim.answer(port["id"], "A")
    assert (await binding)["vif_type"] == "ovs"


async def test_a_refusal_goes_to_the_next_candidate_and_the_last_one_is_told(
    rig: Rig, bus: MemoryBus
) -> None:
    first, second = ScriptedShim(bus, "a"), ScriptedShim(bus, "b")
    await first.register()
    await second.register()
    port = await rig.port()
    bound, *_ = await asyncio.gather(
        rig.bind(port, "A"),
        first.answer(port["id"], "A", refused="NoRoom", message="full"),
        second.answer(port["id"], "A"),
    )
    assert bound["vif_type"] == "ovs"
    assert (await rig.standing(port))["binding"]["controllers"] == ["b"]
    other = await rig.port()
    failed, *_ = await asyncio.gather(
        rig.bind(other, "A"),
        first.answer(other["id"], "A", refused="NoRoom", message="full"),
        second.answer(other["id"], "A", refused="NoRoom", message="full too"),
    )
    assert failed["vif_type"] == "binding_failed"
    standing = await rig.standing(other)
    assert (standing["binding"]["reason"], standing["binding"]["message"]) == ("NoRoom", "full too")


async def test_a_silent_shim_fails_the_bind_at_its_deadline(rig: Rig, bus: MemoryBus) -> None:
    shim = ScriptedShim(bus, "mute", deadline=0.3)
    await shim.register()
    port = await rig.port()
    assert (await rig.bind(port, "A"))["vif_type"] == "binding_failed"
    assert (await rig.standing(port))["binding"]["reason"] == "Timeout"


async def test_a_shim_that_goes_away_before_it_answers_counts_as_a_refusal(rig: Rig, bus: MemoryBus) -> None:
    shim = ScriptedShim(bus, "brief")
    await shim.register()
    port = await rig.port()
    binding = asyncio.create_task(rig.bind(port, "A"))
    await shim.wanted(port["id"], "A")
    await shim.leave()
    assert (await binding)["vif_type"] == "binding_failed"
    assert (await rig.standing(port))["binding"]["reason"] == "ControllerGone"


async def test_a_late_reply_with_an_old_epoch_is_not_believed(rig: Rig, bus: MemoryBus) -> None:
    shim = ScriptedShim(bus, "one")
    await shim.register()
    port = await rig.port()
    _, old = await asyncio.gather(rig.bind(port, "A"), shim.answer(port["id"], "A"))
    await rig.unbind(port)
    await shim.clear(port["id"])
    await rig.until(port, lambda s: s["binding"]["state"] == "Unbound")
    again = asyncio.create_task(rig.bind(port, "A"))
    await shim.wanted(port["id"], "A", epoch_after=old)
    await shim.report(port["id"], "A", epoch=old, vif_type="ovs", vif_details={"bridge_name": "old"})
    await rig.until(port, lambda s: s["observed_revision"] == old)
    assert (await rig.standing(port))["binding"]["state"] == "Binding"
    await shim.answer(port["id"], "A", epoch_after=old)
    assert (await again)["vif_details"] == '{"bridge_name":"br-x"}'


async def test_a_reply_that_no_hypervisor_understands_is_a_refusal(rig: Rig, bus: MemoryBus) -> None:
    shim = ScriptedShim(bus, "one")
    await shim.register()
    for bad in (
        {"vif_type": "bridge"},
        {"vif_type": "ovs", "vif_details": {"a": {"b": {"c": {"d": {"e": 1}}}}}},
        {"vif_type": "ovs", "vif_details": {"bridge_name": 7}},
        {"vif_type": "ovs", "vif_details": {"x": "y" * 20_000}},
    ):
        port = await rig.port()
        bound, _ = await asyncio.gather(rig.bind(port, "A"), shim.answer(port["id"], "A", **bad))
        assert bound["vif_type"] == "binding_failed", bad
        assert (await rig.standing(port))["binding"]["reason"] == "BadReply"


async def test_rubbish_under_status_stops_nobody(rig: Rig, bus: MemoryBus) -> None:
    shim = ScriptedShim(bus, "one")
    await shim.register()
    port = await rig.port()
    for rubbish in (b"", b"{", b"[]", b"x" * 100_000, b'{"observed_revision": "x"}'):
        await bus.put(shim.key(port["id"]), rubbish)
    await bus.put("/status/nonsense", b"1")
    await bus.put("/gluon/shim/x/y", b"nonsense")
    bound, _ = await asyncio.gather(rig.bind(port, "A"), shim.answer(port["id"], "A"))
    assert bound["vif_type"] == "ovs"


async def test_what_leaves_a_binding_alone(rig: Rig, bus: MemoryBus) -> None:
    shim = ScriptedShim(bus, "one")
    await shim.register()
    port = await rig.port()
    device = str(uuid.uuid4())
    bound, epoch = await asyncio.gather(rig.bind(port, "A", device), shim.answer(port["id"], "A"))
    for change in (
        {"name": "x"},
        {"profile": '{"a": 1}'},
        {"host_id": "A"},
        {"host_id": "A", "device_id": device},
        {"device_id": ""},
        {"host_id": None},
    ):
        changed = await rig.put(port, **change)
        assert changed["vif_type"] == "ovs", change
        standing = await rig.standing(port)
        assert standing["binding"]["state"] == "Bound"
    found = await bus.get(keys.binding("net-l3vpn", port["id"], "A"))
    assert found is not None
    assert f'"epoch":{epoch}'.encode() in found.value
    assert bound["host_id"] == "A"


async def test_a_post_with_host_and_device_only_stores_them(rig: Rig, bus: MemoryBus) -> None:
    port = await rig.port(host_id="A", device_id=str(uuid.uuid4()))
    assert port["host_id"] == "A"
    assert (await rig.standing(port))["binding"]["state"] == "Unbound"


async def test_unbind_takes_the_wish_back_and_clears(rig: Rig, bus: MemoryBus) -> None:
    shim = ScriptedShim(bus, "one")
    await shim.register()
    port = await rig.port()
    await asyncio.gather(rig.bind(port, "A"), shim.answer(port["id"], "A"))
    unbound = await rig.unbind(port)
    assert (unbound["vif_type"], unbound["vif_details"]) == (None, "{}")
    assert (await rig.standing(port))["binding"]["state"] == "Unbinding"
    await shim.clear(port["id"])
    await rig.until(port, lambda s: s["binding"]["state"] == "Unbound")
    async with asyncio.timeout(60):
        while await bus.get(keys.binding("net-l3vpn", port["id"], "A")) is not None:
            await asyncio.sleep(0.01)
    assert (await rig.unbind(port))["vif_type"] is None


async def test_another_host_binds_again(rig: Rig, bus: MemoryBus) -> None:
    shim = ScriptedShim(bus, "one")
    await shim.register()
    port = await rig.port()
    _, first = await asyncio.gather(rig.bind(port, "A"), shim.answer(port["id"], "A"))
    bound, _ = await asyncio.gather(
        rig.put(port, host_id="B"), shim.answer(port["id"], "B", epoch_after=first)
    )
    assert (bound["host_id"], bound["vif_type"]) == ("B", "ovs")
    assert (await rig.standing(port))["binding"]["host"] == "B"
    async with asyncio.timeout(60):
        while await bus.get(keys.binding("net-l3vpn", port["id"], "A")) is not None:
            await asyncio.sleep(0.01)


async def test_repeating_a_put_joins_the_bind_and_tries_a_failed_one_again(rig: Rig, bus: MemoryBus) -> None:
    shim = ScriptedShim(bus, "one", deadline=5.0)
    await shim.register()
    port = await rig.port()
    device = str(uuid.uuid4())
    first = asyncio.create_task(rig.bind(port, "A", device))
    wanted = await shim.wanted(port["id"], "A")
    second = asyncio.create_task(rig.bind(port, "A", device))
    await shim.answer(port["id"], "A", refused="NoRoom")
    assert [b["vif_type"] for b in await asyncio.gather(first, second)] == ["binding_failed"] * 2
    third, _ = await asyncio.gather(
        rig.bind(port, "A", device), shim.answer(port["id"], "A", epoch_after=wanted.epoch)
    )
    assert third["vif_type"] == "ovs"


async def test_deleting_a_bound_port_takes_all_of_it(rig: Rig, bus: MemoryBus) -> None:
    shim = ScriptedShim(bus, "one")
    await shim.register()
    port = await rig.port()
    await asyncio.gather(rig.bind(port, "A"), shim.answer(port["id"], "A"))
    assert (await rig("DELETE", f"/proton/net-l3vpn/v1.0/ports/{port['id']}"))[0] == 204
    async with asyncio.timeout(60):
        for prefix in (keys.PROTON, keys.PORT, keys.BINDING):
            while (await bus.list(prefix)).items:
                await asyncio.sleep(0.01)
    assert await rig("GET", "/gluon/v1/ports") == (200, {"ports": []})


async def test_port_ids_are_unique(rig: Rig) -> None:
    port = await rig.port()
    code, fault = await rig(
        "POST",
        "/proton/net-l3vpn/v1.0/ports",
        {**{k: v for k, v in port.items() if v is not None and "_at" not in k}},
    )
    assert (code, fault["code"]) == (409, "taken")


async def test_one_hundred_binds_at_once_hold_nothing_up(rig: Rig, bus: MemoryBus) -> None:
    shim = ScriptedShim(bus, "one")
    await shim.register()
    ports = [await rig.port() for _ in range(100)]
    binds = asyncio.gather(*(rig.bind(p, "A") for p in ports))
    answers = asyncio.gather(*(shim.answer(p["id"], "A") for p in ports))
    assert {b["vif_type"] for b in await binds} == {"ovs"}
    await answers
