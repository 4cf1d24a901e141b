"""What every OpenAPI document of the server has in common: refusals, headers, ways to say who one is.

Out: parts of `components`, and the names by which operations refer to them. Called by `openapi` and `own`.
"""

from __future__ import annotations

from typing import Any

Document = dict[str, Any]

JSON = "application/json"
PROBLEM = "application/problem+json"
REQUEST_ID: Document = {"x-openstack-request-id": {"$ref": "#/components/headers/RequestId"}}

RESUME: Document = {"x-gluon-resume": {"$ref": "#/components/headers/Resume"}}
REPLAYED: Document = {"idempotency-replayed": {"$ref": "#/components/headers/Replayed"}}

_TITLES = {
    400: ("Invalid", "The request breaks the model's rules."),
    401: ("Unauthorized", "Nobody knows who asks."),
    403: ("Forbidden", "The policy does not allow this."),
    404: ("NotFound", "No such object."),
    409: ("Conflict", "Something stored stands in the way."),
    410: ("Gone", "A place in history that is gone."),
    412: ("Stale", "The object changed since it was read."),
    413: ("TooLarge", "The body is too large."),
    414: ("TargetTooLong", "Path and query are too long."),
    415: ("NoJson", "Only JSON is understood."),
    422: ("KeyReused", "The Idempotency-Key stands for another request."),
    429: (
        "TooMany",
        "The project has made as many requests as it may for now, or an address has sent as many wrong tokens.",
    ),
    431: ("HeadTooLarge", "The headers are too large, or too many."),
    503: ("Unavailable", "Not now; try again."),
}
_LATER = (429, 503)

HEADERS: Document = {
    "ETag": {
        "description": "The object's revision, for `If-Match`; of one object, not of several.",
        "schema": {"type": "string", "pattern": '^"[0-9]{1,18}"$'},
    },
    "Replayed": {
        "description": "The answer is that of an earlier request with this `Idempotency-Key`.",
        "schema": {"type": "string", "enum": ["true"]},
    },
    "Resume": {
        "description": "Where a watch goes on that follows this list: its `resume`.",
        "schema": {"type": "string", "minLength": 1},
    },
    "RetryAfter": {
        "description": "Seconds after which to try again.",
        "required": True,
        "schema": {"type": "integer", "minimum": 0},
    },
    "RequestId": {
        "description": "What the log has about this request.",
        "required": True,
        "schema": {"type": "string", "minLength": 1},
    },
}
SCHEMES: Document = {
    "token": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Auth-Token",
        "description": "A token of Keystone or of the server's file.",
    },
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "The same, or a JWT of a trusted issuer.",
    },
}
SECURITY: list[Document] = [{"token": []}, {"bearer": []}, {}]
"""Either; and none, where a server of one's own machine knows nobody (`noauth`)."""


def name_of(status: int) -> str:
    """Of the response of a refusal."""
    return _TITLES[status][0]


def refused(status: int) -> Document:
    """A reference to it."""
    return {"$ref": f"#/components/responses/{name_of(status)}"}


def responses(*, old: bool) -> Document:
    """The refusals by name; `old`: also as JSON by its plain name, and 406 in plain words."""
    schema = {"schema": {"$ref": "#/components/schemas/gluon.Problem"}}
    content = {JSON: schema, PROBLEM: schema} if old else {PROBLEM: schema}
    later = {"retry-after": {"$ref": "#/components/headers/RetryAfter"}}
    found: Document = {
        name: {
            "description": text,
            "headers": {**REQUEST_ID, **later} if status in _LATER else REQUEST_ID,
            "content": content,
        }
        for status, (name, text) in _TITLES.items()
    }
    words = {"text/plain": {"schema": {"type": "string"}}} if old else {PROBLEM: schema}
    said = {"description": "Only application/json is served.", "headers": REQUEST_ID, "content": words}
    return {**found, "NotAcceptable": said}
