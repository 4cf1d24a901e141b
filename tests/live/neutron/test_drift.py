"""Both sides are changed at random while processes of both are killed: in the end Neutron shows what Gluon has, and nothing else."""

import os
import random
import signal
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest

from gluon.testing.process import NotReady, alive, descendants, wait_until
from gluon.testing.product import GluonServer
from gluon.testing.servers.neutron import NeutronServer
from tests.live.neutron.conftest import BIND, FREE, SERVICE, V1, Databases, Site

SHOWN = ("name", "mac_address", "device_id", "network_id", "binding:host_id", "binding:vif_type", "status")


@pytest.fixture
def own(databases: Databases) -> Iterator[Site]:
    """Of this test alone, which stops Neutron too."""
    with GluonServer("up") as gluon:
        settings = {"gluon": {"url": gluon.url}}
        with NeutronServer(database=databases(), plugin="gluon", settings=settings) as front:
            yield Site(front, gluon)


class Life:
    """What users and accidents do. Refusals are no matter: a request may find what it is about gone."""

    def __init__(self, site: Site, seed: int) -> None:
        self.site = site
        self.dice = random.Random(seed)
        self.services: list[tuple[str, str]] = []
        self.done: list[str] = []

    def neutron(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        with suppress(OSError):
            return self.site.front.request(method, f"/v2.0/{path}", body, headers=SERVICE)
        return 0, {}

    def gluon(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        with suppress(OSError):
            return self.site.gluon.request(method, path, body)
        return 0, {}

    def step(self) -> None:
        usual = [self.make, self.make, self.bind, self.bind, self.move, self.free, self.rename, self.remove]
        rare = [self.service, self.end_service, self.kill_gluon, self.kill_worker, self.kill_neutron]
        what: Callable[[], None] = self.dice.choice(usual if self.dice.random() < 0.85 else rare)
        self.done.append(what.__name__)
        what()

    def port(self) -> str:
        """Of those that Gluon has now, any; of none an id that nobody has."""
        ports = self.gluon("GET", "/v2.0/ports?fields=id")[1].get("ports") or [{"id": str(uuid.uuid4())}]
        return str(self.dice.choice(ports)["id"])

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """One of the two ways."""
        if self.dice.random() < 0.5:
            return self.neutron(method, path, body)
        return self.gluon(method, f"/v2.0/{path}", body)

    def service(self) -> None:
        project = {"tenant_id": self.site.project}
        made = self.gluon("POST", f"{V1}/vpns", {**project, "name": f"vpn-{uuid.uuid4().hex[:8]}"})[1]
        mac = "fa:" + ":".join(f"{self.dice.randrange(256):02x}" for _ in range(5))
        port = {"mac_address": mac, "admin_state_up": True, "status": "ACTIVE", "vnic_type": "normal"}
        port = {**project, **port, "mtu": 1500, "vlan_transparency": False}
        first = self.gluon("POST", f"{V1}/ports", port)[1]
        if "id" not in made or "id" not in first:
            return
        place = {"ipaddress": "10.1.0.5", "subnet_prefix": 16, "gateway": "10.1.0.1"}
        joins = {**project, "interface_id": first["id"], "service_id": made["id"], **place}
        self.gluon("POST", f"{V1}/vpnbindings", joins)
        networks = self.gluon("GET", f"/v2.0/networks?name={made['name']}")[1].get("networks")
        if networks:
            self.services.append((made["id"], networks[0]["id"]))

    def end_service(self) -> None:
        if len(self.services) > 1:
            service, network = self.services.pop()
            for port in self.gluon("GET", f"/v2.0/ports?network_id={network}")[1].get("ports", ()):
                self.gluon("DELETE", f"/v2.0/ports/{port['id']}")
            self.gluon("DELETE", f"{V1}/vpns/{service}")

    def make(self) -> None:
        if not self.services:
            self.service()
            return
        _, network = self.dice.choice(self.services)
        address = f"10.1.{self.dice.randrange(1, 255)}.{self.dice.randrange(1, 255)}"
        body = {
            "network_id": network,
            "fixed_ips": [{"ip_address": address}],
            "name": self.dice.choice("abc"),
        }
        self.ask("POST", "ports", {"port": {**body, "tenant_id": self.site.project}})

    def bind(self) -> None:
        wanted = {**BIND, "device_id": str(uuid.uuid4()), "binding:host_id": self.dice.choice(["h1", "h2"])}
        self.ask("PUT", f"ports/{self.port()}", {"port": wanted})

    def move(self) -> None:
        path = f"ports/{self.port()}/bindings"
        found = self.neutron("GET", path)[1].get("bindings") or []
        at = next((one["host"] for one in found if one["status"] == "ACTIVE" and one["host"]), "")
        if at:
            other: dict[str, Any] = {
                "host": "h1" if at == "h2" else "h2",
                "vnic_type": "normal",
                "profile": {},
            }
            self.neutron("POST", path, {"binding": other})
            if self.dice.random() < 0.7:
                self.neutron("PUT", f"{path}/{other['host']}/activate")
                self.neutron("DELETE", f"{path}/{at}")

    def free(self) -> None:
        self.ask("PUT", f"ports/{self.port()}", {"port": FREE})

    def rename(self) -> None:
        self.ask("PUT", f"ports/{self.port()}", {"port": {"name": self.dice.choice("defgh")}})

    def remove(self) -> None:
        self.ask("DELETE", f"ports/{self.port()}")

    def kill_gluon(self) -> None:
        self.site.gluon.daemon.kill9()
        for _ in range(self.dice.randrange(3)):
            self.neutron("DELETE", f"ports/{uuid.uuid4()}")
            self.neutron("PUT", f"ports/{uuid.uuid4()}", {"port": FREE})
        self.site.gluon.start()

    def kill_worker(self) -> None:
        """One of Neutron's two, perhaps the one that keeps the rows; another takes its place."""
        workers = descendants(self.site.front.daemon.pid)
        victim = self.dice.choice(workers)
        os.kill(victim, signal.SIGKILL)
        wait_until(lambda: not alive(victim), "the worker's death")

    def kill_neutron(self) -> None:
        self.site.front.kill9()
        for _ in range(self.dice.randrange(6)):
            self.dice.choice([self.make, self.bind, self.free, self.remove, self.service, self.end_service])()
        self.site.front.start()


@pytest.mark.long("hundreds of changes and kills")
@pytest.mark.parametrize("seed", range(6))
def test_what_neutron_shows_is_what_gluon_has(own: Site, seed: int) -> None:
    life = Life(own, seed)
    for _ in range(4):
        life.make()
    for _ in range(60):
        life.step()
    with suppress(NotReady):
        wait_until(lambda: rests(own), "the same at both", limit=120, every=0.5)
    assert (differences(own), life.done) == ([], life.done), own.front.words()
    assert rests(own), (life.done, own.front.words())


def rests(site: Site) -> bool:
    """The same at both, and still so once Neutron has written all that it was told: then nothing at Gluon has moved either."""
    before = {port["id"]: port for port in site.face("ports")["ports"]}
    if differences(site):
        return False
    site.settled()
    after = {port["id"]: port for port in site.face("ports")["ports"]}
    return not differences(site) and all(after.get(key) == port for key, port in before.items())


def differences(site: Site) -> list[Any]:
    """What Neutron shows otherwise; networks of ports without a service are in no list."""
    found: list[Any] = []
    for kind, names in (("ports", SHOWN), ("networks", ("name", "subnets")), ("subnets", ("cidr",))):
        gluon = {one["id"]: _as_neutron(one) for one in site.face(kind)[kind]}
        shown = {one["id"]: one for one in site.neutron("GET", kind)[kind]}
        found += [(kind, "missing", one) for one in gluon.keys() - shown.keys()]
        found += [(kind, "left", shown[one]) for one in shown.keys() - gluon.keys()]
        for one in gluon.keys() & shown.keys():
            found += [
                (kind, one, name, gluon[one].get(name), shown[one].get(name))
                for name in names
                if gluon[one].get(name) != shown[one].get(name)
            ]
    return found


def _as_neutron(one: dict[str, Any]) -> dict[str, Any]:
    """What failed at Gluon is down at Neutron, which would tell Nova to give the server up."""
    return {**one, "status": "DOWN"} if one.get("binding:vif_type") == "binding_failed" else one
