"""What is read through another version and sent back changes nothing; a version where it would is read only."""

import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from gluon.testing.product import GluonServer
from tests.api.editions import both

OLD = """
file_version: "2.0"
imports: base-2.0
info: {name: shop, version: "1"}
objects:
  Box:
    extends: BaseObject
    api: {name: box, plural_name: boxes}
    attributes:
      host: {type: string}
      port: {type: string}
      cidr: {type: string}
  Place:
    extends: BaseObject
    api: {name: place}
    attributes:
      address: {type: object, attributes: {street: {type: string}}}
  Lamp:
    extends: BaseObject
    api: {name: lamp}
    attributes:
      colour: {type: enum, values: [red, rot]}
"""
NEW = """
file_version: "2.0"
imports: base-2.0
info: {name: shop, version: "2"}
versions:
  "1":
    types:
      Box:
        attributes:
          host: {split: where, part: 0, by: ":"}
          port: {split: where, part: 1, by: ":"}
          cidr: {join: [first, second], by: "/"}
      Lamp:
        attributes:
          colour: {is: colour, values: {red: rot}}
objects:
  Box:
    extends: BaseObject
    api: {name: box, plural_name: boxes}
    attributes:
      where: {type: string}
      first: {type: string}
      second: {type: string}
  Place:
    extends: BaseObject
    api: {name: place}
    attributes:
      address: {type: object, attributes: {street: {type: string}, zip: {type: string}}}
  Lamp:
    extends: BaseObject
    api: {name: lamp}
    attributes:
      colour: {type: enum, values: [rot]}
"""
V1, V2 = "/proton/shop/v1", "/proton/shop/v2"
PROJECT = str(uuid.uuid4())


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GluonServer]:
    with both(tmp_path_factory.mktemp("shop"), OLD, NEW) as running:
        yield running


@pytest.mark.parametrize(
    "stored",
    [
        {"where": "2001:db8::1"},
        {"where": "name"},
        {"where": ""},
        {"first": "10.0.0.0"},
        {"second": "8"},
        {"first": "a/b", "second": "c"},
        {},
    ],
)
def test_what_was_read_through_an_old_version_may_be_sent_back(
    server: GluonServer, stored: dict[str, str]
) -> None:
    status, made = server.request("POST", f"{V2}/boxes", {"project_id": PROJECT, **stored})
    assert status == 201, made
    status, shown = server.request("GET", f"{V1}/boxes/{made['id']}")
    assert status == 200
    body = {name: shown[name] for name in ("host", "port", "cidr")}
    status, after = server.request("PUT", f"{V1}/boxes/{made['id']}", body)
    assert (status, {name: after.get(name) for name in body}) == (200, body)
    kept = server.request("GET", f"{V2}/boxes/{made['id']}")[1]
    assert {**kept, "updated_at": ""} == {**made, "updated_at": ""}


def test_parts_are_read_as_they_were_written_or_refused(server: GluonServer) -> None:
    status, made = server.request(
        "POST", f"{V1}/boxes", {"project_id": PROJECT, "host": "a", "port": "b:c", "cidr": "x/y"}
    )
    assert (status, made["host"], made["port"], made["cidr"]) == (201, "a", "b:c", "x/y")
    status, after = server.request("PUT", f"{V1}/boxes/{made['id']}", {"port": None, "cidr": None})
    assert (status, after["host"], after["port"], after["cidr"]) == (200, "a", None, None)
    for body in ({"host": "a:b", "port": "c"}, {"host": None, "port": "c"}):
        status, fault = server.request("PUT", f"{V1}/boxes/{made['id']}", body)
        assert (status, fault["errors"][0]["pointer"]) == (400, "/host"), fault


@pytest.mark.parametrize(("plural", "attribute"), [("places", "address"), ("lamps", "colour")])
def test_a_version_that_would_lose_something_is_read_only(
    server: GluonServer, plural: str, attribute: str
) -> None:
    status, fault = server.request("POST", f"{V1}/{plural}", {"project_id": PROJECT})
    assert status == 405, fault
    assert attribute in fault["detail"]
    document: dict[str, Any] = server.request("GET", "/gluon/v1/protons/shop/v1/openapi.json")[1]
    assert document["paths"][f"{V1}/{plural}"].keys() == {"get"}
