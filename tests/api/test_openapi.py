"""The OpenAPI document is what the server does: every operation of it is tried with bodies made from its own schemas.

A status, a header or a member that the document does not have is a mistake of the document or of the server.
"""

import json
import random
import re
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jsonschema_rs
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from gluon.export import openapi, paths, samples
from gluon.model import loader, types
from gluon.testing.product import GluonServer
from tests.api.from_schema import broken, fitting

MODELS = (*loader.load_shipped(), *loader.load([Path("tests/api/models/every")]))

# What no schema of a body can say: a body that fits may meet these.
DEEPER = {"rule", "pool_outside", "pool_taken", "pool_range", "taken"}

_slow = [HealthCheck.too_slow, HealthCheck.data_too_large]
# A server remembers, so a failure is told as it was and not made smaller.
_phases = [Phase.explicit, Phase.generate]
few = settings(max_examples=12, suppress_health_check=_slow, phases=_phases)
very_few = settings(max_examples=6, suppress_health_check=_slow, phases=_phases)


class Documented:
    """Asks a server, and holds each answer against the document."""

    def __init__(self, server: GluonServer, model: types.Model, document: dict[str, Any]) -> None:
        self.server = server
        self.model = model
        self.types = [model.types[name] for name in samples.creates(model)]
        self.document = document
        self.tried: set[tuple[str, str]] = set()
        self._judges: dict[tuple[str, ...], jsonschema_rs.Draft202012Validator] = {}

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
            known = name in sent or name == "idempotency-replayed"
            assert known, f"{verb} {path}: {status} without the header {name}"
        if "content" not in response:
            assert not answer
            return status, None
        kind = sent["content-type"].split(";")[0]
        self.judge((verb, path, str(status), kind), response["content"][kind]["schema"]).validate(answer)
        return status, answer

    def judge(self, place: tuple[str, ...], schema: dict[str, Any]) -> jsonschema_rs.Draft202012Validator:
        """Of a schema of the document; the same one for the same place."""
        if place not in self._judges:
            whole = {**schema, "components": self.document["components"]}
            self._judges[place] = jsonschema_rs.Draft202012Validator(whole)
        return self._judges[place]

    def resolved(self, node: dict[str, Any] | None) -> dict[str, Any] | None:
        while node and "$ref" in node:
            target: Any = self.document
            for step in node["$ref"][2:].split("/"):
                target = target[step]
            node = target
        return node


def url_of(model: types.Model) -> str:
    return f"/gluon/v1/protons/{model.name}/v{model.version}/openapi.json"


@pytest.fixture(scope="module", params=MODELS, ids=lambda m: f"{m.name}-{m.version}")
def documented(request: pytest.FixtureRequest) -> Iterator[Documented]:
    model: types.Model = request.param
    with GluonServer("up", "--model", model.source) as server:
        status, document = server.request("GET", url_of(model))
        assert status == 200
        yield Documented(server, model, document)


def test_the_server_has_the_document_of_each_model(documented: Documented) -> None:
    """Which is one by OpenAPI's own schema, as the tests of `export` see."""
    assert documented.document == json.loads(json.dumps(openapi.document(documented.model)))
    server, url = documented.server, url_of(documented.model)
    assert server.request("GET", re.sub("/v[0-9.]+/", "/v9.9/", url))[0] == 404
    assert server.request("DELETE", url)[0] == 405


PROJECT = "the project"


def linked(t: types.ObjectType, body: dict[str, Any], made: Mapping[str, str]) -> dict[str, Any]:
    """The body with references to what was made, in its project, nothing that is the server's, and no wish to be bound."""
    kept = {"host_id", "device_id", *(a.name for a in t.attributes.values() if a.read_only)}
    body = {name: value for name, value in body.items() if name not in kept}
    for name, attribute in t.attributes.items():
        if attribute.role is types.Role.PROJECT:
            body[name] = made[PROJECT]
        elif attribute.reference and (attribute.required or name == t.key):
            body[name] = made[attribute.reference]
        elif name in body:
            body[name] = relinked(attribute, body[name], made)
    if not t.generated_key and t.key in body:
        body[t.key] = fresh_key(t)
    return body


def relinked(attribute: types.Attribute, value: Any, made: Mapping[str, str]) -> Any:
    """The value with references to what was made; null where there is nothing yet."""
    if value is None or attribute.reference:
        return made.get(attribute.reference or "") if value is not None else None
    if attribute.members:
        return {name: relinked(attribute.members[name], v, made) for name, v in value.items()}
    if attribute.items and isinstance(value, list):
        return [relinked(attribute.items, item, made) for item in value]
    if attribute.items:
        return {name: relinked(attribute.items, item, made) for name, item in value.items()}
    return value


def fresh_key(t: types.ObjectType) -> Any:
    """A key that no object has."""
    key = t.attributes[t.key]
    if key.value_type is types.AttributeType.INTEGER:
        return random.randint(1, 1_000_000)
    return uuid.uuid4().hex[: key.length]


def keys_of(place: paths.Place, made: Mapping[str, str], key: str = "") -> dict[str, str]:
    return {**{s.parameter: made[s.owner.name] for s in place.above}, place.key: key}


@given(data=st.data())
@very_few
def test_every_operation_does_as_documented(documented: Documented, data: st.DataObject) -> None:
    made = {PROJECT: str(uuid.uuid4())}
    cleanup = []
    for t in documented.types:
        for place in paths.places(documented.model, t):
            if place.listed:
                keys = keys_of(place, made)
                assert documented.ask("get", place.path, keys)[0] == 200
                continue
            made[t.name] = create(documented, place, made, data)
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


def create(documented: Documented, place: paths.Place, made: Mapping[str, str], data: st.DataObject) -> str:
    """The key of a new object: of a body made up, or of the sample where that breaks a rule."""
    t = place.type
    for body in (
        data.draw(fitting(documented.schema(f"{t.name}.create")), label=t.name),
        {**samples.creates(documented.model)[t.name], t.key: fresh_key(t)},
    ):
        wanted = linked(t, body, made)
        if place.above:
            wanted.pop(t.parent_key or "", None)
        status, answer = documented.ask("post", place.path, keys_of(place, made), wanted)
        if status == 201:
            return str(answer[t.key])
        assert answer["code"] in DEEPER, answer
    raise AssertionError(answer)


def look(documented: Documented, place: paths.Place, made: Mapping[str, str], change: dict[str, Any]) -> None:
    keys = keys_of(place, made, made[place.type.name])
    assert documented.ask("get", place.path, keys)[0] == 200
    assert documented.ask("get", place.one, keys)[0] == 200
    assert documented.ask("get", f"{place.one}/status", keys)[0] == 200
    stale = {"if-match": '"0"'}
    assert documented.ask("put", place.one, keys, change, headers=stale)[0] == 412
    status, answer = documented.ask("put", place.one, keys, change)
    assert status == 200 or answer["code"] in {*DEEPER, "immutable"}, answer
    if "patch" in documented.document["paths"][place.one]:
        assert documented.ask("patch", place.one, keys, {}, headers=stale)[0] == 412
        status, answer = documented.ask("patch", place.one, keys, change)
        assert status == 200 or answer["code"] in {*DEEPER, "immutable"}, answer
    if "delete" in documented.document["paths"][place.path]:
        assert documented.ask("delete", place.path, keys)[0] == 400
    assert documented.ask("delete", place.one, keys, headers=stale)[0] == 412


@given(data=st.data())
@few
def test_what_does_not_fit_is_refused(documented: Documented, data: st.DataObject) -> None:
    for t in documented.types:
        place = paths.places(documented.model, t)[0]
        for verb, path, name in (("post", place.path, "create"), ("put", place.one, "update")):
            schema = documented.schema(f"{t.name}.{name}")
            body = data.draw(broken(schema), label=f"{t.name}.{name}")
            assert not documented.judge((t.name, name), schema).is_valid(body)
            status, answer = documented.ask(verb, path, keys_of(place, {}, str(fresh_key(t))), body)
            assert status == 400, answer
            assert answer["errors"]


def test_refusals_that_need_no_body_of_their_own(documented: Documented) -> None:
    for t in documented.types:
        place = paths.places(documented.model, t)[0]
        keys = keys_of(place, {}, str(fresh_key(t)))
        problem = {"accept": "application/problem+json, application/json"}
        for verb, path in (("get", place.one), ("get", f"{place.one}/status"), ("delete", place.one)):
            assert documented.ask(verb, path, keys, headers=problem)[0] == 404
        assert documented.ask("put", place.one, keys, {})[0] == 404
        assert documented.ask("post", place.path, keys, {}, headers={"content-type": "text/plain"})[0] == 415
        assert documented.ask("post", place.path, keys, {"a": "b" * 300_000})[0] == 413
        assert documented.ask("get", place.path, keys, headers={"accept": "text/html"})[0] == 406
        assert documented.ask("get", place.path, keys, headers={"origin": "http://evil.example"})[0] == 403
