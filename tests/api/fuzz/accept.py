"""Which findings of schemathesis are none: what no schema of one request can say.

In: a failure of a check, the request and its answer. Out: whether it counts. Loaded by schemathesis itself, by its
configuration; every refusal that is let go is named here with its reason.
"""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jsonschema
import schemathesis

DEEPER = {
    "reference": "what is referred to does not exist",
    "parent": "the body names another parent than the path",
    "immutable": "the value differs from what is stored",
    "rule": "a rule of the model over several values",
    "rejected": "a hook refuses",
    "characters": "a text holds NUL, which JSON Schema knows nothing of",
    "marker": "names no object of this list",
    "pool_outside": "the value is none of a pool",
    "pool_range": "a pool cannot be made of it",
}
"""Codes of 400 that a body which fits its schema may meet, and why."""

WORDS = re.compile(
    r"is not JSON|is not a prefix|is no time|sort_dir does not fit|has host bits|is no(t a)? (URI|date)|is not an IP|is not an e-mail|U\+0000"
)
"""What of a text JSON Schema can only name."""


LONGEST = 48 * 1024
"""Bytes of a target: more is refused before anybody looks where it leads, so in a form of its own."""
PROJECT = "7a1f7d4e-0e13-4d5c-9f24-e0f6d9b6f3a1"
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}").fullmatch
_tried: set[str] = set()


@schemathesis.hook
def map_body(context: Any, body: Any) -> Any:
    """Nearly all objects are of one project, so that one can refer to the other."""
    if isinstance(body, dict):
        whose = body.get("project_id")
        if isinstance(whose, str) and _UUID(whose) and not whose.startswith("0"):
            return {**body, "project_id": PROJECT}
    return body


@schemathesis.hook
def after_call(context: Any, case: Any, response: Any) -> None:
    """What was only tried is remembered: it is not there afterwards."""
    if response.status_code == 201 and str((case.query or {}).get("dry_run")).lower() == "true":
        made = json.loads(response.content)
        for one in [made, *(item for value in made.values() if isinstance(value, list) for item in value)]:
            if isinstance(one, dict):
                _tried.update(str(value) for value in one.values() if isinstance(value, str | int))


@schemathesis.hook
def filter_failure(context: Any, failure: Any, case: Any, response: Any) -> bool:
    """False drops the failure."""
    if len(response.request.url) > LONGEST and response.status_code < 500:
        return False
    if failure.code == "ST202" and response.status_code == 400:
        return any(_counts(problem) for problem in json.loads(response.content)["errors"])
    if failure.code == "ST302":
        return not _tried.intersection(map(str, (case.path_parameters or {}).values()))
    if failure.code == "ST201" and case.method == "GET":
        return not _fits_after_all(case, response)
    return True


def _counts(problem: dict[str, Any]) -> bool:
    return problem["code"] not in DEEPER and not WORDS.search(problem["detail"])


def _fits_after_all(case: Any, response: Any) -> bool:
    """Does what was sent, read as text, fit? A null that was sent is the word `null`, a number its digits."""
    asked = parse_qs(urlsplit(response.request.url).query, keep_blank_values=True)
    schemas = {p.name: p.definition["schema"] for p in case.operation.query}
    return asked.keys() <= schemas.keys() and all(
        _texts_fit(schemas[name], values) for name, values in asked.items()
    )


def _texts_fit(schema: dict[str, Any], texts: list[str]) -> bool:
    validator = jsonschema.Draft202012Validator(schema)
    readings: list[list[Any]] = [texts, [_read(t) for t in texts]]
    return any(validator.is_valid(v) or (len(v) == 1 and validator.is_valid(v[0])) for v in readings)


def _read(text: str) -> Any:
    """A number or truth as JSON has it; else the text."""
    try:
        return json.loads(text)
    except ValueError:
        return text
