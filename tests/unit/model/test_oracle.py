"""The compiled validator against JSON Schema: two independent readings of one model.

For any body: what fits the schema is accepted; what is accepted fits it once it is in normal form. The two
differ for values that are accepted in several forms, of which the schema has one. JSON Schema cannot say, and
`FORMATS` below says for it: dates and days, URIs, e-mail addresses, JSON in texts, prefixes without host bits and
in their one form, addresses of IPv6 in the form of RFC 5952. Items are unique by their normal form.
"""

import datetime as dt
import ipaddress
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gluon import errors
from gluon.model import body_schema, describe, fields, loader
from gluon.model.types import Model, ObjectType
from tests.effort import examples
from tests.unit.model import bodies
from tests.unit.model.test_strict import object_type


def _is_address(text: str) -> bool:
    address = ipaddress.ip_address(text)
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return text == (f"::ffff:{mapped}" if mapped else str(address))


CHECKS: dict[str, Callable[[str], bool]] = {
    "ip": _is_address,
    "ipv4": _is_address,
    "ipv6": _is_address,
    "cidr": lambda text: str(ipaddress.ip_network(text)) == text,
    "date-time": lambda text: text[10] == "T" and text[-1] == "Z" and bool(dt.datetime.fromisoformat(text)),
    "uri": lambda text: bool(text) and " " not in text,
    "email": lambda text: "." in text.partition("@")[2] and not text.startswith("@"),
}
FORMATS = jsonschema.FormatChecker(formats=())
for name, check in CHECKS.items():
    FORMATS.checks(name, raises=(ValueError, IndexError))(
        lambda value, check=check: not isinstance(value, str) or check(value)
    )


def judge(schema: dict[str, Any]) -> Any:
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema, format_checker=FORMATS)


def fits(oracle: Any, body: Any) -> bool:
    return bool(oracle.is_valid(body)) and not _breaks_json_in_text(oracle.schema, body)


def _breaks_json_in_text(schema: dict[str, Any], value: Any) -> bool:
    """`contentMediaType` is a note in JSON Schema; here it counts."""
    if schema.get("contentMediaType") == "application/json" and isinstance(value, str):
        try:
            json.loads(value)
        except ValueError:
            return True
    if isinstance(value, list) and "items" in schema:
        return any(_breaks_json_in_text(schema["items"], item) for item in value)
    if isinstance(value, dict):
        inner, rest = schema.get("properties", {}), schema.get("additionalProperties")
        known = {n: inner.get(n, rest) for n in value}
        return any(isinstance(s, dict) and _breaks_json_in_text(s, value[n]) for n, s in known.items())
    return False


def judged(
    checks: fields.Fields, body: dict[str, Any], *, create: bool
) -> tuple[dict[str, Any] | None, tuple[errors.FieldProblem, ...]]:
    try:
        return checks.check(body, partial=not create).values, ()
    except errors.Invalid as refused:
        return None, refused.problems


@settings(max_examples=examples(150), suppress_health_check=[HealthCheck.too_slow])
@given(st.data(), bodies.types_of(), st.booleans())
def test_the_validator_and_the_schema_agree(data: st.DataObject, kind: ObjectType, create: bool) -> None:
    checks = fields.compile_fields(kind)
    oracle = judge(body_schema.schema(kind, create=create))
    body = data.draw(bodies.bodies(kind.attributes))
    normal, problems = judged(checks, body, create=create)
    if normal is None:
        assert not fits(oracle, body), (problems, body)
        assert all(p.pointer and p.code and p.message for p in problems)
        return
    assert fits(oracle, normal), list(oracle.iter_errors(normal))
    assert checks.check(normal, partial=True).values == normal
    slow = fields.Fields.check(checks, body, partial=not create)
    assert slow.values == normal


@settings(max_examples=examples(60))
@given(st.data(), bodies.attributes())
def test_normal_forms_have_one_text(data: st.DataObject, one: Any) -> None:
    checks = fields.compile_fields(object_type(one))
    values = []
    for _ in range(2):
        try:
            values.append(checks.normal("a", data.draw(bodies.values(one))))
        except errors.Invalid:
            return
    texts = [json.dumps(v) for v in values]
    assert (values[0] == values[1]) == (texts[0] == texts[1])


@settings(max_examples=examples(30), suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.data(), bodies.types_of())
def test_a_model_read_from_a_file_judges_alike(data: st.DataObject, kind: ObjectType) -> None:
    model = Model(file_version="2.0", name="random", version="1", types={"Thing": kind}, digest="")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.yaml"
        path.write_text(describe.dump(model), encoding="utf-8")
        (loaded,) = loader.load([path])
    checks, again = fields.compile_fields(kind), fields.compile_fields(loaded.types["Thing"])
    assert again.needed == checks.needed
    for _ in range(3):
        body = data.draw(bodies.bodies(kind.attributes))
        assert judged(again, body, create=True) == judged(checks, body, create=True)
    for create in (True, False):
        assert _without_notes(body_schema.schema(loaded.types["Thing"], create=create)) == _without_notes(
            body_schema.schema(kind, create=create)
        )


def _without_notes(schema: Any) -> Any:
    """A schema without what decides nothing."""
    if isinstance(schema, dict):
        return {n: _without_notes(s) for n, s in schema.items() if n not in {"description", "examples"}}
    return [_without_notes(s) for s in schema] if isinstance(schema, list) else schema
