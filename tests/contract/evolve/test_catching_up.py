"""Killed anywhere, and with units larger than what is read or written at once: all that was written is in the new tables."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from gluon import errors
from gluon import store as stores
from gluon.evolve import runner, work
from gluon.model.types import Unique
from gluon.spi import store
from tests.contract.evolve import world
from tests.contract.evolve.test_upgrade import OLD, boxes, key, shelves, to
from tests.unit.evolve.models import T, attribute, box, changed, renamed

COUNT = 800
NEW = to(renamed(box(), "size", "volume"))


class Killed(Exception):
    """The process of the upgrade is no more."""


async def _resized(db: stores.SqlStore) -> None:
    """One unit that changes all."""
    await db.submit(world.Write(OLD, [("Box", b["id"], {**b, "size": 7}) for b in boxes(COUNT)]))


async def _volumes(db: stores.SqlStore) -> set[Any]:
    (new,) = await world.current(db)
    found = await world.bodies(db, new, "Box")
    assert len(found) == COUNT
    return {b["volume"] for b in found.values()}


def _first(patch: pytest.MonkeyPatch, db: stores.SqlStore, doing: Callable[[], Awaitable[None]]) -> None:
    """`doing` comes just before the switch has its lock."""
    switch = db.switch

    async def late(*given: Any) -> int:
        await doing()
        return await switch(*given)

    patch.setattr(db, "switch", late)


async def test_a_large_unit_just_before_the_switch(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    db = await world.begin(url, OLD, {"Shelf": shelves(), "Box": boxes(COUNT)})
    try:
        _first(monkeypatch, db, lambda: _resized(db))
        await world.upgrade(db, NEW)
        assert await _volumes(db) == {7}
    finally:
        await db.close()


async def test_killed_in_the_middle_of_a_large_unit(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    db = await world.begin(url, OLD, {"Shelf": shelves(), "Box": boxes(COUNT)})
    catch_up, submit = runner.Runner._catch_up, db.submit
    left = 1

    async def some(unit: store.Unit) -> store.Committed:
        nonlocal left
        if not left:
            raise Killed
        left -= 1
        return await submit(unit)

    async def late(self: runner.Runner) -> None:
        await _resized(db)
        monkeypatch.setattr(db, "submit", some)
        await catch_up(self)

    try:
        with monkeypatch.context() as patch:
            patch.setattr(runner.Runner, "_catch_up", late)
            with pytest.raises(Killed):
                await world.upgrade(db, NEW)
        monkeypatch.undo()
        await world.upgrade(db, NEW)
        assert await _volumes(db) == {7}
    finally:
        await db.close()


async def test_a_journal_that_is_trimmed_meanwhile(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    db = await world.begin(url, OLD, {"Shelf": shelves(), "Box": boxes(COUNT)})
    catch_up = runner.Runner._catch_up

    async def late(self: runner.Runner) -> None:
        await _resized(db)
        done = await db.submit(world.Write(OLD, [("Shelf", shelves()[0]["id"], {"label": "last"})]))
        await db.trim(below=done.revision, keep_seconds=0, keep_rows=0)
        await catch_up(self)

    try:
        with monkeypatch.context() as patch:
            patch.setattr(runner.Runner, "_catch_up", late)
            with pytest.raises(errors.Unavailable, match="trimmed"):
                await world.upgrade(db, NEW)
        await world.upgrade(db, NEW)
        assert await _volumes(db) == {7}
    finally:
        await db.close()


async def test_a_journal_that_is_emptied_after_a_kill(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    db = await world.begin(url, OLD, {"Shelf": shelves(), "Box": boxes(COUNT)})

    async def killed(self: runner.Runner) -> None:
        raise Killed

    try:
        with monkeypatch.context() as patch:
            patch.setattr(runner.Runner, "_catch_up", killed)
            with pytest.raises(Killed):
                await world.upgrade(db, NEW)
        await _resized(db)
        await db.trim(below=(await db.position()).revision + 1, keep_seconds=0, keep_rows=0)
        assert (await db.position()).oldest == 0
        with pytest.raises(errors.Unavailable, match="trimmed"):
            await world.upgrade(db, NEW)
        await world.upgrade(db, NEW)
        assert await _volumes(db) == {7}
    finally:
        await db.close()


async def test_killed_while_what_another_had_begun_is_thrown_away(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever began that goes on with it afterwards."""
    db = await world.begin(url, OLD, {"Shelf": shelves(), "Box": boxes(COUNT)})
    submit = db.submit

    def until(copied: int) -> None:
        """Killed after so many pages, or while something is thrown away."""
        left = copied

        async def some(unit: store.Unit) -> store.Committed:
            nonlocal left
            if isinstance(unit, runner._Forget) or (unit.reads and not left):
                raise Killed
            left -= bool(unit.reads)
            return await submit(unit)

        monkeypatch.setattr(db, "submit", some)

    try:
        until(2)
        with pytest.raises(Killed):
            await world.upgrade(db, NEW)
        until(0)
        with pytest.raises(Killed):
            await world.upgrade(db, to(renamed(box(), "size", "litres")))
        monkeypatch.undo()
        await world.upgrade(db, NEW)
        assert await _volumes(db) == {n % 100 for n in range(COUNT)}
    finally:
        await db.close()


async def test_one_that_stops_holds_nothing_back(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What its copies refer to can go under the old model, which serves on; in the end they refer to what is there."""
    new = to(box(attribute("name", T.INTEGER)))
    made, gone = boxes(30), shelves()
    odd = {**made[0], "id": key(9), "name": "no number"}
    db = await world.begin(url, OLD, {"Shelf": gone, "Box": made})

    async def disturb() -> None:
        await db.submit(world.Write(OLD, [("Box", key(9), odd)]))

    try:
        with monkeypatch.context() as patch:
            _first(patch, db, disturb)
            with pytest.raises(work.Stopped, match="is no integer"):
                await world.upgrade(db, new)
        for one in made:
            await db.submit(world.Write(OLD, [("Box", one["id"], None)]))
        for one in gone[1:]:
            await db.submit(world.Write(OLD, [("Shelf", one["id"], None)]))
        await db.submit(world.Write(OLD, [("Box", key(9), {**odd, "name": "1"})]))
        await world.upgrade(db, new)
        (placed,) = await world.current(db)
        assert {k: b["name"] for k, b in (await world.bodies(db, placed, "Box")).items()} == {key(9): 1}
        with pytest.raises(errors.Conflict):
            await db.submit(world.Write(placed, [("Shelf", gone[0]["id"], None)]))
        await db.submit(world.Write(placed, [("Box", key(9), None), ("Shelf", gone[0]["id"], None)]))
    finally:
        await db.close()


@pytest.mark.parametrize("late", [False, True])
async def test_what_is_to_be_unique_need_not_be_after_one_that_stops(
    url: str, late: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped by another unique group, or by an object that came just before the switch; in the end it is unique."""
    names = Unique(attributes=("name",))
    kind = box(unique=(names,) if late else (names, Unique(attributes=("colour",))))
    new = to(changed(kind, "size", maximum=99))
    db = await world.begin(url, OLD, {"Shelf": shelves(), "Box": boxes(30)})
    extra = [("Box", key(n), {"name": "same", "size": 100 if late else n}) for n in (7, 8)]

    async def disturb() -> None:
        await db.submit(world.Write(OLD, extra[:1]))

    try:
        with monkeypatch.context() as patch:
            _first(patch, db, disturb)
            with pytest.raises((work.Stopped, errors.Conflict), match="above 99" if late else "to be unique"):
                await world.upgrade(db, new)
        await db.submit(world.Write(OLD, extra))
        again = to(changed(box(unique=(names,)), "size", maximum=99))
        with pytest.raises((work.Stopped, errors.Conflict)):
            await world.upgrade(db, again)
        await db.submit(
            world.Write(OLD, [("Box", key(7), None), ("Box", key(8), {"name": "same", "size": 1})])
        )
        await world.upgrade(db, again)
        (placed,) = await world.current(db)
        with pytest.raises(errors.Conflict):
            await db.submit(world.Write(placed, [("Box", key(7), {"name": "same"})]))
    finally:
        await db.close()
