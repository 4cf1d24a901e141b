"""Who waits for a bind may be late: what it takes from a reply must not cover what came after it."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest

from gluon.arbiter import assign, binder, bindings, replies, tables
from gluon.kv.memory import MemoryBus
from gluon.objects import codec, keys, status
from gluon.proton import registry
from gluon.spi import ports
from tests.arbiter.conftest import Rig, ScriptedShim


class Roster:
    """Nobody comes or goes."""

    version = 0

    def current(self) -> tuple[status.Registration, ...]:
        return ()

    async def changed(self, after: int) -> int:
        await asyncio.Event().wait()
        return after


async def reachable() -> str:
    return ""


async def test_a_late_waiter_does_not_bring_back_an_old_report(rig: Rig, bus: MemoryBus) -> None:
    shim = ScriptedShim(bus, "one")
    await shim.register()
    port = await rig.port()
    bind = asyncio.create_task(rig.bind(port, "A", str(uuid.uuid4())))
    wanted = await shim.wanted(port["id"], "A")
    first = status.Report(
        observed_revision=1,
        bindings={"A": status.BindingReport(epoch=wanted.epoch, vif_type="ovs", vif_details={})},
    )

    @asynccontextmanager
    async def late(api: str, object_type: str, key: str) -> AsyncIterator[AsyncIterator[replies.Item]]:
        """The process hangs with the first reply in hand, while all the rest happens."""
        await bus.put(shim.key(key), codec.encode(first))
        await bind
        await shim.report(key, "A", epoch=wanted.epoch, vif_type="ovs", up=True)
        await rig.until(port, lambda s: s["status"] == "ACTIVE")

        async def stream() -> AsyncIterator[replies.Item]:
            found = keys.parse_status(shim.key(key))
            assert found is not None
            yield found, codec.encode(first)
            await asyncio.Event().wait()

        yield stream()

    known = registry.Registry(rig.node.models)
    roster = cast("Any", Roster())
    waiter = binder.Binder(rig.node.database, known, assign.Assigner(roster, {}), roster, late, reachable)
    wait = ports.PortWait(port=port["id"], host="A")
    async with asyncio.timeout(60):
        await waiter.settle(known.by_name["net-l3vpn", "Port"], wait)
    row = await rig.node.database.get(tables.BINDING, port["id"], "A")
    assert row is not None
    assert bindings.read(row).state is bindings.State.BOUND
    standing = await rig.standing(port)
    assert (standing["status"], standing["observed_revision"]) == ("ACTIVE", wanted.epoch)


@pytest.mark.parametrize("taken_back", [False, True])
async def test_who_waits_for_a_bind_that_was_replaced_hears_of_it(
    rig: Rig, bus: MemoryBus, monkeypatch: pytest.MonkeyPatch, taken_back: bool
) -> None:
    monkeypatch.setattr(binder, "_NET", 3600.0)
    shim = ScriptedShim(bus, "one", deadline=300.0)
    await shim.register()
    port = await rig.port()
    first = asyncio.create_task(rig.bind(port, "A"))
    await shim.wanted(port["id"], "A")
    if taken_back:
        await rig.unbind(port)
        await shim.clear(port["id"])
    second = asyncio.create_task(rig.bind(port, "B"))
    await shim.answer(port["id"], "B")
    async with asyncio.timeout(60):
        assert (await second)["vif_type"] == "ovs"
        assert (await first)["host_id"] == "B"


async def test_a_change_set_is_answered_though_a_port_of_it_goes_while_it_is_bound(
    rig: Rig, bus: MemoryBus
) -> None:
    """All of it was done."""
    shim = ScriptedShim(bus, "one")
    await shim.register()
    port = await rig.port()
    bound = {"host_id": "A", "device_id": str(uuid.uuid4())}
    vpn = {"tenant_id": rig.project, "name": "red"}
    changes = [
        {"op": "update", "api": "net-l3vpn", "type": "Port", "key": port["id"], "body": bound},
        {"op": "create", "api": "net-l3vpn", "type": "VpnService", "body": vpn},
    ]
    doing = asyncio.create_task(rig("POST", "/gluon/v1/changesets", {"changes": changes}))
    await shim.wanted(port["id"], "A")
    assert (await rig("DELETE", f"/proton/net-l3vpn/v1.0/ports/{port['id']}"))[0] in (200, 204)
    code, done = await doing
    assert code == 201, done
    assert done["changes"][0]["body"]["host_id"] == "A"
    made = done["changes"][1]["key"]
    assert (await rig("GET", f"/proton/net-l3vpn/v1.0/vpns/{made}"))[0] == 200
