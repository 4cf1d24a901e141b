"""What PostgreSQL does by itself: pgbench with the rows that Gluon writes for one port.

In: a database that Gluon has used. Out: a second one with the same tables and indexes, and the rate
of a five-statement transaction on it: BEGIN; port; default interface; the journal's rows of both;
COMMIT. The values are those of a port made through the API, only ids and revisions are new: ids follow each other for
each client, as those that Gluon makes, so that neither side has dearer indexes.
"""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path
from typing import Any

from bench.load import CLIENTS
from gluon.testing.process import run
from gluon.testing.servers.postgres import PostgresServer

_ID = "(:a || '-5c1d-4e0f-8a2b-' || :b)"
_DRAW = (
    "\\set n :n + 1\n\\set a 10000000 + :client_id * 1000000 + :n\n"
    "\\set b random(100000000000, 999999999999)\n"
)


class Baseline:
    """pgbench against one database of a private server."""

    def __init__(self, server: PostgresServer, used: str) -> None:
        """`used`: a database in which Gluon has made at least one port."""
        self._server = server
        self._used = used
        self._database = server.create_database()
        schema = run(["pg_dump", *_target(server), "--schema-only", used])
        run(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", *_target(server), self._database], stdin=schema)
        server.sql("CREATE TABLE bench_commit (id text PRIMARY KEY, value text)", database=self._database)
        self._transaction = self._script()

    def transactions(self, seconds: float, *, clients: int = CLIENTS) -> float:
        """Five-statement transactions a second."""
        return self._run(self._transaction, seconds, clients)

    def commits(self, seconds: float, *, clients: int = CLIENTS) -> float:
        """One-row commits a second."""
        return self._run(f"{_DRAW}INSERT INTO bench_commit VALUES ({_ID}, 'one row');\n", seconds, clients)

    def _run(self, script: str, seconds: float, clients: int) -> float:
        with tempfile.TemporaryDirectory(prefix="gluon-bench-") as folder:
            path = Path(folder) / "transaction.sql"
            path.write_text(script, encoding="utf-8")
            words = ["-n", "-M", "prepared", "-c", str(clients), "-j", "2", "-T", str(max(1, round(seconds)))]
            words += ["-D", "n=0"]
            said = run(["pgbench", *_target(self._server), *words, "-f", str(path), self._database])
        found = re.search(r"tps = ([\d.]+)", said)
        if found is None or re.search(r"number of failed transactions: [1-9]", said):
            raise RuntimeError(f"pgbench: {said}")
        return float(found[1])

    def _script(self) -> str:
        """Rows of the newest port, as literals, in the form of five statements."""
        newest = self._row("SELECT * FROM journal WHERE type = 'Port' ORDER BY revision DESC LIMIT 1")[0]
        key = str(newest["key"])
        port = self._row(f"SELECT * FROM \"net_l3vpn_Port\" WHERE id = '{key}'")
        interface = self._row(f"SELECT * FROM \"net_l3vpn_Interface\" WHERE id = '{key}'")
        entries = self._row(f"SELECT * FROM journal WHERE revision = {newest['revision']} ORDER BY n")
        draws = [("nextval('gluon_revision')", "net_l3vpn_Port", port)]
        draws += [("currval('gluon_revision')", "net_l3vpn_Interface", interface)]
        draws += [("currval('gluon_revision')", "journal", entries)]
        inserts = [_insert(table, rows, key, revision) for revision, table, rows in draws]
        return _DRAW + "\n".join(["BEGIN;", *inserts, "COMMIT;"]) + "\n"

    def _row(self, query: str) -> list[dict[str, Any]]:
        said = self._server.sql(f"SELECT row_to_json(r) FROM ({query}) AS r", database=self._used)
        return [json.loads(line) for line in said.splitlines()]


def _target(server: PostgresServer) -> list[str]:
    return ["-h", str(server.folder.path), "-p", str(server.port), "-U", "gluon"]


def _insert(table: str, rows: list[dict[str, Any]], key: str, revision: str) -> str:
    names = ", ".join(f'"{name}"' for name in rows[0])
    values = ", ".join(
        f"({', '.join(_value(name, value, key, revision) for name, value in row.items())})" for row in rows
    )
    return f'INSERT INTO "{table}" ({names}) VALUES {values};'


def _value(name: str, value: Any, key: str, revision: str) -> str:
    if name in {"revision", "_revision"}:
        return revision
    if value is None:
        return "NULL"
    if not isinstance(value, str):
        return str(value).lower()
    if value == key:
        return _ID
    return f" || {_ID} || ".join(literal(part) for part in value.split(key))


def literal(text: str) -> str:
    """pgbench takes `:name` for a variable even inside quotes."""
    escaped = text.replace("\\", "\\\\").replace("'", "''").replace(":", "\\x3a")
    return f"E'{escaped}'"
