"""Code of a service's own: a package offers hooks, a model names them, writes go through them."""

import json
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gluon.testing.process import NotReady, wait_until
from gluon.testing.product import GluonServer

MODEL = """
file_version: "2.0"
imports: base-2.0
info: {name: net-eline, version: "1.0", description: Point-to-point Ethernet circuits.}
objects:
  Site:
    extends: BaseObject
    api: {name: site, plural_name: sites}
    attributes:
      closed: {type: boolean, default: false, description: Nothing new ends here.}
  Circuit:
    extends: BaseObject
    api: {name: circuit, plural_name: circuits}
    attributes:
      site_id: {type: Site, description: Where it ends.}
      bandwidth: {type: integer, min: 1, max: 100000, required: true, description: Megabits per second.}
      price: {type: integer, read_only: true, description: What it costs.}
      tests: {type: integer, read_only: true, default: 0, description: How often it was tested.}
      note: {type: string, description: Anything.}
    hooks:
      check: [eline_open]
      before: [eline_price]
      after: [eline_tell]
    actions:
      test:
        description: Send test frames.
        hook: eline_test
        takes:
          frames: {type: integer, min: 1, max: 1000, required: true, description: How many.}
          size: {type: integer, default: 64, description: Bytes of each.}
        gives:
          lost: {type: integer, description: Frames that did not arrive.}
"""
CODE = """
import asyncio
import json
import os

from gluon import errors
from gluon.spi import hooks

SAID = os.environ["ELINE_SAID"]


WRONG = {
    "exit": SystemExit(3),
    "interrupt": KeyboardInterrupt(),
    "cancel": asyncio.CancelledError(),
    "timeout": TimeoutError("secret inside"),
    "base": errors.GluonError("secret inside"),
    "later": errors.TryLater("secret inside"),
    "surrogate": errors.Conflict("secret \\ud800"),
    "object": errors.Conflict("secret", hint=object()),
}


def fail(note, place):
    if note and note.startswith(f"{place}: "):
        raise WRONG[note.split()[1]]


def open_(change, look):
    fail((change.new or {}).get("note"), "check")
    if change.new is None or change.new["site_id"] is None:
        return
    site = look("Site", change.new["site_id"])
    if site["closed"] and (change.old is None or change.old["site_id"] != change.new["site_id"]):
        raise errors.Conflict(f"site {site['name']} is closed", code="closed", hint="choose another")
    if change.new["note"] == "crash the check":
        raise RuntimeError("secret inside")


async def price(change, reader):
    new = change.new
    fail((new or {}).get("note"), "before")
    if new is None:
        if change.old["note"] == "keep me":
            raise errors.Forbidden("this one stays")
        return None
    if new["note"] == "too slow":
        await asyncio.sleep(60)
    if new["note"] == "stubborn":
        for _ in range(2):
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                pass
    if new["note"] == "number":
        return {5: 5}
    if new["note"] == "crash":
        raise RuntimeError("secret inside")
    if new["note"] == "nonsense":
        return {"price": "much"}
    site = await reader.get("Site", new["site_id"]) if new["site_id"] else None
    return {"price": new["bandwidth"] * (3 if site else 2)}


async def tell(change):
    if (change.new or {}).get("note") == "after" and not os.path.exists(SAID + ".failed"):
        open(SAID + ".failed", "w").close()
        raise SystemExit(3)
    with open(SAID, "a") as file:
        file.write(json.dumps([change.op, change.key, change.revision, (change.new or {}).get("price")]) + "\\n")


async def test(circuit, wanted, reader):
    fail(circuit.old["note"], "action")
    if circuit.old["note"] == "answer":
        return hooks.Outcome(answer={"lost": object()}, changes={"tests": 7})
    if circuit.old["note"] == "raise":
        raise errors.Conflict("it is down", code="down")
    return hooks.Outcome(
        answer={"lost": 0, "sent": wanted["frames"] * wanted["size"]},
        changes={"tests": circuit.old["tests"] + 1},
    )
"""
POINTS = """[gluon.hooks]
eline_open = eline_hooks:open_
eline_price = eline_hooks:price
eline_tell = eline_hooks:tell
eline_test = eline_hooks:test
"""
V1 = "/proton/net-eline/v1.0"
PROJECT = str(uuid.uuid4())


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """An installed package with hooks, and a model that names them."""
    folder = tmp_path_factory.mktemp("hooks")
    info = folder / "packages" / "eline_hooks-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: eline-hooks\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(POINTS)
    (folder / "packages" / "eline_hooks.py").write_text(CODE)
    (folder / "net-eline").mkdir()
    (folder / "net-eline" / "api.yaml").write_text(MODEL)
    return {"packages": folder / "packages", "model": folder / "net-eline", "said": folder / "said"}


@pytest.fixture(scope="module")
def server(places: dict[str, Path]) -> Iterator[GluonServer]:
    env = {"PYTHONPATH": str(places["packages"]), "ELINE_SAID": str(places["said"])}
    with GluonServer("up", "--no-shims", "--model", str(places["model"]), env=env) as running:
        yield running


def make(server: GluonServer, plural: str = "circuits", **body: Any) -> dict[str, Any]:
    first = {"bandwidth": 10} if plural == "circuits" else {}
    status, answer = server.request("POST", f"{V1}/{plural}", {"project_id": PROJECT, **first, **body})
    assert status == 201, answer
    made: dict[str, Any] = answer
    return made


def test_a_before_hook_sets_read_only_attributes(server: GluonServer) -> None:
    circuit = make(server)
    assert circuit["price"] == 20
    status, changed = server.request("PUT", f"{V1}/circuits/{circuit['id']}", {"bandwidth": 50})
    assert (status, changed["price"]) == (200, 100)
    status, fault = server.request("PUT", f"{V1}/circuits/{circuit['id']}", {"price": 1})
    assert (status, fault["code"]) == (400, "read_only")


def test_a_before_hook_reads_other_objects(server: GluonServer) -> None:
    site = make(server, "sites", name="north")
    assert make(server, site_id=site["id"])["price"] == 30


def test_a_check_refuses_in_its_own_words(server: GluonServer) -> None:
    site = make(server, "sites", name="south", closed=True)
    body = {"project_id": PROJECT, "bandwidth": 1, "site_id": site["id"]}
    status, fault = server.request("POST", f"{V1}/circuits", body)
    assert (status, fault["code"]) == (409, "closed")
    assert "south is closed" in fault["detail"]
    assert fault["hint"] == "choose another"
    circuit = make(server)
    path = f"{V1}/circuits/{circuit['id']}"
    assert server.request("PUT", path, {"site_id": site["id"]})[0] == 409
    assert server.request("GET", path)[1] == circuit


def test_a_before_hook_may_refuse_a_delete(server: GluonServer) -> None:
    circuit = make(server, note="keep me")
    path = f"{V1}/circuits/{circuit['id']}"
    assert server.request("DELETE", path)[0] == 403
    assert server.request("PUT", path, {"note": "not any more"})[0] == 200
    assert server.request("DELETE", path)[0] == 204


@pytest.mark.parametrize(
    ("note", "names"), [("crash", "eline_price"), ("nonsense", "eline_price"), ("number", "eline_price")]
)
def test_a_hook_that_fails_refuses_and_tells_nothing_of_its_inside(
    server: GluonServer, note: str, names: str
) -> None:
    status, fault = server.request(
        "POST", f"{V1}/circuits", {"project_id": PROJECT, "bandwidth": 1, "note": note}
    )
    assert (status, fault["code"]) == (503, "hook_failed")
    assert names in fault["detail"]
    assert "secret" not in json.dumps(fault)


WRONG = ["exit", "interrupt", "cancel", "timeout", "base", "later", "surrogate", "object"]


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize(("place", "name"), [("check", "eline_open"), ("before", "eline_price")])
def test_whatever_a_hook_raises_refuses_its_own_request_only(
    server: GluonServer, place: str, name: str, wrong: str
) -> None:
    body = {"project_id": PROJECT, "bandwidth": 1, "note": f"{place}: {wrong}"}
    status, fault = server.request("POST", f"{V1}/circuits", body)
    assert (status, fault["code"]) == (503, "hook_failed"), fault
    assert name in fault["detail"]
    assert "secret" not in json.dumps(fault)
    assert "took more" not in fault["detail"]
    assert make(server)["price"] == 20


@pytest.mark.parametrize("wrong", WRONG)
def test_whatever_an_action_raises_refuses_it(server: GluonServer, wrong: str) -> None:
    circuit = make(server)
    path = f"{V1}/circuits/{circuit['id']}"
    assert server.request("PUT", path, {"note": f"action: {wrong}"})[0] == 200
    status, fault = server.request("POST", f"{path}/test", {"frames": 1})
    assert (status, fault["code"]) == (503, "hook_failed"), fault
    assert "secret" not in json.dumps(fault)


def test_an_answer_that_is_no_json_changes_nothing(server: GluonServer) -> None:
    circuit = make(server, note="answer")
    path = f"{V1}/circuits/{circuit['id']}"
    status, fault = server.request("POST", f"{path}/test", {"frames": 1})
    assert (status, fault["code"]) == (503, "hook_failed"), fault
    assert server.request("GET", path)[1]["tests"] == 0


def test_a_hook_after_the_commit_that_ends_the_process_does_not(
    server: GluonServer, places: dict[str, Path]
) -> None:
    circuit = make(server, note="after")
    wait_until(
        lambda: places["said"].exists() and circuit["id"] in places["said"].read_text(),
        "the hook was called again",
        limit=20,
    )
    assert Path(f"{places['said']}.failed").exists()


def test_a_check_that_fails_refuses_its_own_request_only(server: GluonServer) -> None:
    site = make(server, "sites", name="east")
    body = {"project_id": PROJECT, "bandwidth": 1, "site_id": site["id"], "note": "crash the check"}
    status, fault = server.request("POST", f"{V1}/circuits", body)
    assert (status, fault["code"]) == (503, "hook_failed")
    assert "eline_open" in fault["detail"]
    assert make(server)["price"] == 20


@pytest.mark.parametrize("note", ["too slow", "stubborn"])
def test_a_hook_has_a_time_limit(server: GluonServer, note: str) -> None:
    began = time.monotonic()
    body = {"project_id": PROJECT, "bandwidth": 1, "note": note}
    status, fault = server.request("POST", f"{V1}/circuits", body)
    assert (status, fault["code"]) == (503, "hook_failed")
    assert time.monotonic() - began < 50, "the hook would have taken a minute"


def test_an_action_answers_and_changes_the_object(server: GluonServer) -> None:
    circuit = make(server)
    path = f"{V1}/circuits/{circuit['id']}"
    assert server.request("POST", f"{path}/test", {"frames": 3}) == (200, {"lost": 0, "sent": 192})
    assert server.request("POST", f"{path}/test", {"frames": 3, "size": 100})[1]["sent"] == 300
    assert server.request("GET", path)[1]["tests"] == 2


def test_an_action_judges_its_body_and_its_path(server: GluonServer) -> None:
    circuit = make(server, note="raise")
    path = f"{V1}/circuits/{circuit['id']}"
    status, fault = server.request("POST", f"{path}/test", {"frames": 0, "colour": "red", "size": "x"})
    assert status == 400
    assert {e["pointer"] for e in fault["errors"]} == {"/frames", "/colour", "/size"}
    assert server.request("POST", f"{path}/test")[1]["errors"][0]["pointer"] == "/frames"
    assert server.request("POST", f"{path}/test", {"frames": 1})[1]["code"] == "down"
    assert server.request("GET", f"{path}/test")[0] == 405
    assert server.request("POST", f"{path}/nothing", {})[0] == 404
    assert server.request("POST", f"{V1}/circuits/{uuid.uuid4()}/test", {"frames": 1})[0] == 404


def test_hooks_after_the_commit_are_told_of_every_change(
    server: GluonServer, places: dict[str, Path]
) -> None:
    circuit = make(server)
    path = f"{V1}/circuits/{circuit['id']}"
    server.request("PUT", path, {"bandwidth": 11})
    server.request("DELETE", path)

    def told() -> list[Any]:
        text = places["said"].read_text() if places["said"].exists() else ""
        lines = [json.loads(line) for line in text.splitlines()]
        return [[op, price] for op, key, _, price in lines if key == circuit["id"]]

    wait_until(lambda: len(told()) >= 3, "the hook was told", limit=20)
    assert told() == [["create", 20], ["update", 22], ["delete", None]]


def test_a_hook_that_no_package_offers_is_told_at_the_start(places: dict[str, Path]) -> None:
    server = GluonServer("up", "--no-shims", "--model", str(places["model"]))
    try:
        with pytest.raises(NotReady, match=r"eline_price.*Circuit.*no installed package") as raised:
            server.start()
        assert "Traceback" not in str(raised.value)
    finally:
        server.stop()
