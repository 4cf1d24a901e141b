"""A server whose callers have tokens of a file, and whose policy file changes while it runs."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import gluon
from gluon.cmd import operate
from gluon.testing.process import wait_until
from gluon.testing.product import GluonServer

L2 = Path(gluon.__file__).parent / "catalog" / "net-l2"
PROJECT = str(uuid.uuid4())
TOKENS = {who: f"{who}-{uuid.uuid4()}" for who in ("admin", "member", "reader", "root")}
NETWORKS = "/proton/net-l2/v2.0/networks"
Write = Callable[[str], None]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("policy")
    entries = "".join(
        f"  - {{token: {token}, user: {who}, project: {PROJECT}, roles: [{who}]}}\n"
        for who, token in TOKENS.items()
    )
    (made / "tokens.yaml").write_text("tokens:\n" + entries, encoding="utf-8")
    (made / "tokens.yaml").chmod(0o600)
    (made / "policy.yaml").write_text("", encoding="utf-8")
    (made / "gluon.toml").write_text(
        f'[identity]\nmethods = ["tokens"]\n[tokens]\nfile = "{made}/tokens.yaml"\n'
        f'[policy]\nfile = "{made}/policy.yaml"\n[models]\npaths = ["{L2}"]\n',
        encoding="utf-8",
    )
    return made


@pytest.fixture(scope="module")
def running(folder: Path) -> Iterator[GluonServer]:
    with GluonServer("server", "--config", str(folder / "gluon.toml")) as server:
        yield server


@pytest.fixture
def write(folder: Path) -> Iterator[Write]:
    def put(text: str) -> None:
        (folder / "new").write_text(text, encoding="utf-8")
        (folder / "new").replace(folder / "policy.yaml")

    yield put
    put("")


def ask(server: GluonServer, who: str, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    return server.request(method, path, body, headers={"X-Auth-Token": TOKENS[who]})


def makes(server: GluonServer, who: str) -> bool:
    return ask(server, who, "POST", NETWORKS, {"name": "n"})[0] == 201


def test_rules_change_while_the_server_runs(running: GluonServer, write: Write) -> None:
    wait_until(lambda: not makes(running, "reader"), "the rules of the models", limit=10)
    assert makes(running, "member")
    write('"net-l2:create_network": role:reader and rule:owner')
    wait_until(lambda: makes(running, "reader"), "the file", limit=10)
    assert not makes(running, "member")
    write('"net-l2:create_network": "role:"')  # broken: those before stay, and it is told
    wait_until(lambda: bool(_policy(running)["error"]), "word of the broken file", limit=10)
    assert makes(running, "reader") and not makes(running, "member")
    rows = dict(operate.policy_rows(_policy(running)))
    assert "1 rules" in rows["policy"] and "policy.yaml:1:1" in rows["  not used"]
    assert 'gluon_policy_broken{process="server"} 1.0' in _metrics(running)
    write("odd: '@'")
    wait_until(lambda: _policy(running)["problems"] != [], "word of the odd name", limit=10)
    assert makes(running, "member") and not makes(running, "reader")


def _policy(server: GluonServer) -> dict[str, Any]:
    status, facts = ask(server, "admin", "GET", "/gluon/v1/status")
    assert status == 200, facts
    found: dict[str, Any] = facts["policy"]
    return found


def _metrics(server: GluonServer) -> str:
    text: str = ask(server, "admin", "GET", "/metrics")[1]
    return text


def test_who_is_an_admin_changes_at_once(running: GluonServer, write: Write) -> None:
    foreign = {"name": "n", "project_id": str(uuid.uuid4())}
    assert ask(running, "admin", "POST", NETWORKS, foreign)[0] == 201
    assert ask(running, "root", "POST", NETWORKS, foreign)[0] == 403
    write("context_is_admin: role:root")
    wait_until(lambda: ask(running, "root", "POST", NETWORKS, foreign)[0] == 201, "the new admin", limit=10)
    assert ask(running, "admin", "POST", NETWORKS, foreign)[0] == 403
    assert ask(running, "admin", "GET", "/gluon/v1/status")[0] == 403
