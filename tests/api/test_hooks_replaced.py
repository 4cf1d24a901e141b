"""A model is replaced while code of its service's own runs for a request."""

from __future__ import annotations

import os
import sys
import threading
import uuid
from collections.abc import Iterator
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

from gluon.proton import hooked
from gluon.spi import hooks

hooked.BEFORE_LIMIT = hooked.ACTION_LIMIT = 60.0  # a model is replaced meanwhile, however busy the machine is
PLACE = Path(os.environ["SLOW_PLACE"])


async def wait(note):
    place = PLACE / str(note)
    if place.is_dir():
        with (place / "begun").open("a") as file:
            file.write("once\\n")
        while not (place / "go").exists():
            await asyncio.sleep(0.01)


async def price(change, reader):
    if change.new is None:
        return None
    await wait(change.new["note"])
    return {"price": 7} if change.old is None else None


async def test(circuit, wanted, reader):
    await wait("action")
    return hooks.Outcome(answer={"lost": 0}, changes={"price": 8})
"""
POINTS = "[gluon.hooks]\nslow_price = slow_hooks:price\nslow_test = slow_hooks:test\n"
CIRCUITS = "/proton/net-slow/v1.0/circuits"
SETS = "/gluon/v1/changesets"
PROJECT = str(uuid.uuid4())
ADMIN = "admin-token-of-the-operator"
MEMBER = {"x-auth-token": "member-token-of-the-project"}
TOKENS = f"""
tokens:
  - {{token: {ADMIN}, user: root, roles: [admin]}}
  - {{token: {MEMBER["x-auth-token"]}, user: alice, project: {PROJECT}, roles: [member, reader]}}
"""


class Running:
    """A server, where its hooks look, and what its model has got by and by."""

    def __init__(self, server: GluonServer, folder: Path) -> None:
        self.server, self.folder = server, folder
        self.more: list[str] = []

    def proton(self, word: str) -> None:
        model = self.folder / "net-slow"
        model.mkdir(exist_ok=True)
        (model / "api.yaml").write_text(MODEL.replace("EXTRA", "\n".join(self.more)))
        self.command(word, str(model))

    def command(self, *words: str) -> None:
        where = ["--port", str(self.server.port), "--token", ADMIN]
        run([sys.executable, "-m", "gluon.cmd.main", "proton", *words, *where], limit=60)

    def meanwhile(self, name: str, method: str, path: str, body: Any, *, retired: bool = False) -> Any:
        """What a request is answered whose hook waits at `name`, while the model gets an attribute of this name, or is
        served no more."""
        (self.folder / name).mkdir()
        answers: list[Any] = []
        asking = threading.Thread(
            target=lambda: answers.append(self.server.request(method, path, body, headers=MEMBER))
        )
        asking.start()
        wait_until((self.folder / name / "begun").exists, "the hook has begun")
        if retired:
            self.command("retire", "net-slow", "--force")
        else:
            self.more.append(f"      {name}: {{type: string, default: new}}")
            self.proton("replace")
        (self.folder / name / "go").touch()
        asking.join(60)
        if retired:
            self.proton("load")
        return answers[0]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The model is loaded while the server runs."""
    folder = tmp_path_factory.mktemp("slow")
    info = folder / "slow_hooks-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: slow-hooks\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(POINTS)
    (folder / "slow_hooks.py").write_text(CODE)
    path = os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])])
    env = {"PYTHONPATH": path, "SLOW_PLACE": str(folder)}
    (folder / "tokens").write_text(TOKENS)
    (folder / "tokens").chmod(0o600)
    (folder / "gluon.toml").write_text(
        f'[identity]\nmethods = ["tokens"]\n[tokens]\nfile = "{folder}/tokens"\n'
    )
    with GluonServer("up", "--no-shims", "--config", str(folder / "gluon.toml"), env=env) as server:
        made = Running(server, folder)
        made.proton("load")
        yield made


def test_a_create_whose_hook_takes_its_time_is_of_the_model_that_is_served_then(running: Running) -> None:
    body = {"project_id": PROJECT, "note": "create"}
    status, made = running.meanwhile("create", "POST", CIRCUITS, body)
    assert (status, made.get("create"), made.get("price")) == (201, "new", 7), made


def test_so_is_a_change(running: Running) -> None:
    made = running.server.request("POST", CIRCUITS, {"project_id": PROJECT}, headers=MEMBER)[1]
    status, changed = running.meanwhile("change", "PUT", f"{CIRCUITS}/{made['id']}", {"note": "change"})
    assert (status, changed.get("note"), changed.get("change")) == (200, "change", "new"), changed


def test_an_action_is_not_done_twice_for_the_sake_of_another_model(running: Running) -> None:
    made = running.server.request("POST", CIRCUITS, {"project_id": PROJECT}, headers=MEMBER)[1]
    path = f"{CIRCUITS}/{made['id']}"
    status, answer = running.meanwhile("action", "POST", f"{path}/test", {})
    assert (status, answer.get("code")) == (409, "moved"), answer
    assert (running.folder / "action" / "begun").read_text() == "once\n"
    assert running.server.request("GET", path, headers=MEMBER)[1]["price"] == 7
    assert running.server.request("POST", f"{path}/test", {}, headers=MEMBER)[0] == 200


def test_a_proton_is_retired_while_its_hook_works(running: Running) -> None:
    """Whoever asks is told that it is not there, and nothing is made."""
    made = running.server.request("POST", CIRCUITS, {"project_id": PROJECT}, headers=MEMBER)[1]
    path = f"{CIRCUITS}/{made['id']}"
    before = running.server.request("GET", CIRCUITS, headers=MEMBER)
    circuit, port = {"api": "net-slow", "type": "Circuit"}, {"api": "net-l2", "type": "Port"}
    several = [
        {**port, "op": "create", "body": {}},
        {**circuit, "op": "create", "body": {"note": "set"}},
        {**circuit, "op": "create", "body": {}},
        {**circuit, "op": "delete", "key": made["id"]},
    ]
    for name, method, url, body, told in (
        ("several", "POST", CIRCUITS, {"circuits": [{"note": "several"}, {}]}, (404, "no_such_path")),
        ("changed", "PATCH", path, {"note": "changed"}, (404, "no_such_path")),
        ("set", "POST", SETS, {"changes": several}, (400, "proton")),
    ):
        status, answer = running.meanwhile(name, method, url, body, retired=True)
        assert (status, answer["code"]) == told, answer
    assert running.server.request("GET", CIRCUITS, headers=MEMBER) == before
    assert running.server.request("GET", "/proton/net-l2/v2.0/ports", headers=MEMBER)[1]["ports"] == []
