"""Rules of models, in the syntax of CEL (a subset, with functions of our field).

    rule = expressions.rule('self.mtu <= self.service_id.mtu', {"self": shape, "old": shape})
    rule({"self": {"mtu": 9000, "service_id": Ref(key, fetch)}})      False
    rule.explain({"self": …})                    'self.mtu is 9000, self.service_id.mtu is 1500'

`parse(text)` gives an `Expression`: its `text`, `paths`, and `check(roots)`, the static type of its value;
`compile(expression, roots)` gives a `Rule`, a function of values that is true, or false (also where the evaluation
has no value: null has no members). `rule` is all of it, for a rule that a model says. What is wrong with a text
is raised as `Wrong` with an offset; `Failed` comes from `Rule.value` only.

Values are plain Python and `Ref`. An absent member is null. Errors of `fetch` pass through. An evaluation ends within
`STEPS` steps, tens of milliseconds; a rule that could not do so for the longest lists is `Wrong` already. Pure; knows no model: any room above may call it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from gluon.expressions import checker, compiler, explainer, parser, shapes, syntax
from gluon.expressions import paths as _paths
from gluon.expressions.problems import Exhausted, Failed, Wrong
from gluon.expressions.shapes import ANY, Kind, Shape
from gluon.expressions.values import STEPS, Env, Read, Ref

__all__ = [
    "STEPS",
    "Budget",
    "Exhausted",
    "Expression",
    "Failed",
    "Ref",
    "Rule",
    "Wrong",
    "compile",
    "parse",
    "rule",
    "shapes",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Expression:
    """A text that can be read. `paths` are the chains of members that it reads: `("self", "service_id", "mtu")`."""

    text: str
    node: syntax.Node
    paths: frozenset[tuple[str, ...]]

    def check(self, roots: Mapping[str, Shape]) -> Shape:
        """The static type of its value where the names mean `roots`; the first problem is raised as `Wrong`."""
        return checker.judge(self.node, roots).shape

    def __str__(self) -> str:
        return syntax.unparse(self.node)


@dataclass(slots=True)
class Budget:
    """Steps that several evaluations may take together; below 1 it is used up."""

    left: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A compiled expression: `rule(values)` is whether it is true. `paths`: as the expression's, with `*` in maps too."""

    expression: Expression
    paths: frozenset[tuple[str, ...]]
    value: Callable[[Mapping[str, Any]], Any] = field(repr=False)
    metered: Callable[[Mapping[str, Any], Budget], Any] = field(repr=False)
    doubles: frozenset[int] = field(repr=False)

    def __call__(self, values: Mapping[str, Any], budget: Budget | None = None) -> bool:
        """`budget`: shared with other evaluations; what it has left bounds this one too."""
        try:
            found = self.value(values) if budget is None else self.metered(values, budget)
            return found is True
        except Failed:
            return False

    def explain(
        self, values: Mapping[str, Any], *, hidden: Callable[[tuple[str, ...]], bool] = lambda path: False
    ) -> str:
        """The values that made it false, in one short line; members whose path is `hidden` are left out."""
        node = self.expression.node
        return explainer.explanation(node, values, _roots(node), self.doubles, hidden)


def parse(text: str) -> Expression:
    """Read `text`; its types are not looked at."""
    node = parser.parse(text)
    return Expression(text=text, node=node, paths=_paths.paths(node))


def compile(  # noqa: A001 - the word of the field
    expression: Expression, roots: Mapping[str, Shape] | None = None, *, steps: int = STEPS
) -> Rule:
    """Closures of `expression`. Without `roots` nothing is checked, and every number is what it looks like."""
    node = expression.node
    judged = checker.judge(node, roots) if roots is not None else checker.Judged(shape=ANY)
    names = _roots(node)
    read = compiler.compiled(node, {name: index + 1 for index, name in enumerate(names)}, judged.doubles)
    blank = [None] * compiler.slots_needed(node)
    paths = _paths.paths(node, judged.maps)
    return Rule(
        expression=expression,
        paths=paths,
        value=_evaluation(read, names, blank, steps),
        metered=_metered(read, names, blank, steps),
        doubles=judged.doubles,
    )


def rule(text: str, roots: Mapping[str, Shape]) -> Rule:
    """Read, check and compile a rule; its value is a bool."""
    expression = parse(text)
    judged = checker.judge(expression.node, roots)
    if judged.shape.kind is not Kind.BOOL:
        raise Wrong(
            f"a rule is true or false, not {judged.shape}",
            offset=0,
            hint="compare the value with another one",
        )
    if judged.heavy is not None:
        raise Wrong(
            f"for the longest lists it takes {judged.steps:,} steps, and a rule has {STEPS:,}",
            offset=judged.heavy,
            hint="set max_items of the lists that it goes through",
        )
    return compile(expression, roots)


def _roots(node: syntax.Node) -> tuple[str, ...]:
    """The names that no macro binds (a variable never has the name of a root)."""
    walked = [one for one, _ in syntax.walk(node)]
    bound = {one.variable for one in walked if isinstance(one, syntax.Each)}
    return tuple(sorted({one.name for one in walked if isinstance(one, syntax.Name)} - bound))


def _evaluation(
    read: Read, names: tuple[str, ...], blank: list[None], steps: int
) -> Callable[[Mapping[str, Any]], Any]:
    if len(names) == 1 and not blank:
        (name,) = names
        return lambda values: read([steps, values[name]])
    return lambda values: read([steps, *map(values.get, names), *blank])


def _metered(
    read: Read, names: tuple[str, ...], blank: list[None], steps: int
) -> Callable[[Mapping[str, Any], Budget], Any]:
    def value(values: Mapping[str, Any], budget: Budget) -> Any:
        most = min(steps, max(budget.left, 0))
        env: Env = [most, *map(values.get, names), *blank]
        try:
            return read(env)
        finally:
            budget.left -= _BEGIN + most - env[0]

    return value


_BEGIN = 10
"""Steps for an evaluation as such."""
