"""Parts of a nested value that are put into one that may not be read: the answer tells nothing of what is there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.api.personas import PERSONAS, world

MODEL = """
file_version: "2.0"
imports: base-2.0
info: {name: net-shop, version: "2.0", description: Books.}
objects:
  Book:
    extends: BaseObject
    api: {name: book, plural_name: books}
    attributes:
      print:
        type: object
        policies: &hidden {get: "role:seller", set: "role:seller"}
        attributes:
          press: {type: string, length: 10, required: true}
          run: {type: int32}
      prices:
        type: map
        max_items: 2
        policies: *hidden
        items: {type: int32}
"""
OTHERS = {
    "seller": replace(PERSONAS["member"], user="sue", roles=frozenset({"member", "reader", "seller"})),
}
BOOKS = "/proton/net-shop/v2.0/books"


@pytest.mark.parametrize("part", [{"print": {"run": 1}}, {"prices": {"c": 3}}, {"prices": {"a": 3}}])
async def test_a_part_is_refused_whatever_is_there(tmp_path: Path, part: Any) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "api.yaml").write_text(MODEL, encoding="utf-8")
    async with world(tmp_path, [tmp_path / "model"], others=OTHERS) as site:
        full = await site.made("seller", BOOKS, {"print": {"press": "x"}, "prices": {"a": 1, "b": 2}})
        bare = await site.made("seller", BOOKS, {})
        for one in (full, bare):
            answer = await site.ask("member", "PATCH", f"{BOOKS}/{one['id']}", part)
            assert (answer.status, answer.body["code"]) == (403, "forbidden"), (one, answer)
            shown = await site.ask("seller", "GET", f"{BOOKS}/{one['id']}")
            assert shown.body["prices"] == one["prices"]
