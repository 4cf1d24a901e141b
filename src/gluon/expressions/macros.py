"""Closures of the macros: go through a list or the keys of a map, one step of the budget for each node of the body.

Made by `compiler`. The variable has a slot of its own in the evaluation, so nested macros do not meet.
"""

from __future__ import annotations

from typing import Any

from gluon.expressions import syntax
from gluon.expressions.operators import no_value
from gluon.expressions.problems import Exhausted, Failed
from gluon.expressions.values import Env, Read, items_of, spend


def weight(node: syntax.Node) -> int:
    """What one evaluation of `node` costs at most, bodies of macros inside counted once."""
    return sum(1 for _ in syntax.walk(node))


def quantifier(node: syntax.Each, over: Read, body: Read, slot: int) -> Read:
    """`all` and `exists`: an item that decides does so whatever failed before it."""
    decides = node.macro == "exists"
    neutral = not decides
    cost = 1 + weight(node.body)

    def read(env: Env) -> bool:
        failed: Failed | None = None
        for item in items_of(over(env)):
            spend(env, cost)
            env[slot] = item
            try:
                value = body(env)
            except Exhausted:
                raise
            except Failed as why:
                spend(env, 8)
                failed = failed or why
                continue
            if value is decides:
                return not neutral
            if value is not neutral:
                failed = failed or no_value(node.body, value, "bool")
        if failed is not None:
            raise failed
        return neutral

    return read


def exactly_one(node: syntax.Each, over: Read, body: Read, slot: int) -> Read:
    cost = 1 + weight(node.body)

    def read(env: Env) -> bool:
        found = 0
        for item in items_of(over(env)):
            spend(env, cost)
            env[slot] = item
            found += _truth(node.body, body(env))
        return found == 1

    return read


def selection(node: syntax.Each, over: Read, body: Read, slot: int) -> Read:
    """`filter`."""
    cost = 1 + weight(node.body)

    def read(env: Env) -> list[Any]:
        kept = []
        for item in items_of(over(env)):
            spend(env, cost)
            env[slot] = item
            if _truth(node.body, body(env)):
                kept.append(item)
        return kept

    return read


def mapping(node: syntax.Each, over: Read, test: Read | None, body: Read, slot: int) -> Read:
    """`map`, of all items or of those that pass `test`."""
    cost = 1 + weight(node.body) + (weight(node.test) if node.test else 0)

    def read(env: Env) -> list[Any]:
        made = []
        for item in items_of(over(env)):
            spend(env, cost)
            env[slot] = item
            if test is None or _truth(node.test or node.body, test(env)):
                made.append(body(env))
        return made

    return read


def _truth(node: syntax.Node, value: Any) -> bool:
    if value is True or value is False:
        return bool(value)
    raise no_value(node, value, "bool")
