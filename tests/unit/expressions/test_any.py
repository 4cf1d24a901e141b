"""Any tree, with types or without, and any values: a shape or `Wrong`, a value or `Failed`, and nothing else."""

import contextlib
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gluon import expressions
from gluon.expressions import Failed, Ref, Wrong, checker, syntax
from tests.unit.expressions import grammar

_KEYS = st.sampled_from(["self", "old", "name", "mtu", "a1", "_x", "in", "for", "b-c", "x.y", "true"])
_SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(),
    st.text(max_size=4),
    st.sampled_from(["10.0.0.0/8", "10.0.0.1", "::/0", "vm-1"]),
)
_VALUES: st.SearchStrategy[Any] = st.recursive(
    _SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(_KEYS, inner, max_size=4),
        st.tuples(st.sampled_from(["k", 1]), st.none() | st.dictionaries(_KEYS, inner, max_size=3)).map(
            lambda pair: Ref(pair[0], lambda key: pair[1])
        ),
    ),
    max_leaves=8,
)
_NAMES = st.fixed_dictionaries(dict.fromkeys(["self", "old", "name", "mtu", "a1", "_x"], _VALUES))


@given(grammar.nodes, _NAMES)
def test_any_tree_of_any_values(node: syntax.Node, values: dict[str, Any]) -> None:
    expression = expressions.parse(syntax.unparse(node))
    rule = expressions.compile(expression)
    with contextlib.suppress(Failed):
        rule.value(values)
    assert rule(values) in {True, False}
    said = rule.explain(values)
    assert "\n" not in said


@given(grammar.nodes)
def test_any_tree_has_a_type_or_is_wrong(node: syntax.Node) -> None:
    with contextlib.suppress(Wrong):
        checker.judge(node, grammar.ROOTS)


@given(st.sampled_from(["bool", "int", "double", "text", "ints"]).flatmap(lambda k: grammar.typed(k, 3)))
def test_trees_with_types_are_right(node: syntax.Node) -> None:
    judged = checker.judge(node, grammar.ROOTS)
    assert judged.steps >= 0
