"""A whole system for a fault test: a database, an etcd, servers and shims as processes of their own."""

import sqlite3
from collections.abc import Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest

from gluon.testing.product import GluonServer, GluonShim
from gluon.testing.servers import EtcdServer, MariadbServer, PostgresServer
from gluon.testing.witness.judge import Judge
from gluon.testing.witness.ledger import Ledger

SqlServer = PostgresServer | MariadbServer

PATIENCE = 60.0
"""Seconds without an answer that a killed part may cost on the slowest machine; `say` shows what it did cost."""


class Site:
    """`with Site(sql, etcd) as site: site.server()`. Without an SQL server it is SQLite in `folder`."""

    def __init__(self, sql: SqlServer | None, etcd: EtcdServer, folder: Path) -> None:
        self.sql = sql
        self.etcd = etcd
        self.ledger = Ledger()
        self.products: list[GluonServer | GluonShim] = []
        self._stack = ExitStack()
        self._file = folder / "gluon.db"
        self.database = sql.create_database() if sql is not None else ""

    @property
    def url(self) -> str:
        return self.sql.url(self.database) if self.sql is not None else f"sqlite:///{self._file}"

    def server(self, *arguments: str, wait: bool = True) -> GluonServer:
        """A running `gluon server`. `wait`: until it is ready."""
        made = GluonServer("server", "--database", self.url, "--etcd", self.etcd.url, *arguments)
        self.products.append(made)
        if wait:
            return self._stack.enter_context(made)
        self._stack.callback(made.stop)
        return made

    def shim(self, *arguments: str) -> GluonShim:
        """A running `gluon shim` with the fake backend for all hosts."""
        made = GluonShim("--backend", "fake", "--host", "*", "--etcd", self.etcd.url, *arguments)
        self.products.append(made)
        return self._stack.enter_context(made)

    def judge(self, server: GluonServer, *, shims: bool = True) -> Judge:
        return Judge(self.ledger, server, self.etcd, self.query, shims=shims)

    def query(self, text: str) -> Sequence[Sequence[str]]:
        """Rows of a SELECT, as text, by the database's own client."""
        if isinstance(self.sql, PostgresServer):
            return [line.split("|") for line in self.sql.sql(text, database=self.database).splitlines()]
        if isinstance(self.sql, MariadbServer):
            return [line.split("\t") for line in self.sql.sql(text, database=self.database).splitlines()]
        with closing(sqlite3.connect(f"file:{self._file}?mode=ro", uri=True)) as connection:
            return [[str(v) for v in row] for row in connection.execute(text)]

    def logs(self) -> str:
        """The last words of all servers and shims."""
        return "\n".join(f"-- {' '.join(p.arguments)}\n{p.daemon.said(lines=40)}" for p in self.products)

    def say(self, what: str, **figures: Any) -> None:
        """Figures for whoever runs the tests with `-s`."""
        print(f"\n  {what}: {figures} {self.ledger.summary()}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()
        if self.sql is not None and self.sql.running:
            self.sql.recycle_database(self.database)


def also(*values: Any, what: str = "as long again, on another database") -> Any:
    """A parameter that only `--long` tries; `what` is long about it."""
    return pytest.param(*values, marks=pytest.mark.long(what))
