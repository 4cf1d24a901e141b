"""Two projects on one server, of which each may know only its own: by every way that leads to an object, and by every answer.

Each request is sent for an object of the other project and for one that there is none of; both must be answered alike, but for
the key itself. What belongs to HTTP stands in `test_attacks`, what belongs to tokens in `test_attacker`.
"""

from __future__ import annotations

import json

from tests.api.personas import OTHER, OWN
from tests.api.shop import API, ATTACKER, BOOKS, PRICE, SETS, SHELVES, Shop, book, shop

__all__ = ["shop"]

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
        for one in found.body["books"]:
            assert not {"price", "owner"} & one.keys(), one
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
        "/gluon/v1/hosts": ("GET",), "/gluon/v1/hosts/A": ("DELETE",),
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
