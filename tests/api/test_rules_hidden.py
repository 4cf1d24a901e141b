"""What a rule tells of an object that breaks it has nothing that policies hide from who is told."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.api.personas import PERSONAS, world

MODEL = """
file_version: "2.0"
imports: base-2.0
info: {name: net-shop, version: "2.0", description: Books.}
objects:
  Shelf:
    extends: BaseObject
    api: {name: shelf, plural_name: shelves}
    attributes:
      most: {type: integer, default: 500}
      weight: {type: integer, default: 4711, policies: {get: "role:seller"}}
  Book:
    extends: BaseObject
    api: {name: book, plural_name: books}
    attributes:
      shelf: {type: Shelf, required: true}
      pages: {type: integer, default: 1}
      cost: {type: integer, default: 321, policies: {get: "role:seller", set: "role:seller"}}
    checks:
      - {rule: "self.cost + self.pages <= self.shelf.most", message: too dear}
      - {rule: "self.pages < self.shelf.weight", message: too heavy}
"""
OTHERS = {
    "seller": replace(PERSONAS["member"], user="sue", roles=frozenset({"member", "reader", "seller"})),
}
V2 = "/proton/net-shop/v2.0"


@pytest.mark.parametrize("who", ["member", "seller"])
async def test_a_rule_tells_what_the_caller_may_read(tmp_path: Path, who: str) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "api.yaml").write_text(MODEL, encoding="utf-8")
    async with world(tmp_path, [tmp_path / "model"], others=OTHERS) as site:
        shelf = await site.made("seller", f"{V2}/shelves", {})
        book = await site.made("seller", f"{V2}/books", {"shelf": shelf["id"]})
        for method, path, body in (
            ("PUT", f"shelves/{shelf['id']}", {"most": 3}),
            ("PUT", f"books/{book['id']}", {"pages": 9999}),
            ("POST", "books", {"shelf": shelf["id"], "pages": 9999}),
        ):
            answer = await site.ask(who, method, f"{V2}/{path}", body)
            assert answer.body["code"] == "rule", answer
            told = str(answer.body)
            assert "self.shelf.most is" in told
            assert ("321" in told) is (who == "seller")
            assert ("4711" in told) is (who == "seller" and "pages" in body)
