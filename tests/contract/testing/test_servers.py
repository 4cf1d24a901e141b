"""The private servers keep their promises: data survives a crash, ports stay, nothing is left."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from gluon.testing.fixtures import require_programs
from gluon.testing.folders import PrivateFolder, unprivileged_user
from gluon.testing.process import alive
from gluon.testing.servers import EtcdServer, MariadbServer, PostgresServer, ProcessFailed
from gluon.testing.servers.server import PrivateServer

SqlServer = PostgresServer | MariadbServer


@pytest.fixture(params=[PostgresServer, MariadbServer], ids=["postgres", "mariadb"])
def sql_server(request: pytest.FixtureRequest) -> Iterator[SqlServer]:
    kind: type[SqlServer] = request.param
    require_programs("postgres" if kind is PostgresServer else "mariadbd")
    with kind() as server:
        yield server


def test_what_was_committed_survives_kill9_and_ports_stay(sql_server: SqlServer) -> None:
    name = sql_server.create_database()
    url = sql_server.url(name)
    sql_server.sql("CREATE TABLE t (a int); INSERT INTO t VALUES (5)", database=name)

    sql_server.kill9()
    sql_server.start()

    assert sql_server.sql("SELECT a FROM t", database=name).strip() == "5"
    assert sql_server.url(name) == url


def test_restore_goes_back_to_the_dump(sql_server: SqlServer) -> None:
    name = sql_server.create_database()
    sql_server.sql("CREATE TABLE t (a int)", database=name)
    older = sql_server.dump(name)
    sql_server.sql("INSERT INTO t VALUES (5)", database=name)

    sql_server.restore(name, older)

    assert sql_server.sql("SELECT count(*) FROM t", database=name).strip() == "0"


def test_a_recycled_database_is_as_a_new_one(sql_server: SqlServer) -> None:
    name = sql_server.create_database()
    sql_server.sql("CREATE TABLE t (a int); INSERT INTO t VALUES (5)", database=name)
    filled = sql_server.dump(name)

    sql_server.recycle_database(name)

    assert "CREATE TABLE" not in sql_server.dump(name)
    assert sql_server.create_database() == name
    sql_server.restore(name, filled)
    assert sql_server.sql("SELECT a FROM t", database=name).strip() == "5"
    assert sql_server.create_database() != name


def test_a_starting_server_leaves_the_temporary_tables_of_others_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """MariaDB removes what looks like a temporary table from its folder for them as it starts."""
    require_programs("mariadbd")
    shared = PrivateFolder("shared", owner=unprivileged_user("mysql"))
    try:
        monkeypatch.setenv("TMPDIR", str(shared.path))
        other = shared.path / "#sql-temptable-1-1-1.MAI"
        other.touch()
        with MariadbServer():
            assert other.exists()
    finally:
        shared.remove()


def test_close_leaves_no_process_and_no_folder(sql_server: SqlServer) -> None:
    pid, folder = sql_server.daemon.pid, sql_server.folder.path

    sql_server.close()

    assert not alive(pid)
    assert not folder.exists()


def test_durability_is_not_switched_off(sql_server: SqlServer) -> None:
    question, answer = (
        ("SHOW fsync", "on")
        if isinstance(sql_server, PostgresServer)
        else ("SELECT @@innodb_flush_log_at_trx_commit", "1")
    )
    assert sql_server.sql(question).strip() == answer


def test_a_taken_port_is_answered_by_another_port(monkeypatch: pytest.MonkeyPatch) -> None:
    require_programs("etcd")
    with EtcdServer() as first:
        offers = iter([first.ports, (first.port, 0)])
        real = __import__("gluon.testing.servers.server", fromlist=["free_ports"]).free_ports
        monkeypatch.setattr(
            "gluon.testing.servers.server.free_ports",
            lambda count: next(offers, None) or real(count),
        )
        with EtcdServer() as second:
            assert not set(second.ports) & set(first.ports)


def status(server: EtcdServer) -> tuple[int, int]:
    """(cluster id, revision)"""
    header = json.loads(server.etcdctl("endpoint", "status", "-w", "json"))[0]["Status"]["header"]
    return header["cluster_id"], header["revision"]


def test_etcd_restored_to_a_snapshot_is_the_same_cluster_at_an_older_revision() -> None:
    require_programs("etcd", "etcdctl")
    with EtcdServer() as server:
        server.etcdctl("put", "a", "1")
        snapshot, before = server.snapshot(), status(server)
        server.etcdctl("put", "b", "1")

        server.restore(snapshot)

        assert status(server)[1] == before[1]
        assert server.etcdctl("get", "", "--prefix", "--keys-only").split() == ["a"]
        restored = status(server)
        server.wipe()
        assert status(server)[1] == 1
        assert status(server)[0] != restored[0]


def test_etcd_with_tls_and_password_refuses_those_without() -> None:
    require_programs("etcd", "etcdctl", "openssl")
    with EtcdServer(tls=True, auth=True) as server:
        server.etcdctl("put", "a", "1")
        with pytest.raises(ProcessFailed, match=r"permission denied|user name is empty"):
            server.etcdctl("put", "a", "2", authenticate=False)


def test_fixtures_give_fresh_state(
    postgres_url: str, mariadb_url: str, etcd_server: EtcdServer, etcd_endpoint: str
) -> None:
    assert postgres_url.startswith("postgresql://")
    assert mariadb_url.startswith("mysql://")
    assert etcd_endpoint == etcd_server.endpoint
    assert not etcd_server.etcdctl("get", "", "--prefix")


def test_a_paused_server_answers_after_resume(etcd_server: PrivateServer) -> None:
    etcd_server.pause()
    etcd_server.resume()

    assert isinstance(etcd_server, EtcdServer)
    etcd_server.etcdctl("put", "a", "1")
