"""The plugin with a real Keystone: who asks is who asks at Gluon, by the `openstack` command as users have it."""

import json
import os
import subprocess
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from gluon.hosted.ids import of_port
from gluon.testing.process import wait_until
from gluon.testing.product import GluonServer
from gluon.testing.servers import KeystoneServer, neutron
from gluon.testing.servers.keystone import User
from gluon.testing.servers.neutron import NeutronServer
from tests.live.neutron.conftest import V1, Databases

OPENSTACK = neutron.PYTHON.with_name("openstack")


class Cloud:
    """Keystone, Gluon and Neutron; a project with a member, and an admin who is Nova's service user too."""

    def __init__(
        self, keystone: KeystoneServer, gluon: GluonServer, front: NeutronServer, nova: User
    ) -> None:
        self.keystone = keystone
        self.gluon = gluon
        self.front = front
        self.project = keystone.project()
        self.member = keystone.new_user("member", project=self.project)
        self.nova = nova
        keystone.serve("network", front.url)

    def token(self, user: User) -> str:
        if user is self.member:
            return self.keystone.token(user, project_id=self.project)
        return self.keystone.token(user, project="service")

    def openstack(self, *words: str) -> Any:
        """As the member. Raises `CalledProcessError`."""
        who = {
            "OS_AUTH_URL": self.keystone.url,
            "OS_USERNAME": self.member.name,
            "OS_PASSWORD": self.member.password,
            "OS_PROJECT_ID": self.project,
            "OS_USER_DOMAIN_ID": "default",
            "OS_IDENTITY_API_VERSION": "3",
        }
        command = [str(OPENSTACK.absolute()), *words]
        path = {"PATH": os.environ["PATH"], "HOME": str(self.front.folder.path)}
        done = subprocess.run(command, env={**path, **who}, capture_output=True, check=False, timeout=600)
        assert done.returncode == 0, (words, done.stderr.decode(), self.front.words())
        text = done.stdout.decode()
        return json.loads(text) if "json" in words else text


@pytest.fixture(scope="module")
def cloud(
    keystone_server: KeystoneServer, databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Cloud]:
    keystone = keystone_server
    own = keystone.new_user("admin", "service", project=keystone.project("service"))
    settings = tmp_path_factory.mktemp("gluon") / "gluon.toml"
    settings.write_text(
        f'[identity]\nmethods = ["keystone"]\n[keystone]\nurl = "{keystone.url}"\n'
        f'user = "{own.name}"\npassword = "{own.password}"\n'
    )
    with GluonServer("up", "--config", str(settings)) as gluon:
        credentials = keystone.section(own)
        sections = {
            "gluon": {"url": gluon.url, **credentials},
            "keystone_authtoken": {"www_authenticate_uri": keystone.url, **credentials},
        }
        with NeutronServer(database=databases(), plugin="gluon", settings=sections) as front:
            yield Cloud(keystone, gluon, front, own)


def service(cloud: Cloud, name: str = "blue") -> str:
    """A service of the member's with a subnet, and the id of its network."""
    headers = {"x-auth-token": cloud.token(cloud.member)}

    def made(plural: str, body: dict[str, Any]) -> dict[str, Any]:
        status, answer = cloud.gluon.request(
            "POST", f"{V1}/{plural}", {"tenant_id": cloud.project, **body}, headers=headers
        )
        assert status == 201, answer
        found: dict[str, Any] = answer
        return found

    vpn = made("vpns", {"name": name})
    port = made(
        "ports",
        {
            "mac_address": "fa:16:3e:00:00:01",
            "admin_state_up": True,
            "status": "ACTIVE",
            "vnic_type": "normal",
            "mtu": 1500,
            "vlan_transparency": False,
        },
    )
    place = {"ipaddress": "10.1.1.5", "subnet_prefix": 24, "gateway": "10.1.1.1"}
    made("vpnbindings", {"interface_id": port["id"], "service_id": vpn["id"], **place})
    listed = cloud.gluon.request("GET", f"/v2.0/networks?name={name}", headers=headers)[1]["networks"]
    subnet = f"/v2.0/subnets/{listed[0]['subnets'][0]}"
    token = cloud.token(cloud.member)
    wait_until(lambda: cloud.front.request("GET", subnet, token=token)[0] == 200, "the subnet", limit=180)
    return str(listed[0]["id"])


def test_the_command_of_openstack_from_making_to_deleting(cloud: Cloud) -> None:
    network = service(cloud)
    nets = cloud.openstack("network", "list", "-f", "json")
    assert (network, "blue") in {(net["ID"], net["Name"]) for net in nets}
    assert cloud.openstack("subnet", "list", "-f", "json")[0]["Subnet"] == "10.1.1.0/24"
    fixed = ("--fixed-ip", "ip-address=10.1.1.20")
    made = cloud.openstack("port", "create", "--network", "blue", *fixed, "p1", "-f", "json")
    assert made["fixed_ips"][0]["ip_address"] == "10.1.1.20"
    cloud.openstack("port", "set", "--name", "p2", made["id"])
    bind = {"device_id": str(uuid.uuid4()), "device_owner": "compute:nova", "binding:host_id": "host1"}
    path = f"/v2.0/ports/{made['id']}"
    status, bound = cloud.front.request("PUT", path, {"port": bind}, token=cloud.token(cloud.nova))
    assert (status, bound["port"]["binding:vif_type"]) == (200, "ovs")
    shown = cloud.openstack("port", "show", "p2", "-f", "json")
    assert (shown["device_owner"], shown["status"]) == ("compute:nova", "ACTIVE")
    free = {"device_id": "", "device_owner": "", "binding:host_id": None}
    assert cloud.front.request("PUT", path, {"port": free}, token=cloud.token(cloud.nova))[0] == 200
    cloud.openstack("port", "delete", "p2")
    headers = {"x-auth-token": cloud.token(cloud.member)}
    assert cloud.gluon.request("GET", path, headers=headers)[0] == 404


def test_the_id_of_a_port_follows_from_the_project_that_neutron_names_and_the_key(cloud: Cloud) -> None:
    """The plugin deletes by it what nobody answered for."""
    word, token = uuid.uuid4().hex, cloud.token(cloud.member)
    body = {"port": {"network_id": service(cloud, "green"), "fixed_ips": []}}
    headers = {"x-auth-token": token, "idempotency-key": word}
    status, made = cloud.gluon.request("POST", "/v2.0/ports", body, headers=headers)
    assert (status, made["port"]["id"]) == (201, of_port(cloud.project, word))
    path = f"/v2.0/ports/{made['port']['id']}"
    assert cloud.gluon.request("DELETE", path, headers={"x-auth-token": token})[0] == 204


def test_a_stranger_sees_nothing_of_it(cloud: Cloud) -> None:
    network, own = service(cloud, "grey"), cloud.token(cloud.member)
    stranger = cloud.keystone.new_user("member", project=cloud.keystone.project("other"))
    token = cloud.keystone.token(stranger, project="other")
    seen = cloud.front.request("GET", "/v2.0/networks", token=own)[1]["networks"]
    assert network in {one["id"] for one in seen}
    wait_until(
        lambda: cloud.front.request("GET", "/v2.0/ports", token=own)[1]["ports"], "its port", limit=180
    )
    assert cloud.front.request("GET", "/v2.0/networks", token=token)[1] == {"networks": []}
    assert cloud.front.request("GET", "/v2.0/ports", token=token)[1] == {"ports": []}
