"""Closures of the operators: read both sides, take the usual types at once, all others by `values`.

Made by `compiler`. The nodes come along for the messages of failures only.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

from gluon.expressions import syntax
from gluon.expressions.problems import Exhausted, Failed
from gluon.expressions.values import (
    LISTS,
    PLAIN,
    Env,
    Read,
    among,
    is_number,
    ordered,
    plain,
    same,
    spend,
    whole,
)

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def no_value(node: syntax.Node, value: Any, needed: str) -> Failed:
    """Why `value` of `node` does not do."""
    return Failed(f"{syntax.unparse(node)} is {'null' if value is None else f'no {needed}'}")


def comparison(node: syntax.Binary, left: Read, right: Read) -> Read:
    compare = _COMPARE[node.operator]

    def read(env: Env) -> bool:
        a = left(env)
        b = right(env)
        if a.__class__ is b.__class__ and a.__class__ in PLAIN:
            return compare(a, b)
        sides = ordered(a, b)
        if sides is None:
            side, value = (node.left, a) if plain(a).__class__ not in PLAIN else (node.right, b)
            raise no_value(side, value, "value of that order")
        return compare(*sides)

    return read


def equality(node: syntax.Binary, left: Read, right: Read) -> Read:
    wanted = node.operator == "=="
    for side, other in ((node.left, right), (node.right, left)):
        if side == syntax.Literal(value=None):
            return _null(other, wanted=wanted)

    def read(env: Env) -> bool:
        a = left(env)
        b = right(env)
        if a.__class__ is b.__class__ and a.__class__ in PLAIN:
            return bool(a == b) is wanted
        return same(env, a, b) is wanted

    return read


def _null(of: Read, *, wanted: bool) -> Read:
    def read(env: Env) -> bool:
        return (of(env) is None) is wanted

    return read


def containment(node: syntax.Binary, left: Read, right: Read) -> Read:
    """`in`; a list of texts that is written out is looked up at once."""
    words: frozenset[Any] = frozenset()
    if isinstance(node.right, syntax.Items):
        literals = [i.value for i in node.right.items if isinstance(i, syntax.Literal)]
        if len(literals) == len(node.right.items) and all(v.__class__ is str for v in literals):
            words = frozenset(literals)

    def read(env: Env) -> bool:
        value = left(env)
        if words and value.__class__ is str:
            return value in words
        return among(env, value, right(env))

    return read


def negation(node: syntax.Unary, of: Read) -> Read:
    def read(env: Env) -> bool:
        value = of(env)
        if value is True:
            return False
        if value is False:
            return True
        raise no_value(node.of, value, "bool")

    return read


def minus(node: syntax.Unary, of: Read, *, double: bool) -> Read:
    def read(env: Env) -> int | float:
        value = plain(of(env))
        if not is_number(value):
            raise no_value(node.of, value, "number")
        return -float(value) if double or value.__class__ is float else whole(-value)

    return read


def logic(node: syntax.Logic, parts: tuple[Read, ...]) -> Read:
    """`&&` and `||`: a part that decides does so whatever failed before it, as in CEL."""
    decides = node.operator == "||"
    neutral = not decides
    numbered = tuple(enumerate(parts))

    def read(env: Env) -> bool:
        failed: Failed | None = None
        for index, part in numbered:
            try:
                value = part(env)
            except Exhausted:
                raise
            except Failed as why:
                spend(env, 8)
                failed = failed or why
                continue
            if value is decides:
                return not neutral
            if value is not neutral:
                failed = failed or no_value(node.parts[index], value, "bool")
        if failed is not None:
            raise failed
        return neutral

    return read


def arithmetic(node: syntax.Binary, left: Read, right: Read, *, double: bool) -> Read:
    """Integers of 64 bits; with `double`, or a float on either side, as IEEE 754."""
    sign = node.operator
    of_integers, of_doubles = _INTEGERS[sign], _DOUBLES.get(sign)

    def read(env: Env) -> Any:
        a = left(env)
        b = right(env)
        if a.__class__ is int and b.__class__ is int and not double:
            return whole(of_integers(a, b))
        a, b = plain(a), plain(b)
        if is_number(a) and is_number(b):
            if a.__class__ is int and b.__class__ is int and not double:
                return whole(of_integers(a, b))
            if of_doubles is not None:
                return of_doubles(float(a), float(b))
        if sign == "+":
            if a.__class__ is str and b.__class__ is str:
                spend(env, 1 + ((len(a) + len(b)) >> 5))
                return a + b
            if isinstance(a, LISTS) and isinstance(b, LISTS):
                spend(env, 1 + len(a) + len(b))
                return [*a, *b]
        side, value = (node.left, a) if not is_number(a) else (node.right, b)
        raise no_value(side, value, f"operand of {sign!r}")

    return read


def _quotient(a: int, b: int) -> int:
    if b == 0:
        raise Failed("a division by zero")
    return a // b if (a >= 0) == (b > 0) else -(-a // b)


def _remainder(a: int, b: int) -> int:
    return a - b * _quotient(a, b)


def _divided(a: float, b: float) -> float:
    if b:
        return a / b
    if a == 0 or a != a:  # noqa: PLR0124 - the one value that differs from itself
        return math.nan
    return math.copysign(math.inf, a) * math.copysign(1, b)


_INTEGERS: dict[str, Callable[[int, int], int]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": _quotient,
    "%": _remainder,
}
_DOUBLES: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": _divided,
}
