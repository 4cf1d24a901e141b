"""A database with objects of a small model, and the way to another model, as `gluon db upgrade` goes it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gluon import store as stores
from gluon.evolve import plan as plans
from gluon.evolve import runner
from gluon.evolve.stored import stored
from gluon.evolve.survey import recorded, survey
from gluon.model import fields
from gluon.model.types import Model
from gluon.objects import journal
from gluon.particles import links, records, tables
from gluon.spi import store

Bodies = Mapping[str, Sequence[Mapping[str, Any]]]
"""Objects by type."""


class Write:
    """A unit: objects made, replaced or (None) removed, journalled as the engine does."""

    who = "test"
    request_id = "r"
    reads: Sequence[store.Lookup] = ()

    def __init__(self, model: Model, objects: Iterable[tuple[str, str, Mapping[str, Any] | None]]) -> None:
        self._model = model
        self._objects = list(objects)

    def decide(self, view: store.View) -> store.Changes:
        changes = store.Changes()
        for name, key, body in self._objects:
            kind = self._model.types[name]
            made = records.Records(self._model, kind)
            row = None
            if body is None:
                changes.delete(made.table, key)
            else:
                values = fields.compile_fields(kind).check({**body, "id": key}, partial=True).values
                row = made.row(values, {}, revision=view.revision, now=view.now)
                changes.put(made.table, row)
            for link in kind.links:
                table = tables.link_table_name(self._model, kind, link)
                for old in view.rows(table, (tables.OWNER,), (key,)):
                    changes.delete(table, key, old[tables.TARGET])
                value = made.values_of(row)[link.top] if row else None
                for _, target in links.targets(link, value):
                    changes.put(table, {tables.OWNER: key, tables.TARGET: target})
            draft = journal.Draft(
                op=journal.Operation.UPDATE, api=self._model.name, type=name, key=key, project=None,
                intent=True, old=None, new=made.document(row) if row else None,
            )  # fmt: skip
            changes.entries.append(draft)
        return changes


async def begin(url: str, model: Model, bodies: Bodies, **settings: Any) -> stores.SqlStore:
    """A store with the model and its objects (keys by their `id`)."""
    db = stores.open(url, stores.Settings(**settings))
    await db.install(tables.tables_of([model]), [stored(model)])
    for name, objects in bodies.items():
        for start in range(0, len(objects), 200):
            part = objects[start : start + 200]
            await db.submit(Write(model, [(name, body["id"], body) for body in part]))
    return db


async def current(db: stores.SqlStore) -> list[Model]:
    return list(await recorded(db))


async def plan_to(db: stores.SqlStore, *new: Model, drop: bool = False) -> plans.Plan:
    return await survey(db, new, drop=drop, thorough=True)


async def upgrade(db: stores.SqlStore, *new: Model, drop: bool = False) -> plans.Plan:
    made = await plan_to(db, *new, drop=drop)
    await take(db, made)
    return made


async def take(db: stores.SqlStore, made: plans.Plan) -> None:
    await runner.Runner(db, made, others=(), say=lambda text: None).run()


async def bodies(db: stores.SqlStore, model: Model, name: str) -> dict[str, dict[str, Any]]:
    """The objects of a type by key, without times."""
    kind = model.types[name]
    made = records.Records(model, kind)
    rows = await db.select(store.Select(table=made.table))
    return {str(row[made.key_column]): dict(made.values_of(row)) for row in rows}
