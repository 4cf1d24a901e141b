"""Static types of a tree: every member exists, every operator and function gets what it can take.

In: a tree and the shapes of its roots. Out: the shape of its value, and which operators work in doubles (at run
time a double may come as a whole number). The first problem is raised as `Wrong`. Null is no problem here: a value
that may be null is taken for what it is otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gluon.expressions import addresses, cost, functions, shapes, syntax
from gluon.expressions.problems import Wrong, suggest
from gluon.expressions.shapes import ANY, BOOL, DOUBLE, INT, NULL, NUMBERS, STRING, Kind, Shape
from gluon.expressions.values import STEPS


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """`doubles` holds the ids of the nodes that calculate in doubles, `maps` of those that go into a map. `steps`: what
    an evaluation may take at most, as far as lengths are known; `heavy`: the offset at which that is too many."""

    shape: Shape
    doubles: frozenset[int] = frozenset()
    maps: frozenset[int] = frozenset()
    steps: int = 0
    heavy: int | None = None


def judge(node: syntax.Node, roots: Mapping[str, Shape]) -> Judged:
    """The shape of `node`'s value where the names mean `roots`."""
    checker = _Checker()
    shape = checker.shape(node, roots)
    return Judged(
        shape=shape,
        doubles=frozenset(checker.doubles),
        maps=frozenset(checker.maps),
        steps=checker.meter.steps,
        heavy=checker.meter.at,
    )


Scope = Mapping[str, Shape]


class _Checker:
    def __init__(self) -> None:
        self.doubles: set[int] = set()
        self.maps: set[int] = set()
        self.meter = cost.Meter(STEPS)

    def shape(self, node: syntax.Node, scope: Scope) -> Shape:
        match node:
            case syntax.Literal(value=value):
                return _LITERALS[value.__class__]
            case syntax.Name(name=name):
                if name not in scope:
                    raise Wrong(f"unknown name {name!r}", offset=node.at, hint=_of_name(name, scope))
                return scope[name]
            case syntax.Member():
                return self.member(node, scope)
            case syntax.Index():
                return self.index(node, scope)
            case syntax.Items():
                return self.items(node, scope)
            case syntax.Unary():
                return self.unary(node, scope)
            case syntax.Binary():
                return self.binary(node, scope)
            case syntax.Logic(operator=operator, parts=parts):
                for part in parts:
                    self.truth(part, scope, f"{operator!r} takes bool")
                return BOOL
            case syntax.Conditional(test=test, yes=yes, no=no):
                self.truth(test, scope, "what stands before '?' is bool")
                a, b = self.shape(yes, scope), self.shape(no, scope)
                both = shapes.joined(a, b)
                if both is None:
                    raise Wrong(f"the two values of '? :' are unlike: {a} and {b}", offset=node.at)
                return both
            case syntax.Call():
                return self.call(node, scope)
            case syntax.Has(member=member):
                self.shape(member, scope)
                return BOOL
            case syntax.Each():
                return self.each(node, scope)
        raise TypeError(node)

    def truth(self, node: syntax.Node, scope: Scope, rule: str) -> None:
        shape = self.shape(node, scope)
        if shape.kind not in {Kind.BOOL, Kind.ANY}:
            hint = ""
            if isinstance(node, syntax.Binary):
                hint = "parentheses may be missing"
            raise Wrong(f"{rule}, not {shape}", offset=node.at, hint=hint)

    def member(self, node: syntax.Member, scope: Scope) -> Shape:
        of = self.shape(node.of, scope)
        if of.kind is Kind.ANY:
            return ANY
        if of.kind is Kind.MAP and of.items:
            self.maps.add(id(node))
            return shapes.nullable(of.items)
        if of.members is None:
            hint = ""
            if of.kind is Kind.LIST:
                hint = f"its items have members: {syntax.unparse(node.of)}.all(x, x.{node.name} …)"
            elif node.name in functions.FUNCTIONS:
                hint = f"a function is called with parentheses: {functions.FUNCTIONS[node.name].form}"
            raise Wrong(f"{of} has no members, so no {node.name!r}", offset=node.at, hint=hint)
        members = of.members()
        if of.kind is Kind.REFERENCE:
            self.meter.read(node.of)
        if node.name not in members:
            raise Wrong(
                f"{of.name or 'the object'} has no member {node.name!r}",
                offset=node.at,
                hint=suggest(node.name, members),
            )
        return members[node.name]

    def index(self, node: syntax.Index, scope: Scope) -> Shape:
        of, key = self.shape(node.of, scope), self.shape(node.key, scope).value
        wanted = {Kind.LIST: Kind.INT, Kind.MAP: Kind.STRING}.get(of.kind)
        if of.kind is Kind.ANY:
            return ANY
        if wanted is None:
            hint = "a member is written with a dot" if of.members else ""
            raise Wrong(f"{of} has no items", offset=node.at, hint=hint)
        if key.kind not in {wanted, Kind.ANY}:
            raise Wrong(f"an index of a {of.kind} is {wanted}, not {key}", offset=node.key.at)
        return of.items or ANY

    def items(self, node: syntax.Items, scope: Scope) -> Shape:
        items = ANY
        for one in node.items:
            shape = self.shape(one, scope)
            both = shapes.joined(items, shape)
            if both is None:
                raise Wrong(f"the items of a list are alike, not {items} and {shape}", offset=one.at)
            items = both
        return shapes.list_of(items, len(node.items))

    def unary(self, node: syntax.Unary, scope: Scope) -> Shape:
        if node.operator == "!":
            self.truth(node.of, scope, "'!' takes bool")
            return BOOL
        shape = self.shape(node.of, scope).value
        if shape.kind not in NUMBERS:
            raise Wrong(f"'-' takes a number, not {shape}", offset=node.at)
        return self.number(node, shape)

    def number(self, node: syntax.Node, shape: Shape) -> Shape:
        if shape.kind is Kind.DOUBLE:
            self.doubles.add(id(node))
            return DOUBLE
        return INT

    def binary(self, node: syntax.Binary, scope: Scope) -> Shape:
        sign = node.operator
        a, b = self.shape(node.left, scope), self.shape(node.right, scope)
        if sign == "in":
            return self.contained(node, a, b)
        if sign in {"==", "!="}:
            if not shapes.alike(a, b):
                raise _unlike(node, a, b)
            return BOOL
        if sign in {"<", "<=", ">", ">="}:
            first = a.value
            if not shapes.alike(a, b) or not {first.kind, b.value.kind} <= _ORDERED:
                raise _unlike(node, a, b)
            return BOOL
        return self.arithmetic(node, a.value, b.value)

    def contained(self, node: syntax.Binary, item: Shape, of: Shape) -> Shape:
        if of.kind is Kind.MAP:
            if item.value.kind not in {Kind.STRING, Kind.ANY}:
                raise Wrong(f"the keys of a map are string, not {item}", offset=node.at)
        elif of.kind is Kind.LIST and of.items:
            length = of.most or 0
            self.meter.add(1 + (length >> 3 if of.items.kind in {Kind.STRING, Kind.INT} else length))
            if not shapes.alike(item, of.items):
                raise Wrong(f"{item} cannot be in a {of}", offset=node.at)
        elif of.kind is not Kind.ANY:
            hint = "a part of a text: text.contains(part)" if of.value.kind is Kind.STRING else ""
            raise Wrong(f"'in' takes a list or a map on its right, not {of}", offset=node.at, hint=hint)
        return BOOL

    def arithmetic(self, node: syntax.Binary, a: Shape, b: Shape) -> Shape:
        sign = node.operator
        if {a.kind, b.kind} == NUMBERS and sign != "%":
            raise Wrong(
                f"{sign!r} does not mix int and double",
                offset=node.at,
                hint="convert one side: double(x) or int(x)",
            )
        if a.kind is b.kind:
            if a.kind is Kind.INT or (a.kind is Kind.DOUBLE and sign != "%"):
                return self.number(node, a)
            if sign == "+" and a.kind is Kind.STRING:
                return STRING
            if sign == "+" and a.kind is Kind.LIST and (both := shapes.joined(a, b)):
                return shapes.list_of(both.items or ANY, (a.most or 0) + (b.most or 0) or None)
        takes = {"+": "two numbers, two strings or two lists", "%": "two int"}.get(sign, "two numbers")
        raise Wrong(f"{sign!r} takes {takes}, not {a} and {b}", offset=node.at)

    def call(self, node: syntax.Call, scope: Scope) -> Shape:
        arguments = [self.shape(a, scope) for a in node.arguments]
        try:
            shape = functions.FUNCTIONS[node.function].judge(arguments)
        except functions.Mismatch as why:
            which = f"argument {why.index + 1} of " if len(arguments) > 1 else "the argument of "
            if node.method:
                which = f"argument {why.index} of " if why.index else "what stands before ."
            hint = "an item of a list: x in list" if node.function == "contains" and why.index == 0 else ""
            raise Wrong(
                f"{which}{node.function} is {why.expected}, not {arguments[why.index]}",
                offset=node.arguments[why.index].at,
                hint=hint,
            ) from None
        _constants(node)
        goes_through = node.function in {"sum", "min", "max"} and len(arguments) == 1
        self.meter.call(node.function, arguments[0].most if goes_through else None)
        return self.number(node, shape) if node.function == "sum" else shape

    def each(self, node: syntax.Each, scope: Scope) -> Shape:
        over = self.shape(node.over, scope)
        if over.kind not in {Kind.LIST, Kind.MAP, Kind.ANY}:
            raise Wrong(f"{node.macro} goes through a list or the keys of a map, not {over}", offset=node.at)
        item = over.items or ANY if over.kind is Kind.LIST else ANY
        if over.kind is Kind.MAP:
            self.maps.add(id(node))
            item = STRING
        inner = {**scope, node.variable: item}
        self.meter.enter(node, over.most)
        if node.test:
            self.truth(node.test, inner, "the condition of map is bool")
        if node.macro == "map":
            made = shapes.list_of(self.shape(node.body, inner), over.most)
        else:
            self.truth(node.body, inner, f"the condition of {node.macro} is bool")
            made = shapes.list_of(item, over.most) if node.macro == "filter" else BOOL
        self.meter.leave(node)
        return made


def _constants(node: syntax.Call) -> None:
    """Judge addresses that stand in the rule itself."""
    if node.function not in {"within", "overlaps", "family"}:
        return
    for index, argument in enumerate(node.arguments):
        if isinstance(argument, syntax.Literal) and isinstance(argument.value, str):
            only_prefix = node.function == "within" and index == 1
            read = addresses.prefix if only_prefix else addresses.address_or_prefix
            if read(argument.value) is None:
                what = "prefix such as 192.0.2.0/24" if only_prefix else "address or prefix"
                raise Wrong(
                    f"{argument.value!r} is no {what}", offset=argument.at, hint="a prefix has no host bits"
                )


def _unlike(node: syntax.Binary, a: Shape, b: Shape) -> Wrong:
    hint = ""
    if isinstance(node.left, syntax.Binary) and a.kind is Kind.BOOL and b.kind is not Kind.BOOL:
        hint = "a chain is written a < b && b < c"
    elif {a.value.kind, b.value.kind} == {Kind.STRING, Kind.INT}:
        hint = "convert one side: string(x) or int(x)"
    return Wrong(f"{node.operator!r} cannot compare {a} with {b}", offset=node.at, hint=hint)


def _of_name(name: str, scope: Scope) -> str:
    for root, shape in scope.items():
        if shape.kind is Kind.OBJECT and shape.members and name in shape.members():
            return f"did you mean {root}.{name}?"
    return suggest(name, scope)


_ORDERED = {Kind.INT, Kind.DOUBLE, Kind.STRING, Kind.BOOL, Kind.ANY}

_LITERALS = {int: INT, float: DOUBLE, str: STRING, bool: BOOL, type(None): NULL}
