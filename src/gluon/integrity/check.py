"""All checks of a database, one after the other.

In: a picture of it, the tables of the engines. Out: a `Checkup` with its findings. Called by mains.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gluon import errors
from gluon.arbiter import projection as arbiter_projection
from gluon.arbiter import tables as arbiter_tables
from gluon.evolve.stored import restore
from gluon.integrity import history, networks, places, pools, ports, rows, unreadable
from gluon.integrity.findings import Checkup
from gluon.model.types import Model
from gluon.particles import projection
from gluon.particles import tables as model_tables
from gluon.proton import registry
from gluon.spi import store, tables
from gluon.store.picture import Picture


class _NoCode(Mapping[str, Any]):
    """Nothing is called: whatever hooks a model names are taken as there."""

    def __getitem__(self, name: str) -> Any:
        return None

    def __contains__(self, name: object) -> bool:
        return True

    def __iter__(self) -> Any:
        return iter(())

    def __len__(self) -> int:
        return 0


async def begin(picture: Picture, others: Sequence[tables.Table]) -> Checkup:
    """What is known of the database; nothing is judged yet."""
    models: tuple[Model, ...] = tuple(_restored(r) for r in await picture.models())
    known = registry.Registry(models, _NoCode())
    return Checkup(picture=picture, models=models, known=known, others=tuple(others))


def _restored(record: store.StoredModel) -> Model:
    try:
        return restore(record)
    except unreadable.ERRORS as error:
        raise errors.Unavailable(
            f"the model of {record.api} on record cannot be read: restore a backup"
        ) from error


async def check(picture: Picture, others: Sequence[tables.Table]) -> Checkup:
    """Raises `Unavailable`."""
    checkup = await begin(picture, others)
    try:
        await _look(checkup)
    except unreadable.ERRORS:
        checkup.unreadable = await unreadable.find(checkup)
        if not checkup.unreadable:
            raise
    return checkup


async def _look(checkup: Checkup) -> None:
    rows.schema(checkup)
    await rows.references(checkup)
    await rows.unique(checkup)
    await pools.check(checkup)
    await rows.quotas(checkup)
    shown = projection.Projections(
        projection.ModelProjection(checkup.models), arbiter_projection.BindingProjection()
    )
    objects = [model_tables.table(m, t) for m in checkup.models for t in m.types.values()]
    bindings = [t for t in arbiter_tables.TABLES if t.name == arbiter_tables.BINDING]
    await history.check(checkup, shown, (*objects, *bindings))
    await ports.check(checkup)
    await networks.check(checkup)
    await places.check(checkup)
