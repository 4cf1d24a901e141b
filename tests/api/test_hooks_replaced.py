"""A model is replaced while code of its service's own runs for a request."""

from __future__ import annotations

import os
import sys
import threading
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gluon.testing.process import run, wait_until
from gluon.testing.product import GluonServer

MODEL = """
file_version: "2.0"
imports: base-2.0
info: {name: net-slow, version: "1.0", description: Circuits whose service takes its time.}
objects:
  Circuit:
    extends: BaseObject
    api: {name: circuit, plural_name: circuits}
    attributes:
      note: {type: string}
      price: {type: integer, read_only: true}
EXTRA
    hooks:
      before: [slow_price]
    actions:
      test:
        description: Send test frames.
        hook: slow_test
        gives:
          lost: {type: integer}
"""
CODE = """
import asyncio
import os
from pathlib import Path

from gluon.spi import hooks

PLACE = Path(os.environ["SLOW_PLACE"])


async def wait(note):
    place = PLACE / str(note)
    if place.is_dir():
        with (place / "begun").open("a") as file:
            file.write("once\\n")
        while not (place / "go").exists():
            await asyncio.sleep(0.01)


async def price(change, reader):
    if change.new is None or change.op == "update":
        return None
    await wait(change.new["note"])
    return {"price": 7}


async def test(circuit, wanted, reader):
    await wait("action")
    return hooks.Outcome(answer={"lost": 0}, changes={"price": 8})
"""
POINTS = "[gluon.hooks]\nslow_price = slow_hooks:price\nslow_test = slow_hooks:test\n"
CIRCUITS = "/proton/net-slow/v1.0/circuits"
PROJECT = str(uuid.uuid4())
Running = tuple[GluonServer, Path]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server whose models were loaded later, and where its hooks look."""
    folder = tmp_path_factory.mktemp("slow")
    info = folder / "slow_hooks-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: slow-hooks\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(POINTS)
    (folder / "slow_hooks.py").write_text(CODE)
    path = os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])])
    env = {"PYTHONPATH": path, "SLOW_PLACE": str(folder)}
    with GluonServer("up", "--no-shims", env=env) as server:
        _proton(server, "load", folder, "")
        yield server, folder


def _proton(server: GluonServer, word: str, folder: Path, extra: str) -> None:
    model = folder / "net-slow"
    model.mkdir(exist_ok=True)
    (model / "api.yaml").write_text(MODEL.replace("EXTRA", extra))
    words = ["proton", word, str(model), "--port", str(server.port)]
    run([sys.executable, "-m", "gluon.cmd.main", *words], limit=60)


def _meanwhile(running: Running, name: str, extra: str, ask: Callable[[], Any]) -> Any:
    """What `ask` is answered, while whose hooks the model is replaced."""
    server, folder = running
    (folder / name).mkdir()
    answers: list[Any] = []
    asking = threading.Thread(target=lambda: answers.append(ask()))
    asking.start()
    wait_until((folder / name / "begun").exists, "the hook has begun")
    _proton(server, "replace", folder, extra)
    (folder / name / "go").touch()
    asking.join(60)
    return answers[0]


def test_a_create_whose_hook_takes_its_time_is_of_the_model_that_is_served_then(running: Running) -> None:
    server, _ = running
    body = {"project_id": PROJECT, "note": "create"}
    extra = "      colour: {type: string, default: red}"
    status, made = _meanwhile(running, "create", extra, lambda: server.request("POST", CIRCUITS, body))
    assert (status, made.get("colour"), made.get("price")) == (201, "red", 7), made


def test_an_action_is_not_done_twice_for_the_sake_of_another_model(running: Running) -> None:
    server, folder = running
    made = server.request("POST", CIRCUITS, {"project_id": PROJECT})[1]
    path = f"{CIRCUITS}/{made['id']}"
    extra = "      colour: {type: string, default: red}\n      shape: {type: string, default: round}"
    status, answer = _meanwhile(running, "action", extra, lambda: server.request("POST", f"{path}/test", {}))
    assert (status, answer.get("code")) == (409, "moved"), answer
    assert (folder / "action" / "begun").read_text() == "once\n"
    shown = server.request("GET", path)[1]
    assert (shown["price"], shown["shape"]) == (7, "round")
    assert server.request("POST", f"{path}/test", {})[0] == 200
