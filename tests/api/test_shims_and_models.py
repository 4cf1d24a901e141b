"""A model is replaced under writes: shims of two versions see objects of the form that they declared, soon, and all.

One server on etcd, its shims in this process. The backends keep what they are shown as rows.
"""

from __future__ import annotations

import asyncio
import sys
import threading
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest

from gluon.kv.connect import connect as connect_bus
from gluon.shim.engine import Shim
from gluon.spi import backend as spi
from gluon.testing.backend_suite import until
from gluon.testing.process import run
from gluon.testing.product import GluonServer

API = "net-eline"
PROJECT = str(uuid.uuid4())
ONE = """
file_version: "2.0"
imports: base-2.0
info: {name: net-eline, version: "1.0", description: Circuits.}
objects:
  Circuit:
    extends: BaseObject
    api: {name: circuit, plural_name: circuits}
    attributes:
      bandwidth: {type: integer, min: 1, required: true}
      side: {type: enum, values: [a, b], default: a}
"""
TWO = """
file_version: "2.0"
imports: base-2.0
info: {name: net-eline, version: "2.0", description: Circuits.}
versions: {"1.0": {types: {Circuit: {}}}}
objects:
  Circuit:
    extends: BaseObject
    api: {name: circuit, plural_name: circuits}
    attributes:
      bandwidth: {type: integer, min: 1, required: true}
      side: {type: enum, values: [a, b], default: a}
      colour: {type: string, default: red}
"""
SAME = {"id", "project_id", "name", "created_at", "updated_at", "revision", "model", "bandwidth", "side"}
FORMS = {"1.0": SAME, "2.0": SAME | {"colour"}}


class Recorder:
    """A scope and a row for each circuit; `wrong` is what no backend may ever be shown."""

    api_version: ClassVar[int] = spi.API_VERSION
    name: ClassVar[str] = "recorder"
    apis: ClassVar[Mapping[str, tuple[str, ...]]] = {API: ()}
    vnic_types: ClassVar[tuple[str, ...]] = ()
    per_host: ClassVar[bool] = False
    deadline: ClassVar[float] = 10.0
    rows: ClassVar[dict[str, Mapping[str, Any]]]
    wrong: ClassVar[list[object]]
    looks: ClassVar[int] = 0

    def __init__(self, setting: spi.Setting) -> None:
        """It has no options."""

    def _judge(self, world: spi.World) -> None:
        type(self).looks += 1
        (version,) = self.apis[API]
        shown = world.all(API, "Circuit")
        if shown and world.model_version(API) != version:
            self.wrong.append(world.model_version(API))
        self.wrong.extend(s.body for s in shown if set(s.body) != FORMS[version])

    async def start(self, look: spi.Look) -> None:
        """Nothing outside."""

    async def stop(self) -> None:
        """Nothing was begun."""

    def bind(self, world: spi.World, binding: spi.PortBinding) -> spi.Vif:
        raise AssertionError("nothing is bound")

    def scopes(self, world: spi.World, ref: spi.Ref) -> frozenset[str]:
        self._judge(world)
        return frozenset({ref.key})

    def all_scopes(self, world: spi.World) -> frozenset[str]:
        self._judge(world)
        return frozenset(s.ref.key for s in world.all(API, "Circuit"))

    def members(self, world: spi.World, scope: str) -> frozenset[spi.Ref]:
        return frozenset({spi.Ref(API, "Circuit", scope)})

    def desired(self, world: spi.World, scope: str) -> spi.Rows:
        found = world.get(spi.Ref(API, "Circuit", scope))
        return {scope: found.body} if found else {}

    async def actual(self) -> Mapping[str, spi.Rows]:
        return {key: {key: row} for key, row in self.rows.items()}

    async def apply(self, delta: spi.Delta) -> None:
        self.rows.update({**delta.make, **delta.change})
        for key in delta.remove:
            del self.rows[key]

    def status(self, world: spi.World, ref: spi.Ref) -> spi.ObjectStatus | None:
        return spi.ObjectStatus() if world.get(ref) else None


class Old(Recorder):
    apis: ClassVar[Mapping[str, tuple[str, ...]]] = {API: ("1.0",)}
    rows: ClassVar[dict[str, Mapping[str, Any]]] = {}
    wrong: ClassVar[list[object]] = []


class New(Recorder):
    apis: ClassVar[Mapping[str, tuple[str, ...]]] = {API: ("2.0",)}
    rows: ClassVar[dict[str, Mapping[str, Any]]] = {}
    wrong: ClassVar[list[object]] = []


@pytest.fixture
def folders(tmp_path: Path) -> dict[str, Path]:
    found = {}
    for name, texts in {"one": [ONE], "both": [ONE, TWO]}.items():
        for n, text in enumerate(texts):
            (tmp_path / name / str(n)).mkdir(parents=True)
            (tmp_path / name / str(n) / "api.yaml").write_text(text)
        found[name] = tmp_path / name
    return found


@pytest.fixture
def server(etcd_url: str) -> Iterator[GluonServer]:
    with GluonServer("server", "--etcd", etcd_url) as running:
        yield running


@pytest.fixture
async def shims(etcd_url: str) -> AsyncIterator[dict[str, Shim]]:
    bus = connect_bus([etcd_url], progress=0.2)
    made = {
        "old": Shim(bus, Old, hosts=["*"], controller="old"),
        "new": Shim(bus, New, hosts=["*"], controller="new"),
    }
    tasks = [asyncio.create_task(shim.run()) for shim in made.values()]
    yield made
    for shim in made.values():
        shim.stop()
    await asyncio.wait(tasks)
    await bus.close()


class Writer:
    """Makes and changes circuits from a thread until it is stopped."""

    def __init__(self, server: GluonServer) -> None:
        self._server = server
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.made: list[str] = []
        self.failed: list[object] = []

    def _run(self) -> None:
        path = f"/proton/{API}/v1.0/circuits"
        while not self._stop.is_set():
            status, body = self._server.request("POST", path, {"project_id": PROJECT, "bandwidth": 5})
            if status != 201:
                self.failed.append(body)
                continue
            self.made.append(body["id"])
            some = self.made[len(self.made) // 2]
            status, body = self._server.request("PUT", f"{path}/{some}", {"bandwidth": 5 + len(self.made)})
            if status != 200:
                self.failed.append(body)

    def start(self) -> None:
        self._thread.start()

    async def stop(self) -> None:
        self._stop.set()
        await asyncio.to_thread(self._thread.join, 30)


async def proton(server: GluonServer, word: str, folder: Path) -> None:
    words = [sys.executable, "-m", "gluon.cmd.main", "proton", word, str(folder), "--port", str(server.port)]
    await asyncio.to_thread(run, words, limit=60)


async def within(condition: Callable[[], bool], what: str) -> float:
    """How long it took."""
    began = time.monotonic()
    await until(condition, what)
    return time.monotonic() - began


async def test_no_backend_is_shown_a_form_that_it_did_not_declare(
    server: GluonServer, shims: dict[str, Shim], folders: dict[str, Path]
) -> None:
    await proton(server, "load", folders["one"])
    writer = Writer(server)
    writer.start()
    try:
        await until(lambda: len(Old.rows) > 50, "the old one has objects")
        assert not New.rows, "and the new one none"
        await proton(server, "replace", folders["both"])
        taken = await within(lambda: bool(New.rows), "the new one has objects")
        print(f"  the new form is applied {taken:.3f} s after the answer")
        before = len(writer.made)
        await until(lambda: len(writer.made) > before + 50, "writes go on")
    finally:
        await writer.stop()
    ids = set(writer.made)
    last = await within(lambda: Old.rows.keys() == ids and New.rows.keys() == ids, "both have all objects")
    path = f"/proton/{API}/v2.0/circuits"
    stored = (await asyncio.to_thread(server.request, "GET", path))[1]["circuits"]
    wide = {one["id"]: one["bandwidth"] for one in stored}

    def current() -> bool:
        return all({k: r["bandwidth"] for k, r in rows.items()} == wide for rows in (Old.rows, New.rows))

    await until(current, "and both as they are")
    print(f"  {len(ids)} objects, both shims have all {last:.3f} s after the last write")
    assert writer.failed == []
    assert Old.wrong == []
    assert New.wrong == []
    assert Old.looks > 50
    assert {r["colour"] for r in New.rows.values()} == {"red"}
