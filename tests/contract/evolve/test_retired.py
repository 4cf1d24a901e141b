"""A proton that was retired and is loaded again has the objects that it had, and no others."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from gluon import errors
from gluon import store as stores
from gluon.cmd.engines import TABLES
from gluon.cmd.protons import Protons
from gluon.evolve import runner
from gluon.model.types import Model
from tests.contract.evolve import world
from tests.contract.evolve.test_upgrade import key
from tests.unit.evolve.models import T, changed, model, renamed, shelf

OLD = model(shelf())
NEW = model(renamed(shelf(), "label", "title"))
OTHER = model(changed(renamed(shelf(), "label", "title"), "title", type=T.INTEGER, value_type=T.INTEGER))


async def _served(db: Any, *files: Model) -> tuple[Protons, Model]:
    """What a process that starts serves."""
    protons = Protons(files, others=TABLES, url="http://127.0.0.1:1")
    await protons.install(db)
    (served,) = protons.models
    return protons, served


async def _retired(db: Any, *, empty: bool = False) -> dict[str, dict[str, Any]]:
    """Its objects were moved to another table by an upgrade, written there (or deleted), and it was retired. These objects."""
    protons = Protons([], others=TABLES, url="http://127.0.0.1:1")
    await protons.install(db)
    await protons.load(db, OLD, "ann", replace=False)
    (old,) = protons.models
    await db.submit(world.Write(old, [("Shelf", key(1), {"label": "1"})]))
    steps = await world.plan_to(db, NEW)
    await runner.Runner(db, steps, others=TABLES, say=lambda text: None).run()
    protons, new = await _served(db)
    bodies = {key(1): None} if empty else {key(1): {"title": "2"}, key(2): {"title": "3"}}
    await db.submit(world.Write(new, [("Shelf", k, body) for k, body in bodies.items()]))
    before = await world.bodies(db, new, "Shelf")
    await protons.retire(db, new.name, force=True)
    return before


async def _load(db: Any, model: Model = NEW) -> None:
    protons = Protons([], others=TABLES, url="http://127.0.0.1:1")
    await protons.install(db)
    await protons.load(db, model, "ann", replace=False)


async def _start(db: Any) -> None:
    await _served(db, NEW)


@pytest.mark.parametrize("again", [_load, _start], ids=["loaded", "in a file"])
async def test_its_objects_are_those_after_an_upgrade(
    url: str, again: Callable[[Any], Awaitable[None]]
) -> None:
    db = stores.open(url)
    try:
        before = await _retired(db)
        await again(db)
        _, new = await _served(db, NEW)
        assert await world.bodies(db, new, "Shelf") == before
        assert set(await runner.drop(db, [new])).isdisjoint(t.table for t in new.types.values())
        assert await world.bodies(db, new, "Shelf") == before
    finally:
        await db.close()


async def test_what_is_made_in_the_last_moment_keeps_it(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    db = stores.open(url)
    retire = db.retire
    try:
        protons = Protons([], others=TABLES, url="http://127.0.0.1:1")
        await protons.install(db)
        await protons.load(db, OLD, "ann", replace=False)
        (old,) = protons.models

        async def late(*given: Any) -> int:
            await db.submit(world.Write(old, [("Shelf", key(1), {"label": "1"})]))
            return await retire(*given)

        monkeypatch.setattr(db, "retire", late)
        with pytest.raises(errors.Conflict, match="shop has") as refused:
            await protons.retire(db, old.name, force=False)
        assert refused.value.code == "in_use"
        assert [m.name for m in await world.current(db)] == [old.name]
        await protons.retire(db, old.name, force=True)
        assert await world.current(db) == []
    finally:
        await db.close()


async def test_where_it_had_no_objects_any_model_of_its_name_is_loaded(url: str) -> None:
    """What it had before an upgrade stays behind."""
    db = stores.open(url)
    try:
        await _retired(db, empty=True)
        await _load(db, OTHER)
        _, new = await _served(db, OTHER)
        assert await world.bodies(db, new, "Shelf") == {}
        await db.submit(world.Write(new, [("Shelf", key(1), {"title": 5})]))
    finally:
        await db.close()


async def test_another_model_of_its_name_takes_over_its_objects(url: str) -> None:
    db = stores.open(url)
    try:
        before = await _retired(db)
        protons = Protons([], others=TABLES, url="http://127.0.0.1:1")
        await protons.install(db)
        with pytest.raises(errors.Conflict, match="copy to") as refused:
            await protons.load(db, OTHER, "ann", replace=False)
        assert refused.value.code == "migration"
        steps = await world.plan_to(db, OTHER)
        await runner.Runner(db, steps, others=TABLES, say=lambda text: None).run()
        (new,) = await world.current(db)
        found = await world.bodies(db, new, "Shelf")
        assert {k: str(b["title"]) for k, b in found.items()} == {k: b["title"] for k, b in before.items()}
    finally:
        await db.close()
