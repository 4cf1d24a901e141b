"""A server that is killed while change sets and plans are applied leaves each of them whole, or nothing of it."""

from __future__ import annotations

import threading
import time
import uuid
from typing import Any

from gluon.testing.process import wait_until
from gluon.testing.product import GluonServer

BASE = "/gluon/v1/changesets"
EACH = 12
"""Objects of one change set."""


class Applying(threading.Thread):
    """Applies one change set after the other, every other one by a plan, until it is told to stop."""

    def __init__(self, server: GluonServer, done: dict[str, bool], stop: threading.Event) -> None:
        super().__init__(daemon=True)
        self._server, self._done, self._stop_asked = server, done, stop

    def run(self) -> None:
        planned = False
        while not self._stop_asked.is_set():
            planned = not planned
            project = str(uuid.uuid4())
            self._done[project] = False
            try:
                self._done[project] = self._one(project, planned=planned)
            except OSError:
                time.sleep(0.05)  # it is being started again

    def _one(self, project: str, *, planned: bool) -> bool:
        first: dict[str, Any] = {
            "op": "create", "api": "net-l2", "type": "Network", "as": "n", "body": {"project_id": project},
        }  # fmt: skip
        macs = [_mac(f"fa163e{project[:4]}{n:02x}") for n in range(EACH - 1)]
        ports = [
            {
                "op": "create",
                "api": "net-l2",
                "type": "Port",
                "body": {"project_id": project, "mac_address": mac},
            }
            for mac in macs
        ]
        request = {"name": project, "changes": [first, *ports]}
        if not planned:
            return self._server.request("POST", BASE, request)[0] == 201
        status, plan = self._server.request("POST", f"{BASE}?plan=true", request)
        return status == 200 and self._server.request("POST", f"{BASE}/{plan['id']}/apply")[0] == 200


def _mac(digits: str) -> str:
    return ":".join(digits[n : n + 2] for n in range(0, 12, 2))


def test_killed_while_change_sets_are_applied() -> None:
    done: dict[str, bool] = {}
    stop = threading.Event()
    with GluonServer("up", "--no-shims") as server:
        workers = [Applying(server, done, stop) for _ in range(4)]
        for worker in workers:
            worker.start()
        for enough in (8, 20):
            wait_until(lambda enough=enough: sum(done.values()) >= enough, "change sets", limit=30)  # type: ignore[misc]
            server.daemon.kill9()
            server.start()
        stop.set()
        for worker in workers:
            worker.join(30)
        kept = {one["name"]: one for one in _all(server)}
        counts: dict[str, int] = {}
        for plural in ("networks", "ports"):
            for one in _objects(server, plural):
                counts[one["project_id"]] = counts.get(one["project_id"], 0) + 1
        assert set(counts.values()) == {EACH}
        assert counts.keys() == kept.keys(), "each has its entry in the history, and none without objects"
        assert {project for project, ended in done.items() if ended} <= counts.keys()


def _all(server: GluonServer) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    asked = f"{BASE}?limit=1000"
    while True:
        status, page = server.request("GET", asked)
        assert status == 200, page
        found += page["changesets"]
        if "next" not in page:
            return found
        asked = f"{BASE}?limit=1000&marker={page['next']}"


def _objects(server: GluonServer, plural: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    marker = ""
    while True:
        status, page = server.request("GET", f"/proton/net-l2/v2.0/{plural}?limit=1000{marker}")
        assert status == 200, page
        found += page[plural]
        if len(page[plural]) < 1000:
            return found
        marker = f"&marker={found[-1]['id']}"
