"""The servers of one bench: Gluon as a user starts it, on private databases and a private etcd.

In: which database. Out: `Gluon`: its URL, the CPU time of each of its processes, how far its
publisher is behind. All of it is gone when the context ends.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.load import PORT, PORTS
from bench.measure import Skipped, cpu_seconds
from gluon.testing.process import descendants, wait_until
from gluon.testing.product import GluonServer
from gluon.testing.servers.etcd import EtcdServer
from gluon.testing.servers.mariadb import MariadbServer
from gluon.testing.servers.postgres import PostgresServer

_SEGMENTS = 128
"""All that `min_wal_size` keeps. Half of it is gone in the third of five rounds of `fair`."""
KINDS = ("postgresql", "mariadb", "sqlite")


@dataclass(frozen=True, slots=True)
class Gluon:
    """A running `gluon server`. `headers`: of each request to it."""

    server: GluonServer
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return self.server.url

    def api_cpu(self) -> float:
        """CPU seconds so far of the processes that answer requests."""
        return sum(cpu_seconds(pid) for name, pid in self._processes().items() if name != "publisher")

    def publisher_cpu(self) -> float:
        """CPU seconds so far of the process that publishes; 0 where it is the same one."""
        found = self._processes()
        return cpu_seconds(found["publisher"]) if "publisher" in found else 0.0

    def _processes(self) -> dict[str, int]:
        """The children by name, or the one process if it has none."""
        found = {}
        for pid in descendants(self.server.daemon.pid):
            words = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
            if "gluon.cmd.worker" in words:
                found[words[words.index("gluon.cmd.worker") + 1]] = pid
        return found or {"all": self.server.daemon.pid}

    def settle(self, limit: float = 120) -> None:
        """Wait until all that was written is published, so that nobody else's round pays for it."""
        wait_until(lambda: not self.publishing()["lag"], "publisher up to date", limit=limit, every=0.1)

    def publishing(self) -> dict[str, Any]:
        """The publisher's part of the status."""
        found: dict[str, Any] = self.ask("GET", "/gluon/v1/status")["publisher"]
        return found

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """One request that must succeed."""
        status, answer = self.server.request(method, path, body, headers=self.headers)
        if not 200 <= status < 300:
            raise RuntimeError(f"{method} {path}: {status} {answer}")
        return answer

    def create_ports(self, count: int) -> list[str]:
        return [self.ask("POST", PORTS, PORT)["id"] for _ in range(count)]


@contextmanager
def gluon(database: str, etcd: str, *, workers: int = 1) -> Iterator[Gluon]:
    """`gluon server` with a publisher and so many API processes."""
    words = ["--workers", str(workers), "--database", database, "--etcd", etcd]
    with GluonServer("server", *words) as server:
        yield Gluon(server)


@contextmanager
def servers() -> Iterator[tuple[PostgresServer, EtcdServer]]:
    """PostgreSQL with its durable defaults, and etcd; more buffers and connections than a test needs."""
    with (
        PostgresServer(
            max_connections="250", shared_buffers="256MB", max_wal_size="4GB", min_wal_size="2GB"
        ) as postgres,
        EtcdServer() as etcd,
    ):
        _aged(postgres)
        yield postgres, etcd


def _aged(postgres: PostgresServer) -> None:
    """As one that has run for a while: files of its log are there to be used again. A new one is written and synced with 16 MB of zeros
    by whoever needs it, while which nobody's commit ends."""
    for _ in range(_SEGMENTS):
        postgres.sql("SELECT pg_logical_emit_message(false, '', ''), pg_switch_wal()")
    postgres.sql("CHECKPOINT")


@contextmanager
def kept_in(kind: str) -> Iterator[tuple[str, str]]:
    """A fresh database of one of `KINDS`, and etcd: the URLs of both. Raises `Skipped` for SQLite, which has one process."""
    if kind == "postgresql":
        with servers() as (postgres, etcd):
            yield postgres.url(postgres.create_database(), unix=True), etcd.url
    elif kind == "sqlite":
        raise Skipped("a SQLite file serves one process")
    else:
        with MariadbServer() as mariadb, EtcdServer() as etcd:
            yield mariadb.url(mariadb.create_database()), etcd.url
