"""Several versions of one proton, served from the same objects."""

import json
import uuid
from collections.abc import Iterator
from http.client import HTTPConnection
from typing import Any

import pytest

from gluon.testing.product import GluonServer
from tests.api.test_commands import run

OLD = """
file_version: "1.0"
imports: base/base.yaml
info: {name: net-eline, version: "1.0", description: Circuits.}
objects:
  Circuit:
    api: {name: circuit, plural_name: circuits}
    attributes:
      id: {type: uuid, primary: true}
      tenant_id: {type: uuid, required: true}
      mode: {type: enum, values: [hub, spoke], required: true}
      cidr: {type: string, length: 50}
      bandwidth: {type: integer, required: true, min: 1}
  Note:
    api: {name: note, plural_name: notes, parent: Circuit, parent_key: circuit_id}
    attributes:
      id: {type: uuid, primary: true}
      tenant_id: {type: uuid, required: true}
      circuit_id: {type: Circuit, required: true}
      text: {type: string}
"""
MIDDLE = """
file_version: "2.0"
imports: base-2.0
info: {name: net-eline, version: "1.5", description: Circuits.}
objects:
  Circuit:
    extends: BaseObject
    api: {name: circuit, plural_name: circuits}
    attributes:
      speed: {type: integer, min: 1, max: 1000}
      place: {type: string, description: Nothing stored says this.}
"""
NEW = """
file_version: "2.0"
imports: base-2.0
info: {name: net-eline, version: "2.0", description: Circuits.}
versions:
  "1.0":
    deprecated: 2026-01-01
    sunset: 2027-06-30
    types:
      Circuit:
        is: Line
        attributes:
          tenant_id: project_id
          mode: {is: role, values: {hub: HUB, spoke: SPOKE}}
          cidr: {join: [address, prefix], by: /}
      Note:
        attributes:
          tenant_id: project_id
          circuit_id: line_id
  "1.5":
    types:
      Circuit:
        is: Line
        attributes: {speed: bandwidth}
objects:
  Line:
    extends: BaseObject
    api: {name: line, plural_name: lines}
    attributes:
      role: {type: enum, values: [HUB, SPOKE], required: true}
      address: {type: string}
      prefix: {type: string, length: 3}
      bandwidth: {type: integer, min: 1, max: 100000, required: true}
      colour: {type: string, default: red}
      tags: {type: list, items: {type: number}, default: []}
    checks:
      - rule: self.bandwidth != 13
        at: bandwidth
        message: 13 brings bad luck
  Note:
    extends: BaseObject
    api: {name: note, plural_name: notes, parent: Line, parent_key: line_id}
    attributes:
      line_id: {type: Line, required: true, on_delete: cascade}
      text: {type: string}
"""
V1, V15, V2 = (f"/proton/net-eline/v{v}" for v in ("1.0", "1.5", "2.0"))
PROJECT = str(uuid.uuid4())


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GluonServer]:
    folder = tmp_path_factory.mktemp("versions")
    for name, text in (("one", OLD), ("middle", MIDDLE), ("two", NEW)):
        (folder / name).mkdir()
        (folder / name / "api.yaml").write_text(text)
    with GluonServer("up", "--no-shims", "--model", str(folder)) as running:
        yield running


def old(server: GluonServer, **more: Any) -> dict[str, Any]:
    body = {"tenant_id": PROJECT, "mode": "hub", "cidr": "10.0.0.0/8", "bandwidth": 10, **more}
    status, made = server.request("POST", f"{V1}/circuits", body)
    assert status == 201, made
    assert {name: made[name] for name in body} == body
    found: dict[str, Any] = made
    return found


def test_what_one_version_writes_the_others_read(server: GluonServer) -> None:
    made = old(server)
    status, line = server.request("GET", f"{V2}/lines/{made['id']}")
    assert status == 200
    assert line == {
        "id": made["id"],
        "project_id": PROJECT,
        "name": None,
        "role": "HUB",
        "address": "10.0.0.0",
        "prefix": "8",
        "bandwidth": 10,
        "colour": "red",
        "tags": [],
        "created_at": made["created_at"],
        "updated_at": made["updated_at"],
    }
    assert made in server.request("GET", f"{V1}/circuits")[1]["circuits"]
    assert server.request("GET", f"{V15}/circuits/{made['id']}")[1]["speed"] == 10


def test_a_change_through_an_old_version_keeps_what_it_cannot_say(server: GluonServer) -> None:
    made = old(server)
    line = f"{V2}/lines/{made['id']}"
    assert server.request("PUT", line, {"colour": "blue", "name": "mine"})[0] == 200
    status, after = server.request(
        "PUT", f"{V1}/circuits/{made['id']}", {"mode": "spoke", "cidr": "10.9.0.0/16"}
    )
    assert (status, after["mode"], after["cidr"]) == (200, "spoke", "10.9.0.0/16")
    kept = server.request("GET", line)[1]
    assert (kept["colour"], kept["name"], kept["role"], kept["prefix"]) == ("blue", "mine", "SPOKE", "16")


def test_etags_are_those_of_the_stored_object(server: GluonServer) -> None:
    made = old(server)
    assert server.request("PUT", f"{V2}/lines/{made['id']}", {"bandwidth": 20})[0] == 200
    connection = HTTPConnection("127.0.0.1", server.port, timeout=60)
    connection.request("GET", f"{V1}/circuits/{made['id']}")
    first = connection.getresponse()
    first.read()
    connection.request("GET", f"{V2}/lines/{made['id']}")
    second = connection.getresponse()
    second.read()
    assert first.headers["etag"] == second.headers["etag"]
    connection.request("DELETE", f"{V1}/circuits/{made['id']}", headers={"If-Match": '"1"'})
    assert connection.getresponse().status == 412
    connection.close()


def test_mistakes_are_told_in_the_words_of_the_version(server: GluonServer) -> None:
    body = {"tenant_id": PROJECT, "mode": "star", "cidr": "10.0.0.0", "bandwidth": 0, "colour": "red"}
    status, fault = server.request("POST", f"{V1}/circuits", body)
    assert status == 400
    assert {e["pointer"] for e in fault["errors"]} == {"/mode", "/bandwidth", "/colour"}
    assert "faultstring" in fault
    good = {"tenant_id": PROJECT, "mode": "hub", "bandwidth": 1}
    status, fault = server.request("POST", f"{V1}/circuits", {**good, "cidr": "10.0.0.0"})
    assert (status, fault["errors"][0]["pointer"]) == (400, "/cidr")
    assert "<address>/<prefix>" in fault["errors"][0]["hint"]
    status, fault = server.request("POST", f"{V1}/circuits", {**good, "cidr": "10.0.0.0/1234"})
    assert (status, fault["errors"][0]["pointer"]) == (400, "/cidr"), "the stored version's limits count too"
    status, fault = server.request("POST", f"{V1}/circuits", {**good, "bandwidth": 13})
    assert (status, fault["errors"][0]["code"]) == (400, "rule")
    assert server.request("GET", f"{V1}/circuits/{uuid.uuid4()}")[0] == 404
    assert server.request("GET", f"{V1}/lines")[0] == 404


def test_lists_of_other_versions_take_no_arguments_and_say_which_do(server: GluonServer) -> None:
    for path in (f"{V1}/circuits?limit=1", f"{V15}/circuits?marker=x&limit=1", f"{V1}/circuits?mode=hub"):
        status, said = server.request("GET", path)
        assert status == 400, said
        assert "2.0 of net-eline" in json.dumps(said), said


def test_nested_paths_and_cascades(server: GluonServer) -> None:
    made = old(server)
    notes = f"{V1}/circuits/{made['id']}/notes"
    status, note = server.request("POST", notes, {"tenant_id": PROJECT, "text": "hello"})
    assert (status, note["circuit_id"]) == (201, made["id"])
    assert server.request("GET", notes)[1]["notes"] == [note]
    assert server.request("GET", f"{notes}/{note['id']}/status")[0] == 200
    assert server.request("DELETE", f"{V1}/circuits/{made['id']}")[0] == 204
    assert server.request("GET", f"{V1}/notes/{note['id']}")[0] == 404


def test_a_version_that_cannot_be_turned_back_is_read_only(server: GluonServer) -> None:
    made = old(server)
    status, fault = server.request("POST", f"{V15}/circuits", {"project_id": PROJECT, "speed": 3})
    assert status == 405
    assert "read only" in fault["detail"]
    assert "place" in fault["detail"]
    path = f"{V15}/circuits/{made['id']}"
    assert server.request("PUT", path, {"speed": 3})[0] == 405
    assert server.request("DELETE", path)[0] == 405
    assert server.request("GET", path)[1]["place"] is None


def test_the_roots_and_headers_say_which_versions_there_are(server: GluonServer) -> None:
    versions = server.request("GET", "/proton/net-eline")[1]
    found = {v["version_id"]: v["status"] for v in versions["versions"]}
    assert found == {"v2.0": "CURRENT", "v1.0": "DEPRECATED", "v1.5": "SUPPORTED"}
    assert versions["default_version"]["version_id"] == "v2.0"
    resources = server.request("GET", V1)[1]["resources"]
    assert {r["resource_name"] for r in resources} == {"circuits", "notes"}
    assert {r["status"] for r in resources} == {"DEPRECATED"}
    connection = HTTPConnection("127.0.0.1", server.port, timeout=60)
    connection.request("GET", f"{V1}/circuits")
    headers = connection.getresponse().headers
    assert headers["deprecation"] == "@1767225600"
    assert headers["sunset"] == "Wed, 30 Jun 2027 00:00:00 GMT"
    connection.close()
    assert server.request("GET", "/gluon/v1/protons/net-eline/v1.0/openapi.json")[0] == 200


def test_each_version_has_its_openapi(server: GluonServer) -> None:
    def paths(version: str) -> dict[str, Any]:
        status, document = server.request("GET", f"/gluon/v1/protons/net-eline/v{version}/openapi.json")
        assert status == 200
        found: dict[str, Any] = document["paths"]
        return found

    stored, old_one, read_only = paths("2.0"), paths("1.0"), paths("1.5")
    assert "deprecated" not in stored[f"{V2}/lines"]["get"]
    assert old_one[f"{V1}/circuits"]["post"]["deprecated"] is True
    assert read_only[f"{V15}/circuits"].keys() == {"get"}
    assert read_only[f"{V15}/circuits/{{id}}"].keys() == {"parameters", "get"}
    status, refused = server.request("POST", f"{V15}/circuits", {})
    assert status == 405, refused


def test_protonclient_speaks_to_the_stored_version_or_to_the_one_named(server: GluonServer) -> None:
    options = ("--project_id", PROJECT, "--role", "HUB", "--bandwidth", "7")
    made = run("protonclient", "--api", "net-eline", "line-create", *options, server=server)
    assert made.returncode == 0, made.stderr
    key = json.loads(made.stdout)["id"]
    words = ("protonclient", "--api", "net-eline", "--api-version")
    shown = run(*words, "1.0", "circuit-show", key, server=server)
    assert json.loads(shown.stdout)["mode"] == "hub"
    assert run(*words, "v1.5", "circuit-show", key, server=server).returncode == 0
    assert "circuit-create" in run(*words, "1.0", "--help", server=server).stdout
    unknown = run(*words, "9", "line-list", server=server)
    assert unknown.returncode == 255
    assert "net-eline 2.0, 1.5, 1.0" in unknown.stderr


def test_protonclient_takes_json_that_nobody_can_read(server: GluonServer) -> None:
    """What is no value goes as it was written, and the server says so."""
    done = run("protonclient", "--api", "net-eline", "line-create", "--tags", "[" * 20_000, server=server)
    assert done.returncode == 1
    assert "tags" in done.stderr and "is not a list" in done.stderr
    done = run("protonclient", "--api", "net-eline", "line-create", "--tags", "[1e400]", server=server)
    assert done.returncode == 1
    assert "tags" in done.stderr and "is not a list" in done.stderr
