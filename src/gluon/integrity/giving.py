"""Pools put right by what the objects have: who has a value holds it, who has it not holds it no more, and the pool is made anew.

In: a checkup on a picture that is read under the writer lock, and may be written. Out: how many values and pools were put right. What two
objects have is held by one of them, and found again. Called by `mending`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime, timedelta

from gluon import errors
from gluon import pools as given
from gluon.integrity import pools
from gluon.integrity.findings import Checkup
from gluon.particles import tables as model_tables
from gluon.pools import tables as pool_tables
from gluon.proton import supplies, units
from gluon.spi import store
from gluon.store.ddl import quoted
from gluon.values.space import Space

_AT_ONCE = 1000
_TABLES = {t.name: t for t in given.TABLES}


async def mend(checkup: Checkup) -> int:
    if not pools.there(checkup):
        return 0
    look = pools.Look(checkup)
    await look.begin()
    touched: dict[str, None] = {}
    mended = 0
    async for chunk in look.unheld():
        right = [
            given.held(one.pool, one.value, one.holder, units.text_of(one.row[model_tables.PROJECT]))
            for one in chunk
            if one.mendable
        ]
        await _write(checkup, ((pool_tables.VALUE, row) for row in right))
        touched |= {str(row["pool"]): None for row in right}
        mended += len(right)
    async for rows in look.orphans():
        await _write(checkup, ((pool_tables.VALUE, {**row, "holder": None, "project": None}) for row in rows))
        touched |= {str(row["pool"]): None for row in rows}
        mended += len(rows)
    known = [pool async for pool in pools.distrusted(checkup)]
    mended += len(known) - len(touched.keys() & set(known))
    touched |= dict.fromkeys(known)
    if touched:
        await checkup.picture.advance()
        await _make_anew(checkup, touched)
    return mended


async def _make_anew(checkup: Checkup, touched: dict[str, None]) -> None:
    """Whose pool is not there any more, all of it goes."""
    async for supply in _supplies(checkup, touched):
        del touched[supply.id]
        await _rows(checkup, supply)
    for pool in touched:
        for table in given.TABLES:
            await checkup.picture.fetch(
                f"DELETE FROM {quoted(table.name)} WHERE {quoted(table.key[0])} = ?", pool
            )


async def _supplies(checkup: Checkup, wanted: dict[str, None]) -> AsyncIterator[given.Supply]:
    for model in checkup.models:
        for pool in model.pools.values():
            supply = given.of_model(model.name, pool)
            if supply.id in wanted:
                yield supply
    for resource in checkup.known.by_name.values():
        if resource.pools and wanted and resource.table in checkup.picture.there:
            async for chunk in checkup.picture.scan(model_tables.table(resource.model, resource.type)):
                for row in chunk:
                    for own in resource.pools:
                        if own.id(row[resource.records.key_column]) in wanted:
                            yield _supply(own, row)


def _supply(own: supplies.OwnPool, row: store.Row) -> given.Supply:
    """Where an attribute holds no range, what is held is outside of them all, until that is cured."""
    try:
        return own.supply(row)
    except errors.Invalid:
        id_ = own.id(row[own.records.key_column])
        return given.Supply(id=id_, name=id_, space=Space(given.codec_of(own.pool), ()), rest=own.pool.rest)


async def _rows(checkup: Checkup, supply: given.Supply) -> None:
    """All that there is of one pool."""
    await checkup.picture.fetch(f"DELETE FROM {quoted(pool_tables.BLOCK)} WHERE pool = ?", supply.id)
    free_at = (datetime.now(UTC) + timedelta(seconds=supply.rest)).strftime("%Y-%m-%dT%H:%M:%S.%f")
    anew = given.Anew(supply, free_at)
    async for chunk in checkup.picture.scan(pools.VALUES, (supply.id, "")):
        writes = [anew.judge(row) for row in chunk if row["pool"] == supply.id]
        await _write(checkup, (one for one in writes if one is not None))
        if chunk[-1]["pool"] != supply.id:
            break
    await _write(checkup, anew.end())


async def _write(checkup: Checkup, writes: Iterable[store.Write]) -> None:
    """Rows take the place of those with their keys."""
    rows: dict[str, dict[tuple[store.Value, ...], store.Row | None]] = {}
    for count, (table, what) in enumerate(writes, 1):
        key = tuple(what[c] for c in _TABLES[table].key) if isinstance(what, dict) else what
        rows.setdefault(table, {})[key] = what if isinstance(what, dict) else None
        if count % _AT_ONCE == 0:
            await _flush(checkup, rows)
    await _flush(checkup, rows)


async def _flush(checkup: Checkup, rows: dict[str, dict[tuple[store.Value, ...], store.Row | None]]) -> None:
    for table, some in rows.items():
        await checkup.picture.write(_TABLES[table], list(some), [r for r in some.values() if r is not None])
    rows.clear()
