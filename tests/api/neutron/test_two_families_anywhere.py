"""Ports in networks of both families on each database, by many at once and in any order: no address twice, none lost."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import gluon
from gluon.cmd import main
from gluon.testing.product import GluonServer
from tests.api.conftest import DATABASES, served
from tests.api.neutron.cloud import L2

MODELS = Path(gluon.__file__).parent / "catalog"
MODEL = (MODELS / "net-l2" / "api.yaml").read_text().replace("rest: 30\n", "rest: 0\n")
"""Addresses that are given back are free at once, so that what is refused is known."""
CIDRS = ("192.0.2.0/29", "2001:db8::/124", "198.51.100.0/29")


@pytest.fixture(scope="module", params=DATABASES)
def server(request: pytest.FixtureRequest) -> Iterator[GluonServer]:
    """Checked when all is done."""
    with served(request, "--no-shims", net_l2=MODEL) as running:
        yield running
        words = running.arguments
        url = words[words.index("--database") + 1] if "--database" in words else ""
        where = ["--database", url] if url else ["--data", str(running.directory / "data")]
        done = CliRunner().invoke(main.cli, ["db", "check", *where])
        assert done.exit_code == 0, done.output


class Net:
    """A network, and what its ports have."""

    def __init__(self, server: GluonServer, *cidrs: str) -> None:
        self._server = server
        self.project = uuid.uuid4().hex
        name = f"net-{self.project[:8]}"
        body = {"project_id": self.project, "name": name, "subnets": [{"cidr": cidr} for cidr in cidrs]}
        self.ask("POST", f"{L2}/networks", body)
        (found,) = self.ask("GET", f"/v2.0/networks?name={name}")["networks"]
        self.id = found["id"]
        self.subnets = dict(zip(cidrs, found["subnets"], strict=True))
        self.ports: dict[str, list[str]] = {}

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        status, answer = self._server.request(method, path, body)
        assert status < 300, (method, path, body, answer)
        return answer

    def tried(self, method: str, path: str, body: Any) -> list[dict[str, Any]] | None:
        """The ports that are made or changed; None: there are not addresses enough."""
        status, answer = self._server.request(method, f"/v2.0/{path}", body)
        if status == 409:
            assert answer["NeutronError"]["type"] == "IpAddressGenerationFailure", answer
            return None
        assert status < 300, (body, answer)
        several = answer.get("ports") or [answer["port"]]
        for port in several:
            self.ports[port["id"]] = [one["ip_address"] for one in port["fixed_ips"]]
        return list(several)

    def create(self, *wanted: str) -> list[dict[str, Any]] | None:
        return self.tried("POST", "ports", {"port": self.body(*wanted)})

    def body(self, *wanted: str) -> dict[str, Any]:
        """Of a port in the subnets that are named."""
        fixed = {"fixed_ips": [{"subnet_id": self.subnets[cidr]} for cidr in wanted]} if wanted else {}
        return {"network_id": self.id, "tenant_id": self.project, **fixed}

    def free(self, cidr: str, without: str = "") -> int:
        """How many addresses of a subnet nobody has, or only a port that gives up its own."""
        prefix = ip_network(cidr)
        used = [
            a for key, some in self.ports.items() if key != without for a in some if ip_address(a) in prefix
        ]
        return prefix.num_addresses - (2 if prefix.version == 4 else 1) - len(used)

    def check(self) -> None:
        every = [one for some in self.ports.values() for one in some]
        assert len(every) == len(set(every)), every
        shown = self.ask("GET", f"/v2.0/ports?network_id={self.id}")["ports"]
        assert {p["id"]: [one["ip_address"] for one in p["fixed_ips"]] for p in shown} == self.ports


def families(addresses: list[str]) -> list[int]:
    return [ip_address(one).version for one in addresses]


def test_many_at_once_until_one_family_has_none(server: GluonServer) -> None:
    net = Net(server, "192.0.2.0/26", "2001:db8::/64")
    with ThreadPoolExecutor(16) as pool:
        made = list(pool.map(lambda _: net.create(), range(70)))
    assert len([one for one in made if one is None]) == 70 - 62
    assert all(families(some) == [4, 6] for some in net.ports.values())
    net.check()
    for key in list(net.ports)[:10]:
        net.ask("DELETE", f"/v2.0/ports/{key}")
        del net.ports[key]
    with ThreadPoolExecutor(16) as pool:
        made = list(pool.map(lambda _: net.create(), range(12)))
    assert len([one for one in made if one is None]) == 2
    net.check()


def one_of(net: Net, dice: random.Random) -> None:
    """Whatever is asked for is given exactly if it is there."""
    act = dice.random()
    room = (net.free(CIDRS[0]) + net.free(CIDRS[2]), net.free(CIDRS[1]))
    if act < 0.25:
        made = net.create()
        assert (made is not None) == (min(room) >= 1)
        assert made is None or sorted(families(net.ports[made[0]["id"]])) == [4, 6]
    elif act < 0.4:
        made = net.tried("POST", "ports", {"ports": [net.body()] * 2})
        assert (made is not None) == (min(room) >= 2)
    elif act < 0.6:
        wanted = dice.choices(CIDRS, k=dice.randrange(1, 4))
        made = net.create(*wanted)
        key = made[0]["id"] if made is not None else ""
        assert (made is not None) == all(net.free(c, key) >= wanted.count(c) for c in CIDRS)
        assert made is None or all(
            ip_address(a) in ip_network(c) for a, c in zip(net.ports[made[0]["id"]], wanted, strict=True)
        )
    elif net.ports and act < 0.85:
        key = dice.choice(list(net.ports))
        net.ask("DELETE", f"/v2.0/ports/{key}")
        del net.ports[key]
    elif net.ports:
        key = dice.choice(list(net.ports))
        wanted = dice.choices(CIDRS, k=dice.randrange(1, 4))
        had = net.ports[key]
        fits = all(net.free(c, key) >= wanted.count(c) for c in CIDRS)
        changed = net.tried("PUT", f"ports/{key}", {"port": {"fixed_ips": net.body(*wanted)["fixed_ips"]}})
        assert (changed is not None) == fits
        if changed is not None:
            for cidr in CIDRS:
                mine = [a for a in had if ip_address(a) in ip_network(cidr)]
                now = [a for a in net.ports[key] if ip_address(a) in ip_network(cidr)]
                assert len(now) == wanted.count(cidr)
                assert set(mine[: len(now)]) <= set(now), "what it has there stays"


@pytest.mark.parametrize("seed", range(3))
def test_random_requests_are_given_what_is_free_and_nothing_else(server: GluonServer, seed: int) -> None:
    dice = random.Random(seed)
    net = Net(server, *dice.sample(CIDRS, 3))
    for number in range(120):
        one_of(net, dice)
        if number % 10 == 9:
            net.check()
    for key in list(net.ports):
        net.ask("DELETE", f"/v2.0/ports/{key}")
    net.ports.clear()
    assert net.create() is not None


@pytest.fixture
def small(request: pytest.FixtureRequest) -> Iterator[GluonServer]:
    """Whose attachments have more addresses that are of no pool."""
    before, more, after = MODEL.partition("more_addresses:\n")
    text = before + more + after.replace("        pool: service_id.addresses\n", "", 1)
    request.param = "sqlite"
    with served(request, "--no-shims", net_l2=text) as running:
        yield running


def test_a_binding_without_room_for_a_second_one_has_one_address(small: GluonServer) -> None:
    net = Net(small, "192.0.2.0/29", "2001:db8::/64")
    for _ in range(6):
        net.create()
    assert sorted(families([a for some in net.ports.values() for a in some])) == [4] * 6
    net.create()
    net.create("2001:db8::/64")
    assert list(net.ports.values())[6:] == [["2001:db8::1"], ["2001:db8::2"]]
    status, answer = small.request(
        "POST", "/v2.0/ports", {"port": net.body("2001:db8::/64", "2001:db8::/64")}
    )
    assert (status, answer["NeutronError"]["type"]) == (400, "InvalidInput")
    status, answer = small.request("POST", "/v2.0/ports", {"ports": [net.body("2001:db8::/64")] * 2})
    assert status == 201, answer


def test_a_vpn_of_2_0_has_addresses_of_both_families() -> None:
    with GluonServer("up", "--no-shims", "--model", str(MODELS / "net-l3vpn-2.0")) as server:
        project = uuid.uuid4().hex
        subnets = [{"cidr": "10.1.0.0/24", "gateway": "10.1.0.1"}, {"cidr": "2001:db8::/64"}]
        body = {"project_id": project, "name": "blue", "subnets": subnets}
        assert server.request("POST", "/proton/net-l3vpn/v2.0/vpns", body)[0] == 201
        (network,) = server.request("GET", "/v2.0/networks?name=blue")[1]["networks"]
        wanted = {"network_id": network["id"], "tenant_id": project}
        status, made = server.request("POST", "/v2.0/ports", {"port": wanted})
        assert (status, [one["ip_address"] for one in made["port"]["fixed_ips"]]) == (
            201,
            ["10.1.0.2", "2001:db8::1"],
        )
        (bound,) = server.request("GET", "/proton/net-l3vpn/v2.0/vpnbindings")[1]["vpnbindings"]
        assert (bound["ip_address"], bound["more_addresses"]) == ("10.1.0.2", ["2001:db8::1"])
