"""The fake network with VPNs of version 2.0, and with layer 2 networks."""

from __future__ import annotations

from typing import Any

import pytest

from gluon.backends.fake.actual import FakeNetwork
from gluon.backends.fake.backend import FakeBackend
from gluon.objects import status
from gluon.particles import l2, l3vpn
from gluon.shim import world as worlds
from gluon.spi import backend as spi


class Site:
    """A world of 2.0, and a fake backend on each of two hosts."""

    def __init__(self, **options: object) -> None:
        self.world = worlds.MemoryWorld()
        self.world.name_version(l3vpn.API, "2.0")
        self.world.name_version(l2.API, "2.0")
        self.network = FakeNetwork()
        self.backends = {
            host: FakeBackend(
                spi.Setting(controller="fake", host=host, options={"network": self.network, **options})
            )
            for host in ("a", "b")
        }

    def put(self, object_type: str, key: str, api: str = l3vpn.API, **body: object) -> None:
        self.world.put(worlds.stored(api, object_type, key, {"revision": 1, **body}))

    def port(self, key: str, host: str, *, api: str = l3vpn.API, **body: object) -> None:
        mac = f"fa:16:3e:00:00:{ord(key[0]):02x}"
        self.world.put(worlds.stored(api, "Port", key, {"revision": 1, "mac_address": mac, **body}))
        self.world.put_binding(api, key, host, status.WantedBinding(epoch=1, revision=1))

    def member(self, key: str, host: str, address: str | None, vpn: str = "blue", **body: object) -> None:
        self.port(key, host)
        self.put("Interface", key, port_id=key, segmentation_type="none", segmentation_id=0)
        given = {"interface_id": key, "service_id": vpn, "ip_address": address, **body}
        self.world.put(worlds.stored(l3vpn.API, "VpnBinding", f"b{key}", {"revision": 1, **given}))

    def station(self, interface: str, port: str, network: str, tag: int = 0, **body: object) -> None:
        kind = "vlan" if tag else "none"
        self.put("Interface", interface, l2.API, port_id=port, segmentation_type=kind, segmentation_id=tag)
        given = {"interface_id": interface, "service_id": network, **body}
        self.world.put(
            worlds.stored(l2.API, "Attachment", f"{interface}-{network}", {"revision": 1, **given})
        )

    async def program(self) -> None:
        for backend in self.backends.values():
            backend.plane.facts.clear()
            for scope in backend.all_scopes(self.world):
                await backend.apply(spi.Delta(make=backend.desired(self.world, scope)))

    def matrix(self, *ports: str) -> set[str]:
        pairs = [(x, y) for x in ports for y in ports if x != y]
        return {x + y for x, y in pairs if self.network.pings(x, y)}

    def reasons(self, host: str, port: str, api: str = l3vpn.API) -> dict[str, str]:
        found = self.backends[host].status(self.world, spi.Ref(api, "Port", port))
        assert found
        return {c.type: c.reason for c in found.conditions}


@pytest.fixture
def site() -> Site:
    made = Site()
    made.put("VpnService", "blue", ipv4={"both": ["65000:1"]}, ipv6={"both": ["65000:6"]})
    return made


async def test_spokes_reach_hubs_and_not_one_another(site: Site) -> None:
    """On one host or two. What a hub forwards between spokes is the hub's affair, not the fabric's."""
    site.put("VpnService", "star", hub_target="65000:10", spoke_target="65000:20")
    site.member("h", "a", "10.1.0.1", "star", role="hub")
    site.member("i", "b", "10.1.0.2", "star", role="hub")
    site.member("s", "a", "10.1.0.3", "star", role="spoke")
    site.member("t", "a", "10.1.0.4", "star", role="spoke")
    site.member("u", "b", "10.1.0.5", "star", role="spoke")
    await site.program()
    spokes = {x + y for x, y in [("s", "t"), ("s", "u"), ("t", "u")]}
    spokes |= {pair[::-1] for pair in spokes}
    everybody = {x + y for x in "histu" for y in "histu" if x != y}
    assert site.matrix(*"histu") == everybody - spokes
    assert "no route" in site.network.reaches("s", "t").why


async def test_a_hub_that_announces_a_default_route_hears_what_spokes_send_each_other(site: Site) -> None:
    site.put("VpnService", "star", hub_target="65000:10", spoke_target="65000:20")
    site.member("h", "a", "10.1.0.1", "star", role="hub", static_routes=[{"prefix": "0.0.0.0/0"}])
    site.member("s", "a", "10.1.0.3", "star", role="spoke")
    site.member("t", "b", "10.1.0.4", "star", role="spoke")
    await site.program()
    assert "leads to port h" in site.network.reaches("s", "t").why
    assert "leads to port h" in site.network.reaches_address("s", "203.0.113.9").why


async def test_members_and_hubs_of_a_vpn_meet_only_by_their_targets(site: Site) -> None:
    site.put(
        "VpnService",
        "star",
        hub_target="65000:10",
        spoke_target="65000:20",
        ipv4={"imported": ["65000:10"]},
    )
    site.member("h", "a", "10.1.0.1", "star", role="hub")
    site.member("m", "a", "10.1.0.3", "star")
    await site.program()
    assert site.network.reaches("m", "h")
    assert not site.network.reaches("h", "m")


async def test_an_anycast_address_is_reached_at_the_nearest(site: Site) -> None:
    site.member("p", "a", "10.1.0.1", anycast_addresses=["198.51.100.1"])
    site.member("q", "b", "10.1.0.2", anycast_addresses=["198.51.100.1"])
    site.member("x", "b", "10.1.0.3")
    site.member("y", "a", "10.1.0.4")
    await site.program()
    assert "leads to port q in" in site.network.reaches_address("x", "198.51.100.1").why
    assert "leads to port p in" in site.network.reaches_address("y", "198.51.100.1").why
    site.network.unplug("q")
    assert "leads to port p in" in site.network.reaches_address("x", "198.51.100.1").why
    site.network.unplug("p")
    assert not site.network.reaches_address("x", "198.51.100.1")


async def test_a_prefix_behind_a_machine_and_the_longest_wins(site: Site) -> None:
    site.member("p", "a", "10.1.0.1", static_routes=[{"prefix": "172.16.0.0/12"}])
    site.member(
        "q", "b", "10.1.0.2", static_routes=[{"prefix": "172.16.9.0/24"}], more_addresses=["10.1.0.9"]
    )
    site.member("x", "b", None)
    site.member("y", "b", "10.1.0.4")
    await site.program()
    assert "port p in" in site.network.reaches_address("y", "172.16.1.1").why
    assert "port q in" in site.network.reaches_address("y", "172.16.9.1").why
    assert "port q in" in site.network.reaches_address("y", "10.1.0.9").why
    assert not site.network.reaches_address("y", "192.0.2.1")
    assert "no address" in site.network.reaches("x", "y").why


async def test_families_are_apart(site: Site) -> None:
    site.put("VpnService", "green", ipv4={"both": ["65000:1"]})
    site.member("p", "a", "2001:db8::1")
    site.member("q", "b", "2001:db8::2", more_addresses=["10.1.0.2"])
    site.member("r", "b", "10.1.0.3", "green")
    site.member("s", "b", "2001:db8::3", "green")
    await site.program()
    assert site.matrix("p", "q", "r", "s") == {"pq", "qp", "qr", "rq"}


async def test_a_route_that_is_missing_is_said(site: Site) -> None:
    site.member("p", "a", "10.1.0.1", more_addresses=["10.1.0.2"])
    await site.program()
    assert site.reasons("a", "p") == {"Programmed": "Programmed", "Ready": "Up"}
    del site.backends["a"].plane.facts["route/blue/p/10.1.0.2@a"]
    assert site.reasons("a", "p")["Programmed"] == "Pending"


# Layer 2.


async def test_a_network_is_reached_by_mac_with_tags_or_without(site: Site) -> None:
    for network in ("one", "two"):
        site.put("Network", network, l2.API, vni=10000)
    for port, host in zip("pqrs", "abab", strict=True):
        site.port(port, host, api=l2.API)
    site.station("p", "p", "one")
    site.station("p5", "p", "two", tag=5)
    site.station("q7", "q", "one", tag=7)
    site.station("r", "r", "two", ip_address="192.0.2.1")
    site.station("s", "s", "one", ip_address="192.0.2.1")
    await site.program()
    assert site.matrix("p", "q", "r", "s") == {"pq", "qp", "pr", "rp", "ps", "sp", "qs", "sq"}
    assert "tag 7" in site.network.reaches("p", "q").why
    assert "no network in common" in site.network.reaches("q", "r").why
    assert site.reasons("a", "p", l2.API) == {"Programmed": "Programmed", "Ready": "Up"}
    found = site.backends["a"].status(site.world, spi.Ref(l2.API, "Network", "one"))
    assert found and found.up


async def test_a_port_says_who_is_in_its_network() -> None:
    site = Site(explain=True)
    site.put("Network", "one", l2.API)
    for port, host in zip("pqr", "abb", strict=True):
        site.port(port, host, api=l2.API)
    site.station("p", "p", "one")
    site.station("q", "q", "one", tag=9)
    await site.program()
    found = site.backends["a"].status(site.world, spi.Ref(l2.API, "Port", "p"))
    assert found
    told = next(c.message for c in found.conditions if c.type == "Reaches")
    assert told == "fa:16:3e:00:00:70 p, fa:16:3e:00:00:71 q"


def test_a_station_has_all_addresses_that_it_may_use(site: Site) -> None:
    site.put("Network", "one", l2.API)
    site.port("p", "a", api=l2.API)
    more: dict[str, Any] = {"more_addresses": ["192.0.2.6", "2001:DB8::6"], "shared_addresses": ["192.0.2.9"]}
    site.station("p", "p", "one", ip_address="192.0.2.5", **more)
    network = l2.network(site.world, "one")
    assert network
    assert network.attachments[0].addresses == ("192.0.2.5", "192.0.2.6", "2001:db8::6", "192.0.2.9")


async def test_one_tag_of_a_port_has_one_network(site: Site) -> None:
    for network in ("one", "two"):
        site.put("Network", network, l2.API)
    for port, host in zip("pq", "ab", strict=True):
        site.port(port, host, api=l2.API)
    site.station("p", "p", "two")
    site.station("a-second", "p", "one")
    site.station("q", "q", "one")
    await site.program()
    assert site.matrix("p", "q") == set(), "the default interface has the untagged frames"
    assert site.reasons("a", "p", l2.API)["Programmed"] == "InvalidValue"


@pytest.mark.parametrize("body", [{"mac_address": "none"}, {"admin_state_up": False}])
async def test_a_port_that_is_down_or_has_no_mac_is_no_station(site: Site, body: dict[str, object]) -> None:
    site.put("Network", "one", l2.API)
    site.port("p", "a", api=l2.API)
    site.station("p", "p", "one")
    site.port("q", "b", api=l2.API, **body)
    site.station("q", "q", "one")
    await site.program()
    assert not site.network.reaches("p", "q")


def test_scopes_of_the_protons_are_apart(site: Site) -> None:
    site.put("Network", "one", l2.API)
    site.member("p", "a", "10.1.0.1")
    site.port("p", "a", api=l2.API)
    site.station("p", "p", "one")
    backend = site.backends["a"]
    assert set(backend.all_scopes(site.world)) == {"port/p", "vpn/blue", "l2port/p", "network/one"}
    assert backend.scopes(site.world, spi.Ref(l2.API, "Attachment", "p-one")) == {"network/one"}
    assert backend.scopes(site.world, spi.Ref(l3vpn.API, "VpnBinding", "bp")) == {"vpn/blue"}
    assert spi.Ref(l2.API, "Port", "p") in backend.members(site.world, "network/one")
    assert backend.members(site.world, "l2port/p") == {spi.Ref(l2.API, "Port", "p")}
