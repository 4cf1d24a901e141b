"""A backend is shown objects in a version that it declared, all of one form, or not at all.

The model of the tests is `net-l3vpn` in words of a later version: the objects of 1.0 are made of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from gluon.backends.fake.backend import FakeBackend
from gluon.objects import keys, status
from gluon.particles import l3vpn
from gluon.spi import backend as spi
from gluon.spi.bus import Bus
from gluon.testing.backend_suite import until
from gluon.testing.desired_state import DesiredState
from tests.contract.shim.conftest import Running, accepted, leads, reason, reported, up

SAME = {
    "Port": ("port", ("id", "mac_address", "admin_state_up", "mtu", "vif_type")),
    "Interface": ("interface", ("id", "port_id", "segmentation_type", "segmentation_id")),
    "VpnBinding": ("binding", ("interface_id", "service_id", "ipaddress", "subnet_prefix", "gateway")),
}
FORMS = {
    "1.0": {
        **{n: {"is": n, "kind": k, "attributes": {a: a for a in names}} for n, (k, names) in SAME.items()},
        "VpnService": {
            "is": "Vpn",
            "kind": "service",
            "attributes": {"id": "id", "name": "title", "ipv4_family": "targets"},
        },
    }
}


class Old(FakeBackend):
    """Knows 1.0 alone, and notes what it is shown."""

    apis: ClassVar[Mapping[str, tuple[str, ...]]] = {l3vpn.API: ("1.0",)}
    shown: ClassVar[list[tuple[str, Mapping[str, Any]]]] = []

    def scopes(self, world: spi.World, ref: spi.Ref) -> frozenset[str]:
        self.look(world)
        return super().scopes(world, ref)

    def desired(self, world: spi.World, scope: str) -> spi.Rows:
        self.look(world)
        return super().desired(world, scope)

    def look(self, world: spi.World) -> None:
        for name in ("VpnService", "Vpn"):
            self.shown.extend(
                (world.model_version(l3vpn.API), s.body) for s in world.all(l3vpn.API, name) if name == "Vpn"
            )


async def vpn(world: DesiredState, *, later: bool, targets: str = "65000:1") -> None:
    if later:
        await world.put("Vpn", "blue", id="blue", title="blue", targets=targets)
    else:
        await world.put("VpnService", "blue", id="blue", name="blue", ipv4_family=targets)


async def bound(world: DesiredState, port: str, address: str) -> None:
    await world.port(port)
    await world.attach(port, "blue", address)
    await world.bind(port, "h1")


def facts(running: Running, shard: str = "h1") -> dict[str, Any]:
    return dict(running.network.plane(shard).facts)


async def later_model(world: DesiredState, version: str = "7.0", forms: Any = FORMS) -> None:
    types = {"Port": {"kind": "port"}, "Vpn": {"kind": "service"}}
    await world.model(version, types=types, forms=forms)


async def test_objects_are_shown_in_the_version_that_the_backend_knows(bus: Bus, serve: Running) -> None:
    Old.shown.clear()
    world = DesiredState(bus, api=l3vpn.API, controllers=("fake",))
    world.digest = "d7"
    await later_model(world)
    await vpn(world, later=True)
    await bound(world, "p1", "10.1.1.5")
    await world.complete()
    shim = serve(bus, backend=Old)
    await leads(shim)
    await reported(world, "p1", up)
    await reported(world, "blue", lambda r: reason(r, "RemoteRoutes") == "RouteTargets", object_type="Vpn")
    assert facts(serve)
    assert Old.shown == [], "no object of the stored form"
    await world.delete("Vpn", "blue")
    await reported(world, "blue", lambda r: r is None, object_type="Vpn")


async def registration(bus: Bus, instance: str = "h1") -> status.Registration | None:
    found = await bus.get(keys.shim("fake", instance))
    return status.decode_registration(found.value) if found else None


async def test_what_cannot_be_shown_is_refused_everywhere(bus: Bus, serve: Running) -> None:
    world = DesiredState(bus, api=l3vpn.API, controllers=("fake",))
    world.digest = "d7"
    await later_model(world, forms={"5.0": FORMS["1.0"]})
    await vpn(world, later=True)
    await bound(world, "p1", "10.1.1.5")
    await world.complete()
    await leads(serve(bus, backend=Old))
    await reported(world, "p1", lambda r: reason(r, "Ready") == "ModelTooNew")
    await reported(world, "blue", lambda r: reason(r, "Ready") == "ModelTooNew", object_type="Vpn")
    found = await world.report("h1", "Port", "p1")
    assert found is not None
    assert found.bindings["h1"].refused == "ModelTooNew"
    assert "stored is 7.0, and it can be shown in 5.0" in found.bindings["h1"].message
    assert not facts(serve)

    async def told() -> bool:
        one = await registration(bus)
        return one is not None and "stored is 7.0" in one.refused.get(l3vpn.API, "")

    await until(told, "the registration says it")
    world.digest = "d8"
    await later_model(world)
    await world.put("Vpn", "blue", id="blue", title="blue", targets="65000:1")
    await world.port("p1")
    await world.attach("p1", "blue", "10.1.1.5")

    async def silent() -> bool:
        one = await registration(bus)
        return one is not None and not one.refused

    await until(silent, "the registration is clean again")
    await world.bind("p1", "h1")
    await reported(world, "p1", up)
    await reported(
        world, "blue", lambda r: r is not None and reason(r, "Ready") != "ModelTooNew", object_type="Vpn"
    )


async def test_objects_wait_until_all_are_of_the_model(bus: Bus, serve: Running) -> None:
    """The model first, or an object first: nothing is shown of two forms."""
    Old.shown.clear()
    world = DesiredState(bus, api=l3vpn.API, controllers=("fake",))
    world.digest = "d1"
    await world.model("1.0")
    await vpn(world, later=False)
    await bound(world, "p1", "10.1.1.5")
    await world.complete()
    shim = serve(bus, backend=Old)
    await leads(shim)
    await reported(world, "p1", up)
    before = facts(serve)
    world.digest = "d7"
    await vpn(world, later=True)
    await until(lambda: not shim.ready, "it waits")
    await later_model(world)
    await world.delete("VpnService", "blue")
    await bound(world, "p2", "10.1.1.6")
    assert not shim.ready
    assert facts(serve) == before
    assert await world.report("h1", "Port", "p2") is None
    await world.port("p1")
    await world.attach("p1", "blue", "10.1.1.5")
    await reported(world, "p2", lambda r: accepted(r) and up(r))
    assert before.items() <= facts(serve).items()
    assert Old.shown == []


async def test_a_model_whose_name_begins_like_another_is_not_ours(
    bus: Bus, world: DesiredState, serve: Running
) -> None:
    """What is watched is the beginning of keys."""
    longer = f"{l3vpn.API}-test"
    await DesiredState(bus, api=longer, controllers=("fake",)).model("7.0")
    await world.model("1.0")
    shim = serve(bus)
    await leads(shim)
    await bus.put(keys.model(longer), b"no JSON")
    await bus.delete(keys.model(longer))
    await world.port("p1")
    await world.attach("p1", "blue", "10.1.1.5")
    await world.bind("p1", "h1")
    await reported(world, "p1", up)
    assert not shim.registration.refused
