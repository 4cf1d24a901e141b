"""Each line of the reference of rules is evaluated, and it leaves out no function, macro or operator."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from gluon import expressions
from gluon.expressions import Ref, Wrong, functions, parser, scanner, syntax
from gluon.expressions.patterns import LARGEST, LONGEST
from gluon.expressions.shapes import (
    BOOL,
    DOUBLE,
    INT,
    STRING,
    list_of,
    map_of,
    nullable,
    object_of,
    reference,
)

PAGE = (Path(__file__).parents[2] / "docs/reference/expressions.md").read_text(encoding="utf-8")


def _blocks(kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", PAGE, re.DOTALL)


def _object() -> dict[str, Any]:
    def refer(value: dict[str, Any]) -> Ref:
        return Ref(value["id"], lambda key: value)

    (text,) = _blocks("json")
    found: dict[str, Any] = json.loads(text)
    found["service_id"] = refer(found["service_id"])
    found["services"] = [refer(s) for s in found["services"]]
    return found


_OWNER = object_of("Owner", lambda: {"name": STRING})
_SERVICE = object_of(
    "Service", lambda: {"id": STRING, "mtu": INT, "prefix": STRING, "owner": nullable(_OWNER)}
)
_TO_SERVICE = reference("Service", STRING, _SERVICE.members or dict)
_PORT = object_of(
    "Port",
    lambda: {
        "name": STRING,
        "mtu": INT,
        "ratio": DOUBLE,
        "up": BOOL,
        "vlan": nullable(INT),
        "address": STRING,
        "tags": list_of(STRING),
        "sizes": list_of(INT),
        "labels": map_of(STRING),
        "routes": list_of(object_of("routes", lambda: {"prefix": STRING, "metric": INT})),
        "service_id": _TO_SERVICE,
        "services": list_of(_TO_SERVICE),
    },
)
ROOTS = {"self": _PORT, "old": nullable(_PORT)}
TRUE = [line for block in _blocks("cel") for line in block.splitlines()]
WRONG = [line for block in _blocks("wrong") for line in block.splitlines()]


@pytest.mark.parametrize("line", TRUE)
def test_each_line_is_true(line: str) -> None:
    rule = expressions.rule(line, ROOTS)
    assert rule.value({"self": _object(), "old": None}) is True


@pytest.mark.parametrize("line", WRONG)
def test_each_mistake_is_told_like_that(line: str) -> None:
    text, _, said = line.partition("//")
    with pytest.raises(Wrong) as caught:
        expressions.rule(text.strip(), ROOTS)
    assert said.strip() == f"{caught.value.message} ({caught.value.hint})"


@pytest.mark.parametrize("name", [*functions.FUNCTIONS, *parser.MACROS, "has"])
def test_each_function_and_macro_is_told_and_shown(name: str) -> None:
    assert re.search(rf"`[^`]*\b{name}\(", PAGE), "in a table"
    assert any(re.search(rf"\b{name}\(", line) for line in TRUE), "in an example"


@pytest.mark.parametrize("operator", [*syntax.LEVELS, "!"])
def test_each_operator_is_told_and_shown(operator: str) -> None:
    assert f"`{operator}`" in PAGE.replace("\\|", "|")
    assert any(operator in line for line in TRUE)


def test_the_limits_are_told() -> None:
    for limit in (scanner.LONGEST, parser.DEEPEST, expressions.STEPS, LONGEST, LARGEST):
        assert f"{limit:,}" in PAGE
