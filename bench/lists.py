"""Pages of 100 ports out of few and out of many, at 16 clients: what is flat must not cost more where there are more.

Rows are copied inside the database: it is pages that are measured. Of the ports one in a thousand, but a hundred at
least, are of the project that is asked for alone, and each name is that of a hundred ports.
"""

from __future__ import annotations

import http
import math
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import gluon as package
from bench import load
from bench.measure import Figure, Plan, at_most, cpu_seconds, median
from bench.quiet import Rounds
from bench.site import Gluon, servers
from gluon.testing.product import GluonServer
from gluon.testing.servers.postgres import PostgresServer

_P99 = 15.0
_CLIENTS = 16
_PAGE = 100
_MARKERS = 200
_PATH = "/proton/net-l2/v2.0/ports"
_TABLE = '"net_l2_Port"'
_SMALL = "00000000-0000-4000-8000-00000000aaaa"
_AT_ONCE = 50_000
"""Rows of one statement."""
_TRIES = 3

_FLAT = {
    "from a marker": "limit=100&marker={key}",
    "the first": "limit=100",
    "of a small project": f"limit=100&project_id={_SMALL}",
    "of a name": "limit=100&name={name}",
    "by name from a marker": "limit=100&sort_key=name&marker={key}",
}
_GROWING = {
    "by an attribute without index": "limit=100&device_id=none",
    "sorted by an attribute without index": "limit=100&sort_key=mac_address",
    "the first, counted": "limit=100&count=true",
}


def run(plan: Plan) -> Sequence[Figure]:
    figures: list[Figure] = []
    with servers() as (postgres, etcd):
        database = postgres.create_database()
        model = Path(package.__file__).parent / "catalog" / "net-l2"
        words = ["--model", str(model), "--database", postgres.url(database, unix=True), "--etcd", etcd.url]
        with GluonServer("server", "--workers", "1", *words) as server:
            product = Gluon(server)
            product.ask("POST", _PATH, {"project_id": load.PROJECT, "name": "vm-17-eth0"})
            for count in (1_000, 100_000) if plan.quick else (1_000, 100_000, 1_000_000):
                _fill(postgres, database, count)
                values = _values(postgres, database)
                for name, query in _FLAT.items():
                    figures += _flat(f"{name}, {count:,}", product, postgres, _script(query, values), plan)
                figures += [_slow(f"{n}, {count:,}", product, q) for n, q in _GROWING.items()]
    return figures


def _flat(name: str, product: Gluon, postgres: PostgresServer, script: str, plan: Plan) -> list[Figure]:
    load.drive(product.url, script, 1, clients=_CLIENTS, path=_PATH)
    for one in (rounds := Rounds(plan)):
        before = product.api_cpu(), cpu_seconds(postgres.daemon.pid, family=True)
        seen = load.drive(product.url, script, plan.seconds / 2, clients=_CLIENTS, path=_PATH)
        after = product.api_cpu(), cpu_seconds(postgres.daemon.pid, family=True)
        one["p99"] = seen.p99
        one["api"] = (after[0] - before[0]) / seen.requests * 1e6
        one["database"] = (after[1] - before[1]) / seen.requests * 1e6
    return [
        at_most(f"{name}: p99", rounds["p99"], "ms", _P99),
        median(f"{name}: API CPU a page", rounds["api"], "µs"),
        median(f"{name}: PostgreSQL CPU a page", rounds["database"], "µs"),
        rounds.figure(),
    ]


def _slow(name: str, product: Gluon, query: str) -> Figure:
    """For information; no end where it was refused for taking too long."""
    took = []
    for _ in range(_TRIES):
        began = time.monotonic()
        status, _ = product.server.request("GET", f"{_PATH}?{query}")
        took.append((time.monotonic() - began) * 1e3 if status == http.HTTPStatus.OK else math.inf)
    return median(name, took, "ms")


def _script(query: str, values: Mapping[str, Sequence[str]]) -> str:
    """Each request asks with one of the values, at random."""
    text = "".join(f"local {n}s = {{{', '.join(map(_quoted, v))}}}\n" for n, v in values.items())
    for name in values:
        query = query.replace("{" + name + "}", f'" .. {name}s[math.random(#{name}s)] .. "')
    return f'{text}function request()\n  return wrk.format("GET", "{_PATH}?{query}")\nend\n'


def _quoted(text: str) -> str:
    return f'"{text}"'


def _values(postgres: PostgresServer, database: str) -> dict[str, list[str]]:
    """Keys and names that are there."""
    source = f"FROM {_TABLE} ORDER BY md5(id) LIMIT {_MARKERS}"
    keys = postgres.sql(f"SELECT id {source}", database=database).split()
    return {"key": keys, "name": postgres.sql(f"SELECT name {source}", database=database).split()}


def _fill(postgres: PostgresServer, database: str, count: int) -> None:
    """So many ports in the tables, with keys in no order: a page lies all over a table."""
    there = int(postgres.sql(f"SELECT count(*) FROM {_TABLE}", database=database))
    project = f"CASE WHEN n <= {max(100, count // 1000)} THEN '{_SMALL}' ELSE '{load.PROJECT}' END"
    told = {"id": "gen_random_uuid()::text", "_project": project, "name": f"'vm-' || n % {count // 100}"}
    ports, port_values = _columns(postgres, database, _TABLE, told)
    states, state_values = _columns(postgres, database, "gluon_port", {"id": "made.id"})
    for first in range(there + 1, count + 1, _AT_ONCE):
        numbers = f"generate_series({first}, {min(count, first + _AT_ONCE - 1)}) AS n"
        postgres.sql(
            f"WITH made AS (INSERT INTO {_TABLE} ({ports}) SELECT {port_values}"
            f" FROM (SELECT * FROM {_TABLE} LIMIT 1) AS one, {numbers} RETURNING id)"
            f" INSERT INTO gluon_port ({states}) SELECT {state_values}"
            " FROM (SELECT * FROM gluon_port LIMIT 1) AS one, made",
            database=database,
        )
    for table in (_TABLE, "gluon_port"):
        postgres.sql(f"VACUUM ANALYZE {table}", database=database)


def _columns(postgres: PostgresServer, database: str, table: str, told: Mapping[str, str]) -> tuple[str, str]:
    """The columns of a table, and their values in another row: those of `one`, but for those `told`."""
    names = postgres.sql(
        "SELECT string_agg(quote_ident(attname), ',') FROM pg_attribute WHERE attnum > 0 AND NOT attisdropped"
        f" AND attrelid = '{table}'::regclass",
        database=database,
    ).strip()
    return names, ", ".join(told.get(name, f"one.{name}") for name in names.split(","))
