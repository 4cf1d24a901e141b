"""Elections, registration and what survives the end of an instance or of etcd's data."""

from __future__ import annotations

import asyncio
import dataclasses
from typing import ClassVar

from gluon.backends.fake.backend import FakeBackend
from gluon.kv.connect import connect as connect_bus
from gluon.objects import keys, status
from gluon.particles import l3vpn
from gluon.spi.bus import Bus
from gluon.testing.backend_suite import until
from gluon.testing.desired_state import DesiredState
from gluon.testing.fixtures import require_programs
from gluon.testing.servers import EtcdServer
from tests.contract.shim.conftest import BRIEF, Connect, Running, leads, reported, up


async def registered(bus: Bus, instance: str) -> status.Registration | None:
    found = await bus.get(keys.shim("fake", instance))
    return status.decode_registration(found.value) if found else None


async def test_it_registers_what_it_serves_and_leaves_no_trace(
    bus: Bus, world: DesiredState, serve: Running
) -> None:
    shim = serve(bus, "h1", "h2", instance="one")
    await leads(shim, "h1")
    await leads(shim, "h2")
    found = await registered(bus, "one")
    assert found is not None
    apis = {l3vpn.API: ("1.0", "2.0"), "net-l2": ("2.0",)}
    assert (found.backend, found.hosts, dict(found.apis)) == ("fake", ("h1", "h2"), apis)
    await serve.end(shim)
    assert await registered(bus, "one") is None
    assert (await bus.list(keys.LEAD)).items == ()


async def test_a_registration_that_was_deleted_comes_back(
    bus: Bus, world: DesiredState, serve: Running
) -> None:
    await leads(serve(bus, instance="one"))
    await bus.delete(keys.shim("fake", "one"))

    async def back() -> bool:
        return await registered(bus, "one") is not None

    await until(back, "it is registered again")


async def test_one_of_two_leads_and_the_other_takes_over(
    connect: Connect, world: DesiredState, serve: Running
) -> None:
    first = serve(connect(), instance="one")
    await leads(first)
    second = serve(connect(), instance="two")
    await until(lambda: second.ready, "the second is ready")
    await world.port("p1")
    await world.bind("p1", "h1")
    await reported(world, "p1", up)
    before = await world.report("h1", "Port", "p1")
    assert second.leading == frozenset()
    assert second.stats["h1"].applies == 0
    await serve.kill(first)
    await leads(second)
    await world.port("p2")
    await world.bind("p2", "h1")
    await reported(world, "p2", up)
    assert await world.report("h1", "Port", "p1") == before
    assert second.stats["h1"].rows_made == 1


async def test_a_leader_that_lost_its_key_writes_no_more(
    connect: Connect, world: DesiredState, serve: Running
) -> None:
    first = serve(connect(), instance="one")
    await leads(first)
    second = serve(connect(), instance="two")
    await until(lambda: second.ready, "the second is ready")
    await connect().delete(keys.lead("fake", "h1"))
    await until(
        lambda: first.stats["h1"].leaderships + second.stats["h1"].leaderships >= 2, "one leads again"
    )
    await world.port("p1")
    await world.bind("p1", "h1")
    await reported(world, "p1", up)
    await until(lambda: len(first.leading) + len(second.leading) == 1, "one leads")


async def test_a_restart_writes_nothing_that_is_right_already(
    bus: Bus, world: DesiredState, serve: Running
) -> None:
    shim = serve(bus)
    await leads(shim)
    await world.port("p1")
    await world.attach("p1", "blue", "10.1.1.5")
    await world.bind("p1", "h1")
    await reported(world, "p1", up)
    await until(lambda: shim.settled(0), "it is idle")
    before = (await bus.list(keys.STATUS)).items
    await serve.end(shim)
    again = serve(bus)
    await leads(again)
    await until(lambda: again.stats["h1"].full_scans > 0 and again.settled(0), "it has looked at all")
    assert again.stats["h1"].applies == 0
    assert (await bus.list(keys.STATUS)).items == before


async def test_statuses_of_objects_that_went_meanwhile_go(
    bus: Bus, world: DesiredState, serve: Running
) -> None:
    shim = serve(bus)
    await leads(shim)
    await world.port("p1")
    await world.bind("p1", "h1")
    await reported(world, "p1", up)
    await serve.end(shim)
    await world.unbind("p1", "h1")
    await world.delete("Port", "p1")
    serve(bus)
    await reported(world, "p1", lambda report: report is None)


async def test_after_a_resync_of_a_wiped_etcd_all_is_there_again(
    own_etcd: EtcdServer, serve: Running
) -> None:
    """Nothing of the data plane is touched while etcd is empty, and statuses are written again."""
    bus = connect_bus([own_etcd.url], timeout=4.0, progress=0.2)
    shim = serve(bus, instance="one")
    world = DesiredState(bus, api=l3vpn.API, controllers=("fake",))
    await fill(world)
    await reported(world, "p1", up)
    facts = dict(serve.network.plane("h1").facts)
    writes = serve.network.plane("h1").writes
    await asyncio.to_thread(own_etcd.wipe)

    async def again() -> bool:
        return await registered(bus, "one") is not None

    await until(again, "it is registered again")
    assert serve.network.plane("h1").facts == facts
    await fill(DesiredState(bus, api=l3vpn.API, controllers=("fake",)))
    await reported(world, "p1", up)
    await until(lambda: shim.settled(0), "it is idle")
    assert serve.network.plane("h1").writes == writes
    await serve.end(shim)
    await bus.close()


async def test_an_instance_that_vanished_is_followed_when_its_lease_ends(
    own_etcd: EtcdServer, serve: Running
) -> None:
    buses = [connect_bus([own_etcd.url], timeout=4.0, progress=0.2) for _ in range(3)]
    world = DesiredState(buses[0], api=l3vpn.API, controllers=("fake",))
    await world.complete()
    first = serve(buses[1], instance="one", pace=BRIEF)
    await leads(first)
    second = serve(buses[2], instance="two")
    await until(lambda: second.ready, "the second is ready")
    await buses[1].close()  # as a crash: no lease is given back
    await asyncio.wait({serve.tasks.pop(first)})
    await leads(second)
    await world.port("p1")
    await world.bind("p1", "h1")
    await reported(world, "p1", up)
    await serve.end(second)
    for bus in (buses[0], buses[2]):
        await bus.close()


async def test_etcd_may_be_away_for_a_while(own_etcd: EtcdServer, serve: Running) -> None:
    bus = connect_bus([own_etcd.url], timeout=4.0, progress=0.2)
    shim = serve(bus, instance="one", pace=BRIEF)
    world = DesiredState(bus, api=l3vpn.API, controllers=("fake",))
    await fill(world)
    await reported(world, "p1", up)
    facts = dict(serve.network.plane("h1").facts)
    await asyncio.to_thread(own_etcd.kill9)
    await until(lambda: not shim.leading, "it leads no more")
    assert serve.network.plane("h1").facts == facts
    await asyncio.to_thread(own_etcd.start)
    await leads(shim)
    await world.port("p2")
    await world.bind("p2", "h1")
    await reported(world, "p2", up)
    await serve.end(shim)
    await bus.close()


async def fill(world: DesiredState) -> None:
    """As a resync does: first what there is, then the cursor."""
    await world.begin_resync()
    await world.vpn("blue", "65000:1")
    await world.port("p1")
    await world.attach("p1", "blue", "10.1.1.5")
    await world.bind("p1", "h1", epoch=7)
    await world.complete()


class OneHost(FakeBackend):
    """A backend that runs beside the data plane of one host."""

    per_host: ClassVar[bool] = True


async def test_a_backend_of_one_host_goes_on_while_etcd_is_away(own_etcd: EtcdServer, serve: Running) -> None:
    bus = connect_bus([own_etcd.url], timeout=4.0, progress=0.2)
    shim = serve(bus, backend=OneHost, pace=dataclasses.replace(BRIEF, full_scan=0.1))
    world = DesiredState(bus, api=l3vpn.API, controllers=("fake",))
    await fill(world)
    await reported(world, "p1", up)
    backend = shim.backend("h1")
    facts = serve.network.plane("h1").facts
    before = dict(facts)
    await asyncio.to_thread(own_etcd.kill9)
    await until(lambda: not shim.leading, "it leads no more")
    facts.clear()
    await until(lambda: facts == before, "the facts are back")
    serve.network.unplug("p1")
    await asyncio.to_thread(own_etcd.start)
    await leads(shim)
    await reported(world, "p1", lambda report: not up(report))
    assert shim.backend("h1") is backend
    await serve.end(shim)
    await bus.close()


async def test_a_backend_of_one_host_goes_on_while_etcd_does_not_let_it_in(serve: Running) -> None:
    require_programs("etcd", "etcdctl")
    with EtcdServer(auth=True) as server:
        own = connect_bus([server.url], user="root", password=server.password, timeout=4.0, progress=0.2)
        for words in (("user", "add", "shim:pw"), ("user", "grant-role", "shim", "root")):
            await asyncio.to_thread(server.etcdctl, *words)
        bus = connect_bus([server.url], user="shim", password="pw", timeout=4.0, progress=0.2)
        shim = serve(bus, backend=OneHost, pace=dataclasses.replace(BRIEF, full_scan=0.1))
        world = DesiredState(own, api=l3vpn.API, controllers=("fake",))
        await fill(world)
        await reported(world, "p1", up)
        backend = shim.backend("h1")
        facts = serve.network.plane("h1").facts
        before = dict(facts)
        await asyncio.to_thread(server.etcdctl, "user", "revoke-role", "shim", "root")
        await asyncio.to_thread(server.kill9)
        await asyncio.to_thread(server.start)
        await until(lambda: not shim.leading, "it leads no more")
        serve.network.unplug("p1")
        for _ in range(20):  # so often it is refused meanwhile
            facts.clear()
            await until(lambda: facts == before, "the facts are back")
        await asyncio.to_thread(server.etcdctl, "user", "grant-role", "shim", "root")
        await leads(shim)
        await reported(world, "p1", lambda report: not up(report))
        assert shim.backend("h1") is backend
        await serve.end(shim)
        await bus.close()
        await own.close()


async def test_an_etcd_that_was_set_back_takes_nothing_away(own_etcd: EtcdServer, serve: Running) -> None:
    bus = connect_bus([own_etcd.url], timeout=4.0, progress=0.2)
    shim = serve(bus, pace=dataclasses.replace(BRIEF, full_scan=0.1))
    world = DesiredState(bus, api=l3vpn.API, controllers=("fake",))
    await fill(world)
    await reported(world, "p1", up)
    snapshot = await asyncio.to_thread(own_etcd.snapshot)

    async def newer() -> None:
        await world.port("p2")
        await world.attach("p2", "blue", "10.1.1.6")
        await world.bind("p2", "h1", epoch=9)
        await world.complete(2)

    await newer()
    await reported(world, "p2", up)
    plane = serve.network.plane("h1")
    facts, removed = dict(plane.facts), shim.stats["h1"].rows_removed
    await asyncio.to_thread(own_etcd.restore, snapshot)
    await until(lambda: not shim.ready, "the shim has seen that something is missing")
    await leads(shim)
    await newer()
    await reported(world, "p2", up)
    await until(lambda: shim.ready, "nothing is missing")
    assert plane.facts == facts
    assert shim.stats["h1"].rows_removed == removed
    await serve.end(shim)
    await bus.close()


async def test_it_ends_when_another_instance_leads_the_same_host(
    connect: Connect, world: DesiredState, serve: Running
) -> None:
    first = serve(connect(), instance="one", backend=OneHost)
    await leads(first)
    second = serve(connect(), instance="two", backend=OneHost)
    await until(lambda: second.ready, "the second is ready")
    bus = connect()
    await bus.delete(keys.lead("fake", "h1"))
    await until(
        lambda: first.stats["h1"].leaderships + second.stats["h1"].leaderships >= 2, "one leads again"
    )
    loser = first if "h1" in second.leading else second
    await until(lambda: loser.backend("h1") is None, "the other one ends")
    assert len(first.leading) + len(second.leading) == 1
