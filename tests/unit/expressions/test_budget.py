"""Hostile rules: whatever stands there and whatever the values are, an evaluation ends within its steps."""

import time
from typing import Any

import pytest

from gluon import expressions
from gluon.expressions import Exhausted, Ref
from gluon.expressions.values import STEPS

LIST = list(range(1000))


def far(key: int) -> dict[str, Any]:
    """An object that leads to others without end."""
    return {"n": key, "next": Ref(key, far)}


def values() -> dict[str, Any]:
    """New ones for each test: references keep what they read."""
    return {
        "self": {
            "list": LIST,
            "texts": [f"10.{n // 256}.{n % 256}.0/24" for n in range(1000)],
            "long": "a" * 60_000,
            "nested": [LIST] * 1000,
            "refs": [Ref(n, far) for n in range(1000)],
            "map": {f"k{n}": LIST for n in range(1000)},
        }
    }


HOSTILE = [
    "self.list.all(a, self.list.all(b, self.list.all(c, self.list.all(d, true))))",
    "self.list.exists(a, self.list.exists(b, a * b == -1))",
    "self.list.all(a, self.list.all(b, 1 / 0 == 1 || true))",
    "self.list.exists(a, self.list.exists(b, 1 / 0 == 1))",
    "!self.list.all(a, self.list.exists(b, 1 / 0 == 1 && true))",
    "self.list.map(a, self.list.map(b, self.list)).size() == 0",
    "self.list.map(a, self.long + self.long + self.long).size() == 0",
    "self.list.map(a, self.nested + self.nested).size() == 0",
    "self.list.all(a, self.nested == self.nested.map(x, x))",
    "self.list.all(a, self.map == self.map || true)",
    "self.list.all(a, !(self.nested in [self.nested, self.nested]) || true)",
    "self.list.all(a, self.long.contains('b') || self.long.upper().lower() != '')",
    "self.list.all(a, !self.long.matches('(a|b)*b(a|b){100}c'))",
    "self.long.matches('((a?){20}){30}b') || self.list.all(a, !self.long.matches('((a?){20}){30}b'))",
    "self.texts.all(a, self.texts.exists_one(b, overlaps(a, b)))",
    "self.list.all(a, sum(self.list) + max(self.list) + min(self.list) > 0)",
    "self.refs.all(a, self.refs.all(b, a.n + b.n >= 0))",
    "self.list.all(a, self.refs[a].next.next.next.next.next.next.next.n + a >= 0)",
    "self.list.all(a, has(self.refs[a].next.next.next.n))",
    "self.nested.all(x, x.all(y, y >= 0))",
    "self.list.filter(a, self.list.filter(b, b in self.list).size() > 0).size() > 0",
    "self.list.all(a, [" + ", ".join(["self.list"] * 200) + "].size() == 200)",
    "self.list.all(a, string(a) + self.long != '')",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_rule_ends_within_its_steps(text: str) -> None:
    rule = expressions.compile(expressions.parse(text))
    began = time.process_time()
    with pytest.raises(Exhausted, match="too many steps"):
        rule.value(values())
    taken = time.process_time() - began
    assert taken < 1.0, taken
    assert rule(values()) is False
    assert "too many steps" in rule.explain(values())


def test_nothing_in_a_rule_catches_the_end() -> None:
    heavy = "self.list.all(a, self.list.all(b, true))"
    for text in (f"{heavy} || true", f"!({heavy} && false)", f"[1, 2].exists(x, {heavy} || x == 2)"):
        with pytest.raises(Exhausted):
            expressions.compile(expressions.parse(text)).value(values())


def test_steps_are_a_parameter_and_each_evaluation_has_its_own() -> None:
    rule = expressions.compile(expressions.parse("[1, 2, 3].all(x, x > 0)"), steps=40)
    assert all(rule({}) for _ in range(100))
    assert not expressions.compile(expressions.parse("[1, 2, 3].all(x, x > 0)"), steps=5)({})


def test_evaluations_may_share_a_budget() -> None:
    rule = expressions.compile(expressions.parse("[1, 2, 3].all(x, x > 0)"))
    budget = expressions.Budget(200)
    held = 0
    while rule({}, budget):
        held += 1
    assert 3 < held < 20
    assert budget.left <= 0
    assert not rule({}, budget)
    assert rule({})


@pytest.mark.parametrize(
    "text",
    [
        "self.list.all(a, a >= 0 && a < 1000)",
        "self.texts.all(p, within(p, '10.0.0.0/8'))",
        "self.refs.map(r, r.n).sum() > 0",
        "self.long.matches('^a*$')",
        "self.texts.all(p, p in self.texts)",
    ],
)
def test_what_models_need_is_far_below(text: str) -> None:
    assert expressions.compile(expressions.parse(text), steps=STEPS)(values())
