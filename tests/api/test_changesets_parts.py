"""Change sets of projects that do not see each other, of versions that are not stored, and where hooks run."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from gluon.testing.product import GluonServer
from tests.api import test_hooks as hooked
from tests.api import test_versions as versions
from tests.api.test_changesets import FARM

SETS = "/gluon/v1/changesets"
BARNS = "/proton/net-farm/v2.0/barns"
MINE, THEIRS = (str(uuid.uuid4()) for _ in range(2))
Told = tuple[int, dict[str, str], Any]


class Member:
    """Who has a token of one project."""

    def __init__(self, server: GluonServer, token: str, project: str) -> None:
        self.server, self.token, self.project = server, token, project

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Told:
        return self.server.exchange(method, path, body, headers={"X-Auth-Token": self.token, **headers})

    def do(self, *changes: dict[str, Any], path: str = SETS) -> Told:
        return self("POST", path, {"changes": list(changes)})

    def barn(self) -> dict[str, Any]:
        status, _, body = self("POST", BARNS, {"size": 5})
        assert status == 201, body
        made: dict[str, Any] = body
        return made

    def barns(self) -> dict[str, int]:
        status, _, body = self("GET", f"{BARNS}?limit=1000")
        assert status == 200, body
        return {one["id"]: one["size"] for one in body["barns"]}


@pytest.fixture(scope="module")
def farm_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GluonServer]:
    folder = tmp_path_factory.mktemp("farm")
    (folder / "net-farm").mkdir()
    (folder / "net-farm" / "api.yaml").write_text(FARM, encoding="utf-8")
    tokens = folder.parent / f"{folder.name}.tokens.yaml"
    tokens.touch(mode=0o600)
    bearers = [
        {"token": f"token-of-{project}", "user": project[:4], "project": project, "roles": ["member"]}
        for project in (MINE, THEIRS)
    ]
    tokens.write_text(json.dumps({"tokens": bearers}), encoding="utf-8")
    config = folder.parent / f"{folder.name}.toml"
    config.write_text(f'[identity]\nmethods = ["tokens"]\n[tokens]\nfile = "{tokens}"\n', encoding="utf-8")
    for name, text in (("one", versions.OLD), ("middle", versions.MIDDLE), ("two", versions.NEW)):
        (folder / f"net-eline-{name}").mkdir()
        (folder / f"net-eline-{name}" / "api.yaml").write_text(text, encoding="utf-8")
    with GluonServer("up", "--no-shims", "--config", str(config), "--model", str(folder)) as running:
        yield running


@pytest.fixture
def mine(farm_server: GluonServer) -> Member:
    return Member(farm_server, f"token-of-{MINE}", MINE)


@pytest.fixture
def theirs(farm_server: GluonServer) -> Member:
    return Member(farm_server, f"token-of-{THEIRS}", THEIRS)


def change(
    op: str, key: str | None = None, body: Any = None, kind: str = "Barn", **more: Any
) -> dict[str, Any]:
    given = {"op": op, "api": "net-farm", "type": kind, **more}
    if key is not None:
        given["key"] = key
    return given if body is None else {**given, "body": body}


def places(fault: Any) -> list[tuple[str, str]]:
    return [(e["pointer"], e["code"]) for e in fault["errors"]]


def without_id(text: str, *ids: str) -> str:
    """The same of another object and request."""
    for one in ids:
        text = text.replace(one, "X")
    return text


def test_what_a_member_makes_is_of_its_project(mine: Member, theirs: Member) -> None:
    status, _, done = mine.do(change("create", body={}), change("create", body={"project_id": MINE}))
    assert status == 201, done
    assert {one["body"]["project_id"] for one in done["changes"]} == {MINE}
    assert done["changes"][0]["key"] in mine.barns() and done["changes"][0]["key"] not in theirs.barns()


def test_what_a_member_makes_in_another_version_is_of_its_project(mine: Member) -> None:
    """As by a `POST` there, which says no more."""
    body = {"mode": "hub", "cidr": "10.0.0.0/8", "bandwidth": 10}
    assert mine("POST", f"{versions.V1}/circuits", body)[0] == 201
    create = {"op": "create", "api": "net-eline", "version": "1.0", "type": "Circuit", "body": body}
    status, _, done = mine.do(create)
    assert status == 201 and done["changes"][0]["body"]["project_id"] == MINE, done


def test_a_project_that_need_not_be_said_is_not_missing(mine: Member) -> None:
    """Also where a name in the same body stands for nothing."""
    status, _, fault = mine.do(change("create", kind="Cow", body={"barn_id": {"$ref": "none"}}))
    assert (status, places(fault)) == (400, [("/changes/0/body/barn_id", "name")])


@pytest.mark.parametrize(
    ("value", "shown"), [(None, "None"), (7, "7"), (["b"], "[…]"), ({"b": 1}, "{…}"), ("c", "c")]
)
def test_a_name_that_is_none_is_told_as_it_was_sent(mine: Member, value: Any, shown: str) -> None:
    barn = change("create", body={}, **{"as": "b"})
    status, _, fault = mine.do(barn, change("create", kind="Cow", body={"barn_id": {"$ref": value}}))
    told = f"nothing in this change set is made under the name '{shown}'"
    assert (status, fault["detail"]) == (400, told)
    status, _, fault = mine.do({**barn, "api": value})
    none = "api: the name of a proton is needed" if value is None else f"api: there is no proton '{shown}'"
    assert (status, fault["detail"]) == (400, none)


def test_a_foreign_project_in_one_change_refuses_the_set(mine: Member, theirs: Member) -> None:
    before = mine.barns(), theirs.barns()
    status, _, fault = mine.do(change("create", body={}), change("create", body={"project_id": THEIRS}))
    assert status == 403 and places(fault)[0][0].startswith("/changes/1"), fault
    assert (mine.barns(), theirs.barns()) == before


@pytest.mark.parametrize("op", ["update", "delete"])
@pytest.mark.parametrize("path", [SETS, f"{SETS}?plan=true"])
def test_a_foreign_object_in_a_set_is_as_a_missing_one(
    mine: Member, theirs: Member, op: str, path: str
) -> None:
    foreign, missing = theirs.barn()["id"], str(uuid.uuid4())
    body = {"size": 7} if op == "update" else None
    before = mine.barns(), theirs.barns()
    told = []
    for key in (foreign, missing):
        status, _, fault = mine.do(change("create", body={}), change(op, key, body), path=path)
        told.append((status, without_id(json.dumps(fault), key, fault["request_id"])))
    assert told[0] == told[1] and told[0][0] == 404
    assert (mine.barns(), theirs.barns()) == before
    status, _, fault = mine.do(change("create", kind="Cow", body={"barn_id": foreign}))
    other = mine.do(change("create", kind="Cow", body={"barn_id": missing}))
    assert status == other[0] == 400 and places(fault) == places(other[2])


def test_plans_and_history_are_the_project_s(mine: Member, theirs: Member) -> None:
    status, _, plan = mine.do(change("create", body={"size": 8}), path=f"{SETS}?plan=true")
    assert status in (200, 201), plan
    path = f"{SETS}/{plan['id']}"
    assert theirs("GET", path)[0] == theirs("POST", f"{path}/apply")[0] == 404
    assert mine("POST", f"{path}/apply")[0] in (200, 201)
    assert theirs("GET", path)[0] == theirs("POST", f"{path}/undo")[0] == 404
    listed = [{one["id"] for one in who("GET", SETS)[2]["changesets"]} for who in (mine, theirs)]
    assert plan["id"] in listed[0] and plan["id"] not in listed[1]
    key = mine("GET", path)[2]["changes"][0]["key"]
    assert mine("POST", f"{path}/undo")[0] in (200, 201) and key not in mine.barns()


def test_a_member_of_a_set_is_changed_as_it_was_read_or_all_is_refused(mine: Member) -> None:
    first, second = mine.barn()["id"], mine.barn()["id"]
    read = mine("GET", f"{BARNS}/{second}")[1]["etag"]
    assert mine("PUT", f"{BARNS}/{second}", {"size": 6})[0] == 200
    sets = [change("update", first, {"size": 9}), change("update", second, {"size": 9}, if_match=read)]
    for last in (sets[1], change("delete", second, if_match=read)):
        status, _, fault = mine.do(sets[0], last)
        assert (status, places(fault)) == (412, [("/changes/1/if_match", "stale")]), fault
    assert (mine.barns()[first], mine.barns()[second]) == (5, 6)
    now = mine("GET", f"{BARNS}/{second}")[1]["etag"]
    status, _, done = mine.do(sets[0], {**sets[1], "if_match": now})
    assert status in (200, 201) and mine.barns()[second] == 9
    assert done["changes"][1]["etag"] == mine("GET", f"{BARNS}/{second}")[1]["etag"] != now


# -- versions ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GluonServer]:
    folder = tmp_path_factory.mktemp("versions")
    for name, text in (("one", versions.OLD), ("middle", versions.MIDDLE), ("two", versions.NEW)):
        (folder / name).mkdir()
        (folder / name / "api.yaml").write_text(text, encoding="utf-8")
    with GluonServer("up", "--no-shims", "--model", str(folder)) as running:
        yield running


def test_a_change_may_speak_another_version(lines: GluonServer) -> None:
    circuit = {"api": "net-eline", "version": "1.0", "type": "Circuit"}
    body = {"tenant_id": MINE, "mode": "hub", "cidr": "10.0.0.0/8", "bandwidth": 10}
    line = {"project_id": MINE, "role": "SPOKE", "bandwidth": 20}
    made = [
        {"op": "create", **circuit, "body": body, "as": "old"},
        {"op": "create", "api": "net-eline", "type": "Line", "body": line},
        {"op": "create", "api": "net-eline", "type": "Note", "body": {"project_id": MINE, "line_id": {"$ref": "old"}}},
    ]  # fmt: skip
    status, done = lines.request("POST", SETS, {"changes": made})
    assert status == 201, done
    key, other, note = (one["key"] for one in done["changes"])
    assert lines.request("GET", f"{versions.V2}/lines/{key}")[1]["role"] == "HUB"
    assert lines.request("GET", f"{versions.V2}/lines/{key}/notes/{note}")[1]["line_id"] == key
    etag = lines.exchange("GET", f"{versions.V1}/circuits/{key}")[1]["etag"]
    changes = [
        {"op": "update", **circuit, "key": key, "body": {"mode": "spoke"}, "if_match": etag},
        {"op": "update", "api": "net-eline", "type": "Line", "key": other, "body": {"bandwidth": 30}},
    ]
    status, done = lines.request("POST", SETS, {"changes": changes})
    assert status == 201, done
    assert lines.request("GET", f"{versions.V2}/lines/{key}")[1]["role"] == "SPOKE"
    assert lines.request("GET", f"{versions.V2}/lines/{other}")[1]["bandwidth"] == 30
    status, fault = lines.request("POST", SETS, {"changes": changes})
    assert (status, places(fault)) == (412, [("/changes/0/if_match", "stale")])
    shown_only = {"op": "update", **circuit, "version": "v1.5", "key": other, "body": {"speed": 40}}
    status, fault = lines.request("POST", SETS, {"changes": [changes[1], shown_only]})
    assert (status, places(fault)) == (400, [("/changes/1/version", "version")]), fault
    assert lines.request("GET", f"{versions.V2}/lines/{other}")[1]["bandwidth"] == 30


def test_what_is_wrong_is_told_in_the_words_of_the_version(lines: GluonServer) -> None:
    circuit = {"op": "create", "api": "net-eline", "version": "1.0", "type": "Circuit"}
    body = {"tenant_id": MINE, "mode": "sideways", "cidr": "10.0.0.0/8", "bandwidth": 10}
    status, fault = lines.request("POST", SETS, {"changes": [{**circuit, "body": body}]})
    assert status == 400 and places(fault)[0][0] == "/changes/0/body/mode", fault
    unlucky = {**body, "mode": "hub", "bandwidth": 13}
    status, fault = lines.request("POST", SETS, {"changes": [{**circuit, "body": unlucky}]})
    assert status == 400 and places(fault)[0][0] == "/changes/0/body/bandwidth", fault
    for version in ("3.0", 1, "v"):
        given = {**circuit, "version": version, "body": body}
        status, fault = lines.request("POST", SETS, {"changes": [given]})
        assert (status, places(fault)) == (400, [("/changes/0/version", "version")]), fault


# -- hooks ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def circuits(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GluonServer]:
    folder = tmp_path_factory.mktemp("hooks")
    info = folder / "packages" / "eline_hooks-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: eline-hooks\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(hooked.POINTS)
    (folder / "packages" / "eline_hooks.py").write_text(hooked.CODE)
    model = folder / "net-eline"
    model.mkdir()
    (model / "api.yaml").write_text(hooked.MODEL)
    env = {"PYTHONPATH": str(folder / "packages"), "ELINE_SAID": str(folder / "said")}
    with GluonServer("up", "--no-shims", "--model", str(model), env=env) as running:
        yield running


def circuit(op: str, key: str | None = None, **body: Any) -> dict[str, Any]:
    given: dict[str, Any] = {"op": op, "api": "net-eline", "type": "Circuit"}
    if key is not None:
        given["key"] = key
    return {**given, "body": body} if body else given


def test_before_hooks_run_for_each_change_of_a_set(circuits: GluonServer) -> None:
    site = {"op": "create", "api": "net-eline", "type": "Site", "body": {"project_id": MINE}}
    made = [circuit("create", project_id=MINE, bandwidth=n) for n in (10, 20)]
    status, done = circuits.request("POST", SETS, {"changes": [site, *made]})
    assert status == 201, done
    assert [one["body"]["price"] for one in done["changes"][1:]] == [20, 40]
    keys = [one["key"] for one in done["changes"]]
    again = [circuit("update", keys[1], bandwidth=50, site_id=keys[0]), circuit("delete", keys[2])]
    status, done = circuits.request("POST", SETS, {"changes": again})
    assert status == 201, done
    assert done["changes"][0]["body"]["price"] == 150, "the hook has read the site"


def test_a_hook_that_refuses_or_fails_refuses_the_set_and_says_where(circuits: GluonServer) -> None:
    path = "/proton/net-eline/v1.0/circuits"
    status, kept = circuits.request("POST", path, {"project_id": MINE, "bandwidth": 1, "note": "keep me"})
    assert status == 201, kept
    before = circuits.request("GET", f"{path}?project_id={MINE}&limit=1000")[1]
    good = circuit("create", project_id=MINE, bandwidth=10)
    for bad, expected in (
        (circuit("delete", kept["id"]), 403),
        (circuit("create", project_id=MINE, bandwidth=10, note="crash"), 503),
        (circuit("create", project_id=MINE, bandwidth=10, note="nonsense"), 503),
    ):
        for where in (SETS, f"{SETS}?plan=true"):
            status, fault = circuits.request("POST", where, {"changes": [good, bad]})
            assert status == expected, (where, bad, fault)
            assert "/changes/1" in json.dumps(fault) and "secret" not in json.dumps(fault), fault
    assert circuits.request("GET", f"{path}?project_id={MINE}&limit=1000")[1] == before
