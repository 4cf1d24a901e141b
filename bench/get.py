"""GET of one port among many."""

from __future__ import annotations

from collections.abc import Sequence

from bench import load
from bench.bare import bare
from bench.measure import Figure, Plan, cpu_seconds, median
from bench.site import gluon, servers

_RATE, _CPU = 12_000.0, 80.0
_PORTS = 500


def run(plan: Plan) -> Sequence[Figure]:
    rates, cpu, database, p99, plain = [], [], [], [], []
    with servers() as (postgres, etcd), bare() as empty:
        database_url = postgres.url(postgres.create_database(), unix=True)
        with gluon(database_url, etcd.url) as product:
            script = load.get_script(product.create_ports(_PORTS))
            load.drive(product.url, script, 1)
            for _ in range(plan.rounds):
                api, before = product.api_cpu(), cpu_seconds(postgres.daemon.pid, family=True)
                seen = load.drive(product.url, script, plan.seconds)
                cpu.append((product.api_cpu() - api) / seen.requests * 1e6)
                database.append(
                    (cpu_seconds(postgres.daemon.pid, family=True) - before) / seen.requests * 1e6
                )
                rates.append(seen.rate)
                p99.append(seen.p99)
                plain.append(empty.cpu(script, plan.seconds / 2))
    rate, api_cpu = median("objects a second", rates, "/s"), median("API CPU a GET", cpu, "µs")
    holds = rate.value >= _RATE or api_cpu.value <= _CPU
    goal = f"≥ {_RATE:g}/s or ≤ {_CPU:g} µs"
    return [
        Figure(name=rate.name, value=rate.value, unit=rate.unit, goal=goal, holds=holds, rounds=rate.rounds),
        api_cpu,
        median("CPU of an answer without Gluon", plain, "µs"),
        median("PostgreSQL CPU a GET", database, "µs"),
        median("latency p99", p99, "ms"),
    ]
