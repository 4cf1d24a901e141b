"""The tree of an expression, and its text.

Made by `parser`; read by `checker`, `compiler`, `paths` and `explainer`. Invariant: parsing the text of a
tree gives an equal tree. `at` is the offset in characters that a problem of the node is told at.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """`at` is no part of what a tree means, so it does not count in a comparison."""

    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Literal(Node):
    value: int | float | str | bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Name(Node):
    """A root (`self`, `old`) or the variable of a macro."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Member(Node):
    of: Node
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Index(Node):
    of: Node
    key: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Items(Node):
    """A list written out."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unary(Node):
    """`operator` is `!` or `-`."""

    operator: str
    of: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Binary(Node):
    operator: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Logic(Node):
    """`&&` or `||` of two parts or more; no part is a `Logic` of the same operator."""

    operator: str
    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditional(Node):
    test: Node
    yes: Node
    no: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(Node):
    """`method`: written `first.function(rest)`; the arguments are the same either way."""

    function: str
    arguments: tuple[Node, ...]
    method: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Has(Node):
    member: Member


@dataclass(frozen=True, slots=True, kw_only=True)
class Each(Node):
    """A macro over a list or the keys of a map. `test` is that of `map(x, test, body)`, None otherwise."""

    macro: str
    over: Node
    variable: str
    test: Node | None = None
    body: Node


LEVELS: dict[str, int] = {
    "||": 1, "&&": 2,
    "==": 3, "!=": 3, "<": 3, "<=": 3, ">": 3, ">=": 3, "in": 3,
    "+": 4, "-": 4, "*": 5, "/": 5, "%": 5,
}  # fmt: skip
"""How tightly the operators of two sides bind; `? :` is 0, the unary ones 6, members 7."""

_UNARY, _POSTFIX = 6, 7


def children(node: Node) -> tuple[Node, ...]:
    """The nodes right below, in the order of the text."""
    match node:
        case Member(of=of) | Unary(of=of):
            return (of,)
        case Index(of=of, key=key):
            return (of, key)
        case Items(items=items):
            return items
        case Binary(left=left, right=right):
            return (left, right)
        case Logic(parts=parts):
            return parts
        case Conditional(test=test, yes=yes, no=no):
            return (test, yes, no)
        case Call(arguments=arguments):
            return arguments
        case Has(member=member):
            return (member,)
        case Each(over=over, test=test, body=body):
            return (over, body) if test is None else (over, test, body)
    return ()


def walk(node: Node) -> Iterator[tuple[Node, int]]:
    """Every node with its depth (the root's is 1); takes no stack, so any tree can be measured."""
    waiting = [(node, 1)]
    while waiting:
        one, depth = waiting.pop()
        yield one, depth
        waiting.extend((child, depth + 1) for child in children(one))


def unparse(node: Node) -> str:
    """The expression as text, with the parentheses that it needs."""
    return _text(node, 0)


def _text(node: Node, level: int) -> str:
    text, own = _written(node)
    return f"({text})" if own < level else text


def _written(node: Node) -> tuple[str, int]:
    match node:
        case Literal(value=value):
            text = _literal(value)
            return text, _UNARY if text.startswith("-") else _POSTFIX
        case Name(name=name):
            return name, _POSTFIX
        case Member(of=of, name=name):
            return f"{_text(of, _POSTFIX)}.{_member(name)}", _POSTFIX
        case Index(of=of, key=key):
            return f"{_text(of, _POSTFIX)}[{_text(key, 0)}]", _POSTFIX
        case Items(items=items):
            return f"[{_listed(items)}]", _POSTFIX
        case Unary(operator=operator, of=of):
            return f"{operator}{_text(of, _UNARY)}", _UNARY
        case Binary(operator=operator, left=left, right=right):
            level = LEVELS[operator]
            return f"{_text(left, level)} {operator} {_text(right, level + 1)}", level
        case Logic(operator=operator, parts=parts):
            level = LEVELS[operator]
            return f" {operator} ".join(_text(p, level + 1) for p in parts), level
        case Conditional(test=test, yes=yes, no=no):
            return f"{_text(test, 1)} ? {_text(yes, 1)} : {_text(no, 0)}", 0
        case Call(function=function, arguments=(first, *rest), method=True):
            return f"{_text(first, _POSTFIX)}.{function}({_listed(tuple(rest))})", _POSTFIX
        case Call(function=function, arguments=arguments):
            return f"{function}({_listed(arguments)})", _POSTFIX
        case Has(member=member):
            return f"has({_text(member, 0)})", _POSTFIX
        case Each(macro=macro, over=over, variable=variable, test=test, body=body):
            parts = (body,) if test is None else (test, body)
            return f"{_text(over, _POSTFIX)}.{macro}({variable}, {_listed(parts)})", _POSTFIX
    raise TypeError(node)


def _listed(nodes: tuple[Node, ...]) -> str:
    return ", ".join(_text(n, 0) for n in nodes)


def _member(name: str) -> str:
    return name if name.isidentifier() and name.isascii() and name not in KEYWORDS else f"`{name}`"


KEYWORDS = frozenset({"true", "false", "null", "in"})

_ESCAPED = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def _literal(value: float | str | bool | None) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return '"' + "".join(_ESCAPED.get(c) or (c if c.isprintable() else _escape(c)) for c in value) + '"'
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("a literal is finite")
    return repr(value)


def _escape(character: str) -> str:
    return f"\\U{ord(character):08x}"
