"""Two VPNs with the same addresses on two hosts: who reaches whom, and what is on the wire."""

from __future__ import annotations

import pytest

from gluon.testing.lab import Capture
from tests.packet.bgp_mpls.site import Site, Vm

pytestmark = pytest.mark.packet

BLUE, RED = "65000:1", "65000:2"


def build(site: Site) -> dict[str, list[Vm]]:
    """The any-to-any case of NetReady."""
    site.change(lambda s: s.vpn("blue", BLUE))
    site.change(lambda s: s.vpn("red", RED))
    return {
        "blue": [
            site.vm(site.a, "blue", "10.1.1.5"),
            site.vm(site.a, "blue", "10.3.7.9"),
            site.vm(site.b, "blue", "10.1.1.6"),
            site.vm(site.b, "blue", "10.3.7.10"),
        ],
        "red": [site.vm(site.a, "red", "10.1.1.5"), site.vm(site.b, "red", "10.1.1.6")],
    }


def test_everybody_reaches_his_own_vpn_and_nobody_else(site: Site) -> None:
    members = build(site)
    everybody = [vm for vms in members.values() for vm in vms]
    site.wait(lambda: all(vm.pe.up(vm.port) for vm in everybody), "all ports up")
    for vms in members.values():
        site.wait(lambda vms=vms: all(vms[0].pings(o.address) for o in vms[1:]), "first pings")  # type: ignore[misc]
    for vm in everybody:
        own = {other.address: other.name for other in members[vm.vpn] if other is not vm}
        others = {other.address for other in everybody} - {vm.address}
        site.wait(lambda vm=vm, own=own: all(vm.asks(a) == name for a, name in own.items()), "who answers")  # type: ignore[misc]
        site.wait(lambda vm=vm, own=own: all(vm.pings(a) for a in (*own, vm.gateway)), "pings")  # type: ignore[misc]
        for address in others - own.keys():
            assert (vm.asks(address), vm.pings(address)) == ("", False), (vm.name, address)
    blue = members["blue"][0]
    with Capture(site.core, "p0", "proto gre") as capture:
        site.wait(lambda: blue.pings("10.1.1.6"), "a ping")
        capture.wait_for("MPLS")
        labels = capture.labels()
    assert any(1000 <= label < 2000 for label in labels), "to A: a label of A's range"
    assert any(2000 <= label < 3000 for label in labels), "to B: a label of B's range"
