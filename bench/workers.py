"""Three API processes that create ports at once, against one: what the writer lock costs."""

from __future__ import annotations

from collections.abc import Sequence

from bench import load
from bench.measure import Figure, Plan, at_least, at_most, median
from bench.site import gluon, servers
from gluon.testing.servers.etcd import EtcdServer

_RATIO = 0.7


def run(plan: Plan) -> Sequence[Figure]:
    """wrk fails on any answer that is not 2xx, so a round that counts had no unit refused."""
    rates: dict[int, list[float]] = {1: [], 3: []}
    with servers() as (postgres, etcd), EtcdServer() as second:
        names = {count: postgres.create_database() for count in rates}
        with (
            gluon(postgres.url(names[1], unix=True), etcd.url) as one,
            gluon(postgres.url(names[3], unix=True), second.url, workers=3) as three,
        ):
            script = load.create_script()
            both = {1: one, 3: three}
            for product in both.values():
                load.drive(product.url, script, 1)
            for _ in range(plan.rounds):
                for count, product in both.items():
                    rates[count].append(load.drive(product.url, script, plan.seconds).rate)
                    product.settle()
        deadlocks = int(postgres.sql("SELECT sum(deadlocks) FROM pg_stat_database"))
    return [
        at_least(
            "three processes to one", [b / a for a, b in zip(*rates.values(), strict=True)], "×", _RATIO
        ),
        at_most("deadlocks", [deadlocks], "", 0),
        median("one process", rates[1], "/s"),
        median("three processes together", rates[3], "/s"),
    ]
