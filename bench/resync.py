"""A resync of 100,000 objects into an etcd that has lost everything."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

import uvloop

from bench.measure import Figure, Plan, at_most, median
from bench.site import gluon, servers
from gluon.kv import connect
from gluon.objects import keys
from gluon.publisher import cursor
from gluon.testing.servers.etcd import EtcdServer
from gluon.testing.servers.postgres import PostgresServer

_SECONDS = 15.0
_PORTS = 50_000
"""Each has an interface, so there are twice as many objects, and in etcd a third key: who owns the port."""
_LIMIT = 90.0
_ROUNDS = 3


def run(plan: Plan) -> Sequence[Figure]:
    taken, noticed, cpu = [], [], []
    with servers() as (postgres, etcd):
        name = postgres.create_database()
        with gluon(postgres.url(name, unix=True), etcd.url) as product:
            (key,) = product.create_ports(1)
            product.settle()
            _multiply(postgres, name, key)
            for _ in range(1 if plan.quick else _ROUNDS):
                etcd.clear()
                began, before = time.monotonic(), product.publisher_cpu()
                marked, done = uvloop.run(_watch(etcd.url))
                noticed.append(marked - began)
                taken.append(done - marked)
                cpu.append((product.publisher_cpu() - before) / (3 * _PORTS) * 1e6)
                _check(etcd)
    return [
        at_most(f"resync of {2 * _PORTS:,} objects", taken, "s", _SECONDS),
        median("until the loss was noticed", noticed, "s"),
        median("publisher CPU a key", cpu, "µs"),
    ]


def _multiply(postgres: PostgresServer, database: str, key: str) -> None:
    """Copies of one port and its interface, straight into the tables."""
    postgres.sql(
        f"CREATE TABLE bench_key AS SELECT gen_random_uuid()::text AS id FROM generate_series(2, {_PORTS})",
        database=database,
    )
    for table, changed in (
        ("net_l3vpn_Port", "'id', k.id"),
        ("net_l3vpn_Interface", "'id', k.id, 'port_id', k.id"),
        ("gluon_port", "'id', k.id"),
    ):
        postgres.sql(
            f'INSERT INTO "{table}" SELECT made.* FROM "{table}" AS t, bench_key AS k,'
            f" LATERAL jsonb_populate_record(t, jsonb_build_object({changed})) AS made WHERE t.id = '{key}'",
            database=database,
        )
    postgres.sql("DROP TABLE bench_key", database=database)


async def _watch(etcd: str) -> tuple[float, float]:
    """When the mark of a resync appeared, and when the cursor was whole again."""
    bus = connect.connect([etcd])
    marked = 0.0
    try:
        async with asyncio.timeout(_LIMIT):
            while True:
                found = await bus.get(keys.RELAY_CURSOR)
                seen = cursor.parse(found.value) if found else None
                now = time.monotonic()
                if seen is not None:
                    marked = marked or now
                    if not seen.resync:
                        return marked, now
                await asyncio.sleep(0.02)
    finally:
        await bus.close()


def _check(etcd: EtcdServer) -> None:
    said = etcd.etcdctl("get", keys.PROTON, "--prefix", "--keys-only")
    count = sum(line.startswith(keys.PROTON) for line in said.splitlines())
    if count != 2 * _PORTS:
        raise RuntimeError(f"{count} objects are in etcd, not {2 * _PORTS}")
