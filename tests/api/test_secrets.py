"""A secret attribute from the request to the shim, and a search for its value everywhere else.

One server on SQLite and a real etcd; a shim in this process whose backend asks for secrets keeps what it is shown.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import sys
import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest

from gluon.kv.connect import connect as connect_bus
from gluon.objects import keys
from gluon.shim.engine import Shim
from gluon.spi import backend as spi
from gluon.spi.bus import Bus
from gluon.testing.backend_suite import until
from gluon.testing.process import run
from gluon.testing.product import GluonServer

API = "net-peer"
PROJECT = str(uuid.uuid4())
ONE = """
file_version: "2.0"
imports: base-2.0
info: {name: net-peer, version: "1.0", description: Sessions.}
objects:
  Session:
    extends: BaseObject
    api: {name: session, plural_name: sessions}
    attributes:
      address: {type: ip, required: true}
      key: {type: string, length: 64, secret: true}
      user: {type: string, length: 40, secret: true}
      password: {type: string, length: 40, secret: true}
"""
TWO = """
file_version: "2.0"
imports: base-2.0
info: {name: net-peer, version: "2.0", description: Sessions.}
versions:
  "1.0":
    types:
      Session:
        attributes:
          key: md5_key
          user: {split: login, by: ":", part: 0}
          password: {split: login, by: ":", part: 1}
objects:
  Session:
    extends: BaseObject
    api: {name: session, plural_name: sessions}
    attributes:
      address: {type: ip, required: true}
      md5_key: {type: string, length: 64, min_length: 8, secret: true}
      login: {type: string, length: 81, secret: true}
      tokens: {type: list, items: {type: string, length: 64}, secret: true}
"""
NOTHING = {"md5_key": None, "login": None, "tokens": None}


class Recorder:
    """Keeps the secrets of each session; fails, and tells them, for one address."""

    api_version: ClassVar[int] = spi.API_VERSION
    name: ClassVar[str] = "recorder"
    apis: ClassVar[Mapping[str, tuple[str, ...]]] = {API: ("2.0",)}
    vnic_types: ClassVar[tuple[str, ...]] = ()
    per_host: ClassVar[bool] = False
    deadline: ClassVar[float] = 10.0
    secrets: ClassVar[tuple[str, ...]] = (API,)
    rows: ClassVar[dict[str, Mapping[str, Any]]] = {}

    def __init__(self, setting: spi.Setting) -> None:
        """It has no options."""

    async def start(self, look: spi.Look) -> None:
        """Nothing outside."""

    async def stop(self) -> None:
        """Nothing was begun."""

    def bind(self, world: spi.World, binding: spi.PortBinding) -> spi.Vif:
        raise AssertionError("nothing is bound")

    def scopes(self, world: spi.World, ref: spi.Ref) -> frozenset[str]:
        return frozenset({ref.key})

    def all_scopes(self, world: spi.World) -> frozenset[str]:
        return frozenset(s.ref.key for s in world.all(API, "Session"))

    def members(self, world: spi.World, scope: str) -> frozenset[spi.Ref]:
        return frozenset({spi.Ref(API, "Session", scope)})

    def desired(self, world: spi.World, scope: str) -> spi.Rows:
        found, given = self._read(world, scope)
        if found is None or given is None:
            return {}
        if found.body["address"] == "2001:db8::bad":
            raise ValueError(f"cannot log in: {dict(given)}")
        return {scope: dict(given)}

    async def actual(self) -> Mapping[str, spi.Rows]:
        return {key: {key: row} for key, row in self.rows.items()}

    async def apply(self, delta: spi.Delta) -> None:
        self.rows.update({**delta.make, **delta.change})
        for key in delta.remove:
            del self.rows[key]

    def status(self, world: spi.World, ref: spi.Ref) -> spi.ObjectStatus | None:
        return spi.ObjectStatus() if world.get(ref) else None

    @staticmethod
    def _read(world: spi.World, key: str) -> tuple[spi.Stored | None, Mapping[str, Any] | None]:
        ref = spi.Ref(API, "Session", key)
        return world.get(ref), world.secrets(ref)


@pytest.fixture
def server(etcd_url: str, tmp_path: Path) -> Iterator[GluonServer]:
    for n, text in enumerate((ONE, TWO)):
        (tmp_path / "models" / str(n)).mkdir(parents=True)
        (tmp_path / "models" / str(n) / "api.yaml").write_text(text)
    arguments = ("--etcd", etcd_url, "--model", str(tmp_path / "models"), "--data", str(tmp_path / "data"))
    with GluonServer("server", *arguments) as running:
        yield running


@pytest.fixture
async def bus(etcd_url: str) -> AsyncIterator[Bus]:
    made = connect_bus([etcd_url], progress=0.2)
    yield made
    await made.close()


@pytest.fixture
async def shim(bus: Bus) -> AsyncIterator[None]:
    Recorder.rows.clear()
    made = Shim(bus, Recorder, hosts=["*"])
    task = asyncio.create_task(made.run())
    yield
    made.stop()
    await asyncio.wait({task})


class Client:
    """Keeps all answers, to be searched."""

    def __init__(self, server: GluonServer) -> None:
        self._server = server
        self.said: list[str] = []

    async def __call__(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        version: str = "2.0",
        status: int = 200,
        **more: Any,
    ) -> Any:
        path = f"/proton/{API}/v{version}/{path}"
        found, headers, answer = await asyncio.to_thread(
            lambda: self._server.exchange(method, path, body, **more)
        )
        self.said.append(json.dumps([dict(headers), answer], default=str, ensure_ascii=False))
        assert found == status, answer
        return answer


async def reaches(key: str, **values: Any) -> None:
    def there() -> bool:
        return Recorder.rows.get(key) == {**NOTHING, **values}

    await until(there, f"the shim has {sorted(values)}")


def database_without_rows(folder: Path, words: list[str]) -> list[str]:
    """The tables that hold one of `words`, as text, but for that of the sessions."""
    found = []
    for file in folder.rglob("*.db"):
        with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as connection:
            names = [n for (n,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            for name in names:
                rows = connection.execute(f'SELECT * FROM "{name}"').fetchall()
                text = " ".join(str(v) for row in rows for v in row)
                if any(w in text for w in words):
                    found.append(name)
        connection.close()
    return found


async def etcd_holds(bus: Bus, words: list[str]) -> set[str]:
    """The kinds of keys whose values hold one of `words`."""
    items = (await bus.list("/")).items
    assert any(item.key == keys.model(API) for item in items)
    return {"/".join(i.key.split("/")[:3]) for i in items if any(w.encode() in i.value for w in words)}


async def test_a_secret_reaches_the_shim_and_nothing_else(
    server: GluonServer, bus: Bus, shim: None, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    words = [f"{name}-{uuid.uuid4().hex}" for name in ("first", "second", "third", "joe", "pass", "bad")]
    first, second, third, joe, password, bad = words
    client = Client(server)
    body = {"project_id": PROJECT, "name": "a", "address": "192.0.2.1", "md5_key": first, "tokens": [third]}
    key = (await client("POST", "sessions", body, status=201))["id"]
    await reaches(key, md5_key=first, tokens=[third])

    await client("PUT", f"sessions/{key}", {"md5_key": second})  # nothing but the secret changes
    await reaches(key, md5_key=second, tokens=[third])
    await client("PUT", f"sessions/{key}", {"name": "b"})  # and anything but the secret
    patch = {"content-type": "application/merge-patch+json"}
    await client("PATCH", f"sessions/{key}", {"login": f"{joe}:{password}"}, headers=patch)
    await reaches(key, md5_key=second, tokens=[third], login=f"{joe}:{password}")

    await client("PUT", f"sessions/{key}", {"name": "c"}, version="1.0")
    await client("PUT", f"sessions/{key}", {"key": first}, version="1.0")
    await reaches(key, md5_key=first, tokens=[third], login=f"{joe}:{password}")
    await client("PUT", f"sessions/{key}", {"user": second}, version="1.0")  # a part: the other one stays
    await reaches(key, md5_key=first, tokens=[third], login=f"{second}:{password}")

    wrong = {**body, "address": "192.0.2.9", "md5_key": bad[:7] + "\u0001" * 90}
    await client("POST", "sessions", wrong, status=400)
    await client("POST", "sessions", {**wrong, "md5_key": [bad]}, status=400)
    await client("PUT", f"sessions/{key}", {"user": f"{bad}:{bad}:{bad}"}, version="1.0", status=400)
    broken = (await client("POST", "sessions", {**body, "address": "2001:db8::bad"}, status=201))["id"]

    async def told() -> bool:
        found = await client("GET", f"sessions/{broken}/status")
        return "BackendError" in json.dumps(found)

    await until(told, "the bug of the backend is told")
    for version in "1.0", "2.0":
        for path in "sessions", f"sessions/{key}":
            await client("GET", path, version=version)
    await client("GET", "sessions?md5_key=" + first, status=400)
    client.said.pop()  # it repeats what it was asked

    assert await etcd_holds(bus, words) == {keys.SECRET.rstrip("/")}
    await client("DELETE", f"sessions/{broken}", status=204)
    await client("DELETE", f"sessions/{key}", status=204)
    await until(lambda: key not in Recorder.rows, "the shim has dropped it")
    assert await etcd_holds(bus, words) == set()
    assert (await bus.list(keys.SECRET)).items == ()

    assert not [said for said in client.said if any(w in said for w in words)]
    assert database_without_rows(tmp_path / "data", words) == []
    captured = capfd.readouterr()
    logs = server.daemon.said(lines=100_000) + captured.out + captured.err
    assert "a backend failed unexpectedly" in logs
    assert not [line for line in logs.splitlines() if any(w in line for w in words)]


async def test_a_resync_and_a_publisher_that_is_killed(server: GluonServer, bus: Bus, shim: None) -> None:
    client = Client(server)
    made: dict[str, str] = {}
    for n in range(30):
        word = f"secret {n} {uuid.uuid4().hex}"
        body = {"project_id": PROJECT, "name": str(n), "address": f"192.0.2.{n}", "md5_key": word}
        made[(await client("POST", "sessions", body, status=201))["id"]] = word
        if n in (10, 20):
            await asyncio.to_thread(server.daemon.kill9)
            await asyncio.to_thread(server.start)

    def all_there() -> bool:
        return {key: row["md5_key"] for key, row in Recorder.rows.items()} == made

    await until(all_there, "the shim has all secrets")
    some = next(iter(made))
    await bus.put(keys.secret(API, "Session", "stray"), b'{"values":{"md5_key":"x"},"revision":1,"model":""}')
    await bus.delete(keys.secret(API, "Session", some))
    await asyncio.to_thread(server.request, "POST", "/gluon/v1/resync", {})

    async def repaired() -> bool:
        found = {item.key for item in (await bus.list(keys.SECRET)).items}
        return found == {keys.secret(API, "Session", key) for key in made}

    await until(repaired, "the resync repaired the keys")
    await until(all_there, "and the shim has them")


MODEL = """
file_version: "2.0"
imports: base-2.0
info: {name: net-peer, version: "2.0", description: Sessions.}
objects:
  Session:
    extends: BaseObject
    api: {name: session, plural_name: sessions}
    attributes:
      address: {type: ip, required: true}
"""
ADDED = MODEL + "      md5_key: {type: string, length: 64, secret: true}\n"
RENAMED = MODEL + "      tcp_ao_key: {type: string, length: 64, secret: true, renamed_from: md5_key}\n"


async def gluon(*words: str) -> None:
    await asyncio.to_thread(run, [sys.executable, "-m", "gluon.cmd.main", *words], limit=60)


async def test_a_model_that_adds_renames_and_drops_a_secret(
    etcd_url: str, bus: Bus, shim: None, tmp_path: Path
) -> None:
    folder, data = tmp_path / "model", str(tmp_path / "data")
    folder.mkdir()
    (folder / "api.yaml").write_text(MODEL)
    arguments = ("--etcd", etcd_url, "--model", str(folder), "--data", data)
    with GluonServer("server", *arguments) as server:
        client = Client(server)
        body = {"project_id": PROJECT, "name": "a", "address": "192.0.2.1"}
        key = (await client("POST", "sessions", body, status=201))["id"]

        def has(**values: str | None) -> Callable[[], bool]:
            return lambda: Recorder.rows.get(key) == values

        async def upgrade(text: str, *words: str) -> None:
            (folder / "api.yaml").write_text(text)
            await asyncio.to_thread(server.end)
            await gluon("db", "upgrade", "--yes", *words, "--model", str(folder), "--data", data)
            await asyncio.to_thread(server.start)

        (folder / "api.yaml").write_text(ADDED)
        await gluon("proton", "replace", str(folder), "--port", str(server.port))
        await until(has(md5_key=None), "there is one without a value")
        word = uuid.uuid4().hex
        await client("PUT", f"sessions/{key}", {"md5_key": word})
        await until(has(md5_key=word), "the new secret is used")
        await upgrade(RENAMED)
        await until(has(tcp_ao_key=word), "it has another name")
        await upgrade(MODEL, "--drop")

        async def gone() -> bool:
            return not (await bus.list(keys.SECRET)).items and not Recorder.rows

        await until(gone, "nothing is left of it in etcd")
        assert not [said for said in client.said if word in said]
        assert word not in server.daemon.said(lines=100_000)
