"""Many rows by their keys, and what several statements share.

In: a database, a table, keys. Out: rows by key. Keys are padded to a power of two, so that there are few statements.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from gluon.spi import store

AT_ONCE = 512
"""Keys of one statement."""


def among(column: str, values: Collection[store.Value]) -> store.Filter:
    """Rows that have one of these values."""
    found = list(dict.fromkeys(values))
    padded = (*found, *[found[-1]] * ((1 << (len(found) - 1).bit_length()) - len(found)))
    return store.Filter(column=column, match=store.Match.EQUAL, values=padded)


async def by_key(
    database: store.Store, table: str, column: str, keys: Collection[store.Value]
) -> dict[store.Value, store.Row]:
    """The rows that have these keys."""
    found = list(dict.fromkeys(keys))
    if len(found) == 1:
        row = await database.get(table, found[0])
        return {} if row is None else {found[0]: row}
    rows = await where(database, store.Select(table=table), column, found)
    return {row[column]: row for row in rows}


async def where(
    database: store.Store, select: store.Select, column: str, values: Collection[store.Value]
) -> Sequence[store.Row]:
    """The rows in which a column has one of these values, a part of the values at a time."""
    found = list(dict.fromkeys(values))
    rows: list[store.Row] = []
    for n in range(0, len(found), AT_ONCE):
        part = among(column, found[n : n + AT_ONCE])
        rows += await database.select(replace(select, filters=(*select.filters, part)))
    return rows
