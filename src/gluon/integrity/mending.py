"""Cure what can be cured from the rows of objects and bindings alone: values of pools, counts of quotas, the index of ports
and what is kept of those that are gone, which services are networks, up to where others were told.

In: a picture that is read under the writer lock, and may be written. Out: how many rows were put right. Called by mains.
"""

from __future__ import annotations

from collections.abc import Sequence

from gluon.arbiter import ledger
from gluon.arbiter import tables as arbiter_tables
from gluon.integrity import check, giving, networks, places, ports, rows
from gluon.integrity.findings import Checkup, Kind
from gluon.proton.tables import USAGE
from gluon.spi import store, tables
from gluon.spi.networks import TABLE
from gluon.store.ddl import listed, quoted
from gluon.store.picture import Picture


async def mend(picture: Picture, others: Sequence[tables.Table]) -> int:
    """Looks again: what was found before may be another by now."""
    checkup = await check.begin(picture, others)
    await rows.quotas(checkup)
    await ports.check(checkup)
    counted = sum(n for (kind, _), n in checkup.more.items() if kind is Kind.QUOTAS)
    if counted:
        await picture.advance()
        await _count(checkup)
    counted += await giving.mend(checkup)
    return counted + await _own(checkup) + await _enter(checkup) + await places.mend(checkup)


async def _enter(checkup: Checkup) -> int:
    """Rows of networks that are missing, or too many."""
    wrong = [one async for one in networks.differing(checkup)]
    table = quoted(TABLE.name)
    for row, there in wrong:
        if there:
            await checkup.picture.fetch(f"DELETE FROM {table} WHERE id = ?", row["id"])
        else:
            marks = ", ".join("?" * len(row))
            await checkup.picture.fetch(
                f"INSERT INTO {table} ({listed(row)}) VALUES ({marks})", *row.values()
            )
    return len(wrong)


async def _count(checkup: Checkup) -> None:
    for (api, name), resource in checkup.known.by_name.items():
        if resource.type.quota is None:
            continue
        await checkup.picture.fetch(f"DELETE FROM {quoted(USAGE)} WHERE api = ? AND type = ?", api, name)
        await checkup.picture.fetch(
            f"INSERT INTO {quoted(USAGE)} (project, api, type, n)"
            f" SELECT COALESCE(_project, ''), ?, ?, COUNT(*) FROM {quoted(resource.table)}"
            " GROUP BY COALESCE(_project, '')",
            api, name,
        )  # fmt: skip


async def _own(checkup: Checkup) -> int:
    """Rows of the index that are missing, wrong or too many; and what is kept of ports that are gone."""
    picture, table = checkup.picture, quoted(arbiter_tables.PORT)
    kept = {
        str(r[0]): tuple(r[1:]) for r in await picture.fetch(f"SELECT id, {listed(ports.TOLD)} FROM {table}")
    }
    served = {m.name for m in checkup.models}
    mended = 0
    async for _, row in ports.wanted(checkup):
        said = kept.pop(str(row["id"]), None)
        right: tuple[store.Value, ...] = tuple(row[name] for name in ports.TOLD)
        if said is None:
            marks = ", ".join("?" * len(row))
            await picture.fetch(f"INSERT INTO {table} ({listed(row)}) VALUES ({marks})", *row.values())
        elif said != right:
            given = ", ".join(f"{quoted(name)} = ?" for name in ports.TOLD)
            await picture.fetch(f"UPDATE {table} SET {given} WHERE id = ?", *right, row["id"])
        mended += said != right
    for key, (owner, api, *_) in kept.items():
        if owner == ledger.OWNER and api in served:
            await picture.fetch(f"DELETE FROM {table} WHERE id = ?", key)
            mended += 1
    return mended + await _forget(checkup)


async def _forget(checkup: Checkup) -> int:
    """What is kept of ports that the index, as it is now, does not know."""
    gone = await ports.gone(checkup)
    for table, _, found_by in gone:
        which = " AND ".join(f"{quoted(column)} = ?" for column in found_by)
        await checkup.picture.fetch(f"DELETE FROM {quoted(table)} WHERE {which}", *found_by.values())
    return len(gone)
