"""Many rows of a table by their keys, outside of units: under the lock of the writer, or in a look.

In: a connection and a shape. Out: rows, some hundred a statement. Called by `upgrading` and `picture`.
"""

from __future__ import annotations

from collections.abc import Sequence

from gluon.spi import store
from gluon.store import ddl, driver
from gluon.store.shape import Key, Shape

_AT_ONCE = 500
_TOGETHER = 50
"""Rows that one statement inserts."""


async def found(
    connection: driver.Connection, shape: Shape, columns: tuple[str, ...], values: Sequence[Key]
) -> Sequence[store.Row]:
    """The rows that have one of `values` in `columns`, which an index or the key serves."""
    rows: list[store.Row] = []
    for start in range(0, len(values), _AT_ONCE):
        rows += await connection.lookup(shape, columns, values[start : start + _AT_ONCE])
    return rows


async def write(
    connection: driver.Connection, shape: Shape, gone: Sequence[Key], rows: Sequence[store.Row]
) -> None:
    """The rows with the keys `gone` go, then `rows` come."""
    *first, last = shape.key
    where = "".join(f"{ddl.quoted(column)} = ? AND " for column in first)
    ends: dict[Key, list[store.Value]] = {}
    for key in gone:
        ends.setdefault(key[:-1], []).append(key[-1])
    for begin, each in ends.items():
        for start in range(0, len(each), _AT_ONCE):
            part = each[start : start + _AT_ONCE]
            some = f"{ddl.quoted(last)} IN ({', '.join('?' * len(part))})"
            await connection.fetch(f"DELETE FROM {ddl.quoted(shape.name)} WHERE {where}{some}", *begin, *part)
    await insert(connection, shape, rows)


async def insert(connection: driver.Connection, shape: Shape, rows: Sequence[store.Row]) -> None:
    for start in range(0, len(rows), _TOGETHER):
        part = rows[start : start + _TOGETHER]
        marks = ", ".join([f"({', '.join('?' * shape.width)})"] * len(part))
        sql = f"INSERT INTO {ddl.quoted(shape.name)} ({ddl.listed(shape.columns)}) VALUES {marks}"
        await connection.fetch(sql, *(value for row in part for value in shape.values_of(row)))
