"""A switch as the backend sees it: plugs by the hypervisor, flows, faults of its two daemons."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from typing import TypeVar

import pytest

from gluon.backends.bgp_mpls.ovs import Interface, Switch, Tunnel
from gluon.errors import GiveUp, TryLater
from gluon.testing.hypervisor import CannotPlug, Hypervisor, Plug
from gluon.testing.lab import Capture, Lab, OvsInstance, ping

from .conftest import start_pe

pytestmark = pytest.mark.packet

PORT = "0f0a1b2c-3d4e-4f50-8a6b-7c8d9e0f1a2b"
BRIDGE = "br-vpn"
FLOWS = [
    "cookie=0x5,table=0,priority=0 actions=drop",
    "cookie=0x6,table=20,priority=132,reg0=1,ip,nw_dst=10.1.1.6/32 actions=dec_ttl,push_mpls:0x8847,output:1",
]
T = TypeVar("T")


def plug(port_id: str = PORT, *, address: str = "10.1.1.5/24", vif_type: str = "ovs") -> Plug:
    return Plug(
        port_id=port_id,
        mac="02:00:00:00:01:05",
        address=address,
        gateway="10.1.1.1",
        vif_type=vif_type,
        vif_details={"bridge_name": BRIDGE},
    )


@pytest.fixture
def instance(lab: Lab) -> OvsInstance:
    instance = OvsInstance(lab.host("a"))
    instance.start()
    return instance


def switch_of(instance: OvsInstance) -> Switch:
    return Switch(db=instance.db, run_dir=instance.run_dir, bridge=BRIDGE)


@pytest.fixture
async def switch(instance: OvsInstance) -> Switch:
    switch = switch_of(instance)
    await switch.ensure_bridge(tunnel=Tunnel(name="gre-vpn"))
    return switch


@asynccontextmanager
async def latest(
    events: AsyncGenerator[T, None],
) -> AsyncIterator[Callable[[Callable[[T], bool]], Awaitable[None]]]:
    """Read a stream in the background; `await wait(condition)` until an event meets it."""
    news = asyncio.Condition()
    seen: list[T] = []

    async def read() -> None:
        async with aclosing(events):
            async for event in events:
                async with news:
                    seen.append(event)
                    news.notify_all()

    async def wait(condition: Callable[[T], bool]) -> None:
        async with asyncio.timeout(60), news:
            await news.wait_for(lambda: bool(seen) and condition(seen[-1]))

    async with asyncio.TaskGroup() as group:
        task = group.create_task(read())
        try:
            yield wait
        finally:
            task.cancel()


def plugged(interfaces: dict[str, Interface]) -> bool:
    return any(i.iface_id == PORT and i.usable for i in interfaces.values())


async def test_plug_and_unplug_are_seen(lab: Lab, instance: OvsInstance, switch: Switch) -> None:
    hypervisor = Hypervisor(lab, instance)
    async with latest(switch.follow_interfaces()) as wait:
        vm = await asyncio.to_thread(hypervisor.boot, "vm", plug())
        await wait(plugged)
        tap = (await switch.interfaces())["tap0f0a1b2c-3d"]
        assert (tap.iface_id, tap.attached_mac) == (PORT, "02:00:00:00:01:05")
        assert vm.mac("eth0") == "02:00:00:00:01:05"
        assert "10.1.1.1" in vm.ip("route", "show", "default")

        await asyncio.to_thread(hypervisor.destroy, vm, plug())
        await wait(lambda interfaces: set(interfaces) == {"gre-vpn"})


async def test_hypervisor_refuses_an_answer_it_cannot_plug(lab: Lab, instance: OvsInstance) -> None:
    with pytest.raises(CannotPlug, match="binding_failed"):
        Hypervisor(lab, instance).boot("vm", plug(vif_type="binding_failed"))


async def test_flows_are_replaced_and_read_back(switch: Switch) -> None:
    await switch.replace_flows(FLOWS)
    await switch.replace_flows(FLOWS)

    flows = await switch.dump_flows()

    assert sorted(flow.cookie for flow in flows) == [5, 6]
    assert any("nw_dst=10.1.1.6" in flow.text and "push_mpls:0x8847" in flow.text for flow in flows)
    with pytest.raises(GiveUp, match="unknown keyword"):
        await switch.replace_flows(["such=1 actions=drop"])
    assert len(await switch.dump_flows()) == 2


async def test_restart_of_vswitchd_is_noticed_and_its_flows_are_gone(
    instance: OvsInstance, switch: Switch
) -> None:
    await switch.replace_flows(FLOWS)
    async with latest(switch.follow_switch()) as wait:
        await wait(lambda lives: lives)
        await asyncio.to_thread(instance.kill9)
        await wait(lambda lives: not lives)
        with pytest.raises(TryLater):
            await switch.replace_flows(FLOWS)

        await asyncio.to_thread(instance.start)

        await wait(lambda lives: lives)
        assert await switch.dump_flows() == []
        assert "gre-vpn" in await switch.interfaces()


async def test_restart_of_the_database_does_not_end_the_monitor(
    lab: Lab, instance: OvsInstance, switch: Switch
) -> None:
    hypervisor = Hypervisor(lab, instance)
    async with latest(switch.follow_interfaces()) as wait:
        await wait(lambda interfaces: "gre-vpn" in interfaces)
        await asyncio.to_thread(instance.database.kill9)
        with pytest.raises(TryLater):
            await switch.interfaces()
        await asyncio.to_thread(instance.start)

        await asyncio.to_thread(hypervisor.boot, "vm", plug())

        await wait(plugged)


async def test_external_ids_are_kept_by_the_bridge(instance: OvsInstance, switch: Switch) -> None:
    await switch.write_external_ids({"label:blue": "16", "label:red": 'a "quoted", odd\\ value'})
    await switch.write_external_ids({"label:blue": None})
    await asyncio.to_thread(instance.restart)

    found = await switch.external_ids()

    assert found == {"gluon-owner": "bgp_mpls", "label:red": 'a "quoted", odd\\ value'}
    await switch.ensure_bridge(external_ids=found)
    assert await switch.external_ids() == found


async def test_foreign_bridge_is_not_touched(instance: OvsInstance) -> None:
    instance.vsctl("add-br", BRIDGE)
    switch = switch_of(instance)

    for refused in (switch.ensure_bridge(), switch.remove_bridge()):
        with pytest.raises(GiveUp, match="is not ours"):
            await refused

    assert instance.vsctl("list-ports", BRIDGE) == ""


async def test_mpls_between_two_switches_is_seen_on_the_wire(lab: Lab) -> None:
    """The switches as PEs without any BGP: flows by hand, a label each way."""
    hosts = [lab.host("a"), lab.host("b")]
    core = lab.segment("core", *hosts)
    pes = [start_pe(host, f"192.0.2.{number}") for number, host in enumerate(hosts, start=1)]
    vms = []
    for number, (pe, other) in enumerate(zip(pes, reversed(pes), strict=True), start=1):
        switch = switch_of(pe.switch)
        await switch.ensure_bridge(tunnel=Tunnel(name="gre-vpn"))
        nic = plug(f"port{number}-0000", address=f"10.1.1.{4 + number}/32")
        vm = await asyncio.to_thread(Hypervisor(lab, pe.switch).boot, f"vm{number}", nic)
        vm.run("ip", "neighbour", "replace", "10.1.1.1", "lladdr", "00:00:5e:00:01:01", "dev", "eth0")
        ofport = (await switch.interfaces())[nic.device].ofport
        send = f"set_field:{100 + number}->mpls_label,set_field:{other.address}->tun_dst,output:1"
        deliver = f"set_field:{vm.mac('eth0')}->eth_dst,output:{ofport}"
        await switch.replace_flows(
            [
                f"priority=10,in_port={ofport},ip actions=push_mpls:0x8847,{send}",
                f"priority=10,mpls,mpls_label={103 - number} actions=pop_mpls:0x0800,{deliver}",
            ]
        )
        vms.append(vm)

    with Capture(core, "p0", "proto 47") as capture:
        assert ping(vms[0], "10.1.1.6", count=20)
        capture.wait_for("MPLS")
    assert capture.labels() == {101, 102}
