"""What users and hypervisors change while packets flow: targets, plugs, whole VPNs."""

from __future__ import annotations

import asyncio

import pytest

from gluon.backends.bgp_mpls import flows
from gluon.backends.bgp_mpls.routes import VpnRoute
from gluon.backends.bgp_mpls.speaker import RouteTable, Speaker
from gluon.particles import l3vpn
from tests.packet.bgp_mpls.site import Pe, Site, Vm

pytestmark = pytest.mark.packet

ONE, TWO = "65000:1", "65000:2"
FIXED = len(list(flows.fixed(1)))


def table(pe: Pe) -> RouteTable:
    async def ask() -> RouteTable:
        async with Speaker(pe.gobgpd.target) as speaker:
            return await speaker.routes()

    return asyncio.run(ask())


def own(pe: Pe) -> list[VpnRoute]:
    return list(table(pe).own.values())


def pair(site: Site) -> tuple[Vm, Vm]:
    """One VPN, a VM on each host."""
    site.change(lambda s: s.vpn("blue", ONE))
    left, right = site.vm(site.a, "blue", "10.1.1.5"), site.vm(site.b, "blue", "10.1.1.6")
    site.wait(lambda: left.pings(right.address), "first ping")
    return left, right


def test_targets_change_while_packets_flow(site: Site) -> None:
    site.change(lambda s: s.vpn("hub", f"{ONE},{TWO}"))
    site.change(lambda s: s.vpn("spoke", TWO))
    hub, spoke = site.vm(site.a, "hub", "10.1.1.5"), site.vm(site.b, "spoke", "10.1.1.6")
    site.wait(lambda: hub.pings(spoke.address), "the common target joins two VPNs")
    # The hub no longer exports to the spoke: no way back, then no way there either.
    site.target(TWO, "import_extcommunity")
    site.wait(lambda: not hub.pings(spoke.address), "import only")
    assert [str(t) for r in own(site.a) for t in r.route_targets] == [ONE]
    assert own(site.b) == [], "a VPN that exports nothing announces nothing"
    site.target(TWO, "both")
    site.wait(lambda: hub.pings(spoke.address), "both again")
    site.change(lambda s: s.vpn("spoke", "65000:3"))
    site.wait(lambda: not hub.pings(spoke.address), "another target")
    site.change(lambda s: s.vpn("spoke", ""))
    site.wait(lambda: own(site.b) == [], "no target, no route")
    wanted = {"Ready": "Ready", "RemoteRoutes": "NoRouteTarget", "BgpSessions": "Ready"}
    site.wait(lambda: site.b.reasons(l3vpn.SERVICE, "spoke") == wanted, "its condition says so")


def test_an_export_without_import_gives_one_direction(site: Site) -> None:
    """Requests arrive, replies find no way."""
    site.target(TWO, "export_extcommunity")
    site.change(lambda s: s.vpn("giver", TWO))
    giver = site.vm(site.b, "giver", "10.1.1.6")
    site.change(lambda s: s.vpn("taker", "65000:2 , 65000:9"))
    site.target("65000:9", "import_extcommunity")
    taker = site.vm(site.a, "taker", "10.1.1.5")
    site.wait(lambda: giver.pe.up(giver.port) and taker.pe.up(taker.port), "both up")
    assert not any("10.1.1.5" in flow and "tun_dst" in flow for flow in site.b.flows())
    assert not giver.pings(taker.address)


def test_unplug_and_plug_again(site: Site) -> None:
    left, right = pair(site)
    before = site.b.flows()
    plug = right.plug
    site.b.hypervisor.unplug(plug)
    site.wait(lambda: not site.b.up(right.port), "down")
    site.wait(lambda: own(site.b) == [], "withdrawn")
    site.wait(lambda: not any(right.address in flow for flow in site.b.flows()), "flows removed")
    site.wait(
        lambda: not any(right.address in flow for flow in site.a.flows()), "forgotten by the other host"
    )
    assert right.host is not None
    site.b.hypervisor.plug(right.host, plug)
    site.wait(lambda: site.b.up(right.port), "up again")
    site.wait(lambda: left.pings(right.address), "reached again")
    assert len(site.b.flows()) == len(before)


def test_the_last_port_of_a_vpn_takes_everything_with_it(site: Site) -> None:
    left, right = pair(site)
    site.change(lambda s: s.unbind(left.port, "a"))
    site.wait(lambda: own(site.a) == [], "withdrawn")
    site.wait(lambda: len(site.a.flows()) == FIXED, "only the fixed flows are left")
    site.wait(lambda: "gluon-vrf" not in site.a.switch.vsctl("br-get-external-id", "br-mpls"), "label freed")
    assert not right.pings(left.address)


def test_the_same_host_and_two_vpns(site: Site) -> None:
    """Local delivery inside a VPN and, by targets, between two."""
    site.change(lambda s: s.vpn("blue", ONE))
    site.change(lambda s: s.vpn("red", TWO))
    one, two = site.vm(site.a, "blue", "10.1.1.5"), site.vm(site.a, "blue", "10.3.7.9")
    red = site.vm(site.a, "red", "10.1.1.7")
    site.wait(lambda: one.asks(two.address) == two.name, "inside a VPN")
    assert not one.pings(red.address)
    site.change(lambda s: s.vpn("red", f"{ONE},{TWO}"))
    site.wait(lambda: one.asks(red.address) == red.name, "between VPNs")


def test_long_packets_pass(site: Site) -> None:
    left, right = pair(site)
    assert left.host is not None
    left.host.run("ping", "-c", "1", "-W", "20", "-M", "do", "-s", "1372", right.address)


def test_a_source_that_is_not_its_own_is_dropped(site: Site) -> None:
    left, right = pair(site)
    assert left.host is not None
    left.host.address("eth0", "10.1.1.77/24")
    site.wait(lambda: left.pings(right.address), "its own is not")
    assert "100% packet loss" in left.host.run(
        "sh", "-c", f"ping -c 2 -i 0.2 -W 1 -I 10.1.1.77 {right.address} || true"
    )
