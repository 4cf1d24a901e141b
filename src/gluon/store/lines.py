"""Rows as values of some columns: of one table, or of several in one statement.

In: a `spi.store.Select` and what is wanted of its rows. Out: values. A client that waits for rows of several tables waits once, where
the database has arrays of rows. Called by `sql`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from gluon.spi import store
from gluon.store import driver, pages, texts
from gluon.store.often import Often
from gluon.store.readers import Readers
from gluon.store.shape import Shape

_MOST = 2000
"""Values that one statement is given."""

Lines = Sequence[Sequence[store.Value]]


class LineReader:
    """Reads of one database. `shape_of`: what is known of a table."""

    def __init__(self, database: driver.Database, readers: Readers, shape_of: Callable[[str], Shape]) -> None:
        self._dialect = database.dialect
        self._readers = readers
        self._shape_of = shape_of
        self._often = Often()

    async def values(self, query: store.Select, columns: store.Wanted) -> Lines:
        shape = self._shape_of(query.table)
        found = pages.read(self._dialect, shape, query, columns)
        if found is None:
            return ()
        rows = await self._readers.page(*found)
        if self._dialect.has_booleans:
            return rows
        other = columns[-1]
        if not isinstance(other, store.Along):
            return shape.with_booleans(columns, rows)
        told = self._shape_of(other.table)
        return told.with_booleans(other.columns, shape.with_booleans(columns, rows), len(columns) - 1)

    async def several(self, reads: Sequence[tuple[store.Select, store.Wanted]]) -> Sequence[Lines]:
        """Of each its own."""
        if len(reads) == 1:
            return [await self.values(*reads[0])]
        if reads and self._dialect.has_row_arrays:
            found = [pages.read(self._dialect, self._shape_of(q.table), q, columns) for q, columns in reads]
            one = [read for read in found if read is not None and not read[2]]
            parts = tuple(text for text, _, _ in one)
            args = [value for _, values, _ in one for value in values]
            if len(one) == len(found) and len(args) <= _MOST and self._often(parts):
                ((*rows,),) = await self._readers.fetch(texts.several(parts), *args)
                return rows
        return await asyncio.gather(*(self.values(*read) for read in reads))
