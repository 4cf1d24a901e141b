"""The pytest plug-in: `pytest_plugins = ["gluon.testing.fixtures"]` in a root conftest.

Servers are started at first use, one of a kind per pytest process (so one per xdist worker), and
end with it. `postgres_url`, `mariadb_url`: an empty database each test; `etcd_endpoint` (`host:port`)
and `etcd_url`: an etcd without keys. A test that breaks its server makes one of its own instead. What is committed survives the
death of any process, but not a power cut: nothing waits for the disk.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gluon.testing.programs import missing_programs
from gluon.testing.servers import EtcdServer, KeystoneServer, MariadbServer, PostgresServer, keystone


def require_programs(*names: str) -> None:
    """Skip the test, saying why, if a program is missing."""
    missing = missing_programs(*names)
    if missing:
        pytest.skip("; ".join(str(error) for error in missing))


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """The PostgreSQL of this pytest process."""
    require_programs("initdb", "postgres", "psql")
    with PostgresServer(fsync="off", full_page_writes="off") as server:
        yield server


@pytest.fixture(scope="session")
def mariadb_server() -> Iterator[MariadbServer]:
    """The MariaDB of this pytest process."""
    require_programs("mariadb-install-db", "mariadbd", "mariadb")
    with MariadbServer("--innodb-flush-method=nosync") as server:
        yield server


@pytest.fixture(scope="session")
def etcd_server() -> Iterator[EtcdServer]:
    """The etcd of this pytest process."""
    require_programs("etcd", "etcdctl")
    with EtcdServer() as server:
        yield server


@pytest.fixture(scope="session")
def keystone_server() -> Iterator[KeystoneServer]:
    """The Keystone of this pytest process."""
    if reason := keystone.missing():
        pytest.skip(reason)
    with KeystoneServer() as server:
        yield server


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """URL of a fresh PostgreSQL database."""
    name = postgres_server.create_database()
    yield postgres_server.url(name)
    postgres_server.recycle_database(name)


@pytest.fixture
def mariadb_url(mariadb_server: MariadbServer) -> Iterator[str]:
    """URL of a fresh MariaDB database."""
    name = mariadb_server.create_database()
    yield mariadb_server.url(name)
    mariadb_server.recycle_database(name)


@pytest.fixture
def etcd_endpoint(etcd_server: EtcdServer) -> str:
    """`host:port` of an etcd that holds no key."""
    etcd_server.clear()
    return etcd_server.endpoint


@pytest.fixture
def etcd_url(etcd_server: EtcdServer) -> str:
    """`http://host:port` of an etcd that holds no key."""
    etcd_server.clear()
    return etcd_server.url
