"""A database that is there and says nothing: everybody hears so within seconds, and all goes on when it speaks again."""

import statistics
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from gluon.testing.crowd import Crowd
from gluon.testing.fixtures import require_programs
from gluon.testing.process import wait_until
from gluon.testing.product import GluonServer
from gluon.testing.servers import EtcdServer, MariadbServer, PostgresServer
from gluon.testing.witness.load import V1
from tests.fault.system.site import Site, also

LONGEST = 6.0
"""Seconds until an answer."""


@pytest.fixture
def silent_site(kind: str, etcd: EtcdServer, tmp_path: Path) -> Iterator[Site]:
    """With a database server of its own, which is to be paused."""
    require_programs(*(["initdb", "postgres", "psql"] if kind == "postgresql" else ["mariadbd", "mariadb"]))
    with (
        PostgresServer() if kind == "postgresql" else MariadbServer() as sql,
        Site(sql, etcd, tmp_path) as made,
    ):
        yield made


def vpn() -> dict[str, Any]:
    return {"tenant_id": str(uuid.uuid4()), "name": "x"}


def ask(server: GluonServer, method: str, path: str, body: Any = None) -> tuple[float, int]:
    """Seconds and status."""
    began = time.monotonic()
    status, _ = server.request(method, path, body)
    return time.monotonic() - began, status


@pytest.mark.parametrize("kind", ["postgresql", also("mariadb")])
def test_paused_database(silent_site: Site, kind: str) -> None:
    site = silent_site
    assert site.sql is not None
    server = site.server()
    made = server.request("POST", f"{V1}/vpns", vpn())[1]["id"]
    requests: list[tuple[str, str, Any]] = [
        ("GET", f"{V1}/vpns", None), ("GET", f"{V1}/vpns/{made}", None), ("GET", "/gluon/v1/status", None),
        ("GET", "/readyz", None), ("POST", f"{V1}/vpns", vpn()), ("DELETE", f"{V1}/vpns/{made}", None),
        ("GET", "/metrics", None), ("GET", "/healthz", None),
    ]  # fmt: skip
    stop = threading.Event()

    def write_on() -> None:
        while not stop.is_set():
            server.request("POST", f"{V1}/vpns", vpn())

    with Crowd() as crowd, ThreadPoolExecutor(40) as pool:
        writing = [pool.submit(write_on) for _ in range(4)]
        time.sleep(0.3)  # so that it is paused in the middle of writes
        site.sql.pause()
        stop.set()
        answers = []
        for _ in range(2):  # at once, and when connections are being made anew
            asked = [pool.submit(ask, server, *request) for request in requests for _ in range(2)]
            answers += list(
                zip([r for r in requests for _ in range(2)], [a.result() for a in asked], strict=True)
            )
        for one in writing:
            with suppress(OSError):
                one.result()
        site.sql.resume()
    slow = sorted(((took, status, r[0], r[1]) for r, (took, status) in answers), reverse=True)[:5]
    site.say("database paused", slow=slow)
    assert {status for (_, path, _), (_, status) in answers if path in {"/metrics", "/healthz"}} == {200}
    assert {status for (_, path, _), (_, status) in answers if path not in {"/metrics", "/healthz"}} == {503}
    assert max(took for _, (took, _) in answers) < crowd.allows(LONGEST)
    quick = [took for (_, path, _), (took, _) in answers if path == "/readyz"]
    assert statistics.median(quick) < crowd.allows(3)
    wait_until(lambda: server.request("GET", "/readyz")[0] == 200, "ready again", limit=15)
    assert server.request("POST", f"{V1}/vpns", vpn())[0] == 201
    assert server.request("GET", f"{V1}/vpns")[0] == 200
