"""Indexes that are built, and go, while their table is used: one part of `spi.upgrade`.

In: a driver, a table, columns. Out: the index, or the values that are not unique. Invariant: as of `upgrading`. Called by `sql`.
"""

from __future__ import annotations

from gluon import errors
from gluon.spi import tables
from gluon.store import ddl, driver, upgrading
from gluon.store.install import read_tables


async def index(
    database: driver.Database, table: tables.Table, columns: tuple[str, ...], *, unique: bool
) -> None:
    dialect = database.dialect
    (found,) = [i for i in ddl.Ddl(dialect, frozenset()).indexes(table) if (i[1], i[2]) == (columns, unique)]
    name, _, _, sql = found
    word, suffix = dialect.online
    online = sql.replace("INDEX ", f"INDEX {word}", 1) + suffix

    async def build() -> None:
        async with upgrading.installer(database) as connection:
            if unique:
                await _refuse_repeated(connection, table, columns)
            if dialect.broken_index:
                broken = await connection.fetch(dialect.broken_index, name)
                if broken:
                    await connection.execute(f"DROP INDEX {word}IF EXISTS {ddl.quoted(name)}")
            there = await read_tables(connection, dialect)
            if name in there[table.name].indexes:
                return
            try:
                await connection.execute(online)
            except driver.Violation as violation:
                await _refuse_repeated(connection, table, columns)
                raise driver.Busy("values were repeated while the index was built") from violation

    await upgrading.patiently(build)


async def _refuse_repeated(
    connection: driver.Connection, table: tables.Table, columns: tuple[str, ...]
) -> None:
    given = " AND ".join(f"{ddl.quoted(c)} IS NOT NULL" for c in columns)
    rows = await connection.fetch(
        f"SELECT {ddl.listed(columns)}, COUNT(*) FROM {ddl.quoted(table.name)} WHERE {given}"
        f" GROUP BY {ddl.listed(columns)} HAVING COUNT(*) > 1 ORDER BY COUNT(*) DESC LIMIT 10"
    )
    if rows:
        said = "; ".join(
            f"{', '.join('null' if v is None else repr(v) for v in row[:-1])} ({row[-1]} objects)"
            for row in rows
        )
        names = ", ".join(c.lstrip("_") for c in columns)
        raise errors.Conflict(
            f"{names}: to be unique, and more than one object has {said}",
            code="repeated",
            hint="change these objects or the model, and run it again",
        )


async def unindex(database: driver.Database, table: tables.Table, columns: tuple[str, ...]) -> None:
    """Take a unique index away, where it is there."""
    dialect, name = database.dialect, ddl.name_of("uq", table.name, columns)
    word, _ = dialect.online
    gone = ddl.Ddl(dialect, frozenset()).drop_index(table, name)

    async def work() -> None:
        async with upgrading.installer(database) as connection:
            if name in (await read_tables(connection, dialect))[table.name].indexes:
                await connection.execute(gone.replace("INDEX ", f"INDEX {word}", 1))

    await upgrading.patiently(work)
