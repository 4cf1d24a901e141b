"""Two projects on one server, of which each may know only its own: by every way that leads to an object, and by every answer.

Each request is sent for an object of the other project and for one that there is none of; both must be answered alike, but for
the key itself. What belongs to HTTP stands in `test_attacks`, what belongs to tokens in `test_attacker`.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.api.personas import OTHER, OWN, PERSONAS, Answer, World, world

MODEL = """
file_version: "2.0"
imports: base-2.0
info: {name: net-shop, version: "2.0", description: Shelves and books.}
pools:
  tags: {type: integer, ranges: ["100-199"]}
objects:
  Shelf:
    extends: BaseObject
    api: {name: shelf, plural_name: shelves}
    pools:
      slots: {type: integer, ranges: ["1-5"]}
    attributes:
      title: {type: string, length: 40}
  Book:
    extends: BaseObject
    api: {name: book, plural_name: books}
    attributes:
      title: {type: string, length: 40}
      price: {type: int32, policies: {get: "role:seller", set: "role:seller"}}
      owner: {type: Shelf, listed_as: owned, policies: {get: "role:seller"}}
      shelf: {type: Shelf, listed_as: books}
      tag: {type: integer, pool: tags, policies: {set: "role:seller"}}
      slot: {type: integer, pool: shelf.slots}
      serial: {type: string, length: 20, unique: global}
  Page:
    extends: BaseObject
    api: {name: page, plural_name: pages, parent: Book, parent_key: book}
    attributes:
      book: {type: Book}
      text: {type: string, length: 40}
"""
API = "/proton/net-shop/v2.0"
SHELVES, BOOKS, SETS = f"{API}/shelves", f"{API}/books", "/gluon/v1/changesets"
OTHERS = {
    "seller": replace(PERSONAS["member"], user="sue", roles=frozenset({"member", "reader", "seller"})),
    "chief": replace(PERSONAS["member"], user="root", roles=frozenset({"admin"}), admin=True),
}
"""The chief is an admin whose token is of a project."""
ATTACKER = "stranger"
PRICE = 1_777_777_777
"""Longer than what a random key has in it now and then."""
PASSING = frozenset({"x-openstack-request-id", "x-gluon-resume", "date"})
"""Headers that differ from answer to answer."""


class Shop:
    """The server, a victim's objects, and keys of none."""

    def __init__(self, site: World, folder: Path) -> None:
        self.site = site
        self.log = folder

    async def fill(self) -> None:
        self.shelf = await self.site.made("seller", SHELVES, {"title": "secret-plan"})
        self.book = await self.site.made(
            "seller",
            BOOKS,
            {
                "title": "secret-plan",
                "shelf": self.shelf["id"],
                "owner": self.shelf["id"],
                "price": PRICE,
                "serial": "s-1",
            },
        )
        self.page = await self.site.made(
            "seller", f"{BOOKS}/{self.book['id']}/pages", {"text": "secret-plan"}
        )

    async def alike(
        self, method: str, target: str, key: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> Answer:
        """The answer of the victim's `key`, the same as that of a key of nothing. `KEY` stands for it in all that is sent."""
        missing = str(uuid.uuid4())
        told = []
        for one in (key, missing):
            text = None if body is None else json.loads(json.dumps(body).replace("KEY", one))
            answer = await self.site.ask(ATTACKER, method, target.replace("KEY", one), text, headers)
            shown = json.dumps(answer.body).replace(one, "KEY")
            if isinstance(answer.body, dict) and "request_id" in answer.body:
                shown = shown.replace(answer.body["request_id"], "REQUEST")
            kept = {n: v for n, v in answer.headers.items() if n not in PASSING}
            told.append((answer.status, shown, kept, answer))
        assert told[0][:3] == told[1][:3]
        for secret in ("secret-plan", OWN, OWN.replace("-", ""), str(PRICE), "alice", "sue"):
            assert secret not in told[0][1], told[0][1]
        return told[0][3]


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "api.yaml").write_text(MODEL, encoding="utf-8")
    async with world(tmp_path, [tmp_path / "model"], others=OTHERS) as site:
        made = Shop(site, tmp_path)
        await made.fill()
        yield made


ETAGS: tuple[dict[str, str], ...] = (
    {}, {"if-match": '"1"'}, {"if-match": '"999999"'}, {"if-match": "*"}, {"if-none-match": "*"}, {"idempotency-key": "k"},
)  # fmt: skip


async def test_an_object_is_missing_whatever_is_done_with_it(shop: Shop) -> None:
    before = await shop.site.ask("seller", "GET", BOOKS)
    for path, key in ((f"{SHELVES}/KEY", shop.shelf["id"]), (f"{BOOKS}/KEY", shop.book["id"])):
        for headers in ETAGS:
            for method, body in (
                ("GET", None), ("HEAD", None), ("OPTIONS", None), ("DELETE", None), ("PUT", {"title": "x"}), ("PATCH", {"title": "x"}),
                ("PUT", {"title": "secret-plan"}), ("PUT", {"id": "KEY"}), ("PUT", {"project_id": OTHER}), ("PATCH", {"title": 5}),
                ("PUT", {}),
            ):  # fmt: skip
                for query in ("", "?dry_run=true"):
                    found = await shop.alike(method, path + query, key, body, headers)
                    assert found.status in ({200} if method == "OPTIONS" else {400, 404, 422}), (body, found)
        for more in (
            "status",
            "books",
            "owned",
            "pages",
            "nothing",
            "books?count=true",
            "pages?watch=true",
            "owned?watch=true",
        ):
            found = await shop.alike("GET", f"{path}/{more}", key)
            assert found.status in {400, 404}, (path, more, found)
        assert (await shop.alike("POST", f"{path}/pages", key, {"text": "x"})).status == 404
    both = f"{BOOKS}/{shop.book['id']}/pages/KEY"
    assert (await shop.alike("GET", both, shop.page["id"])).status == 404
    assert (await shop.site.ask("seller", "GET", BOOKS)).body == before.body


async def test_a_reference_to_it_is_one_to_nothing(shop: Shop) -> None:
    """Also where its pool would give a value, which is not taken then."""
    own = await shop.site.made(ATTACKER, BOOKS, {"title": "mine"})
    for attribute in ("shelf", "owner"):
        for method, target in (
            ("POST", BOOKS),
            ("PUT", f"{BOOKS}/{own['id']}"),
            ("PATCH", f"{BOOKS}/{own['id']}"),
        ):
            for more in ({}, {"slot": 1}, {"slot": 99}):
                for query in ("", "?dry_run=true"):
                    body = {attribute: "KEY", **more}
                    found = await shop.alike(method, target + query, shop.shelf["id"], body)
                    assert found.status in {400, 404, 409}, found
    change = {"api": "net-shop", "type": "Book"}
    for plan in ("", "?plan=true"):
        for changes in (
            [{"op": "create", **change, "body": {"shelf": "KEY"}}],
            [{"op": "create", **change, "body": {"owner": "KEY"}}],
            [{"op": "update", **change, "key": own["id"], "body": {"shelf": "KEY"}}],
            [{"op": "delete", "api": "net-shop", "type": "Shelf", "key": "KEY"}],
            [{"op": "update", "api": "net-shop", "type": "Shelf", "key": "KEY", "body": {"title": "x"}}],
            [{"op": "update", "api": "net-shop", "type": "Shelf", "key": "KEY", "body": {"title": "x"}, "if_match": 1}],
        ):  # fmt: skip
            found = await shop.alike("POST", SETS + plan, shop.shelf["id"], {"name": "x", "changes": changes})
            assert found.status in {400, 404, 409}, (changes, found)
    for n in range(1, 6):  # the whole pool is there still
        made = await shop.site.ask("seller", "POST", BOOKS, {"shelf": shop.shelf["id"]})
        assert made.status == (201 if n < 5 else 409), made


async def test_lists_and_pages_show_nothing_of_it(shop: Shop) -> None:
    own = [await shop.site.made(ATTACKER, SHELVES, {"title": f"mine {n}"}) for n in range(3)]
    key = shop.shelf["id"]
    for query in (
        "id=KEY", "id__in=KEY", "id__lt=KEY", "id__startswith=KEY", "marker=KEY", "marker=KEY&sort_key=title", "marker=KEY&title__ne=x",
        f"project_id={OWN}", f"project_id={OWN}&count=true&limit=0", "count=true", "title__contains=secret&count=true",
        "fields=title&marker=KEY", "sort_key=title&count=true",
    ):  # fmt: skip
        for where in (SHELVES, f"{API}/shelves"):
            found = await shop.site.ask(ATTACKER, "GET", f"{where}?{query.replace('KEY', key)}")
            assert found.status == (400 if "marker" in query else 200), (query, found)
            assert "secret-plan" not in json.dumps(found.body)
            if found.status == 200:
                assert {one.get("id") for one in found.body["shelves"]} <= {one["id"] for one in own}
                assert found.body.get("count", 0) <= len(own)
    for marker in ("marker=KEY", "marker=KEY&sort_key=title", "marker=KEY&title__ne=x"):
        await shop.alike("GET", f"{SHELVES}?{marker}", key)
    for query in ("shelf=KEY", "shelf__ne=KEY", "shelf__in=KEY", "embed=shelf&shelf=KEY"):
        await shop.alike("GET", f"{BOOKS}?{query}", key)


# -- attributes that may not be read ----------------------------------------------------------------


HIDDEN = (
    f"price={PRICE}", "price__lt=2000000000", "price__gt=0", "price__ne=1", f"price__in={PRICE}", "price=",
    "sort_key=price", "sort_key=title,price", "embed=owner", "owner=KEY", "owner__in=KEY", "owner__ne=KEY", f"price={PRICE}&count=true&limit=0",
)  # fmt: skip


async def test_what_may_not_be_read_cannot_be_asked_for(shop: Shop) -> None:
    """By a member of the same project, who lacks a role."""
    key = shop.shelf["id"]
    for query in HIDDEN:
        for where in (
            f"{BOOKS}?",
            f"{SHELVES}/{key}/books?",
            f"{BOOKS}?watch=true&",
            f"{SHELVES}/{key}/books?watch=true&",
        ):
            if "watch" in where and {"sort_key", "embed", "count"} & set(query.replace("=", "&").split("&")):
                continue
            found = await shop.site.ask("member", "GET", where + query.replace("KEY", key))
            assert found.status == 403, (where, query, found)
    for where in (
        f"{SHELVES}/{key}/owned",
        f"{SHELVES}/{key}/owned?watch=true",
        f"{SHELVES}/{key}/owned?count=true",
    ):
        found = await shop.site.ask("member", "GET", where)
        assert found.status == 403, (where, found)
    for query in ("fields=price,owner,title", "fields=price", "fields=title&title=secret-plan"):
        found = await shop.site.ask("member", "GET", f"{BOOKS}?{query}")
        assert found.status == 200 and found.body["books"], found
        for book in found.body["books"]:
            assert not {"price", "owner"} & book.keys(), book
    shown = (await shop.site.ask("member", "GET", f"{BOOKS}/{shop.book['id']}")).body
    assert shown["title"] == "secret-plan" and not {"price", "owner"} & shown.keys()
    for price in (PRICE, 1):  # no answer says which of them it is
        for method in ("PUT", "PATCH"):
            found = await shop.site.ask(
                "member", method, f"{BOOKS}/{shop.book['id']}?dry_run=true", {"price": price}
            )
            assert found.status == 403, found
        change = {
            "op": "update",
            "api": "net-shop",
            "type": "Book",
            "key": shop.book["id"],
            "body": {"price": price},
        }
        found = await shop.site.ask("member", "POST", f"{SETS}?plan=true", {"name": "x", "changes": [change]})
        assert found.status == 403, found


# -- change sets ------------------------------------------------------------------------------------


def book(**more: Any) -> dict[str, Any]:
    return {"op": "create", "api": "net-shop", "type": "Book", "body": {"title": "secret-plan", **more}}


async def test_change_sets_and_plans_belong_to_their_project(shop: Shop) -> None:
    made = await shop.site.made("seller", SETS, {"name": "secret-plan", "changes": [book(serial="s-2")]})
    plan = (
        await shop.site.ask(
            "seller", "POST", f"{SETS}?plan=true", {"name": "secret-plan", "changes": [book()]}
        )
    ).body
    for one in (made["id"], plan["id"]):
        for method, path in (
            ("GET", ""), ("HEAD", ""), ("POST", "/apply"), ("POST", "/undo"), ("POST", "/undo?plan=true"), ("OPTIONS", ""), ("DELETE", ""),
        ):  # fmt: skip
            found = await shop.alike(method, f"{SETS}/KEY{path}", one)
            assert found.status in {404, 405, 200 if method == "OPTIONS" else 404}, found
        found = await shop.alike("GET", f"{SETS}?marker=KEY", one)
        assert found.status == 400
    for query in ("", f"project={OWN}", "who=sue", "api=net-shop", "since=2020-01-01T00:00:00Z"):
        found = await shop.site.ask(ATTACKER, "GET", f"{SETS}?{query}")
        assert (found.status, found.body) == (200, {"changesets": []}), found
    assert (await shop.site.ask("homeless", "GET", SETS)).body == {"changesets": []}
    assert (await shop.site.ask("homeless", "GET", f"{SETS}/{made['id']}")).status == 404
    assert (await shop.site.ask("seller", "POST", f"{SETS}/{plan['id']}/apply")).status == 200


async def test_names_in_a_change_set_are_of_that_set(shop: Shop) -> None:
    """What another set has called `theirs` means nothing here."""
    create = {
        "op": "create",
        "api": "net-shop",
        "type": "Shelf",
        "as": "theirs",
        "body": {"title": "secret-plan"},
    }
    await shop.site.made("seller", SETS, {"name": "x", "changes": [create]})
    for name in ("theirs", "secret-plan", shop.shelf["id"]):
        for reference in ({"$ref": name}, f"${name}", {"name": name}):
            found = await shop.site.ask(
                ATTACKER, "POST", SETS, {"name": "x", "changes": [book(shelf=reference)]}
            )
            assert found.status in {400, 404, 409}, found


async def test_an_undo_gives_nobody_what_he_may_not_set(shop: Shop) -> None:
    """A member takes back what an admin did in his project: only as far as he could have changed it himself."""
    key = shop.book["id"]
    before = (await shop.site.ask("seller", "GET", f"{BOOKS}/{key}")).body
    for body in ({"price": 1}, {"tag": 150}):
        change = {"op": "update", "api": "net-shop", "type": "Book", "key": key, "body": body}
        done = await shop.site.made("chief", SETS, {"name": "x", "changes": [change]})
        for plan in ("?plan=true", ""):
            found = await shop.site.ask("member", "POST", f"{SETS}/{done['id']}/undo{plan}")
            assert found.status == 403, (body, found)
        planned = await shop.site.ask("chief", "POST", f"{SETS}/{done['id']}/undo?plan=true")
        assert planned.status == 200, planned
        found = await shop.site.ask("member", "POST", f"{SETS}/{planned.body['id']}/apply")
        assert found.status == 403, (body, found)
        shown = (await shop.site.ask("seller", "GET", f"{BOOKS}/{key}")).body
        assert shown == {**before, **body, "updated_at": shown["updated_at"]}
        found = await shop.site.ask("seller", "POST", f"{SETS}/{done['id']}/undo")
        assert found.status == 201, found


@pytest.mark.parametrize("way", ["undo", "apply"])
async def test_what_has_gone_to_another_project_is_gone(shop: Shop, way: str) -> None:
    """Who changed it, or planned to, is told no more of it than if it had been deleted."""
    told = []
    for fate in ("moved", "deleted"):
        key = (await shop.site.made("member", SHELVES, {"title": "one"}))["id"]
        change = {"op": "update", "api": "net-shop", "type": "Shelf", "key": key, "body": {"title": "two"}}
        plan = "" if way == "undo" else "?plan=true"
        done = (
            await shop.site.ask("member", "POST", f"{SETS}{plan}", {"name": "x", "changes": [change]})
        ).body
        if fate == "moved":
            moved = await shop.site.ask("chief", "PUT", f"{SHELVES}/{key}", {"project_id": OTHER})
            assert moved.status == 200, moved
        else:
            assert (await shop.site.ask("member", "DELETE", f"{SHELVES}/{key}")).status == 204
        answer = await shop.site.ask("member", "POST", f"{SETS}/{done['id']}/{way}")
        text = json.dumps(answer.body).replace(key, "KEY").replace(answer.body["request_id"], "REQUEST")
        told.append((answer.status, text))
    assert told[0] == told[1]


async def test_an_undo_of_a_delete_gives_back_what_was_there(shop: Shop) -> None:
    """Also values that the server gave, for whom could not set them."""
    made = await shop.site.made("member", SETS, {"name": "x", "changes": [book(serial="s-3")]})
    key = made["changes"][0]["key"]
    shown = (await shop.site.ask("seller", "GET", f"{BOOKS}/{key}")).body
    gone = await shop.site.made(
        "member",
        SETS,
        {"name": "y", "changes": [{"op": "delete", "api": "net-shop", "type": "Book", "key": key}]},
    )
    back = await shop.site.ask("member", "POST", f"{SETS}/{gone['id']}/undo")
    assert back.status == 201, back
    again = (await shop.site.ask("seller", "GET", f"{BOOKS}/{key}")).body
    assert {**again, "updated_at": "", "created_at": ""} == {**shown, "updated_at": "", "created_at": ""}


# -- keys of idempotency, values that are unique, quotas ----------------------------------------------


async def test_a_key_of_idempotency_is_its_callers(shop: Shop) -> None:
    body = {"title": "secret-plan", "serial": "s-9"}
    key = {"idempotency-key": "word"}
    first = await shop.site.ask("seller", "POST", BOOKS, body, key)
    again = await shop.site.ask("seller", "POST", BOOKS, body, key)
    assert again.headers["idempotency-replayed"] == "true" and again.body == first.body
    for who in (ATTACKER, "homeless", "member", "admin"):
        found = await shop.site.ask(who, "POST", BOOKS, body, key)
        assert "idempotency-replayed" not in found.headers
        assert found.status != 422 and first.body["id"] not in json.dumps(found.body), found
    changes = {"name": "x", "changes": [book()]}
    first = await shop.site.ask("seller", "POST", SETS, changes, {"idempotency-key": "set"})
    found = await shop.site.ask(ATTACKER, "POST", SETS, changes, {"idempotency-key": "set"})
    assert (first.status, found.status) == (201, 201)
    assert first.body["id"] != found.body["id"]


async def test_a_value_that_is_unique_over_all_projects_names_no_owner(shop: Shop) -> None:
    for where, body in (
        (BOOKS, {"serial": "s-1"}), (BOOKS, {"id": shop.book["id"]}), (SETS, {"name": "x", "changes": [book(serial="s-1")]}),
    ):  # fmt: skip
        found = await shop.site.ask(ATTACKER, "POST", where, body)
        assert found.status == 409, found
        told = json.dumps(found.body)
        assert OWN not in told and "sue" not in told
        if "serial" in json.dumps(body):
            assert shop.book["id"] not in told, told


async def test_what_is_gluons_own_is_for_operators(shop: Shop) -> None:
    """By members and readers of any project, and by who has no role at all."""
    paths = {
        "/gluon/v1/status": ("GET",), "/gluon/v1/ports": ("GET",), "/gluon/v1/resync": ("POST",), "/metrics": ("GET",),
        "/gluon/v1/protons": ("POST",), "/gluon/v1/protons/net-shop": ("GET", "PUT", "DELETE"),
        f"/gluon/v1/quotas/{OWN}": ("PUT", "DELETE"), f"/gluon/v1/quotas/{OTHER}": ("GET", "PUT", "DELETE"),
        "/gluon/v1/quotas/none": ("GET", "PUT", "DELETE"), "/gluon/v1/quotas/": ("PUT",),
    }  # fmt: skip
    for who in ("member", "reader", "guest", "homeless", "service"):
        for path, methods in paths.items():
            for method in methods:
                if who == "service" and path.endswith(OTHER) and method == "GET":
                    continue  # its own
                found = await shop.site.ask(who, method, path, {} if method in ("POST", "PUT") else None)
                assert found.status in {403, 404, 405}, (who, method, path, found)
                assert "secret-plan" not in str(found.body)
    assert (await shop.site.ask("member", "GET", f"/gluon/v1/quotas/{OWN}")).status == 200
    told = json.dumps((await shop.site.ask(ATTACKER, "GET", "/gluon/v1/protons")).body)
    assert "secret-plan" not in told and OWN not in told
    facts = {"loaded", "epoch", "processes"}  # of hosts, and of who loads models
    assert facts.isdisjoint(json.loads(told))
    assert facts <= (await shop.site.ask("chief", "GET", "/gluon/v1/protons")).body.keys()
