"""Rules: an evaluation of a usual one, what reading one costs, and how long a hostile one may take."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from bench.measure import Figure, Plan, at_most, median
from gluon import expressions
from gluon.expressions import shapes

_USUAL = 'self.mtu <= self.service_id.mtu && self.name.startsWith("vm")'
_ADDRESSES = "self.addresses.all(a, within(a, self.service_id.prefix))"
_HOSTILE = "self.addresses.all(a, self.addresses.all(b, a == b || a != b || a.contains(b)))"
_USUAL_US, _READ_US, _HOSTILE_MS = 2.0, 1000.0, 100.0

_SERVICE = shapes.object_of("Service", lambda: {"mtu": shapes.INT, "prefix": shapes.STRING})
_PORT = shapes.object_of(
    "Port",
    lambda: {
        "name": shapes.STRING,
        "mtu": shapes.nullable(shapes.INT),
        "addresses": shapes.list_of(shapes.STRING),
        "service_id": shapes.reference("Service", shapes.STRING, _SERVICE.members or dict),
    },
)


def run(plan: Plan) -> Sequence[Figure]:
    """No server is needed: rules are pure."""
    service = {"mtu": 9000, "prefix": "10.0.0.0/8"}
    port: dict[str, Any] = {
        "name": "vm-1",
        "mtu": 1500,
        "service_id": expressions.Ref("s", lambda key: service),
    }
    few = {"self": {**port, "addresses": [f"10.0.0.{n}" for n in range(8)]}}
    many = {"self": {**port, "addresses": [f"10.0.{n // 256}.{n % 256}" for n in range(1000)]}}
    usual, addresses, hostile = (
        expressions.rule(text, {"self": _PORT}) for text in (_USUAL, _ADDRESSES, _HOSTILE)
    )
    if not (usual(few) and addresses(few)) or hostile(many):
        raise RuntimeError("a rule is not what it should be")
    return [
        at_most("two comparisons and a text", _rounds(plan, lambda: usual(few)), "µs", _USUAL_US),
        median("eight addresses in a prefix", _rounds(plan, lambda: addresses(few)), "µs"),
        at_most(
            "read, check, compile",
            _rounds(plan, lambda: expressions.rule(_USUAL, {"self": _PORT})),
            "µs",
            _READ_US,
        ),
        at_most(
            "until a hostile one is stopped",
            [taken / 1000 for taken in _rounds(plan, lambda: hostile(many))],
            "ms",
            _HOSTILE_MS,
        ),
    ]


def _rounds(plan: Plan, deed: Callable[[], object]) -> list[float]:
    """Microseconds of CPU for each `deed`, once for each round."""
    began = time.process_time()
    deed()
    number = max(1, int(plan.seconds / 8 / max(time.process_time() - began, 1e-6)))
    taken = []
    for _ in range(plan.rounds):
        began = time.process_time()
        for _ in range(number):
            deed()
        taken.append((time.process_time() - began) / number * 1e6)
    return taken
