"""The view of `net-l3vpn` 2.0, and that a VPN of 1.0 says the same when it is written in 2.0."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gluon.backends.fake.actual import FakeNetwork
from gluon.backends.fake.backend import FakeBackend
from gluon.objects import status
from gluon.particles import l3vpn
from gluon.particles.vrf import Kind, Role, Route
from gluon.shim import world as worlds
from gluon.spi import backend as spi

API = l3vpn.API
VPN = "vpn"
V4, V6 = l3vpn.Family.V4, l3vpn.Family.V6


@pytest.fixture
def world() -> worlds.MemoryWorld:
    made = worlds.MemoryWorld()
    made.name_version(API, "2.0")
    return made


def put(world: worlds.MemoryWorld, object_type: str, key: str, **body: Any) -> None:
    world.put(worlds.stored(API, object_type, key, {"revision": 7, **body}))


def attach(world: worlds.MemoryWorld, port: str = "p", service: str = VPN, **body: Any) -> None:
    put(world, "Port", port, id=port, mac_address="fa:16:3e:00:00:01", admin_state_up=True, mtu=1450)
    put(world, "Interface", port, id=port, port_id=port, segmentation_type="none", segmentation_id=0)
    put(world, "VpnBinding", f"b-{port}", id=f"b-{port}", interface_id=port, service_id=service, **body)
    world.put_binding(API, port, "a", status.WantedBinding(epoch=1, revision=7))


def view(world: worlds.MemoryWorld, service: str = VPN) -> l3vpn.Vrf:
    found = l3vpn.vrf(world, API, service)
    assert found
    return found


def test_targets_are_by_family_and_direction(world: worlds.MemoryWorld) -> None:
    put(
        world,
        "VpnService",
        VPN,
        route_distinguisher="65000:9",
        ipv4={"both": ["65000:1"], "imported": ["65000:2"], "exported": ["65000:3", "65000:1"]},
        ipv6={"both": [], "imported": ["65000:6"]},
    )
    found = view(world)
    assert found.route_distinguisher == "65000:9"
    assert found.targets(V4).imported == ("65000:1", "65000:2")
    assert found.targets(V4).exported == ("65000:1", "65000:3")
    assert (found.targets(V6).imported, found.targets(V6).exported) == (("65000:6",), ())
    assert found.imports_from(found)
    assert not found.imports_from(found, V6)
    assert l3vpn.routing_condition(found).reason == "RouteTargets"


def test_a_vpn_without_targets_says_so(world: worlds.MemoryWorld) -> None:
    put(world, "VpnService", VPN, ipv4=None, subnets=None)
    condition = l3vpn.routing_condition(view(world))
    assert condition.reason == "NoRouteTarget"
    assert condition.message.startswith("neither ipv4 nor ipv6 names a route target")


def test_prefix_length_and_gateway_are_those_of_the_subnet(world: worlds.MemoryWorld) -> None:
    put(
        world,
        "VpnService",
        VPN,
        subnets=[
            {"cidr": "10.1.0.0/16", "gateway": "10.1.0.1"},
            {"cidr": "10.2.0.0/24", "gateway": "10.2.0.1"},
            {"cidr": "2001:db8::/64", "gateway": "2001:db8::1"},
        ],
    )
    attach(
        world,
        ip_address="10.1.0.5",
        more_addresses=["10.2.0.7", "2001:DB8::5"],
        anycast_addresses=["198.51.100.1"],
        static_routes=[{"prefix": "172.16.0.0/12", "next_hop": "10.1.0.5"}, {"prefix": "10.2.0.7/32"}],
    )
    (found,) = view(world).attachments
    assert (found.address, found.prefix_length, found.gateway) == ("10.1.0.5", 16, "10.1.0.1")
    assert found.gateways == ("10.2.0.1", "2001:db8::1")
    assert found.routes == (
        Route(prefix="10.1.0.5/32"),
        Route(prefix="10.2.0.7/32"),
        Route(prefix="2001:db8::5/128"),
        Route(prefix="198.51.100.1/32", kind=Kind.ANYCAST),
        Route(prefix="172.16.0.0/12", kind=Kind.STATIC, next_hop="10.1.0.5"),
    )
    assert [r.destination for r in found.routes[2:]] == ["2001:db8::5", "198.51.100.1", "172.16.0.0/12"]


def test_hubs_hear_hubs_and_spokes_and_spokes_hear_hubs_only(world: worlds.MemoryWorld) -> None:
    put(world, "VpnService", VPN, hub_target="65000:10", spoke_target="65000:20", ipv4={"both": ["65000:1"]})
    attach(world, "h", ip_address="10.1.0.1", role="hub")
    attach(world, "s", ip_address="10.1.0.2", role="spoke")
    attach(world, "m", ip_address="10.1.0.3")
    by_role = {one.role: one for one in view(world).by_role()}
    hears = {(a, b) for a in by_role for b in by_role if by_role[a].hears(by_role[b])}
    assert hears == {
        (Role.HUB, Role.HUB),
        (Role.HUB, Role.SPOKE),
        (Role.SPOKE, Role.HUB),
        (Role.MEMBER, Role.MEMBER),
    }
    assert [a.port for a in by_role[Role.HUB].attachments] == ["h"]
    assert by_role[Role.SPOKE].isolates
    assert len({one.table for one in by_role.values()}) == 3


def test_text_without_meaning_is_a_problem_and_no_exception(world: worlds.MemoryWorld) -> None:
    put(world, "VpnService", VPN, ipv4={"both": ["blue", "65000:1"], "exported": 7}, ipv6=3, subnets=["x"])
    attach(world, ip_address="10.1.1", more_addresses="many", static_routes=[{"prefix": "1.2.3.4/8"}, 5])
    found = view(world)
    assert found.import_targets == ("65000:1",)
    assert len(found.problems) == 1
    (attachment,) = found.attachments
    assert len(attachment.problems) == 2
    assert not attachment.routed


@pytest.mark.parametrize("role", ["hub", "spoke", "queen"])
def test_a_role_that_the_vpn_does_not_have_reaches_nobody(world: worlds.MemoryWorld, role: str) -> None:
    put(world, "VpnService", VPN, ipv4={"both": ["65000:1"]})
    attach(world, ip_address="10.1.0.5", role=role)
    (found,) = view(world).by_role()
    assert found.attachments[0].problems
    assert (found.import_targets, found.export_targets) == ((), ())


def test_one_interface_may_be_in_several_vpns(world: worlds.MemoryWorld) -> None:
    put(world, "VpnService", VPN)
    put(world, "VpnService", "other")
    attach(world, ip_address="10.1.0.5")
    put(world, "VpnBinding", "more", id="more", interface_id="p", service_id="other", ip_address="10.2.0.5")
    assert l3vpn.services_of(world, API, "Port", "p") == {VPN, "other"}
    assert l3vpn.services_of(world, API, "VpnBinding", "more") == {"other"}
    assert l3vpn.port_of(world, API, "VpnBinding", "more") == spi.Ref(API, "Port", "p")
    assert set(l3vpn.vrfs_at(world, API, "a")) == {VPN, "other"}
    assert [service for service, _ in l3vpn.attachments_of_port(world, API, "p")] == ["other", VPN]
    assert {ref.key for ref in l3vpn.members(world, API, "other")} == {"other", "more", "p"}


# A state of 1.0 and its translation.

HOSTS, PORTS, VPNS = ("a", "b"), ("p", "q", "r", "s"), ("blue", "red")
TARGETS = ("65000:1", "65000:2", "65000:3")
KINDS = ("both", "import_extcommunity", "export_extcommunity")

State = dict[str, Any]
states: st.SearchStrategy[State] = st.fixed_dictionaries(
    {
        "targets": st.fixed_dictionaries({v: st.sets(st.sampled_from(TARGETS)) for v in VPNS}),
        "kinds": st.dictionaries(st.sampled_from(TARGETS), st.sampled_from(KINDS)),
        "ports": st.dictionaries(
            st.sampled_from(PORTS),
            st.tuples(
                st.sampled_from(VPNS),
                st.sampled_from(HOSTS),
                st.integers(1, 4),
                st.booleans(),
            ),
        ),
    }
)


def written(state: State, version: str) -> worlds.MemoryWorld:
    made = worlds.MemoryWorld()
    made.name_version(API, version)
    new = version == "2.0"
    for vpn, targets in state["targets"].items():
        if new:
            body: dict[str, Any] = {"ipv4": _split(targets, state["kinds"])}
            body["subnets"] = [{"cidr": "10.1.1.0/24", "gateway": "10.1.1.254"}]
        else:
            body = {"ipv4_family": ",".join(sorted(targets))}
        put(made, "VpnService", vpn, name=vpn, **body)
    for target, kind in state["kinds"].items() if not new else ():
        put(made, "VpnAfConfig", target, vrf_rt_value=target, vrf_rt_type=kind)
    for port, (vpn, host, number, up) in state["ports"].items():
        put(made, "Port", port, mac_address="fa:16:3e:00:00:01", admin_state_up=up, mtu=1450)
        put(made, "Interface", port, port_id=port, segmentation_type="none", segmentation_id=0)
        address = str(ipaddress.IPv4Address("10.1.1.0") + number)
        if new:
            put(made, "VpnBinding", f"b{port}", interface_id=port, service_id=vpn, ip_address=address)
        else:
            given = {"ipaddress": address, "subnet_prefix": 24, "gateway": "10.1.1.254"}
            put(made, "VpnBinding", port, interface_id=port, service_id=vpn, **given)
        made.put_binding(API, port, host, status.WantedBinding(epoch=1, revision=1))
    return made


def _split(targets: Iterable[str], kinds: dict[str, str]) -> dict[str, list[str]]:
    names = dict(zip(KINDS, ("both", "imported", "exported"), strict=True))
    found: dict[str, list[str]] = {name: [] for name in names.values()}
    for target in targets:
        found[names[kinds.get(target, "both")]].append(target)
    return found


def reachability(world: spi.World) -> set[tuple[str, str]]:
    network = FakeNetwork()
    backend = FakeBackend(spi.Setting(controller="fake", host="*", options={"network": network}))
    for scope in backend.all_scopes(world):
        network.plane("*").facts.update(backend.desired(world, scope))
    return {(x, y) for x in PORTS for y in PORTS if x != y and network.reaches(x, y)}


@given(state=states)
def test_a_state_means_the_same_in_both_versions(state: State) -> None:
    one, two = written(state, "1.0"), written(state, "2.0")
    assert reachability(one) == reachability(two)
    for vpn in VPNS:
        old, new = l3vpn.vrf(one, API, vpn), l3vpn.vrf(two, API, vpn)
        assert old and new
        assert old.attachments == new.attachments
        assert (old.import_targets, old.export_targets) == (new.import_targets, new.export_targets)
