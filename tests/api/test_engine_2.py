"""What version 2.0 of the language promises of objects, over HTTP and on each database."""

import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from gluon.testing.product import GluonServer
from tests.api.conftest import DATABASES, served

MODEL = """
file_version: "2.0"
imports: base-2.0
info: {name: net-campus, version: "2.0", description: A campus.}
pools:
  vnis: {type: vni, ranges: [100-104], rest: 0, description: Numbers of networks.}
objects:
  Site:
    extends: BaseObject
    description: A place.
    api: {name: site, plural_name: sites}
    attributes:
      code: {type: string, length: 8, unique: global, immutable: true, description: Short name.}
      name: {unique: true}
    quota: 3
  Room:
    extends: BaseObject
    description: A part of a site.
    api: {name: room, plural_name: rooms, parent: Site, parent_key: site_id}
    attributes:
      site_id: {type: Site, required: true, on_delete: cascade, description: Where.}
      size: {type: integer, default: 10, description: Square metres.}
  Rack:
    extends: BaseObject
    description: A part of a room.
    api: {name: rack, plural_name: racks, parent: Room, parent_key: room_id}
    attributes:
      room_id: {type: Room, required: true, on_delete: cascade, description: Where.}
      units: {type: integer, required: true, description: Height.}
    checks:
      - {rule: "self.units <= self.room_id.size * 4", message: the rack is too high for its room, at: units}
  Network:
    extends: BaseService
    description: A network.
    api: {name: network, plural_name: networks}
    attributes:
      vni: {type: vni, pool: vnis, required: true, description: Its number.}
      prefixes:
        type: list
        items: {type: cidr}
        default: []
        description: Its addresses.
      home: {type: Site, on_delete: restrict, listed_as: networks, description: Where it is at home.}
      peers:
        type: list
        default: []
        items: {type: Network, on_delete: unset, description: Another one.}
        description: Networks that it may speak with.
    pools:
      addresses: {type: ip, from: prefixes, rest: 0}
  Port:
    extends: BasePort
    description: A port.
    api: {name: port, plural_name: ports}
  Interface:
    extends: BaseInterface
    description: An interface.
    api: {name: interface, plural_name: interfaces, parent: Port, parent_key: port_id}
    attributes:
      port_id: {type: Port, on_delete: cascade}
  Attachment:
    extends: BaseServiceBinding
    description: A binding.
    api: {name: attachment, plural_name: attachments}
    attributes:
      interface_id: {type: Interface, on_delete: cascade}
      service_id: {type: Network, on_delete: cascade, listed_as: attachments}
      address: {type: ip, pool: service_id.addresses, description: Its address.}
"""
V2 = "/proton/net-campus/v2.0"


@pytest.fixture(scope="module", params=DATABASES)
def server(request: pytest.FixtureRequest) -> Iterator[GluonServer]:
    with served(request, "--no-shims", net_campus=MODEL) as running:
        yield running


class Campus:
    """The proton as one project uses it."""

    def __init__(self, server: GluonServer) -> None:
        self.server = server
        self.project = str(uuid.uuid4())

    def __call__(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        return self.server.request(method, f"{V2}/{path}", body)

    def make(self, path: str, **body: Any) -> dict[str, Any]:
        status, made = self("POST", path, {"project_id": self.project, **body})
        assert status == 201, made
        found: dict[str, Any] = made
        return found

    def refused(self, method: str, path: str, body: Any = None) -> tuple[int, str, str]:
        """Status, code and pointer of what is refused."""
        status, fault = self(method, path, body)
        assert status >= 400, fault
        return status, fault["code"], fault["errors"][0]["pointer"] if fault["errors"] else ""


@pytest.fixture
def campus(server: GluonServer) -> Iterator[Campus]:
    campus = Campus(server)
    yield campus
    for plural in ("ports", "networks", "sites"):
        for body in campus("GET", plural)[1][plural]:
            if body["project_id"] == campus.project:
                assert campus("DELETE", f"{plural}/{body['id']}")[0] == 204


def test_values_that_are_absent_fixed_and_unique(campus: Campus) -> None:
    code = uuid.uuid4().hex[:8]
    site = campus.make("sites", code=code, name="north")
    path = f"sites/{site['id']}"
    assert campus("PUT", path, {"code": code, "name": "north"})[0] == 200
    assert campus.refused("PUT", path, {"code": "x"}) == (400, "immutable", "/code")
    body = {"project_id": campus.project, "name": "north"}
    status, fault = campus("POST", "sites", body)
    assert (status, fault["code"]) == (409, "taken")
    assert "name 'north'" in fault["detail"]
    assert "in this project" in fault["detail"]
    status, fault = campus("POST", "sites", {"project_id": str(uuid.uuid4()), "code": code})
    assert (status, fault["code"]) == (409, "taken")
    assert campus.project not in fault["detail"]
    room = campus.make(f"sites/{site['id']}/rooms")
    assert room["size"] == 10
    assert campus.refused("PUT", f"rooms/{room['id']}", {"size": None})[1:] == ("required", "/size")
    port = campus.make("ports")
    assert port["status"] == "DOWN"
    assert campus.refused("PUT", f"ports/{port['id']}", {"status": "ACTIVE"}) == (400, "read_only", "/status")
    assert (
        campus.refused("POST", "ports", {"project_id": campus.project, "status": "ACTIVE"})[1] == "read_only"
    )


def test_every_step_of_a_path_is_checked(campus: Campus) -> None:
    north, south = campus.make("sites", name="n"), campus.make("sites", name="s")
    room = campus.make(f"sites/{north['id']}/rooms", size=20)
    here = f"sites/{north['id']}/rooms/{room['id']}"
    rack = campus.make(f"{here}/racks", units=42)
    assert rack["room_id"] == room["id"]
    assert campus("GET", f"{here}/racks")[1] == {"racks": [rack]}
    assert campus("GET", f"{here}/racks/{rack['id']}") == (200, rack)
    assert campus("GET", f"{here}/racks/{rack['id']}/status")[0] == 200
    assert campus("PUT", f"{here}/racks/{rack['id']}", {"units": 40})[1]["units"] == 40
    away = f"sites/{south['id']}/rooms/{room['id']}"
    for path in (away, f"{away}/racks", f"{away}/racks/{rack['id']}", f"{away}/racks/{rack['id']}/status"):
        assert campus.refused("GET", path)[:2] == (404, "not_found")
    assert campus.refused("POST", f"{away}/racks", {"project_id": campus.project, "units": 1})[0] == 404
    assert campus.refused("PUT", f"{away}/racks/{rack['id']}", {"units": 1})[0] == 404
    assert campus.refused("DELETE", f"{away}/racks/{rack['id']}")[0] == 404
    other = campus.make(f"sites/{north['id']}/rooms")
    assert campus.refused("DELETE", f"sites/{north['id']}/rooms/{other['id']}/racks/{rack['id']}")[0] == 404
    assert campus("GET", f"{here}/chairs")[0] == 404
    assert campus("DELETE", f"{here}/racks/{rack['id']}")[0] == 204


def test_rules_hold_for_the_object_and_for_who_reads_it(campus: Campus) -> None:
    site = campus.make("sites")
    room = campus.make(f"sites/{site['id']}/rooms", size=10)
    body = {"project_id": campus.project, "units": 41}
    status, fault = campus("POST", f"sites/{site['id']}/rooms/{room['id']}/racks", body)
    assert (status, fault["code"]) == (400, "rule")
    assert fault["errors"][0]["pointer"] == "/units"
    assert fault["detail"] == "the rack is too high for its room"
    rack = campus.make("racks", room_id=room["id"], units=40)
    status, fault = campus("PUT", f"rooms/{room['id']}", {"size": 9})
    assert (status, fault["code"]) == (409, "rule")
    assert rack["id"] in fault["detail"]
    assert campus("PUT", f"rooms/{room['id']}", {"size": 11})[0] == 200


def test_a_delete_cascades_unsets_and_is_restricted(campus: Campus) -> None:
    site = campus.make("sites")
    room = campus.make(f"sites/{site['id']}/rooms")
    campus.make("racks", room_id=room["id"], units=1)
    first = campus.make("networks", home=site["id"], prefixes=["10.0.0.0/24"])
    second = campus.make("networks", peers=[first["id"]])
    port = campus.make("ports")
    binding = campus.make("attachments", interface_id=port["id"], service_id=first["id"])
    assert binding["address"] == "10.0.0.1"
    assert campus("GET", f"networks/{first['id']}/attachments")[1] == {"attachments": [binding]}
    assert campus("GET", f"sites/{site['id']}/networks")[1] == {"networks": [first]}
    assert campus.refused("GET", f"sites/{uuid.uuid4()}/networks")[0] == 404
    status, fault = campus("DELETE", f"sites/{site['id']}")
    assert (status, fault["code"]) == (409, "still_referred")
    assert first["id"] in fault["detail"]
    assert campus("DELETE", f"networks/{first['id']}")[0] == 204
    assert campus("GET", f"networks/{second['id']}")[1]["peers"] == []
    assert campus("GET", f"attachments/{binding['id']}")[0] == 404
    assert campus("DELETE", f"sites/{site['id']}")[0] == 204
    assert campus("GET", f"rooms/{room['id']}")[0] == 404
    binding = campus.make("attachments", interface_id=port["id"], service_id=second["id"])
    assert binding["address"] is None
    assert campus("DELETE", f"ports/{port['id']}")[0] == 204
    assert campus("GET", f"attachments/{binding['id']}")[0] == 404
    assert campus("GET", f"interfaces/{port['id']}")[0] == 404


def test_pools_and_quotas_have_an_end(campus: Campus) -> None:
    made = [campus.make("networks") for _ in range(5)]
    assert sorted(m["vni"] for m in made) == list(range(100, 105))
    status, fault = campus("POST", "networks", {"project_id": campus.project})
    assert (status, fault["code"]) == (409, "pool_exhausted")
    assert "vnis" in fault["detail"]
    assert campus("DELETE", f"networks/{made[2]['id']}")[0] == 204
    again = campus.make("networks", vni=made[2]["vni"], prefixes=["10.0.0.0/24"])
    port = campus.make("ports")
    campus.make("attachments", interface_id=port["id"], service_id=again["id"], address="10.0.0.9")
    body = {"project_id": campus.project, "interface_id": port["id"], "service_id": again["id"]}
    assert campus.refused("POST", "attachments", {**body, "address": "10.0.0.9"})[:2] == (409, "pool_taken")
    assert campus.refused("PUT", f"networks/{again['id']}", {"prefixes": []})[:2] == (409, "pool_in_use")
    for _ in range(3):
        campus.make("sites")
    status, fault = campus("POST", "sites", {"project_id": campus.project})
    assert (status, fault["code"]) == (409, "quota")
    assert "3 of at most 3" in fault["detail"]
