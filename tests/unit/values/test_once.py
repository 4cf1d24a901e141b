"""YAML in which each key stands once."""

from typing import Any

import pytest
import yaml

from gluon.values import once


def read(text: str) -> Any:
    return yaml.load(text, Loader=once.Loader)  # noqa: S506 - a safe loader


@pytest.mark.parametrize(
    "text",
    [
        "a: {x: 1}",
        "{1: a, '1': b}",
        "a: &a {x: 1, y: 2}\nb: {<<: *a, x: 3}",
        # Of the inner one entries are brought in before it is read itself.
        "a: &a {x: 1}\nd: {e: &b {<<: *a, x: 2}}\nc: {<<: *b, x: 3}",
        "a: &a {x: 1}\nb: {<<: [*a, *a], y: 2}",
        "- {x: 1}\n- {x: 1}",
        "",
    ],
)
def test_what_stands_once_is_read_as_ever(text: str) -> None:
    assert read(text) == yaml.safe_load(text)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: 1\na: 1", 2),
        ("a: 1\n'a': 2", 2),
        ("a:\n  b: [{c: 1,\n  c: 2}]", 3),
        ("a: &a {x: 1}\nb: {<<: *a, y: 1,\n y: 2}", 3),
    ],
)
def test_what_stands_twice_is_refused_with_its_place(text: str, line: int) -> None:
    with pytest.raises(once.Twice, match="is given twice") as refused:
        read(text)
    assert refused.value.problem_mark is not None
    assert refused.value.problem_mark.line + 1 == line
