"""Many rows by their keys, and what several statements share.

In: a database, a table, keys. Out: rows by key. Keys are padded to a power of two, so that there are few statements.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from gluon.spi import store

AT_ONCE = 512
"""Keys of one statement."""

Asked = tuple[str, str, Collection[store.Value], store.Wanted]
"""A table, a column, some of its values, and what is wanted of the rows that have one of them."""


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
    rows = await where(database, table, column, found)
    return {row[column]: row for row in rows}


async def where(
    database: store.Store, table: str, column: str, values: Collection[store.Value]
) -> Sequence[store.Row]:
    """The rows in which a column has one of these values."""
    found: list[store.Row] = []
    for select in _selects(table, column, values):
        found += await database.select(select)
    return found


async def lines_where(
    database: store.Store,
    table: str,
    column: str,
    values: Collection[store.Value],
    columns: store.Wanted,
) -> Sequence[Sequence[store.Value]]:
    """The same as values of some columns."""
    (found,) = await lines_of(database, [(table, column, values, columns)])
    return found


async def lines_of(
    database: store.Store, asked: Sequence[Asked]
) -> Sequence[Sequence[Sequence[store.Value]]]:
    """The same of several tables."""
    parts = [
        [(select, columns) for select in _selects(table, column, values)]
        for table, column, values, columns in asked
    ]
    told = iter(await database.several([read for some in parts for read in some]))
    return [[line for _ in some for line in next(told)] for some in parts]


def _selects(table: str, column: str, values: Collection[store.Value]) -> list[store.Select]:
    """Statements for a part of the values each; the text of that for one value is kept."""
    found = list(dict.fromkeys(values))
    if len(found) == 1:
        return [store.Select(table=table, equals=((column, found[0]),))]
    parts = [found[n : n + AT_ONCE] for n in range(0, len(found), AT_ONCE)]
    return [store.Select(table=table, filters=(among(column, part),)) for part in parts]
