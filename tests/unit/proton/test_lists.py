"""What a list, its count, its marker and its embedded objects tell a caller of other projects: nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from gluon import errors, store
from gluon.model import loader
from gluon.objects import codec
from gluon.particles import tables
from gluon.policy import engine
from gluon.proton import lists, query, registry, showing, units
from gluon.spi import policy
from gluon.spi import store as spi_store

MODEL = """
file_version: "2.0"
imports: base-2.0
info: {name: net-shelf, version: "2.0", description: Shelves and books.}
objects:
  Shelf:
    extends: BaseObject
    description: It holds books.
    api: {name: shelf, plural_name: shelves}
  Book:
    extends: BaseObject
    description: It stands on a shelf.
    api: {name: book, plural_name: books}
    attributes:
      shelf_id: {type: Shelf}
"""
MINE, OTHER = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
ME = policy.Caller(user="me", project=MINE, roles=frozenset({"member"}))
ADMIN = policy.Caller(user="root", admin=True)


class Fill:
    """A unit that puts rows."""

    reads: Sequence[spi_store.Lookup] = ()
    who = request_id = "test"

    def __init__(self, rows: Sequence[tuple[str, spi_store.Row]]) -> None:
        self._rows = rows

    def decide(self, _: spi_store.View) -> spi_store.Changes:
        return spi_store.Changes(writes=list(self._rows))


def key(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012}"


@pytest.fixture
def known(tmp_path: Path) -> registry.Registry:
    (tmp_path / "net-shelf").mkdir()
    (tmp_path / "net-shelf" / "api.yaml").write_text(MODEL, encoding="utf-8")
    return registry.Registry(loader.load([tmp_path / "net-shelf"]))


@pytest.fixture
async def asked(known: registry.Registry, tmp_path: Path) -> AsyncIterator[lists.Lists]:
    """Shelf 1 is mine, 2 another's; books 11, 13 and 15 are mine, the others not; each on its number's half's shelf."""
    db = store.open(f"sqlite:///{tmp_path}/gluon.db")
    await db.install(tables.tables_of(known.models), ())
    shelf, book = (known.made["net-shelf"][name] for name in ("Shelf", "Book"))

    def row(of: registry.Resource, number: int, project: str, **more: Any) -> tuple[str, spi_store.Row]:
        values = {"id": key(number), "project_id": project, **more}
        return of.table, of.records.row(values, {}, revision=1, now="2026-01-31T00:00:00.000000")

    rows = [row(shelf, 1, MINE), row(shelf, 2, OTHER)]
    rows += [
        row(book, n, MINE if n % 2 else OTHER, name=f"book {n % 3}", shelf_id=key(1 + n // 14))
        for n in range(11, 17)
    ]
    await db.submit(Fill(rows))

    yield lists.Lists(db, showing.Showing(None))
    await db.close()


def context(known: registry.Registry, caller: policy.Caller) -> units.Context:
    return units.Context(
        resource=known.made["net-shelf"]["Book"], caller=caller, request_id="r", policy=engine.Engine(known.models), ledger=None  # type: ignore[arg-type]
    )  # fmt: skip


async def page(
    asked: lists.Lists, known: registry.Registry, caller: policy.Caller, *words: tuple[str, str]
) -> lists.Page:
    here = context(known, caller)
    return await asked.page(here, query.parse(here.resource, words))


def keys(found: lists.Page) -> list[str]:
    return [one["id"] for one in codec.decode(found.documents or b"[]")]


async def test_a_list_and_its_count_have_the_own_project_alone(
    asked: lists.Lists, known: registry.Registry
) -> None:
    for words in ((), (("sort_key", "name"),), (("name__startswith", "book"),), (("project_id__ne", ""),)):
        found = await page(asked, known, ME, ("count", "true"), *words)
        assert sorted(keys(found)) == [key(11), key(13), key(15)]
        assert found.count == 3 and not found.more
    assert not keys(await page(asked, known, ME, ("project_id", OTHER)))
    assert len(keys(await page(asked, known, ADMIN))) == 6


async def test_a_foreign_marker_is_as_good_as_a_missing_one(
    asked: lists.Lists, known: registry.Registry
) -> None:
    told = []
    for number in (12, 99):
        with pytest.raises(errors.Invalid) as caught:
            await page(asked, known, ME, ("marker", key(number)))
        told.append(caught.value.problems[0].message.replace(key(number), "<key>"))
    assert told[0] == told[1]
    found = await page(asked, known, ME, ("marker", key(11)), ("limit", "1"))
    assert keys(found) == [key(13)] and found.more


async def test_a_foreign_object_is_not_embedded(asked: lists.Lists, known: registry.Registry) -> None:
    found = await page(asked, known, ME, ("embed", "shelf_id"))
    shelves = found.embedded["shelf_id"]
    mine = shelves[key(1)]
    assert mine is not None and mine["project_id"] == MINE
    assert shelves[key(2)] is None
    whole = (await page(asked, known, ADMIN, ("embed", "shelf_id"))).embedded["shelf_id"]
    assert whole[key(2)] is not None


async def test_a_list_without_end_is_read_in_parts(
    asked: lists.Lists, known: registry.Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    for size in (1, 2, 3, 4, 6, 7):
        monkeypatch.setattr(lists, "_CHUNK", size)
        for caller, count in ((ADMIN, 6), (ME, 3)):
            text = await asked.documents(context(known, caller))
            assert text is not None
            found = [one["id"] for one in codec.decode(b"[%s]" % text)]
            assert found == sorted(set(found)) and len(found) == count


async def test_a_page_behind_an_object_needs_no_look_for_it(
    asked: lists.Lists, known: registry.Registry
) -> None:
    """Those of his own come one after the other, whatever others have between them."""
    found = await page(asked, known, ADMIN, ("marker", key(11)), ("limit", "2"), ("count", "true"))
    assert (keys(found), found.more, found.last, found.count) == ([key(12), key(13)], True, key(13), 6)
    found = await page(asked, known, ME, ("marker", key(13)), ("limit", "5"))
    assert (keys(found), found.more) == ([key(15)], False)
    found = await page(asked, known, ME, ("marker", key(15)))
    assert (keys(found), found.more, found.last) == ([], False, None)
    for marker in ("no-uuid", key(14)):
        with pytest.raises(errors.Invalid):
            await page(asked, known, ME, ("marker", marker))


class Slow:
    """A store whose lists take too long."""

    async def values(self, *_: object) -> None:
        raise errors.TooSlow("too slow")

    select = count = values


SLOW: dict[tuple[tuple[str, str], ...], tuple[str, str]] = {
    (("name__contains", "x"), ("created_at__ge", "2026-01-31T00:00:00")): (
        "no index serves name__contains, created_at__ge",
        "shelf_id",
    ),
    (("sort_key", "updated_at"),): ("no index serves updated_at", "indexed: true"),
    (("count", "true"), ("limit", "0")): ("all of them are counted", "leave count out"),
}


@pytest.mark.parametrize("words", SLOW)
async def test_what_takes_too_long_is_told_with_its_cure(
    known: registry.Registry, words: tuple[tuple[str, str], ...]
) -> None:
    slow: Any = Slow()
    with pytest.raises(errors.Invalid) as caught:
        await page(lists.Lists(slow, showing.Showing(None)), known, ME, *words)
    (problem,) = caught.value.problems
    said, cure = SLOW[words]
    assert problem.code == "unserved" and said in problem.message and cure in problem.hint
    with pytest.raises(errors.TooSlow):
        await page(lists.Lists(slow, showing.Showing(None)), known, ME, ("shelf_id", key(1)))
