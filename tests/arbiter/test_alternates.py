"""Several bindings of one port, as a live migration lives them: one carries the traffic, another waits on its host."""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator
from typing import Any

import pytest

from gluon import errors
from gluon.arbiter import replies
from gluon.arbiter.bindings import Binding, State
from gluon.kv.memory import MemoryBus
from gluon.objects import keys, status
from gluon.proton import units
from gluon.spi import policy
from tests.arbiter.conftest import Rig, ScriptedShim

ADMIN = policy.Caller(user="nova", project=None, roles=frozenset({"admin"}), admin=True)


def context(rig: Rig, caller: policy.Caller = ADMIN) -> units.Context:
    resource = next(
        r for r in rig.node.alternates.registry.by_name.values() if r.api == "net-l3vpn" and r.is_port
    )
    return rig.node.actions.context(resource, caller, "req-1")


async def listed(rig: Rig, port: dict[str, Any]) -> list[tuple[str, bool, str]]:
    found = await rig.node.alternates.all(context(rig), port["id"])
    return [(b.host, b.active, b.state.value) for b in found]


async def add(rig: Rig, shim: ScriptedShim, port: dict[str, Any], host: str, **said: Any) -> Binding:
    """A binding on one more host, answered."""
    others = rig.node.alternates
    made, _ = await asyncio.gather(
        others.add(context(rig), port["id"], host, profile={"a": 1}), shim.answer(port["id"], host, **said)
    )
    return made


async def bound(rig: Rig, shim: ScriptedShim) -> dict[str, Any]:
    port = await rig.port()
    await asyncio.gather(rig.bind(port, "A"), shim.answer(port["id"], "A"))
    return port


@pytest.fixture
async def shim(bus: MemoryBus) -> ScriptedShim:
    made = ScriptedShim(bus, "one")
    await made.register()
    return made


async def test_one_more_binding_is_bound_and_carries_nothing(
    rig: Rig, bus: MemoryBus, shim: ScriptedShim
) -> None:
    port = await bound(rig, shim)
    made = await add(rig, shim, port, "B")
    assert (made.state, made.active, made.vif_type, made.profile) == (State.BOUND, False, "ovs", {"a": 1})
    assert await listed(rig, port) == [("A", True, "Bound"), ("B", False, "Bound")]
    found = await bus.get(keys.binding("net-l3vpn", port["id"], "B"))
    assert found is not None
    assert not status.decode_binding(found.value).active
    assert (await rig("GET", f"/proton/net-l3vpn/v1.0/ports/{port['id']}"))[1]["host_id"] == "A"
    with pytest.raises(errors.Conflict) as refused:
        await rig.node.alternates.add(context(rig), port["id"], "B")
    assert refused.value.code == "binding_exists"


async def test_a_port_that_goes_while_it_is_bound_once_more_is_gone(rig: Rig, shim: ScriptedShim) -> None:
    port = await bound(rig, shim)
    adding = asyncio.create_task(rig.node.alternates.add(context(rig), port["id"], "B"))
    await shim.wanted(port["id"], "B")
    assert (await rig("DELETE", f"/proton/net-l3vpn/v1.0/ports/{port['id']}"))[0] in (200, 204)
    with pytest.raises(errors.NotFound, match="no Port with id"):
        await adding


async def test_one_that_cannot_be_bound_leaves_nothing(rig: Rig, bus: MemoryBus, shim: ScriptedShim) -> None:
    port = await bound(rig, shim)
    with pytest.raises(errors.Conflict, match="NoRoom: full") as refused:
        await add(rig, shim, port, "B", refused="NoRoom", message="full")
    assert refused.value.code == "binding_failed"
    assert await listed(rig, port) == [("A", True, "Bound")]
    assert (await rig.standing(port))["binding"]["state"] == "Bound"
    async with asyncio.timeout(60):
        while await bus.get(keys.binding("net-l3vpn", port["id"], "B")) is not None:
            await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def nothing_said(*of_object: str) -> AsyncIterator[AsyncIterator[replies.Item]]:
    """The status keys of an object, for a waiter that is always slower than the collector."""

    async def never() -> AsyncIterator[replies.Item]:
        await asyncio.Event().wait()
        yield (keys.StatusKey(controller="", shard="", api="", object_type="", key=""), None)

    yield never()


async def test_a_refusal_that_the_collector_takes_first_is_told_as_well(
    rig: Rig, shim: ScriptedShim, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = await bound(rig, shim)
    monkeypatch.setattr(rig.node.alternates._binder, "_subscribe", nothing_said)
    with pytest.raises(errors.Conflict, match="NoRoom: full"):
        await add(rig, shim, port, "B", refused="NoRoom", message="full")


async def test_a_binding_taken_back_while_it_is_bound_is_told_so(rig: Rig, shim: ScriptedShim) -> None:
    port, others = await bound(rig, shim), rig.node.alternates
    adding = asyncio.create_task(others.add(context(rig), port["id"], "B"))
    await shim.wanted(port["id"], "B")
    await others.remove(context(rig), port["id"], "B")
    with pytest.raises(errors.Conflict, match="cannot be bound to host 'B'"):
        await adding


async def test_activating_swaps_the_two_and_the_port_is_up_when_the_target_says_so(
    rig: Rig, bus: MemoryBus, shim: ScriptedShim
) -> None:
    port = await bound(rig, shim)
    made = await add(rig, shim, port, "B")
    vif: dict[str, Any] = {"vif_type": "ovs", "vif_details": {"bridge_name": "br-x"}}
    source = await shim.wanted(port["id"], "A")
    report = {"A": status.BindingReport(epoch=source.epoch, up=True, **vif)}
    report["B"] = status.BindingReport(epoch=made.epoch, **vif)
    await shim.say(port["id"], report)
    await rig.until(port, lambda s: s["status"] == "ACTIVE")
    done = await rig.node.alternates.activate(context(rig), port["id"], "B")
    assert (done.host, done.active) == ("B", True)
    assert await listed(rig, port) == [("B", True, "Bound"), ("A", False, "Bound")]
    standing = await rig.standing(port)
    assert (standing["status"], standing["binding"]["host"]) == ("DOWN", "B")
    body = (await rig("GET", f"/proton/net-l3vpn/v1.0/ports/{port['id']}"))[1]
    assert (body["host_id"], body["vif_type"], body["profile"]) == ("B", "ovs", '{"a":1}')
    async with asyncio.timeout(60):
        while (await shim.wanted(port["id"], "A")).active or not (await shim.wanted(port["id"], "B")).active:
            await asyncio.sleep(0.01)
    report["B"] = status.BindingReport(epoch=made.epoch, up=True, **vif)
    await shim.say(port["id"], report)
    await rig.until(port, lambda s: s["status"] == "ACTIVE")
    with pytest.raises(errors.Conflict) as refused:
        await rig.node.alternates.activate(context(rig), port["id"], "B")
    assert refused.value.code == "binding_active"


async def test_what_is_still_being_bound_carries_no_traffic_yet(rig: Rig, shim: ScriptedShim) -> None:
    port, others = await bound(rig, shim), rig.node.alternates
    adding = asyncio.create_task(others.add(context(rig), port["id"], "B"))
    async with asyncio.timeout(60):
        while len(await listed(rig, port)) < 2:
            await asyncio.sleep(0.01)
    with pytest.raises(errors.NotFound, match="still being bound"):
        await others.activate(context(rig), port["id"], "B")
    await shim.answer(port["id"], "B", refused="NoRoom", message="full")
    with pytest.raises(errors.Conflict, match="NoRoom"):
        await adding
    assert await listed(rig, port) == [("A", True, "Bound")]


async def test_deleting_the_source_ends_the_migration_and_repeating_it_finds_none(
    rig: Rig, shim: ScriptedShim
) -> None:
    port = await bound(rig, shim)
    await add(rig, shim, port, "B")
    others = rig.node.alternates
    await others.activate(context(rig), port["id"], "B")
    await others.remove(context(rig), port["id"], "A")
    assert await listed(rig, port) == [("B", True, "Bound")]
    for call in (others.remove, others.one, others.activate):
        with pytest.raises(errors.NotFound):
            await call(context(rig), port["id"], "A")


async def test_deleting_the_active_one_unbinds_the_port(rig: Rig, shim: ScriptedShim) -> None:
    port = await bound(rig, shim)
    await rig.node.alternates.remove(context(rig), port["id"], "A")
    assert await listed(rig, port) == []
    body = (await rig("GET", f"/proton/net-l3vpn/v1.0/ports/{port['id']}"))[1]
    assert (body["host_id"], body["vif_type"]) == (None, None)
    assert (await rig.standing(port))["status"] == "DOWN"


async def test_the_first_binding_of_a_port_carries_its_traffic(rig: Rig, shim: ScriptedShim) -> None:
    port = await rig.port()
    made = await add(rig, shim, port, "A")
    assert made.active
    body = (await rig("GET", f"/proton/net-l3vpn/v1.0/ports/{port['id']}"))[1]
    assert (body["host_id"], body["vif_type"]) == ("A", "ovs")
    assert (await rig("GET", "/gluon/v1/ports"))[1]["ports"][0]["host"] == "A"


async def test_a_first_binding_that_was_refused_is_tried_again(rig: Rig, shim: ScriptedShim) -> None:
    port, others = await rig.port(), rig.node.alternates
    with pytest.raises(errors.Conflict, match="NoRoom: full"):
        await add(rig, shim, port, "A", refused="NoRoom", message="full")
    (failed,) = await others.all(context(rig), port["id"])
    assert (failed.active, failed.state) == (True, State.FAILED)
    made, _ = await asyncio.gather(
        others.add(context(rig), port["id"], "A", profile={"b": 2}),
        shim.answer(port["id"], "A", epoch_after=failed.epoch),
    )
    assert (made.active, made.state, made.profile) == (True, State.BOUND, {"b": 2})
    assert (await rig.standing(port))["binding"]["state"] == "Bound"
    with pytest.raises(errors.Conflict) as refused:
        await others.add(context(rig), port["id"], "A")
    assert refused.value.code == "binding_exists"


async def test_deleting_the_port_takes_all_its_bindings(rig: Rig, bus: MemoryBus, shim: ScriptedShim) -> None:
    port = await bound(rig, shim)
    await add(rig, shim, port, "B")
    assert (await rig("DELETE", f"/proton/net-l3vpn/v1.0/ports/{port['id']}"))[0] == 204
    async with asyncio.timeout(60):
        while (await bus.list(keys.BINDING)).items:
            await asyncio.sleep(0.01)


async def test_who_may_not_see_the_port_finds_no_binding_of_it(rig: Rig, shim: ScriptedShim) -> None:
    port = await bound(rig, shim)
    stranger = policy.Caller(user="x", project="other", roles=frozenset({"member"}), admin=False)
    others = rig.node.alternates
    with pytest.raises(errors.NotFound):
        await others.all(context(rig, stranger), port["id"])
    with pytest.raises(errors.NotFound):
        await others.add(context(rig, stranger), port["id"], "B")
    assert await listed(rig, port) == [("A", True, "Bound")]


async def test_a_port_keeps_no_row_for_each_host_that_its_machine_went_to(
    rig: Rig, shim: ScriptedShim
) -> None:
    """All of them are read with each report on the port, and `gluon why` shows them."""
    port, others = await bound(rig, shim), rig.node.alternates
    for source, host in itertools.pairwise("ABCDEF"):
        await add(rig, shim, port, host)
        await others.activate(context(rig), port["id"], host)
        await others.remove(context(rig), port["id"], source)
        await shim.clear(port["id"])
        async with asyncio.timeout(60):
            while (await rig("GET", f"/gluon/v1/ports/{port['id']}"))[1]["history"][-1]["next"] != "Unbound":
                await asyncio.sleep(0.01)
    _, account = await rig("GET", f"/gluon/v1/ports/{port['id']}")
    assert [b["host"] for b in account["bindings"]] == ["E", "F"]
