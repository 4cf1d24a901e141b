"""A rule that no budget carries for the longest lists is refused when it is read; and the estimate is an upper bound."""

import pytest

from gluon import expressions
from gluon.expressions import STEPS, Budget, Ref, Wrong, checker, shapes
from gluon.expressions.shapes import INT, STRING, Shape

NET: Shape = shapes.object_of("Net", lambda: {"mtu": INT, "prefixes": shapes.list_of(STRING, 50)})
TO_NET = shapes.reference("Net", STRING, NET.members or dict)
SELF = shapes.object_of(
    "Port",
    lambda: {
        "few": shapes.list_of(INT, 50),
        "many": shapes.list_of(INT, 1000),
        "any": shapes.list_of(INT),
        "texts": shapes.list_of(STRING, 50),
        "labels": shapes.map_of(INT, 50),
        "net": TO_NET,
        "nets": shapes.list_of(TO_NET, 50),
        "routes": shapes.list_of(shapes.object_of("routes", lambda: {"hops": shapes.list_of(INT, 50)}), 50),
    },
)
ROOTS = {"self": SELF}


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("self.many.all(a, self.many.all(b, a != b))", "all(b"),
        ("self.few.all(a, self.few.all(b, self.few.all(c, a + b != c)))", "all(c"),
        ("self.routes.all(r, r.hops.all(h, self.many.exists(m, m == h)))", "exists(m"),
        ("self.nets.all(n, self.routes.all(r, r.hops.all(h, h in self.few)))", "all(h"),
        ("self.many.map(a, a + 1).filter(b, b > 1).all(c, self.many.exists(d, c == d))", "exists(d"),
        ("self.many.all(a, a <= max(self.many))", "all(a"),
        ("(self.many + self.many).all(a, self.few.all(b, a != b))", "all(b"),
    ],
)
def test_too_long(text: str, at: str) -> None:
    with pytest.raises(Wrong, match="steps, and a rule has 100,000") as caught:
        expressions.rule(text, ROOTS)
    assert "max_items" in caught.value.hint
    assert caught.value.offset == text.index(at)


@pytest.mark.parametrize(
    "text",
    [
        "self.few.all(a, self.few.all(b, a != b || a == b))",
        "self.many.all(a, a >= 0 && a < 2000)",
        "self.any.all(a, self.any.all(b, a + b >= 0))",
        "self.texts.all(a, self.texts.exists_one(b, overlaps(a, b)))",
        "self.nets.all(n, n.mtu > 1 && n.mtu < 9000)",
        "self.nets.all(n, n.prefixes.all(p, family(p) == 4))",
        "self.nets.all(n, self.net.mtu == n.mtu)",
        "self.labels.all(k, self.labels[k] >= 0 && k in self.labels)",
        "self.routes.all(r, r.hops.sum() >= 0 && r.hops.all(h, h in self.few))",
        "self.many.map(m, m > 10, m * 2).filter(x, x > 100).size() > 0",
        "has(self.net.mtu) && self.net.mtu > 0 && self.few.max() <= sum(self.many)",
    ],
)
def test_the_estimate_is_an_upper_bound(text: str) -> None:
    rule = expressions.rule(text, ROOTS)
    net = {"mtu": 1500, "prefixes": [f"10.0.{n}.0/24" for n in range(50)]}
    this = {
        "few": list(range(50)),
        "many": list(range(1000)),
        "any": [1],
        "texts": [f"10.0.{n}.0/24" for n in range(50)],
        "labels": {f"k{n}": n for n in range(50)},
        "net": Ref("n", lambda key: net),
        "nets": [Ref(f"n{n}", lambda key: net) for n in range(50)],
        "routes": [{"hops": list(range(50))}] * 50,
    }
    budget = Budget(10 * STEPS)
    assert rule({"self": this}, budget)
    taken = 10 * STEPS - budget.left - 10
    assert taken <= checker.judge(rule.expression.node, ROOTS).steps <= STEPS
