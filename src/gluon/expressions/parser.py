"""Tokens to a tree: recursive descent with levels of operators, for a subset of CEL.

In: text. Out: `syntax.Node`, or `Wrong` that names the token and what may stand there. Invariant: a tree has
`DEEPEST` levels at most, so everything that walks it may recurse.
"""

from __future__ import annotations

import math

from gluon.expressions import functions, matching, syntax
from gluon.expressions.problems import Wrong
from gluon.expressions.scanner import Token, scan

DEEPEST = 48
"""Levels of a tree, and of nesting in the text."""

MACROS = ("all", "exists", "exists_one", "filter", "map")

_RESERVED = frozenset(
    {"as", "break", "const", "continue", "else", "for", "function", "if", "import", "let", "loop"}
    | {"package", "namespace", "return", "var", "void", "while"}
)
_HABITS = {
    "and": "and is written &&",
    "or": "or is written ||",
    "not": "not is written !",
    "is": "equality is written ==",
    "True": "the literal is true",
    "False": "the literal is false",
    "None": "the literal is null",
    "nil": "the literal is null",
}


def parse(text: str) -> syntax.Node:
    """The tree of `text`."""
    parser = _Parser(scan(text))
    node = parser.expression()
    parser.finish()
    for one, depth in syntax.walk(node):
        if depth > DEEPEST:
            raise Wrong(
                f"an expression has {DEEPEST} levels at most",
                offset=one.at,
                hint="split it into several checks",
            )
    return node


class _Parser:
    def __init__(self, tokens: list[Token]) -> None:
        self.tokens = tokens
        self.here = 0
        self.depth = 0
        self.variables: list[str] = []

    @property
    def token(self) -> Token:
        return self.tokens[self.here]

    def take(self, *kinds: str) -> Token | None:
        """The next token if it is one of these signs."""
        token = self.token
        if token.kind not in kinds:
            return None
        self.here += 1
        return token

    def need(self, kind: str, why: str) -> Token:
        token = self.take(kind)
        if token is None:
            raise self.unexpected(f"{kind!r} is expected {why}")
        return token

    def unexpected(self, rule: str) -> Wrong:
        token = self.token
        what = "the end comes too early" if token.kind == "end" else f"unexpected {token}"
        return Wrong(f"{what}: {rule}", offset=token.at, hint=_HABITS.get(token.text, ""))

    def finish(self) -> None:
        if self.token.kind != "end":
            raise self.unexpected("an operator or the end is expected")

    def expression(self) -> syntax.Node:
        """`test ? yes : no`, or what binds tighter."""
        self.depth += 1
        if self.depth > DEEPEST:
            raise Wrong(f"an expression is nested {DEEPEST} levels at most", offset=self.token.at)
        node = self.operation(1)
        mark = self.take("?")
        if mark:
            yes = self.operation(1)
            self.need(":", "between the two values of '?'")
            node = syntax.Conditional(at=mark.at, test=node, yes=yes, no=self.expression())
        self.depth -= 1
        return node

    def operation(self, level: int) -> syntax.Node:
        """Operators that bind as `level` or tighter, from the left."""
        node = self.unary()
        while True:
            token = self.token
            sign = "in" if token.kind == "name" and token.text == "in" else token.kind
            binds = syntax.LEVELS.get(sign, 0)
            if binds < level:
                return node
            self.here += 1
            node = _joined(sign, node, self.operation(binds + 1), token.at)

    def unary(self) -> syntax.Node:
        signs = []
        while sign := self.take("!", "-"):
            signs.append(sign)
        node = self.postfix()
        for sign in reversed(signs):
            node = _signed(sign, node)
        if isinstance(node, syntax.Literal) and type(node.value) is int and node.value > 2**63 - 1:
            raise Wrong(f"{node.value} is no integer of 64 bits", offset=node.at)
        return node

    def postfix(self) -> syntax.Node:
        node = self.primary()
        while token := self.take(".", "["):
            if token.kind == "[":
                node = syntax.Index(at=token.at, of=node, key=self.expression())
                self.need("]", "after an index")
                continue
            name = self.token
            if name.kind not in {"name", "quoted"} or (name.kind == "name" and name.text in syntax.KEYWORDS):
                raise self.unexpected("the name of a member is expected after '.'")
            self.here += 1
            if name.kind == "name" and self.take("("):
                node = self.method(node, name)
            else:
                node = syntax.Member(at=name.at, of=node, name=name.value)
        return node

    def primary(self) -> syntax.Node:
        token = self.token
        self.here += 1
        match token.kind:
            case "number" | "string":
                return syntax.Literal(at=token.at, value=token.value)
            case "(":
                node = self.expression()
                self.need(")", "to close the parenthesis")
                return node
            case "[":
                return syntax.Items(at=token.at, items=self.listed("]", "to close the list"))
            case "name":
                return self.named(token)
        self.here -= 1
        raise self.unexpected("a value is expected")

    def named(self, token: Token) -> syntax.Node:
        word = token.text
        if word in {"true", "false", "null"}:
            return syntax.Literal(at=token.at, value={"true": True, "false": False}.get(word))
        if word == "in" or word in _RESERVED or word in _HABITS:
            self.here -= 1
            raise self.unexpected("a value is expected")
        if not self.take("("):
            return syntax.Name(at=token.at, name=word)
        if word in MACROS:
            raise Wrong(f"{word} is written <list>.{word}(x, …)", offset=token.at)
        arguments = self.listed(")", f"to close the arguments of {word}")
        if word == "has":
            if len(arguments) != 1 or not isinstance(arguments[0], syntax.Member):
                raise Wrong("has takes one member, as in has(self.a.b)", offset=token.at)
            return syntax.Has(at=token.at, member=arguments[0])
        return self.call(token, arguments, method=False)

    def method(self, target: syntax.Node, name: Token) -> syntax.Node:
        """After `target.name(`."""
        if name.text in MACROS:
            return self.macro(target, name)
        if name.text == "has":
            raise Wrong("has is written has(self.a.b)", offset=name.at)
        arguments = self.listed(")", f"to close the arguments of {name.text}")
        return self.call(name, (target, *arguments), method=True)

    def call(self, name: Token, arguments: tuple[syntax.Node, ...], *, method: bool) -> syntax.Node:
        problem, hint = functions.misuse(name.text, len(arguments), method=method)
        if problem:
            raise Wrong(problem, offset=name.at, hint=hint)
        if name.text == "matches":
            pattern = arguments[1]
            if not isinstance(pattern, syntax.Literal) or not isinstance(pattern.value, str):
                raise Wrong("the pattern of matches is a literal text", offset=pattern.at)
            matching.compile(pattern.value, at=pattern.at)
        return syntax.Call(at=name.at, function=name.text, arguments=arguments, method=method)

    def macro(self, over: syntax.Node, name: Token) -> syntax.Node:
        """After `over.name(`: the variable, then one expression, for `map` one or two."""
        variable = self.token
        if variable.kind != "name" or variable.text in syntax.KEYWORDS | _RESERVED:
            raise self.unexpected(f"{name.text} begins with the name of a variable")
        if variable.text in {"self", "old", *self.variables}:
            raise Wrong(
                f"{variable.text!r} is already a name here", offset=variable.at, hint="take another name"
            )
        self.here += 1
        self.need(",", f"after the variable of {name.text}")
        self.variables.append(variable.text)
        parts = self.listed(")", f"to close {name.text}")
        self.variables.pop()
        if not 1 <= len(parts) <= (2 if name.text == "map" else 1):
            takes = "(x, value) or (x, condition, value)" if name.text == "map" else "(x, condition)"
            raise Wrong(f"{name.text} takes {takes}", offset=name.at)
        test = parts[0] if len(parts) == 2 else None
        return syntax.Each(
            at=name.at, macro=name.text, over=over, variable=variable.text, test=test, body=parts[-1]
        )

    def listed(self, end: str, why: str) -> tuple[syntax.Node, ...]:
        """Expressions between commas up to `end`; a comma before it is allowed in a list, as in CEL."""
        nodes: list[syntax.Node] = []
        while not self.take(end):
            if nodes:
                self.need(",", f"or {end!r} {why}")
                if end == "]" and self.take(end):
                    break
            nodes.append(self.expression())
        return tuple(nodes)


def _joined(sign: str, left: syntax.Node, right: syntax.Node, at: int) -> syntax.Node:
    if sign not in {"&&", "||"}:
        return syntax.Binary(at=at, operator=sign, left=left, right=right)
    parts: list[syntax.Node] = []
    for side in (left, right):
        parts += side.parts if isinstance(side, syntax.Logic) and side.operator == sign else (side,)
    return syntax.Logic(at=at, operator=sign, parts=tuple(parts))


def _signed(sign: Token, node: syntax.Node) -> syntax.Node:
    """A minus before a number belongs to the literal: only so the smallest integer can be written."""
    if sign.kind == "-" and isinstance(node, syntax.Literal):
        value = node.value
        if isinstance(value, int | float) and not isinstance(value, bool) and math.copysign(1, value) > 0:
            return syntax.Literal(at=sign.at, value=-value)
    return syntax.Unary(at=sign.at, operator=sign.kind, of=node)
