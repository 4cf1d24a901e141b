"""Rows of a VPN on a host: who is delivered to, what is announced, and what is kept apart."""

from __future__ import annotations

import pytest

from gluon.backends.bgp_mpls import desired, flows
from gluon.backends.bgp_mpls.desired import Facts, KeptNumber
from gluon.backends.bgp_mpls.flows import Flow
from gluon.backends.bgp_mpls.routes import VpnRoute
from gluon.spi.backend import Rows
from tests.unit.bgp_mpls.network import HOST, ROUTER, Network, facts, mac, remote, settings, table

BLUE = "65000:1"


def rows_of(network: Network, known: Facts, vpn: str) -> Rows:
    return desired.vrf_rows(desired.local(network.world, HOST), known, vpn)


def announced(rows: Rows) -> dict[str, VpnRoute]:
    return {row.prefix: row for row in rows.values() if isinstance(row, VpnRoute)}


def routes(rows: Rows) -> dict[str, str]:
    """Destination to the last action, of the routing table."""
    found = {}
    for row in rows.values():
        if isinstance(row, Flow) and row.table == flows.ROUTE:
            fields = dict(field.partition("=")[::2] for field in row.match.split(","))
            found[fields.get("nw_dst", "0.0.0.0/0")] = row.actions.rpartition(",")[2]
    return found


def number(rows: Rows) -> int:
    (kept,) = (row for row in rows.values() if isinstance(row, KeptNumber))
    return int(kept.number)


@pytest.fixture
def network() -> Network:
    made = Network()
    made.vpn("blue", BLUE)
    made.attach("p1", "blue", "10.1.1.5", number=1)
    return made


def test_a_plugged_port_is_delivered_to_and_announced(network: Network) -> None:
    known = facts("p1")
    rows = rows_of(network, known, "blue")
    assert routes(rows) == {"10.1.1.5": "output:11"}
    (route,) = announced(rows).values()
    n = number(rows)
    assert str(route) == f"{ROUTER}:{n}:10.1.1.5/32 via {ROUTER} label {999 + n} targets {BLUE}"
    (label,) = (r for r in rows.values() if isinstance(r, Flow) and r.table == flows.LABEL)
    assert f"mpls_label={route.label}" in label.match


def test_a_port_that_is_not_plugged_has_neither_flows_nor_route(network: Network) -> None:
    rows = rows_of(network, facts(), "blue")
    assert (routes(rows), announced(rows)) == ({}, {})
    assert [r for r in rows.values() if isinstance(r, Flow) and "in_port" in r.match] == []
    assert number(rows), "the label is the VPN's as long as a port is bound here"


def test_a_vpn_without_a_port_here_has_no_rows(network: Network) -> None:
    network.attach("p9", "far", "10.1.1.9", host="b")
    network.vpn("far", BLUE)
    assert rows_of(network, facts("p9"), "far") == {}
    assert rows_of(network, facts("p1"), "nobody") == {}


def test_sources_are_checked(network: Network) -> None:
    rows = rows_of(network, facts("p1"), "blue")
    matches = {r.match for r in rows.values() if isinstance(r, Flow) and r.table < flows.ROUTE}
    assert f"dl_src={mac(1)},in_port=11" in matches
    assert "in_port=11,ip,nw_src=10.1.1.5" in matches
    assert not any("ip" in m.split(",") and "nw_src" not in m for m in matches)


def test_remote_routes_are_imported_by_target(network: Network) -> None:
    known = facts("p1")
    known.learnt.replace(
        table(
            remote("10.1.1.6/32", BLUE, "65000:9"),
            remote("10.1.1.7/32", "65000:2", rd="1:2"),
            remote("10.8.0.0/16", BLUE),
            remote("0.0.0.0/0", BLUE),
        )
    )
    assert routes(rows_of(network, known, "blue")) == {
        "10.1.1.5": "output:11",
        "10.1.1.6": "output:1",
        "10.8.0.0/16": "output:1",
        "0.0.0.0/0": "output:1",
    }


def test_import_and_export_only(network: Network) -> None:
    network.target("65000:7", "import_extcommunity")
    network.target("65000:8", "export_extcommunity")
    network.vpn("blue", "65000:7, 65000:8")
    known = facts("p1")
    known.learnt.replace(table(remote("10.1.1.6/32", "65000:8"), remote("10.1.1.7/32", "65000:7")))
    rows = rows_of(network, known, "blue")
    assert set(routes(rows)) == {"10.1.1.5", "10.1.1.7"}
    (route,) = announced(rows).values()
    assert {str(t) for t in route.route_targets} == {"65000:8"}


def test_no_target_no_remote_routes_but_local_delivery(network: Network) -> None:
    network.vpn("blue", "")
    network.attach("p2", "blue", "10.1.1.6", number=2)
    known = facts("p1", "p2")
    known.learnt.replace(table(remote("10.1.1.7/32", BLUE), remote("10.1.1.8/32")))
    rows = rows_of(network, known, "blue")
    assert routes(rows) == {"10.1.1.5": "output:11", "10.1.1.6": "output:12"}
    assert announced(rows) == {}


def test_equal_addresses_in_two_vpns_share_nothing(network: Network) -> None:
    network.vpn("red", "65000:2")
    network.attach("p2", "red", "10.1.1.5", number=2)
    known = facts("p1", "p2")
    blue, red = rows_of(network, known, "blue"), rows_of(network, known, "red")
    assert blue.keys().isdisjoint(red)
    assert routes(blue) == {"10.1.1.5": "output:11"}
    assert routes(red) == {"10.1.1.5": "output:12"}
    assert number(blue) != number(red)


def test_vpns_of_one_host_exchange_routes_by_target(network: Network) -> None:
    network.vpn("red", "65000:2")
    network.attach("p2", "red", "10.2.2.2", number=2)
    known = facts("p1", "p2")
    assert set(routes(rows_of(network, known, "blue"))) == {"10.1.1.5"}
    network.target("65000:2", "export_extcommunity")
    network.vpn("blue", f"{BLUE}, 65000:2")
    network.target("65000:2", "both")
    assert routes(rows_of(network, known, "blue")) == {"10.1.1.5": "output:11", "10.2.2.2": "output:12"}
    assert routes(rows_of(network, known, "red")) == {"10.1.1.5": "output:11", "10.2.2.2": "output:12"}


def test_a_local_address_wins_over_a_remote_one(network: Network) -> None:
    known = facts("p1")
    known.learnt.replace(table(remote("10.1.1.5/32", BLUE)))
    assert routes(rows_of(network, known, "blue")) == {"10.1.1.5": "output:11"}


def test_of_two_ports_with_one_address_the_first_plugged_one_has_it(network: Network) -> None:
    network.attach("p2", "blue", "10.1.1.5", number=2)
    assert routes(rows_of(network, facts("p1", "p2"), "blue")) == {"10.1.1.5": "output:11"}
    assert routes(rows_of(network, facts(plugs={"p2": 12}), "blue")) == {"10.1.1.5": "output:12"}


def test_of_two_hosts_with_one_address_all_choose_the_same(network: Network) -> None:
    known = facts("p1")
    one, other = remote("10.1.1.6/32", BLUE, pe="192.0.2.9"), remote("10.1.1.6/32", BLUE, pe="192.0.2.10")
    for order in ((one, other), (other, one)):
        known.learnt.replace({})
        known.learnt.replace(table(*order))
        rows = rows_of(network, known, "blue")
        assert [r for r in rows.values() if isinstance(r, Flow) and "192.0.2.9->tun_dst" in r.actions]


def test_a_given_route_distinguisher_is_used_by_one_vpn_of_the_host(network: Network) -> None:
    network.vpn("blue", BLUE, rd="65000:77")
    network.vpn("green", BLUE, rd="65000:77")
    network.attach("p2", "green", "10.1.1.5", number=2)
    known = facts("p1", "p2")
    (blue,) = announced(rows_of(network, known, "blue")).values()
    (green,) = announced(rows_of(network, known, "green")).values()
    assert str(blue.rd) == "65000:77"
    assert str(green.rd).startswith(f"{ROUTER}:")


@pytest.mark.parametrize(
    "change",
    [
        lambda n: n.port("p1", admin_state_up=False),
        lambda n: n.bind("p1", HOST, active=False),
        lambda n: n.interface("p1", "p1", "vlan"),
        lambda n: n.join("p1", "blue", ""),
        lambda n: n.port("p1", mac_address="?"),
    ],
    ids=["admin down", "inactive", "vlan", "no address", "no mac"],
)
def test_an_attachment_that_may_not_take_part_does_not(network: Network, change: object) -> None:
    assert callable(change)
    change(network)
    rows = rows_of(network, facts("p1"), "blue")
    assert (routes(rows), announced(rows)) == ({}, {})


def test_a_port_without_segmentation_sends_into_the_vpn_of_its_default_interface(network: Network) -> None:
    network.vpn("able", BLUE)
    network.interface("second", "p1")
    network.join("second", "able", "10.9.9.9")
    known = facts("p1")
    assert routes(rows_of(network, known, "able")) == {"10.1.1.5": "output:11"}, "only by its targets"
    assert announced(rows_of(network, known, "able")) == {}
    assert set(announced(rows_of(network, known, "blue"))) == {"10.1.1.5/32"}


def test_without_a_speaker_nothing_is_said_of_announcements(network: Network) -> None:
    assert announced(rows_of(network, facts("p1", speaker=False), "blue")) == {}


def test_without_a_label_a_vpn_has_no_rows(network: Network) -> None:
    network.vpn("red", "65000:2")
    network.attach("p2", "red", "10.1.1.5", number=2)
    known = facts("p1", "p2", config=settings(labels="1000-1000"))
    assert rows_of(network, known, "red") != {}
    assert rows_of(network, known, "blue") == {}
    known.numbers.free("red")
    assert rows_of(network, known, "blue") != {}


def test_rows_are_the_same_each_time(network: Network) -> None:
    known = facts("p1")
    known.learnt.replace(table(remote("10.1.1.6/32", BLUE)))
    assert rows_of(network, known, "blue") == rows_of(network, known, "blue")
