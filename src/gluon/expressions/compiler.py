"""A tree to closures: nothing looks at the tree while a rule is evaluated.

In: a tree, the slots of its names, and the nodes that calculate in doubles. Out: a function of one evaluation,
`env`: a list with the steps left, then the roots, then the variables of the macros around.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from gluon.expressions import functions, macros, matching, operators, syntax
from gluon.expressions.problems import Failed, Unfit
from gluon.expressions.values import LISTS, Env, Read, Ref, plain, spend


def compiled(node: syntax.Node, slots: Mapping[str, int], doubles: frozenset[int] = frozenset()) -> Read:
    """The closure of `node`; `slots` says where each name is."""
    return _Compiler(doubles).read(node, slots)


def slots_needed(node: syntax.Node) -> int:
    """How many variables may be alive at once: more than enough."""
    return sum(1 for one, _ in syntax.walk(node) if isinstance(one, syntax.Each))


class _Compiler:
    def __init__(self, doubles: frozenset[int]) -> None:
        self.doubles = doubles

    def read(self, node: syntax.Node, slots: Mapping[str, int]) -> Read:
        match node:
            case syntax.Literal(value=value):
                return lambda env: value
            case syntax.Name(name=name):
                slot = slots[name]
                return lambda env: env[slot]
            case syntax.Member(of=syntax.Name(name=root), name=name):
                return _of_slot(node, slots[root], name)
            case syntax.Member(of=of, name=name):
                return _member(node, self.read(of, slots), name)
            case syntax.Index(of=of, key=key):
                return _index(node, self.read(of, slots), self.read(key, slots))
            case syntax.Items(items=items):
                return _items(tuple(self.read(i, slots) for i in items))
            case syntax.Unary(operator="!", of=of):
                return operators.negation(node, self.read(of, slots))
            case syntax.Unary(of=of):
                return operators.minus(node, self.read(of, slots), double=id(node) in self.doubles)
            case syntax.Binary():
                return self.binary(node, slots)
            case syntax.Logic(parts=parts):
                return operators.logic(node, tuple(self.read(p, slots) for p in parts))
            case syntax.Conditional(test=test, yes=yes, no=no):
                return _conditional(node, self.read(test, slots), self.read(yes, slots), self.read(no, slots))
            case syntax.Call():
                return self.call(node, slots)
            case syntax.Has(member=member):
                return _is_there(self.soft(member, slots))
            case syntax.Each():
                return self.each(node, slots)
        raise TypeError(node)

    def binary(self, node: syntax.Binary, slots: Mapping[str, int]) -> Read:
        left, right = self.read(node.left, slots), self.read(node.right, slots)
        match node.operator:
            case "==" | "!=":
                return operators.equality(node, left, right)
            case "in":
                return operators.containment(node, left, right)
            case "<" | "<=" | ">" | ">=":
                return operators.comparison(node, left, right)
        return operators.arithmetic(node, left, right, double=id(node) in self.doubles)

    def call(self, node: syntax.Call, slots: Mapping[str, int]) -> Read:
        reads = [self.read(a, slots) for a in node.arguments]
        if node.function == "matches":
            reads[1] = _pattern(node.arguments[1])
        run = functions.FUNCTIONS[node.function].run
        if node.function == "sum" and id(node) in self.doubles:
            run = functions.sum_of_doubles
        return _call(node, run, reads)

    def each(self, node: syntax.Each, slots: Mapping[str, int]) -> Read:
        slot = max(slots.values(), default=0) + 1
        inner = {**slots, node.variable: slot}
        over, body = self.read(node.over, slots), self.read(node.body, inner)
        match node.macro:
            case "all" | "exists":
                return macros.quantifier(node, over, body, slot)
            case "exists_one":
                return macros.exactly_one(node, over, body, slot)
            case "filter":
                return macros.selection(node, over, body, slot)
        test = self.read(node.test, inner) if node.test else None
        return macros.mapping(node, over, test, body, slot)

    def soft(self, node: syntax.Node, slots: Mapping[str, int]) -> Read:
        """As `read`, but what is not there is null, all the way down: for `has`."""
        if isinstance(node, syntax.Member):
            of, name = self.soft(node.of, slots), node.name
            return lambda env: _part(of(env), name, env)
        if isinstance(node, syntax.Index):
            outer, key = self.soft(node.of, slots), self.read(node.key, slots)
            return lambda env: _item(outer(env), key(env))
        return self.read(node, slots)


def _call(node: syntax.Call, run: Callable[..., Any], reads: list[Read]) -> Read:
    def told(why: Unfit) -> Failed:
        return Failed(f"{why} in {syntax.unparse(node)}")

    if len(reads) == 2:
        first, second = reads

        def read(env: Env) -> Any:
            try:
                return run(env, first(env), second(env))
            except Unfit as why:
                raise told(why) from None

        return read

    def read_all(env: Env) -> Any:
        try:
            return run(env, *[r(env) for r in reads])
        except Unfit as why:
            raise told(why) from None

    return read_all


def _of_slot(node: syntax.Member, slot: int, name: str) -> Read:
    """A member of a root or a variable: most reads of a rule are this."""

    def read(env: Env) -> Any:
        of = env[slot]
        return of.get(name) if of.__class__ is dict else _read_member(node, of, name, env)

    return read


def _member(node: syntax.Member, outer: Read, name: str) -> Read:
    def read(env: Env) -> Any:
        of = outer(env)
        return of.get(name) if of.__class__ is dict else _read_member(node, of, name, env)

    return read


def _read_member(node: syntax.Member, of: Any, name: str, env: Env) -> Any:
    if of.__class__ is Ref:
        found = of.read(env)
        if found is None:
            raise Failed(f"{syntax.unparse(node.of)} refers to nothing")
        return found.get(name)
    if isinstance(of, Mapping):
        return of.get(name)
    raise operators.no_value(node.of, of, "object")


def _part(of: Any, name: str, env: Env) -> Any:
    if of.__class__ is Ref:
        of = of.read(env)
    return of.get(name) if isinstance(of, Mapping) else None


def _item(of: Any, key: Any) -> Any:
    key = plain(key)
    if isinstance(of, LISTS):
        return of[key] if key.__class__ is int and 0 <= key < len(of) else None
    return of.get(key) if isinstance(of, Mapping) and key.__class__ is str else None


def _index(node: syntax.Index, outer: Read, key_of: Read) -> Read:
    def read(env: Env) -> Any:
        of = outer(env)
        key = plain(key_of(env))
        if isinstance(of, LISTS):
            if key.__class__ is int and 0 <= key < len(of):
                return of[key]
            raise Failed(f"{syntax.unparse(node)}: the index is out of range")
        if isinstance(of, Mapping):
            if key.__class__ is str and key in of:
                return of[key]
            raise Failed(f"{syntax.unparse(node)}: no such key")
        raise operators.no_value(node.of, of, "list and no map")

    return read


def _items(reads: tuple[Read, ...]) -> Read:
    def read(env: Env) -> list[Any]:
        spend(env, len(reads))
        return [r(env) for r in reads]

    return read


def _conditional(node: syntax.Conditional, test: Read, yes: Read, no: Read) -> Read:
    def read(env: Env) -> Any:
        value = test(env)
        if value is True:
            return yes(env)
        if value is False:
            return no(env)
        raise operators.no_value(node.test, value, "bool")

    return read


def _is_there(of: Read) -> Callable[[Env], bool]:
    return lambda env: of(env) is not None


def _pattern(node: syntax.Node) -> Read:
    """The compiled pattern in place of its text."""
    assert isinstance(node, syntax.Literal)  # the parser takes nothing else
    pattern = matching.compile(str(node.value), at=node.at)
    return lambda env: pattern
