"""What is counted for quotas equals what is stored, whatever is made, deleted and changed, the model too."""

from __future__ import annotations

import asyncio
import collections
import itertools
import uuid
from typing import Any

import hypothesis
from hypothesis import strategies as st

from gluon import errors
from gluon import store as stores
from gluon.arbiter import tables as arbiter_tables
from gluon.evolve import runner
from gluon.evolve.stored import stored
from gluon.evolve.survey import recorded, survey
from gluon.model.types import Model
from gluon.particles import tables
from gluon.proton import registry
from gluon.proton import tables as proton_tables
from gluon.spi.store import Select
from gluon.spi.usage import TABLE
from tests.unit.evolve import models
from tests.unit.proton.parts import CALLER, Anyone, Engine, attribute, object_type

OTHERS = (*arbiter_tables.TABLES, *proton_tables.TABLES)
PROJECTS = (None, "a", "b")
_NUMBERS = itertools.count()

Step = tuple[Any, ...]
STEPS = st.lists(
    st.tuples(st.just("make"), st.sampled_from(PROJECTS))
    | st.tuples(st.just("move"), st.integers(0, 5), st.sampled_from(PROJECTS))
    | st.tuples(st.just("delete"), st.integers(0, 5))
    | st.tuples(st.just("model"), st.sampled_from([None, 2, 100]), st.sampled_from(["name", "title"])),
    min_size=4,
    max_size=24,
)


def shop(api: str, quota: int | None, name: str = "name") -> Model:
    """`name` is what the only attribute is called: another name copies all objects."""
    other = {"name": "title", "title": "name"}[name]
    box = object_type("Box", attribute(name, renamed_from=other), quota=quota)
    return models.model(box, object_type("Crate", quota=5), name=api)


class Shop:
    """A database, its engine and what should be there."""

    def __init__(self, database: stores.SqlStore, model: Model) -> None:
        self.database = database
        self._serve(model)
        self.boxes: dict[str, str | None] = {}

    def _serve(self, model: Model) -> None:
        self.model = model
        self.engine = Engine(self.database, registry.Registry([model]), Anyone())
        self.engine.context = lambda kind: self.engine._actions.context(  # type: ignore[method-assign]
            self.engine.known.by_name[model.name, kind], CALLER, "r"
        )

    async def take(self, step: Step) -> None:
        keys = sorted(self.boxes)
        try:
            match step:
                case ("make", project):
                    key = str(uuid.uuid4())
                    await self.engine.make("Box", key, project_id=project)
                    self.boxes[key] = project
                case ("move", n, project) if keys:
                    await self.engine.put("Box", keys[n % len(keys)], project_id=project)
                    self.boxes[keys[n % len(keys)]] = project
                case ("delete", n) if keys:
                    await self.engine.delete("Box", keys[n % len(keys)])
                    del self.boxes[keys[n % len(keys)]]
                case ("model", quota, name):
                    await self.change(shop(self.model.name, quota, name))
        except errors.Conflict as conflict:
            if conflict.code != "quota":
                raise
            self.boxes_are_many(step)

    def boxes_are_many(self, step: Step) -> None:
        (project,) = [p for p in step[1:] if not isinstance(p, int)]
        held = sum(1 for p in self.boxes.values() if p == project)
        assert held >= (self.model.types["Box"].quota or 0)

    async def change(self, wanted: Model) -> None:
        """As a server that starts takes it, or else as an upgrade."""
        plan = await survey(self.database, [wanted])
        if plan.at_once:
            made = (*OTHERS, *tables.tables_of(plan.new))
            await self.database.install(made, [stored(m) for m in plan.new])
        else:
            await runner.Runner(self.database, plan, others=OTHERS, say=lambda text: None).run()
        self._serve(await _on_record(self.database, wanted.name))

    async def holds(self) -> None:
        assert await used(self.database, self.model) == dict(
            collections.Counter(p or "" for p in self.boxes.values())
            if self.model.types["Box"].quota is not None
            else {}
        )


async def _on_record(database: stores.SqlStore, name: str) -> Model:
    (found,) = [m for m in await recorded(database) if m.name == name]
    return found


async def used(database: stores.SqlStore, model: Model) -> dict[str, int]:
    """Counts of the boxes of each project that are not 0."""
    rows = await database.select(Select(table=TABLE.name))
    return {
        str(r["project"]): int(r["n"] or 0)
        for r in rows
        if r["api"] == model.name and r["type"] == "Box" and r["n"]
    }


@hypothesis.settings(
    max_examples=12, deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture, hypothesis.HealthCheck.too_slow],
)  # fmt: skip
@hypothesis.given(steps=STEPS)
@hypothesis.example(
    steps=[
        ("model", None, "name"), ("make", None), ("make", "a"), ("make", "a"), ("make", "a"),
        ("model", 2, "name"), ("make", None), ("make", None), ("make", "a"), ("delete", 0), ("delete", 0),
        ("model", None, "name"), ("make", "a"), ("make", None), ("model", 100, "title"), ("make", "b"),
    ]
)  # fmt: skip
def test_counts_are_those_of_the_rows(url: str, steps: list[Step]) -> None:
    asyncio.run(_go(url, f"usage{next(_NUMBERS)}", steps))


async def _go(url: str, name: str, steps: list[Step]) -> None:
    database = stores.open(url, stores.Settings(references=False))
    try:
        model = shop(name, 2)
        await database.install((*OTHERS, *tables.tables_of([model])), [stored(model)])
        here = Shop(database, model)
        for step in steps:
            await here.take(step)
            await here.holds()
    finally:
        await database.close()


async def test_counts_are_right_where_objects_come_and_go_while_the_quota_comes(shared_url: str) -> None:
    """Another process writes until its model is an old one; then the counts are those of the rows."""
    name = "busy"
    client, database = stores.open(shared_url), stores.open(shared_url)
    try:
        old = shop(name, None)
        for one in (client, database):
            await one.install((*OTHERS, *tables.tables_of([old])), [stored(old)])
        writer = Shop(client, old)

        async def write() -> None:
            for n in itertools.count():
                try:
                    await writer.take(("delete", n) if n % 4 == 3 else ("make", PROJECTS[n % 3]))
                except errors.StaleModel:
                    return

        async with asyncio.TaskGroup() as group:
            group.create_task(write())
            while len(writer.boxes) < 20:
                await asyncio.sleep(0.01)
            other = Shop(database, old)
            await other.change(shop(name, 100, "title"))
        expected = collections.Counter(p or "" for p in writer.boxes.values())
        assert await used(database, other.model) == dict(expected)
        assert sum(expected.values()) >= 20
    finally:
        await client.close()
        await database.close()
