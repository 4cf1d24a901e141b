"""Labels, learnt routes, options, flows as text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gluon.backends.bgp_mpls import config, flows
from gluon.backends.bgp_mpls.labels import LabelRange, Numbers
from gluon.backends.bgp_mpls.learnt import Learnt
from gluon.backends.bgp_mpls.routes import RouteKey, VpnRoute
from gluon.errors import GiveUp
from gluon.particles import l3vpn
from tests.unit.bgp_mpls.network import ROUTER, remote, settings, table


def test_a_range_maps_numbers_to_labels_and_back() -> None:
    labels = LabelRange.parse("1000 - 1009")
    assert (labels.numbers, labels.label(1), labels.label(10)) == (10, 1000, 1009)
    assert (labels.number(1009), labels.number(999), labels.number(1010)) == (10, None, None)


@pytest.mark.parametrize("text", ["", "1000", "9-20", "20-16", "16-1048576", "a-b"])
def test_a_range_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        LabelRange.parse(text)


def test_numbers_are_kept_over_a_restart() -> None:
    labels = LabelRange(first=1000, last=1099)
    before = Numbers(labels)
    taken = {before.take(f"vpn-{i}"): f"vpn-{i}" for i in range(50)}
    assert len(taken) == 50
    after = Numbers(labels)
    after.load({number: service for number, service in taken.items() if number is not None})
    assert {after.take(f"vpn-{i}"): f"vpn-{i}" for i in range(50)} == taken


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.booleans()), max_size=60))
def test_no_number_has_two_vpns(steps: list[tuple[str, bool]]) -> None:
    numbers = Numbers(LabelRange(first=100, last=103))
    held: dict[str, int] = {}
    for service, comes in steps:
        if not comes:
            numbers.free(service)
            held.pop(service, None)
        elif (number := numbers.take(service)) is not None:
            assert held.setdefault(service, number) == number
        else:
            assert len(held) == 4
    assert len(set(held.values())) == len(held)
    assert all(numbers.table(number) == service for service, number in held.items())


def test_kept_numbers_outside_the_range_are_forgotten() -> None:
    numbers = Numbers(LabelRange(first=100, last=101))
    numbers.load({1: "a", 2: "a", 3: "b", 0: "c"})
    assert (numbers.get("a"), numbers.get("b"), numbers.get("c")) == (1, None, None)
    assert numbers.take("b") == 2


@given(st.lists(st.tuples(st.integers(1, 3), st.sampled_from([(), ("1:1",), ("1:1", "1:2")])), max_size=30))
def test_learnt_routes_are_those_of_the_last_word(steps: list[tuple[int, tuple[str, ...]]]) -> None:
    learnt = Learnt(ROUTER)
    last: dict[RouteKey, VpnRoute] = {}
    for number, targets in steps:
        route = remote(f"10.0.0.{number}/32", *targets)
        before = {t: learnt.imported([t]) for t in ("1:1", "1:2")}
        touched = learnt.change({route.key: route if targets else None})
        last[route.key] = route
        if not targets:
            del last[route.key]
        assert touched == {t for t in before if learnt.imported([t]) != before[t]}
    for target in ("1:1", "1:2"):
        wanted = {r.prefix: r for r in last.values() if target in {str(t) for t in r.route_targets}}
        assert learnt.imported([target]) == wanted
    learnt.replace({})
    assert (len(learnt), learnt.imported(["1:1", "1:2"])) == (0, {})


@pytest.mark.parametrize(
    "route",
    [
        remote("10.0.0.1/32", "1:1", pe=ROUTER),
        remote("10.0.0.1/32", "1:1", label=3),
        remote("10.0.0.1/16", "1:1"),
    ],
    ids=["our own", "reserved label", "host bits"],
)
def test_a_route_that_no_packet_can_follow_is_left_out(route: VpnRoute) -> None:
    learnt = Learnt(ROUTER)
    assert learnt.replace(table(route)) == frozenset()
    assert learnt.imported(["1:1"]) == {}


def test_options() -> None:
    read = settings(reflectors=["192.0.2.8"], peers=[{"address": "192.0.2.9", "asn": 65001, "passive": True}])
    assert [(p.address, p.asn, p.passive) for p in read.peers] == [
        ("192.0.2.8", 65000, False),
        ("192.0.2.9", 65001, True),
    ]
    assert (read.bridge, read.encapsulation, read.mtu) == ("br-mpls", "gre", 1472)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"router_id": "300.0.0.1"}, "router_id"),
        ({"asn": 0}, "asn"),
        ({"asn": True}, "asn"),
        ({"labels": "7"}, "1000-1999"),
        ({"encapsulation": "vxlan"}, "encapsulation"),
        ({"bridg": "br0"}, "bridg is no option"),
        ({"peers": "192.0.2.9"}, "list of BGP peers"),
        ({"peers": [{"address": "192.0.2.9", "as": 1}]}, "as is no option of a BGP peer"),
    ],
)
def test_a_wrong_option_is_named(options: dict[str, object], named: str) -> None:
    with pytest.raises(GiveUp, match=named):
        config.read({"router_id": ROUTER, "asn": 65000, **options})


def test_a_flow_reads_back_as_it_was_written() -> None:
    made = [
        *flows.fixed(1),
        *flows.attachment(3, 7, "02:00:00:00:00:01"),
        *flows.attachment(3, 8, "02:00:00:00:00:01", register=flows.upstream(3)),
        *flows.own_address(3, 7, "10.1.1.5", ["10.1.1.1"]),
        flows.source_prefix(3, 7, "172.16.0.0/12"),
        flows.source_prefix(3, 7, "0.0.0.0/0"),
        flows.local_route(3, "10.1.1.5/32", 7, "02:00:00:00:00:01"),
        flows.local_route(3, "172.16.0.0/12", 7, "02:00:00:00:00:01", register=flows.upstream(3)),
        flows.remote_route(3, "0.0.0.0/0", label=1000, pe="192.0.2.2", tunnel=1),
        flows.vrf_of_label(3, 1003),
        *flows.attachment(4, 7, "02:00:00:00:00:01", family=l3vpn.Family.V6),
        *flows.own_address(4, 7, "2001:db8::5", ["10.1.1.1", "2001:db8::1"]),
        flows.source_prefix(4, 7, "2001:db8:9::/48"),
        flows.local_route(4, "2001:db8::5/128", 7, "02:00:00:00:00:01"),
        flows.remote_route(4, "::/0", label=1000, pe="192.0.2.2", tunnel=1),
        flows.vrf_of_label(4, 1004, l3vpn.Family.V6),
    ]
    assert len({flow.key for flow in made}) == len(made)
    for flow in made:
        text = flow.addition().partition(",")[2]
        assert flows.parse(text, flow.cookie) == flow
        assert flow.ours and flow.vrf in {0, 3, 4}


def test_a_flow_of_another_cookie_is_not_ours() -> None:
    assert not flows.parse("table=0,priority=0 actions=NORMAL", 5).ours
