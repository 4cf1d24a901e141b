"""One consistent look at a whole database, beside whatever serves it.

In: a URL. Out: a `Picture`: which tables there are, models on record, rows of any table as of one moment. Nothing is
changed. Called by `backup`, and by mains that check a database.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

from gluon import errors
from gluon.spi import store, tables
from gluon.store import address, bulk, driver, fixed, opening, texts
from gluon.store.compare import Difference, Stored, compare
from gluon.store.install import ACTIVE, read_tables
from gluon.store.settings import Settings
from gluon.store.shape import Key, Shape

_T = TypeVar("_T")

_CHUNK = 2000


class Picture:
    """Reads on one connection, one after the other."""

    def __init__(
        self, database: driver.Database, connection: driver.Connection, there: dict[str, Stored]
    ) -> None:
        self._database = database
        self._connection = connection
        self._bulk = bulk.Bulk(connection, database.dialect)
        self.there = there
        self.incarnation = ""
        self.revision = 0
        self.oldest = 0
        """Of the journal; 0: it is empty."""
        self.epoch = 0

    async def begin(self) -> None:
        rows = await self.fetch(texts.POSITION)
        if not rows:
            raise errors.Unavailable("the schema was not installed")
        incarnation, revision, newest, oldest = rows[0]
        self.incarnation, self.oldest = str(incarnation), int(oldest or 0)
        self.revision = max(int(revision or 0), int(newest or 0))
        self.epoch = int((await self.fetch("SELECT epoch FROM gluon_writer WHERE id = 1"))[0][0])

    async def fetch(self, sql: str, *args: store.Value) -> Sequence[Sequence[Any]]:
        """Raises `Unavailable`."""
        return await self._done(self._connection.fetch(sql, *args))

    async def advance(self) -> None:
        """What is written has a revision: no process goes on with what it read before."""
        await self.fetch(self._database.dialect.advance)

    async def models(self, *, retired: bool = False) -> list[store.StoredModel]:
        """Those on record; `retired`: also those that are served no more and whose tables stay."""
        rows = await self.fetch(
            "SELECT api, version, digest, document, loaded_by, loaded_at, state FROM gluon_schema ORDER BY api"
        )
        return [
            store.StoredModel(api=r[0], version=r[1], digest=r[2], document=r[3], who=r[4] or "", at=r[5])
            for r in rows
            if retired or r[6] == ACTIVE
        ]

    def difference(self, wanted: Sequence[tables.Table]) -> Difference:
        """What would have to be done so that the database has a place for everything wanted."""
        return compare(wanted, self.there, self._database.dialect)

    async def scan(self, table: tables.Table, after: Key = ()) -> AsyncIterator[Sequence[store.Row]]:
        """All rows by key, or those after a key, in chunks."""
        shape = self._shape(table)
        last = texts.scan_args(after) if after else ()
        while True:
            found = await self.fetch(texts.scan(shape, first=not last, limit=_CHUNK), *last)
            rows = [shape.row(values) for values in found]
            if rows:
                yield rows
            if len(rows) < _CHUNK:
                return
            last = texts.scan_args(shape.key_of(rows[-1]))

    async def found(
        self, table: tables.Table, columns: tuple[str, ...], values: Sequence[Key]
    ) -> Sequence[store.Row]:
        """The rows that have one of `values` in `columns`, which an index or the key serves."""
        return await self._done(self._bulk.found(self._shape(table), columns, values))

    async def write(self, table: tables.Table, gone: Sequence[Key], rows: Sequence[store.Row]) -> None:
        """The rows with the keys `gone` go, then `rows` come: of a picture that may be written."""
        await self._done(self._bulk.write(self._shape(table), gone, rows))

    def _shape(self, table: tables.Table) -> Shape:
        return Shape(table, tuple(self.there[table.name].columns), 0)

    async def _done(self, work: Awaitable[_T]) -> _T:
        try:
            return await work
        except driver.DriverError as error:
            raise errors.Unavailable("the database does not do it now") from error


@asynccontextmanager
async def alter(url: str) -> AsyncIterator[Picture]:
    """The same under the writer lock, and what is written through it is committed at the end. Nobody else may have a
    SQLite file then. Raises as `look`."""
    _require(url)
    database = opening.open_database(url, Settings(references=False))
    connection: driver.Installer | None = None
    try:
        connection = await database.installer()
        await connection.begin()
        there = await read_tables(connection, database.dialect)
        if fixed.WRITER not in there:
            raise errors.Unavailable("there is nothing of Gluon in this database")
        await connection.switch()
        picture = Picture(database, connection, there)
        await picture.begin()
        yield picture
        await connection.commit()
    except driver.DriverError as error:
        raise errors.Unavailable("the database does not do it now") from error
    finally:
        if connection is not None:
            connection.kill()
        await database.close()


def _require(url: str) -> None:
    """To look at a file that is not there would make it."""
    where = address.parse(url)
    if where.dialect == "sqlite" and not Path(where.path).exists():
        raise errors.Unavailable(f"there is no database {where.path}")


@asynccontextmanager
async def look(url: str) -> AsyncIterator[Picture]:
    """Raises `Unavailable` where there is no database of ours, `MigrationRefused` for one that is half restored."""
    _require(url)
    database = opening.open_database(url, Settings(exclusive=False, references=False))
    connection: driver.Connection | None = None
    try:
        try:
            connection = await database.snapshot()
            there = await read_tables(connection, database.dialect)
        except driver.DriverError as error:
            raise errors.Unavailable("the database does not answer") from error
        if fixed.WRITER not in there:
            raise errors.Unavailable("there is nothing of Gluon in this database")
        picture = Picture(database, connection, there)
        await picture.begin()
        yield picture
    finally:
        if connection is not None:
            connection.kill()
        await database.close()
