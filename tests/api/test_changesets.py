"""Change sets over HTTP, of two protons at once; plans, history and undo. On each database."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from gluon.testing.product import GluonServer
from tests.api.conftest import DATABASES, Api, served

FARM = """
file_version: "2.0"
imports: base-2.0
info: {name: net-farm, version: "2.0", description: Fields and herds.}
pools:
  tags: {type: vlan, ranges: [10-2000], rest: 0}
objects:
  Barn:
    extends: BaseObject
    description: A house.
    api: {name: barn, plural_name: barns}
    attributes:
      code: {type: string, length: 8, unique: global}
      size: {type: int32, default: 10, min: 1, max: 99}
      lock: {type: string, secret: true}
      labels: {type: map, items: {type: string}, default: {}}
    quota: 5000
  Cow:
    extends: BaseObject
    description: One of a herd.
    api: {name: cow, plural_name: cows}
    attributes:
      barn_id: {type: Barn, on_delete: cascade}
      friend_id: {type: Cow, on_delete: unset}
      herd: {type: list, items: {type: Cow, on_delete: unset}}
      home: {type: object, attributes: {barn: {type: Barn, on_delete: restrict}, note: {type: string}}}
      tag: {type: vlan, pool: tags}
"""
SHOP = """
file_version: "2.0"
imports: base-2.0
info: {name: net-shop, version: "2.0", description: Milk.}
objects:
  Can:
    extends: BaseObject
    description: Of one cow.
    api: {name: can, plural_name: cans}
    attributes:
      cow: {type: string}
      litres: {type: integer, min: 0, max: 40}
"""
V = "/gluon/v1/changesets"


@pytest.fixture(scope="module", params=DATABASES)
def server(request: pytest.FixtureRequest) -> Iterator[GluonServer]:
    with served(request, "--no-shims", net_farm=FARM, net_shop=SHOP) as running:
        yield running


class Farm:
    """Both protons as one project uses them."""

    def __init__(self, server: GluonServer) -> None:
        self.server = server
        self.project = str(uuid.uuid4())

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        status, _, answer = self.server.exchange(method, path, body, headers=named)
        return status, answer

    def create(self, kind: str, name: str = "", **body: Any) -> dict[str, Any]:
        api = "net-shop" if kind == "Can" else "net-farm"
        change = {"op": "create", "api": api, "type": kind, "body": {"project_id": self.project, **body}}
        return {**change, "as": name} if name else change

    def change(self, op: str, kind: str, key: Any, body: Any = None, **more: Any) -> dict[str, Any]:
        api = "net-shop" if kind == "Can" else "net-farm"
        change = {"op": op, "api": api, "type": kind, "key": key, **more}
        return change if body is None else {**change, "body": body}

    def do(self, *changes: Any, path: str = V, **more: Any) -> Any:
        status, answer = self("POST", path, {"changes": list(changes), **more})
        assert status in (200, 201), answer
        return answer

    def refused(self, *changes: Any, path: str = V) -> tuple[int, str, list[tuple[str, str]]]:
        status, fault = self("POST", path, {"changes": list(changes)})
        assert status >= 400, fault
        return status, fault["code"], [(e["pointer"], e["code"]) for e in fault["errors"]]

    def all(self, kind: str) -> dict[str, Any]:
        api, plural = ("net-shop", "cans") if kind == "Can" else ("net-farm", f"{kind.lower()}s")
        status, answer = self("GET", f"/proton/{api}/v2.0/{plural}?project_id={self.project}&limit=1000")
        assert status == 200, answer
        return {one["id"]: one for one in answer[plural]}

    def state(self) -> dict[str, Any]:
        found = {k: v for kind in ("Barn", "Cow", "Can") for k, v in self.all(kind).items()}
        return {k: {n: x for n, x in v.items() if not n.endswith("ed_at")} for k, v in found.items()}


@pytest.fixture
def farm(server: GluonServer) -> Farm:
    return Farm(server)


def ref(name: str) -> dict[str, str]:
    return {"$ref": name}


def test_two_protons_change_in_one_commit(farm: Farm) -> None:
    done = farm.do(
        farm.create("Can", cow=ref("berta"), litres=3),
        farm.create(
            "Cow", "berta", barn_id=ref("b"), herd=[ref("rosa")], home={"barn": ref("b"), "note": "x"}
        ),
        farm.create("Cow", "rosa", barn_id=ref("b")),
        farm.create("Barn", "b", code=uuid.uuid4().hex[:8], labels={"$ref": "b"}),
        name="a farm",
    )
    can, berta, rosa, barn = (one["body"] for one in done["changes"])
    assert can["cow"] == berta["id"] and berta["herd"] == [rosa["id"]]
    assert berta["home"]["barn"] == barn["id"] == rosa["barn_id"]
    assert barn["labels"] == {"$ref": "b"}, "a map may have such a member"
    assert {one["etag"] for one in done["changes"]} == {f'"{done["revision"]}"'}
    assert [a["attribute"] for a in done["allocations"]] == ["tag", "tag"]
    assert farm.state().keys() == {one["key"] for one in done["changes"]}
    assert done["apis"] == ["net-farm", "net-shop"] or set(done["apis"]) == {"net-farm", "net-shop"}
    changed = farm.do(
        farm.change("update", "Barn", barn["id"], {"size": 3}, if_match=done["changes"][3]["etag"]),
        farm.change("delete", "Can", can["id"]),
        farm.change("update", "Barn", barn["id"], {"labels": {"y": "2"}}, merge=True),
    )
    after = changed["changes"][2]["body"]
    assert after["size"] == 3 and after["labels"] == {"$ref": "b", "y": "2"}
    assert farm.all("Can") == {}


def test_all_that_is_wrong_is_told_at_once(farm: Farm) -> None:
    barn = farm.create("Barn", "b", size=100)
    first = farm.refused(barn, farm.create("Cow", nose=1, barn_id=ref("x")), {"op": "make"}, 7)
    assert first == (
        400,
        "range",
        [
            ("/changes/0/body/size", "range"),
            ("/changes/1/body/barn_id", "name"),
            ("/changes/1/body/nose", "unknown"),
            ("/changes/2/api", "proton"),
            ("/changes/2/op", "enum"),
            ("/changes/3", "type"),
        ],
    )
    missing = str(uuid.uuid4())
    second = farm.refused(
        farm.create("Cow", barn_id=missing),
        farm.create("Cow", tag=9),
        farm.change("delete", "Cow", missing),
        farm.create("Barn", "good"),
        farm.create("Cow", barn_id=ref("good")),
        farm.change("update", "Barn", ref("good"), {"size": 2}, if_match='"1"'),
    )
    assert second[0] == 400 and second[2] == [
        ("/changes/0/body/barn_id", "reference"),
        ("/changes/1/body/tag", "pool_outside"),
        ("/changes/2/key", "not_found"),
        ("/changes/5/if_match", "stale"),
    ]
    circle = farm.refused(
        farm.create("Cow", "a", friend_id=ref("b")), farm.create("Cow", "b", friend_id=ref("a"))
    )
    assert circle == (400, "circle", [("/changes/0", "circle"), ("/changes/1", "circle")])
    assert farm.state() == {}


def test_one_bad_row_of_two_hundred_shows_nothing(farm: Farm) -> None:
    _, before = farm("GET", "/gluon/v1/status")
    changes = [farm.create("Cow", f"c{n}", friend_id=ref(f"c{n - 1}") if n else None) for n in range(199)]
    bad = farm.refused(*changes, farm.create("Can", litres=41))
    assert bad[2] == [("/changes/199/body/litres", "range")]
    bad = farm.refused(*changes, farm.change("delete", "Can", str(uuid.uuid4())))
    assert bad[2] == [("/changes/199/key", "not_found")]
    assert farm.state() == {}
    _, after = farm("GET", "/gluon/v1/status")
    assert before["database"]["revision"] == after["database"]["revision"]
    done = farm.do(*changes, farm.create("Can", litres=40))
    assert len(farm.state()) == 200 and len(done["changes"]) == 200
    keys = [one["key"] for one in done["changes"][:199]]
    gone = farm.do(*(farm.change("delete", "Cow", key) for key in reversed(keys)))
    assert len(gone["changes"]) == 199 and len(farm.state()) == 1


def test_deletes_go_in_the_order_that_references_ask_for(farm: Farm) -> None:
    made = farm.do(
        farm.create("Barn", "b"),
        farm.create("Cow", home={"barn": ref("b")}),
        farm.create("Cow", barn_id=ref("b")),
    )
    keys = [one["key"] for one in made["changes"]]
    assert farm.refused(farm.change("delete", "Barn", keys[0]))[:2] == (409, "still_referred")
    done = farm.do(farm.change("delete", "Barn", keys[0]), farm.change("delete", "Cow", keys[1]))
    assert [c["key"] for c in done["consequences"]] == [keys[2]]
    assert "barn_id refers to Barn" in done["consequences"][0]["reason"]
    assert farm.state() == {}


def test_what_goes_along_with_one_of_several_is_in_no_other_s_way(farm: Farm) -> None:
    for turned in (False, True):
        made = farm.do(
            farm.create("Barn", "a"),
            farm.create("Barn", "b"),
            farm.create("Cow", barn_id=ref("a"), home={"barn": ref("b")}),
        )
        barns = [one["key"] for one in made["changes"][:2]]
        deletes = [farm.change("delete", "Barn", key) for key in (reversed(barns) if turned else barns)]
        done = farm.do(*deletes)
        assert [c["key"] for c in done["consequences"]] == [made["changes"][2]["key"]]
        assert farm.state() == {}
        undone = farm("POST", f"{V}/{done['id']}/undo")[1]
        assert farm.state().keys() == {one["key"] for one in made["changes"]}
        assert farm("POST", f"{V}/{undone['id']}/undo")[0] == 201
        assert farm.state() == {}


def test_what_a_plan_shows_is_done(farm: Farm) -> None:
    made = farm.do(farm.create("Barn", "b", size=5), farm.create("Cow", "c", barn_id=ref("b")))
    barn, cow = (one["key"] for one in made["changes"])
    before = farm.state()
    plan = farm.do(
        farm.create("Cow", "new", friend_id=cow),
        farm.change("update", "Cow", cow, {"friend_id": ref("new"), "barn_id": None}),
        farm.change("delete", "Barn", barn),
        path=f"{V}?plan=true",
    )
    assert plan["state"] == "planned" and farm.state() == before
    assert plan["allocations"][0]["attribute"] == "tag"
    other = farm.do(farm.create("Cow"))["changes"][0]
    assert other["body"]["tag"] == plan["allocations"][0]["value"], "a plan reserves nothing"
    status, fault = farm("POST", f"{V}/{plan['id']}/apply")
    assert (status, fault["code"]) == (409, "pool_taken"), fault
    farm.do(farm.change("delete", "Cow", other["key"]))
    status, done = farm("POST", f"{V}/{plan['id']}/apply", {})
    assert status == 200 and done["state"] == "applied" and done["id"] == plan["id"]
    for shown, real in zip(plan["changes"], done["changes"], strict=True):
        assert shown["key"] == real["key"]
        if shown["body"] is not None:
            stamps = ("created_at", "updated_at")
            assert {**shown["body"], **{s: real["body"][s] for s in stamps}} == real["body"]
    assert farm("POST", f"{V}/{plan['id']}/apply") == (200, done)
    assert farm("GET", f"{V}/{plan['id']}")[1]["changes"] == done["changes"]
    assert farm("POST", f"{V}/{uuid.uuid4()}/apply")[0] == 404


def test_a_plan_whose_ground_has_moved_is_refused(farm: Farm) -> None:
    barn = farm.do(farm.create("Barn", "b", size=5))["changes"][0]["key"]
    plan = farm.do(farm.create("Cow", barn_id=barn), path=f"{V}?plan=true")
    farm.do(farm.change("update", "Barn", barn, {"size": 6}))
    status, fault = farm("POST", f"{V}/{plan['id']}/apply")
    assert (status, fault["code"]) == (412, "plan_stale") and barn in fault["errors"][0]["detail"]
    plan = farm.do(farm.change("delete", "Barn", barn), path=f"{V}?plan=true")
    cow = farm.do(farm.create("Cow", barn_id=barn))["changes"][0]["key"]
    status, fault = farm("POST", f"{V}/{plan['id']}/apply")
    assert (status, fault["code"]) == (409, "plan_differs"), fault
    assert cow in farm.state() and barn in farm.state()


def test_of_many_that_apply_a_plan_one_does_it(farm: Farm) -> None:
    plan = farm.do(*(farm.create("Cow") for _ in range(20)), path=f"{V}?plan=true")
    with ThreadPoolExecutor(10) as pool:
        done = list(pool.map(lambda _: farm("POST", f"{V}/{plan['id']}/apply"), range(50)))
    assert {status for status, _ in done} == {200}
    assert all(answer == done[0][1] for _, answer in done)
    assert len(farm.state()) == 20


def test_history_tells_who_did_what(farm: Farm) -> None:
    sets = [farm.do(farm.create("Barn", lock="open sesame", size=n + 1), name=f"n{n}") for n in range(4)]
    sets.append(farm.do(farm.create("Can", litres=1)))
    first = farm("GET", f"{V}?limit=2")[1]
    assert [one["id"] for one in first["changesets"]] == [sets[4]["id"], sets[3]["id"]]
    second = farm("GET", f"{V}?limit=2&marker={first['next']}")[1]
    assert [one["id"] for one in second["changesets"]] == [sets[2]["id"], sets[1]["id"]]
    of_shop = farm("GET", f"{V}?api=net-shop&limit=1&since={sets[4]['at']}Z&who=admin")[1]["changesets"]
    assert [one["id"] for one in of_shop] == [sets[4]["id"]]
    assert farm("GET", f"{V}?api=shop")[1]["changesets"] == []
    assert farm("GET", f"{V}?who=nobody")[1]["changesets"] == []
    for wrong in ("limit=0", "limit=x", "since=now", "marker=x", "user=1", "api=a&api=b"):
        assert farm("GET", f"{V}?{wrong}")[0] == 400, wrong
    status, shown = farm("GET", f"{V}/{sets[0]['id']}")
    assert status == 200 and shown["name"] == "n0" and shown["who"] == "admin"
    assert shown["changes"][0]["body"]["lock"] is None and "sesame" not in str(shown)
    assert farm("GET", f"{V}/{uuid.uuid4()}")[0] == 404 and farm("GET", f"{V}/x")[0] == 404
    assert farm("PUT", V, {})[0] == 405 and farm("DELETE", f"{V}/{sets[0]['id']}")[0] == 405


def test_history_begins_at_any_date(farm: Farm) -> None:
    done = farm.do(farm.create("Barn"))
    for since in ("0999-01-01", "2026-01-31T12:00:00+01:00", done["at"], f"{done['at']}Z"):
        found = farm("GET", f"{V}?since={since.replace('+', '%2B')}&limit=1")[1]["changesets"]
        assert [one["id"] for one in found] == [done["id"]], since


def test_undo_brings_back_what_was_and_can_be_undone(farm: Farm) -> None:
    made = farm.do(
        farm.create("Barn", "b", size=5, lock="key"),
        farm.create("Cow", "c", barn_id=ref("b")),
        farm.create("Cow", "d"),
    )
    barn, cow, other = (one["key"] for one in made["changes"])
    farm.do(farm.change("update", "Cow", other, {"friend_id": cow, "herd": [cow, other]}))
    before = farm.state()
    change = farm.do(
        farm.change("delete", "Barn", barn),
        farm.change("update", "Cow", other, {"name": "Elsa"}),
        farm.create("Can"),
    )
    assert farm.state().keys() == {other, change["changes"][2]["key"]}
    after = farm.state()
    plan = farm("POST", f"{V}/{change['id']}/undo?plan=true")[1]
    assert farm.state() == after and plan["undoes"] == change["id"]
    status, fault = farm("POST", f"{V}/{plan['id']}/undo")
    assert (status, fault["code"]) == (404, "not_found") and "was not applied" in fault["detail"], fault
    status, undone = farm("POST", f"{V}/{change['id']}/undo", {})
    assert status == 201, undone
    assert farm.state() == before
    assert [(n["attribute"], n["key"]) for n in undone["not_undone"]] == [("lock", barn)]
    assert farm("GET", f"{V}/{change['id']}")[1]["undone_by"] == undone["id"]
    status, fault = farm("POST", f"{V}/{change['id']}/undo")
    assert (status, fault["code"]) == (409, "changed_since")
    assert farm("POST", f"{V}/{undone['id']}/undo")[0] == 201
    assert farm.state() == after
    status, fault = farm("POST", f"{V}/{plan['id']}/apply")
    assert (status, fault["code"]) == (412, "plan_stale")


def test_undo_is_refused_where_somebody_came_later(farm: Farm) -> None:
    made = farm.do(farm.create("Barn", "b"), farm.create("Cow", "c", barn_id=ref("b")))
    barn, cow = (one["key"] for one in made["changes"])
    gone = farm.do(farm.change("delete", "Cow", cow))
    tag = gone["changes"][0]["old"]["tag"]
    farm.do(farm.change("update", "Barn", barn, {"size": 7}))
    status, fault = farm("POST", f"{V}/{made['id']}/undo")
    assert (status, fault["code"]) == (409, "changed_since")
    assert sorted(e["detail"].split("'")[1] for e in fault["errors"]) == sorted([barn, cow])
    other = farm.do(farm.create("Cow", tag=tag))["changes"][0]["key"]
    status, fault = farm("POST", f"{V}/{gone['id']}/undo")
    assert (status, fault["code"]) == (409, "pool_taken") and fault["errors"][0]["pointer"] == "/changes/0"
    farm.do(farm.change("delete", "Cow", other))
    assert farm("POST", f"{V}/{gone['id']}/undo")[0] == 201
    assert farm.all("Cow")[cow]["tag"] == tag


def test_a_change_set_is_done_once_for_a_key(farm: Farm) -> None:
    word = uuid.uuid4().hex
    body = {"changes": [farm.create("Cow")]}
    first, second = (farm("POST", V, body, idempotency_key=word) for _ in range(2))
    assert first == second and first[0] == 201 and len(farm.state()) == 1
    assert farm("POST", V, {"changes": [farm.create("Can")]}, idempotency_key=word)[0] == 422


def test_what_is_too_much_or_no_change_set_is_refused(farm: Farm) -> None:
    assert farm.refused(*[farm.create("Barn")] * 1001)[:2] == (400, "too_many")
    barn = farm.do(farm.create("Barn", "b"))["changes"][0]["key"]
    for _ in range(2):
        farm.do(*[farm.create("Cow", barn_id=barn)] * 600)
    status, code, _ = farm.refused(farm.change("delete", "Barn", barn))
    assert (status, code) == (409, "too_many")
    status, fault = farm("POST", V, {"changes": [farm.create("Barn", labels={"x": "y" * 5_000_000})]})
    assert status == 413, fault
    bad: list[Any] = [{}, {"changes": {}}, {"changes": []}, {"changes": [farm.create("Can")], "name": 7}]
    for wrong in bad:
        assert farm("POST", V, wrong)[0] == 400
    deep = b'{"changes":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    assert farm.server.request("POST", V, raw=deep)[0] == 400
    nested: Any = "x"
    for _ in range(400):
        nested = {"barn": nested}
    assert farm.refused(farm.create("Cow", home=nested))[0] == 400
    assert farm.refused(farm.create("Cow", home={"$ref": "x"}))[2][0][0] == "/changes/0/body/home/$ref"
    assert farm("POST", f"{V}?plan=yes", {"changes": []})[0] == 400


@pytest.mark.parametrize("anywhere", ["sqlite"], indirect=True)
def test_a_bind_that_a_change_began_is_waited_for(api_anywhere: Api) -> None:
    port = api_anywhere.port()
    body = {"host_id": "host-1", "device_id": str(uuid.uuid4())}
    change = {"op": "update", "api": "net-l3vpn", "plural": "ports", "key": port["id"], "body": body}
    status, done = api_anywhere.server.request("POST", V, {"changes": [change]})
    assert status == 201 and done["changes"][0]["body"]["vif_type"], done
    assert done["changes"][0]["body"] == api_anywhere("GET", f"ports/{port['id']}")[1]
    status, undone = api_anywhere.server.request("POST", f"{V}/{done['id']}/undo")
    assert status == 201, undone
    assert api_anywhere("GET", f"ports/{port['id']}")[1]["device_id"] in (None, "")
