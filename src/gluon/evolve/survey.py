"""Look at a database: which models are on record, and what it takes to come from them to others.

In: a store, models. Out: the `Plan`; nothing is changed. Called by commands and by a server that starts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from gluon.evolve.plan import Plan, plan
from gluon.evolve.stored import placed, restore
from gluon.model.types import Model
from gluon.particles import tables
from gluon.spi import store
from gluon.spi.upgrade import Upgradable


async def recorded(database: Upgradable) -> tuple[Model, ...]:
    """The models on record, each type with the table that holds it."""
    return tuple(restore(kept) for kept in await database.models())


async def loaded(database: Upgradable) -> tuple[store.StoredModel, ...]:
    """The records themselves: who loaded what, and when."""
    return tuple(await database.models())


async def survey(
    database: Upgradable, new: Sequence[Model], *, drop: bool = False, thorough: bool = False
) -> Plan:
    """What leads from the models on record to `new`; those that `new` does not name stay as they are.

    `thorough`: tables are looked at also where the models are the same, as another release may want others.
    """
    known = {m.name: m for m in await recorded(database)}
    if not thorough:
        same = {m.name for m in new if m.name in known and known[m.name].digest == m.digest}
        kept = {m.name: placed(m, known[m.name]) for m in new if m.name in same}
        found = await _survey(database, [m for m in new if m.name not in same], known, drop=drop)
        after = {m.name: m for m in found.new}
        return replace(found, new=tuple(kept.get(m.name) or after[m.name] for m in new))
    return await _survey(database, new, known, drop=drop)


async def _survey(
    database: Upgradable, new: Sequence[Model], known: Mapping[str, Model], *, drop: bool
) -> Plan:
    old = tuple(known[m.name] for m in new if m.name in known)
    if not old:
        return plan((), new, {}, drop=drop)
    wanted = tables.tables_of([placed(m, known.get(m.name)) for m in new])
    names = {t.name for t in (*wanted, *tables.tables_of(old))}
    rows = await database.counts(sorted(names))
    return plan(old, new, rows, rigid=await database.rigid(wanted), drop=drop)
