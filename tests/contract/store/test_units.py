"""Units: atomic, in order, each seeing those before it; who is refused leaves nothing."""

from __future__ import annotations

import asyncio

import pytest

from gluon import errors
from gluon.objects import journal
from gluon.spi.store import Changes, Committed, Lookup, Row, Select, View
from gluon.store import Settings, SqlStore
from tests.contract.store import world
from tests.contract.store.conftest import Opener
from tests.contract.store.world import Unit, by_key, count, create, draft, network, port, put


async def together(db: SqlStore, *units: Unit) -> list[Committed | BaseException]:
    return await asyncio.gather(*(db.submit(u) for u in units), return_exceptions=True)


async def test_a_unit_writes_rows_and_entries_under_its_revision(db: SqlStore) -> None:
    row = network("n1", "blue", size=2**62, share=0.1, up=True, notes='{"a":1}', _project="p")
    done = await db.submit(put(("Network", row), ("Port", port("p1", "n1", "aa"))))
    assert done.revision == done.result > 0
    assert await db.get("Network", "n1") == row
    assert await db.get("Port", "p1") == port("p1", "n1", "aa")
    entries = await db.entry(done.revision)
    assert [(e.revision, e.n, e.key) for e in entries] == [(done.revision, 0, "n1"), (done.revision, 1, "p1")]
    first = entries[0]
    assert (first.op, first.api, first.who, first.request_id, first.intent) == (
        journal.Operation.CREATE, "test", "tester", "request", True,
    )  # fmt: skip
    assert first.old is None and first.new == b'{"id":"n1"}' and len(first.at) == 26
    assert await db.position() == journal.Position(
        incarnation=(await db.position()).incarnation, revision=done.revision, oldest=done.revision
    )


async def test_a_new_database_is_at_revision_0(db: SqlStore) -> None:
    position = await db.position()
    assert (position.revision, position.oldest) == (0, 0) and position.incarnation
    assert await db.tail(0, limit=10) == [] and await db.get("Network", "no") is None


@pytest.mark.parametrize("declare", [True, False])
async def test_each_unit_sees_those_before_it(db: SqlStore, declare: bool) -> None:
    await db.submit(create(network("n1", "blue", size=0)))
    done = await together(db, *(count("n1", declare=declare) for _ in range(60)))
    assert sorted(d.result for d in done if isinstance(d, Committed)) == list(range(1, 61))
    row = await db.get("Network", "n1")
    assert row is not None and row["size"] == 60
    revisions = [d.revision for d in done if isinstance(d, Committed)]
    assert revisions == sorted(set(revisions))
    assert db.stats.batches < 20


@pytest.mark.parametrize("declare", [True, False])
async def test_rejected_units_leave_nothing_and_disturb_nobody(db: SqlStore, declare: bool) -> None:
    units = [create(network(f"n{n}", f"name{n // 2}"), declare=declare) for n in range(40)]
    done = await together(db, *units)
    assert [isinstance(d, Committed) for d in done] == [n % 2 == 0 for n in range(40)]
    assert all(d.code == "name" for d in done if isinstance(d, errors.Conflict))
    assert len(await db.select(Select(table="Network"))) == 20
    assert len(await db.tail(0, limit=100)) == 20


async def test_an_error_of_a_unit_reaches_only_who_waits_for_it(db: SqlStore) -> None:
    def broken(view: View) -> Changes:
        raise ZeroDivisionError

    def incomplete(view: View) -> Changes:
        changes = Changes()
        changes.put("Network", {"id": "x"})
        return changes

    def unknown(view: View) -> Changes:
        changes = Changes()
        changes.put("Nothing", {"id": "x"})
        return changes

    bad, short, nowhere, good = await together(
        db,
        Unit(broken),
        Unit(incomplete),
        Unit(unknown, [Lookup("Nothing", ("id",), ("x",))]),
        create(network("n", "n")),
    )
    assert isinstance(bad, ZeroDivisionError)
    assert isinstance(short, errors.GluonError) and isinstance(nowhere, errors.GluonError)
    assert isinstance(good, Committed)


async def test_a_unit_without_writes_has_no_revision(db: SqlStore) -> None:
    before = await db.position()
    assert await db.submit(Unit(lambda view: Changes(result="seen"))) == Committed(0, "seen", intent=False)
    assert await db.position() == before


async def test_the_last_word_on_a_key_counts(db: SqlStore) -> None:
    def decide(view: View) -> Changes:
        changes = Changes()
        changes.put("Network", network("a", "1"))
        changes.put("Network", network("a", "2"))
        changes.put("Network", network("b", "3"))
        changes.delete("Network", "b")
        changes.delete("Network", "c")
        changes.put("Network", network("c", "4"))
        return changes

    await db.submit(put(("Network", network("c", "old"))))
    await db.submit(Unit(decide))
    names = [r["name"] for r in await db.select(Select(table="Network"))]
    assert names == ["2", "4"]


async def test_put_replaces_a_row_that_nobody_looked_at(db: SqlStore) -> None:
    for name in ("one", "two", "three"):
        done = await together(
            db, put(("Network", network("n", name))), put(("Network", network(name, f"x{name}")))
        )
        assert all(isinstance(d, Committed) for d in done), done
        assert (await db.get("Network", "n") or {})["name"] == name


async def test_lookups_see_committed_rows_and_changes_by_key_order(db: SqlStore) -> None:
    for n in (5, 1, 3):
        await db.submit(put(("Network", network(f"n{n}", f"n{n}", size=7))))

    def look(view: View) -> Changes:
        return Changes(result=[str(r["id"]) for r in view.rows("Network", ("size",), (7,))])

    lookup = Lookup("Network", ("size",), (7,))
    done = await together(
        db, Unit(look, [lookup]), put(("Network", network("n2", "n2", size=7))), Unit(look, [lookup]),
        count("n1"), Unit(look, [lookup]), world.delete("Network", "n3"), Unit(look, [lookup]),
        count("n1", -1), Unit(look, [lookup]),
    )  # fmt: skip
    seen = [d.result for d in done if isinstance(d, Committed) and isinstance(d.result, list)]
    assert seen == [
        ["n1", "n3", "n5"], ["n1", "n2", "n3", "n5"], ["n2", "n3", "n5"], ["n2", "n5"], ["n1", "n2", "n5"],
    ]  # fmt: skip


async def test_none_equals_nothing_and_types_are_not_converted(db: SqlStore) -> None:
    await db.submit(put(("Network", network("0", "x"))))
    await db.submit(put(("Network", network("abc", "1", size=1, up=True))))
    found: list[int] = []

    def look(view: View) -> Changes:
        asked = [
            (("name",), (None,)),
            (("name",), (0,)),
            (("name",), (1,)),
            (("size",), ("1",)),
            (("size",), (True,)),
        ]
        found.clear()
        found.extend(len(view.rows("Network", columns, values)) for columns, values in asked)
        found.append(0 if view.get("Network", 0) is None else 1)
        found.append(0 if view.get("Network", "a\0b") is None else 1)
        return Changes()

    await db.submit(Unit(look, [Lookup("Network", ("name",), (0,))]))
    assert found == [0] * 7
    assert await db.get("Network", 0) is None and await db.get("Network", 2**70) is None
    assert await db.get("Network", "\ud800") is None
    assert await db.select(Select(table="Network", equals=(("name", 0),))) == ()


async def test_keys_of_several_columns(db: SqlStore) -> None:
    rows: list[Row] = [{"pool": f"p{n % 3}", "value": n, "holder": f"h{n % 5}"} for n in range(30)]
    await together(db, *(put(("pool_value", r)) for r in rows))
    assert await db.get("pool_value", "p1", 4) == rows[4]
    assert await db.get("pool_value", "p1", 5) is None

    def take(view: View) -> Changes:
        changes = Changes(result=[r["value"] for r in view.rows("pool_value", ("holder",), ("h1",))])
        for row in view.rows("pool_value", ("holder",), ("h1",)):
            changes.delete("pool_value", row["pool"], row["value"])
        kept = view.get("pool_value", "p0", 0)
        assert kept is not None
        changes.put("pool_value", {**kept, "holder": None})
        return changes

    done = await db.submit(
        Unit(
            take,
            [
                Lookup("pool_value", ("pool", "value"), ("p0", 0)),
                Lookup("pool_value", ("holder", "pool"), ("h1", "p1")),
            ],
        )
    )
    assert done.result == [6, 21, 1, 16, 11, 26]
    assert len(await db.select(Select(table="pool_value"))) == 24
    assert await db.get("pool_value", "p0", 0) == {"pool": "p0", "value": 0, "holder": None}


async def test_large_batches_are_cut_and_none_is_lost(url: str, opener: Opener) -> None:
    db = await opener(url, Settings(max_units=16, max_rows=20, max_bytes=3000))

    def unit(n: int) -> Unit:
        def decide(view: View) -> Changes:
            changes = Changes(result=n)
            for k in range(n % 30):
                changes.put("Network", network(f"{n}-{k}", f"{n}-{k}"))
            changes.entries.append(draft(str(n), new=b"x" * (n * 100 % 5000)))
            return changes

        return Unit(decide)

    done = await together(db, *(unit(n) for n in range(100)))
    assert [d.result for d in done if isinstance(d, Committed)] == list(range(100))
    revisions = [d.revision for d in done if isinstance(d, Committed)]
    assert revisions == sorted(set(revisions))
    assert len(await db.select(Select(table="Network"))) == sum(n % 30 for n in range(100))
    assert db.stats.batch_units.maximum <= 16


async def test_a_unit_of_a_thousand_rows(db: SqlStore) -> None:
    def decide(view: View) -> Changes:
        changes = Changes()
        for n in range(1000):
            changes.put("Network", network(f"n{n:04}", f"n{n}", notes="é" * 100))
            changes.entries.append(draft(f"n{n}"))
        return changes

    def undo(view: View) -> Changes:
        changes = Changes()
        for n in range(1000):
            assert view.get("Network", f"n{n:04}") is not None
            changes.delete("Network", f"n{n:04}")
        return changes

    done = await db.submit(Unit(decide))
    assert len(await db.entry(done.revision)) == 1000
    assert len(await db.tail(0, limit=10)) == 1000
    await db.submit(Unit(undo, [by_key("Network", f"n{n:04}") for n in range(1000)]))
    assert await db.select(Select(table="Network")) == []


async def test_more_than_may_wait_are_refused_at_once(url: str, opener: Opener) -> None:
    db = await opener(url, Settings(max_waiting=10))
    done = await together(db, *(create(network(f"n{n}", f"n{n}")) for n in range(30)))
    refused = [d for d in done if isinstance(d, errors.Unavailable)]
    assert len(refused) == 20 and all(r.retry_after >= 1 for r in refused)
    assert len(await db.select(Select(table="Network"))) == 10


async def test_who_gives_up_waiting_disturbs_nobody(db: SqlStore) -> None:
    tasks = [asyncio.create_task(db.submit(create(network(f"n{n}", f"n{n}")))) for n in range(50)]
    await asyncio.sleep(0)
    for task in tasks[::2]:
        task.cancel()
    done = await asyncio.gather(*tasks, return_exceptions=True)
    assert sum(isinstance(d, Committed) for d in done) == 25
    assert {r["id"] for r in await db.select(Select(table="Network"))} >= {f"n{n}" for n in range(1, 50, 2)}


async def test_closing_finishes_what_runs_and_refuses_what_waits(url: str, opener: Opener) -> None:
    db = await opener(url, Settings(max_units=8))
    tasks = [asyncio.create_task(db.submit(create(network(f"n{n}", f"n{n}")))) for n in range(100)]
    await tasks[0]
    await db.close()
    done = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(d, Committed | errors.Unavailable) for d in done)
    kept = sum(isinstance(d, Committed) for d in done)
    with pytest.raises(errors.Unavailable):
        await db.submit(create(network("late", "late")))
    again = await opener(url)
    assert len(await again.select(Select(table="Network"))) == kept
