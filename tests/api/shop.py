"""A server with two projects, of which each may know only its own; the attacker is of the other one.

Each request of `Shop.alike` is sent for an object of the other project and for one that there is none of; both must be answered alike, but
for the key itself.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.api.personas import OWN, PERSONAS, Answer, World, world

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


def book(**more: Any) -> dict[str, Any]:
    return {"op": "create", "api": "net-shop", "type": "Book", "body": {"title": "secret-plan", **more}}


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    """On a server of its own, with the victim's objects."""
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "api.yaml").write_text(MODEL, encoding="utf-8")
    async with world(tmp_path, [tmp_path / "model"], others=OTHERS) as site:
        made = Shop(site, tmp_path)
        await made.fill()
        yield made
