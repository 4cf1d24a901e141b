"""What callers of other projects learn of an object: what they would learn of one that does not exist."""

from __future__ import annotations

import re
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

import gluon
from tests.api.personas import OTHER, OWN, Answer, World, world

CATALOG = Path(gluon.__file__).parent / "catalog"
MODEL = """
file_version: "2.0"
imports: base-2.0
info: {name: net-shelf, version: "2.0", description: Shelves and books.}
versions:
  "1.5": {types: {Book: {attributes: {title: label}}}}
objects:
  Shelf:
    extends: BaseObject
    description: It holds books.
    api: {name: shelf, plural_name: shelves}
    attributes:
      project_id: {required: false}
      place: {type: string, policies: {get: "role:keeper and rule:owner", set: rule:admin}}
      colour: {type: string, default: red, policies: {set: rule:admin}}
  Book:
    extends: BaseObject
    description: It stands on a shelf.
    api: {name: book, plural_name: books, parent: Shelf, parent_key: shelf_id}
    attributes:
      shelf_id: {type: Shelf, required: true, listed_as: standing}
      next_id: {type: Book, on_delete: unset}
      grade: {type: integer}
      label: {type: string, length: 64}
    policies:
      list: rule:admin_or_project_reader and not 'hidden':%(name)s
"""
OLD = """
file_version: "2.0"
imports: base-2.0
info: {name: net-shelf, version: "1.5", description: Shelves and books.}
objects:
  Shelf:
    extends: BaseObject
    api: {name: shelf, plural_name: shelves}
    attributes: {project_id: {required: false}}
  Book:
    extends: BaseObject
    api: {name: book, plural_name: books, parent: Shelf, parent_key: shelf_id}
    attributes:
      title: {type: string, length: 64}
      shelf_id: {type: Shelf, required: true}
"""
V2, V1 = "/proton/net-shelf/v2.0", "/proton/net-shelf/v1.5"


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[World]:
    (tmp_path / "net-shelf").mkdir()
    (tmp_path / "net-shelf" / "api.yaml").write_text(MODEL, encoding="utf-8")
    (tmp_path / "net-shelf" / "old.yaml").write_text(OLD, encoding="utf-8")
    async with world(tmp_path, [tmp_path / "net-shelf", CATALOG / "net-l3vpn"]) as running:
        yield running


def said(answer: Answer, key: str) -> Any:
    """All that an answer says, but for the key and the id of the request."""
    headers = {
        k: v for k, v in answer.headers.items() if k not in {"x-request-id", "x-openstack-request-id", "date"}
    }
    text = re.sub(r"req-[0-9a-f-]+", "REQ", repr((answer.status, headers, answer.body)))
    return text.replace(key, "KEY")


async def shelf(server: World, who: str = "member", **more: Any) -> str:
    return str((await server.made(who, f"{V2}/shelves", {"name": "s", **more}))["id"])


async def book(server: World, on: str, who: str = "member", **more: Any) -> str:
    return str((await server.made(who, f"{V2}/books", {"name": "b", "shelf_id": on, **more}))["id"])


async def test_a_foreign_object_answers_as_a_missing_one(server: World) -> None:
    mine = await shelf(server, "stranger")
    there = await shelf(server)
    foreign, missing = await book(server, there), str(uuid.uuid4())
    asked: list[tuple[str, str, Any]] = [
        ("GET", "{}", None),
        ("HEAD", "{}", None),
        ("GET", "{}/status", None),
        ("PUT", "{}", {"name": "x"}),
        ("PUT", "{}", {"id": mine, "name": "x"}),
        ("PUT", "{}", {"shelf_id": mine}),
        ("PUT", "{}", {"project_id": OTHER}),
        ("PUT", "{}", {"status": "x"}),
        ("PATCH", "{}", {"grade": 1}),
        ("DELETE", "{}", None),
        ("PUT", "{}?dry_run=true", {"name": "x"}),
        ("DELETE", "{}?dry_run=true", None),
        ("OPTIONS", "{}", None),
        ("POST", "{}", {}),
        ("GET", "?marker={}", None),
        ("DELETE", "?id={}", None),
        ("POST", "", {"name": "n", "shelf_id": mine, "next_id": "{}"}),
    ]
    for base in (V2, V1):
        for method, form, body in asked:
            for headers in ({}, {"if-match": '"1"'}, {"if-match": "x"}):
                answers = []
                for key in (foreign, missing):
                    target = f"{base}/books" + ("/" if form.startswith("{") else "") + form.format(key)
                    given = (
                        None
                        if body is None
                        else {n: v.format(key) if isinstance(v, str) else v for n, v in body.items()}
                    )
                    answers.append(said(await server.ask("stranger", method, target, given, headers), key))
                assert answers[0] == answers[1], (method, form, body, headers)
    assert (await server.ask("member", "GET", f"{V2}/books/{foreign}")).body["name"] == "b"


async def test_neither_below_nor_beside_it_is_anything(server: World) -> None:
    there = await shelf(server)
    await book(server, there)
    missing = str(uuid.uuid4())
    for base in (V2, V1):
        for method, form, body in [
            ("GET", "{}/books", None),
            ("POST", "{}/books", {"name": "x"}),
            ("GET", "{}/books/" + str(uuid.uuid4()), None),
            ("GET", "{}/standing", None),
            ("GET", "{}/standing?count=true", None),
            ("DELETE", "{}/books?id=" + missing, None),
        ]:  # fmt: skip
            answers = [
                said(await server.ask("stranger", method, f"{base}/shelves/" + form.format(key), body), key)
                for key in (there, missing)
            ]
            assert answers[0] == answers[1], (method, form)


async def test_a_reference_to_it_is_one_to_nothing(server: World) -> None:
    there, missing = await shelf(server), str(uuid.uuid4())
    mine = await shelf(server, "stranger")
    kept = await book(server, mine, "stranger")
    for method, target in (("POST", f"{V2}/books"), ("PUT", f"{V2}/books/{kept}"), ("POST", f"{V1}/books")):
        answers = []
        for key in (there, missing):
            answer = await server.ask("stranger", method, target, {"shelf_id": key})
            assert answer.status == 400 and answer.body["errors"][0]["pointer"] == "/shelf_id"
            answers.append(said(answer, key))
        assert answers[0] == answers[1]


async def test_what_one_may_not_read_cannot_be_referred_to_in_the_own_project_either(server: World) -> None:
    """`guest` has no role in the project, so he sees nothing of it; a rule lets him make books."""
    there = await shelf(server)
    server.replace_rules("net-shelf:create_book: rule:owner")
    told = [
        await server.ask("guest", "POST", f"{V2}/books", {"shelf_id": key})
        for key in (there, str(uuid.uuid4()))
    ]
    assert [a.status for a in told] == [400, 400]
    assert told[0].body["code"] == told[1].body["code"] == "reference"


async def test_what_may_be_read_and_not_changed_is_forbidden(server: World) -> None:
    there = await shelf(server)
    for method, body in (("PUT", {"name": "x"}), ("PATCH", {"name": "x"}), ("DELETE", None)):
        answer = await server.ask("reader", method, f"{V2}/shelves/{there}", body)
        assert answer.status == 403 and "net-shelf:" in answer.body["hint"], answer
    assert (await server.ask("reader", "POST", f"{V2}/shelves", {"name": "x"})).status == 403
    assert (await server.ask("reader", "GET", f"{V2}/shelves/{there}")).status == 200


async def test_still_referred_to_names_only_what_one_may_see(server: World) -> None:
    shared = await shelf(server, "admin", project_id=None)
    foreign = await book(server, shared)
    own = await book(server, shared, "stranger")
    server.replace_rules("net-shelf:delete_shelf: '@'")
    answer = await server.ask("stranger", "DELETE", f"{V2}/shelves/{shared}")
    assert answer.status == 409 and answer.body["code"] == "still_referred"
    assert own in answer.body["detail"] and foreign not in answer.body["detail"]


async def test_what_belongs_to_no_project_is_read_by_all_and_changed_by_admins(server: World) -> None:
    shared = await shelf(server, "admin", project_id=None)
    for who in ("member", "stranger", "reader"):
        assert (await server.ask(who, "GET", f"{V2}/shelves/{shared}")).status == 200
        listed = await server.ask(who, "GET", f"{V2}/shelves?count=true")
        assert [s["id"] for s in listed.body["shelves"]] == [shared] and listed.body["count"] == 1
        assert (await server.ask(who, "PUT", f"{V2}/shelves/{shared}", {"name": "x"})).status == 403
        assert (await server.ask(who, "DELETE", f"{V2}/shelves/{shared}")).status == 403
    assert (await server.ask("member", "POST", f"{V2}/shelves", {"project_id": None})).status == 403
    assert (await server.ask("guest", "GET", f"{V2}/shelves/{shared}")).status == 404


async def test_lists_with_rules_about_rows_are_paged_and_counted_as_seen(server: World) -> None:
    there = await shelf(server)
    keys = [await book(server, there, name="hidden" if n % 3 == 0 else f"b{n}") for n in range(10)]
    seen = sorted(key for n, key in enumerate(keys) if n % 3)
    for query in ("", "&sort_key=name", "&grade="):
        found: list[str] = []
        marker = ""
        while True:
            answer = await server.ask("member", "GET", f"{V2}/books?limit=2&count=true{query}{marker}")
            assert answer.status == 200 and answer.body["count"] == len(seen)
            page = [b["id"] for b in answer.body["books"]]
            found += page
            if "books_links" not in answer.body:
                break
            assert len(page) == 2
            marker = f"&marker={page[-1]}"
        assert sorted(found) == seen
    hidden = next(key for n, key in enumerate(keys) if n % 3 == 0)
    assert (await server.ask("member", "GET", f"{V2}/books?marker={hidden}")).body["code"] == "marker"
    assert (await server.ask("admin", "GET", f"{V2}/books?count=true")).body["count"] == 10
    below = await server.ask("member", "GET", f"{V2}/shelves/{there}/standing?count=true")
    assert below.body["count"] == len(seen)


async def test_an_attribute_that_one_may_not_read_is_nowhere(server: World) -> None:
    there = await shelf(server, "admin", project_id=OWN, place="cellar")
    on = await book(server, there)
    at = f"{V2}/shelves/{there}"
    assert (await server.ask("admin", "GET", at)).body["place"] == "cellar"
    for method, target, body in [
        ("GET", at, None),
        ("PUT", at, {"name": "x"}),
        ("PATCH", at, {"name": "y"}),
        ("PUT", at + "?dry_run=true", {"name": "z"}),
        ("GET", f"{V2}/shelves", None),
        ("GET", f"{V2}/shelves?fields=id,place", None),
        ("GET", f"{V2}/books?embed=shelf_id", None),
        ("GET", f"{V2}/books/{on}", None),
        ("PUT", at, {"place": "attic"}),
        ("PUT", at, {"place": "cellar"}),
    ]:  # fmt: skip
        answer = await server.ask("member", method, target, body)
        assert "cellar" not in repr(answer.body), (method, target)
        assert answer.status == (403 if body and "place" in body else 200)
    for query in ("place=cellar", "place__ne=x", "sort_key=place", "place__in=cellar", "place__contains=c"):
        answer = await server.ask("member", "GET", f"{V2}/shelves?{query}")
        assert answer.status == 403 and "place" in answer.body["detail"], query
    assert (await server.ask("admin", "GET", f"{V2}/shelves?place=cellar&count=true")).body["count"] == 1


async def test_an_attribute_that_one_may_not_set_is_refused_by_name(server: World) -> None:
    answer = await server.ask("member", "POST", f"{V2}/shelves", {"name": "s", "colour": "blue"})
    assert answer.status == 403
    assert [p["pointer"] for p in answer.body["errors"]] == ["/colour"]
    there = await shelf(server, colour="red")  # the default is what he would have got
    at = f"{V2}/shelves/{there}"
    assert (await server.ask("member", "PUT", at, {"colour": "red", "name": "x"})).status == 200
    answer = await server.ask("member", "PUT", at, {"colour": "blue"})
    assert answer.status == 403 and answer.body["errors"][0]["pointer"] == "/colour"
    answer = await server.ask(
        "member", "POST", f"{V2}/shelves", {"shelves": [{"name": "a"}, {"colour": "blue"}]}
    )
    assert answer.status == 403 and answer.body["errors"][0]["pointer"] == "/shelves/1/colour"
    assert (await server.ask("admin", "PUT", at, {"colour": "blue"})).status == 200
    whole = (await server.ask("member", "GET", at)).body
    for name in ("created_at", "updated_at"):
        del whole[name]
    assert (await server.ask("member", "PUT", at, whole)).status == 200


async def test_a_new_object_belongs_to_the_callers_project(server: World) -> None:
    answer = await server.made("member", "/proton/net-l3vpn/v1.0/vpns", {"name": "blue"})
    assert answer["tenant_id"] == OWN
    short = OWN.replace("-", "")
    answer = await server.made("member", "/proton/net-l3vpn/v1.0/vpns", {"name": "blue", "tenant_id": short})
    assert answer["tenant_id"] == short
    listed = await server.ask("member", "GET", "/proton/net-l3vpn/v1.0/vpns")
    assert len(listed.body["vpns"]) == 2
    assert (await server.made("member", f"{V1}/shelves", {}))["project_id"] == OWN
    answer_ = await server.ask("member", "POST", f"{V2}/shelves", {"project_id": OTHER})
    assert answer_.status == 403
    there = await shelf(server)
    answer_ = await server.ask("member", "PUT", f"{V2}/shelves/{there}", {"project_id": OTHER})
    assert answer_.status == 403 and answer_.body["errors"][0]["pointer"] == "/project_id"


async def test_a_file_changes_what_is_allowed_at_once(server: World) -> None:
    there = await shelf(server)
    assert (await server.ask("stranger", "GET", f"{V2}/shelves/{there}")).status == 404
    server.replace_rules("net-shelf:get_shelf: role:reader\nnet-shelf:get_shelf:name: rule:owner")
    answer = await server.ask("stranger", "GET", f"{V2}/shelves/{there}")
    assert answer.status == 200 and "name" not in answer.body
    assert "name" in (await server.ask("member", "GET", f"{V2}/shelves/{there}")).body
