"""A server goes on to serve while its database is brought to another model, also when that is killed in between."""

from __future__ import annotations

import asyncio
import http.client
import itertools
import json
import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gluon import store as stores
from gluon.model import loader
from gluon.particles import tables
from gluon.testing.crowd import Crowd
from gluon.testing.process import wait_until
from gluon.testing.product import GluonServer
from tests.contract.evolve import world

OLD = """
file_version: "2.0"
info: {name: shop, version: "1"}
objects:
  Shelf:
    api: {name: shelf, plural_name: shelves}
    attributes:
      id: {type: uuid, primary: true}
      label: {type: string}
  Box:
    api: {name: box, plural_name: boxes}
    attributes:
      id: {type: uuid, primary: true}
      name: {type: string, length: 64}
      size: {type: integer, min: 0, max: 100}
      note: {type: string}
      shelf_id: {type: Shelf}
"""
NEW = """
file_version: "2.0"
info: {name: shop, version: "1"}
objects:
  Shelf:
    api: {name: shelf, plural_name: shelves}
    attributes:
      id: {type: uuid, primary: true}
      label: {type: string}
  Box:
    api: {name: box, plural_name: boxes}
    unique: [{attributes: [name], scope: global}]
    attributes:
      id: {type: uuid, primary: true}
      name: {type: string, length: 64}
      volume: {type: string, renamed_from: size}
      note: {type: list, items: {type: string}}
      grade: {type: integer, default: 3}
      shelf_id: {type: Shelf}
"""
PATH = "/proton/shop/v1/boxes"
SHELF = str(uuid.UUID(int=1))
SIZES = [3_000, pytest.param(200_000, marks=pytest.mark.long("200,000 rows, converted in minutes"))]


@pytest.fixture(params=["postgres_url", "mariadb_url"])
def url(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(request.param))


@pytest.fixture
def old(tmp_path: Path) -> Path:
    return _file(tmp_path / "old", OLD)


@pytest.fixture
def new(tmp_path: Path) -> Path:
    return _file(tmp_path / "new", NEW)


def _file(folder: Path, text: str) -> Path:
    folder.mkdir()
    (folder / "api.yaml").write_text(text, encoding="utf-8")
    return folder


async def fill(url: str, folder: Path, count: int) -> None:
    """Objects that were made long ago."""
    (model,) = loader.load([folder])
    bodies = [
        {
            "id": str(uuid.UUID(int=1000 + n)),
            "name": f"old-{n}",
            "size": n % 100,
            "note": f"n{n}",
            "shelf_id": SHELF,
        }
        for n in range(count)
    ]
    db = await world.begin(url, model, {"Shelf": [{"id": SHELF, "label": "s"}], "Box": bodies})
    await db.close()


class Client(threading.Thread):
    """Makes, changes and reads objects over one connection until told to stop; remembers what was not well."""

    def __init__(self, port: int, number: int) -> None:
        super().__init__(name=f"client-{number}")
        self._port = port
        self._number = number
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.stopped = threading.Event()
        self.made: dict[str, str] = {}
        self.failed: list[str] = []
        self.slowest = 0.0
        self.count = 0

    def run(self) -> None:
        for n in itertools.count():
            if self.stopped.wait(0.03):
                break
            name = f"c{self._number}-{n}"
            status, body = self._ask("POST", PATH, {"name": name, "shelf_id": SHELF})
            if status != 201:
                continue
            key = body["id"]
            self.made[key] = name
            self._ask("PUT", f"{PATH}/{key}", {"name": f"{name}!"}, want=200)
            self.made[key] = f"{name}!"
            self._ask("GET", f"{PATH}/{key}", want=200)
            if n % 5 == 4:
                self._ask("DELETE", f"{PATH}/{key}", want=204)
                del self.made[key]
        self._connection.close()

    def _ask(self, method: str, path: str, body: Any = None, want: int = 201) -> tuple[int, Any]:
        began = time.monotonic()
        try:
            self._connection.request(
                method, path, None if body is None else json.dumps(body), {"content-type": "application/json"}
            )
            answer = self._connection.getresponse()
            data = answer.read()
        except (OSError, http.client.HTTPException) as error:
            self.failed.append(f"{method} {path}: {error!r}")
            self._connection.close()
            return 0, None
        self.count += 1
        self.slowest = max(self.slowest, time.monotonic() - began)
        if answer.status != want:
            self.failed.append(f"{method} {path}: {answer.status} {data[:300]!r}")
        return answer.status, json.loads(data) if data else None


@pytest.fixture
def clients() -> Iterator[list[Client]]:
    started: list[Client] = []
    yield started
    for client in started:
        client.stopped.set()
    for client in started:
        client.join(timeout=60)


def upgrade(url: str, folder: Path, *more: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "gluon.cmd.main", "db", "upgrade", "--yes", "--database", url]
    return subprocess.Popen(
        [*command, "--model", str(folder), *more], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


@pytest.mark.parametrize("count", SIZES)
def test_no_request_fails_while_a_model_changes(
    url: str, old: Path, new: Path, clients: list[Client], count: int
) -> None:
    asyncio.run(fill(url, old, count))
    with GluonServer("server", "--database", url, "--model", str(old)) as server:
        clients += [Client(server.port, n) for n in range(4)]
        for client in clients:
            client.start()
        began = time.monotonic()
        with Crowd() as crowd:
            running = upgrade(url, new)
            said, _ = running.communicate(timeout=1200)
            took = time.monotonic() - began
            time.sleep(2)  # clients of the new model too
            for client in clients:
                client.stopped.set()
                client.join()
        assert running.returncode == 0, said
        assert [f for c in clients for f in c.failed] == [], server.daemon.said(lines=60)
        status, answer = server.request("GET", f"{PATH}/{uuid.UUID(int=1007)}")
        assert (status, answer["volume"], answer["note"], answer["grade"]) == (200, "7", ["n7"], 3)
        for client in clients:
            for key, name in list(client.made.items())[:: max(1, len(client.made) // 50)]:
                assert server.request("GET", f"{PATH}/{key}")[1]["name"] == name
        asked = sum(c.count for c in clients)
        slowest = max(c.slowest for c in clients)
        print(
            f"\n  {url.split(':', maxsplit=1)[0]} {count} rows: {took:.1f} s, {asked} requests, slowest {slowest * 1000:.0f} ms"
        )
        assert slowest < crowd.allows(2)
    assert asyncio.run(_count(url)) == count + sum(len(c.made) for c in clients)


def _published(endpoint: str, n: int) -> dict[str, Any]:
    """An object as it is in etcd."""
    key = f"/proton/shop/Box/{uuid.UUID(int=n)}"
    command = ["etcdctl", "--endpoints", endpoint, "get", key, "--print-value-only"]
    found = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    value: dict[str, Any] = json.loads(found) if found.strip() else {}
    return value


async def _switched(url: str) -> bool:
    db = stores.open(url)
    try:
        (model,) = await world.current(db)
        return "volume" in model.types["Box"].attributes
    finally:
        await db.close()


async def _count(url: str, *, left: bool = False) -> int:
    """The boxes; `left`: with those of the table that nothing uses."""
    db = stores.open(url)
    try:
        (model,) = await world.current(db)
        names = [t.name for t in tables.tables_of([model]) if "Box" in t.name]
        names += ["shop_Box"] if left else []
        return sum((await db.counts(names)).values())
    finally:
        await db.close()


def test_killed_at_any_moment_it_goes_on(url: str, old: Path, new: Path) -> None:
    """Killed again and again, a little later each time; at last it comes through, and nothing is lost."""
    asyncio.run(fill(url, old, 4_000))
    assert _killed_again_and_again(url, new, lambda n: None)
    assert asyncio.run(_count(url)) == 4_000
    done = upgrade(url, new)
    said, _ = done.communicate(timeout=60)
    assert done.returncode == 0 and "nothing to do" in said and "--drop" in said
    done = upgrade(url, new, "--drop")
    said, _ = done.communicate(timeout=60)
    assert done.returncode == 0 and "dropped" in said, said
    assert asyncio.run(_count(url)) == 4_000


def _killed_again_and_again(url: str, new: Path, between: Callable[[int], None]) -> int:
    """How many times, each a half later, until it came through."""
    for n in range(20):
        running = upgrade(url, new)
        try:
            running.wait(timeout=0.35 * 1.5**n)
        except subprocess.TimeoutExpired:
            os.kill(running.pid, signal.SIGKILL)
        said, _ = running.communicate(timeout=60)
        if running.returncode == 0:
            return n
        assert running.returncode == -signal.SIGKILL, said
        between(n)
    raise AssertionError("it never came through")


def test_killed_on_sqlite_it_goes_on(tmp_path: Path, old: Path, new: Path) -> None:
    url = f"sqlite:///{tmp_path}/gluon.db"
    asyncio.run(fill(url, old, 4_000))
    assert _killed_again_and_again(url, new, lambda n: None)
    assert asyncio.run(_count(url, left=True)) == 8_000
    with GluonServer("server", "--database", url, "--model", str(new)) as server:
        status, answer = server.request("GET", f"{PATH}/{uuid.UUID(int=1007)}")
        assert (status, answer["volume"], answer["note"]) == (200, "7", ["n7"])


def test_the_server_is_killed_too_while_clients_write(
    url: str, old: Path, new: Path, clients: list[Client]
) -> None:
    """Clients lose requests while it is away, but no object that they were told of."""
    asyncio.run(fill(url, old, 4_000))
    with GluonServer("server", "--database", url, "--model", str(old)) as server:

        def between(n: int) -> None:
            if n % 3 == 1:
                server.daemon.kill9()
                if asyncio.run(_switched(url)):  # killed as it ended: the operator puts the new files there
                    (old / "api.yaml").write_text(NEW, encoding="utf-8")
                server.start()

        clients += [Client(server.port, n) for n in range(3)]
        for client in clients:
            client.start()
        kills = _killed_again_and_again(url, new, between)
        wait_until(lambda: server.request("GET", f"{PATH}/{uuid.UUID(int=1007)}")[1].get("volume") == "7",
                   "the new model", limit=10)  # fmt: skip
        for client in clients:
            client.stopped.set()
            client.join()
        assert kills
        answers = [f for c in clients for f in c.failed if ": 4" in f or ": 500" in f]
        assert not answers, server.daemon.said(lines=60)
        for client in clients:
            assert client.made
            for key, name in client.made.items():
                status, body = server.request("GET", f"{PATH}/{key}")
                assert status == 200 and body["name"].rstrip("!") == name.rstrip("!")


def test_a_server_does_not_start_where_objects_must_be_rewritten(url: str, old: Path, new: Path) -> None:
    asyncio.run(fill(url, old, 10))
    command = [sys.executable, "-m", "gluon.cmd.main", "server", "--port", "0", "--database", url]
    done = subprocess.run(
        [*command, "--model", str(new)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert "gluon db upgrade" in done.stderr and "copy" in done.stderr and "shop Box" in done.stderr
    said, _ = upgrade(url, new).communicate(timeout=60)
    with GluonServer("server", "--database", url, "--model", str(new)) as server:
        assert server.request("GET", PATH)[1]["boxes"][0]["volume"] == "0", said


@pytest.mark.parametrize("url", ["postgres_url"], indirect=True)
def test_workers_go_over_and_etcd_follows(
    url: str, etcd_endpoint: str, old: Path, new: Path, clients: list[Client]
) -> None:
    """Several workers beside a publisher; one is killed after the files have changed, and serves all the same."""
    asyncio.run(fill(url, old, 500))
    words = ("--database", url, "--etcd", f"http://{etcd_endpoint}", "--workers", "2", "--model", str(old))
    with GluonServer("server", *words) as server:
        clients += [Client(server.port, n) for n in range(4)]
        for client in clients:
            client.start()
        said, _ = upgrade(url, new).communicate(timeout=120)
        time.sleep(1)
        for client in clients:
            client.stopped.set()
            client.join()
        assert [f for c in clients for f in c.failed] == [], server.daemon.said(lines=60) + said
        wait_until(
            lambda: _published(etcd_endpoint, 1007).get("volume") == "7", "the new form in etcd", limit=30
        )
        time.sleep(3)
        server.kill9_process("worker-0")
        server.process("worker-0")
        for _ in range(20):
            assert server.request("GET", f"{PATH}/{uuid.UUID(int=1007)}")[1]["volume"] == "7"
