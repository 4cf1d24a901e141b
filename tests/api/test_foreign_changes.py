"""Change sets and plans of two projects on one server, of which each may know only its own (`shop`)."""

from __future__ import annotations

import json

import pytest

from tests.api.personas import OTHER, OWN
from tests.api.shop import ATTACKER, BOOKS, SETS, SHELVES, Shop, book, shop

__all__ = ["shop"]


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


@pytest.mark.parametrize("admin", ["admin", "chief"])
async def test_a_plan_that_an_admin_applies_stays_its_project_s(shop: Shop, admin: str) -> None:
    """Who planned it finds what was done by it, gets the answer when he applies it as well, and may undo it; the admin's name stands there."""
    site, planner = shop.site, "stranger"
    create = {"op": "create", "api": "net-shop", "type": "Shelf", "body": {"title": "planned"}}
    plan = (await site.ask(planner, "POST", f"{SETS}?plan=true", {"name": "x", "changes": [create]})).body
    done = await site.ask(admin, "POST", f"{SETS}/{plan['id']}/apply")
    assert done.status == 200, done
    assert (done.body["who"], done.body["project"]) == ("root" if admin == "chief" else admin, OTHER)
    key = done.body["changes"][0]["key"]
    for method, path in (("POST", "/apply"), ("GET", "")):
        found = await site.ask(planner, method, f"{SETS}/{plan['id']}{path}")
        assert (found.status, found.body["changes"][0]["key"]) == (200, key), found
    listed = (await site.ask(planner, "GET", SETS)).body["changesets"]
    assert [one["id"] for one in listed] == [plan["id"]]
    assert (await site.ask("member", "GET", f"{SETS}/{plan['id']}")).status == 404
    assert (await site.ask(planner, "POST", f"{SETS}/{plan['id']}/undo")).status == 201
    assert (await site.ask(planner, "GET", f"{SHELVES}/{key}")).status == 404


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
