"""A page of 100 ports out of few and out of many, from a marker at random, at 16 clients."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import gluon as package
from bench import load
from bench.measure import Figure, Plan, at_most, median
from bench.site import Gluon, servers
from gluon.testing.product import GluonServer
from gluon.testing.servers.postgres import PostgresServer

_P99 = 15.0
_CLIENTS = 16
_PAGE = 100
_MARKERS = 200
_PATH = "/proton/net-l2/v2.0/ports"
_TABLE = '"net_l2_Port"'


def run(plan: Plan) -> Sequence[Figure]:
    """Rows are copied inside the database: it is pages that are measured."""
    figures = []
    with servers() as (postgres, etcd):
        database = postgres.create_database()
        model = Path(package.__file__).parent / "catalog" / "net-l2"
        words = ["--model", str(model), "--database", postgres.url(database, unix=True), "--etcd", etcd.url]
        with GluonServer("server", "--workers", "1", *words) as server:
            product = Gluon(server)
            product.ask("POST", _PATH, {"project_id": load.PROJECT, "name": "vm-17-eth0"})
            for count in (1_000, 100_000) if plan.quick else (1_000, 100_000, 1_000_000):
                script = _pages(postgres, database, count)
                load.drive(product.url, script, 1, clients=_CLIENTS, path=_PATH)
                seen = [
                    load.drive(product.url, script, plan.seconds, clients=_CLIENTS, path=_PATH)
                    for _ in range(plan.rounds)
                ]
                figures += [
                    at_most(f"page of {_PAGE} of {count:,}, p99", [s.p99 for s in seen], "ms", _P99),
                    median(f"pages a second of {count:,}", [s.rate for s in seen], "/s"),
                ]
    return figures


def _pages(postgres: PostgresServer, database: str, count: int) -> str:
    """So many ports in the table, and a script that reads behind some of them."""
    there = int(postgres.sql(f"SELECT count(*) FROM {_TABLE}", database=database))
    _copy(postgres, database, _TABLE, "gen_random_uuid()::text", f"generate_series(1, {count - there})")
    _copy(postgres, database, "gluon_port", "port.id", f"{_TABLE} AS port ON CONFLICT DO NOTHING")
    keys = postgres.sql(f"SELECT id FROM {_TABLE} ORDER BY md5(id) LIMIT {_MARKERS}", database=database)
    listed = ", ".join(f'"{key}"' for key in keys.split())
    return (
        f"local keys = {{{listed}}}\n"
        "function request()\n"
        f'  return wrk.format("GET", "{_PATH}?limit={_PAGE}&marker=" .. keys[math.random(#keys)])\n'
        "end\n"
    )


def _copy(postgres: PostgresServer, database: str, table: str, key: str, source: str) -> None:
    """The first row of a table once for each row of `source`, with another key."""
    columns = postgres.sql(
        "SELECT string_agg(quote_ident(attname), ',') FROM pg_attribute WHERE attnum > 0 AND NOT attisdropped"
        f" AND attname <> 'id' AND attrelid = '{table}'::regclass",
        database=database,
    ).strip()
    taken = ", ".join(f"one.{name}" for name in columns.split(","))
    postgres.sql(
        f"INSERT INTO {table} (id, {columns}) SELECT {key}, {taken}"
        f" FROM (SELECT * FROM {table} LIMIT 1) AS one, {source}",
        database=database,
    )
    postgres.sql(f"VACUUM ANALYZE {table}", database=database)
