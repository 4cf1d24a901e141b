"""The net below `decide`: constraints catch what a unit did not check, and only the guilty one hears of it."""

from __future__ import annotations

import asyncio

import pytest

from gluon import errors
from gluon.spi.store import Changes, Committed, Select, View
from gluon.store import SqlStore
from tests.contract.store.test_units import together
from tests.contract.store.world import Unit, create, delete, draft, network, port, put


async def test_a_unique_value_taken_unseen_is_a_conflict(db: SqlStore) -> None:
    await db.submit(put(("Network", network("n0", "blue"))))
    units = [put(("Network", network(f"n{n}", f"name{n}"))) for n in range(1, 9)]
    units.insert(4, put(("Network", network("bad", "blue"))))
    units.insert(2, put(("Network", network("worse", "name1"))))
    done = await together(db, *units)
    errors_found = [d for d in done if isinstance(d, errors.Conflict)]
    assert len(errors_found) == 2 and {e.code for e in errors_found} == {"taken"}
    assert "INSERT" not in str(errors_found[0]) and "Network" not in str(errors_found[0])
    assert sum(isinstance(d, Committed) for d in done) == 8
    rows = {r["id"]: r["name"] for r in await db.select(Select(table="Network"))}
    assert rows == {"n0": "blue", **{f"n{n}": f"name{n}" for n in range(1, 9)}}
    assert len(await db.tail(0, limit=100)) == 9
    assert db.stats.net >= 1


async def test_replacing_a_row_cannot_take_the_place_of_another(db: SqlStore) -> None:
    await db.submit(put(("Network", network("a", "one"))))
    await db.submit(put(("Network", network("b", "two"))))
    with pytest.raises(errors.Conflict):
        await db.submit(put(("Network", network("b", "one"))))
    rows = [(r["id"], r["name"]) for r in await db.select(Select(table="Network"))]
    assert rows == [("a", "one"), ("b", "two")]


async def test_references_hold(db: SqlStore) -> None:
    await db.submit(put(("Network", network("n", "n")), ("Port", port("p", "n"))))
    nowhere, removed, fine = await together(
        db, put(("Port", port("q", "missing"))), delete("Network", "n"), put(("Port", port("r", "n")))
    )
    assert isinstance(nowhere, errors.Conflict) and nowhere.code == "still_referred"
    assert isinstance(removed, errors.Conflict) and removed.code == "still_referred"
    assert isinstance(fine, Committed)
    assert [r["id"] for r in await db.select(Select(table="Port"))] == ["p", "r"]


async def test_parent_and_child_come_and_go_in_one_unit_in_any_order(db: SqlStore) -> None:
    await db.submit(put(("Port", port("p", "n")), ("Network", network("n", "n"))))

    def undo(view: View) -> Changes:
        changes = Changes()
        changes.delete("Network", "n")
        changes.delete("Port", "p")
        return changes

    await db.submit(Unit(undo))
    assert await db.select(Select(table="Network")) == [] and await db.select(Select(table="Port")) == []


async def test_a_child_moves_and_its_old_parent_goes(db: SqlStore) -> None:
    await db.submit(put(("Network", network("old", "old")), ("Port", port("p", "old"))))

    def move(view: View) -> Changes:
        changes = Changes()
        assert view.get("Port", "p") is not None
        changes.put("Network", network("new", "new"))
        changes.put("Port", port("p", "new"))
        changes.delete("Network", "old")
        return changes

    await db.submit(Unit(move))
    assert await db.get("Port", "p") == port("p", "new")


async def test_a_freed_unique_value_may_be_taken_in_the_same_batch(db: SqlStore) -> None:
    await db.submit(create(network("a", "blue")))
    done = await together(db, delete("Network", "a"), create(network("b", "blue")))
    assert all(isinstance(d, Committed) for d in done)

    def rename(view: View) -> Changes:
        row = view.get("Network", "b")
        assert row is not None
        changes = Changes()
        changes.put("Network", {**row, "name": "red"})
        changes.entries.append(draft("b"))
        return changes

    done = await together(db, Unit(rename), create(network("c", "blue")))
    assert all(isinstance(d, Committed) for d in done)
    assert [r["name"] for r in await db.select(Select(table="Network"))] == ["red", "blue"]


async def test_freed_values_are_taken_however_often(db: SqlStore, url: str) -> None:
    """One batch deletes, replaces and adds rows of a table, each in the place of the one before; also where a batch that came
    often is written in another way. But for MariaDB, which has to try, the net catches nothing."""
    await db.submit(put(("Network", network("0", "moved")), ("Network", network("1", "new"))))
    for n in range(6):

        def move(view: View, n: int = n) -> Changes:
            """The first goes, the second has its name, and one that nobody looked for has that of the second."""
            second = view.get("Network", f"{n + 1}")
            assert view.get("Network", f"{n}") is not None and second is not None
            changes = Changes()
            changes.delete("Network", f"{n}")
            changes.put("Network", {**second, "name": "moved"})
            changes.put("Network", network(f"{n + 2}", "new"))
            changes.entries.append(draft(f"{n}"))
            return changes

        await db.submit(Unit(move))
        rows = await db.select(Select(table="Network"))
        assert [(row["id"], row["name"]) for row in rows] == [(f"{n + 1}", "moved"), (f"{n + 2}", "new")]
    assert db.stats.net == 0 or url.startswith("mysql")


async def test_a_value_that_fits_no_column_is_invalid(db: SqlStore) -> None:
    good, surrogate, required, huge = await together(
        db,
        create(network("good", "good")),
        put(("Network", network("bad", "\ud800"))),
        put(("Port", {"id": "p", "network_id": None, "mac": None, "_project": None})),
        put(("Network", network("huge", "huge", size=2**64))),
    )
    assert isinstance(good, Committed)
    for error in (surrogate, required, huge):
        assert isinstance(error, errors.Invalid), error
    assert [r["id"] for r in await db.select(Select(table="Network"))] == ["good"]


async def test_many_guilty_among_many_good(db: SqlStore) -> None:
    await db.submit(create(network("x", "x")))
    units = [put(("Network", network(f"n{n}", "x" if n % 10 == 3 else f"m{n}"))) for n in range(60)]
    done = await asyncio.wait_for(together(db, *units), 60)
    assert [isinstance(d, errors.Conflict) for d in done] == [n % 10 == 3 for n in range(60)]


async def test_rows_swap_unique_values_in_one_unit(db: SqlStore) -> None:
    await db.submit(put(("Network", network("a", "one")), ("Network", network("b", "two"))))

    def swap(view: View) -> Changes:
        a, b = view.get("Network", "a"), view.get("Network", "b")
        assert a is not None and b is not None
        changes = Changes()
        changes.put("Network", {**a, "name": b["name"]})
        changes.put("Network", {**b, "name": a["name"]})
        changes.put("Network", network("c", "three"))
        return changes

    await db.submit(Unit(swap))
    assert [r["name"] for r in await db.select(Select(table="Network"))] == ["two", "one", "three"]


async def test_a_name_is_given_up_and_taken_in_one_unit(db: SqlStore) -> None:
    await db.submit(put(("Network", network("a", "blue")), ("Port", port("p", "a"))))

    def shift(view: View) -> Changes:
        a = view.get("Network", "a")
        assert a is not None
        changes = Changes()
        changes.put("Network", {**a, "name": "red"})
        changes.put("Network", network("b", "blue"))
        return changes

    await db.submit(Unit(shift))
    assert [r["name"] for r in await db.select(Select(table="Network"))] == ["red", "blue"]
