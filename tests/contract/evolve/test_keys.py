"""Objects keep their keys, what others know them by, and their values: one that would get another stops an upgrade."""

from __future__ import annotations

from typing import Any

import pytest

from gluon.evolve import work
from gluon.model.types import Model
from tests.contract.evolve import world
from tests.unit.evolve.models import T, attribute, changed, model, object_type

UPPER, LOWER, OTHER = (
    "AAAAAAAA-0000-0000-0000-000000000001",
    "aaaaaaaa-0000-0000-0000-000000000001",
    "bbbbbbbb-0000-0000-0000-000000000001",
)


def shelves(kind: T, **facts: Any) -> Model:
    """With keys of this type, that clients give."""
    shelf = object_type("Shelf", attribute("label"), generated_key=False)
    return model(changed(shelf, "id", type=kind, value_type=kind, **facts))


OLD = shelves(T.STRING, length=64)


async def test_two_keys_that_become_one(url: str) -> None:
    db = await world.begin(url, OLD, {"Shelf": [{"id": key, "label": key} for key in (UPPER, LOWER, OTHER)]})
    try:
        with pytest.raises(work.Stopped, match=f"{UPPER}: its key would become '{LOWER}'") as stopped:
            await world.upgrade(db, shelves(T.UUID))
        assert stopped.value.count == 1
        assert set(await world.bodies(db, OLD, "Shelf")) == {UPPER, LOWER, OTHER}
        await db.submit(world.Write(OLD, [("Shelf", UPPER, None)]))
        await world.upgrade(db, shelves(T.UUID))
        (new,) = await world.current(db)
        found = await world.bodies(db, new, "Shelf")
        assert {key: body["label"] for key, body in found.items()} == {LOWER: LOWER, OTHER: OTHER}
    finally:
        await db.close()


async def test_a_key_of_another_kind(url: str) -> None:
    db = await world.begin(url, OLD, {"Shelf": [{"id": "7", "label": "seven"}]})
    try:
        with pytest.raises(work.Stopped, match="its key would become"):
            await world.upgrade(db, shelves(T.INTEGER))
    finally:
        await db.close()


async def test_an_integer_that_no_number_holds(url: str) -> None:
    """Nor does it become the one beside it."""
    old, new = (model(object_type("Shelf", attribute("label", kind))) for kind in (T.INTEGER, T.NUMBER))
    large = 2**53
    db = await world.begin(
        url, old, {"Shelf": [{"id": key, "label": large + n} for n, key in enumerate((LOWER, OTHER))]}
    )
    try:
        with pytest.raises(work.Stopped, match=f"{OTHER}: label: '{large + 1}' has more digits") as stopped:
            await world.upgrade(db, new)
        assert stopped.value.count == 1
    finally:
        await db.close()
