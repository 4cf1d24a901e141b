"""Pools over HTTP and on each database: of every type, of the model and of objects, to their end and back."""

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from gluon.testing.process import wait_until
from gluon.testing.product import GluonServer
from tests.api.conftest import DATABASES, served

MODEL = """
file_version: "2.0"
imports: base-2.0
info: {name: net-supplies, version: "2.0", description: Values from pools.}
pools:
  numbers: {type: integer, ranges: ["-2-0", "40"], rest: 0}
  vlans: {type: vlan, ranges: [100-109, 200-299], exclude: [101-108], rest: 0}
  vnis: {type: vni, ranges: [4096-16777215], rest: 0}
  asns: {type: asn, ranges: [65536-65540], rest: 0}
  labels: {type: mpls_label, ranges: [16-1048575], rest: 0}
  macs: {type: mac, ranges: ["fa:16:3e:00:00:00/24"], exclude: ["fa:16:3e:00:00:00"], rest: 0}
  targets: {type: route_target, ranges: [10-19], template: "65000:{}", rest: 0}
  distinguishers: {type: route_distinguisher, ranges: ["192.0.2.1:1-192.0.2.1:9"], rest: 0}
  fours: {type: ipv4, ranges: [10.0.0.0/8], exclude: ["10.0.0.1", 10.0.1.0-10.255.255.255], rest: 0}
  sixes: {type: ipv6, ranges: ["2001:db8::/64"], rest: 0}
  both: {type: ip, ranges: ["2001:db8:1::/127", 192.0.2.0/31], rest: 0}
  few: {type: vlan, ranges: [7-8], rest: 4}
  pair: {type: vlan, ranges: [7-8], rest: 3600}
  many: {type: vlan, ranges: [1000-1059], rest: 0}
objects:
  Thing:
    extends: BaseObject
    api: {name: thing, plural_name: things}
    attributes:
      number: {type: integer, pool: numbers}
      vlan: {type: vlan, pool: vlans}
      vni: {type: vni, pool: vnis}
      asn: {type: asn, pool: asns}
      label: {type: mpls_label, pool: labels}
      mac: {type: mac, pool: macs}
      target: {type: route_target, pool: targets}
      distinguisher: {type: route_distinguisher, pool: distinguishers}
      four: {type: ipv4, pool: fours}
      six: {type: ipv6, pool: sixes}
      both: {type: ip, pool: both}
  Ticket:
    extends: BaseObject
    api: {name: ticket, plural_name: tickets}
    attributes:
      seat: {type: vlan, pool: few, required: true}
  Chair:
    extends: BaseObject
    api: {name: chair, plural_name: chairs}
    attributes:
      seat: {type: vlan, pool: pair, required: true}
  Place:
    extends: BaseObject
    api: {name: place, plural_name: places}
    attributes:
      seat: {type: vlan, pool: many, required: true}
  Network:
    extends: BaseObject
    api: {name: network, plural_name: networks}
    attributes:
      subnets:
        type: list
        default: []
        items:
          type: object
          attributes:
            cidr: {type: cidr, required: true}
            gateway: {type: ip}
    pools:
      addresses: {type: ip, from: subnets.cidr, exclude: [subnets.gateway, 10.9.9.0/24], rest: 0}
  Host:
    extends: BaseObject
    api: {name: host, plural_name: hosts}
    attributes:
      network_id: {type: Network, required: true, on_delete: cascade}
      address: {type: ip, pool: network_id.addresses}
"""
FIRST = {
    "number": -2,
    "vlan": 100,
    "vni": 4096,
    "asn": 65536,
    "label": 16,
    "mac": "fa:16:3e:00:00:01",
    "target": "65000:10",
    "distinguisher": "192.0.2.1:1",
    "four": "10.0.0.2",
    "six": "2001:db8::1",
    "both": "2001:db8:1::",
}
SECOND = {
    "number": -1,
    "vlan": 109,
    "vni": 4097,
    "asn": 65537,
    "label": 17,
    "mac": "fa:16:3e:00:00:02",
    "target": "65000:11",
    "distinguisher": "192.0.2.1:2",
    "four": "10.0.0.3",
    "six": "2001:db8::2",
    "both": "2001:db8:1::1",
}
OTHER_FORMS = {
    "number": 40,
    "asn": "1.4",
    "mac": "FA-16-3E-00-AB-CD",
    "six": "2001:DB8:0:0::00ff",
    "target": "065000:019",
    "distinguisher": "192.0.2.1:09",
    "both": "192.0.2.1",
}
NORMAL_FORMS = {
    "number": 40,
    "asn": 65540,
    "mac": "fa:16:3e:00:ab:cd",
    "six": "2001:db8::ff",
    "target": "65000:19",
    "distinguisher": "192.0.2.1:9",
    "both": "192.0.2.1",
}
OUTSIDE = {
    "number": 1,
    "vlan": 105,
    "vni": 4095,
    "asn": 65541,
    "mac": "fa:16:3e:00:00:00",
    "target": "65001:10",
    "distinguisher": "192.0.2.1:10",
    "four": "10.0.0.0",
    "six": "2001:db8:0:1::1",
    "both": "192.0.2.2",
}


@pytest.fixture(scope="module", params=DATABASES)
def server(request: pytest.FixtureRequest) -> Iterator[GluonServer]:
    with served(request, "--no-shims", net_supplies=MODEL) as running:
        yield running


class Supplies:
    """The proton as one project uses it."""

    def __init__(self, server: GluonServer) -> None:
        self.server = server
        self.project = str(uuid.uuid4())
        self.made: list[str] = []

    def __call__(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        if method == "POST":
            body = {"project_id": self.project, **body}
        return self.server.request(method, f"/proton/net-supplies/v2.0/{path}", body)

    def make(self, plural: str, **body: Any) -> dict[str, Any]:
        status, made = self("POST", plural, body)
        assert status == 201, made
        self.made.append(f"{plural}/{made['id']}")
        found: dict[str, Any] = made
        return found

    def refused(self, method: str, path: str, body: Any = None) -> tuple[int, str, str, str]:
        """Status, code, pointer and what is said."""
        status, fault = self(method, path, body)
        assert status >= 400, fault
        return (
            status,
            fault["code"],
            fault["errors"][0]["pointer"] if fault["errors"] else "",
            fault["detail"],
        )

    def delete(self, path: str) -> None:
        status, fault = self("DELETE", path)
        assert status == 204, fault
        self.made.remove(path)


@pytest.fixture
def api(server: GluonServer) -> Iterator[Supplies]:
    """Whatever a test makes goes with it, so that its values are free again."""
    api = Supplies(server)
    yield api
    for path in reversed(api.made):
        assert api("DELETE", path)[0] in (204, 404)


def picked(body: dict[str, Any], names: dict[str, Any]) -> dict[str, Any]:
    return {name: body[name] for name in names}


@pytest.fixture(scope="module", autouse=True)
def firsts(server: GluonServer) -> list[dict[str, Any]]:
    """The first two things ever made, before any test took a value."""
    api = Supplies(server)
    made = [api.make("things") for _ in range(2)]
    assert api("GET", f"things/{made[1]['id']}") == (200, made[1])
    for path in list(api.made):
        api.delete(path)
    return made


def test_every_type_has_its_values_in_order(firsts: list[dict[str, Any]]) -> None:
    assert [picked(body, FIRST) for body in firsts] == [FIRST, SECOND]


def test_a_wish_in_any_form_is_honoured_once(api: Supplies) -> None:
    made = api.make("things", **OTHER_FORMS)
    assert picked(made, NORMAL_FORMS) == NORMAL_FORMS
    for name, value in OTHER_FORMS.items():
        status, code, _, said = api.refused("POST", "things", {name: value})
        assert (status, code) == (409, "pool_taken"), name
        assert str(NORMAL_FORMS[name]) in said and f"Thing/{made['id']}" in said
    stranger = Supplies(api.server)
    assert made["id"] not in stranger.refused("POST", "things", {"vni": made["vni"]})[3]
    assert api("PUT", f"things/{made['id']}", OTHER_FORMS)[0] == 200
    api.delete(f"things/{made['id']}")
    assert picked(api.make("things", **NORMAL_FORMS), NORMAL_FORMS) == NORMAL_FORMS


@pytest.mark.parametrize("name", list(OUTSIDE))
def test_a_value_outside_of_the_ranges_is_a_problem_of_its_field(api: Supplies, name: str) -> None:
    status, code, pointer, said = api.refused("POST", "things", {name: OUTSIDE[name]})
    assert (status, code, pointer) == (400, "pool_outside", f"/{name}")
    assert str(OUTSIDE[name]) in said and "which has" in said
    made = api.make("things")
    assert api.refused("PUT", f"things/{made['id']}", {name: OUTSIDE[name]})[:3] == (400, code, pointer)


def test_a_changed_value_goes_back_and_null_gives_it_up(api: Supplies) -> None:
    made = api.make("things", vni=5000)
    path = f"things/{made['id']}"
    assert api("PUT", path, {"vni": 5001})[1]["vni"] == 5001
    other = api.make("things", vni=5000)
    assert api.refused("PUT", path, {"vni": 5000})[:2] == (409, "pool_taken")
    assert api("PUT", path, {"vni": None})[1]["vni"] is None
    assert api("PUT", f"things/{other['id']}", {"vni": 5001})[1]["vni"] == 5001
    assert api.make("things", vni=None)["vni"] is None


def test_what_is_refused_takes_nothing(api: Supplies) -> None:
    first = api.make("things")
    for body in ({"vlan": 105}, {"number": 7}, {"name": "x" * 65}):
        assert api("POST", "things", body)[0] == 400
    second = api.make("things")
    assert second["vni"] == first["vni"] + 1


def test_exhausted_then_resting_then_free(api: Supplies) -> None:
    one, two = api.make("tickets"), api.make("tickets")
    assert {one["seat"], two["seat"]} == {7, 8}
    status, code, _, said = api.refused("POST", "tickets", {})
    assert (status, code) == (409, "pool_exhausted")
    assert "pool few is exhausted: of 2 values 2 are in use and 0 rest after use" in said
    api.delete(f"tickets/{one['id']}")
    said = api.refused("POST", "tickets", {})[3]
    assert "1 are in use and 1 rest after use; the first of them is free at 20" in said
    found: list[int] = []

    def free() -> bool:
        status, body = api("POST", "tickets", {})
        if status == 201:
            api.made.append(f"tickets/{body['id']}")
            found.append(body["seat"])
        return status == 201

    wait_until(free, "a rested value", limit=30)
    assert found == [one["seat"]]


def test_a_wish_is_for_a_resting_value_too(api: Supplies) -> None:
    one = api.make("chairs", seat=8)
    api.delete(f"chairs/{one['id']}")
    assert api.make("chairs", seat=8)["seat"] == 8


def test_who_comes_together_gets_different_values_to_the_last(api: Supplies) -> None:
    with ThreadPoolExecutor(8) as clients:
        done = list(clients.map(lambda _: api("POST", "places", {}), range(75)))
    api.made += [f"places/{body['id']}" for status, body in done if status == 201]
    seats = [body["seat"] for status, body in done if status == 201]
    assert sorted(seats) == list(range(1000, 1060))
    assert {body["code"] for status, body in done if status != 201} == {"pool_exhausted"}
    with ThreadPoolExecutor(8) as clients:
        assert set(clients.map(lambda path: api("DELETE", path)[0], api.made)) == {204}
    api.made.clear()
    with ThreadPoolExecutor(8) as clients:
        again = list(clients.map(lambda _: api.make("places")["seat"], range(60)))
    assert sorted(again) == sorted(seats)


def network(api: Supplies, *subnets: str | tuple[str, str]) -> dict[str, Any]:
    return api.make("networks", subnets=listed(*subnets))


def listed(*subnets: str | tuple[str, str]) -> list[dict[str, str]]:
    pairs = [(s, None) if isinstance(s, str) else s for s in subnets]
    return [{"cidr": cidr, **({"gateway": gateway} if gateway else {})} for cidr, gateway in pairs]


def test_addresses_of_a_network_are_those_of_its_subnets(api: Supplies) -> None:
    net = network(api, ("10.1.0.0/29", "10.1.0.1"), ("2001:db8:7::/126", "2001:db8:7::1"))
    other = network(api, "10.1.0.0/29")
    hosts = [api.make("hosts", network_id=net["id"])["address"] for _ in range(7)]
    assert hosts == [*(f"10.1.0.{n}" for n in range(2, 7)), "2001:db8:7::2", "2001:db8:7::3"]
    said = api.refused("POST", "hosts", {"network_id": net["id"]})
    assert said[:2] == (409, "pool_exhausted")
    assert f"pool addresses of Network {net['id']}" in said[3]
    assert api.make("hosts", network_id=other["id"])["address"] == "10.1.0.1"
    wish = {"network_id": net["id"], "address": "10.1.0.1"}
    assert api.refused("POST", "hosts", wish)[:3] == (400, "pool_outside", "/address")


def test_an_excluded_range_of_the_model_is_never_given(api: Supplies) -> None:
    net = network(api, "10.9.8.0/23")
    assert api.make("hosts", network_id=net["id"], address="10.9.8.255")["address"] == "10.9.8.255"
    wish = {"network_id": net["id"], "address": "10.9.9.1"}
    assert api.refused("POST", "hosts", wish)[:2] == (400, "pool_outside")


def test_subnets_may_grow_and_shrink_to_what_is_in_use(api: Supplies) -> None:
    net = network(api, "10.2.0.0/30")
    path = f"networks/{net['id']}"
    hosts = [api.make("hosts", network_id=net["id"]) for _ in range(2)]
    assert api.refused("POST", "hosts", {"network_id": net["id"]})[1] == "pool_exhausted"
    wider = listed("10.2.0.0/30", "10.3.0.0/30")
    assert api("PUT", path, {"subnets": wider})[0] == 200
    assert api.make("hosts", network_id=net["id"])["address"] == "10.3.0.1"
    status, code, _, said = api.refused("PUT", path, {"subnets": listed("10.2.0.0/30")})
    assert (status, code) == (409, "pool_in_use")
    assert "must keep 10.3.0.1" in said
    assert api.refused("PUT", path, {"subnets": []})[1] == "pool_in_use"
    turned = listed("10.3.0.0/30", "10.2.0.0/30")
    assert api("PUT", path, {"subnets": turned})[0] == 200
    assert api.make("hosts", network_id=net["id"])["address"] == "10.3.0.2"
    for host in hosts:
        api.delete(f"hosts/{host['id']}")
    assert api("PUT", path, {"subnets": listed("10.3.0.0/30")})[0] == 200
    assert api.refused("POST", "hosts", {"network_id": net["id"]})[1] == "pool_exhausted"
    gateway = listed(("10.3.0.0/30", "10.3.0.2"))
    assert api.refused("PUT", path, {"subnets": gateway})[1] == "pool_in_use"


def test_a_host_that_moves_takes_an_address_there(api: Supplies) -> None:
    one, two = network(api, "10.4.0.0/30"), network(api, "10.5.0.0/30")
    host = api.make("hosts", network_id=one["id"])
    moved = api("PUT", f"hosts/{host['id']}", {"network_id": two["id"]})[1]
    assert moved["address"] == "10.5.0.1"
    assert api.make("hosts", network_id=one["id"], address="10.4.0.1")["address"] == "10.4.0.1"


def test_a_network_without_subnets_gives_no_address(api: Supplies) -> None:
    net = network(api)
    host = api.make("hosts", network_id=net["id"])
    assert host["address"] is None
    assert api("PUT", f"networks/{net['id']}", {"subnets": listed("10.6.0.0/30")})[0] == 200
    assert api("PUT", f"hosts/{host['id']}", {"address": "10.6.0.2"})[1]["address"] == "10.6.0.2"
    assert api.make("hosts", network_id=net["id"])["address"] == "10.6.0.1"


def test_a_pool_goes_with_its_object(api: Supplies) -> None:
    key = str(uuid.uuid4())
    for _ in range(2):
        api.make("networks", id=key, subnets=listed("10.7.0.0/29"))
        hosts = [api.make("hosts", network_id=key) for _ in range(4)]
        assert [h["address"] for h in hosts] == [f"10.7.0.{n}" for n in range(1, 5)]
        api.delete(f"networks/{key}")
        assert [api("GET", f"hosts/{h['id']}")[0] for h in hosts] == [404] * 4
