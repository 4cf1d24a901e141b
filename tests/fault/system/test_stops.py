"""Stopped in order during writes; a database that is away at the start or for a while."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gluon.testing.fixtures import require_programs
from gluon.testing.process import wait_until
from gluon.testing.product import GluonServer
from gluon.testing.servers import EtcdServer, MariadbServer, PostgresServer
from gluon.testing.witness.load import V1, Load
from tests.fault.system.site import PATIENCE, Site, also


@pytest.mark.parametrize("kind", ["postgresql", also("sqlite")])
def test_sigterm_during_writes(site: Site) -> None:
    server, _ = site.server(), site.shim()
    ends: list[tuple[float, int | None]] = []
    with Load(site.ledger, [server.port], writes=600, binders=2, seed=31) as load:
        for writes in (120, 350):
            load.wait(writes)
            began = time.monotonic()
            server.end()
            ends.append((time.monotonic() - began, server.daemon.returncode))
            server.start()
    rest = site.judge(server).at_rest()
    site.say("SIGTERM twice", ends=ends, silence=load.silence, rest=rest)
    assert [status for _, status in ends] == [0, 0], server.daemon.said()
    assert max(seconds for seconds, _ in ends) < load.allows(10)


@pytest.fixture(params=["postgresql", also("mariadb")])
def own_site(request: pytest.FixtureRequest, etcd: EtcdServer, tmp_path: Path) -> Iterator[Site]:
    """With a database server of this test alone."""
    if request.param == "postgresql":
        require_programs("initdb", "postgres", "psql")
        made: PostgresServer | MariadbServer = PostgresServer()
    else:
        require_programs("mariadb-install-db", "mariadbd", "mariadb")
        made = MariadbServer()
    with made as sql, Site(sql, etcd, tmp_path) as site:
        yield site


def test_database_stopped_for_a_while(own_site: Site) -> None:
    site = own_site
    assert site.sql is not None
    server, _ = site.server(), site.shim()
    with Load(site.ledger, [server.port], writes=500, binders=2, seed=32) as load:
        load.wait(100)
        site.sql.kill9()
        time.sleep(4)
        answers = [read(server) for _ in range(3)]
        site.sql.start()
        load.wait(300)
        site.sql.stop()
        time.sleep(1)
        site.sql.start()
    rest = site.judge(server).at_rest()
    site.say("database away twice", answers=answers, silence=load.silence, rest=rest)
    assert {status for statuses in answers for status in statuses} == {503}
    assert load.silence < PATIENCE


def test_database_down_at_the_start(own_site: Site) -> None:
    site = own_site
    assert site.sql is not None
    site.sql.stop()
    server = site.server(wait=False)
    server.begin()
    wait_until(lambda: reached(server), "an answer without a database", limit=20)
    assert set(read(server)) == {503}
    assert server.request("GET", "/healthz")[0] == 200
    assert server.request("POST", f"{V1}/vpns", {"tenant_id": "1" * 32, "name": "x"})[0] == 503
    began = time.monotonic()
    site.sql.start()
    wait_until(lambda: server.request("GET", "/readyz")[0] == 200, "ready", limit=15)
    ready = time.monotonic() - began
    with Load(site.ledger, [server.port], writes=100, binders=0, seed=33):
        pass
    rest = site.judge(server, shims=False).at_rest()
    site.say("database down at the start", ready=ready, rest=rest)


def test_etcd_down_at_the_start(site: Site) -> None:
    """Servers and shims start, and the API serves; binds wait for etcd."""
    site.etcd.stop()
    server, _ = site.server(), site.shim()
    with Load(site.ledger, [server.port], writes=150, writers=3, binders=0, seed=34):
        pass
    port = next(k for k in site.ledger.objects() if k.plural == "ports" and k.body)
    wish = {"host_id": "host-1", "device_id": "1" * 32}
    status, body = server.request("PUT", f"{V1}/ports/{port.key}", wish)
    site.etcd.start()
    rest = site.judge(server).at_rest()
    site.say("etcd down at the start", rest=rest)
    assert (status, body["vif_type"]) == (200, "binding_failed")


def reached(server: GluonServer) -> bool:
    try:
        server.request("GET", "/healthz")
    except OSError:
        return False
    return True


def read(server: GluonServer) -> list[int]:
    """Statuses of what needs the database."""
    paths = ("/readyz", f"{V1}/ports", f"{V1}/ports/{'1' * 32}", "/gluon/v1/ports", "/gluon/v1/status")
    return [server.request("GET", path)[0] for path in paths]
