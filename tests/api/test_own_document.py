"""The OpenAPI document of Gluon's own routes says all that they answer."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest

from gluon.export import skeleton
from gluon.testing.product import GluonServer

V1 = "/gluon/v1"
PROJECT = "7a1f7d4e-0e13-4d5c-9f24-e0f6d9b6f3a1"
CHANGES: dict[str, Any] = {
    "name": "desk",
    "changes": [
        {
            "op": "create",
            "api": "net-l2",
            "type": "Port",
            "as": "desk",
            "body": {"project_id": PROJECT, "mac_address": "fa:16:3e:00:00:07"},
        },
        {
            "op": "create",
            "api": "net-l2",
            "plural": "networks",
            "as": "office",
            "body": {"project_id": PROJECT, "name": "office", "subnets": [{"cidr": "192.0.2.0/24"}]},
        },
        {
            "op": "create",
            "api": "net-l2",
            "type": "Attachment",
            "body": {
                "project_id": PROJECT,
                "interface_id": {"$ref": "desk"},
                "service_id": {"$ref": "office"},
            },
        },
    ],
}


def strict(schema: Any) -> Any:
    """Nothing that is not said: where members are named, no others."""
    if isinstance(schema, list):
        return [strict(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    made = {name: strict(value) for name, value in schema.items()}
    if isinstance(schema.get("properties"), dict) and "type" in schema:
        made.setdefault("additionalProperties", False)
    return made


class Documented:
    """Asks a server; what goes out and what comes in fits its document."""

    def __init__(self, server: GluonServer) -> None:
        self.server = server
        status, document = server.request("GET", f"{V1}/openapi.json")
        assert status == 200
        open_ones = ("OpenApi", "Problem", "Status")
        self.document = copy.deepcopy(document)
        schemas = self.document["components"]["schemas"]
        for name in schemas:
            if not name.endswith(open_ones):
                schemas[name] = strict(schemas[name])

    def ask(self, verb: str, path: str, url: str, body: Any = None, *, status: int = 200) -> Any:
        operation = self.document["paths"][path][verb]
        if body is not None:
            self.check(operation["requestBody"]["content"]["application/json"]["schema"], body)
        told, headers, answer = self.server.exchange(verb.upper(), url, body)
        assert told == status, answer
        said = operation["responses"][str(told)]
        if "$ref" in said:
            said = self.document["components"]["responses"][said["$ref"].split("/")[-1]]
        if "content" in said:
            self.check(said["content"][headers["content-type"].split(";")[0]]["schema"], answer)
        return answer

    def check(self, schema: dict[str, Any], value: Any) -> None:
        whole = {**schema, "components": self.document["components"]}
        jsonschema_rs.Draft202012Validator(whole).validate(value)


@pytest.fixture(scope="module")
def gluon() -> Iterator[Documented]:
    with GluonServer("up") as server:
        yield Documented(server)


def test_what_is_read_is_as_documented(gluon: Documented) -> None:
    values = {"api": "net-l2", "version": "v2.0", "project": PROJECT}
    for path, item in gluon.document["paths"].items():
        if "get" in item and not path.endswith("/watch") and "{id}" not in path:
            gluon.ask("get", path, re.sub(r"{(\w+)}", lambda found: values[found[1]], path))
    missing = "/gluon/v1/changesets/{id}"
    gluon.ask("get", missing, missing.format(id="5c0f3a52-6d5e-4a4b-9f0c-1a2b3c4d5e6f"), status=404)


def test_models_come_and_go_as_documented(gluon: Documented) -> None:
    text = skeleton.text("net-x")
    one = f"{V1}/protons/{{api}}"
    gluon.ask("post", f"{V1}/protons", f"{V1}/protons", {"files": {"api.yaml": text}}, status=201)
    changed = {"files": {"api.yaml": text.replace("length: 80", "length: 90")}}
    gluon.ask("put", one, f"{V1}/protons/net-x", changed)
    quotas = f"{V1}/quotas/{{project}}"
    own = f"{V1}/quotas/{PROJECT}"
    gluon.ask("put", quotas, own, {"quotas": {"net-x": {"Service": 3}, "net-l2": {"Port": None}}})
    gluon.ask("delete", quotas, own, status=204)
    gluon.ask("delete", one, f"{V1}/protons/net-x?force=true")
    gluon.ask("post", f"{V1}/resync", f"{V1}/resync", {}, status=202)
    (found,) = gluon.ask("get", f"{V1}/hosts", f"{V1}/hosts")["hosts"]
    gluon.ask("delete", f"{V1}/hosts/{{host}}", f"{V1}/hosts/{found['host']}", status=409)
    gluon.ask("delete", f"{V1}/hosts/{{host}}", f"{V1}/hosts/nowhere?controller=x", status=404)
    for wrong in ("force=maybe", "contoller=x", "force=true&force=true"):
        gluon.ask("delete", f"{V1}/hosts/{{host}}", f"{V1}/hosts/nowhere?{wrong}", status=400)
    gluon.ask("delete", one, f"{V1}/protons/net-x?forse=true", status=400)


def test_change_sets_are_as_documented(gluon: Documented) -> None:
    base = f"{V1}/changesets"
    one, apply, undo = (f"{base}/{{id}}{end}" for end in ("", "/apply", "/undo"))
    plan = gluon.ask("post", base, f"{base}?plan=true", CHANGES)
    gluon.ask("get", one, f"{base}/{plan['id']}")
    done = gluon.ask("post", apply, f"{base}/{plan['id']}/apply")
    port = next(change["key"] for change in done["changes"] if change["type"] == "Port")
    more = {"changes": [{"op": "update", "api": "net-l2", "type": "Port", "key": port, "if_match": "*"}]}
    more["changes"][0] |= {"body": {"host_id": "host-1", "device_id": "machine-1"}, "merge": True}
    made = gluon.ask("post", base, base, more, status=201)
    assert gluon.ask("get", f"{V1}/ports", f"{V1}/ports")["ports"]
    assert "next" in gluon.ask("get", base, f"{base}?limit=1&api=net-l2")
    gluon.ask("post", undo, f"{base}/{made['id']}/undo?plan=true")
    gluon.ask("post", undo, f"{base}/{made['id']}/undo", status=201)
    gluon.ask("post", undo, f"{base}/{plan['id']}/undo", status=409)
    gluon.ask("get", one, f"{base}/{made['id']}")


def test_an_empty_marker_of_ports_is_their_beginning(gluon: Documented) -> None:
    found = gluon.document["paths"][f"{V1}/ports"]["get"]["parameters"]
    (marker,) = [one for one in found if one.get("name") == "marker"]
    gluon.check(marker["schema"], "")
    assert gluon.ask("get", f"{V1}/ports", f"{V1}/ports?marker=") == gluon.ask(
        "get", f"{V1}/ports", f"{V1}/ports"
    )
