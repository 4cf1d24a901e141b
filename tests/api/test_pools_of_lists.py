"""Lists whose items are of a pool, over HTTP and on each database: an item is wished for, and nobody else has it."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from gluon.testing.product import GluonServer
from tests.api.conftest import DATABASES, served

MODEL = """
file_version: "2.0"
imports: base-2.0
info: {name: net-lists, version: "2.0", description: Lists of values from pools.}
pools:
  tags: {type: vlan, ranges: [10-19], rest: 3600}
  numbers: {type: int32, ranges: [1-3000], rest: 3600}
objects:
  Network:
    extends: BaseObject
    api: {name: network, plural_name: networks}
    attributes:
      subnets: {type: list, default: [], items: {type: cidr}}
    pools:
      addresses: {type: ip, from: subnets, rest: 3600}
  Host:
    extends: BaseObject
    api: {name: host, plural_name: hosts}
    attributes:
      network_id: {type: Network, on_delete: cascade}
      address: {type: ip, pool: network_id.addresses}
      more: {type: list, pool: network_id.addresses, default: [], items: {type: ip}}
      tags: {type: list, pool: tags, max_items: 4, items: {type: vlan, nullable: true}}
  Crowd:
    extends: BaseObject
    api: {name: crowd, plural_name: crowds}
    attributes:
      numbers: {type: list, pool: numbers, items: {type: int32}}
      one: {type: int32, pool: numbers}
  Guest:
    extends: BaseObject
    api: {name: guest, plural_name: guests}
    attributes:
      network_id: {type: Network, on_delete: unset}
      more: {type: list, pool: network_id.addresses, items: {type: ip}}
"""
V = "/gluon/v1/changesets"


@pytest.fixture(scope="module", params=DATABASES)
def server(request: pytest.FixtureRequest) -> Iterator[GluonServer]:
    with served(request, "--no-shims", net_lists=MODEL) as running:
        yield running


class Lists:
    """The proton as one project uses it."""

    def __init__(self, server: GluonServer) -> None:
        self.server = server
        self.project = str(uuid.uuid4())

    def __call__(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        if method == "POST" and path not in body:
            body = {"project_id": self.project, **body}
        return self.server.request(method, f"/proton/net-lists/v2.0/{path}", body)

    def make(self, plural: str, **body: Any) -> Any:
        status, made = self("POST", plural, body)
        assert status == 201, made
        return made

    def put(self, host: Any, **body: Any) -> Any:
        status, made = self("PUT", f"hosts/{host['id']}", body)
        assert status == 200, made
        return made

    def refused(self, method: str, path: str, **body: Any) -> tuple[int, str, str]:
        status, fault = self(method, path, body)
        return status, fault["code"], fault["errors"][0]["pointer"] if fault["errors"] else ""

    def network(self, *subnets: str) -> str:
        return str(self.make("networks", subnets=list(subnets or ("10.0.0.0/28",)))["id"])

    def change(self, *changes: dict[str, Any], query: str = "") -> tuple[int, Any]:
        every = [{"api": "net-lists", **one} for one in changes]
        return self.server.request("POST", V + query, {"changes": every})


@pytest.fixture
def api(server: GluonServer) -> Lists:
    return Lists(server)


TAKEN = (409, "pool_taken", "")


def test_an_item_has_one_holder(api: Lists) -> None:
    """Whether it is the one value of an attribute or in a list; another form of it is the same."""
    net = api.network("10.0.0.0/28", "2001:db8::/124")
    host = api.make("hosts", network_id=net, address="10.0.0.1", more=["10.0.0.2", "2001:DB8::0003"])
    assert host["more"] == ["10.0.0.2", "2001:db8::3"]
    for body in (
        {"address": "10.0.0.2"},
        {"address": "2001:db8::3"},
        {"more": ["10.0.0.9", "10.0.0.2"]},
        {"more": ["10.0.0.1"]},
        {"address": "10.0.0.5", "more": ["10.0.0.5"]},
        {"more": ["10.0.0.5", "10.0.0.5"]},
    ):
        assert api.refused("POST", "hosts", network_id=net, **body) == TAKEN, body
    assert api.refused("POST", "guests", network_id=net, more=["10.0.0.2"]) == TAKEN
    assert api.make("hosts", network_id=net)["address"] == "10.0.0.3", "the next that nobody has"
    elsewhere = api.make("hosts", network_id=api.network(), more=["10.0.0.2"])
    assert elsewhere["address"] == "10.0.0.1", "another network"
    outside = api.refused("POST", "hosts", network_id=net, more=["10.0.0.8", "10.0.1.0"])
    assert outside == (400, "pool_outside", "/more/1")


def test_what_an_object_wishes_for_is_not_given_to_its_other_attribute(api: Lists) -> None:
    net = api.network()
    host = api.make("hosts", network_id=net, more=["10.0.0.1", "10.0.0.2"])
    assert host["address"] == "10.0.0.3"
    moved = api.put(host, network_id=api.network())
    assert (moved["address"], moved["more"]) == ("10.0.0.3", ["10.0.0.1", "10.0.0.2"])


def test_nothing_is_given_to_a_list(api: Lists) -> None:
    net = api.network()
    host = api.make("hosts", network_id=net)
    assert (host["more"], host["tags"]) == ([], None)
    assert api.make("guests", network_id=net)["more"] is None
    without = api.make("hosts", more=["10.0.0.1"], tags=[])
    assert (without["address"], without["more"]) == (None, ["10.0.0.1"]), "no network, no pool"
    assert api.refused("PUT", f"hosts/{without['id']}", network_id=net) == TAKEN
    assert api.put(without, network_id=api.network())["address"] is None


def test_what_an_update_keeps_it_keeps(api: Lists) -> None:
    net = api.network("10.0.0.0/29")  # six addresses, and none is given again within an hour
    host = api.make("hosts", network_id=net, address="10.0.0.1", more=["10.0.0.2", "10.0.0.3"])
    api.put(host, more=["10.0.0.3", "10.0.0.2"], name="other")
    status, made = api("PATCH", f"hosts/{host['id']}", {"more": ["10.0.0.2", "10.0.0.3", "10.0.0.4"]})
    assert (status, made["more"]) == (200, ["10.0.0.2", "10.0.0.3", "10.0.0.4"])
    twice = {"more": ["10.0.0.2", "10.0.0.2"]}
    assert api.refused("PUT", f"hosts/{host['id']}", **twice) == TAKEN
    api.put(host, more=["10.0.0.4"])
    assert [api.make("hosts", network_id=net)["address"] for _ in range(2)] == ["10.0.0.5", "10.0.0.6"]
    status, fault = api("POST", "hosts", {"network_id": net})
    assert (status, fault["code"]) == (409, "pool_exhausted")
    assert "of 6 values 4 are in use and 2 rest" in fault["detail"], "those that were left, and no other"
    assert api.make("hosts", network_id=net, address="10.0.0.2", more=["10.0.0.3"])


def test_a_list_may_be_as_long_as_any(api: Lists) -> None:
    """Given, replaced, given up and deleted, each in one request."""
    first, second = [*range(1, 1001)], [*range(1500, 2500)]
    crowd = api.make("crowds", numbers=first)
    path = f"crowds/{crowd['id']}"
    for numbers in (second, first[::-1], [], second):
        status, made = api("PUT", path, {"numbers": numbers})
        assert (status, made.get("numbers")) == (200, numbers)
    assert api.refused("POST", "crowds", numbers=[1, 1500]) == TAKEN
    assert api("DELETE", path)[0] == 204
    other = api.make("crowds", numbers=second)
    assert api("DELETE", f"crowds/{other['id']}")[0] == 204


def test_values_go_between_the_attributes_of_one_object(api: Lists) -> None:
    net = api.network()
    host = api.make("hosts", network_id=net, address="10.0.0.1", more=["10.0.0.2", "10.0.0.3"])
    turned = api.put(host, address="10.0.0.3", more=["10.0.0.1"])
    assert (turned["address"], turned["more"]) == ("10.0.0.3", ["10.0.0.1"])
    assert api.make("hosts", network_id=net, address="10.0.0.2")
    assert api.put(host, address=None, more=["10.0.0.3", "10.0.0.1"])
    assert api.refused("POST", "hosts", network_id=net, address="10.0.0.3") == TAKEN


def test_what_goes_is_free(api: Lists) -> None:
    """By an update, a delete, another network, or with the network; a list that has no network any more holds nothing."""
    net, other = api.network(), api.network("10.0.0.0/28", "10.7.0.0/28")
    host = api.make("hosts", network_id=net, address="10.0.0.1", more=["10.0.0.2"], tags=[11, None])
    mine = {"network_id": net, "more": ["10.0.0.2"]}
    api.put(host, network_id=other)
    free = api.make("hosts", **mine)
    assert api.refused("POST", "guests", **{**mine, "network_id": other}) == TAKEN, "they went along"
    api.put(host, more=["10.7.0.2"])
    assert api.refused("PUT", f"hosts/{host['id']}", network_id=net) == (400, "pool_outside", "/more/0")
    assert api.put(host, network_id=net, more=[])
    assert api.refused("POST", "hosts", tags=[12, 11]) == TAKEN
    assert api.refused("POST", "hosts", tags=[None, None, 9]) == (400, "pool_outside", "/tags/2")
    assert api("DELETE", f"hosts/{host['id']}")[0] == 204
    assert api("DELETE", f"hosts/{free['id']}")[0] == 204
    assert api.make("hosts", tags=[11])
    guest = api.make("guests", **mine)
    assert api("DELETE", f"networks/{net}")[0] == 204
    _, left = api("GET", f"guests/{guest['id']}")
    assert (left["network_id"], left["more"]) == (None, ["10.0.0.2"])
    again = api.network()
    assert api("PUT", f"guests/{guest['id']}", {"network_id": again})[0] == 200
    assert api.refused("POST", "hosts", **{**mine, "network_id": again}) == TAKEN


def test_many_in_one_request(api: Lists) -> None:
    net = api.network()

    def several(*lists: list[str]) -> tuple[int, Any]:
        hosts = [{"project_id": api.project, "network_id": net, "more": more} for more in lists]
        return api("POST", "hosts", {"hosts": hosts})

    assert several(["10.0.0.4"], ["10.0.0.5", "10.0.0.4"])[0] == 409
    status, made = several(["10.0.0.4"], ["10.0.0.5"])
    assert status == 201
    assert [h["address"] for h in made["hosts"]] == ["10.0.0.1", "10.0.0.2"]
    body = {"network_id": net, "more": ["10.0.0.6"]}
    assert api("POST", "hosts?dry_run=true", body)[0] == 201
    assert api("POST", "hosts?dry_run=true", {**body, "more": ["10.0.0.5"]})[0] == 409
    assert api.make("hosts", **body)
    keys = "&".join(f"id={h['id']}" for h in made["hosts"])
    assert api("DELETE", f"hosts?{keys}")[0] == 204
    assert api.make("hosts", network_id=net, more=["10.0.0.4", "10.0.0.5"])


def test_a_change_set_moves_an_address_and_undoes_it(api: Lists) -> None:
    net = api.network()
    one = api.make("hosts", network_id=net, address="10.0.0.1", more=["10.0.0.3"])
    two = api.make("hosts", network_id=net, address="10.0.0.2")
    give = {"op": "update", "type": "Host", "key": one["id"], "body": {"more": ["10.0.0.4"]}}
    take = {"op": "update", "type": "Host", "key": two["id"], "body": {"address": "10.0.0.3"}}
    assert api.change(take, give)[1]["code"] == "pool_taken", "in their order"
    status, plan = api.change(give, take, query="?plan=true")
    assert (status, plan["allocations"]) == (200, [])
    assert [c["body"].get("more") for c in plan["changes"]] == [["10.0.0.4"], []]
    status, done = api.server.request("POST", f"{V}/{plan['id']}/apply", {})
    assert status == 200, done
    assert api("GET", f"hosts/{two['id']}")[1]["address"] == "10.0.0.3"
    assert api.refused("POST", "hosts", network_id=net, more=["10.0.0.4"]) == TAKEN
    status, undone = api.server.request("POST", f"{V}/{done['id']}/undo", {})
    assert status == 201, undone
    assert [api("GET", f"hosts/{h['id']}")[1]["more"] for h in (one, two)] == [["10.0.0.3"], []]
    assert api.make("hosts", network_id=net, address="10.0.0.4")
    assert api.refused("POST", "hosts", network_id=net, more=["10.0.0.3"]) == TAKEN


def test_what_was_deleted_comes_back_with_its_list_unless_somebody_has_it(api: Lists) -> None:
    net = api.network()
    host = api.make("hosts", network_id=net, more=["10.0.0.3"])
    gone = {"op": "delete", "type": "Host", "key": host["id"]}
    status, done = api.change(gone)
    assert status == 201, done
    other = api.make("hosts", network_id=net, address="10.0.0.3")
    status, fault = api.server.request("POST", f"{V}/{done['id']}/undo", {})
    assert (status, fault["code"]) == (409, "pool_taken")
    assert api("DELETE", f"hosts/{other['id']}")[0] == 204
    assert api.server.request("POST", f"{V}/{done['id']}/undo", {})[0] == 201
    assert api("GET", f"hosts/{host['id']}")[1]["more"] == ["10.0.0.3"]


def test_random_requests_never_give_a_value_twice_and_never_lose_one(api: Lists) -> None:
    """After each one the values that objects have are in use, and all others are free."""
    dice = random.Random(7)
    nets = [api.network("10.0.0.0/29") for _ in range(2)]
    every = [f"10.0.0.{n}" for n in range(1, 7)]
    hosts: dict[str, Any] = {}

    def some() -> list[str]:
        return dice.sample(every, dice.randrange(4))

    for _ in range(120):
        body: dict[str, Any] = {"more": some()}
        if dice.random() < 0.5:
            body["address"] = dice.choice([*every, None])
        if dice.random() < 0.3:
            body["network_id"] = dice.choice(nets)
        key = dice.choice([*hosts, ""]) if len(hosts) < 8 else dice.choice([*hosts])
        if not key:
            status, answer = api("POST", "hosts", {"network_id": dice.choice(nets), **body})
        elif dice.random() < 0.3:
            status, answer = api("DELETE", f"hosts/{key}")
            hosts.pop(key)
        else:
            status, answer = api(dice.choice(["PUT", "PATCH"]), f"hosts/{key}", body)
        assert status in {200, 201, 204, 409}, answer
        if status in {200, 201}:
            hosts[answer["id"]] = answer
        for net in nets:
            mine = [h for h in hosts.values() if h["network_id"] == net]
            held = [a for h in mine for a in (h["address"], *h["more"]) if a is not None]
            assert len(held) == len(set(held)), held
        net = dice.choice(nets)
        used = {a for h in hosts.values() if h["network_id"] == net for a in (h["address"], *h["more"])}
        value = dice.choice(every)
        status, _ = api("POST", "hosts?dry_run=true", {"network_id": net, "address": value})
        assert status == (409 if value in used else 201), (value, used)
