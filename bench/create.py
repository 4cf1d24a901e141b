"""Durable port creates over HTTP, against PostgreSQL's own rate for the same rows."""

from __future__ import annotations

from collections.abc import Sequence

from bench import load
from bench.bare import bare
from bench.measure import Figure, Plan, at_least, at_most, cpu_seconds, median
from bench.pgbench import Baseline
from bench.site import gluon, servers

_MEASURED_CPU = 95.0
_WARM = 2.0


def run(plan: Plan) -> Sequence[Figure]:
    samples: dict[str, list[float]] = {}

    def note(name: str, value: float) -> None:
        samples.setdefault(name, []).append(value)

    with servers() as (postgres, etcd), bare() as empty:
        name = postgres.create_database()
        with gluon(postgres.url(name, unix=True), etcd.url) as product:
            script, unlike = load.create_script(), load.unlike_script()
            load.drive(product.url, script, _WARM)
            product.settle()
            baseline = Baseline(postgres, name)
            for _ in range(plan.rounds):
                api, publisher = product.api_cpu(), product.publisher_cpu()
                before_etcd = cpu_seconds(etcd.daemon.pid)
                database = cpu_seconds(postgres.daemon.pid, family=True)
                seen = load.drive(product.url, script, plan.seconds)
                note("api", (product.api_cpu() - api) / seen.requests * 1e6)
                note(
                    "database",
                    (cpu_seconds(postgres.daemon.pid, family=True) - database) / seen.requests * 1e6,
                )
                product.settle()
                note("etcd", (cpu_seconds(etcd.daemon.pid) - before_etcd) / seen.requests * 1e6)
                note("publisher", (product.publisher_cpu() - publisher) / seen.requests * 1e6)
                note("rate", seen.rate)
                note("p50", seen.p50)
                note("p99", seen.p99)
                api = product.api_cpu()
                other = load.drive(product.url, unlike, plan.seconds / 2)
                note("unlike", (product.api_cpu() - api) / other.requests * 1e6)
                product.settle()
                transactions = baseline.transactions(plan.seconds)
                note("pgbench", transactions)
                note("ratio", seen.rate / transactions)
                commits = baseline.commits(plan.seconds / 2)
                note("commits", commits)
                note("bare", empty.cpu(script, plan.seconds / 2))
                note("bare ratio", samples["api"][-1] / samples["bare"][-1])
                note("commit ratio", seen.rate / commits)
    return [
        at_least("ratio to pgbench's five statements", samples["ratio"], "×", 1.0),
        at_most("API CPU a port", samples["api"], "µs", _MEASURED_CPU),
        median("API CPU a port where no two heads are alike", samples["unlike"], "µs"),
        median("CPU of an answer without Gluon", samples["bare"], "µs"),
        median("API CPU to that", samples["bare ratio"], "×"),
        median("ports a second", samples["rate"], "/s"),
        median("pgbench, five statements", samples["pgbench"], "/s"),
        median("pgbench, one-row commits", samples["commits"], "/s"),
        median("ratio to one-row commits", samples["commit ratio"], "×"),
        median("latency p50", samples["p50"], "ms"),
        median("latency p99", samples["p99"], "ms"),
        median("publisher CPU a port", samples["publisher"], "µs"),
        median("etcd CPU a port", samples["etcd"], "µs"),
        median("PostgreSQL CPU a port", samples["database"], "µs"),
    ]
