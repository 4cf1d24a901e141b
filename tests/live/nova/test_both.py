"""Neutron in front of Gluon: servers with a NIC of a Neutron network beside one of an L3VPN."""

import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from gluon.testing.process import wait_until
from gluon.testing.servers import neutron
from gluon.testing.servers.neutron import NeutronServer
from tests.live.nova.cloud import LIMIT, Cloud


class Both:
    """`plain`: a network of Neutron's own."""

    def __init__(self, cloud: Cloud, front: NeutronServer) -> None:
        self.cloud = cloud
        self.front = front
        name = f"plain-{uuid.uuid4().hex[:8]}"
        self.plain = self.says("POST", "networks", {"network": {"name": name}}, wanted=201)["network"]["id"]
        subnet = {"network_id": self.plain, "ip_version": 4, "cidr": "198.51.100.0/24"}
        self.says("POST", "subnets", {"subnet": subnet}, wanted=201)

    def says(
        self, method: str, path: str, body: Any = None, *, admin: bool = False, wanted: int = 200
    ) -> Any:
        token = self.cloud.admin if admin else self.cloud.member
        status, answer = self.front.request(method, f"/v2.0/{path}", body, token=token)
        assert status == wanted, (method, path, status, answer, self.front.words())
        return answer

    def port(self, key: str) -> dict[str, Any]:
        return dict(self.says("GET", f"ports/{key}", admin=True)["port"])

    def plain_port(self) -> str:
        body = {"port": {"network_id": self.plain}}
        return str(self.says("POST", "ports", body, wanted=201)["port"]["id"])

    def l3vpn_port(self) -> str:
        """Once Neutron has heard of it."""
        key = self.cloud.new_port()
        path = f"/v2.0/ports/{key}"
        wait_until(
            lambda: self.front.request("GET", path, token=self.cloud.member)[0] == 200,
            "a port of Gluon in Neutron",
            limit=LIMIT,
            every=0.1,
        )
        return key

    def settled(self) -> None:
        """All that Gluon has told so far is written in Neutron: a new port comes later than anything told before, its name after that."""
        key, name = self.l3vpn_port(), uuid.uuid4().hex
        self.cloud.gluon_says("PUT", f"/v2.0/ports/{key}", {"port": {"name": name}})
        self.cloud.until(lambda: bool(self.port(key)["name"] == name), "the new name in Neutron")

    def events(self, key: str) -> int:
        """How many events of a port Nova has taken, from whom ever."""
        return (
            self.cloud.nova.process("api").said(lines=1_000_000).count(f"network-changed:{key} for instance")
        )

    def bound(self, key: str, server: str, *, active: bool = True) -> None:
        """Waits until Neutron says so, which hears of Gluon's ports a moment later. `active`: somebody has told it that, too."""
        host = self.cloud.host(server)
        names = ("device_id", "binding:host_id", "binding:vif_type")

        def there() -> bool:
            shown = self.port(key)
            good = not active or shown["status"] == "ACTIVE"
            return good and [shown[name] for name in names] == [server, host, "ovs"]

        self.cloud.until(there, f"port {key} bound in Neutron", lambda: f"{self.port(key)}")
        assert self.cloud.plugged(key) == {host}


@pytest.fixture(scope="module")
def both(cloud: Cloud) -> Iterator[Both]:
    if reason := neutron.missing():
        pytest.skip(reason)
    own = cloud.keystone.new_user("admin", "service", project=cloud.keystone.project("service"))
    credentials = cloud.keystone.section(own)
    name = cloud.mariadb.create_database()
    database = cloud.mariadb.url(name).replace("mysql://", "mysql+pymysql://")
    neutron.make_tables(database)
    settings = {
        "DEFAULT": {
            "notify_nova_on_port_status_changes": "true",
            "notify_nova_on_port_data_changes": "true",
        },
        "nova": {**credentials, "region_name": "one"},
        "keystone_authtoken": {"www_authenticate_uri": cloud.keystone.url, **credentials},
        "gluon": {"url": cloud.gluon.url, **credentials},
    }
    with NeutronServer(database=database, plugin="gluon", settings=settings) as front:
        cloud.relay.turn(front.ports[0])
        yield Both(cloud, front)
        cloud.relay.turn(cloud.gluon.port)


def test_a_server_with_a_nic_of_each(both: Both) -> None:
    plain, vpn = both.plain_port(), both.l3vpn_port()
    server = both.cloud.boot([{"port": plain}, {"port": vpn}])
    assert both.cloud.interfaces(server) == {plain, vpn}
    both.bound(plain, server)
    both.cloud.carries(vpn, server)
    both.bound(vpn, server)
    addresses = {both.port(key)["fixed_ips"][0]["ip_address"] for key in (plain, vpn)}
    assert both.cloud.addresses(server) == addresses
    both.cloud.delete(server)
    both.cloud.free(vpn)
    both.settled()
    for key in (plain, vpn):
        shown = both.port(key)
        assert (shown["device_id"], shown["binding:host_id"]) == ("", "")


def test_both_move_with_their_server(both: Both) -> None:
    plain, vpn = both.plain_port(), both.l3vpn_port()
    server = both.cloud.boot([{"port": plain}, {"port": vpn}])
    before = both.cloud.host(server)
    both.cloud.act(server, "migrate", admin=True)
    both.cloud.wait(server, "VERIFY_RESIZE")
    both.cloud.act(server, "confirmResize", wanted=204)
    both.cloud.wait(server, "ACTIVE")
    assert both.cloud.host(server) != before
    both.cloud.carries(vpn, server)
    for key in (plain, vpn):
        both.bound(key, server)
    both.settled()
    both.bound(vpn, server)
    both.cloud.carries(vpn, server)
    both.cloud.delete(server)


def test_both_move_live_with_their_server(both: Both) -> None:
    """There is no agent of Neutron that would see its NIC on the target: the test tells Nova of that one."""
    cloud = both.cloud
    plain, vpn = both.plain_port(), both.l3vpn_port()
    server = cloud.boot([{"port": plain}, {"port": vpn}])
    before = cloud.host(server)
    cloud.act(server, "os-migrateLive", {"host": None, "block_migration": "auto"}, admin=True)
    cloud.until(lambda: bool(cloud.plugged(plain) - {before}), "the NIC on the target")
    cloud.tell("network-vif-plugged", server, plain)
    cloud.until(lambda: cloud.host(server) != before, "the server on the other host")
    cloud.wait(server, "ACTIVE")
    cloud.carries(vpn, server)
    both.bound(vpn, server)
    both.bound(plain, server, active=False)
    cloud.bound_once(vpn, server)
    both.settled()
    cloud.bound_once(vpn, server)
    both.bound(vpn, server)
    cloud.delete(server)
    cloud.free(vpn)


def test_neutron_networks_and_ports_of_gluon_by_name_of_the_network(both: Both) -> None:
    """Nova makes the ports: one is Neutron's, the other Gluon's."""
    network = both.port(both.l3vpn_port())["network_id"]
    server = both.cloud.boot([{"uuid": both.plain}, {"uuid": network, "fixed_ip": "10.1.0.210"}])
    made = both.cloud.interfaces(server)
    (vpn,) = [key for key in made if both.port(key)["network_id"] == network]
    both.cloud.carries(vpn, server)
    both.cloud.delete(server)
    both.cloud.gone(vpn)
    both.settled()
    for key in made:
        assert both.front.request("GET", f"/v2.0/ports/{key}", token=both.cloud.admin)[0] == 404


def test_a_host_that_refuses_leaves_a_server_to_the_next(both: Both) -> None:
    """Neutron must not tell Nova of the bind that failed: that would end the server on the next host."""
    cloud = both.cloud
    ballast, refuses = cloud.ballast()
    vpn = both.l3vpn_port()
    with cloud.refusing(refuses), cloud.held(vpn) as (server, plug):
        told = both.events(vpn)
        both.says("PUT", f"ports/{vpn}", {"port": {"name": "told"}})
        cloud.until(lambda: both.events(vpn) > told, "what Neutron has to tell Nova")
        plug()
    cloud.wait(server, "ACTIVE")
    assert cloud.host(server) == cloud.host(ballast)
    both.bound(vpn, server)
    assert f"Binding failed for port {vpn}" in cloud.nova.process(refuses).said(lines=10_000)
    for one in (server, ballast):
        cloud.delete(one)
    cloud.free(vpn)


def test_a_server_of_neutron_alone_boots_without_gluon(both: Both) -> None:
    both.cloud.gluon.daemon.pause()
    try:
        plain = both.plain_port()
        server = both.cloud.boot([{"port": plain}])
        both.bound(plain, server)
        both.cloud.delete(server)
    finally:
        both.cloud.gluon.daemon.resume()
