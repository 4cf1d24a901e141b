"""Compiled expressions against an interpreter that walks the tree and knows nothing of closures, slots or budgets."""

import math
from collections.abc import Callable, Mapping
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gluon import expressions
from gluon.expressions import Failed, Ref, checker, syntax
from tests.unit.expressions import grammar

Value = Any


class Undefined(Exception):
    """No value."""


class Object(dict[str, Any]):
    """An object with a key: a reference, as the interpreter sees it."""


def double(value: Value) -> bool:
    return isinstance(value, float)


class Interpreter:
    """CEL by the book. Numbers of the model's doubles are floats from the start; `doubles`: whose sum is one."""

    def __init__(self, doubles: frozenset[int]) -> None:
        self.doubles = doubles

    def of(self, node: syntax.Node, names: Mapping[str, Value]) -> Value:
        match node:
            case syntax.Literal(value=value):
                return value
            case syntax.Name(name=name):
                return names[name]
            case syntax.Member(of=of, name=name):
                outer = self.of(of, names)
                if not isinstance(outer, dict):
                    raise Undefined
                return outer[name]
            case syntax.Index(of=of, key=key):
                items, index = self.of(of, names), self.of(key, names)
                if index is None or not 0 <= index < len(items):
                    raise Undefined
                return items[index]
            case syntax.Items(items=items):
                return [self.of(i, names) for i in items]
            case syntax.Conditional(test=test, yes=yes, no=no):
                return self.of(yes if self.truth(self.of(test, names)) else no, names)
            case syntax.Unary(operator="!", of=of):
                return not self.truth(self.of(of, names))
            case syntax.Unary(of=of):
                return self.calculated("-", 0.0 if double(v := self.number(self.of(of, names))) else 0, v)
            case syntax.Logic():
                return self.logic(node.operator == "||", [self.later(p, names) for p in node.parts])
            case syntax.Binary(operator=sign, left=left, right=right):
                return self.binary(sign, self.of(left, names), self.of(right, names))
            case syntax.Has(member=member):
                try:
                    return self.of(member, names) is not None
                except Undefined:
                    return False
            case syntax.Call(function=function, arguments=arguments):
                found = self.call(function, [self.of(a, names) for a in arguments])
                return float(found) if id(node) in self.doubles else found
            case syntax.Each():
                return self.each(node, names)
        raise TypeError(node)

    def truth(self, value: Value) -> bool:
        if not isinstance(value, bool):
            raise Undefined
        return value

    def number(self, value: Value) -> Value:
        if value is None:
            raise Undefined
        return value

    def logic(self, decides: bool, parts: list[Any]) -> bool:
        found: list[bool | None] = []
        for part in parts:
            try:
                found.append(self.truth(part()))
            except Undefined:
                found.append(None)
        if decides in found:
            return decides
        if None in found:
            raise Undefined
        return not decides

    def binary(self, sign: str, a: Value, b: Value) -> Value:
        if sign == "in":
            return any(self.equal(a, item) for item in b)
        if sign in {"==", "!="}:
            return self.equal(a, b) is (sign == "==")
        a, b = self.plain(self.number(a)), self.plain(self.number(b))
        match sign:
            case "<":
                return bool(a < b)
            case "<=":
                return bool(a <= b)
            case ">":
                return bool(a > b)
            case ">=":
                return bool(a >= b)
        return self.calculated(sign, a, b)

    def plain(self, value: Value) -> Value:
        return "key" if isinstance(value, Object) else value

    def equal(self, a: Value, b: Value) -> bool:
        a, b = self.plain(a), self.plain(b)
        if isinstance(a, list) and isinstance(b, list):
            return len(a) == len(b) and all(self.equal(x, y) for x, y in zip(a, b, strict=True))
        return bool(a == b)

    def calculated(self, sign: str, a: Value, b: Value) -> Value:
        if isinstance(a, (str, list)):
            return a + b
        if sign in "/%" and b == 0:
            if not double(a):
                raise Undefined
            return math.nan if a == 0 or math.isnan(a) else math.copysign(math.inf, a) * math.copysign(1, b)
        if sign in "/%" and not double(a):
            quotient = abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)
            return self.fits(quotient if sign == "/" else a - b * quotient)
        result = {"+": lambda: a + b, "-": lambda: a - b, "*": lambda: a * b, "/": lambda: a / b}[sign]()
        return self.fits(result)

    def fits(self, value: Value) -> Value:
        if isinstance(value, int) and not -(2**63) <= value < 2**63:
            raise Undefined
        return value

    def call(self, function: str, arguments: list[Value]) -> Value:
        first, *rest = (self.plain(self.number(a)) for a in arguments)
        match function:
            case "size":
                return len(first)
            case "lower":
                return first.lower()
            case "string":
                return str(first)
            case "double":
                return float(first)
            case "int":
                if not math.isfinite(first):
                    raise Undefined
                return self.fits(math.trunc(first))
            case "contains":
                return rest[0] in first
            case "startsWith":
                return first[: len(rest[0])] == rest[0]
            case "endsWith":
                return first[len(first) - len(rest[0]) :] == rest[0] and len(rest[0]) <= len(first)
        for item in first:
            self.number(item)
        if function == "sum":
            return self.fits(sum(first))
        if not first:
            raise Undefined
        return min(first) if function == "min" else max(first)

    def later(self, node: syntax.Node, names: Mapping[str, Value]) -> Callable[[], Value]:
        return lambda: self.of(node, names)

    def each(self, node: syntax.Each, names: Mapping[str, Value]) -> Value:
        items = self.of(node.over, names)
        bodies = [self.later(node.body, {**names, node.variable: item}) for item in items]
        match node.macro:
            case "all" | "exists":
                return self.logic(node.macro == "exists", bodies) if bodies else node.macro == "all"
            case "exists_one":
                return sum(self.truth(b()) for b in bodies) == 1
            case "filter":
                return [item for item, b in zip(items, bodies, strict=True) if self.truth(b())]
        return [b() for b in bodies]


def as_objects(value: Value, kind: str = "") -> Value:
    """For the interpreter: doubles as floats, references as objects."""
    if kind == "double":
        return float(value)
    if isinstance(value, dict) and kind != "labels":
        return Object({k: as_objects(v, k) for k, v in value.items()})
    return value


def as_references(value: dict[str, Any]) -> dict[str, Any]:
    """For the compiled expression."""
    inner = value["ref"]
    ref = None if inner is None else Ref("key", lambda key: as_references(inner))
    return {**value, "ref": ref}


@given(
    st.sampled_from(["bool", "int", "double", "text", "ints"]).flatmap(lambda k: grammar.typed(k, 3)),
    grammar.objects(),
)
def test_compiled_is_as_interpreted(node: syntax.Node, this: dict[str, Any]) -> None:
    text = syntax.unparse(node)
    node = expressions.parse(text).node
    doubles = checker.judge(node, grammar.ROOTS).doubles
    try:
        expected: Value = Interpreter(doubles).of(node, {"self": Object(as_objects(this))})
    except Undefined:
        expected = Undefined
    rule = expressions.compile(expressions.parse(text), grammar.ROOTS)
    values = {"self": as_references(this)}
    try:
        found = rule.value(values)
    except Failed:
        found = Undefined
    assert repr(normal(found)) == repr(normal(expected)), text
    assert rule(values) is (expected is True)
    rule.explain(values)


def normal(value: Value) -> Value:
    """References as their keys; whole doubles as integers, which they may come as."""
    if isinstance(value, (Ref, Object)):
        return "key"
    if isinstance(value, list):
        return [normal(v) for v in value]
    if isinstance(value, float):
        return int(value) if value.is_integer() else value
    return value
