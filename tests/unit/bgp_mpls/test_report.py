"""What is said of ports and VPNs, and what is answered to a bind."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from gluon.backends.bgp_mpls import desired, report
from gluon.backends.bgp_mpls.backend import BgpMplsBackend
from gluon.backends.bgp_mpls.desired import Facts
from gluon.errors import GiveUp, TryLater
from gluon.particles import l3vpn
from gluon.spi.backend import ObjectStatus, Ref, Setting
from tests.unit.bgp_mpls.network import HOST, ROUTER, Network, facts, mac, remote, settings, table

BLUE = "65000:1"


@pytest.fixture
def network() -> Network:
    made = Network()
    made.vpn("blue", BLUE)
    made.attach("p1", "blue", "10.1.1.5")
    return made


def programmed(network: Network, known: Facts) -> dict[str, Any]:
    """As if everything wanted were written."""
    here = local(network)
    return {k: v for s in here.vrfs for k, v in desired.vrf_rows(here, known, s).items()}


def local(network: Network) -> desired.Local:
    return desired.local(network.world, HOST)


def of_port(network: Network, known: Facts, rows: dict[str, Any] | None = None) -> ObjectStatus:
    rows = programmed(network, known) if rows is None else rows
    return report.of_port(local(network), known, "p1", rows)


def reasons(found: ObjectStatus | None) -> dict[str, str]:
    assert found is not None
    return {c.type: c.reason for c in found.conditions}


def test_plugged_programmed_announced_is_up(network: Network) -> None:
    found = of_port(network, facts("p1"))
    assert found.up
    assert reasons(found) == {"Plugged": "Ready", "Programmed": "Ready", "Announced": "Ready"}


def test_nothing_counts_before_it_is_written(network: Network) -> None:
    known = facts("p1")
    rows = programmed(network, known)
    without_route = {k: v for k, v in rows.items() if not k.startswith("route")}
    without_flow = {k: v for k, v in rows.items() if not k.startswith("flow 20")}
    assert reasons(of_port(network, known, without_route))["Announced"] == "Pending"
    assert reasons(of_port(network, known, without_flow))["Programmed"] == "Pending"
    assert not of_port(network, known, without_route).up
    assert not of_port(network, known, without_flow).up


@pytest.mark.parametrize(
    ("known", "kind", "reason"),
    [
        (facts(), "Plugged", "NotPlugged"),
        (facts(switch=False), "Plugged", "NoSwitch"),
        (facts("p1", speaker=False), "Announced", "NoSpeaker"),
    ],
    ids=["unplugged", "no switch", "no speaker"],
)
def test_a_part_that_is_missing_is_named(network: Network, known: Facts, kind: str, reason: str) -> None:
    found = of_port(network, known)
    assert not found.up
    assert reasons(found)[kind] == reason


def test_a_vpn_that_exports_nothing_needs_no_announcement(network: Network) -> None:
    network.vpn("blue", "")
    assert of_port(network, facts("p1")).up


def test_a_port_of_no_vpn_is_not_up(network: Network) -> None:
    network.world.drop(Ref(l3vpn.API, l3vpn.BINDING, "p1"))
    found = of_port(network, facts("p1"))
    assert not found.up
    assert reasons(found) == {"Plugged": "Ready", "Programmed": "NoService"}


def test_an_address_that_another_port_has(network: Network) -> None:
    network.attach("p0", "blue", "10.1.1.5", number=2)
    assert reasons(of_port(network, facts("p0", "p1")))["Programmed"] == "AddressTaken"
    assert of_port(network, facts("p1")).up


def test_a_mtu_that_does_not_fit_is_said_and_does_no_more(network: Network) -> None:
    network.port("p1", mtu=1500)
    found = of_port(network, facts("p1"))
    assert found.up
    assert reasons(found)["MtuFits"] == "TooLong"


def test_a_vpn_says_what_it_exchanges(network: Network) -> None:
    known = facts("p1")
    known.learnt.replace(table(remote("10.1.1.6/32", BLUE)))
    rows = programmed(network, known)
    found = report.of_service(local(network), known, "blue", rows)
    assert reasons(found) == {"Ready": "Ready", "RemoteRoutes": "RouteTargets"}
    assert found is not None and "1 routes announced, 1 imported" in found.conditions[0].message
    assert reasons(report.of_service(local(network), known, "blue", {}))["Ready"] == "NotProgrammed"
    assert report.of_service(local(network), known, "nobody", rows) is None


def test_a_vpn_says_whether_anybody_hears_it(network: Network) -> None:
    known = facts("p1", config=settings(reflectors=["192.0.2.9"]), sessions_down=frozenset({"192.0.2.9"}))
    rows = programmed(network, known)
    said = reasons(report.of_service(local(network), known, "blue", rows))
    assert (said["Ready"], said["BgpSessions"]) == ("Ready", "NotEstablished")
    known.sessions_down = frozenset()
    assert reasons(report.of_service(local(network), known, "blue", rows))["BgpSessions"] == "Ready"


def test_without_a_label_a_vpn_and_its_ports_are_not_ready(network: Network) -> None:
    network.vpn("able", BLUE)
    network.attach("p2", "able", "10.1.1.6", number=2)
    known = facts("p1", "p2", config=settings(labels="1000-1000"))
    rows = programmed(network, known)
    assert reasons(report.of_service(local(network), known, "blue", rows))["Ready"] == "NoLabel"
    assert reasons(of_port(network, known, rows))["Programmed"] == "NoLabel"


@pytest.fixture
def backend() -> BgpMplsBackend:
    options = {"router_id": ROUTER, "asn": 65000, "bridge": "br-x"}
    return BgpMplsBackend(Setting(controller="bgp_mpls", host=HOST, options=options))


def test_a_bind_is_answered_without_asking_anybody(network: Network, backend: BgpMplsBackend) -> None:
    vif = backend.bind(network.world, network.binding("p1"))
    assert vif.vif_type == "ovs"
    assert vif.details["bridge_name"] == "br-x"
    assert vif == backend.bind(network.world, network.binding("p1"))


@pytest.mark.parametrize(
    ("vnic_type", "segmentation", "reason"),
    [("direct", "none", "VnicTypeNotSupported"), ("normal", "vlan", "SegmentationNotSupported")],
)
def test_a_bind_that_is_not_ours_is_refused(
    network: Network, backend: BgpMplsBackend, vnic_type: str, segmentation: str, reason: str
) -> None:
    network.interface("p1", "p1", segmentation)
    network.bind("p1", HOST, vnic_type=vnic_type)
    with pytest.raises(GiveUp) as refused:
        backend.bind(network.world, network.binding("p1"))
    assert refused.value.reason == reason


def test_a_bind_waits_for_its_port(network: Network, backend: BgpMplsBackend) -> None:
    network.bind("p7", HOST)
    with pytest.raises(TryLater):
        backend.bind(network.world, network.binding("p7"))


def test_the_target_of_a_migration_is_ready_once_it_is_plugged(
    network: Network, backend: BgpMplsBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = Ref(l3vpn.API, l3vpn.PORT, "p1")
    plugs: dict[str, int] = {}
    monkeypatch.setattr(backend, "_facts", dataclasses.replace(facts(), plugs=plugs))

    def plugged() -> frozenset[str]:
        found = backend.status(network.world, port)
        assert found is not None
        assert not found.up
        return found.plugged

    network.bind("p1", HOST, active=False)
    assert plugged() == frozenset()
    plugs["p1"] = 7
    assert plugged() == {HOST}
    plugs.clear()
    assert plugged() == frozenset()
    network.world.drop_binding(l3vpn.API, "p1", HOST)
    assert backend.status(network.world, port) is None


def test_scopes_follow_targets(network: Network, backend: BgpMplsBackend) -> None:
    network.vpn("red", "65000:2")
    network.attach("p2", "red", "10.1.1.6", number=2)
    port = Ref(l3vpn.API, l3vpn.PORT, "p1")
    assert backend.scopes(network.world, port) == {"vpn/blue"}
    assert backend.scopes(network.world, Ref(l3vpn.API, l3vpn.AF_CONFIG, "65000:2")) == {"vpn/red"}
    network.vpn("red", f"65000:2,{BLUE}")
    assert backend.scopes(network.world, port) == {"vpn/blue", "vpn/red"}
    assert backend.all_scopes(network.world) == {"bridge", "vpn/blue", "vpn/red"}


def test_mac_addresses_come_in_any_notation(network: Network) -> None:
    network.port("p1", mac_address="0200.0000.0001")
    rows = programmed(network, facts("p1"))
    assert any(mac(1) in key for key in rows)
