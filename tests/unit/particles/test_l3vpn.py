"""Who is a member of a VPN, and which routes it imports and exports."""

from __future__ import annotations

from typing import Any

import pytest

from gluon.objects import status
from gluon.particles import l3vpn
from gluon.shim import world as worlds

API = l3vpn.API
PORT = "11111111-1111-1111-1111-111111111111"
VPN = "22222222-2222-2222-2222-222222222222"


@pytest.fixture
def world() -> worlds.MemoryWorld:
    return worlds.MemoryWorld()


def put(world: worlds.MemoryWorld, object_type: str, key: str, **body: Any) -> None:
    world.put(worlds.stored(API, object_type, key, {"revision": 7, **body}))


def vpn(world: worlds.MemoryWorld, key: str = VPN, **body: Any) -> None:
    put(world, "VpnService", key, id=key, name="blue", **body)


def attach(world: worlds.MemoryWorld, *, host: str = "a", port: str = PORT, **body: Any) -> None:
    put(world, "Port", port, id=port, mac_address="FA-16-3E-00-00-01", admin_state_up=True, mtu=1500)
    put(world, "Interface", port, id=port, port_id=port, segmentation_type="none", segmentation_id=0)
    binding = {"ipaddress": "10.1.1.5", "subnet_prefix": 24, "gateway": "10.1.1.1", **body}
    put(world, "VpnBinding", port, interface_id=port, service_id=VPN, **binding)
    world.put_binding(API, port, host, status.WantedBinding(epoch=1, revision=7))


def view(world: worlds.MemoryWorld, host: str | None = None) -> l3vpn.Vrf:
    found = l3vpn.vrf(world, API, VPN, host)
    assert found
    return found


def test_a_bound_port_is_an_attachment_of_its_vpn(world: worlds.MemoryWorld) -> None:
    vpn(world, ipv4_family="65000:1", route_distinguishers="65000:9")
    attach(world)
    found = view(world, "a")
    assert found.attachments == (
        l3vpn.Attachment(
            port=PORT,
            interface=PORT,
            host="a",
            mac="fa:16:3e:00:00:01",
            address="10.1.1.5",
            prefix_length=24,
            gateway="10.1.1.1",
            mtu=1500,
        ),
    )
    assert found.route_distinguisher == "65000:9"
    assert (found.name, found.revision, found.problems) == ("blue", 7, ())
    assert view(world, "b").attachments == ()
    assert view(world).attachments == found.attachments


def test_targets_without_a_config_go_both_ways(world: worlds.MemoryWorld) -> None:
    vpn(world, ipv4_family=" 65000:2 ,65000:1,,65000:01")
    found = view(world)
    assert found.import_targets == found.export_targets == ("65000:1", "65000:2")
    assert l3vpn.routing_condition(found).reason == "RouteTargets"


@pytest.mark.parametrize(
    ("kind", "imports", "exports", "reason"),
    [
        ("both", ("65000:1",), ("65000:1",), "RouteTargets"),
        ("import_extcommunity", ("65000:1",), (), "OneWay"),
        ("export_extcommunity", (), ("65000:1",), "OneWay"),
    ],
)
def test_a_config_gives_the_direction_of_its_target(
    world: worlds.MemoryWorld, kind: str, imports: tuple[str, ...], exports: tuple[str, ...], reason: str
) -> None:
    put(world, "VpnAfConfig", "65000:1", vrf_rt_value="65000:1", vrf_rt_type=kind)
    vpn(world, ipv4_family="65000:1")
    found = view(world)
    assert (found.import_targets, found.export_targets) == (imports, exports)
    assert l3vpn.routing_condition(found).reason == reason


def test_hub_and_spoke_import_from_each_other_but_not_among_spokes(world: worlds.MemoryWorld) -> None:
    put(world, "VpnAfConfig", "65000:1", vrf_rt_value="65000:1", vrf_rt_type="export_extcommunity")
    put(world, "VpnAfConfig", "65000:2", vrf_rt_value="65000:2", vrf_rt_type="import_extcommunity")
    vpn(world, ipv4_family="65000:1,65000:2")
    vpn(world, "hub", ipv4_family="65000:3")
    spoke, hub = view(world), l3vpn.vrf(world, API, "hub")
    assert hub
    assert not spoke.imports_from(spoke)
    assert hub.imports_from(hub)
    assert not hub.imports_from(spoke)


def test_no_target_says_so(world: worlds.MemoryWorld) -> None:
    vpn(world, ipv4_family=None)
    condition = l3vpn.routing_condition(view(world))
    assert (condition.type, condition.status, condition.reason) == ("RemoteRoutes", "False", "NoRouteTarget")


def test_text_without_meaning_is_a_problem_and_no_exception(world: worlds.MemoryWorld) -> None:
    vpn(world, ipv4_family="65000:1,blue", route_distinguishers="red")
    attach(world, ipaddress="10.1.1")
    found = view(world)
    assert found.import_targets == ("65000:1",)
    assert found.route_distinguisher == ""
    assert len(found.problems) == 2
    assert l3vpn.routing_condition(found).reason == "InvalidValue"
    (attachment,) = found.attachments
    assert not attachment.routed
    assert "10.1.1" in attachment.problems[0]


def test_references_compare_as_uuids(world: worlds.MemoryWorld) -> None:
    key = "abcdefab-1111-1111-1111-111111111111"
    vpn(world)
    attach(world, port=key)
    put(world, "Interface", key, id=key, port_id=key.upper().replace("-", ""))
    assert view(world, "a").attachments[0].port == key
    assert l3vpn.services_of(world, API, "Port", key) == {VPN}


def test_what_a_service_depends_on(world: worlds.MemoryWorld) -> None:
    put(world, "VpnAfConfig", "65000:1", vrf_rt_value="65000:1", vrf_rt_type="both")
    vpn(world, ipv4_family="65000:01")
    vpn(world, "other", ipv4_family="65000:2")
    attach(world)
    for object_type, key in [
        ("Port", PORT),
        ("Interface", PORT),
        ("VpnBinding", PORT),
        ("VpnService", VPN),
        ("VpnAfConfig", "65000:1"),
    ]:
        assert l3vpn.services_of(world, API, object_type, key) == {VPN}, object_type
    assert l3vpn.services_of(world, API, "BGPPeering", "x") == frozenset()
    assert l3vpn.attached_services(world, API, "a") == {VPN}
    assert l3vpn.attached_services(world, API, "b") == frozenset()
    assert {v.service for v in l3vpn.vrfs(world, API)} == {VPN, "other"}
    assert l3vpn.vrfs_at(world, API, "a") == {VPN: l3vpn.vrf(world, API, VPN, "a")}
    assert l3vpn.vrfs_at(world, API, "b") == {}


def test_the_members_of_a_service_are_all_on_the_way_to_its_ports(world: worlds.MemoryWorld) -> None:
    vpn(world)
    attach(world)
    assert {(ref.object_type, ref.key) for ref in l3vpn.members(world, API, VPN)} == {
        ("VpnService", VPN),
        ("VpnBinding", PORT),
        ("Interface", PORT),
        ("Port", PORT),
    }


def test_a_port_that_is_down_or_not_active_yet_has_no_route(world: worlds.MemoryWorld) -> None:
    vpn(world)
    attach(world)
    world.put_binding(API, PORT, "b", status.WantedBinding(epoch=2, revision=8, active=False))
    assert [(a.host, a.routed) for a in view(world).attachments] == [("a", True), ("b", False)]
    put(world, "Port", PORT, id=PORT, mac_address="fa:16:3e:00:00:01", admin_state_up=False)
    assert not any(a.routed for a in view(world).attachments)
