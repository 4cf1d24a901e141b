"""Filters, orders, pages, fields, counts and embedded objects of a 2.0 proton; over HTTP and on each database."""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from gluon.cli import lists
from gluon.client.http import Client
from gluon.testing.product import GluonServer
from tests.api.conftest import DATABASES, served

MODEL = """
file_version: "2.0"
imports: base-2.0
info: {name: net-shelf, version: "2.0", description: Shelves and books.}
objects:
  Shelf:
    extends: BaseObject
    description: It holds books.
    api: {name: shelf, plural_name: shelves}
    attributes:
      code: {type: string, length: 8}
  Book:
    extends: BaseObject
    description: It stands on a shelf.
    api: {name: book, plural_name: books}
    attributes:
      shelf_id: {type: Shelf, on_delete: cascade, listed_as: standing}
      title: {type: string, length: 40}
      text: {type: string, length: 4000}
      pages: {type: int32, min: 1, max: 9999}
      lent: {type: boolean}
      address: {type: ip}
      net: {type: cidr}
      pin: {type: string, secret: true}
      tags: {type: list, items: {type: string}}
      limit: {type: int32}
"""
V = "/proton/net-shelf/v2.0"
OWNER = {"project_id": "7d3c2c0e-5b7f-4e4b-9d6f-0f1b6e1e9a55"}
Books = list[dict[str, Any]]


@pytest.fixture(scope="module", params=DATABASES)
def server(request: pytest.FixtureRequest) -> Iterator[GluonServer]:
    with served(request, "--no-shims", net_shelf=MODEL) as running:
        yield running


@pytest.fixture
def shelf(server: GluonServer) -> dict[str, Any]:
    status, made = server.request("POST", f"{V}/shelves", {"code": uuid.uuid4().hex[:8], **OWNER})
    assert status == 201, made
    return dict(made)


@pytest.fixture
def books(server: GluonServer, shelf: dict[str, Any]) -> Books:
    titles = ["a", "A", "b", "ab", "ä", None, "", "a%", "\U0001f600", "a,b"]
    bodies = [
        {
            "shelf_id": shelf["id"],
            "title": title,
            "text": "long",
            "pages": [7, 10, None][n % 3],
            "lent": [True, False, None][n % 3],
            "address": ["10.0.0.9", "10.1.0.1", "2001:db8::1", None][n % 4],
            "net": ["10.0.0.0/24", "10.0.0.0/8", None][n % 3],
            "pin": "1234",
            "limit": n,
            **OWNER,
        }
        for n, title in enumerate(titles)
    ]
    status, made = server.request("POST", f"{V}/books", {"books": bodies})
    assert status == 201, made
    return sorted(made["books"], key=lambda book: str(book["id"]))


class Listing:
    """GET of the books of one shelf."""

    def __init__(self, server: GluonServer, shelf: dict[str, Any]) -> None:
        self.server = server
        self.shelf = shelf["id"]

    def get(self, *pairs: tuple[str, str]) -> tuple[int, Any]:
        query = urlencode([("shelf_id", self.shelf), *pairs])
        return self.server.request("GET", f"{V}/books?{query}")

    def __call__(self, *pairs: tuple[str, str]) -> Books:
        status, answer = self.get(*pairs)
        assert status == 200, answer
        return list(answer["books"])

    def wrong(self, *pairs: tuple[str, str]) -> dict[str, Any]:
        status, answer = self.get(*pairs)
        assert status == 400, answer
        return dict(answer["errors"][0])


@pytest.fixture
def ask(server: GluonServer, shelf: dict[str, Any]) -> Listing:
    return Listing(server, shelf)


def test_filters(ask: Listing, books: Books) -> None:
    def those(test: Any) -> Books:
        return [b for b in books if test(b)]

    assert ask() == books
    assert ask(("title", "a")) == those(lambda b: b["title"] == "a")
    assert ask(("title", "a"), ("title", "b")) == those(lambda b: b["title"] in ("a", "b"))
    assert ask(("title__in", "a,b")) == those(lambda b: b["title"] in ("a", "b"))
    assert ask(("title", "a,b")) == those(lambda b: b["title"] == "a,b")
    assert ask(("title", "")) == those(lambda b: not b["title"])
    assert ask(("title__ne", "a"), ("title__ne", "b")) == those(lambda b: b["title"] not in ("a", "b"))
    assert ask(("title__ne", "")) == those(lambda b: b["title"])
    assert ask(("title__contains", "%")) == those(lambda b: b["title"] == "a%")
    assert ask(("title__startswith", "a")) == those(lambda b: str(b["title"]).startswith("a"))
    assert ask(("title__gt", "b")) == those(lambda b: (b["title"] or "") > "b")
    assert ask(("pages__lt", "10")) == those(lambda b: b["pages"] == 7)
    assert ask(("pages__ge", "7"), ("lent", "true")) == those(lambda b: b["lent"] is True)
    assert ask(("lent", ""), ("lent", "false")) == those(lambda b: b["lent"] is not True)
    assert ask(("limit__eq", "3")) == those(lambda b: b["limit"] == 3)
    assert ask(("created_at__ge", "2020-01-01T00:00:00")) == books


def test_what_lies_in_a_prefix(ask: Listing, books: Books) -> None:
    four = [b for b in books if str(b["address"]).startswith("10.")]
    assert ask(("address__within", "10.0.0.0/8")) == four
    assert ask(("address__within", "10.0.0.9")) == [b for b in books if b["address"] == "10.0.0.9"]
    assert ask(("net__within", "10.0.0.0/16")) == [b for b in books if b["net"] == "10.0.0.0/24"]
    assert "10.0.0.0/8" in ask.wrong(("address__within", "10.0.0.1/8"))["detail"]


def test_the_normal_form_counts(ask: Listing, books: Books) -> None:
    assert ask(("address", "2001:DB8:0::1")) == [b for b in books if b["address"] == "2001:db8::1"]


def test_orders(ask: Listing, books: Books) -> None:
    def by(book: dict[str, Any]) -> tuple[int, str, str]:
        return (-(book["pages"] or 0), book["title"] or "", book["id"])

    found = ask(("sort_key", "pages"), ("sort_dir", "desc"), ("sort_key", "title"))
    assert [b["pages"] for b in found] == [b["pages"] for b in sorted(books, key=by)]
    nulls_first = ask(("sort_key", "title"))
    assert [b["title"] for b in nulls_first] == [
        None,
        *sorted(b["title"] for b in books if b["title"] is not None),
    ]
    assert ask(("sort_key", "id"), ("sort_dir", "desc")) == books[::-1]


@pytest.mark.parametrize(
    "order", [(), (("sort_key", "pages"),), (("sort_key", "lent,id"), ("sort_dir", "desc,asc"))]
)
def test_links_lead_through_all_pages(
    server: GluonServer, ask: Listing, books: Books, order: tuple[tuple[str, str], ...]
) -> None:
    whole, seen = ask(*order), []
    status, answer = ask.get(*order, ("limit", "3"), ("count", "true"))
    while True:
        assert status == 200 and answer["count"] == len(books), answer
        seen += answer["books"]
        links = answer.get("books_links")
        if links is None:
            break
        assert len(answer["books"]) == 3
        status, answer = server.request("GET", links[0]["href"])
    assert seen == whole


def test_a_walk_sees_each_once_while_others_write(server: GluonServer, ask: Listing, books: Books) -> None:
    status, answer = ask.get(("limit", "4"))
    assert server.request("DELETE", f"{V}/books/{answer['books'][0]['id']}")[0] == 204
    made = server.request("POST", f"{V}/books", {"shelf_id": ask.shelf, "title": "new", **OWNER})[1]
    status, rest = server.request("GET", answer["books_links"][0]["href"].replace("limit=4", "limit=100"))
    assert status == 200
    assert [b["id"] for b in rest["books"] if b["id"] != made["id"]] == [b["id"] for b in books[4:]]


def test_a_marker_of_nothing(ask: Listing, books: Books, server: GluonServer) -> None:
    assert books
    other = server.request("POST", f"{V}/books", {"title": "elsewhere", **OWNER})[1]
    status, answer = server.request("GET", f"{V}/shelves/{ask.shelf}/standing?marker={other['id']}")
    assert status == 400 and answer["errors"][0]["code"] == "marker"
    for marker in (str(uuid.uuid4()), "no-key", ""):
        assert ask.wrong(("marker", marker))["code"] == "marker"


def test_fields_count_and_none_at_all(ask: Listing, books: Books) -> None:
    assert ask(("fields", "id,title"), ("fields", "pages")) == [
        {"id": b["id"], "title": b["title"], "pages": b["pages"]} for b in books
    ]
    assert ask.get(("limit", "0"), ("count", "true"))[1] == {"books": [], "count": len(books)}
    assert ask.get(("count", "true"), ("pages", "7"))[1]["count"] == sum(b["pages"] == 7 for b in books)


def test_embedded_objects(server: GluonServer, ask: Listing, books: Books) -> None:
    shelf = server.request("GET", f"{V}/shelves/{ask.shelf}")[1]
    found = ask(("embed", "shelf_id"), ("fields", "id"))
    assert found == [{"id": b["id"], "_embedded": {"shelf_id": shelf}} for b in books]


def test_listings_take_the_same(server: GluonServer, shelf: dict[str, Any], books: Books) -> None:
    status, answer = server.request("GET", f"{V}/shelves/{shelf['id']}/standing?title=a&fields=title")
    assert (status, answer) == (200, {"books": [{"title": "a"}]})


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("colour", "red", "shelf_id"),
        ("colour", "red", "sort_key"),
        ("title__like", "a", "title__contains"),
        ("lent__lt", "true", "lent__ne"),
        ("address__lt", "10.0.0.1", "address__within"),
        ("pin", "1234", "known here"),
        ("pin__startswith", "1", "known here"),
        ("tags", "x", "known here"),
        ("sort_key", "pin", "title"),
        ("sort_key", "text", "title"),
        ("sort_dir", "asc", "sort_key"),
        ("fields", "pin", "title"),
        ("embed", "title", "shelf_id"),
        ("limit", "1001", "1000"),
        ("limit", "-1", "1000"),
        ("count", "yes", "count=true"),
        ("pages", "many", ""),
        ("pages", "10000", ""),
        ("lent", "1", "true"),
        ("address", "10.0.0", ""),
        ("title", "a\0", ""),
        ("created_at__gt", "yesterday", "2026"),
    ],
)
def test_what_means_nothing_is_refused(ask: Listing, name: str, value: str, said: str) -> None:
    problem = ask.wrong((name, value))
    assert name.partition("__")[0] in problem["detail"]
    assert said in problem["hint"]
    assert "pin" not in problem["hint"]


def test_all_problems_at_once_and_no_strange_bytes(server: GluonServer) -> None:
    status, answer = server.request("GET", f"{V}/books?a=1&b=2&pages=x&limit=z")
    assert status == 400 and len(answer["errors"]) == 4
    for query in ("%ff=1", "title=%ff", "title=%ed%a0%80"):
        assert server.request("GET", f"{V}/books?{query}")[0] == 400
    for text in ("' OR 1=1 --", '"', "\\", "%", "?", "$1", "{}"):
        for name in ("title", "title__contains", "title__startswith", "title__lt"):
            assert server.request("GET", f"{V}/books?{name}={quote(text)}")[0] == 200


def test_by_command(server: GluonServer, ask: Listing, books: Books) -> None:
    def run(*options: str) -> dict[str, Any]:
        words = ["protonclient", "--api", "net-shelf", "--port", str(server.port), "book-list"]
        done = subprocess.run(
            [str(Path(sys.executable).parent / words[0]), *words[1:], "--filter", f"shelf_id={ask.shelf}", *options],
            capture_output=True, text=True, check=True, timeout=60,
        )  # fmt: skip
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    assert run() == {"books": books}
    assert run("--limit", "2", "--sort-key", "id", "--sort-dir", "desc")["books"] == books[:-3:-1]
    assert run("--count", "--filter", "title=a", "--fields", "title") == {
        "books": [{"title": "a"}],
        "count": 1,
    }


def test_a_command_prints_all_pages(server: GluonServer, shelf: dict[str, Any]) -> None:
    for start in range(0, 1100, 100):
        bodies = [{"shelf_id": shelf["id"], "pages": n + 1, **OWNER} for n in range(start, start + 100)]
        assert server.request("POST", f"{V}/books", {"books": bodies})[0] == 201
    status, answer = server.request("GET", f"{V}/shelves/{shelf['id']}/standing")
    assert status == 200 and len(answer["books"]) == 1000 and answer["books_links"]
    with Client(f"http://127.0.0.1:{server.port}") as client:
        whole = lists.act(f"{V}/books", "books")(
            client, (f"shelf_id={shelf['id']}",), None, None, count=False, sort_key=("pages",)
        )
    assert [b["pages"] for b in whole["books"]] == list(range(1, 1101))
    assert "books_links" not in whole
