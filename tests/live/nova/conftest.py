"""A real Nova on two hosts, whose network service is Gluon, for the tests of this folder. `./dev test --live nova` runs them,
nothing else does."""

import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gluon.testing.fixtures import require_programs
from gluon.testing.product import GluonServer
from gluon.testing.servers import EtcdServer, KeystoneServer, MariadbServer, keystone, nova
from gluon.testing.servers.nova import NovaServer
from gluon.testing.servers.rabbitmq import RabbitServer
from tests.live.nova.cloud import Cloud
from tests.live.nova.relay import Relay

SETTINGS = """\
[identity]
methods = ["keystone"]
cache_seconds = 30
[etcd]
urls = ["{etcd}"]
[logs]
access = true
[keystone]
url = "{keystone}"
user = "{user}"
password = "{password}"
[nova]
enabled = true
[shim]
backend = "fake"
hosts = ["host1", "host2"]
options = {{ hypervisors = "{plugs}" }}
"""


def settings(folder: Path, identity: KeystoneServer, etcd: EtcdServer, compute: NovaServer) -> Path:
    own = identity.new_user("service", "admin", project=identity.project("service"))
    path = folder / "gluon.toml"
    path.write_text(
        SETTINGS.format(
            keystone=identity.url,
            etcd=etcd.url,
            user=own.name,
            password=own.password,
            plugs=compute.hypervisors,
        )
    )
    return path


def keep_logs(compute: NovaServer, gluon: GluonServer, folder: Path) -> None:
    """For a look after a failure."""
    for log in (*compute.folder.glob("*.log"), gluon.daemon.log):
        shutil.copy(log, folder / log.name)
    print(f"logs: {folder}")


@pytest.fixture(scope="session")
def cloud(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    if reason := keystone.missing() or nova.missing():
        pytest.skip(reason)
    require_programs(
        *("/usr/lib/rabbitmq/bin/rabbitmq-server", "epmd", "etcd", "mariadbd", "mariadb-install-db"),
        "mariadb",
    )
    identity, rabbit, etcd = KeystoneServer(), RabbitServer(), EtcdServer()
    database = MariadbServer("--innodb-flush-method=nosync")
    parts = (identity, rabbit, etcd, database)
    try:
        with ThreadPoolExecutor(len(parts)) as pool:
            list(pool.map(lambda part: part.start(), parts))
        compute = NovaServer(identity, database, rabbit)
        path = settings(tmp_path_factory.mktemp("gluon"), identity, etcd, compute)
        with GluonServer("up", "--config", str(path)) as gluon, Relay() as relay:
            relay.turn(gluon.port)
            identity.serve("network", relay.url)
            with compute:
                yield Cloud(identity, database, rabbit, etcd, compute, gluon, relay)
                if request.session.testsfailed:
                    keep_logs(compute, gluon, tmp_path_factory.mktemp("logs"))
    finally:
        for part in parts:
            part.close()


@pytest.fixture(autouse=True)
def no_server_left(cloud: Cloud) -> Iterator[None]:
    """Which host a server comes to depends on those that there are, so no test leaves one to the next, whatever befell it."""
    yield
    for one in cloud.nova_says("GET", "/servers?all_tenants=1")["servers"]:
        cloud.delete(one["id"])
