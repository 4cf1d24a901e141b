"""Changes on a client's terms: merge patches, tries, once only, several in one; over HTTP and on each database."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from gluon.testing.product import GluonServer
from tests.api.conftest import DATABASES, served

MODEL = """
file_version: "2.0"
imports: base-2.0
info: {name: net-farm, version: "2.0", description: Fields and herds.}
pools:
  tags: {type: vlan, ranges: [10-14], rest: 0}
objects:
  Barn:
    extends: BaseObject
    description: A house.
    api: {name: barn, plural_name: barns}
    attributes:
      code: {type: string, length: 8, unique: global}
      size: {type: int32, default: 10, min: 1, max: 99}
      place:
        type: object
        attributes:
          street: {type: string, required: true}
          number: {type: integer}
          notes: {type: map, items: {type: string}}
      labels: {type: map, items: {type: string}, default: {}}
    quota: 1500
  Cow:
    extends: BaseObject
    description: One of a herd.
    api: {name: cow, plural_name: cows}
    attributes:
      barn_id: {type: Barn, on_delete: restrict}
      tag: {type: vlan, pool: tags}
"""
V = "/proton/net-farm/v2.0"


@pytest.fixture(scope="module", params=DATABASES)
def server(request: pytest.FixtureRequest) -> Iterator[GluonServer]:
    with served(request, "--no-shims", net_farm=MODEL) as running:
        yield running


class Farm:
    """The proton as one project uses it."""

    def __init__(self, server: GluonServer) -> None:
        self.server = server
        self.project = str(uuid.uuid4())

    def __call__(
        self, method: str, path: str, body: Any = None, **headers: str
    ) -> tuple[int, dict[str, str], Any]:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.server.exchange(method, f"{V}/{path}", body, headers=named)

    def make(self, plural: str, **body: Any) -> Any:
        status, _, made = self("POST", plural, self.body(**body))
        assert status == 201, made
        return made

    def body(self, **body: Any) -> dict[str, Any]:
        return {"project_id": self.project, **body}

    def all(self, plural: str) -> list[Any]:
        return [b for b in self("GET", plural)[2][plural] if b["project_id"] == self.project]

    def refused(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, str, str]:
        status, _, fault = self(method, path, body, **headers)
        assert status >= 400, fault
        return status, fault["code"], fault["errors"][0]["pointer"] if fault["errors"] else ""


@pytest.fixture
def farm(server: GluonServer) -> Iterator[Farm]:
    farm = Farm(server)
    yield farm
    for plural in ("cows", "barns"):
        keys = [b["id"] for b in farm.all(plural)]
        for n in range(0, len(keys), 500):
            asked = "&".join(f"id={key}" for key in keys[n : n + 500])
            assert farm("DELETE", f"{plural}?{asked}")[0] == 204


# -- merge patch ------------------------------------------------------------------------------


def test_a_patch_changes_members_of_nested_values_and_null_removes_one(farm: Farm) -> None:
    barn = farm.make(
        "barns", place={"street": "Mill", "number": 4, "notes": {"a": "1", "b": "2"}}, labels={"x": "1"}
    )
    path = f"barns/{barn['id']}"
    patch = {"place": {"number": 5, "notes": {"a": None, "c": "3"}}, "labels": {"y": "2"}, "size": 20}
    status, headers, changed = farm("PATCH", path, patch, content_type="application/merge-patch+json")
    assert status == 200
    assert changed["place"] == {"street": "Mill", "number": 5, "notes": {"b": "2", "c": "3"}}
    assert changed["labels"] == {"x": "1", "y": "2"} and changed["size"] == 20
    assert farm("GET", path)[2] == changed
    assert farm.refused("PATCH", path, {"size": None, "name": "red"}) == (400, "required", "/size")
    assert farm.refused("PATCH", path, {"place": {"street": None}}) == (400, "required", "/place/street")
    assert farm.refused("PATCH", path, {"place": {"number": "x"}})[::2] == (400, "/place/number")
    assert farm("PUT", path, {"labels": {"z": "3"}})[2]["labels"] == {"z": "3"}
    assert farm("PATCH", path, {"place": None})[2]["place"] is None
    assert farm("PATCH", path, {"place": {"street": "Hill"}})[2]["place"]["street"] == "Hill"
    assert farm("PATCH", path, {}, if_match='"1"')[0] == 412
    etag = farm("GET", path)[1]["etag"]
    assert farm("PATCH", path, {"size": 3}, if_match=etag)[0] == 200
    assert headers["etag"] != etag


def test_patches_of_many_at_once_all_hold(farm: Farm) -> None:
    path = f"barns/{farm.make('barns')['id']}"
    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda n: farm("PATCH", path, {"labels": {f"k{n}": "v"}})[0], range(40)))
    assert set(done) == {200}
    assert farm("GET", path)[2]["labels"] == {f"k{n}": "v" for n in range(40)}


def test_a_patch_of_any_depth_is_answered(farm: Farm) -> None:
    path = f"barns/{farm.make('barns')['id']}"
    deep = b'{"place":' + b'{"notes":' * 5000 + b"1" + b"}" * 5001
    status, _, fault = farm.server.exchange("PATCH", f"{V}/{path}", raw=deep)
    assert status == 400 and fault["code"]


# -- only tried -------------------------------------------------------------------------------


def test_what_is_tried_is_judged_and_leaves_nothing(farm: Farm) -> None:
    barn = farm.make("barns", code=uuid.uuid4().hex[:8])
    path = f"barns/{barn['id']}"
    status, _, would = farm("POST", "cows?dry_run=true", farm.body(barn_id=barn["id"]))
    assert status == 201 and would["tag"] == 10
    assert farm.all("cows") == []
    assert farm("PUT", f"{path}?dry_run=true", {"size": 77})[2]["size"] == 77
    assert farm("PATCH", f"{path}?dry_run=true", {"size": 78})[2]["size"] == 78
    assert farm("DELETE", f"{path}?dry_run=true")[0] == 204
    assert farm("GET", path)[2] == barn
    assert farm.refused("POST", "barns?dry_run=true", farm.body(code=barn["code"]))[:2] == (409, "taken")
    assert farm.refused("POST", "barns?dry_run=true", farm.body(size=100))[2] == "/size"
    assert farm("POST", "barns?dry_run=false", farm.body())[0] == 201
    for wrong in ("dry_run=yes", "dry_run=", "dry_run=true&dry_run=true", "force=1"):
        assert farm.refused("POST", f"barns?{wrong}", farm.body())[:2] == (400, "argument")


# -- once only --------------------------------------------------------------------------------


def test_a_change_is_done_once_however_often_it_is_asked_for(farm: Farm) -> None:
    word, body = uuid.uuid4().hex, farm.body(name="one")
    first = farm("POST", "cows", body, idempotency_key=word)
    second = farm("POST", "cows", body, idempotency_key=f'"{word}"')
    assert first[0] == second[0] == 201 and first[2] == second[2]
    assert first[1]["etag"] == second[1]["etag"]
    assert "idempotency-replayed" not in first[1] and second[1]["idempotency-replayed"] == "true"
    assert len(farm.all("cows")) == 1
    status, _, fault = farm("POST", "cows", {**body, "name": "two"}, idempotency_key=word)
    assert (status, fault["code"]) == (422, "idempotency_key")
    assert farm("POST", "barns", body, idempotency_key=word)[0] == 422, "another path"
    path = f"cows/{first[2]['id']}"
    gone = uuid.uuid4().hex
    assert [farm("DELETE", path, idempotency_key=gone)[0] for _ in range(2)] == [204, 204]
    assert farm("DELETE", path)[0] == 404
    for wrong in ("", "a b", "x" * 256, "ä".encode().decode("latin-1")):
        assert farm.refused("POST", "cows", body, idempotency_key=wrong)[:2] == (400, "idempotency_key")


def test_of_many_that_ask_at_once_one_does_it(farm: Farm) -> None:
    word, body = uuid.uuid4().hex, farm.body()
    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda _: farm("POST", "barns", body, idempotency_key=word), range(24)))
    assert {status for status, _, _ in done} == {201} and len({b["id"] for _, _, b in done}) == 1
    assert len(farm.all("barns")) == 1


def test_what_was_refused_may_be_asked_for_again(farm: Farm) -> None:
    word, code = uuid.uuid4().hex, uuid.uuid4().hex[:8]
    first = farm.make("barns", code=code)
    body = farm.body(code=code)
    assert farm("POST", "barns", body, idempotency_key=word)[0] == 409
    assert farm("DELETE", f"barns/{first['id']}")[0] == 204
    assert farm("POST", "barns", body, idempotency_key=word)[0] == 201


# -- several in one ---------------------------------------------------------------------------


def test_several_are_made_or_none(farm: Farm) -> None:
    code = uuid.uuid4().hex[:8]
    status, _, made = farm("POST", "barns", {"barns": [farm.body(code=code), farm.body(size=5)]})
    assert status == 201 and [b["size"] for b in made["barns"]] == [10, 5]
    assert sorted(b["id"] for b in farm.all("barns")) == sorted(b["id"] for b in made["barns"])
    # the third of them is taken by the first
    twins = [farm.body(code="twin"), farm.body(), farm.body(code="twin")]
    status, _, fault = farm("POST", "barns", {"barns": twins})
    assert (status, fault["code"]) == (409, "taken") and fault["detail"].startswith("/barns/2")
    wrong = [farm.body(size=0), farm.body(), farm.body(size="x"), 7]
    status, _, fault = farm("POST", "barns", {"barns": wrong})
    assert status == 400
    assert [e["pointer"] for e in fault["errors"]] == ["/barns/0/size", "/barns/2/size", "/barns/3"]
    assert farm.refused("POST", "barns", {"barns": []})[:2] == (400, "required")
    assert farm.refused("POST", "barns", {"barns": [farm.body()] * 1001})[:2] == (400, "too_many")
    assert len(farm.all("barns")) == 2


def test_several_take_different_values_of_a_pool_or_none(farm: Farm) -> None:
    status, _, made = farm("POST", "cows", {"cows": [farm.body()] * 5})
    assert status == 201 and sorted(c["tag"] for c in made["cows"]) == [10, 11, 12, 13, 14]
    keys = "&".join(f"id={c['id']}" for c in made["cows"][:3])
    assert farm("DELETE", f"cows?{keys}&dry_run=true")[0] == 204 and len(farm.all("cows")) == 5
    assert farm("DELETE", f"cows?{keys}")[0] == 204 and len(farm.all("cows")) == 2
    status, _, fault = farm("POST", "cows", {"cows": [farm.body()] * 4})
    assert (status, fault["code"]) == (409, "pool_exhausted")
    assert len(farm.all("cows")) == 2
    assert farm("POST", "cows", {"cows": [farm.body()] * 3})[0] == 201


def test_several_are_deleted_or_none(farm: Farm) -> None:
    one, two = farm.make("barns"), farm.make("barns")
    cow = farm.make("cows", barn_id=two["id"])
    both = f"barns?id={one['id']}&id={two['id']}"
    status, _, fault = farm("DELETE", both)
    assert status == 409 and cow["id"] in fault["detail"] and len(farm.all("barns")) == 2
    assert farm("DELETE", f"barns?id={one['id']}&id={uuid.uuid4()}")[0] == 404
    assert farm.refused("DELETE", "barns")[:2] == (400, "required")
    assert farm.refused("DELETE", f"barns?id={one['id']}&name=x")[:2] == (400, "argument")
    assert farm("DELETE", f"cows/{cow['id']}")[0] == 204
    word = uuid.uuid4().hex
    assert [farm("DELETE", both, idempotency_key=word)[0] for _ in range(2)] == [204, 204]
    assert farm("DELETE", f"barns?id={one['id']}", idempotency_key=word)[0] == 422
    assert farm.all("barns") == []


def test_several_are_deleted_only_as_they_were_read(farm: Farm) -> None:
    one, two = farm.make("barns"), farm.make("barns")
    both = f"barns?id={one['id']}&id={two['id']}"
    first, second = (farm("GET", f"barns/{barn['id']}")[1]["etag"] for barn in (one, two))
    for short in ('"1"', first, second, ""):
        status, _, fault = farm("DELETE", both, if_match=short)
        assert (status, fault["code"]) == (412, "stale"), short
    assert farm("PATCH", f"barns/{two['id']}", {"labels": {"x": "y"}})[0] == 200
    assert farm("DELETE", both, if_match=f"{first}, {second}")[0] == 412
    assert len(farm.all("barns")) == 2
    second = farm("GET", f"barns/{two['id']}")[1]["etag"]
    assert farm("DELETE", both, if_match=f"{first}, {second}")[0] == 204
    assert farm.all("barns") == []


def test_a_thousand_in_one(farm: Farm) -> None:
    status, _, made = farm("POST", "barns", {"barns": [farm.body(name=f"b{n}") for n in range(1000)]})
    assert status == 201 and [b["name"] for b in made["barns"]] == [f"b{n}" for n in range(1000)]
    status, _, fault = farm("POST", "barns", {"barns": [farm.body() for _ in range(501)]})
    assert (status, fault["code"]) == (409, "quota")
    assert len(farm.all("barns")) == 1000
