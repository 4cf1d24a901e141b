"""Daemons and shims that die: it converges, nothing is left over, what is right stays untouched."""

from __future__ import annotations

import pytest

from gluon.particles import l3vpn
from tests.packet.bgp_mpls.site import Site
from tests.packet.bgp_mpls.test_changes import FIXED, own, pair

pytestmark = pytest.mark.packet

FOREIGN = "table=5,priority=7,ip actions=drop"


def test_a_restarted_shim_changes_nothing(site: Site) -> None:
    left, right = pair(site)
    site.a.switch.ofctl("br-mpls", "add-flow", FOREIGN)
    flows, routes = site.a.flows(), own(site.a)
    label = site.a.switch.vsctl("br-get-external-id", "br-mpls")
    site.a.stop()
    site.wait(lambda: left.pings(right.address), "packets flow without a shim")
    site.a.start()
    site.wait(lambda: site.a.up(left.port), "up")
    assert site.a.stats.applies == 0
    assert (site.a.flows(), own(site.a)) == (flows, routes)
    assert site.a.switch.vsctl("br-get-external-id", "br-mpls") == label


def test_a_vpn_whose_number_is_beyond_a_new_range_of_labels_has_another(site: Site) -> None:
    left, right = pair(site)
    site.a.stop()
    site.a.labels = "1000-1009"
    site.a.start()
    shim = site.a.shim
    assert shim is not None
    site.wait(lambda: site.loop.do(lambda: site.a.stats.applies > 0 and shim.settled(0)), "all is said")
    assert site.a.reasons(l3vpn.PORT, left.port)["Programmed"] == "Ready"
    assert site.a.up(left.port)
    site.wait(lambda: right.pings(left.address), "reached under the new label")


def test_what_went_while_the_shim_was_away_is_removed(site: Site) -> None:
    left, right = pair(site)
    site.a.switch.ofctl("br-mpls", "add-flow", FOREIGN)
    site.a.stop()
    site.change(lambda s: s.unbind(left.port, "a"))
    site.a.start()
    site.wait(
        lambda: own(site.a) == [] and len(site.a.flows()) == FIXED + 1, "only fixed flows and the foreign one"
    )
    site.wait(lambda: not right.pings(left.address), "unreachable")


def test_drift_is_repaired(site: Site) -> None:
    left, right = pair(site)
    flows = site.a.flows()
    site.a.switch.ofctl("br-mpls", "mod-flows", "table=20,ip actions=drop")
    site.a.switch.ofctl("br-mpls", "del-flows", "table=30")
    assert not left.pings(right.address)
    site.a.look()
    site.wait(lambda: site.a.flows() == flows, "repaired")
    site.wait(lambda: left.pings(right.address), "reached again")


def test_vswitchd_killed_and_started(site: Site) -> None:
    left, right = pair(site)
    flows = site.a.flows()
    site.a.switch.kill9()
    assert not left.pings(right.address)
    site.a.switch.start()
    site.wait(lambda: site.a.flows() == flows, "programmed again")
    site.wait(lambda: left.pings(right.address), "reached again")
    assert own(site.a), "a short absence withdraws nothing"
    assert site.a.up(left.port)


def test_a_switch_that_stays_away_loses_its_routes(site: Site) -> None:
    left, right = pair(site)
    site.a.switch.kill9()
    site.wait(lambda: own(site.a) == [], "withdrawn")
    site.wait(lambda: not site.a.up(left.port), "not up")
    site.a.switch.start()
    site.wait(lambda: site.a.up(left.port), "up again")
    site.wait(lambda: right.pings(left.address), "reached again")


def test_the_whole_switch_restarts(site: Site) -> None:
    left, right = pair(site)
    flows = site.a.flows()
    site.a.switch.restart()
    site.wait(lambda: site.a.flows() == flows, "programmed again")
    site.wait(lambda: left.pings(right.address), "reached again")
    plug = left.plug
    site.a.hypervisor.unplug(plug)
    site.wait(lambda: not site.a.up(left.port), "the new database is followed")


def test_the_bridge_is_deleted(site: Site) -> None:
    left, right = pair(site)
    plug = left.plug
    site.a.switch.vsctl("del-br", "br-mpls")
    site.wait(lambda: not site.a.up(left.port), "down")
    site.a.hypervisor.unplug(plug)
    assert left.host is not None
    site.wait(lambda: "br-mpls" in site.a.switch.vsctl("list-br"), "made again")
    site.a.hypervisor.plug(left.host, plug)
    site.wait(lambda: right.pings(left.address), "reached again")


@pytest.mark.parametrize("how", ["kill9", "stop"])
def test_gobgpd_dies_and_returns(site: Site, how: str) -> None:
    left, right = pair(site)
    getattr(site.a.gobgpd, how)()
    site.wait(lambda: not site.a.up(left.port), "no speaker, not up")
    assert site.a.reasons(l3vpn.PORT, left.port)["Announced"] == "NoSpeaker"
    site.wait(lambda: not any("tun_dst" in flow for flow in site.a.flows()), "no remote routes")
    site.a.gobgpd.start()
    site.wait(lambda: site.a.up(left.port), "announced again")
    site.wait(lambda: left.pings(right.address), "reached again", limit=30)


def test_a_shim_starts_before_its_speaker(site: Site) -> None:
    left, right = pair(site)
    site.a.stop()
    site.a.gobgpd.kill9()
    site.a.start()
    site.wait(lambda: not site.a.up(left.port), "not up")
    site.a.gobgpd.start()
    site.wait(lambda: left.pings(right.address), "reached again", limit=30)


def test_a_reflector_that_is_gone_is_said_and_its_return_is_enough(site: Site) -> None:
    left, right = pair(site)
    site.reflector.kill9()
    site.wait(lambda: site.a.reasons(l3vpn.SERVICE, "blue")["BgpSessions"] == "NotEstablished", "said")
    assert site.a.up(left.port), "what is announced stays announced"
    site.reflector.start()
    site.wait(lambda: left.pings(right.address), "reached again", limit=40)
    site.wait(lambda: site.a.reasons(l3vpn.SERVICE, "blue")["BgpSessions"] == "Ready", "said")


def test_a_gobgpd_that_hangs_holds_up_nobody(site: Site) -> None:
    left, right = pair(site)
    site.a.gobgpd.pause()
    near = site.vm(site.a, "blue", "10.3.7.9")
    site.wait(lambda: left.asks(near.address) == near.name, "local delivery", limit=40)
    site.wait(lambda: site.a.reasons(l3vpn.PORT, left.port)["Announced"] == "NoSpeaker", "said")
    site.a.gobgpd.resume()
    site.wait(lambda: right.asks(near.address) == near.name, "reached from the other host", limit=40)


def test_a_switch_that_hangs(site: Site) -> None:
    left, right = pair(site)
    flows = site.a.flows()
    site.a.switch.pause()
    assert not right.pings(left.address)
    site.a.look()
    site.a.switch.resume()
    site.wait(lambda: right.pings(left.address), "reached again")
    assert site.a.flows() == flows
