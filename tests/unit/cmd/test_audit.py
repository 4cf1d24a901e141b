"""The audit log: every write once, nothing of a value, nothing lost while the file is moved or full."""

import json
import os
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gluon.api import lane
from gluon.cmd import audit as auditing
from gluon.cmd.clients import Client
from gluon.cmd.settings import SettingsError
from gluon.model import loader
from gluon.proton import registry
from gluon.spi import policy
from gluon.testing.process import wait_until

KNOWN = registry.Registry(loader.load_catalog())
PORT = KNOWN.by_name["net-l3vpn", "Port"]
CALLER = policy.Caller(user="eve", project="p1", roles=frozenset({"member", "reader"}))
ROOT = Path(__file__).parents[3]


def answered(method: str, path: str, status: int, body: Any = None, **more: Any) -> lane.Answered:
    facts: dict[str, Any] = {
        "method": method, "path": tuple(path.split("/")), "headers": {}, "caller": CALLER, "request_id": "req-1",
        "served": PORT, "status": status, "body": json.dumps(body).encode() if body is not None else None,
        "seconds": 0.0123, **more,
    }  # fmt: skip
    return lane.Answered(**facts)


def told(one: lane.Answered, revision: int = 0) -> dict[str, Any]:
    text = auditing.line(1.5, one, "", revision, Client("192.0.2.7", None))
    assert text.endswith(b"\n") and len(text.decode().splitlines()) == 1
    assert text.decode()[:-1].isprintable()
    found: dict[str, Any] = json.loads(text)
    return found


P = "proton/net-l3vpn/v1.0/ports"


def test_what_a_line_says() -> None:
    made = told(answered("POST", P, 201, {"id": "k1", "name": "hidden"}), 7)
    assert made == {
        "time": "1970-01-01T00:00:01.500+00:00", "request_id": "req-1", "global_request_id": None,
        "outcome": "success", "status": 201, "reason": None, "client": "192.0.2.7", "proxy": None, "user": "eve", "project": "p1",
        "roles": ["member", "reader"], "action": "create", "api": "net-l3vpn", "type": "Port", "keys": ["k1"],
        "revision": 7, "method": "POST", "path": f"/{P}", "milliseconds": 12.3,
    }  # fmt: skip
    several = told(answered("POST", P, 201, {"ports": [{"id": "a"}, {"id": "b"}]}), 8)
    assert (several["keys"], several["action"]) == (["a", "b"], "create")
    refused = told(answered("PUT", f"{P}/k2", 403, {"code": "forbidden", "detail": "hidden"}))
    assert (refused["outcome"], refused["reason"], refused["keys"], refused["action"]) == (
        "denied", "forbidden", ["k2"], "update",
    )  # fmt: skip
    below = told(answered("DELETE", f"{P}/k2/interfaces/k3", 409, {"code": "still_referred"}))
    assert (below["type"], below["keys"], below["outcome"]) == ("Interface", ["k3"], "failure")
    nobody = told(answered("POST", "gluon/v1/resync", 401, served=None, caller=None))
    assert (nobody["user"], nobody["api"], nobody["outcome"]) == (None, "gluon", "denied")
    taken = {"NeutronError": {"type": "MacAddressInUse", "message": "hidden", "detail": ""}}
    face = told(answered("POST", "v2.0/ports", 409, taken, served=None))
    assert (face["reason"], face["outcome"], face["keys"]) == ("MacAddressInUse", "failure", [])
    assert told(answered("POST", "v2.0/ports", 409, {"x": 1}, served=None))["reason"] is None
    act = told(answered("POST", f"{P}/k2/reset", 200, {"x": 1}))
    assert (act["action"], act["keys"]) == ("do reset", ["k2"])


@pytest.mark.parametrize("path", ["a\nb", '"}\x1b[31m', "\u2028", "\x85\x9b31m", "\u202eb", "x" * 10_000, ""])
def test_what_clients_write_ends_no_line(path: str) -> None:
    one = answered("PUT", f"{P}/{path}", 404, {"code": path})
    assert len(told(one)["path"]) < 1200
    named = replace(CALLER, user=f"eve{path}", roles=frozenset({path or "x"}))
    assert told(answered("PUT", P, 404, caller=named))["user"] == f"eve{path}"
    made = answered("POST", P, 201, {"id": path, "name": path})
    assert told(made)["keys"] == [path]


def test_every_field_is_documented() -> None:
    page = (ROOT / "docs/reference/audit.md").read_text(encoding="utf-8")
    assert set(told(answered("DELETE", P, 204))) == set(re.findall(r"^\| `(\w+)`", page, re.MULTILINE))


def test_writes_are_recorded_once_in_order_and_reads_never(tmp_path: Path) -> None:
    audit = auditing.Audit(str(tmp_path / "audit"))
    for n in range(3000):
        audit.revisions[f"req-{n}"] = n + 1
        audit.record(answered("POST", P, 201, {"id": str(n)}, request_id=f"req-{n}"))
        audit.record(answered("GET", P, 200))
    audit.close()
    lines = [json.loads(line) for line in (tmp_path / "audit").read_text().splitlines()]
    assert [one["revision"] for one in lines] == list(range(1, 3001))
    assert [one["keys"] for one in lines[:3]] == [["0"], ["1"], ["2"]]
    assert (tmp_path / "audit").stat().st_mode & 0o137 == 0
    assert not audit.revisions


def test_what_has_no_text_form_is_recorded_as_far_as_it_goes(tmp_path: Path) -> None:
    audit = auditing.Audit(str(tmp_path / "audit"))
    audit.record(answered("DELETE", f"{P}/\ud800", 404))
    audit.record(answered("DELETE", f"{P}/b", 204))
    audit.close()
    lines = [json.loads(line) for line in (tmp_path / "audit").read_text().splitlines()]
    assert [(one["path"][-2:], one["status"]) for one in lines] == [("/", 404), ("/b", 204)]


def test_a_file_that_is_moved_away_is_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "audit"
    audit = auditing.Audit(str(path))
    try:
        audit.record(answered("DELETE", f"{P}/a", 204))
        wait_until(lambda: path.stat().st_size > 0, "the first line", limit=5)
        path.rename(tmp_path / "audit.1")
        audit.record(answered("DELETE", f"{P}/b", 204))
        wait_until(lambda: path.exists() and path.stat().st_size > 0, "the second", limit=5)
    finally:
        audit.close()
    assert [json.loads((tmp_path / n).read_text())["keys"] for n in ("audit.1", "audit")] == [["a"], ["b"]]


def test_a_full_disk_costs_no_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first write comes to the middle of a line, the second not even there."""
    path, real, left = tmp_path / "audit", os.write, [40, 0]

    def write(file: int, data: bytes) -> int:
        if left:
            most = left.pop(0)
            if not most:
                raise OSError(28, "No space left on device")
            return real(file, data[:most])
        return real(file, data)

    audit = auditing.Audit(str(path))
    monkeypatch.setattr("gluon.cmd.audit.os.write", write)
    monkeypatch.setattr("gluon.cmd.audit.time.sleep", lambda seconds: None)
    for key in "abc":
        audit.record(answered("DELETE", f"{P}/{key}", 204))
    wait_until(lambda: not left and path.stat().st_size > 0, "written", limit=5)
    monkeypatch.undo()
    audit.close()
    assert [json.loads(line)["keys"] for line in path.read_text().splitlines()] == [["a"], ["b"], ["c"]]
    assert not audit.lost


def test_a_file_that_cannot_be_written_is_said_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"audit\.file"):
        auditing.Audit(str(tmp_path / "no" / "audit"))
