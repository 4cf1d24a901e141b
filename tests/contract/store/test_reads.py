"""Reads beside the writer: pages, gathered gets, the journal's tail, snapshots."""

from __future__ import annotations

import asyncio

import pytest

from gluon import errors
from gluon.spi.store import Changes, Committed, Row, Select, View
from gluon.store import SqlStore
from tests.contract.store.conftest import Opener
from tests.contract.store.test_units import together
from tests.contract.store.world import Unit, count, create, delete, draft, network, port, put


async def fill(db: SqlStore, number: int) -> None:
    await together(
        db,
        *(
            create(network(f"n{n:04}", f"n{n}", size=n % 3, _project=[None, "p", "q"][n % 3]))
            for n in range(number)
        ),
    )


async def ids(db: SqlStore, query: Select) -> list[object]:
    return [r["id"] for r in await db.select(query)]


async def test_pages_in_order_of_key(db: SqlStore) -> None:
    await fill(db, 30)
    assert await ids(db, Select(table="Network", limit=2)) == ["n0000", "n0001"]
    assert await ids(db, Select(table="Network", after="n0027")) == ["n0028", "n0029"]
    assert await ids(db, Select(table="Network", equals=(("size", 1),), limit=2, after="n0001")) == [
        "n0004",
        "n0007",
    ]
    assert await ids(db, Select(table="Network", equals=(("size", 1), ("name", "n4")))) == ["n0004"]
    assert await ids(db, Select(table="Network", equals=(("name", None),))) == []


async def test_rows_of_a_project_and_rows_of_none(db: SqlStore) -> None:
    await fill(db, 30)
    mine = [f"n{n:04}" for n in range(30) if n % 3 in (0, 1)]
    assert await ids(db, Select(table="Network", project="p")) == mine
    assert await ids(db, Select(table="Network", project="p", after="n0003", limit=4)) == mine[3:7]
    assert await ids(db, Select(table="Network", project="p", equals=(("size", 1),), limit=2)) == [
        "n0001",
        "n0004",
    ]
    assert await ids(db, Select(table="Network", project="p", equals=(("size", 2),))) == []


async def test_gets_are_gathered(db: SqlStore) -> None:
    await fill(db, 100)
    before = db.stats.get_statements
    rows = await asyncio.gather(*(db.get("Network", f"n{n % 120:04}") for n in range(600)))
    assert [r["id"] if r else None for r in rows] == [
        f"n{n % 120:04}" if n % 120 < 100 else None for n in range(600)
    ]
    assert db.stats.get_statements - before < 10


async def test_the_tail_is_cut_between_revisions_only(db: SqlStore) -> None:
    def unit(n: int) -> Unit:
        def decide(view: View) -> Changes:
            return Changes(entries=[draft(f"{n}-{k}", intent=n % 2 == 0) for k in range(n % 4 + 1)])

        return Unit(decide)

    await together(db, *(unit(n) for n in range(40)))
    whole = await db.tail(0, limit=10_000)
    assert len(whole) == 100 and [(e.revision, e.n) for e in whole] == sorted(
        (e.revision, e.n) for e in whole
    )
    for limit in (1, 2, 3, 7, 50):
        for intent in (False, True):
            after, read = 0, list(whole[:0])
            while part := await db.tail(after, limit=limit, intent=intent):
                read += part
                assert len(part) <= max(limit, 4)
                after = part[-1].revision
            assert read == [e for e in whole if e.intent or not intent]
        entries, epoch = await db.tail_and_epoch(whole[20].revision, limit=limit)
        assert entries == await db.tail(whole[20].revision, limit=limit, intent=True)
        assert await db.fresh(epoch) and not await db.fresh(epoch + 1)
    assert await db.tail_and_epoch(whole[-1].revision, limit=9) == ([], epoch)


async def test_the_tail_of_some_types_leaves_out_the_others(db: SqlStore) -> None:
    def unit(n: int) -> Unit:
        def decide(view: View) -> Changes:
            kinds = ("One", "Two", "Three")
            made = [draft(f"{n}-{k}", type=kinds[(n + k) % 3]) for k in range(n % 4 + 1)]
            return Changes(entries=made)

        return Unit(decide)

    await together(db, *(unit(n) for n in range(12)))
    wanted = [e for e in await db.tail(0, limit=10_000) if e.type != "Two"]
    for limit in (1, 2, 5, 100):
        after, read = 0, list(wanted[:0])
        while part := await db.tail_of(("One", "Three"), after, limit=limit):
            read += part
            after = part[-1].revision
        assert read == wanted


async def test_a_snapshot_does_not_see_later_writes(db: SqlStore) -> None:
    await fill(db, 50)
    await db.submit(put(("pool_value", {"pool": "a", "value": 1, "holder": None})))
    async with db.snapshot() as snapshot:
        await together(
            db,
            *(count(f"n{n:04}", 100) for n in range(50)),
            delete("Network", "n0000"),
            create(network("z", "z")),
        )
        rows = [r for chunk in [c async for c in snapshot.scan("Network")] for r in chunk]
        assert len(rows) == 50 and all(r["size"] in (0, 1, 2) for r in rows)
        assert [e async for e in snapshot.scan("Port")] == []
        position = snapshot.position
    assert position.revision < (await db.position()).revision
    assert len(await db.tail(position.revision, limit=1000)) == 52


async def test_a_snapshot_and_the_tail_after_it_make_the_present(db: SqlStore) -> None:
    """While writers go on: rows as of the position, plus later entries, are the rows of the end."""
    await fill(db, 20)
    stop = False

    async def write(n: int) -> None:
        while not stop:
            await db.submit(count(f"n{n:04}"))

    writers = [asyncio.create_task(write(n)) for n in range(8)]
    for _ in range(5):
        async with db.snapshot() as snapshot:
            rows = [r for chunk in [c async for c in snapshot.scan("Network")] for r in chunk]
            sizes = {str(r["id"]): r["size"] for r in rows}
            position = snapshot.position
        seen = dict.fromkeys(sizes, 0)
        for entry in await db.tail(0, limit=100_000):
            if entry.revision <= position.revision and entry.op == "update":
                seen[entry.key] += 1
        assert {k: int(k[1:]) % 3 + v for k, v in seen.items()} == sizes
    stop = True
    await asyncio.gather(*writers)


async def test_scans_take_several_chunks(db: SqlStore) -> None:
    def many(view: View) -> Changes:
        changes = Changes()
        for n in range(2500):
            changes.put("Network", network(f"n{n:05}", f"n{n}"))
            changes.put("pool_value", {"pool": f"p{n // 1200}", "value": n, "holder": None})
        return changes

    await db.submit(Unit(many))
    async with db.snapshot() as snapshot:
        for table, width in (("Network", 1), ("pool_value", 2)):
            chunks = [list(c) async for c in snapshot.scan(table)]
            rows: list[Row] = [r for c in chunks for r in c]
            keys = [tuple(r.values())[:width] for r in rows]
            assert len(chunks) > 1 and len(rows) == 2500
            assert keys == sorted(keys)


async def test_rebase_changes_the_incarnation_and_jumps(db: SqlStore) -> None:
    done = await db.submit(create(network("a", "a")))
    before = await db.position()
    after = await db.rebase(done.revision + 500)
    assert after.incarnation != before.incarnation
    assert after.revision >= done.revision + 500 + 1_000_000 and after.oldest == before.oldest
    again = await db.submit(create(network("b", "b")))
    assert again.revision > after.revision
    assert (await db.position()).revision == again.revision
    lower = await db.rebase(5)
    assert lower.revision > again.revision


async def test_sweep_drops_what_is_less_and_leaves_the_rest(db: SqlStore) -> None:
    await fill(db, 30)
    assert await db.sweep("Network", "name", "n2") == 12  # n0, n1, n10 to n19
    assert await db.sweep("Network", "name", "n2") == 0
    assert await db.get("Network", "n0002") and await db.get("Network", "n0019") is None


async def test_trim_by_age_and_rows_never_above_the_reader(db: SqlStore) -> None:
    await fill(db, 30)
    revisions = [e.revision for e in await db.tail(0, limit=100)]
    newest = await db.position()
    assert await db.trim(below=revisions[-1] + 1, keep_seconds=3600, keep_rows=1000) == 0
    assert await db.trim(below=revisions[10], keep_seconds=0, keep_rows=0) == 10
    assert (await db.position()).oldest == revisions[10]
    assert await db.trim(below=revisions[-1] + 1, keep_seconds=3600, keep_rows=15) == 5
    assert [e.revision for e in await db.tail(0, limit=100)] == revisions[15:]
    assert await db.entry(revisions[0]) == []
    assert await db.trim(below=revisions[-1] + 1, keep_seconds=0, keep_rows=0) == 15
    position = await db.position()
    assert position.revision == newest.revision and position.oldest == 0
    assert (await db.submit(count("n0001"))).revision > newest.revision


async def test_nothing_works_before_the_tables_are_there(url: str, opener: Opener) -> None:
    db = await opener(url, wanted=None)
    with pytest.raises(errors.Unavailable):
        await db.submit(create(network("a", "a")))
    with pytest.raises(errors.Unavailable):
        await db.get("Network", "a")
    with pytest.raises(errors.Unavailable):
        await db.position()


async def test_reads_and_writes_go_on_together(db: SqlStore) -> None:
    await fill(db, 10)
    results = await asyncio.gather(
        *(db.submit(count(f"n{n % 10:04}")) for n in range(100)),
        *(db.select(Select(table="Network", limit=5)) for _ in range(50)),
        *(db.tail(0, limit=5) for _ in range(50)),
        db.submit(put(("Port", port("p", "n0001")))),
    )
    assert sum(isinstance(r, Committed) for r in results) == 101


async def test_closing_ends_an_open_snapshot(url: str, opener: Opener) -> None:
    db = await opener(url)
    await fill(db, 3)
    async with db.snapshot() as snapshot:
        await asyncio.wait_for(db.close(), 60)
        try:
            rows = [r for c in [c async for c in snapshot.scan("Network")] for r in c]
        except errors.Unavailable:
            rows = []
        assert len(rows) in (0, 3)
