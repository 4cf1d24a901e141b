"""OpenAPI 3.1 of what is Gluon's own: models, change sets, watches, ports, health. That of protons is `openapi`'s.

In: the table below, which a test holds against the routes. Out: the document as JSON-able data. Served at
`/gluon/v1/openapi.json`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gluon.export import answers, shared

Document = dict[str, Any]

_JSON, _TEXT, _LINES = shared.JSON, "text/plain", "application/x-ndjson"
_ALL = (401, 403, 429, 503)
_BODY = (400, 413, 415)
_V1 = "/gluon/v1"
_FILES: Document = {
    "type": "object",
    "properties": {
        "files": {"type": "object", "minProperties": 1, "additionalProperties": {"type": "string"}}
    },
    "required": ["files"],
    "additionalProperties": False,
}
_EMPTY: Document = {"type": "object"}
_CHANGES: Document = {
    "type": "object",
    "properties": {
        "name": {"type": ["string", "null"]},
        "description": {"type": ["string", "null"]},
        "changes": {"type": "array", "minItems": 1, "items": {"type": "object", "required": ["op"]}},
    },
    "required": ["changes"],
}


@dataclass(frozen=True, slots=True)
class Route:
    """One operation. `gives`: its media type; `takes`: the schema of its body; `asks`: names in the query."""

    verb: str
    path: str
    name: str
    summary: str
    tag: str
    good: Sequence[int] = (200,)
    bad: Sequence[int] = _ALL
    gives: str = _JSON
    takes: Document | None = None
    asks: Sequence[str] = ()


ROUTES = (
    Route("get", "/", "root", "Which versions of the API there are.", "Roots"),
    Route("get", "/proton", "protons", "Which protons there are.", "Roots"),
    Route("get", "/proton/{api}", "proton", "Which versions a proton has.", "Roots", bad=(*_ALL, 404)),
    Route("get", "/proton/{api}/{version}", "version", "What a version of a proton has.", "Roots", bad=(*_ALL, 404)),
    Route("get", f"{_V1}/protons", "models", "Every model that is served, in full.", "Models"),
    Route("post", f"{_V1}/protons", "load", "Serve one more model.", "Models", (201,), (*_ALL, *_BODY, 409), takes=_FILES),
    Route("put", f"{_V1}/protons/{{api}}", "replace", "Replace a model.", "Models", (200,), (*_ALL, *_BODY, 404, 409), takes=_FILES),
    Route("delete", f"{_V1}/protons/{{api}}", "retire", "Serve a model no more; its objects stay in the database.", "Models", (200,), (*_ALL, 400, 404, 409), asks=("force",)),
    Route("get", f"{_V1}/protons/{{api}}/{{version}}/openapi.json", "openapi", "The OpenAPI document of a proton.", "Models", bad=(*_ALL, 404)),
    Route("get", f"{_V1}/openapi.json", "own-openapi", "This document.", "Models"),
    Route("get", f"{_V1}/changesets", "changesets", "Change sets, latest first.", "Change sets", bad=(*_ALL, 400), asks=("who", "project", "since", "api", "limit", "marker")),
    Route("post", f"{_V1}/changesets", "change", "Many changes in one commit; with `plan=true` only what they would do.", "Change sets", (200, 201), (*_ALL, *_BODY, 404, 409, 412, 422), takes=_CHANGES, asks=("plan",)),
    Route("get", f"{_V1}/changesets/{{id}}", "changeset", "One change set or plan.", "Change sets", bad=(*_ALL, 400, 404, 410)),
    Route("post", f"{_V1}/changesets/{{id}}/apply", "apply", "Do what a plan has shown.", "Change sets", (200,), (*_ALL, 400, 404, 409, 410, 412, 422)),
    Route("post", f"{_V1}/changesets/{{id}}/undo", "undo", "Take a change set back.", "Change sets", (200, 201), (*_ALL, 400, 404, 409, 412, 422), asks=("plan",)),
    Route("get", f"{_V1}/quotas/{{project}}", "quotas", "How many objects of each type a project may have, and has.", "Quotas", bad=(*_ALL, 400, 404)),
    Route("put", f"{_V1}/quotas/{{project}}", "set-quotas", "Other numbers for a project.", "Quotas", (200,), (*_ALL, *_BODY, 404), takes=_EMPTY),
    Route("delete", f"{_V1}/quotas/{{project}}", "reset-quotas", "The numbers of the models again.", "Quotas", (204,), (*_ALL, 400, 404)),
    Route("get", f"{_V1}/watch", "watch", "Changes of all collections as they are committed.", "Watch", (200,), (*_ALL, 400, 410), _LINES, asks=("resume",)),
    Route("get", f"{_V1}/ports", "ports", "All ports of all protons, and who serves them.", "Operation"),
    Route("get", f"{_V1}/status", "status", "How the server, the publisher and the shims stand.", "Operation"),
    Route("post", f"{_V1}/resync", "resync", "Compare etcd with the database and repair it.", "Operation", (202,), (*_ALL, *_BODY), takes=_EMPTY),
    Route("get", "/healthz", "healthz", "Whether the process is alive.", "Operation", gives=_TEXT),
    Route("get", "/readyz", "readyz", "Whether it can serve; 503 with what is missing.", "Operation"),
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
            "schemas": {"gluon.Problem": answers.problem(legacy=False)},
            "responses": shared.responses(old=True),
            "headers": shared.HEADERS,
            "securitySchemes": shared.SCHEMES,
        },
    }


def _item(path: str) -> Document:
    names = [part.strip("{}") for part in path.split("/") if part.startswith("{")]
    given = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        for name in names
    ]
    return {"parameters": given} if given else {}


def _operation(route: Route) -> Document:
    given = {route.gives: {"schema": {"type": "object"} if route.gives == _JSON else {"type": "string"}}}
    said = {"description": route.summary, "headers": shared.REQUEST_ID, "content": given}
    gone = {"description": route.summary, "headers": shared.REQUEST_ID}
    responses = {str(status): gone if status == 204 else said for status in route.good}
    responses |= {str(s): shared.refused(s) for s in route.bad}
    made: Document = {
        "operationId": f"gluon-{route.name}",
        "summary": route.summary,
        "tags": [route.tag],
        "responses": dict(sorted(responses.items())),
    }
    if route.asks:
        truths = {"force", "plan"}
        made["parameters"] = [
            {"name": n, "in": "query", "schema": {"type": "boolean" if n in truths else "string"}}
            for n in route.asks
        ]
    if route.takes is not None:
        made["requestBody"] = {"required": True, "content": {_JSON: {"schema": route.takes}}}
    return made
