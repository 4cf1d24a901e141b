"""What goes in comes out: texts by code point, numbers, long documents."""

from __future__ import annotations

import pytest

from gluon import errors
from gluon.objects import journal
from gluon.spi.store import Changes, Select, View
from gluon.store import SqlStore
from tests.contract.store.test_units import together
from tests.contract.store.world import Unit, create, draft, network, put

TEXTS = ["", " ", "a", "A", "a ", " a", "ä", "a\u0308", "ß", "ss", "😀", "é" * 255, "😀" * 255, "'", '"', "\\", "\\'", "''; --",
         "%s", "?", "$1", "\n\r\t\x1a", "\u202e", "ﬁ", "İ", "i", "\ufeff", "\x7f", "{}"]  # fmt: skip


async def test_texts_come_back_exactly_and_differ_as_code_points_do(db: SqlStore) -> None:
    done = await together(db, *(create(network(f"n{n}", text)) for n, text in enumerate(TEXTS)))
    assert not [d for d in done if isinstance(d, BaseException)]
    rows = {r["id"]: r["name"] for r in await db.select(Select(table="Network"))}
    assert rows == {f"n{n}": text for n, text in enumerate(TEXTS)}
    for n, text in enumerate(TEXTS):
        found = await db.select(Select(table="Network", equals=(("name", text),)))
        assert [r["id"] for r in found] == [f"n{n}"]
    again = await together(db, *(create(network(f"again{n}", text)) for n, text in enumerate(TEXTS)))
    assert all(isinstance(d, errors.Conflict) and d.code == "name" for d in again)


async def test_keys_are_ordered_by_code_point(db: SqlStore) -> None:
    keys = sorted(["b", "B", "a", "a ", "ab", "Z", "ä", "z", "_", "1", "10", "2", "😀", "\uffee"])
    await together(db, *(create(network(k, f"name of {k}")) for k in keys))
    assert [r["id"] for r in await db.select(Select(table="Network"))] == keys
    page = await db.select(Select(table="Network", after="a", limit=3))
    assert [r["id"] for r in page] == ["a ", "ab", "b"]


async def test_nul_comes_back_or_is_refused(db: SqlStore) -> None:
    bad, good = await together(db, create(network("n", "a\0b")), create(network("m", "fine")))
    assert not isinstance(good, BaseException)
    if isinstance(bad, BaseException):
        assert isinstance(bad, errors.Rejected)
        assert await db.get("Network", "n") is None
    else:
        assert (await db.get("Network", "n") or {})["name"] == "a\0b"


@pytest.mark.parametrize("size", [70_000, 300_000])
async def test_long_documents(db: SqlStore, size: int) -> None:
    text = '{"text":"' + "é😀x" * (size // 3) + '"}'

    def decide(view: View) -> Changes:
        changes = Changes()
        changes.put("Network", network("n", "n", notes=text))
        changes.entries.append(draft("n", old=text.encode(), new=text.encode()))
        return changes

    done = await db.submit(Unit(decide))
    assert (await db.get("Network", "n") or {})["notes"] == text
    entry = (await db.entry(done.revision))[0]
    assert entry.old == entry.new == text.encode()


async def test_a_text_longer_than_its_column_never_breaks_others(db: SqlStore) -> None:
    long, good = await together(db, put(("Network", network("n" * 65, "n"))), create(network("m", "m")))
    assert not isinstance(good, BaseException)
    if isinstance(long, BaseException):
        assert isinstance(long, errors.Invalid)


async def test_numbers(db: SqlStore) -> None:
    numbers = [0.1, -0.0, 1e308, 5e-324, 1 / 3, 2.0**53 + 2, -1.5, 12345678.9]
    sizes = [0, -1, 2**63 - 1, -(2**63), 2**53 + 1, 7, 8, 9]
    for n, (share, size) in enumerate(zip(numbers, sizes, strict=True)):
        await db.submit(put(("Network", network(f"n{n}", f"n{n}", share=share, size=size, up=bool(n % 2)))))
    rows = await db.select(Select(table="Network"))
    assert [r["share"] for r in rows] == numbers and [r["size"] for r in rows] == sizes
    assert [r["up"] for r in rows] == [bool(n % 2) for n in range(8)]
    assert all(type(r["up"]) is bool and type(r["share"]) is float and type(r["size"]) is int for r in rows)
    assert len(await db.select(Select(table="Network", equals=(("up", True),)))) == 4
    assert len(await db.select(Select(table="Network", equals=(("size", 2**63 - 1),)))) == 1


async def test_entries_keep_every_field(db: SqlStore) -> None:
    drafts = [
        draft("ключ/😀", journal.Operation.UPDATE, api="a'b", type="T", project="p?%s", old=b"{}", new=b'{"q":"\\u0000"}'),
        draft("k", journal.Operation.DELETE, intent=False, old=b"1", new=None),
    ]  # fmt: skip

    def decide(view: View) -> Changes:
        return Changes(entries=drafts)

    done = await db.submit(Unit(decide, who="me 'n you", request_id="req-?"))
    for n, (entry, made) in enumerate(zip(await db.entry(done.revision), drafts, strict=True)):
        assert (entry.n, entry.who, entry.request_id) == (n, "me 'n you", "req-?")
        for name in ("op", "api", "type", "key", "project", "intent", "old", "new"):
            assert getattr(entry, name) == getattr(made, name)
