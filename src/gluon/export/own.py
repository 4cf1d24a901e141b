"""OpenAPI 3.1 of what is Gluon's own: models, change sets, watches, ports, health. That of protons is `openapi`'s.

In: the table below, which a test holds against the routes, and `own.yaml`, the bodies. Out: the document as JSON-able data. Served at
`/gluon/v1/openapi.json`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from gluon.export import answers, changes, queries, shared

Document = dict[str, Any]

_JSON, _TEXT, _LINES = shared.JSON, "text/plain", "application/x-ndjson"
_ALL = (401, 403, 414, 429, 431, 503)
_BODY = (400, 413, 415)
_V1 = "/gluon/v1"
_CHANGED: Document = {"etag": {"$ref": "#/components/headers/ETag"}, **shared.REPLAYED}
_TEXT_ALONE: Document = {"type": "string"}
_TRUTH: Document = {"type": "boolean"}
_WORD: Document = {"type": "string", "minLength": 1}
_ASKED: dict[str, Document] = {
    "force": _TRUTH,
    "plan": _TRUTH,
    "limit": {"type": "integer", "minimum": 1, "maximum": 1000, "default": 100},
    "since": {"type": "string", "format": "date-time"},
    "op": {"type": "array", "items": {"type": "string", "enum": ["create", "update", "delete"]}},
    "type": {"type": "array", "items": _WORD},
    "resume": _WORD,
}
"""Arguments of queries; all others are texts."""
_OF_PORTS: dict[str, Document] = {
    "limit": {"type": "integer", "minimum": 1, "maximum": 1000, "default": 1000},
    "marker": _TEXT_ALONE,  # they are in the order of their ids, and the empty one is before them all
}
_IN_PATH: dict[str, Document] = {"project": {"type": "string", "pattern": r"^[^\x00-\x20\x7f-\xa0]{1,64}$"}}
_KEPT = {"change", "apply", "undo"}
"""What an `Idempotency-Key` may be sent with."""


@dataclass(frozen=True, slots=True)
class Route:
    """One operation. `body`: the schema of its answer; `gives`: its media type; `takes`: the schema of its own body;
    `asks`: names in the query."""

    verb: str
    path: str
    name: str
    summary: str
    tag: str
    body: str = ""
    good: Sequence[int] = (200,)
    bad: Sequence[int] = _ALL
    gives: str = _JSON
    takes: str = ""
    asks: Sequence[str] = ()


ROUTES = (
    Route("get", "/", "root", "Which versions of the API there are.", "Roots", "Root"),
    Route("get", "/proton", "protons", "Which protons there are.", "Roots", "Protons"),
    Route("get", "/proton/{api}", "proton", "Which versions a proton has.", "Roots", "Proton", bad=(*_ALL, 404)),
    Route("get", "/proton/{api}/{version}", "version", "What a version of a proton has.", "Roots", "Resources", bad=(*_ALL, 404)),
    Route("get", f"{_V1}/protons", "models", "Every model that is served, in full.", "Models", "Models"),
    Route("post", f"{_V1}/protons", "load", "Serve one more model.", "Models", "Loaded", (201,), (*_ALL, *_BODY, 409), takes="Files"),
    Route("put", f"{_V1}/protons/{{api}}", "replace", "Replace a model.", "Models", "Loaded", (200,), (*_ALL, *_BODY, 404, 409), takes="Files"),
    Route("delete", f"{_V1}/protons/{{api}}", "retire", "Serve a model no more; its objects stay in the database.", "Models", "Loaded", (200,), (*_ALL, 400, 404, 409), asks=("force",)),
    Route("get", f"{_V1}/protons/{{api}}/{{version}}/openapi.json", "openapi", "The OpenAPI document of a proton.", "Models", "OpenApi", bad=(*_ALL, 404)),
    Route("get", f"{_V1}/openapi.json", "own-openapi", "This document.", "Models", "OpenApi"),
    Route("get", f"{_V1}/changesets", "changesets", "Change sets, latest first.", "Change sets", "ChangeSets", bad=(*_ALL, 400), asks=("who", "project", "since", "api", "limit", "marker")),
    Route("post", f"{_V1}/changesets", "change", "Many changes in one commit; with `plan=true` only what they would do.", "Change sets", "ChangeSet", (200, 201), (*_ALL, *_BODY, 404, 409, 412, 422), takes="Changes", asks=("plan",)),
    Route("get", f"{_V1}/changesets/{{id}}", "changeset", "One change set or plan.", "Change sets", "ChangeSet", bad=(*_ALL, 400, 404, 410)),
    Route("post", f"{_V1}/changesets/{{id}}/apply", "apply", "Do what a plan has shown.", "Change sets", "ChangeSet", (200,), (*_ALL, 400, 404, 409, 410, 412, 422)),
    Route("post", f"{_V1}/changesets/{{id}}/undo", "undo", "Take a change set back.", "Change sets", "ChangeSet", (200, 201), (*_ALL, 400, 404, 409, 412, 422), asks=("plan",)),
    Route("get", f"{_V1}/quotas/{{project}}", "quotas", "How many objects of each type a project may have, and has.", "Quotas", "Quotas", bad=(*_ALL, 400, 404)),
    Route("put", f"{_V1}/quotas/{{project}}", "set-quotas", "Other numbers for a project.", "Quotas", "Quotas", (200,), (*_ALL, *_BODY, 404), takes="NewQuotas"),
    Route("delete", f"{_V1}/quotas/{{project}}", "reset-quotas", "The numbers of the models again.", "Quotas", "", (204,), (*_ALL, 400, 404)),
    Route("get", f"{_V1}/watch", "watch", "Changes of all collections as they are committed.", "Watch", "", (200,), (*_ALL, 400, 410), _LINES, asks=("api", "type", "op", "project", "resume")),
    Route("get", f"{_V1}/ports", "ports", "The ports of all protons, by id; a name may be repeated.", "Operation", "Ports", bad=(*_ALL, 400), asks=("id", "api", "project", "device_id", "device_owner", "host", "mac", "name", "status", "limit", "marker")),
    Route("get", f"{_V1}/status", "status", "How the server, the publisher and the shims stand.", "Operation", "Status"),
    Route("post", f"{_V1}/resync", "resync", "Compare etcd with the database and repair it.", "Operation", "Resync", (202,), (*_ALL, *_BODY), takes="Nothing"),
    Route("get", f"{_V1}/hosts", "hosts", "Of which hosts shims have reported, and who serves them now.", "Operation", "Hosts"),
    Route("delete", f"{_V1}/hosts/{{host}}", "forget", "Forget what shims have said of a host that is gone for good.", "Operation", "Forgotten", (200,), (*_ALL, 400, 404, 409), asks=("controller", "force")),
    Route("get", "/healthz", "healthz", "Whether the process is alive.", "Operation", gives=_TEXT),
    Route("get", "/readyz", "readyz", "Whether it can serve; 503 with what is missing.", "Operation", "Ready"),
    Route("get", "/metrics", "metrics", "Figures for Prometheus.", "Operation", gives=_TEXT),
)  # fmt: skip


def document(version: str) -> Document:
    """The whole of it; `version`: of Gluon."""
    paths: Document = {}
    for route in ROUTES:
        item = paths.setdefault(route.path, _item(route.path))
        item[route.verb] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Gluon",
            "version": version,
            "description": "What is no proton's: models, change sets, watches, operation.",
        },
        "servers": [{"url": "/"}],
        "security": shared.SECURITY,
        "tags": [{"name": name} for name in dict.fromkeys(route.tag for route in ROUTES)],
        "paths": paths,
        "components": {
            "schemas": {
                **_bodies(),
                "gluon.Event": queries.EVENT,
                "gluon.Problem": answers.problem(legacy=False),
            },
            "parameters": {"IdempotencyKey": changes.PARAMETERS["IdempotencyKey"]},
            "responses": _refusals(),
            "headers": shared.HEADERS,
            "securitySchemes": shared.SCHEMES,
        },
    }


def _item(path: str) -> Document:
    names = [part.strip("{}") for part in path.split("/") if part.startswith("{")]
    given = [
        {"name": name, "in": "path", "required": True, "schema": _IN_PATH.get(name, _WORD)} for name in names
    ]
    return {"parameters": given} if given else {}


def _refusals() -> Document:
    """A path that leads to nothing is told in plain words."""
    found = shared.responses(old=True)
    content = {**found["NotFound"]["content"], _TEXT: {"schema": _TEXT_ALONE}}
    return {**found, "NotFound": {**found["NotFound"], "content": content}}


def _bodies() -> Document:
    found: Document = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"))
    return found


def _ref(name: str) -> Document:
    return {"$ref": f"#/components/schemas/{name}"}


def _operation(route: Route) -> Document:
    kept = route.name in _KEPT
    headers = {**shared.REQUEST_ID, **(_CHANGED if kept else {})}
    said: Document = {"description": route.summary, "headers": headers, "content": _content(route)}
    gone = {"description": route.summary, "headers": shared.REQUEST_ID}
    responses = {str(status): gone if status == 204 else said for status in route.good}
    responses |= {str(s): shared.refused(s) for s in route.bad}
    if route.name == "readyz":
        responses["503"] = {**said, "description": "Not now; `checks` says what is missing."}
    made: Document = {
        "operationId": f"gluon-{route.name}",
        "summary": route.summary,
        "tags": [route.tag],
        "responses": dict(sorted(responses.items())),
    }
    asked: list[Document] = [
        {"name": n, "in": "query", "required": False, "schema": _schema_of(route, n)} for n in route.asks
    ]
    if kept:
        asked.append({"$ref": "#/components/parameters/IdempotencyKey"})
    if asked:
        made["parameters"] = asked
    if route.takes:
        made["requestBody"] = {"required": True, "content": {_JSON: {"schema": _ref(route.takes)}}}
    return made


def _schema_of(route: Route, name: str) -> Document:
    """Of an argument; a watch takes most as often as needed."""
    schema = _ASKED.get(name, _TEXT_ALONE)
    if route.name == "ports":
        return _OF_PORTS.get(name, {"type": "array", "items": schema})
    if route.name == "watch" and name in ("api", "project"):
        return {"type": "array", "items": schema}
    return schema


def _content(route: Route) -> Document:
    if route.gives == _LINES:
        return queries.streams()
    return {route.gives: {"schema": _ref(route.body) if route.body else _TEXT_ALONE}}
