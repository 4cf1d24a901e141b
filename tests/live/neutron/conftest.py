"""A Neutron alone, and one with Gluon behind it, for the tests of this folder. `./dev test --live neutron` runs them, nothing else does."""

import random
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from gluon.testing.process import NotReady, wait_until
from gluon.testing.product import GluonServer
from gluon.testing.servers import EtcdServer, MariadbServer, neutron
from gluon.testing.servers.neutron import NeutronServer

BIND = {"device_id": str(uuid.uuid4()), "device_owner": "compute:nova", "binding:host_id": "host1"}
FREE = {"device_id": "", "device_owner": "", "binding:host_id": None}
SERVICE = {"x-roles": "admin,service"}
"""Without Keystone Neutron believes what is said, and only services make bindings."""
V1 = "/proton/net-l3vpn/v1.0"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What is long is left out rather than skipped, which would count as a failure here."""
    if not config.getoption("--long"):
        items[:] = [item for item in items if item.get_closest_marker("long") is None]


Databases = Callable[[], str]
"""Each call: a new one with Neutron's tables, as SQLAlchemy names it."""


@pytest.fixture(scope="session")
def databases(mariadb_server: MariadbServer) -> Databases:
    if reason := neutron.missing():
        pytest.skip(reason)

    def named(name: str) -> str:
        return mariadb_server.url(name).replace("mysql://", "mysql+pymysql://")

    first = mariadb_server.create_database()
    neutron.make_tables(named(first))
    tables = mariadb_server.dump(first)

    def new() -> str:
        name = f"neutron_{uuid.uuid4().hex}"
        mariadb_server.restore(name, tables)
        return named(name)

    return new


@pytest.fixture(scope="session")
def alone(databases: Databases) -> Iterator[NeutronServer]:
    """Without Gluon, without Keystone."""
    with NeutronServer(database=databases()) as server:
        yield server


class Site:
    """Neutron in front, Gluon with its fake backend behind."""

    def __init__(self, front: NeutronServer, gluon: GluonServer) -> None:
        self.front = front
        self.gluon = gluon
        self.project = uuid.uuid4().hex

    def neutron(self, method: str, path: str, body: Any = None, *, wanted: int = 200) -> Any:
        status, answer = self.front.request(method, f"/v2.0/{path}", body, headers=SERVICE)
        assert status == wanted, (status, answer, self.front.words(lines=30))
        return answer

    def proton(self, path: str, body: Any) -> Any:
        status, answer = self.gluon.request("POST", f"{V1}/{path}", {"tenant_id": self.project, **body})
        assert status == 201, answer
        return answer

    def face(self, path: str, *, wanted: int = 200) -> Any:
        status, answer = self.gluon.request("GET", f"/v2.0/{path}")
        assert status == wanted, answer
        return answer

    def until(self, ready: Callable[[], bool], what: str) -> None:
        try:
            wait_until(ready, what, limit=180, every=0.1)
        except NotReady as error:
            raise AssertionError(f"{error}\n{self.front.words()}") from None

    def shown(self, path: str) -> Any:
        """An object of Gluon's, once Neutron has it."""
        self.until(lambda: self.front.request("GET", f"/v2.0/{path}")[0] == 200, f"{path} in Neutron")
        return self.neutron("GET", path)

    def settled(self) -> None:
        """All that Gluon has told so far is written by the thread that follows: it writes a new port later than anything told before,
        and hears of the name after all that it wrote with it."""
        port, name = self.port(), uuid.uuid4().hex
        self.shown(f"ports/{port}")
        assert self.gluon.request("PUT", f"/v2.0/ports/{port}", {"port": {"name": name}})[0] == 200
        self.until(lambda: bool(self.seen(port)["name"] == name), "the new name in Neutron")

    def seen(self, port: str) -> Any:
        return self.neutron("GET", f"ports/{port}")["port"]

    def port(self, **more: Any) -> str:
        """The id of a new port of the proton, in no service."""
        mac = ":".join(f"{random.randrange(256):02x}" for _ in range(5))
        body = {"mac_address": f"fa:{mac}", "admin_state_up": True, "status": "ACTIVE", "vnic_type": "normal"}
        made = self.proton("ports", {**body, "mtu": 1500, "vlan_transparency": False, **more})
        return str(made["id"])

    def service(self) -> str:
        """A new L3VPN with a port at 10.1.1.5/24; its network's id, once Neutron knows it and its subnet."""
        name = f"vpn-{uuid.uuid4().hex[:8]}"
        place = {"ipaddress": "10.1.1.5", "subnet_prefix": 24, "gateway": "10.1.1.1"}
        made = self.proton("vpns", {"name": name})
        self.proton("vpnbindings", {"interface_id": self.port(), "service_id": made["id"], **place})
        network = self.face(f"networks?name={name}")["networks"][0]
        self.shown(f"subnets/{network['subnets'][0]}")
        return str(network["id"])


@pytest.fixture(scope="session")
def site(databases: Databases, etcd_server: EtcdServer) -> Iterator[Site]:
    """With the core plugin, and an etcd behind Gluon."""
    with GluonServer("up", "--etcd", etcd_server.url) as gluon:
        settings = {"gluon": {"url": gluon.url}}
        with NeutronServer(database=databases(), plugin="gluon", settings=settings) as front:
            yield Site(front, gluon)


@pytest.fixture(scope="session")
def driven(databases: Databases) -> Iterator[Site]:
    """With `core_plugin = ml2` and the mechanism driver."""
    with GluonServer("up") as gluon:
        settings = {"gluon": {"url": gluon.url}}
        drivers, types = f"{neutron.ANY_HOST},gluon", f"{neutron.TYPES},gluon"
        with NeutronServer(database=databases(), drivers=drivers, types=types, settings=settings) as front:
            yield Site(front, gluon)
