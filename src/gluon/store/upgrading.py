"""The parts of a change of models that only the database can do: `spi.upgrade` beside `sql`.

In: a driver and tables. Out: tables and indexes made while others are used, and the transaction that switches.
Invariant: nothing here waits for a lock for more than a second, so no client does because of it. Called by `sql`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import TypeVar

from gluon import errors
from gluon.objects import journal
from gluon.spi import store, tables, upgrade
from gluon.store import bulk, ddl, driver, fixed, tails
from gluon.store.compare import compare
from gluon.store.dialect import Dialect
from gluon.store.install import ACTIVE, Fetching, Hooks, install, read_tables
from gluon.store.shape import Catalog, Key, Shape, catalog

_T = TypeVar("_T")

_TRIES = 60
_PAUSE = 0.25
_LINGERS = 8
"""Tries to be alone: two seconds, in which a server sees that a connection is closed."""
_AT_ONCE = 500
_COUNTED = 50
"""Tables that are counted by one statement."""


async def models(
    connection: driver.Connection, dialect: Dialect, *, retired: bool = False
) -> list[store.StoredModel]:
    """The models on record; `retired`: also those that are served no more."""
    there = (await read_tables(connection, dialect)).get(fixed.SCHEMA)
    if there is None:
        return []
    who = "loaded_by" if "loaded_by" in there.columns else "''"  # a database of an older release
    rows = await connection.fetch(
        f"SELECT api, version, digest, document, {who}, loaded_at, state FROM gluon_schema ORDER BY api"
    )
    return [
        store.StoredModel(
            api=r[0],
            version=r[1],
            digest=r[2],
            document=r[3],
            who=r[4] or "",
            at=r[5],
            retired=r[6] != ACTIVE,
        )
        for r in rows
        if retired or r[6] == ACTIVE
    ]


async def record(connection: Fetching, since: int) -> upgrade.Record:
    """One statement, so that it is of one moment."""
    rows = await connection.fetch(
        "SELECT w.epoch, s.api, s.version, s.digest, CASE WHEN s.epoch > ? THEN s.document END, s.loaded_by,"
        f" s.loaded_at FROM gluon_writer w LEFT JOIN gluon_schema s ON s.state = '{ACTIVE}' WHERE w.id = 1",
        since,
    )
    return upgrade.Record(
        epoch=int(rows[0][0]) if rows else 0,
        names=frozenset(row[1] for row in rows if row[1] is not None),
        changed=tuple(
            store.StoredModel(api=r[1], version=r[2], digest=r[3], document=r[4], who=r[5] or "", at=r[6])
            for r in sorted(rows, key=lambda r: r[1] or "")
            if r[4] is not None
        ),
    )


async def retire(connection: driver.Installer, api: str, empty: Sequence[str]) -> int:
    """The epoch without this model; 0 where one of these tables is not `empty`."""
    await connection.begin()
    await connection.switch()
    if any((await _counts(connection, empty)).values()):
        return 0
    await connection.fetch("UPDATE gluon_schema SET state = 'retired' WHERE api = ?", api)
    await connection.fetch("UPDATE gluon_writer SET epoch = epoch + 1 WHERE id = 1")
    rows = await connection.fetch("SELECT epoch FROM gluon_writer WHERE id = 1")
    await connection.commit()
    return int(rows[0][0])


async def counts(database: driver.Database, names: Sequence[str]) -> dict[str, int]:
    async with installer(database) as connection:
        there = await read_tables(connection, database.dialect)
        return await _counts(connection, sorted(there.keys() & set(names)))


async def _counts(connection: driver.Connection, names: Sequence[str]) -> dict[str, int]:
    """In one statement, so that nobody waits for many."""
    found: dict[str, int] = {}
    for start in range(0, len(names), _COUNTED):
        part = names[start : start + _COUNTED]
        asked = ", ".join(f"(SELECT COUNT(*) FROM {ddl.quoted(name)})" for name in part)
        found.update(zip(part, map(int, (await connection.fetch(f"SELECT {asked}"))[0]), strict=True))
    return found


async def look(
    database: driver.Database, names: Sequence[str], wanted: Sequence[tables.Table]
) -> upgrade.Standing:
    """Each table is compared alone, without what indexes and references ask for."""
    async with installer(database) as connection:
        there = await read_tables(connection, database.dialect)
        known = sorted(there.keys() & set(names))
        rows = await _counts(connection, known)
    plain = [replace(t, unique=(), indexes=(), sparse=(), foreign=()) for t in wanted if t.name in there]
    return upgrade.Standing(
        rows=rows,
        columns={n: {column: kept.type() for column, kept in there[n].columns.items()} for n in known},
        rigid=frozenset(
            t.name
            for t in plain
            if compare([t], {t.name: replace(there[t.name], foreign=set())}, database.dialect).reasons
        ),
    )


async def longest(database: driver.Database, table: str, names: Sequence[str]) -> dict[str, int | None]:
    """One pass over the table, whatever is asked of it."""
    asked = ", ".join(f"MAX({database.dialect.characters.format(ddl.quoted(name))})" for name in names)
    async with installer(database) as connection:
        rows = await connection.fetch(f"SELECT {asked} FROM {ddl.quoted(table)}")
    return dict(zip(names, rows[0], strict=True))


@asynccontextmanager
async def installer(database: driver.Database) -> AsyncIterator[driver.Installer]:
    connection = await database.installer()
    try:
        await connection.execute(database.dialect.hurry)
        yield connection
    finally:
        connection.kill()


@asynccontextmanager
async def alone(database: driver.Database) -> AsyncIterator[None]:
    """Raises `Conflict` where another upgrade or restore goes on."""
    async with installer(database) as connection:
        await hold(connection, database.dialect)
        yield


async def hold(connection: driver.Installer, dialect: Dialect) -> None:
    """The lock of upgrades and restores, which ends with the connection: a moment later, when the server has seen that it is closed.

    Raises:
        errors.Conflict: another holds it, and goes on to.
    """
    for _ in range(_LINGERS):
        if (await connection.fetch(dialect.alone))[0][0]:
            return
        await asyncio.sleep(_PAUSE)
    raise errors.Conflict(
        "another upgrade or restore of this database is running",
        code="upgrading",
        hint="wait until it has ended",
    )


async def patiently(work: Callable[[], Awaitable[_T]]) -> _T:
    """Until it gets its locks: each try waits for them for less than a second."""
    for _ in range(_TRIES):
        try:
            return await work()
        except driver.Busy:
            await asyncio.sleep(_PAUSE)
    return await work()


async def prepare(
    database: driver.Database, served: Sequence[tables.Table], fresh: Sequence[tables.Table]
) -> Catalog:
    """The catalogue of what is served, the fresh tables and the progress."""
    dialect = database.dialect
    every = (*served, *(t for t in fresh if t.name not in {s.name for s in served}), upgrade.PROGRESS)
    keys = {t.name: t.key[0] for t in every}
    maker = ddl.Ddl(dialect, frozenset())

    async def make() -> Catalog:
        async with installer(database) as connection:
            await connection.begin()
            there = await read_tables(connection, dialect)
            for table in (*fresh, upgrade.PROGRESS):
                if table.name not in there:
                    await connection.execute(maker.create_free(table, keys))
                had = there[table.name].indexes if table.name in there else set()
                for name, _, _, sql in maker.indexes(table):
                    if name not in had:
                        await connection.execute(sql)
            there = await read_tables(connection, dialect)
            epoch = int((await connection.fetch("SELECT epoch FROM gluon_writer WHERE id = 1"))[0][0])
            await connection.commit()
        return catalog(epoch, every, {name: tuple(t.columns) for name, t in there.items()})

    return await patiently(make)


async def refer(connection: driver.Installer, database: driver.Database, fresh: Sequence[tables.Table],
                wanted: Sequence[tables.Table]) -> None:  # fmt: skip
    """Declare the references of new tables; `validate` looks at their old rows afterwards."""
    dialect = database.dialect
    maker = ddl.Ddl(dialect, frozenset() if dialect.deferred else ddl.in_a_cycle(wanted))
    keys = {t.name: t.key[0] for t in wanted}
    there = await read_tables(connection, dialect)
    for table in (t for t in fresh if t.name in there):
        missing = [f for f in table.foreign if (f.column, f.table) not in there[table.name].foreign]
        for sql in maker.refer(table, missing, keys):
            await connection.execute(sql)


async def validate(database: driver.Database) -> None:
    """Look at the old rows of references that `refer` declared, whoever was killed before he came to it. Nobody waits
    for that: the table is read and written meanwhile."""
    unvalidated = database.dialect.unvalidated

    async def work() -> None:
        async with installer(database) as connection:
            for table, name in await connection.fetch(unvalidated):
                await connection.execute(
                    f"ALTER TABLE {ddl.quoted(table)} VALIDATE CONSTRAINT {ddl.quoted(name)}"
                )

    if unvalidated:
        await patiently(work)


async def switch(
    database: driver.Database,
    wanted: Sequence[tables.Table],
    fresh: Sequence[tables.Table],
    models: Sequence[store.StoredModel],
    last: upgrade.Last,
    shapes: Callable[[str], Shape],
) -> Catalog:
    """Where a change of the schema commits, it comes before the lock is taken; else everything is one transaction."""

    async def finish(connection: driver.Installer) -> None:
        await last(Locked(connection, database.dialect, shapes))

    async def declare(connection: driver.Installer) -> None:
        await refer(connection, database, fresh, wanted)

    async def both(connection: driver.Installer) -> None:
        await finish(connection)
        await declare(connection)

    async def attempt() -> Catalog:
        if not database.dialect.ddl_commits:
            return await install(database, wanted, models, Hooks(begun=both))
        try:
            return await install(database, wanted, models, Hooks(begun=declare, locked=finish))
        except (errors.GluonError, driver.Busy, driver.Violation):
            with suppress(
                driver.DriverError
            ):  # the old models go on: what the copies refer to may go meanwhile
                await release(database, [t.name for t in fresh])
            raise

    return await patiently(attempt)


async def release(database: driver.Database, names: Sequence[str]) -> None:
    maker = ddl.Ddl(database.dialect, frozenset())

    async def work() -> None:
        async with installer(database) as connection:
            there = await read_tables(connection, database.dialect)
            for name in names:
                columns = sorted({column for column, _ in there[name].foreign}) if name in there else []
                if columns:
                    await connection.begin()
                    for sql in maker.release(name, columns):
                        await connection.execute(sql)
                    await connection.commit()

    await patiently(work)


async def drop(database: driver.Database, names: Sequence[str]) -> None:
    async def work() -> None:
        async with installer(database) as connection:
            there = await read_tables(connection, database.dialect)
            left = {name for name in names if name in there}
            while left:
                referred = {t for name in left for _, t in there[name].foreign if t != name}
                free = sorted(left - referred) or sorted(left)
                for name in free:
                    await connection.execute(f"DROP TABLE {ddl.quoted(name)}{database.dialect.drop_suffix}")
                left -= set(free)

    await patiently(work)


class Locked:
    """`spi.upgrade.Locked` on an installer's connection."""

    def __init__(
        self, connection: driver.Installer, dialect: Dialect, shapes: Callable[[str], Shape]
    ) -> None:
        self._connection = connection
        self._dialect = dialect
        self._shapes = shapes
        self._bulk = bulk.Bulk(connection, dialect)

    async def models(self, *, retired: bool = False) -> list[store.StoredModel]:
        return await models(self._connection, self._dialect, retired=retired)

    async def entries(self, after: int) -> list[journal.Entry]:
        found: list[journal.Entry] = []
        while entries := await tails.tail(self._connection, after, limit=_AT_ONCE, intent=False):
            found += entries
            after = entries[-1].revision
        return found

    async def rows(self, table: str, column: str, values: Sequence[store.Value]) -> Sequence[store.Row]:
        return await self.found(table, (column,), [(v,) for v in values])

    async def found(self, table: str, columns: tuple[str, ...], values: Sequence[Key]) -> Sequence[store.Row]:
        return await self._bulk.found(self._shapes(table), columns, values)

    async def write(self, table: str, gone: Sequence[Key], rows: Sequence[store.Row]) -> None:
        await self._bulk.write(self._shapes(table), gone, rows)

    async def replace(
        self, table: str, column: str, values: Sequence[store.Value], rows: Sequence[store.Row]
    ) -> None:
        where = f"{ddl.quoted(table)} WHERE {ddl.quoted(column)} = ?"
        for value in values:
            await self._connection.fetch(f"DELETE FROM {where}", value)
        for row in rows:
            await self._bulk.insert(self._shapes(table), [row])
