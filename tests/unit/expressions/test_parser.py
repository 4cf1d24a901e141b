"""Reading: no text does anything but give a tree or `Wrong`, soon; and a tree's text gives the same tree."""

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gluon import expressions
from gluon.expressions import Wrong, parser, scanner, syntax
from tests.unit.expressions.grammar import nodes

_WORDS = st.sampled_from(
    [
        *[
            "self",
            "old",
            "x",
            ".",
            "mtu",
            "(",
            ")",
            "[",
            "]",
            ",",
            "?",
            ":",
            "!",
            "-",
            "+",
            "*",
            "/",
            "%",
            "<",
            "<=",
        ],
        *[
            "==",
            "!=",
            ">",
            ">=",
            "&&",
            "||",
            "in",
            "has",
            "all",
            "map",
            "size",
            "matches",
            "true",
            "null",
            " ",
            "\n",
        ],
        *[
            "1",
            "0x1",
            "1.5",
            "'a'",
            '"',
            "r'\\d'",
            "`a-b`",
            "// x\n",
            "min",
            "within",
            "9223372036854775808",
            "&",
            "é",
        ],
    ]
)


def tried(text: str) -> expressions.Expression | None:
    """The expression, or None where `Wrong` says why not."""
    try:
        return expressions.parse(text)
    except Wrong as why:
        wrong = why
    assert 0 <= wrong.offset <= len(text)
    assert wrong.message
    return None


@given(
    st.one_of(
        st.text(max_size=200),
        st.lists(_WORDS, max_size=60).map("".join),
        st.lists(_WORDS, max_size=60).map(" ".join),
    )
)
@example("\\")
@example("0x")
@example("1e5e5")
@example("`")
@example("\x00")
def test_any_text_is_a_tree_or_wrong(text: str) -> None:
    expression = tried(text)
    if expression:
        assert expressions.parse(str(expression)).node == expression.node


@pytest.mark.parametrize(
    "text",
    [
        "(" * 4096,
        "[" * 4096,
        "!" * 4095 + "x",
        "-" * 4095 + "1",
        "a?" * 2000,
        "a?b:" * 1000 + "c",
        "a&&" * 1300 + "a",
        "a+" * 2000 + "a",
        "a" + ".a" * 2000,
        "a" + "[0]" * 1300,
        "f(" * 2000,
        "a.all(x," * 500,
        "a" + ".size()" * 500,
        "'" + "\\" * 4000,
        '"' + "\\n" * 2040 + '"',
        "1" * 4096,
        "1." + "1" * 4000,
        "0x" + "f" * 4000,
        "a" * 5000,
        "'a'.matches('" + "(" * 300 + "')",
        "'a'.matches('" + "(a{1000}){1000}" * 5 + "')",
        "'a'.matches('" + "[a" * 200 + "')",
    ],
    ids=lambda text: text[:12],
)
def test_large_texts_end_soon(text: str) -> None:
    began = time.process_time()
    tried(text)
    assert time.process_time() - began < 5


@given(nodes)
def test_the_text_of_a_tree_gives_the_tree(node: syntax.Node) -> None:
    text = syntax.unparse(node)
    again = parser.parse(text)
    assert again == node
    assert syntax.unparse(again) == text


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("((a))", "a"),
        ("(a+b)*c", "(a + b) * c"),
        ("a+(b*c)", "a + b * c"),
        ("a-(b-c)", "a - (b - c)"),
        ("(a-b)-c", "a - b - c"),
        ("a&&(b&&c)", "a && b && c"),
        ("(a||b)&&c", "(a || b) && c"),
        ("a||b&&c", "a || b && c"),
        ("!(a&&b)", "!(a && b)"),
        ("(!a).b", "(!a).b"),
        ("-(5)", "-5"),
        ("(-5).size()", "(-5).size()"),
        ("a?b:(c?d:e)", "a ? b : c ? d : e"),
        ("(a?b:c)?d:e", "(a ? b : c) ? d : e"),
        ("'\"'", '"\\""'),
        ("a.`b-c`.`in`", "a.`b-c`.`in`"),
        ("a.`b`", "a.b"),
        ("[a,]", "[a]"),
    ],
)
def test_the_text_has_the_parentheses_that_it_needs(text: str, plain: str) -> None:
    assert str(expressions.parse(text)) == plain


def test_a_text_has_an_end() -> None:
    with pytest.raises(Wrong, match="4,096 characters at most"):
        expressions.parse(" " * (scanner.LONGEST + 1))


def test_nesting_has_an_end() -> None:
    deepest = parser.DEEPEST
    expressions.parse("(" * (deepest - 1) + "a" + ")" * (deepest - 1))
    with pytest.raises(Wrong, match="nested 48 levels"):
        expressions.parse("(" * deepest + "a" + ")" * deepest)
    with pytest.raises(Wrong, match="48 levels"):
        expressions.parse("a" + " + a" * deepest)


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ("self.a.b == old.c", {"self.a.b", "old.c"}),
        ("self.a == 1 && self.a.b == 2", {"self.a", "self.a.b"}),
        ("has(self.a.b)", {"self.a.b"}),
        ("self.l.all(x, x.a > self.b)", {"self.l", "self.l.*.a", "self.b"}),
        ("self.l[0].a == 1", {"self.l.*.a"}),
        ("self.m['k'].a == self.l[self.i]", {"self.m.*.a", "self.l.*", "self.i"}),
        ("self.l.filter(x, x.a).all(y, y.b)", {"self.l", "self.l.*.a", "self.l.*.b"}),
        ("self.l.map(x, x.r).all(y, y.b)", {"self.l", "self.l.*.r", "self.l.*.r.b"}),
        ("self.l.map(x, x.t, x.r)[0].b", {"self.l", "self.l.*.t", "self.l.*.r", "self.l.*.r.b"}),
        ("[self.a, self.b].all(x, x.c)", {"self.a.c", "self.b.c"}),
        ("self.i in [self.a.c, self.b.c]", {"self.i", "self.a.c", "self.b.c"}),
        ("sum([self.a.c] + self.l) > max([1, self.b.c])", {"self.a.c", "self.l", "self.b.c"}),
        ("[[self.a]] == [self.b].filter(x, x > self.i)", {"self.a", "self.b", "self.i"}),
        ("(self.t ? self.a : old.a).b", {"self.t", "self.a.b", "old.a.b"}),
        ("(self.a + self.b).all(x, x.c)", {"self.a", "self.b", "self.a.*.c", "self.b.*.c"}),
        (
            "self.l.all(x, x.m.exists(y, y.z == x.w))",
            {"self.l", "self.l.*.m", "self.l.*.m.*.z", "self.l.*.w"},
        ),
        ("within(self.a, self.s.p)", {"self.a", "self.s.p"}),
        ("1 + 1 == 2", set()),
        ("self == old", {"self", "old"}),
    ],
)
def test_paths(text: str, paths: set[str]) -> None:
    found = {".".join(path) for path in expressions.parse(text).paths}
    assert paths <= found
    # Lists on the way to an item may be named too; nothing else is.
    assert all(any(path.startswith(f"{extra}.*") for path in paths) for extra in found - paths)
