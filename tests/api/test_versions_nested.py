"""Paths of a version that nests other types than the stored one does, or has types that are gone."""

import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from gluon.testing.product import GluonServer
from tests.api.editions import both
from tests.api.streams import Stream

OLD = """
file_version: "2.0"
imports: base-2.0
info: {name: shop, version: "1"}
objects:
  Circuit:
    extends: BaseObject
    api: {name: circuit}
    attributes:
      speed: {type: integer}
  Note:
    extends: BaseObject
    api: {name: note, parent: Circuit, parent_key: circuit_id}
    attributes:
      circuit_id: {type: Circuit, required: true}
      text: {type: string}
  Gone:
    extends: BaseObject
    api: {name: gone}
  Part:
    extends: BaseObject
    api: {name: part, parent: Gone, parent_key: gone_id}
    attributes:
      gone_id: {type: Gone}
"""
NEW = """
file_version: "2.0"
imports: base-2.0
info: {name: shop, version: "2"}
versions:
  "1":
    types:
      Circuit: {is: Line, attributes: {speed: rate}}
      Note: {attributes: {circuit_id: line_id}}
objects:
  Line:
    extends: BaseObject
    api: {name: line}
    attributes:
      rate: {type: integer, min: 10, default: 10}
  Note:
    extends: BaseObject
    api: {name: note}
    attributes:
      line_id: {type: Line, required: true}
      text: {type: string}
    checks:
      - {rule: "self.text == null || self.line_id.rate > 20", message: no notes, at: line_id}
  Part:
    extends: BaseObject
    api: {name: part}
"""
V1, V2 = "/proton/shop/v1", "/proton/shop/v2"
PROJECT = {"project_id": str(uuid.uuid4())}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GluonServer]:
    with both(tmp_path_factory.mktemp("shop"), OLD, NEW) as running:
        yield running


def made(server: GluonServer, path: str, **more: Any) -> dict[str, Any]:
    status, body = server.request("POST", V1 + path, {**PROJECT, **more})
    assert status == 201, body
    found: dict[str, Any] = body
    return found


def test_lists_below_an_object_have_its_own(server: GluonServer) -> None:
    one, other = made(server, "/circuits")["id"], made(server, "/circuits")["id"]
    note = made(server, f"/circuits/{one}/notes")
    assert note["circuit_id"] == one
    assert server.request("GET", f"{V1}/circuits/{one}/notes")[1]["notes"] == [note]
    assert server.request("GET", f"{V1}/circuits/{other}/notes")[1]["notes"] == []


def test_an_object_is_reached_below_its_own_parent_alone(server: GluonServer) -> None:
    one, other = made(server, "/circuits")["id"], made(server, "/circuits")["id"]
    note = made(server, f"/circuits/{one}/notes")["id"]
    wrong, right = (f"{V1}/circuits/{key}/notes/{note}" for key in (other, one))
    assert server.request("GET", wrong)[0] == 404
    assert server.request("PUT", wrong, {"name": "x"})[0] == 404
    assert server.request("DELETE", wrong)[0] == 404
    assert server.request("PUT", right, {"name": "x"})[1]["name"] == "x"
    assert server.request("DELETE", right)[0] == 204


def test_a_watch_below_an_object_has_its_own(server: GluonServer) -> None:
    one, other = made(server, "/circuits")["id"], made(server, "/circuits")["id"]
    with Stream(server.port, f"{V1}/circuits/{one}/notes?watch=true") as stream:
        made(server, f"/circuits/{other}/notes")
        note = made(server, f"/circuits/{one}/notes")
        assert stream.change()["object"]["id"] == note["id"]


def test_mistakes_below_an_object_are_told_in_the_words_of_the_version(server: GluonServer) -> None:
    one, other = made(server, "/circuits")["id"], made(server, "/circuits")["id"]
    for body, code in (({"text": "x"}, "rule"), ({"circuit_id": other}, "parent")):
        status, fault = server.request("POST", f"{V1}/circuits/{one}/notes", {**PROJECT, **body})
        (problem,) = fault["errors"]
        assert (status, problem["pointer"], problem["code"]) == (400, "/circuit_id", code)
    assert problem["detail"].startswith("circuit_id: ")
    assert "circuit_id" in problem["hint"]
    status, fault = server.request("POST", f"{V1}/circuits", {**PROJECT, "speed": 1})
    assert (status, fault["errors"][0]["detail"]) == (400, "speed: '1' is below 10")


def test_the_document_has_what_is_served_alone(server: GluonServer) -> None:
    status, document = server.request("GET", "/gluon/v1/protons/shop/v1/openapi.json")
    assert status == 200
    paths = document["paths"]
    assert f"{V1}/circuits/{{circuit_id}}/notes" in paths
    assert f"{V1}/parts" in paths
    assert not [path for path in paths if "gones" in path]
    assert [tag["name"] for tag in document["tags"]] == ["Circuit", "Note", "Part"]
    assert server.request("GET", f"{V1}/gones")[0] == 404
    assert server.request("GET", f"{V1}/parts")[0] == 200
