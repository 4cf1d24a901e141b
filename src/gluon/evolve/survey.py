"""Look at a database: which models are on record, and what it takes to come from them to others.

In: a store, models. Out: the `Plan`; nothing is changed. Called by commands and by a server that starts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from gluon.evolve import returning
from gluon.evolve.plan import Plan, plan
from gluon.evolve.stored import kept, placed, restore
from gluon.model.types import Model
from gluon.particles import tables
from gluon.spi import store
from gluon.spi.upgrade import Locked, Upgradable


async def recorded(database: Upgradable | Locked, *, retired: bool = False) -> tuple[Model, ...]:
    """The models on record, each type with the table that holds it; `retired`: also those that are served no more."""
    return tuple(restore(kept) for kept in await database.models(retired=retired))


async def loaded(database: Upgradable) -> tuple[store.StoredModel, ...]:
    """The records themselves: who loaded what, and when."""
    return tuple(await database.models())


async def survey(
    database: Upgradable,
    new: Sequence[Model],
    *,
    drop: bool = False,
    thorough: bool = False,
    records: Sequence[store.StoredModel] | None = None,
) -> Plan:
    """What leads from the models on record to `new`; those that `new` does not name stay as they are. One that was retired and
    comes again has the objects that it had, so it is on record too.

    `thorough`: tables are looked at also where the models are the same, as another release may want others;
    `records`: what is on record, where somebody has read it already.
    """
    found = {r.api: r for r in (await database.models(retired=True) if records is None else records)}
    others = [m for m in new if thorough or m.name not in found or found[m.name].digest != m.digest]
    known = {m.name: restore(found[m.name]) for m in others if m.name in found}
    resting = frozenset(name for name, record in found.items() if record.retired)
    there = await _survey(database, others, known, resting, drop=drop)
    if len(others) == len(new):
        return there
    after = {m.name: m for m in there.new}
    return replace(there, new=tuple(after.get(m.name) or kept(m, found[m.name]) for m in new))


async def _survey(
    database: Upgradable,
    new: Sequence[Model],
    known: Mapping[str, Model],
    resting: frozenset[str],
    *,
    drop: bool,
) -> Plan:
    old = tuple(known[m.name] for m in new if m.name in known)
    if not old:
        return plan((), new, {}, drop=drop)
    wanted = tables.tables_of([placed(m, known.get(m.name)) for m in new])
    names = {t.name for t in (*wanted, *tables.tables_of(old))}
    there = await database.look(sorted(names), wanted)
    rigid = there.rigid
    after = {m.name: m for m in new}
    before = []
    for model in old:
        asked = returning.asked(model, after[model.name], there.columns)
        longest = {table: await database.longest(table, texts) for table, texts in asked.items()}
        known_of, unknown = returning.returning(model, after[model.name], there.columns, longest)
        before.append(known_of)
        rigid |= unknown
    return plan(before, new, there.rows, rigid=rigid, drop=drop, resting=resting)
