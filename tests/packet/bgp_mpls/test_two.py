"""VPNs of version 2.0 with packets: hub and spoke, further addresses, prefixes behind a machine, anycast."""

from __future__ import annotations

import pytest

from gluon.testing.lab import Capture, Host
from tests.packet.bgp_mpls.site import Site, Vm

pytestmark = pytest.mark.packet

SUBNETS = [
    {"cidr": "10.1.1.0/24", "gateway": "10.1.1.1"},
    {"cidr": "10.3.7.0/24", "gateway": "10.3.7.1"},
    {"cidr": "2001:db8:1::/64", "gateway": "2001:db8:1::1"},
]
ANYCAST = "198.51.100.1"


def machine(vm: Vm) -> Host:
    assert vm.host is not None
    return vm.host


def reached(vms: list[Vm]) -> set[tuple[str, str]]:
    return {(a.name, b.name) for a in vms for b in vms if a is not b and a.pings(b.address)}


def test_spokes_meet_at_hubs_only(site: Site) -> None:
    site.speak("2.0")
    star = {"name": "star", "hub_target": "65000:10", "spoke_target": "65000:20", "subnets": SUBNETS}
    site.change(lambda s: s.put("VpnService", "star", id="star", **star))
    hub = site.vm(site.a, "star", "10.1.1.5", role="hub")
    spokes = [
        site.vm(site.a, "star", "10.1.1.6", role="spoke"),
        site.vm(site.a, "star", "10.3.7.7", role="spoke"),
        site.vm(site.b, "star", "10.3.7.8", role="spoke"),
    ]
    vms = [hub, *spokes]
    site.wait(lambda: all(vm.pe.up(vm.port) for vm in vms), "all ports up")
    site.wait(lambda: all(hub.pings(vm.address) for vm in spokes), "the hub reaches its spokes")
    meet = {p for s in spokes for p in ((hub.name, s.name), (s.name, hub.name))}
    site.wait(lambda: reached(vms) == meet, "spokes meet the hub only")
    site.wait(lambda: hub.pings(hub.gateway), "the gateway of its subnet answers")
    # A hub that forwards, and says so by a route, joins the spokes; packets do pass through it.
    machine(hub).settings(
        "ipv4/ip_forward=1", "ipv4/conf/all/send_redirects=0", "ipv4/conf/eth0/send_redirects=0"
    )
    default = [{"prefix": "0.0.0.0/0"}]
    site.change(lambda s: s.join(hub.port, "star", hub.address, role="hub", static_routes=default))
    site.wait(
        lambda: all(a.pings(b.address) for a in spokes for b in spokes if a is not b), "through the hub"
    )
    machine(hub).settings("ipv4/ip_forward=0")
    assert not spokes[0].pings(spokes[1].address)
    assert not spokes[0].pings(spokes[2].address)


def test_further_addresses_prefixes_and_anycast(site: Site) -> None:
    site.speak("2.0")
    blue = {"name": "blue", "ipv4": {"both": ["65000:1"]}, "subnets": SUBNETS}
    site.change(lambda s: s.put("VpnService", "blue", id="blue", **blue))
    routes = [{"prefix": "172.16.0.0/16"}]
    left = site.vm(
        site.a,
        "blue",
        "10.1.1.5",
        more_addresses=["10.3.7.5"],
        anycast_addresses=[ANYCAST],
        static_routes=routes,
    )
    right = site.vm(site.b, "blue", "10.1.1.6", anycast_addresses=[ANYCAST])
    asker = site.vm(site.b, "blue", "10.1.1.7")
    machine(left).address("lo", "10.3.7.5/32", "172.16.0.1/32", f"{ANYCAST}/32")
    machine(right).address("lo", f"{ANYCAST}/32")
    site.wait(lambda: all(vm.pe.up(vm.port) for vm in site.vms), "all ports up")
    for address in (left.address, "10.3.7.5", "172.16.0.1"):
        site.wait(lambda a=address: asker.asks(a) == left.name, f"{address} answers")  # type: ignore[misc]
    assert not asker.pings("172.17.0.1")
    machine(asker).run("ping", "-n", "-c", "1", "-W", "20", "-I", asker.address, "10.3.7.5")
    site.wait(lambda: asker.asks(ANYCAST) == right.name, "the nearest answers")
    site.b.hypervisor.unplug(right.plug)
    site.wait(lambda: asker.asks(ANYCAST) == left.name, "the one that is left")
    reasons = {c.type: c.reason for c in site.a.report("Port", left.port).conditions}
    assert reasons == {"Plugged": "Ready", "Programmed": "Ready", "Announced": "Ready"}


def test_ipv6_beside_ipv4(site: Site) -> None:
    site.speak("2.0")
    both = {"both": ["65000:1"]}
    site.change(lambda s: s.put("VpnService", "blue", id="blue", ipv4=both, ipv6=both, subnets=SUBNETS))
    site.change(lambda s: s.put("VpnService", "red", id="red", ipv4=both, subnets=SUBNETS))
    vms = [
        site.vm(pe, vpn, f"10.1.1.{number}", more_addresses=[f"2001:db8:1::{number}"])
        for pe, vpn, number in (
            (site.a, "blue", 11),
            (site.a, "blue", 12),
            (site.b, "blue", 13),
            (site.b, "red", 14),
        )
    ]
    for vm, number in zip(vms, (11, 12, 13, 14), strict=True):
        machine(vm).settings("ipv6/conf/eth0/disable_ipv6=0")
        machine(vm).address("eth0", f"2001:db8:1::{number}/128")
        machine(vm).ip("-6", "route", "replace", "2001:db8:1::/64", "dev", "eth0")
    first, _, third, other = vms
    site.wait(lambda: all(vm.pe.up(vm.port) for vm in vms), "all ports up")
    site.wait(lambda: first.pings("2001:db8:1::12"), "on one host")
    with Capture(site.core, "p0", "proto gre") as capture:
        site.wait(lambda: first.pings("2001:db8:1::13"), "from host to host")
        capture.wait_for("MPLS")
        labels = capture.labels()
    assert labels
    site.wait(lambda: third.pings("2001:db8:1::12"), "back from host to host")
    site.wait(lambda: first.pings("2001:db8:1::1"), "the gateway answers")
    site.wait(lambda: first.pings(other.address), "red shares the target of IPv4")
    assert not first.pings("2001:db8:1::14"), "and none of IPv6"
    assert site.a.reasons("Port", first.port) == {
        "Plugged": "Ready",
        "Programmed": "Ready",
        "Announced": "Ready",
    }
