"""The same creates on the other databases, as durable."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack

from bench import load
from bench.measure import Figure, Plan, Skipped, at_least, median
from bench.site import Gluon, gluon
from gluon.testing.product import GluonServer
from gluon.testing.programs import missing_programs
from gluon.testing.servers.etcd import EtcdServer
from gluon.testing.servers.mariadb import MariadbServer

_RATES = {"SQLite": 3000.0, "MariaDB": 2500.0}


def run(plan: Plan) -> Sequence[Figure]:
    """SQLite and the embedded bus in one process; MariaDB with a publisher and etcd."""
    figures: list[Figure] = []
    with GluonServer("server") as server:
        figures += _creates("SQLite", Gluon(server), plan)
    missing = missing_programs("mariadbd", "mariadb-install-db", "etcd")
    if missing:
        raise Skipped("; ".join(str(m) for m in missing))
    with ExitStack() as stack:
        mariadb = stack.enter_context(MariadbServer())
        etcd = stack.enter_context(EtcdServer())
        url = mariadb.url(mariadb.create_database())
        product = stack.enter_context(gluon(url, etcd.url))
        figures += _creates("MariaDB", product, plan)
    return figures


def _creates(name: str, product: Gluon, plan: Plan) -> list[Figure]:
    rates, cpu = [], []
    script = load.create_script()
    load.drive(product.url, script, 1)
    for _ in range(plan.rounds):
        before = product.api_cpu()
        seen = load.drive(product.url, script, plan.seconds / 2)
        cpu.append((product.api_cpu() - before) / seen.requests * 1e6)
        rates.append(seen.rate)
    return [
        at_least(f"{name}: ports a second", rates, "/s", _RATES[name]),
        median(f"{name}: API CPU a port", cpu, "µs"),
    ]
