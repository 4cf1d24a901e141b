"""VPNs of version 2.0 on a host: hubs and spokes apart, several routes an attachment."""

from __future__ import annotations

from typing import Any

import pytest

from gluon.backends.bgp_mpls import desired, flows, report
from gluon.backends.bgp_mpls.desired import Facts, KeptNumber
from gluon.backends.bgp_mpls.flows import Flow
from gluon.backends.bgp_mpls.routes import VpnRoute
from gluon.particles import l3vpn
from tests.unit.bgp_mpls.network import HOST, ROUTER, Network, facts, remote, table

HUB, SPOKE = "65000:10", "65000:20"


class Two(Network):
    """The world in version 2.0."""

    def __init__(self) -> None:
        super().__init__()
        self.world.name_version(l3vpn.API, "2.0")

    def service(self, key: str, **body: Any) -> None:
        self.put(l3vpn.SERVICE, key, id=key, name=key, **body)

    def member(self, port: str, vpn: str, address: str | None, *, number: int = 1, **body: Any) -> None:
        self.port(port, number=number)
        given = {"interface_id": port, "service_id": vpn, "ip_address": address, **body}
        self.put(l3vpn.BINDING, f"b{port}", **given)


@pytest.fixture
def network() -> Two:
    made = Two()
    made.service(
        "star",
        hub_target=HUB,
        spoke_target=SPOKE,
        route_distinguisher="65000:7",
        subnets=[{"cidr": "10.1.0.0/16", "gateway": "10.1.0.254"}],
    )
    return made


def all_rows(network: Network, known: Facts) -> dict[str, Any]:
    here = desired.local(network.world, HOST)
    return {k: v for vrf in here.vrfs for k, v in desired.vrf_rows(here, known, vrf).items()}


def delivered(rows: dict[str, Any]) -> set[tuple[str, str, str]]:
    """Register 0, destination and where to, of the routing table."""
    found = set()
    for row in rows.values():
        if isinstance(row, Flow) and row.table == flows.ROUTE:
            fields = dict(field.partition("=")[::2] for field in row.match.split(","))
            found.add((fields["reg0"], fields.get("nw_dst", "all"), row.actions.rpartition(":")[2]))
    return found


def numbers(rows: dict[str, Any]) -> dict[str, int]:
    return {row.name: row.number for row in rows.values() if isinstance(row, KeptNumber)}


def announced(rows: dict[str, Any]) -> dict[str, tuple[str, set[str]]]:
    """Prefix to route distinguisher and targets."""
    found = [row for row in rows.values() if isinstance(row, VpnRoute)]
    return {r.prefix: (str(r.rd), set(map(str, r.route_targets))) for r in found}


def test_a_hub_and_spokes_of_one_host_do_not_leak(network: Two) -> None:
    network.member("h", "star", "10.1.0.1", number=1, role="hub")
    network.member("s", "star", "10.1.0.2", number=2, role="spoke")
    network.member("t", "star", "10.1.0.3", number=3, role="spoke")
    known = facts("h", "s", "t")  # at ports 11, 12, 13
    known.learnt.replace(
        table(remote("10.1.9.1/32", HUB), remote("10.1.9.2/32", SPOKE), remote("10.1.9.3/32", "65000:1"))
    )
    rows = all_rows(network, known)
    n = numbers(rows)
    hub, spoke = f"{n['star/hub']:#x}", f"{n['star/spoke']:#x}"
    sent = f"{flows.upstream(n['star/spoke']):#x}"
    assert delivered(rows) == {
        (hub, "10.1.0.1", "11"),
        (hub, "10.1.0.2", "12"),
        (hub, "10.1.0.3", "13"),
        (hub, "10.1.9.1", "1"),
        (hub, "10.1.9.2", "1"),
        (spoke, "10.1.0.2", "12"),
        (spoke, "10.1.0.3", "13"),
        (sent, "10.1.0.1", "11"),
        (sent, "10.1.9.1", "1"),
    }
    entries = {r.match: r.actions for r in rows.values() if isinstance(r, Flow) and r.table == flows.CLASSIFY}
    registers = {match.rpartition("=")[2]: actions.partition("->")[0] for match, actions in entries.items()}
    assert registers == {
        "11": f"set_field:{hub}",
        "12": f"set_field:{sent}",
        "13": f"set_field:{sent}",
    }
    assert announced(rows) == {
        "10.1.0.1/32": ("65000:7", {HUB}),
        "10.1.0.2/32": (f"{ROUTER}:{n['star/spoke']}", {SPOKE}),
        "10.1.0.3/32": (f"{ROUTER}:{n['star/spoke']}", {SPOKE}),
    }
    labels = [r.actions for r in rows.values() if isinstance(r, Flow) and r.table == flows.LABEL]
    assert not any(sent in actions for actions in labels), "what other PEs send is for spokes themselves"


def test_all_routes_of_an_attachment_are_delivered_and_announced(network: Two) -> None:
    network.service("blue", ipv4={"both": ["65000:1"]})
    network.member(
        "p",
        "blue",
        "10.1.0.1",
        more_addresses=["10.2.0.1"],
        anycast_addresses=["198.51.100.1"],
        static_routes=[{"prefix": "172.16.0.0/12", "next_hop": "10.1.0.1"}, {"prefix": "0.0.0.0/0"}],
    )
    known = facts("p")
    rows = all_rows(network, known)
    prefixes = {"10.1.0.1/32", "10.2.0.1/32", "198.51.100.1/32", "172.16.0.0/12", "0.0.0.0/0"}
    assert announced(rows).keys() == prefixes
    assert {destination for _, destination, _ in delivered(rows)} == {
        "10.1.0.1",
        "10.2.0.1",
        "198.51.100.1",
        "172.16.0.0/12",
        "all",
    }
    silent = {r.match for r in rows.values() if isinstance(r, Flow) and r.actions == "drop"}
    assert silent == {f"arp,arp_tpa={a},in_port=11" for a in ("10.1.0.1", "10.2.0.1", "198.51.100.1")}
    here = desired.local(network.world, HOST)
    said = report.of_port(here, known, "p", rows)
    assert said.up
    missing = dict(rows)
    del missing[next(k for k, r in rows.items() if isinstance(r, VpnRoute) and r.prefix == "172.16.0.0/12")]
    assert not report.of_port(here, known, "p", missing).up


def test_the_longest_prefix_wins_and_then_the_local_one(network: Two) -> None:
    network.service("blue", ipv4={"both": ["65000:1"]})
    network.member("p", "blue", "10.1.0.1", static_routes=[{"prefix": "172.16.0.0/12"}])
    known = facts("p")
    known.learnt.replace(table(remote("172.16.0.0/12", "65000:1"), remote("172.16.5.0/24", "65000:1")))
    found = [r for r in all_rows(network, known).values() if isinstance(r, Flow) and "nw_dst=172" in r.match]
    by_priority = sorted(found, key=lambda r: -r.priority)
    assert [r.match.partition("nw_dst=")[2].partition(",")[0] for r in by_priority] == [
        "172.16.5.0/24",
        "172.16.0.0/12",
    ]
    assert by_priority[1].actions.endswith("output:11")


def test_an_anycast_address_of_two_ports_is_delivered_to_the_first_without_complaint(network: Two) -> None:
    network.service("blue", ipv4={"both": ["65000:1"]})
    for number, port in enumerate(("p", "q"), 1):
        address = f"10.1.0.{number}"
        network.member(port, "blue", address, number=number, anycast_addresses=["198.51.100.1"])
    known = facts("p", "q")
    rows = all_rows(network, known)
    assert {to for _, destination, to in delivered(rows) if destination == "198.51.100.1"} == {"11"}
    here = desired.local(network.world, HOST)
    assert report.of_port(here, known, "p", rows).up
    assert report.of_port(here, known, "q", rows).up
    sends = {r.match for r in rows.values() if isinstance(r, Flow) and "nw_src=198.51.100.1" in r.match}
    assert len(sends) == 2


def test_a_further_address_that_another_port_has_is_said(network: Two) -> None:
    network.service("blue")
    network.member("p", "blue", "10.1.0.1", number=1)
    network.member("q", "blue", "10.1.0.2", number=2, more_addresses=["10.1.0.1"])
    known = facts("p", "q")
    rows = all_rows(network, known)
    found = report.of_port(desired.local(network.world, HOST), known, "q", rows)
    assert {c.reason for c in found.conditions} >= {"AddressTaken"}
    assert {d for _, d, _ in delivered(rows)} == {"10.1.0.1", "10.1.0.2"}


def test_the_gateway_of_each_subnet_answers(network: Two) -> None:
    network.service(
        "blue",
        subnets=[
            {"cidr": "10.1.0.0/16", "gateway": "10.1.0.254"},
            {"cidr": "10.2.0.0/16", "gateway": "10.2.0.254"},
        ],
    )
    network.member("p", "blue", "10.1.0.1", more_addresses=["10.2.0.1"])
    rows = all_rows(network, facts("p"))
    pings = {r.match for r in rows.values() if isinstance(r, Flow) and r.match.startswith("icmp,")}
    assert {m.partition("nw_dst=")[2].partition(",")[0] for m in pings} == {"10.1.0.254", "10.2.0.254"}


def test_a_vpn_of_several_roles_says_what_each_exchanges(network: Two) -> None:
    network.member("h", "star", "10.1.0.1", number=1, role="hub")
    network.member("s", "star", "10.1.0.2", number=2, role="spoke")
    known = facts("h", "s")
    rows = all_rows(network, known)
    found = report.of_service(desired.local(network.world, HOST), known, "star", rows)
    assert found
    assert found.up
    ready = next(c for c in found.conditions if c.type == "Ready")
    assert ready.message.startswith("hubs: label ")
    assert "; spokes: label " in ready.message
    assert next(c for c in found.conditions if c.type == "RemoteRoutes").reason == "RouteTargets"


def test_ipv6_has_a_number_and_a_label_of_its_own(network: Two) -> None:
    network.service("blue", ipv4={"both": ["65000:1"]}, ipv6={"both": ["65000:6"]})
    network.member("p", "blue", "10.1.0.1", more_addresses=["2001:db8::1"])
    known = facts("p")
    known.learnt.replace(
        table(
            remote("2001:db8::9/128", "65000:6", label=5001),
            remote("2001:db8::8/128", "65000:1", label=5002),
            remote("10.1.0.9/32", "65000:6", label=5003),
        )
    )
    rows = all_rows(network, known)
    n = numbers(rows)
    assert n.keys() == {"blue", "blue/ipv6"}
    assert {key: targets for key, (_, targets) in announced(rows).items()} == {
        "10.1.0.1/32": {"65000:1"},
        "2001:db8::1/128": {"65000:6"},
    }
    routes = [r for r in rows.values() if isinstance(r, Flow) and r.table == flows.ROUTE]
    assert {(r.match, r.cookie - flows.MARK) for r in routes} == {
        (f"ip,nw_dst=10.1.0.1,reg0={n['blue']:#x}", n["blue"]),
        (f"ipv6,ipv6_dst=2001:db8::1,reg0={n['blue/ipv6']:#x}", n["blue/ipv6"]),
        (f"ipv6,ipv6_dst=2001:db8::9,reg0={n['blue/ipv6']:#x}", n["blue/ipv6"]),
    }
    pops = {
        r.actions.partition(",")[0] for r in rows.values() if isinstance(r, Flow) and r.table == flows.LABEL
    }
    assert pops == {"pop_mpls:0x0800", "pop_mpls:0x86dd"}
    assert {desired.table_of_number(name) for name in n} == {"blue"}
    assert report.of_port(desired.local(network.world, HOST), known, "p", rows).up


def test_an_attachment_of_ipv6_alone_is_up(network: Two) -> None:
    network.service("blue", ipv6={"both": ["65000:6"]})
    network.member("p", "blue", "2001:db8::1")
    known = facts("p")
    rows = all_rows(network, known)
    assert announced(rows).keys() == {"2001:db8::1/128"}
    assert report.of_port(desired.local(network.world, HOST), known, "p", rows).up
