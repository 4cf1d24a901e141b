"""Why a rule is false, in one short line."""

from typing import Any

import pytest

from gluon import expressions
from gluon.expressions import Ref

SERVICE = {"mtu": 1500, "password": "hunter2", "name": "blue"}
VALUES: dict[str, Any] = {
    "self": {
        "mtu": 9000,
        "name": "vm",
        "none": None,
        "up": False,
        "ratio": 0.5,
        "long": "x" * 500,
        "lines": 'a\n"b"\x00',
        "list": [1, 2, 3],
        "service_id": Ref("s1", lambda key: SERVICE),
        "lost_id": Ref("s2", lambda key: None),
        "routes": [{"prefix": "10.0.0.0/8", "hops": [1, 2]}, {"prefix": "11.0.0.0/8", "hops": [3, 99]}],
        "labels": {"a": 1, "b": 2},
    },
    "old": None,
}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("self.mtu <= self.service_id.mtu", "self.mtu is 9000, self.service_id.mtu is 1500"),
        ("self.mtu <= self.service_id.mtu && self.name == 'vm'", "self.mtu is 9000, self.service_id.mtu is 1500"),
        ("self.name == 'vm' && self.up", "self.up is false"),
        ("self.up || self.ratio > 1.0", "self.up is false, self.ratio is 0.5"),
        ("self.mtu < 10 && self.mtu < 20", "self.mtu is 9000"),
        ("self.none > 1", "self.none is null"),
        ("self.none.deeper > 1", "self.none is null"),
        ("self.lost_id.mtu > 1", "self.lost_id refers to nothing"),
        ("old.mtu == self.mtu", "old is null, self.mtu is 9000"),
        ("self.mtu / 0 == 1", "a division by zero, self.mtu is 9000"),
        ("self.service_id == 's2'", 'self.service_id is "s1"'),
        ("self.long == 'x'", f'self.long is "{"x" * 60}…"'),
        ("self.lines == 'x'", r'self.lines is "a\n\"b\"\U00000000"'),
        ("self.list == []", "self.list is a list of 3"),
        ("self.labels == self.routes[0]", "self.labels is an object, self.routes is a list of 2"),
        ("self.list.all(x, x < 2)", "self.list[1] is 2"),
        ("self.routes.all(r, within(r.prefix, '10.0.0.0/8'))", 'self.routes[1].prefix is "11.0.0.0/8"'),
        ("self.routes.all(r, r.hops.all(h, h < self.mtu - 8990))", "self.routes[1].hops[1] is 99, self.mtu is 9000"),
        ("self.list.map(x, x * 2).all(y, y < 5)", "y is 6"),
        ("self.labels.all(k, k == 'a')", 'a key is "b"'),
        ("self.list.exists(x, x > self.mtu)", "self.list is a list of 3, self.mtu is 9000"),
        ("1 == 2", ""),
    ],
)  # fmt: skip
def test_explanations(text: str, said: str) -> None:
    rule = expressions.compile(expressions.parse(text))
    assert not rule(VALUES)
    assert rule.explain(VALUES) == said


def test_hidden_members_are_left_out() -> None:
    def hidden(path: tuple[str, ...]) -> bool:
        return path[-1] in {"password", "hops"} or path == ("self", "routes", "*", "prefix")

    for text in (
        "self.mtu < 1 && self.service_id.password == 'x'",
        "self.mtu < 1 && self.routes.all(r, r.prefix == 'x')",
        "self.mtu < 1 && self.service_id.password.startsWith('x')",
        "self.mtu < 1 && int(self.service_id.password) == 1",
        "self.mtu < 1 && within(self.service_id.password, '::/0')",
    ):
        said = expressions.compile(expressions.parse(text)).explain(VALUES, hidden=hidden)
        assert said.startswith("self.mtu is 9000")
        assert "hunter2" not in said
        assert "10.0.0.0" not in said


def test_few_members_are_told() -> None:
    text = " && ".join(f"self.mtu + {n} < self.labels.x{n}" for n in range(20))
    assert len(expressions.compile(expressions.parse(text)).explain(VALUES)) <= 401
    text = f"({' + '.join(['self.mtu'] * 40)} + self.none > 1) && {' + '.join(['self.none'] * 40)} > 1"
    assert len(expressions.compile(expressions.parse(text)).explain(VALUES)) <= 401
