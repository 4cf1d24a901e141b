"""A private MariaDB, durable at each commit (`innodb_flush_log_at_trx_commit=1`).

Out: `MariadbServer`: `url()` for clients, `create_database()` for a fresh one, `recycle_database()` when it is no longer
needed, `dump`/`restore` for fault tests. As root it runs as user `mysql`.
"""

from __future__ import annotations

import itertools
import shutil
from pathlib import Path
from urllib.parse import quote

from gluon.testing.folders import unprivileged_user
from gluon.testing.process import Daemon, ProcessFailed, run
from gluon.testing.servers.server import LOOPBACK, PrivateServer, accepts

_USER = "gluon"
_PASSWORD = "gluon"  # noqa: S105 - of a server on loopback that lives for one test
_TRIES = 3
"""The server that fills the system tables of Debian 12's MariaDB crashes now and then."""
_LONG = 600.0
"""Seconds for a copy: of Neutron's or Nova's hundreds of tables on a busy machine."""
_LOG_SIZE = "--innodb-log-file-size=24M"
_FIRST_SQL = f"""
CREATE USER IF NOT EXISTS '{_USER}'@'%' IDENTIFIED BY '{_PASSWORD}';
GRANT ALL PRIVILEGES ON *.* TO '{_USER}'@'%' WITH GRANT OPTION;
"""


class MariadbServer(PrivateServer):
    """`with MariadbServer() as server: server.url(server.create_database())`."""

    kind = "my"

    def __init__(self, *options: str) -> None:
        """`options` are added to mariadbd's, such as `--max-connections=500`."""
        super().__init__(user=unprivileged_user("mysql"))
        self._options = options
        self._numbers = itertools.count(1)
        self._spare: list[str] = []

    @property
    def port(self) -> int:
        return self.ports[0]

    @property
    def data(self) -> Path:
        return self.folder.path / "data"

    @property
    def socket(self) -> Path:
        return self.folder.path / "sock"

    def url(self, database: str = "", *, unix: bool = False) -> str:
        """`mysql://…` of a database, over loopback TCP or (`?unix_socket=`) the unix socket."""
        url = f"mysql://{_USER}:{_PASSWORD}@{LOOPBACK}:{self.port}/{database}"
        return f"{url}?unix_socket={quote(str(self.socket), safe='')}" if unix else url

    def create_database(self, name: str = "") -> str:
        """An empty database, a new one if it has a name; returns its name."""
        if not name and self._spare:
            return self._spare.pop()
        name = name or f"test_{next(self._numbers)}"
        self.sql(f"CREATE DATABASE `{name}`")
        return name

    def drop_database(self, name: str) -> None:
        self.sql(f"DROP DATABASE IF EXISTS `{name}`")

    def recycle_database(self, name: str) -> None:
        """Empty it for the next who wants one."""
        self.sql(f"DROP DATABASE `{name}`; CREATE DATABASE `{name}`")
        self._spare.append(name)

    def sql(self, text: str, *, database: str = "") -> str:
        """Run SQL; returns bare values, one row a line. Raises `ProcessFailed`."""
        return run(["mariadb", *self._target(), "-N", "-B", database, "-e", text])

    def dump(self, database: str) -> str:
        """A consistent dump as SQL text."""
        options = ("--single-transaction", "--hex-blob")
        return run(["mariadb-dump", *self._target(), *options, database], limit=_LONG)

    def restore(self, database: str, dump: str) -> None:
        """Replace the database by a dump."""
        self.drop_database(database)
        self.create_database(database)
        run(["mariadb", *self._target(), database], stdin=dump, limit=_LONG)

    def _target(self) -> list[str]:
        # --no-defaults must come first
        return ["--no-defaults", f"--socket={self.socket}", f"-u{_USER}", f"-p{_PASSWORD}"]

    def _prepare(self) -> None:
        for left in reversed(range(_TRIES)):
            try:
                self._install()
                break
            except ProcessFailed as error:
                if not left or "got signal" not in str(error):
                    raise
                shutil.rmtree(self.data, ignore_errors=True)
        (self.folder.path / "first.sql").write_text(_FIRST_SQL)

    def _install(self) -> None:
        run(
            [
                *("mariadb-install-db", "--no-defaults", f"--datadir={self.data}", _LOG_SIZE),
                # of its own: a server that starts removes the temporary tables it finds there
                f"--tmpdir={self.folder.path}",
                *("--auth-root-authentication-method=normal", "--skip-name-resolve"),
                "--force",  # where the machine does not know its own name
                "--skip-test-db",
            ],
            user=self.user,
        )

    def _command(self) -> Daemon:
        here = self.folder.path
        return Daemon(
            [
                *("mariadbd", "--no-defaults", f"--datadir={self.data}", f"--tmpdir={here}"),
                *(f"--socket={self.socket}", f"--bind-address={LOOPBACK}", f"--port={self.port}"),
                *(f"--pid-file={here}/pid", f"--init-file={here}/first.sql"),
                *("--character-set-server=utf8mb4", "--collation-server=utf8mb4_general_ci"),
                *("--innodb-flush-log-at-trx-commit=1", "--innodb-buffer-pool-size=64M", _LOG_SIZE),
                *("--skip-name-resolve", "--performance-schema=OFF", "--max-connections=200"),
                *self._options,
            ],
            log=here / "server.log",
            user=self.user,
        )

    def _answers(self) -> bool:
        """It opens its port last, after the init file."""
        return "ready for connections" in self.daemon.said() and accepts(LOOPBACK, self.port)
