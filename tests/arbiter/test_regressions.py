"""Races and gaps of binding that were found once."""

import asyncio
import time
import uuid
from typing import Any

import pytest

from gluon.arbiter import tables
from gluon.kv.memory import MemoryBus
from gluon.objects import codec, keys
from gluon.spi.store import Select
from gluon.store.stats import Stats
from tests.arbiter.conftest import V1, Rig, ScriptedShim

VIF = {"vif_type": "ovs", "vif_details": {"bridge_name": "br-x"}}


async def test_who_waits_for_a_bind_is_not_content_with_the_end_of_another(rig: Rig, bus: MemoryBus) -> None:
    """One report tells of two hosts: here it clears the old one and refuses the new one."""
    first, second = ScriptedShim(bus, "a"), ScriptedShim(bus, "b")
    await first.register()
    port = await rig.port()
    await asyncio.gather(rig.bind(port, "Z"), first.answer(port["id"], "Z"))
    await second.register()
    again = asyncio.create_task(rig.put(port, host_id="A"))
    await first.answer(port["id"], "A", refused="NoRoom")
    await second.wanted(port["id"], "A")
    await rig.until(port, lambda s: s["binding"]["controllers"] == ["b"])
    assert not again.done()
    await second.answer(port["id"], "A")
    assert (await again)["vif_type"] == "ovs"


async def test_a_talkative_shim_does_not_put_off_the_deadline(rig: Rig, bus: MemoryBus) -> None:
    shim = ScriptedShim(bus, "talks", deadline=0.5)
    await shim.register()
    port = await rig.port()

    async def talk() -> None:
        for epoch in range(10_000):
            await shim.report(port["id"], "elsewhere", epoch=epoch)
            await asyncio.sleep(0.01)

    talking = asyncio.create_task(talk())
    try:
        async with asyncio.timeout(60):
            assert (await rig.bind(port, "A"))["vif_type"] == "binding_failed"
    finally:
        talking.cancel()


async def test_a_bound_port_shows_its_host_whatever_was_written_alone(rig: Rig, bus: MemoryBus) -> None:
    shim = ScriptedShim(bus, "one")
    await shim.register()
    port = await rig.port()
    await asyncio.gather(rig.bind(port, "A"), shim.answer(port["id"], "A"))
    for alone in (None, ""):
        changed = await rig.put(port, host_id=alone)
        assert (changed["host_id"], changed["vif_type"]) == ("A", "ovs")
        assert (await rig("GET", "/gluon/v1/ports"))[1]["ports"][0]["host"] == "A"
    unbound = await rig.unbind(port)
    assert (unbound["host_id"], unbound["vif_type"]) == ("", None)
    assert (await rig("GET", "/gluon/v1/ports"))[1]["ports"][0]["host"] is None


async def test_the_status_of_a_port_follows_its_binding(rig: Rig, bus: MemoryBus) -> None:
    shim = ScriptedShim(bus, "one")
    await shim.register()
    port = await rig.port()
    binding = asyncio.create_task(rig.bind(port, "A"))
    await shim.wanted(port["id"], "A")
    assert (await rig.standing(port))["status"] == "BUILD"
    await shim.answer(port["id"], "A", refused="NoRoom")
    await binding
    assert (await rig.standing(port))["status"] == "ERROR"
    await rig.put(port, name="x")
    assert (await rig.standing(port))["status"] == "ERROR"
    await rig.unbind(port)
    assert (await rig.standing(port))["status"] == "DOWN"


async def test_a_port_keeps_no_row_for_each_host_it_was_ever_on(rig: Rig, bus: MemoryBus) -> None:
    shim = ScriptedShim(bus, "one")
    await shim.register()
    port = await rig.port()
    epoch = 0
    for host in "ABCDEF":
        _, epoch = await asyncio.gather(
            rig.bind(port, host), shim.answer(port["id"], host, epoch_after=epoch)
        )
        await rig.unbind(port)
        await shim.clear(port["id"])
        await rig.until(port, lambda s: s["binding"]["state"] == "Unbound")
    assert len(await rig.node.database.select(Select(table=tables.BINDING))) <= 2


async def test_a_report_of_a_controller_that_was_not_asked_binds_nothing(rig: Rig, bus: MemoryBus) -> None:
    shim, other = ScriptedShim(bus, "one"), ScriptedShim(bus, "x" * 200)
    await shim.register()
    port = await rig.port()
    binding = asyncio.create_task(rig.bind(port, "A"))
    wanted = await shim.wanted(port["id"], "A")
    for epoch in (wanted.epoch, wanted.epoch + 1, 2**62, -1):
        await other.report(port["id"], "A", epoch=epoch, **VIF)
    assert (await rig.standing(port))["binding"]["state"] == "Binding"
    await shim.answer(port["id"], "A")
    assert (await binding)["vif_type"] == "ovs"


@pytest.mark.parametrize(
    "text", ["rack 1", " ", "a/b c%é", "..", ".", "a\tb", "*", "\U0001f600", "a_b", "%20", "\u00a0"]
)
def test_a_host_comes_back_from_its_keys_as_it_went_in(text: str) -> None:
    assert keys.parse_binding(keys.binding("net-l3vpn", "p", text)) == keys.BindingKey(
        api="net-l3vpn", port="p", host=text
    )
    assert keys.parse_shim(keys.shim(text, "i")) == (text, "i")
    found = keys.parse_status(keys.status("c", text, "net-l3vpn", "Port", text))
    assert found == keys.StatusKey(controller="c", shard=text, api="net-l3vpn", object_type="Port", key=text)


def test_white_space_in_the_key_of_an_object_is_an_underscore_as_in_the_original() -> None:
    assert keys.proton("net-l3vpn", "VpnAfConfig", "a b\tc") == "/proton/net-l3vpn/VpnAfConfig/a_b_c"
    assert keys.controller_port("net-l3vpn", "a b") == "/controller/net-l3vpn/Port/a_b"


async def test_units_of_ports_declare_all_that_they_look_at(rig: Rig, bus: MemoryBus) -> None:
    """What a unit asks for beyond its declared reads costs a round to the database under the lock."""
    shim = ScriptedShim(bus, "one")
    await shim.register()
    stats: Stats = vars(rig.node.database)["inner"].stats
    await rig.port()
    port = await rig.port(id=str(uuid.uuid4()))
    await rig.put(port, name="x")
    await asyncio.gather(rig.bind(port, "A"), shim.answer(port["id"], "A"))
    await rig.put(port, name="y")
    service = {"tenant_id": rig.project, "name": "blue"}
    _, vpn = await rig("POST", f"{V1}/vpns", service)
    bound = {"tenant_id": rig.project, "interface_id": port["id"], "service_id": vpn["id"]}
    assert (await rig("POST", f"{V1}/vpnbindings", bound))[0] == 201
    assert (await rig("PUT", f"{V1}/vpnbindings/{port['id']}", {"service_id": vpn["id"]}))[0] == 200
    assert (await rig("DELETE", f"{V1}/vpns/{vpn['id']}"))[0] == 409
    assert (await rig("DELETE", f"{V1}/ports/{port['id']}"))[0] == 409
    assert (await rig("DELETE", f"{V1}/vpnbindings/{port['id']}"))[0] == 204
    await rig.unbind(port)
    await shim.clear(port["id"])
    await rig.until(port, lambda s: s["binding"]["state"] == "Unbound")
    assert (await rig("DELETE", f"{V1}/ports/{port['id']}"))[0] == 204
    assert stats.rereads == 0


async def test_a_controller_has_its_grace_each_time_that_it_restarts(rig: Rig, bus: MemoryBus) -> None:
    shim = ScriptedShim(bus, "brief")
    await shim.register()
    for _ in range(2):
        port = await rig.port()
        binding = asyncio.create_task(rig.bind(port, "A"))
        await shim.wanted(port["id"], "A")
        left = time.monotonic()
        await shim.leave()
        assert (await binding)["vif_type"] == "binding_failed"
        assert time.monotonic() - left > 1.5
        await shim.register()


async def test_a_put_that_joins_a_bind_shares_its_answer(rig: Rig, bus: MemoryBus) -> None:
    first, second = ScriptedShim(bus, "a"), ScriptedShim(bus, "b")
    await first.register()
    await second.register()
    port = await rig.port()
    device = str(uuid.uuid4())
    binds = [asyncio.create_task(rig.bind(port, "A", device)) for _ in range(8)]
    await first.answer(port["id"], "A", refused="NoRoom")
    await second.answer(port["id"], "A")
    assert {b["vif_type"] for b in await asyncio.gather(*binds)} == {"ovs"}
    assert (await rig.standing(port))["binding"]["controllers"] == ["b"]


async def test_deleting_a_port_ends_its_bind_with_404(rig: Rig, bus: MemoryBus) -> None:
    shim = ScriptedShim(bus, "mute")
    await shim.register()
    port = await rig.port()
    path = f"{V1}/ports/{port['id']}"
    binding = asyncio.create_task(rig("PUT", path, {"host_id": "A", "device_id": str(uuid.uuid4())}))
    await shim.wanted(port["id"], "A")
    assert (await rig("DELETE", path))[0] == 204
    assert (await binding)[0] == 404


async def test_another_host_or_an_unbind_ends_the_wait_for_the_first(rig: Rig, bus: MemoryBus) -> None:
    shim = ScriptedShim(bus, "one")
    await shim.register()
    port = await rig.port()
    first = asyncio.create_task(rig.bind(port, "A"))
    await shim.wanted(port["id"], "A")
    second = asyncio.create_task(rig.put(port, host_id="B"))
    await shim.answer(port["id"], "B")
    assert [(await b)["host_id"] for b in (first, second)] == ["B", "B"]
    third = asyncio.create_task(rig.put(port, host_id="C"))
    await shim.wanted(port["id"], "C")
    assert (await rig.unbind(port))["vif_type"] is None
    assert (await third)["vif_type"] is None


async def test_a_bind_again_while_the_old_one_is_cleared(rig: Rig, bus: MemoryBus) -> None:
    shim = ScriptedShim(bus, "one")
    await shim.register()
    port = await rig.port()
    _, epoch = await asyncio.gather(rig.bind(port, "A"), shim.answer(port["id"], "A"))
    await rig.unbind(port)
    assert (await rig.standing(port))["binding"]["state"] == "Unbinding"
    await rig.put(port, name="x")
    assert (await rig.standing(port))["binding"]["state"] == "Unbinding"
    bound, _ = await asyncio.gather(rig.bind(port, "A"), shim.answer(port["id"], "A", epoch_after=epoch))
    assert bound["vif_type"] == "ovs"
    assert (await rig.standing(port))["binding"]["state"] == "Bound"


HOSTILE = {
    "refusal": {"refused": "No\0Room", "message": "a\0b"},
    "type": {"vif_type": "o\0vs"},
    "details": {"vif_type": "ovs", "vif_details": {"bridge_name": "br\0x", "\0": "\0"}},
    "long": {"refused": "R" * 5000, "message": "é" * 20_000},
    "number": {"vif_type": "ovs", "vif_details": {"n": 10**30, "f": 1e300}},
}


@pytest.mark.parametrize("said", HOSTILE.values(), ids=HOSTILE)
async def test_what_a_shim_says_is_kept_on_any_database(
    rig_anywhere: Rig, bus: MemoryBus, said: dict[str, Any]
) -> None:
    rig, shim = rig_anywhere, ScriptedShim(bus, "one", deadline=5.0)
    await shim.register()
    port = await rig.port()
    async with asyncio.timeout(60):
        bound, _ = await asyncio.gather(rig.bind(port, "A"), shim.answer(port["id"], "A", **said))
    standing = await rig.standing(port)
    good = said.get("vif_type") == "ovs"
    assert bound["vif_type"] == ("ovs" if good else "binding_failed")
    assert standing["binding"]["state"] == ("Bound" if good else "Failed")


async def test_a_report_that_grows_when_it_is_written_down_hides_no_status(rig: Rig, bus: MemoryBus) -> None:
    shim = ScriptedShim(bus, "one")
    await shim.register()
    port = await rig.port()
    numbers = b",".join([b"1e15"] * 12_000)
    text = b'{"observed_revision":1,"bindings":{"A":{"epoch":1,"vif_details":{"n":[%s]}}}}' % numbers
    await bus.put(shim.key(port["id"]), text)
    bound, _ = await asyncio.gather(rig.bind(port, "A"), shim.answer(port["id"], "A"))
    assert bound["vif_type"] == "ovs"
    await bus.put(shim.key(port["id"]), text)
    for _ in range(20):
        await rig.standing(port)
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("deadline", [-1.0, 0.0, 1e300])
async def test_no_shim_makes_a_bind_wait_for_ever(rig: Rig, bus: MemoryBus, deadline: float) -> None:
    shim = ScriptedShim(bus, "one", deadline=deadline)
    await shim.register()
    port = await rig.port()
    binding = asyncio.create_task(rig.bind(port, "A"))
    if deadline > 0:
        await shim.answer(port["id"], "A")
    assert (await binding)["vif_type"] == ("ovs" if deadline > 0 else "binding_failed")


async def test_the_bus_holds_at_last_what_the_database_does(rig: Rig, bus: MemoryBus) -> None:
    """Create and delete without a pause, names of any script, values of their types."""
    made = [await rig.port(name=f"näme {n} 青") for n in range(20)]
    for port in made[:19]:
        assert (await rig("DELETE", f"{V1}/ports/{port['id']}"))[0] == 204
    port = made[19]
    key = keys.proton("net-l3vpn", "Port", port["id"])
    async with asyncio.timeout(60):
        while [item.key for item in (await bus.list("/proton/net-l3vpn/Port/")).items] != [key]:
            await asyncio.sleep(0.01)
    found = await bus.get(key)
    assert found is not None
    value = codec.decode(found.value)
    assert (value["mtu"], value["admin_state_up"], value["name"]) == (1500, True, "näme 19 青")
    owner = await bus.get(keys.port(port["id"]))
    assert owner is not None
    assert codec.decode(owner.value)["tenant_id"] == port["tenant_id"]
