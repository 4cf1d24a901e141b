"""An upgrade that is killed anywhere, and clients that write all the while: what is there at last is what was written last."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from gluon import store as stores
from gluon.evolve import runner
from gluon.store import upgrading
from tests.contract.evolve import world
from tests.contract.evolve.test_upgrade import OLD, key, shelves, to
from tests.effort import examples
from tests.unit.evolve.models import T, attribute, box, reference, renamed

WAYS = {
    "volume": to(renamed(box(), "size", "volume")),
    "litres": to(renamed(box(), "size", "litres")),
    "several": to(box(attribute("shelf_id", T.LIST, items=reference("", "Shelf")))),
}
"""Whoever upgrades goes one of these."""
CALLS = ("submit", "drop", "prepare", "switch", "select", "get", "tail", "position")
_LONGEST = 40
"""Calls after which an upgrade is killed."""


class Killed(Exception):
    """The process of the upgrade is no more."""


class Site:
    """A database, and what its boxes are: name, size and shelf by key."""

    def __init__(self, db: stores.SqlStore, seed: int) -> None:
        self._rnd = random.Random(seed)
        self._submit = db.submit
        self.boxes: dict[str, tuple[str, int, str]] = {}
        self.left: int | None = None
        """Calls until it is killed."""
        self.switched = False
        self._names = 0

    async def write(self) -> None:
        """One unit that makes, changes and deletes boxes, now and then many."""
        wanted: dict[str, dict[str, Any] | None] = {}
        for n in self._rnd.sample(range(40), self._rnd.choice((1, 1, 2, 5, 30))):
            place = key(1000 + n)
            if place in self.boxes and self._rnd.random() < 0.35:
                wanted[place] = None
                continue
            self._names += 1
            facts = (str(self._names), self._names % 100, key(self._rnd.randrange(3)))
            wanted[place] = dict(zip(("name", "size", "shelf_id"), facts, strict=True))
        await self._submit(world.Write(OLD, [("Box", place, body) for place, body in wanted.items()]))
        for place, body in wanted.items():
            self.boxes.pop(place, None)
            if body is not None:
                self.boxes[place] = (body["name"], body["size"], body["shelf_id"])

    def watched(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        """A call of the upgrade, before which others may write, and before or after which it may be killed."""

        async def made(*given: Any, **named: Any) -> Any:
            self.left = self.left and self.left - 1
            if self.left == 0 and self._rnd.random() < 0.5:
                raise Killed
            if not self.switched and self._rnd.random() < 0.3:
                await self.write()
            result = await call(*given, **named)
            self.switched = self.switched or name == "switch"
            if self.left == 0:
                raise Killed
            return result

        return made

    async def upgrade(self, db: stores.SqlStore) -> None:
        """Again and again until it is there."""
        while not self.switched:
            self.left = self._rnd.choice((None, *(self._rnd.randrange(1, _LONGEST) for _ in range(6))))
            try:
                await world.upgrade(db, WAYS[self._rnd.choice(sorted(WAYS))])
            except Killed:
                continue


@pytest.mark.parametrize("seed", range(examples(8)))
async def test_what_is_there_is_what_was_written_last(
    url: str, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "PAGE", 7)
    monkeypatch.setattr(upgrading, "_AT_ONCE", 9)
    db = await world.begin(url, OLD, {"Shelf": shelves()})
    try:
        site = Site(db, seed)
        for _ in range(6):
            await site.write()
        with monkeypatch.context() as patch:
            for name in CALLS:
                patch.setattr(db, name, site.watched(name, getattr(db, name)))
            await site.upgrade(db)
        (new,) = await world.current(db)
        assert {
            place: _facts(body) for place, body in (await world.bodies(db, new, "Box")).items()
        } == site.boxes
    finally:
        await db.close()


def _facts(body: dict[str, Any]) -> tuple[str, int, str]:
    (size,) = [body[name] for name in ("size", "volume", "litres") if name in body]
    shelf = body["shelf_id"]
    return body["name"], size, shelf[0] if isinstance(shelf, list) else shelf
