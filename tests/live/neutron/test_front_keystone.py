"""Gluon in front of Neutron in a cloud with Keystone: the `openstack` command, and a change of the catalog there and back."""

import uuid
from collections.abc import Iterator

import pytest

from gluon.testing.product import GluonServer
from gluon.testing.servers import KeystoneServer
from gluon.testing.servers.neutron import NeutronServer
from tests.live.neutron.conftest import Databases
from tests.live.neutron.front import Through, settings
from tests.live.neutron.test_keystone import Cloud, service


@pytest.fixture(scope="module")
def cloud(
    keystone_server: KeystoneServer, databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Cloud]:
    """Its catalog has Gluon for the network."""
    keystone = keystone_server
    own = keystone.new_user("admin", "service", project=keystone.project("service"))
    credentials = {
        "auth_type": "password",
        "auth_url": keystone.url,
        "username": own.name,
        "password": own.password,
        "project_name": "service",
        "user_domain_id": "default",
        "project_domain_id": "default",
    }
    sections = {"keystone_authtoken": {"www_authenticate_uri": keystone.url, **credentials}}
    with NeutronServer(database=databases(), settings=sections) as behind:
        identity = (
            f'[identity]\nmethods = ["keystone"]\n[keystone]\nurl = "{keystone.url}"\n'
            f'user = "{own.name}"\npassword = "{own.password}"\n'
        )
        file = settings(tmp_path_factory.mktemp("gluon"), behind, identity)
        with GluonServer("up", "--config", str(file)) as gluon:
            yield Cloud(keystone, gluon, Through(gluon, behind), own)


@pytest.fixture(scope="module")
def network(cloud: Cloud) -> str:
    """A service, `blue`."""
    return service(cloud)


def test_the_command_of_openstack_with_ports_of_both(cloud: Cloud, network: str) -> None:
    own = cloud.openstack("network", "create", "own", "-f", "json")["id"]
    place = ("--network", "own", "--subnet-range", "10.5.0.0/24")
    subnet = cloud.openstack("subnet", "create", *place, "under", "-f", "json")
    nets = cloud.openstack("network", "list", "-f", "json")
    assert {(net["ID"], net["Name"]) for net in nets} == {(network, "blue"), (own, "own")}
    subnets = cloud.openstack("subnet", "list", "-f", "json")
    assert {one["Subnet"] for one in subnets} == {"10.1.1.0/24", "10.5.0.0/24"}
    for name, fixed in (("blue", "10.1.1.20"), ("own", "10.5.0.20")):
        words = ("--network", name, "--fixed-ip", f"ip-address={fixed}", f"port-{name}")
        made = cloud.openstack("port", "create", *words, "-f", "json")
        assert made["fixed_ips"][0]["ip_address"] == fixed
        cloud.openstack("port", "set", "--name", f"new-{name}", made["id"])
        shown = cloud.openstack("port", "show", f"new-{name}", "-f", "json")
        assert shown["id"] == made["id"]
        bind = {"device_id": str(uuid.uuid4()), "device_owner": "compute:nova", "binding:host_id": "host1"}
        path, token = f"/v2.0/ports/{made['id']}", cloud.token(cloud.nova)
        status, bound = cloud.front.request("PUT", path, {"port": bind}, token=token)
        assert (status, bound["port"]["binding:vif_type"]) == (200, "ovs")
        free = {"device_id": "", "device_owner": "", "binding:host_id": None}
        assert cloud.front.request("PUT", path, {"port": free}, token=token)[0] == 200
    ports = {port["Name"] for port in cloud.openstack("port", "list", "-f", "json")}
    assert {"new-blue", "new-own"} <= ports
    for name in ("blue", "own"):
        cloud.openstack("port", "delete", f"new-{name}")
    cloud.openstack("subnet", "delete", subnet["id"])
    cloud.openstack("network", "delete", own)
    assert [net["ID"] for net in cloud.openstack("network", "list", "-f", "json")] == [network]


def test_the_way_back_is_a_change_of_the_catalog(cloud: Cloud, network: str) -> None:
    front = cloud.front
    assert isinstance(front, Through)
    cloud.keystone.serve("network", front.behind.url)
    try:
        assert cloud.openstack("network", "list", "-f", "json") == []
    finally:
        cloud.keystone.serve("network", front.url)
    assert [net["ID"] for net in cloud.openstack("network", "list", "-f", "json")] == [network]


def test_who_is_nobody_is_told_so_by_neutron(cloud: Cloud) -> None:
    front = cloud.front
    assert isinstance(front, Through)
    for path in ("/v2.0/ports", "/v2.0/networks?name=x", "/v2.0/routers", f"/v2.0/ports/{uuid.uuid4()}"):
        for token in ("", "no-token"):
            assert front.request("GET", path, token=token) == front.behind.request("GET", path, token=token)
