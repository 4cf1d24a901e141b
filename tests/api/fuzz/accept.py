"""Which findings of schemathesis are none: what no schema of one request can say, and how a request is made that means something.

In: a failure of a check, the request and its answer. Out: whether it counts. Loaded by schemathesis itself, by its
configuration. Every refusal that is let go is named here with its reason and is matched by what was asked, so that the
same code for another cause counts.
"""

from __future__ import annotations

import ipaddress
import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import jsonschema
import schemathesis
from hypothesis import strategies as st

from tests.api.fuzz.foreign import MEMBER

LONGEST = 48 * 1024
"""Bytes of a target: an argument may stand often, and OpenAPI counts each list alone."""
FOREIGN: dict[str, Any] = (
    json.loads(Path(os.environ["GLUON_FUZZ_FOREIGN"]).read_text(encoding="utf-8"))
    if "GLUON_FUZZ_FOREIGN" in os.environ
    else {}
)
"""Objects of another project, where a member asks (`foreign`)."""
HIDDEN = frozenset(FOREIGN["collections"].values()) if FOREIGN else frozenset()
PROJECT = "7a1f7d4e-0e13-4d5c-9f24-e0f6d9b6f3a1"
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}").fullmatch
_WHOLE = re.compile(r"/-?[0-9]+\.0(/|$)").search
_LIST_WORDS = {"sort_key", "sort_dir", "limit", "marker", "fields", "count", "embed"}

Problem = dict[str, Any]
_NOTHING = object()


# -- values of formats that schemathesis does not know

schemathesis.openapi.format("json", st.sampled_from(["{}", "[]", "null", '{"a": [1, "b"]}', '"text"', "12"]))
schemathesis.openapi.format("ip", st.ip_addresses().map(str))
schemathesis.openapi.format(
    "cidr",
    st.tuples(st.ip_addresses(), st.integers(0, 32)).map(
        lambda pair: str(ipaddress.ip_network(f"{pair[0]}/{pair[1]}", strict=False))
    ),
)


# -- what a request is


def _asked(case: Any, response: Any) -> dict[str, list[str]]:
    return parse_qs(urlsplit(response.request.url).query, keep_blank_values=True)


def _at(case: Any, pointer: str) -> Any:
    """What the body has there; `_NOTHING` where nothing is."""
    here = case.body
    for step in pointer.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        try:
            here = here[int(name)] if isinstance(here, list) else here[name]
        except (LookupError, TypeError, ValueError):
            return _NOTHING
    return here


def _given(problem: Problem, case: Any, response: Any) -> bool:
    """The body says it."""
    return bool(problem["pointer"]) and _at(case, problem["pointer"]) is not _NOTHING


def _refers(problem: Problem, case: Any, response: Any) -> bool:
    """The body says it, or the path; or what is stored refers to another project than that of the body."""
    name = problem["pointer"].split("/")[-1]
    below = name in (case.path_parameters or {})
    return below or case.method in ("PUT", "PATCH") or _given(problem, case, response)


def _in_query(name: str) -> Callable[[Problem, Any, Any], bool]:
    return lambda problem, case, response: name in _asked(case, response)


def _of_watch(problem: Problem, case: Any, response: Any) -> bool:
    return "watch" in _asked(case, response) and bool(_LIST_WORDS & _asked(case, response).keys())


def _without_watch(problem: Problem, case: Any, response: Any) -> bool:
    return "resume" in _asked(case, response) and "watch" not in _asked(case, response)


def _many(problem: Problem, case: Any, response: Any) -> bool:
    return sum(map(len, _asked(case, response).values())) > 200


def _directions(problem: Problem, case: Any, response: Any) -> bool:
    asked = _asked(case, response)
    return len(asked.get("sort_dir", ())) > len(asked.get("sort_key", ()))


def _changes(problem: Problem, case: Any, response: Any) -> bool:
    return case.method in ("PUT", "PATCH") and _given(problem, case, response)


def _below(problem: Problem, case: Any, response: Any) -> bool:
    return problem["pointer"].split("/")[-1] in case.path_parameters and _changes(problem, case, response)


def _host_bits(problem: Problem, case: Any, response: Any) -> bool:
    return "/" in str(_at(case, problem["pointer"]))


def _of_several(problem: Problem, case: Any, response: Any) -> bool:
    return bool(case.method != "GET")


def _fraction(problem: Problem, case: Any, response: Any) -> bool:
    return bool(_WHOLE(urlsplit(response.request.url).path))


UNSAID: list[tuple[str, str, str, Callable[[Problem, Any, Any], bool]]] = [
    ("reference", "", "no object of this key is stored", _refers),
    ("immutable", "cannot change$", "another value is stored", _changes),
    ("parent", "", "an object as it was read says its parent, which the path says too", _below),
    ("marker", "", "no object of this key is in the list", _in_query("marker")),
    ("resume", "", "no such token was given", _in_query("resume")),
    ("rule", "", "an expression of the model over several values", _of_several),
    ("pool_outside", "", "the pool is of the object that is referred to, or has gaps", _refers),
    ("pool_range", "", "the pool is made of several values", _of_several),
    ("argument", "^more than 200 query arguments", "each list is counted alone", _many),
    ("argument", "^sort_dir does not fit", "one list is longer than another", _directions),
    ("argument", "means nothing to a watch", "arguments that do not go together", _of_watch),
    ("argument", "query argument 'resume'", "an argument that needs another", _without_watch),
    ("format", "has host bits set", "arithmetic on a text", _host_bits),
    ("type", "in the path", "1.0 is an integer to JSON Schema, and no key in a URL", _fraction),
]
"""Refusals with 400 that a request which fits its schemas may meet: code, detail, what OpenAPI cannot say, when so."""


# -- hooks

_tried: set[str] = set()
"""Keys in what was only tried, or was told again as it was the first time: such objects are not made now, and not gone."""


@schemathesis.hook
def map_body(context: Any, body: Any) -> Any:
    """Nearly all objects are of one project, so that one can refer to the other; a member's also to what is foreign."""
    if not isinstance(body, dict):
        return body
    if len(body) == 1 and isinstance(several := next(iter(body.values())), list):
        return {name: [map_body(context, one) for one in several] for name in body}
    made = dict(body)
    for name in ("project_id", "tenant_id"):
        whose = body.get(name)
        if isinstance(whose, str) and _UUID(whose) and not whose.startswith("0"):
            made[name] = PROJECT
    foreign = FOREIGN.get("references", {})
    return made | {name: key for name, key in foreign.items() if _chosen(body.get(name))}


@schemathesis.hook
def map_path_parameters(context: Any, path_parameters: Any) -> Any:
    """A member asks for what is foreign."""
    steps = context.operation.path.split("/")
    found = dict(path_parameters or {})
    for name, value in found.items():
        collection = steps[steps.index(f"{{{name}}}") - 1]
        if _chosen(value) and collection in FOREIGN.get("collections", {}):
            found[name] = FOREIGN["collections"][collection]
    return found


def _chosen(value: Any) -> bool:
    """One in three, always the same ones."""
    return bool(FOREIGN) and isinstance(value, str) and sum(value.encode("utf-8", "replace")) % 3 == 0


@schemathesis.check
def foreign_objects_stay_hidden(ctx: Any, response: Any, case: Any) -> None:
    """One answers as a missing one does; nothing refers to it, and no answer shows it."""
    if not FOREIGN:
        return
    sent = _sent(response)
    told = response.content.decode("utf-8", "replace")
    for secret in (FOREIGN["project"], *HIDDEN):
        assert secret in sent or secret not in told, f"{secret} is shown"
    changed = case.method != "GET" and response.status_code < 300
    assert not (changed and any(key in sent for key in HIDDEN)), (
        "a foreign object was named, and something done"
    )
    if HIDDEN & _keys(case):
        assert response.status_code >= 400, "a foreign object was found"
        assert response.status_code != 403, "a foreign object is told from a missing one"


def _sent(response: Any) -> str:
    """Path, query and body."""
    body = response.request.body or ""
    text = body.decode("utf-8", "replace") if isinstance(body, bytes) else str(body)
    return f"{unquote(response.request.url)} {text}"


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: dict[str, Any]) -> None:
    """A watch as events, of which schemathesis reads some and leaves; lines have no end for it."""
    if case.method == "GET" and str((case.query or {}).get("watch")).lower() == "true":
        case.headers = {**(case.headers or {}), "Accept": "text/event-stream"}


@schemathesis.hook
def after_call(context: Any, case: Any, response: Any) -> None:
    """What was only tried is remembered, and what was told again."""
    asked = _asked(case, response)
    again = "true" in response.headers.get("idempotency-replayed", ())
    if response.status_code not in (201, 204) or not (again or asked.get("dry_run") == ["true"]):
        return
    _tried.update(_keys(case))
    for values in asked.values():
        _tried.update(values)
    made = json.loads(response.content or b"{}")
    for one in [made, *(item for value in made.values() if isinstance(value, list) for item in value)]:
        if isinstance(one, dict):
            _tried.update(str(value) for value in one.values() if isinstance(value, str | int))


@schemathesis.hook
def filter_failure(context: Any, failure: Any, case: Any, response: Any) -> bool:
    """False drops the failure."""
    if failure.code == "ST202" and response.status_code == 414:
        return len(response.request.path_url) <= LONGEST
    if failure.code == "ST202" and response.status_code == 400:
        return not all(_unsaid(p, case, response) for p in json.loads(response.content)["errors"])
    if failure.code in ("ST201", "ST202") and response.status_code == 403:
        return bool(response.request.headers.get("X-Auth-Token") != MEMBER)  # policy
    if failure.code in ("ST301", "ST302"):
        return not (_tried | HIDDEN) & _keys(case)
    if failure.code == "ST201" and case.method == "GET":
        return not _fits_after_all(case, response)
    return True


def _keys(case: Any) -> set[str]:
    return {unquote(str(value)) for value in (case.path_parameters or {}).values()}


def _unsaid(problem: Problem, case: Any, response: Any) -> bool:
    return any(
        problem["code"] == code and re.search(words, problem["detail"]) and holds(problem, case, response)
        for code, words, _, holds in UNSAID
    )


# -- what a request is as text


def _fits_after_all(case: Any, response: Any) -> bool:
    """Does what was sent, read as text, fit? A null that was sent is the word `null`, a number its digits."""
    asked = _asked(case, response)
    schemas: dict[str, Any] = {}
    for parameter in case.operation.query:
        schema = parameter.definition["schema"]
        schemas |= schema["properties"] if schema.get("type") == "object" else {parameter.name: schema}
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
