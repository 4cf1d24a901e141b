"""A private PostgreSQL with its durable defaults (fsync on), trust on its socket and loopback.

Out: `PostgresServer`: `url()` for clients, `create_database()` for a fresh one, `recycle_database()` when it is no longer
needed, `dump`/`restore` for fault tests. As root it runs as user `postgres` (the server refuses root).
"""

from __future__ import annotations

import itertools
import signal
from pathlib import Path
from urllib.parse import quote

from gluon.testing.folders import unprivileged_user
from gluon.testing.process import Daemon, run
from gluon.testing.servers.server import LOOPBACK, PrivateServer

_ROLE = "gluon"
_EMPTY = """
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid();
DROP SCHEMA public CASCADE;
CREATE SCHEMA public AUTHORIZATION pg_database_owner;
GRANT USAGE ON SCHEMA public TO PUBLIC;
COMMENT ON SCHEMA public IS 'standard public schema';
"""
"""As a new database is, for a tenth of what a new one costs."""


class PostgresServer(PrivateServer):
    """`with PostgresServer() as server: server.url(server.create_database())`."""

    kind = "pg"
    stop_signal = signal.SIGINT  # "fast": open sessions are ended, nothing is lost

    def __init__(self, **settings: str) -> None:
        """`settings` go to postgresql.conf's parameters, such as `max_connections="300"`."""
        super().__init__(user=unprivileged_user("postgres"))
        self._settings = {"max_connections": "200", "shared_buffers": "64MB", **settings}
        self._numbers = itertools.count(1)
        self._spare: list[str] = []

    @property
    def port(self) -> int:
        return self.ports[0]

    @property
    def data(self) -> Path:
        return self.folder.path / "data"

    def url(self, database: str = "postgres", *, unix: bool = False) -> str:
        """`postgresql://…` of a database, over loopback TCP or the unix socket."""
        if unix:
            host = quote(str(self.folder.path), safe="")
            return f"postgresql://{_ROLE}@/{database}?host={host}&port={self.port}"
        return f"postgresql://{_ROLE}@{LOOPBACK}:{self.port}/{database}"

    def create_database(self, name: str = "") -> str:
        """An empty database, a new one if it has a name; returns its name."""
        if not name and self._spare:
            return self._spare.pop()
        name = name or f"test_{next(self._numbers)}"
        self.sql(f'CREATE DATABASE "{name}"')
        return name

    def drop_database(self, name: str) -> None:
        """Sessions that are still open are ended."""
        self.sql(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def recycle_database(self, name: str) -> None:
        """Empty it for the next who wants one. Sessions that are still open are ended."""
        self.sql(_EMPTY, database=name)
        self._spare.append(name)

    def sql(self, text: str, *, database: str = "postgres") -> str:
        """Run SQL by psql; returns bare values, one row a line. Raises `ProcessFailed`."""
        return run([*self._psql(database), "-At", "-c", text])

    def dump(self, database: str) -> str:
        """A consistent dump as SQL text."""
        return run(["pg_dump", *self._target(), database])

    def restore(self, database: str, dump: str) -> None:
        """Replace the database by a dump."""
        self.drop_database(database)
        self.create_database(database)
        run([*self._psql(database), "-q", "-1"], stdin=dump)

    def _psql(self, database: str) -> list[str]:
        return ["psql", "-X", "-v", "ON_ERROR_STOP=1", *self._target(), "-d", database]

    def _target(self) -> list[str]:
        return ["-h", str(self.folder.path), "-p", str(self.port), "-U", _ROLE]

    def _prepare(self) -> None:
        run(
            [
                *("initdb", "-D", str(self.data), "-U", _ROLE, "-A", "trust", "-E", "UTF8"),
                "--no-locale",
                "--no-sync",  # the empty cluster need not survive a power cut; later commits do
            ],
            user=self.user,
        )

    def _command(self) -> Daemon:
        settings = {
            "listen_addresses": LOOPBACK,
            "port": str(self.port),
            "unix_socket_directories": str(self.folder.path),
            **self._settings,
        }
        return Daemon(
            ["postgres", "-D", str(self.data), *(f"--{k}={v}" for k, v in settings.items())],
            log=self.folder.path / "server.log",
            user=self.user,
        )

    def _answers(self) -> bool:
        """The eighth line of postmaster.pid, as pg_ctl looks at it."""
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return len(lines) >= 8 and lines[0] == str(self.daemon.pid) and lines[7].strip() == "ready"
