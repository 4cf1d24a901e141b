"""The OpenAPI document is what the server does: every operation of it is tried with bodies made from its own schemas.

A status, a header or a member that the document does not have is a mistake of the document or of the server.
"""

import json
import re
import uuid
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

import jsonschema
import openapi_spec_validator
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gluon.export import openapi, paths, samples
from gluon.model import loader, types
from gluon.testing.product import GluonServer
from tests.api.from_schema import broken, fitting

MODEL = next(m for m in loader.load_catalog() if (m.name, m.version) == ("net-l3vpn", "1.0"))
URL = f"/gluon/v1/protons/{MODEL.name}/v{MODEL.version}/openapi.json"

_slow = [HealthCheck.too_slow, HealthCheck.data_too_large]
few = settings(max_examples=20, suppress_health_check=_slow)
very_few = settings(max_examples=8, suppress_health_check=_slow)


class Documented:
    """Asks a server, and holds each answer against the document."""

    def __init__(self, server: GluonServer, document: dict[str, Any]) -> None:
        self.server = server
        self.document = document
        self.tried: set[tuple[str, str]] = set()

    def schema(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.document["components"]["schemas"][name]
        return found

    def ask(
        self,
        verb: str,
        path: str,
        keys: Mapping[str, str],
        body: Any = None,
        *,
        headers: Mapping[str, str] | None = None,
    ) -> tuple[int, Any]:
        """`path` as in the document, `keys` for its parameters."""
        self.tried.add((verb, path))
        url = re.sub(r"{(\w+)}", lambda match: quote(keys[match[1]], safe=""), path)
        status, sent, answer = self.server.exchange(verb.upper(), url, body, headers=headers)
        response = self.resolved(self.document["paths"][path][verb]["responses"].get(str(status)))
        assert response, f"{verb} {path}: {status} is not in the document: {answer}"
        for name in response["headers"]:
            assert name in sent, f"{verb} {path}: {status} without the header {name}"
        if "content" not in response:
            assert not answer
            return status, None
        content = response["content"][sent["content-type"].split(";")[0]]
        whole = {**content["schema"], "components": self.document["components"]}
        jsonschema.Draft202012Validator(whole).validate(answer)
        return status, answer

    def resolved(self, node: dict[str, Any] | None) -> dict[str, Any] | None:
        while node and "$ref" in node:
            target: Any = self.document
            for step in node["$ref"][2:].split("/"):
                target = target[step]
            node = target
        return node


@pytest.fixture(scope="module")
def documented() -> Iterator[Documented]:
    with GluonServer("up") as server:
        status, document = server.request("GET", URL)
        assert status == 200
        yield Documented(server, document)


def test_the_server_has_the_document_of_each_model(documented: Documented) -> None:
    assert documented.document == json.loads(json.dumps(openapi.document(MODEL)))
    openapi_spec_validator.validate(documented.document)
    server = documented.server
    assert server.request("GET", URL.replace("v1.0", "v9.9"))[0] == 404
    assert server.request("DELETE", URL)[0] == 405


def in_order() -> list[types.ObjectType]:
    return [MODEL.types[name] for name in samples.creates(MODEL)]


def linked(t: types.ObjectType, body: dict[str, Any], made: Mapping[str, str]) -> dict[str, Any]:
    """The body with references to what is there, in one project, and no wish to be bound."""
    body = {name: value for name, value in body.items() if name not in {"host_id", "device_id"}}
    for name, attribute in t.attributes.items():
        if attribute.reference and (attribute.required or name == t.key or body.get(name)):
            body[name] = made[attribute.reference]
        elif attribute.role is types.Role.PROJECT:
            body[name] = samples.PROJECT
    if not t.generated_key and t.key in body:
        body[t.key] = f"{body[t.key]}"[:8] + uuid.uuid4().hex[:8]
    return body


def keys_of(place: paths.Place, made: Mapping[str, str], key: str = "") -> dict[str, str]:
    return {**{s.parameter: made[s.owner.name] for s in place.above}, place.key: key}


@given(data=st.data())
@very_few
def test_every_operation_does_as_documented(documented: Documented, data: st.DataObject) -> None:
    made: dict[str, str] = {}
    cleanup = []
    for t in in_order():
        for place in paths.places(MODEL, t):
            body = linked(t, data.draw(fitting(documented.schema(f"{t.name}.create")), label=t.name), made)
            if place.above:
                body.pop(t.parent_key or "", None)
            status, answer = documented.ask("post", place.path, keys_of(place, made), body)
            assert status == 201, answer
            made[t.name] = str(answer[t.key])
            change = linked(t, data.draw(fitting(documented.schema(f"{t.name}.update"))), made)
            change.pop(t.key, None)
            look(documented, place, made, change)
            cleanup.append((place, dict(made)))
    for place, there in reversed(cleanup):
        keys = keys_of(place, there, there[place.type.name])
        assert documented.ask("delete", place.one, keys)[0] == 204
        assert documented.ask("delete", place.one, keys)[0] == 404
    every = {(v, p) for p, item in documented.document["paths"].items() for v in item if v != "parameters"}
    assert documented.tried >= every


def look(documented: Documented, place: paths.Place, made: Mapping[str, str], change: dict[str, Any]) -> None:
    keys = keys_of(place, made, made[place.type.name])
    assert documented.ask("get", place.path, keys)[0] == 200
    assert documented.ask("get", place.one, keys)[0] == 200
    assert documented.ask("get", f"{place.one}/status", keys)[0] == 200
    stale = {"if-match": '"0"'}
    assert documented.ask("put", place.one, keys, change, headers=stale)[0] == 412
    assert documented.ask("put", place.one, keys, change)[0] == 200
    assert documented.ask("delete", place.one, keys, headers=stale)[0] == 412


@given(data=st.data())
@few
def test_what_does_not_fit_is_refused(documented: Documented, data: st.DataObject) -> None:
    for t in in_order():
        place = paths.places(MODEL, t)[0]
        for verb, path, name in (("post", place.path, "create"), ("put", place.one, "update")):
            schema = documented.schema(f"{t.name}.{name}")
            body = data.draw(broken(schema), label=f"{t.name}.{name}")
            assert not jsonschema.Draft202012Validator(schema).is_valid(body)
            status, answer = documented.ask(verb, path, keys_of(place, {}, uuid.uuid4().hex), body)
            assert status == 400, answer
            assert answer["errors"]


@pytest.mark.parametrize("t", in_order(), ids=lambda t: t.name)
def test_refusals_that_need_no_body_of_their_own(documented: Documented, t: types.ObjectType) -> None:
    place = paths.places(MODEL, t)[0]
    keys = keys_of(place, {}, uuid.uuid4().hex)
    problem = {"accept": "application/problem+json, application/json"}
    for verb, path in (("get", place.one), ("get", f"{place.one}/status"), ("delete", place.one)):
        assert documented.ask(verb, path, keys, headers=problem)[0] == 404
    assert documented.ask("put", place.one, keys, {})[0] == 404
    assert documented.ask("post", place.path, keys, {}, headers={"content-type": "text/plain"})[0] == 415
    assert documented.ask("post", place.path, keys, {"a": "b" * 300_000})[0] == 413
    assert documented.ask("get", place.path, keys, headers={"accept": "text/html"})[0] == 406
    assert documented.ask("get", place.path, keys, headers={"origin": "http://evil.example"})[0] == 403
