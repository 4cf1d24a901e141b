"""Many rows of a table by their keys, outside of units: under the lock of the writer, or in a look.

In: a connection and shapes. Out: rows, some hundred a statement. Called by `upgrading` and `picture`.
"""

from __future__ import annotations

from collections.abc import Sequence

from gluon.spi import store
from gluon.store import driver
from gluon.store.ddl import listed, quoted
from gluon.store.dialect import Dialect
from gluon.store.shape import Key, Shape

_AT_ONCE = 500
_TOGETHER = 50
"""Rows that one statement inserts."""
_MANY = 1000
"""Rows after which the database counts anew what a table has, and each time that they have doubled."""


class Bulk:
    """Of one connection."""

    def __init__(self, connection: driver.Connection, dialect: Dialect) -> None:
        self._connection = connection
        self._analyze = dialect.analyze
        self._written: dict[str, int] = {}

    async def found(
        self, shape: Shape, columns: tuple[str, ...], values: Sequence[Key]
    ) -> Sequence[store.Row]:
        """The rows that have one of `values` in `columns`, which an index or the key serves."""
        rows: list[store.Row] = []
        for start in range(0, len(values), _AT_ONCE):
            rows += await self._connection.lookup(shape, columns, values[start : start + _AT_ONCE])
        return rows

    async def write(self, shape: Shape, gone: Sequence[Key], rows: Sequence[store.Row]) -> None:
        """The rows with the keys `gone` go, then `rows` come."""
        *first, last = shape.key
        where = "".join(f"{quoted(column)} = ? AND " for column in first)
        ends: dict[Key, list[store.Value]] = {}
        for key in gone:
            ends.setdefault(key[:-1], []).append(key[-1])
        for begin, each in ends.items():
            for start in range(0, len(each), _AT_ONCE):
                part = each[start : start + _AT_ONCE]
                some = f"{quoted(last)} IN ({', '.join('?' * len(part))})"
                sql = f"DELETE FROM {quoted(shape.name)} WHERE {where}{some}"
                await self._connection.fetch(sql, *begin, *part)
        await self.insert(shape, rows)

    async def insert(self, shape: Shape, rows: Sequence[store.Row]) -> None:
        for start in range(0, len(rows), _TOGETHER):
            part = rows[start : start + _TOGETHER]
            marks = ", ".join([f"({', '.join('?' * shape.width)})"] * len(part))
            sql = f"INSERT INTO {quoted(shape.name)} ({listed(shape.columns)}) VALUES {marks}"
            await self._connection.fetch(sql, *(value for row in part for value in shape.values_of(row)))
        await self._learn(shape.name, len(rows))

    async def _learn(self, table: str, count: int) -> None:
        """Who plans by what a table had before this transaction reads all of it for each look."""
        before = self._written.get(table, 0)
        self._written[table] = before + count
        if self._analyze and ((before + count) // _MANY).bit_length() > (before // _MANY).bit_length():
            await self._connection.fetch(f"{self._analyze} {quoted(table)}")
