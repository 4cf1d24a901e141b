"""Random trees: any that the grammar has (`nodes`), and such as have types (`typed`), with values to go with them."""

import functools
from typing import Any

from hypothesis import strategies as st

from gluon.expressions import shapes, syntax
from gluon.expressions.shapes import BOOL, DOUBLE, INT, STRING, Shape

_NAMES = st.sampled_from(["self", "old", "name", "mtu", "a1", "_x"])
_MEMBERS = st.one_of(_NAMES, st.sampled_from(["in", "for", "b-c", "x.y", "true"]))
_LITERALS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
).map(lambda value: syntax.Literal(value=value))


def _joined(operator: str, parts: list[syntax.Node]) -> syntax.Node:
    flat: list[syntax.Node] = []
    for part in parts:
        same = isinstance(part, syntax.Logic) and part.operator == operator
        flat += part.parts if same and isinstance(part, syntax.Logic) else (part,)
    return syntax.Logic(operator=operator, parts=tuple(flat))


def _negative(node: syntax.Node) -> syntax.Node:
    """The parser takes a minus before a number for a part of it."""
    if isinstance(node, syntax.Literal) and type(node.value) in {int, float}:
        return node
    return syntax.Unary(operator="-", of=node)


def _larger(inner: st.SearchStrategy[syntax.Node]) -> st.SearchStrategy[syntax.Node]:
    macro = st.builds(
        lambda macro, over, test, body, n: syntax.Each(
            macro=macro, over=over, variable=f"v{n}", test=test if macro == "map" else None, body=body
        ),
        st.sampled_from(["all", "exists", "exists_one", "filter", "map"]),
        inner,
        st.none() | inner,
        inner,
        st.integers(0, 10**9),
    )
    member = st.builds(lambda of, name: syntax.Member(of=of, name=name), inner, _MEMBERS)
    return st.one_of(
        member,
        member.map(lambda m: syntax.Has(member=m)),
        st.builds(lambda of, key: syntax.Index(of=of, key=key), inner, inner),
        st.lists(inner, max_size=3).map(lambda items: syntax.Items(items=tuple(items))),
        inner.map(lambda of: syntax.Unary(operator="!", of=of)),
        inner.map(_negative),
        st.builds(
            lambda operator, a, b: syntax.Binary(operator=operator, left=a, right=b),
            st.sampled_from(["==", "!=", "<", "<=", ">", ">=", "in", "+", "-", "*", "/", "%"]),
            inner,
            inner,
        ),
        st.builds(_joined, st.sampled_from(["&&", "||"]), st.lists(inner, min_size=2, max_size=3)),
        st.builds(lambda a, b, c: syntax.Conditional(test=a, yes=b, no=c), inner, inner, inner),
        inner.map(lambda a: syntax.Call(function="size", arguments=(a,), method=True)),
        inner.map(lambda a: syntax.Call(function="int", arguments=(a,), method=False)),
        st.builds(
            lambda a, b: syntax.Call(function="startsWith", arguments=(a, b), method=True), inner, inner
        ),
        st.builds(lambda a, b: syntax.Call(function="within", arguments=(a, b), method=False), inner, inner),
        macro,
    )


nodes: st.SearchStrategy[syntax.Node] = st.recursive(
    _LITERALS | _NAMES.map(lambda name: syntax.Name(name=name)), _larger, max_leaves=12
)
"""Any tree; most have no types."""

LISTS = {"ints": INT, "doubles": DOUBLE, "texts": STRING, "bools": BOOL}
PLAIN = {"int": INT, "double": DOUBLE, "text": STRING, "bool": BOOL, "none": shapes.nullable(INT)}

_MEMBER_SHAPES: dict[str, Shape] = {
    **PLAIN,
    **{name: shapes.list_of(items) for name, items in LISTS.items()},
    "labels": shapes.map_of(INT),
    "ref": shapes.nullable(shapes.reference("T", STRING, lambda: _MEMBER_SHAPES)),
}
ROOTS = {"self": shapes.object_of("T", lambda: _MEMBER_SHAPES)}

_INTS = st.one_of(st.integers(-3, 3), st.sampled_from([2**63 - 1, -(2**63), 2**62]))
_DOUBLES = st.sampled_from([0.0, -1.5, 0.5, 2.0, 1e300])
_TEXTS = st.text("abA", max_size=3)


def objects(depth: int = 2) -> st.SearchStrategy[dict[str, Any]]:
    """Values that fit `ROOTS`, `ref` as an object in place of a reference."""
    return st.fixed_dictionaries({
        "int": _INTS,
        "double": st.one_of(_DOUBLES, st.integers(-2, 2)),
        "text": _TEXTS,
        "bool": st.booleans(),
        "none": st.none() | _INTS,
        "ints": st.lists(_INTS, max_size=3),
        "doubles": st.lists(_DOUBLES, max_size=3),
        "texts": st.lists(_TEXTS, max_size=3),
        "bools": st.lists(st.booleans(), max_size=3),
        "labels": st.dictionaries(_TEXTS, _INTS, max_size=3),
        "ref": st.none() | objects(depth - 1) if depth else st.none(),
    })  # fmt: skip


def _member(*names: str) -> syntax.Node:
    node: syntax.Node = syntax.Name(name="self")
    for name in names:
        node = syntax.Member(of=node, name=name)
    return node


def _two(signs: list[str], inner: st.SearchStrategy[syntax.Node]) -> st.SearchStrategy[syntax.Node]:
    return st.builds(
        lambda sign, a, b: syntax.Binary(operator=sign, left=a, right=b), st.sampled_from(signs), inner, inner
    )


def _call(function: str, *arguments: st.SearchStrategy[syntax.Node]) -> st.SearchStrategy[syntax.Node]:
    return st.tuples(*arguments).map(lambda a: syntax.Call(function=function, arguments=a, method=False))


def _macro(
    macro: str,
    over: st.SearchStrategy[syntax.Node],
    kind: str,
    body: str,
    depth: int,
    scope: tuple[tuple[str, str], ...],
) -> st.SearchStrategy[syntax.Node]:
    variable = f"v{len(scope)}"
    inner = typed(body, depth, (*scope, (variable, kind)))
    return st.builds(lambda o, b: syntax.Each(macro=macro, over=o, variable=variable, body=b), over, inner)


@functools.cache
def typed(kind: str, depth: int, scope: tuple[tuple[str, str], ...] = ()) -> st.SearchStrategy[syntax.Node]:
    """Trees whose value is of `kind` (a name of `PLAIN` or `LISTS`); `scope` has the variables around."""
    leaves = [st.just(_member(kind)), st.just(_member("ref", kind))]
    leaves += [st.just(syntax.Name(name=name)) for name, its in scope if its == kind]
    match kind:
        case "int":
            leaves += [_INTS.map(lambda v: syntax.Literal(value=v)), st.just(_member("none"))]
        case "double":
            leaves += [_DOUBLES.map(lambda v: syntax.Literal(value=v))]
        case "text":
            leaves += [_TEXTS.map(lambda v: syntax.Literal(value=v)), st.just(_member("ref"))]
        case "bool":
            leaves += [st.booleans().map(lambda v: syntax.Literal(value=v))]
    if not depth:
        return st.one_of(leaves)
    return st.one_of(*leaves, *_deeper(kind, depth - 1, scope))


def _deeper(
    kind: str, depth: int, scope: tuple[tuple[str, str], ...]
) -> list[st.SearchStrategy[syntax.Node]]:
    def of(other: str) -> st.SearchStrategy[syntax.Node]:
        return typed(other, depth, scope)

    conditional = st.builds(
        lambda t, y, n: syntax.Conditional(test=t, yes=y, no=n), of("bool"), of(kind), of(kind)
    )
    if kind in LISTS:
        item = {"ints": "int", "doubles": "double", "texts": "text", "bools": "bool"}[kind]
        return [
            conditional,
            st.lists(of(item), min_size=1, max_size=3).map(lambda items: syntax.Items(items=tuple(items))),
            _two(["+"], of(kind)),
            _macro("filter", of(kind), item, "bool", depth, scope),
            *(_macro("map", of(f"{k}s"), k, item, depth, scope) for k in ("int", "text")),
        ]
    lists = of(f"{kind}s")
    at = st.builds(lambda o, k: syntax.Index(of=o, key=k), lists, of("int"))
    match kind:
        case "int":
            more = [
                _two(["+", "-", "*", "/", "%"], of("int")),
                of("int").map(_negative),
                *(_call(f, lists) for f in ("sum", "min", "max")),
                _call("size", of("text")),
                _call("size", of("texts")),
                _call("int", of("double")),
            ]
        case "double":
            more = [
                _two(["+", "-", "*", "/"], of("double")),
                of("double").map(_negative),
                *(_call(f, lists) for f in ("sum", "min", "max")),
                _call("double", of("int")),
            ]
        case "text":
            more = [_two(["+"], of("text")), _call("lower", of("text")), _call("string", of("int"))]
        case _:
            more = _truths(of, depth, scope)
    return [conditional, at, *more]


def _truths(of: Any, depth: int, scope: tuple[tuple[str, str], ...]) -> list[st.SearchStrategy[syntax.Node]]:
    compared = [_two(["==", "!=", "<", "<=", ">", ">="], of(k)) for k in ("int", "double", "text")]
    among = [
        st.builds(lambda a, b: syntax.Binary(operator="in", left=a, right=b), of(k), of(f"{k}s"))
        for k in ("int", "double", "text")
    ]
    method = st.builds(
        lambda f, a, b: syntax.Call(function=f, arguments=(a, b), method=True),
        st.sampled_from(["contains", "startsWith", "endsWith"]),
        of("text"),
        of("text"),
    )
    has = st.sampled_from(["int", "none", "ref"]).flatmap(
        lambda n: st.sampled_from([("ref", n), (n,), ("ref", "ref", n)])
    )
    return [
        *compared,
        *among,
        method,
        _two(["==", "!="], of("ints")),
        st.builds(_joined, st.sampled_from(["&&", "||"]), st.lists(of("bool"), min_size=2, max_size=3)),
        of("bool").map(lambda a: syntax.Unary(operator="!", of=a)),
        has.map(lambda names: syntax.Has(member=_member(*names))),  # type: ignore[arg-type]
        *(
            _macro(m, of(f"{k}s"), k, "bool", depth, scope)
            for m in ("all", "exists", "exists_one")
            for k in ("int", "text")
        ),
    ]
