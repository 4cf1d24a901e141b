"""A database that cannot take more, or takes long: nothing answered is lost, reads go on, and writes go on after it."""

import shutil
import subprocess
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from gluon.testing.fixtures import require_programs
from gluon.testing.folders import PrivateFolder
from gluon.testing.process import ProcessFailed, run
from gluon.testing.product import GluonServer
from gluon.testing.servers import EtcdServer, PostgresServer
from gluon.testing.witness.load import V1
from tests.fault.system.site import Site


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A file system of 24 MB, which a server that is another user can reach."""
    private = PrivateFolder("disk")
    private.path.chmod(0o755)
    folder = private.path / "disk"
    folder.mkdir()
    try:
        run(["mount", "-t", "tmpfs", "-o", "size=24m,mode=755", "tmpfs", str(folder)])
    except ProcessFailed as error:
        private.remove()
        pytest.skip(f"no small disk can be made here: {error}")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)
    private.remove()


def fill(disk: Path, leave: int) -> Path:
    """Take all but `leave` bytes."""
    ballast = disk / "ballast"
    with ballast.open("wb") as file:
        free = shutil.disk_usage(disk).free - leave
        file.write(b"x" * free)
    return ballast


def create(server: GluonServer, size: int = 200) -> tuple[int, str]:
    body = {"tenant_id": str(uuid.uuid4()), "name": "x", "description": "y" * size}
    status, answer = server.request("POST", f"{V1}/vpns", body)
    return status, answer["id"] if status == 201 else answer["detail"]


def fill_up(server: GluonServer) -> tuple[list[str], list[int]]:
    """Write until it is refused, some times: what was made, and how it was refused."""
    made: list[str] = []
    refused: list[int] = []
    end = time.monotonic() + 60
    while len(refused) < 3 and time.monotonic() < end:
        status, told = create(server)
        if status == 201:
            made.append(told)
        else:
            refused.append(status)
    return made, refused


def judge(server: GluonServer, made: list[str], refused: list[int], ballast: Path) -> None:
    assert refused == [503] * 3
    assert made
    assert server.request("GET", f"{V1}/vpns/{made[-1]}")[0] == 200, "reads go on"
    ballast.unlink()
    end = time.monotonic() + 60
    while create(server)[0] != 201:
        assert time.monotonic() < end, "writes go on when there is room"
    stored = {one["id"] for one in server.request("GET", f"{V1}/vpns")[1]["vpns"]}
    assert set(made) <= stored


def test_full_disk_of_sqlite(small_disk: Path) -> None:
    with GluonServer("up", "--no-shims", "--data", str(small_disk / "data")) as server:
        assert create(server)[0] == 201
        ballast = fill(small_disk, 300_000)
        made, refused = fill_up(server)
        judge(server, made, refused, ballast)


@pytest.mark.long("a disk is filled with 200,000 rows")
def test_full_disk_of_postgresql(small_disk: Path, etcd: EtcdServer, tmp_path: Path) -> None:
    """The objects' tables lie on it; a full disk of the write-ahead log ends PostgreSQL, which is a database that is away."""
    require_programs("initdb", "postgres", "psql")
    with PostgresServer() as sql, Site(sql, etcd, tmp_path) as site:
        place = small_disk / "space"
        place.mkdir()
        if sql.user:
            PrivateFolder.give(place, sql.user)
        sql.sql(f"CREATE TABLESPACE small LOCATION '{place}'")
        sql.sql(f'ALTER DATABASE "{site.database}" SET TABLESPACE small')
        server = site.server()
        assert create(server)[0] == 201
        ballast = fill(small_disk, 200_000)
        made, refused = fill_up(server)
        judge(server, made, refused, ballast)
        server.end()
        sql.sql(f'ALTER DATABASE "{site.database}" SET TABLESPACE pg_default')
        sql.sql("DROP TABLESPACE small")


@pytest.mark.long("192 commits of 0.1 s, on a database of its own")
def test_slow_database(etcd: EtcdServer, tmp_path: Path) -> None:
    """Each commit takes 0.1 s: batches grow, so that many clients still get on; the figures show why."""
    require_programs("initdb", "postgres", "psql")
    with PostgresServer(commit_delay="100000", commit_siblings="0") as sql, Site(sql, etcd, tmp_path) as site:
        server = site.server()

        def client(_: int) -> list[int]:
            return [create(server)[0] for _ in range(8)]

        began = time.monotonic()
        with ThreadPoolExecutor(24) as pool:
            statuses = [status for one in pool.map(client, range(24)) for status in one]
        took = time.monotonic() - began
        figures: dict[str, Any] = server.request("GET", "/gluon/v1/status")[1]
        assert [one["process"] for one in figures["processes"]] == ["publisher", "worker-0"]
        page = server.request("GET", "/metrics")[1]
        assert 'gluon_publisher_leading{process="publisher"} 1.0' in page
        (worker,) = [one for one in figures["processes"] if one["process"] == "worker-0"]
        hold = worker["store"]["lock_hold"]
        site.say(
            "slow database", took=took, batches=worker["store"]["batches"], hold=hold["total"] / hold["count"]
        )
        assert statuses == [201] * (24 * 8)
        assert worker["store"]["batches"] < 100
        assert hold["total"] / hold["count"] > 0.05
        assert took < 15


def test_the_disk_is_small(small_disk: Path) -> None:
    """The fixture does what it says: else the tests above would prove nothing."""
    assert shutil.disk_usage(small_disk).total <= 24 * 1024 * 1024
    assert small_disk.is_mount()
