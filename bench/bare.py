"""What an HTTP answer costs here without Gluon: a bare ASGI app on the same server, under the same load.

A busy machine makes every CPU time longer; beside this one a reader sees by how much. On an idle machine with two
cores of 2026 it is about 23 µs.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from bench import load
from bench.measure import cpu_seconds
from gluon.testing.folders import PrivateFolder
from gluon.testing.process import Daemon
from gluon.testing.servers.server import accepts, free_ports

_BODY = b'"' + b"x" * 558 + b'"'


async def app(scope: Any, receive: Any, send: Any) -> None:
    """As large an answer as that to a port create, and nothing else."""
    if scope["method"] == "POST":
        await receive()
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(_BODY))]
    headers += [
        (b"x-openstack-request-id", b"req-7a1f7d4e-0e13-4d5c-9f24-e0f6d9b6f3a1"),
        (b"etag", b'"12345"'),
    ]
    await send({"type": "http.response.start", "status": 201, "headers": headers})
    await send({"type": "http.response.body", "body": _BODY})


@dataclass(frozen=True, slots=True)
class Bare:
    """The running server."""

    pid: int
    url: str

    def cpu(self, script: str, seconds: float) -> float:
        """Microseconds of CPU an answer."""
        before = cpu_seconds(self.pid)
        seen = load.drive(self.url, script, seconds)
        return (cpu_seconds(self.pid) - before) / seen.requests * 1e6


@contextmanager
def bare() -> Iterator[Bare]:
    """uvicorn as Gluon uses it."""
    (port,) = free_ports(1)
    words = ["--http", "httptools", "--no-access-log", "--log-level", "error", "--no-server-header"]
    folder = PrivateFolder("bare")
    server = Daemon(
        [sys.executable, "-m", "uvicorn", "bench.bare:app", "--port", str(port), "--lifespan", "off", *words],
        log=folder.path / "log",
    )
    try:
        server.start()
        server.wait_ready(lambda: accepts("127.0.0.1", port))
        yield Bare(server.pid, f"http://127.0.0.1:{port}")
    finally:
        server.stop()
        folder.remove()
