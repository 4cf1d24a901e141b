"""Bodies that are ambiguous or without measure, among random ones that are not."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from gluon import errors
from gluon.api import bodies

TEXTS = some.text(alphabet='ab":{}[],\\ \t\n', max_size=6)
VALUES = some.recursive(
    some.none() | some.booleans() | some.integers() | TEXTS,
    lambda inner: some.lists(inner, max_size=4) | some.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)
BODIES = some.dictionaries(TEXTS, VALUES, max_size=5)
SEPARATORS = some.sampled_from([(",", ":"), (", ", ": "), (" ,", " :"), ("\n,\t", "\r\n:\t")])


def refused(body: bytes) -> errors.FieldProblem | None:
    try:
        bodies.check(body, json.loads(body))
    except errors.Invalid as error:
        return error.problems[0]
    return None


@given(BODIES, SEPARATORS)
@settings(max_examples=60)
def test_what_is_sound_passes(body: dict[str, Any], separators: tuple[str, str]) -> None:
    assert refused(json.dumps(body, separators=separators).encode()) is None


@given(BODIES, BODIES, TEXTS, SEPARATORS, some.booleans())
@settings(max_examples=60)
def test_a_name_that_stands_twice_is_found(
    before: dict[str, Any], after: dict[str, Any], name: str, separators: tuple[str, str], inside: bool
) -> None:
    def pairs(body: dict[str, Any]) -> list[str]:
        return [json.dumps(k) + separators[1] + json.dumps(v, separators=separators) for k, v in body.items()]

    one = json.dumps(name) + separators[1]
    text = "{" + separators[0].join([*pairs(before), one + "1", *pairs(after), one + "2"]) + "}"
    text = '{"z":[' + text + "]}" if inside else text
    problem = refused(text.encode())
    assert problem is not None and problem.code == "twice" and problem.pointer.startswith("/")


@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_depth(opening: str) -> None:
    closing = "]" if opening == "[" else "}"

    def nested(depth: int) -> bytes:
        return ('{"b":' + opening * (depth - 1) + "1" + closing * (depth - 1) + "}").encode()

    assert refused(nested(bodies.MAX_DEPTH)) is None
    problem = refused(nested(bodies.MAX_DEPTH + 1))
    assert problem is not None and problem.code == "depth"


def test_many_are_not_deep() -> None:
    assert refused(json.dumps({"a": [{"b": [n]} for n in range(500)]}).encode()) is None


def test_long_lists() -> None:
    assert refused(json.dumps({"a": [[1] * bodies.MAX_ITEMS]}).encode()) is None
    problem = refused(json.dumps({"a": [[1] * (bodies.MAX_ITEMS + 1)]}).encode())
    assert problem is not None and (problem.code, problem.pointer) == ("items", "/a/0")
