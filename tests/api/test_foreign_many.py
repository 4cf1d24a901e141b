"""Several objects in one request, of which one is another project's: all of it is refused as if that one were missing."""

from __future__ import annotations

from tests.api.shop import ATTACKER, BOOKS, SHELVES, Shop, shop

__all__ = ["shop"]


async def test_several_at_once_with_one_that_is_foreign(shop: Shop) -> None:
    own = await shop.site.made(ATTACKER, SHELVES, {"title": "mine"})
    for query in ("", "&dry_run=true"):
        found = await shop.alike("DELETE", f"{SHELVES}?id={own['id']}&id=KEY{query}", shop.shelf["id"])
        assert found.status == 404
    several = {"books": [{"title": "a"}, {"title": "b", "shelf": "KEY"}]}
    for query in ("", "?dry_run=true"):
        found = await shop.alike("POST", BOOKS + query, shop.shelf["id"], several)
        assert found.status in {400, 404, 409}
    assert (await shop.site.ask(ATTACKER, "GET", f"{SHELVES}/{own['id']}")).body == own
    assert (await shop.site.ask(ATTACKER, "GET", BOOKS)).body == {"books": []}
    assert (await shop.site.ask("seller", "GET", f"{SHELVES}/{shop.shelf['id']}")).body == shop.shelf


async def test_an_admin_ties_no_objects_of_two_projects(shop: Shop) -> None:
    """So there is nothing that one side could find out of the other by what refers to what."""
    other = await shop.site.made(ATTACKER, BOOKS, {"title": "mine"})
    for method, path in (("POST", BOOKS), ("PUT", f"{BOOKS}/{other['id']}")):
        body = {"project_id": other["project_id"], "title": "x", "shelf": shop.shelf["id"]}
        found = await shop.site.ask("admin", method, path, body)
        assert found.status in {400, 404, 409}, found
