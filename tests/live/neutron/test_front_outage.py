"""Two Gluon processes in front of Neutron: ports of both work while etcd is killed, and while one of the two is."""

import uuid
from collections.abc import Iterator

import pytest

from gluon.testing.process import wait_until
from gluon.testing.product import GluonServer
from gluon.testing.servers import EtcdServer, PostgresServer
from gluon.testing.servers.neutron import NeutronServer
from tests.live.neutron.conftest import BIND, FREE, Site
from tests.live.neutron.front import Through, settings

Pair = tuple[Site, Site]


@pytest.fixture(scope="module")
def pair(
    alone: NeutronServer,
    postgres_server: PostgresServer,
    etcd_server: EtcdServer,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Pair]:
    """Two servers on one database."""
    file = settings(tmp_path_factory.mktemp("gluon"), alone)
    database = postgres_server.url(postgres_server.create_database())
    words = ("--config", str(file), "--database", database, "--etcd", etcd_server.url)
    with GluonServer("server", *words) as one, GluonServer("server", *words) as two:
        yield Site(Through(one, alone), one), Site(Through(two, alone), two)


def life_of_a_port(site: Site) -> None:
    """Of Neutron's own."""
    name = uuid.uuid4().hex
    own = site.neutron("POST", "networks", {"network": {"name": name}}, wanted=201)["network"]["id"]
    port = site.neutron("POST", "ports", {"port": {"network_id": own, "name": name}}, wanted=201)["port"][
        "id"
    ]
    assert site.neutron("PUT", f"ports/{port}", {"port": BIND})["port"]["binding:vif_type"] == "ovs"
    assert site.seen(port)["binding:host_id"] == "host1"
    assert [p["id"] for p in site.neutron("GET", f"ports?name={name}")["ports"]] == [port]
    assert site.neutron("PUT", f"ports/{port}", {"port": FREE})["port"]["binding:vif_type"] == "unbound"
    site.neutron("DELETE", f"ports/{port}", wanted=204)
    site.neutron("DELETE", f"networks/{own}", wanted=204)


def test_while_etcd_is_killed(pair: Pair, etcd_server: EtcdServer) -> None:
    site, other = pair
    port = site.port(name="ours")
    etcd_server.kill9()
    try:
        for one in (site, other):
            life_of_a_port(one)
            assert one.seen(port)["name"] == "ours"
            assert port in {found["id"] for found in one.neutron("GET", "ports")["ports"]}
    finally:
        etcd_server.start()
    wait_until(lambda: site.gluon.request("GET", "/readyz")[0] == 200, "etcd is back", limit=120)
    life_of_a_port(site)


def test_while_one_of_the_two_is_killed(pair: Pair) -> None:
    site, other = pair
    port = site.port(name="ours")
    site.gluon.daemon.kill9()
    try:
        life_of_a_port(other)
        assert other.seen(port)["name"] == "ours"
        with pytest.raises(OSError):
            site.front.request("GET", "/v2.0/networks")
    finally:
        site.gluon.start()
    life_of_a_port(site)


def test_while_neutron_is_away(pair: Pair, alone: NeutronServer) -> None:
    site, _ = pair
    port = site.port(name="ours")
    alone.stop()
    try:
        assert site.seen(port)["name"] == "ours"
        site.neutron("PUT", f"ports/{port}", {"port": {"name": "other"}})
        for path in ("ports", "networks", "routers", f"ports/{uuid.uuid4()}"):
            assert site.neutron("GET", path, wanted=503)["NeutronError"]["type"] == "ServiceUnavailable"
    finally:
        alone.start()
    wait_until(lambda: alone.request("GET", "/v2.0/networks")[0] == 200, "Neutron is back", limit=120)
    life_of_a_port(site)
