"""The fake network answers who reaches whom as L3VPNs of RFC 4364 would."""

from __future__ import annotations

import pytest

from gluon.backends.fake.actual import FakeNetwork
from gluon.backends.fake.backend import FakeBackend
from gluon.errors import GiveUp, TryLater
from gluon.objects import status
from gluon.particles import l3vpn
from gluon.shim import world as worlds
from gluon.spi import backend as spi

API = l3vpn.API


class Site:
    """A world, and a fake backend on each of two hosts; `program` writes all that is desired."""

    def __init__(self, **options: object) -> None:
        self.world = worlds.MemoryWorld()
        self.network = FakeNetwork()
        self.backends = {
            host: FakeBackend(
                spi.Setting(controller="fake", host=host, options={"network": self.network, **options})
            )
            for host in ("a", "b")
        }

    def put(self, object_type: str, key: str, **body: object) -> None:
        self.world.put(worlds.stored(API, object_type, key, {"revision": 1, **body}))

    def vpn(self, key: str, targets: str = "") -> None:
        self.put("VpnService", key, name=key, ipv4_family=targets)

    def target(self, value: str, kind: str) -> None:
        self.put("VpnAfConfig", value, vrf_rt_value=value, vrf_rt_type=kind)

    def port(self, key: str, host: str, vpn: str, address: str, **body: object) -> None:
        self.put("Port", key, mac_address="fa:16:3e:00:00:01", admin_state_up=True, **body)
        self.put("Interface", key, port_id=key)
        self.put("VpnBinding", key, service_id=vpn, ipaddress=address)
        self.world.put_binding(API, key, host, status.WantedBinding(epoch=1, revision=1))

    async def program(self) -> None:
        for backend in self.backends.values():
            for scope in backend.all_scopes(self.world):
                await backend.apply(spi.Delta(make=backend.desired(self.world, scope)))

    def matrix(self, *ports: str) -> set[str]:
        """Who gets an answer from whom, as `ab`."""
        pairs = [(x, y) for x in ports for y in ports if x != y]
        return {x + y for x, y in pairs if self.network.pings(x, y)}


@pytest.fixture
def site() -> Site:
    return Site()


async def test_two_vpns_with_the_same_addresses_stay_apart(site: Site) -> None:
    site.vpn("blue", "65000:1")
    site.vpn("red", "65000:2")
    site.port("p", "a", "blue", "10.1.1.5")
    site.port("q", "b", "blue", "10.1.1.6")
    site.port("r", "a", "red", "10.1.1.5")
    site.port("s", "b", "red", "10.1.1.6")
    await site.program()
    assert site.matrix("p", "q", "r", "s") == {"pq", "qp", "rs", "sr"}


async def test_without_targets_a_vpn_ends_at_its_host(site: Site) -> None:
    site.vpn("blue")
    site.port("p", "a", "blue", "10.1.1.5")
    site.port("q", "a", "blue", "10.1.1.6")
    site.port("r", "b", "blue", "10.1.1.7")
    await site.program()
    assert site.matrix("p", "q", "r") == {"pq", "qp"}
    assert "no route" in site.network.reaches("p", "r").why


@pytest.mark.parametrize("kind", ["import_extcommunity", "export_extcommunity"])
async def test_a_target_that_goes_one_way_joins_nobody(site: Site, kind: str) -> None:
    site.target("65000:1", kind)
    site.vpn("blue", "65000:1")
    site.port("p", "a", "blue", "10.1.1.1")
    site.port("q", "b", "blue", "10.1.1.2")
    await site.program()
    assert site.matrix("p", "q") == set()


async def test_vpns_with_a_common_target_reach_each_other(site: Site) -> None:
    site.vpn("blue", "65000:1,65000:9")
    site.vpn("red", "65000:2,65000:9")
    site.vpn("green", "65000:3")
    site.port("p", "a", "blue", "10.1.1.1")
    site.port("q", "a", "red", "10.1.1.2")
    site.port("r", "b", "red", "10.1.1.3")
    site.port("s", "a", "green", "10.1.1.4")
    await site.program()
    assert site.matrix("p", "q", "r", "s") == {"pq", "qp", "pr", "rp", "qr", "rq"}


async def test_one_address_on_two_ports_is_shared_or_local(site: Site) -> None:
    site.vpn("blue", "65000:1")
    site.port("p", "a", "blue", "10.1.1.1")
    site.port("x", "b", "blue", "10.9.9.9")
    site.port("y", "b", "blue", "10.9.9.9")
    await site.program()
    assert site.network.reaches("p", "x")
    assert site.network.reaches("p", "y")
    site.port("z", "a", "blue", "10.9.9.9")
    await site.program()
    assert site.network.reaches("p", "z")
    assert "leads to port z" in site.network.reaches("p", "x").why


async def test_what_is_not_bound_or_plugged_or_up_is_not_reached(site: Site) -> None:
    site.vpn("blue", "65000:1")
    site.port("p", "a", "blue", "10.1.1.1")
    site.port("q", "b", "blue", "10.1.1.2")
    await site.program()
    assert site.network.pings("p", "q")
    site.network.unplug("q")
    assert "not plugged" in site.network.reaches("p", "q").why
    site.network.plug("q")
    assert site.network.pings("p", "q")
    assert "not bound" in site.network.reaches("p", "nobody").why


async def test_a_port_that_is_down_has_no_address(site: Site) -> None:
    site.vpn("blue", "65000:1")
    site.port("p", "a", "blue", "10.1.1.1")
    site.port("q", "b", "blue", "10.1.1.2")
    site.put("Port", "q", mac_address="fa:16:3e:00:00:01", admin_state_up=False)
    await site.program()
    assert "no address" in site.network.reaches("p", "q").why


def bound(site: Site, host: str) -> spi.PortBinding:
    site.port("p", host, "blue", "10.1.1.1")
    found = site.world.binding(spi.Ref(API, "Port", "p"), host)
    assert found
    return found


def test_a_refused_host_is_refused() -> None:
    site = Site(refuse=["b"])
    assert site.backends["a"].bind(site.world, bound(site, "a")).vif_type == "ovs"
    with pytest.raises(GiveUp, match="refused"):
        site.backends["b"].bind(site.world, bound(site, "b"))


def test_a_delayed_answer_says_how_long() -> None:
    site = Site(delay=100)
    with pytest.raises(TryLater) as raised:
        site.backends["a"].bind(site.world, bound(site, "a"))
    assert 99 < raised.value.after <= 100


def test_an_unknown_option_is_an_error() -> None:
    with pytest.raises(ValueError, match="plugs"):
        Site(plugs="auto")
