"""`spi.store.Store` over any driver.

In: a `Database`, `Settings`. Out: the store that engines use; each call goes to the writer, the readers
or an installer's connection. Invariant: no error of a driver leaves it. Made by `store.open`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime, timedelta

from gluon import errors
from gluon.objects import journal
from gluon.spi import store, tables, upgrade
from gluon.store import driver, fixed, indexes, pages, tails, texts, upgrading
from gluon.store.compare import Stored
from gluon.store.ddl import quoted
from gluon.store.install import epoch_of, install, read_tables, rebase
from gluon.store.lines import LineReader
from gluon.store.readers import Readers
from gluon.store.settings import Settings
from gluon.store.shape import Catalog, Shape
from gluon.store.shape import catalog as catalog_of
from gluon.store.stats import Stats
from gluon.store.writer import Writer

_CHUNK = 2000
_TRIMMED_AT_ONCE = 5000


class SqlStore:
    """One open database."""

    def __init__(self, database: driver.Database, settings: Settings) -> None:
        self.stats = Stats()
        self._database = database
        self._writer = Writer(database, settings, self.stats)
        self._readers = Readers(database, settings, self.stats)
        self._lines = LineReader(database, self._readers, self._shape)

    @property
    def alive(self) -> bool:
        """Whether units can be taken: the writer has not ended, nor is it being closed."""
        return self._writer.alive

    async def install(
        self,
        wanted: Sequence[tables.Table],
        models: Sequence[store.StoredModel],
        adopt: Callable[[], None] | None = None,
        *,
        at: int | None = None,
        fresh: Sequence[tables.Table] | None = None,
    ) -> int:
        """Raises `MigrationRefused`, `Unavailable`, and `StaleModel` where the database is not at the epoch `at` for
        which this was decided. `fresh`: the tables of `wanted` that may be missing or others (None: all). `adopt` is
        called when the tables of this process change, before anything else runs: who makes units must know the models
        from then on."""

        async def job() -> Catalog:
            with _translated():
                catalog = await install(self._database, wanted, models, at=at, fresh=fresh)
            self._adopt(catalog)
            if adopt is not None:
                adopt()
            return catalog

        made = await self._writer.exclusively(job)
        await self._validate()
        return made.epoch

    async def models(self, *, retired: bool = False) -> Sequence[store.StoredModel]:
        """None in a database that was never installed."""
        with _translated():
            async with upgrading.installer(self._database) as connection:
                return await upgrading.models(connection, self._database.dialect, retired=retired)

    async def record(self, since: int = 0) -> upgrade.Record:
        if self._writer.catalog is not None:
            return await upgrading.record(self._readers, since)
        with _translated():
            async with upgrading.installer(self._database) as connection:
                there = await read_tables(connection, self._database.dialect)
                if "loaded_by" in there.get(fixed.SCHEMA, Stored()).columns:
                    return await upgrading.record(connection, since)
                models = await upgrading.models(connection, self._database.dialect)
                epoch = await epoch_of(connection) if fixed.WRITER in there else 0
        return upgrade.Record(epoch=epoch, names=frozenset(m.api for m in models), changed=tuple(models))

    async def serve(self, wanted: Sequence[tables.Table], epoch: int, adopt: Callable[[], None]) -> bool:
        there = await read_tables(self._readers, self._database.dialect)
        if await epoch_of(self._readers) != epoch:
            return False
        made = catalog_of(epoch, wanted, {name: tuple(t.columns) for name, t in there.items()})

        async def job() -> bool:
            if self._writer.catalog is None or self._writer.catalog.epoch >= epoch:
                return False
            self._adopt(made)
            adopt()
            return True

        return await self._writer.exclusively(job)

    async def retire(self, api: str, empty: Sequence[str] = ()) -> int:
        async def job() -> int:
            with _translated():
                async with upgrading.installer(self._database) as connection:
                    return await upgrading.retire(connection, api, empty)

        return await self._writer.exclusively(job)

    async def counts(self, names: Sequence[str]) -> dict[str, int]:
        with _translated():
            return await upgrading.counts(self._database, names)

    async def look(self, names: Sequence[str], wanted: Sequence[tables.Table]) -> upgrade.Standing:
        with _translated():
            return await upgrading.look(self._database, names, wanted)

    async def longest(self, table: str, columns: Sequence[str]) -> dict[str, int | None]:
        with _translated():
            return await upgrading.longest(self._database, table, columns)

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        async with upgrading.alone(self._database):
            yield

    async def prepare(self, served: Sequence[tables.Table], fresh: Sequence[tables.Table]) -> None:
        async def job() -> None:
            with _translated():
                self._adopt(await upgrading.prepare(self._database, served, fresh))

        await self._writer.exclusively(job)
        await self._validate()

    async def index(self, table: tables.Table, columns: tuple[str, ...], *, unique: bool) -> None:
        with _translated():
            await indexes.index(self._database, table, columns, unique=unique)

    async def unindex(self, table: tables.Table, columns: tuple[str, ...]) -> None:
        with _translated():
            await indexes.unindex(self._database, table, columns)

    async def switch(
        self,
        wanted: Sequence[tables.Table],
        fresh: Sequence[tables.Table],
        models: Sequence[store.StoredModel],
        last: upgrade.Last,
    ) -> int:
        async def job() -> int:
            with _translated():
                made = await upgrading.switch(self._database, wanted, fresh, models, last, self._shape)
            self._adopt(made)
            return made.epoch

        epoch = await self._writer.exclusively(job)
        await self._validate()
        return epoch

    async def _validate(self) -> None:
        with _translated():
            await upgrading.validate(self._database)

    async def release(self, names: Sequence[str]) -> None:
        with _translated():
            await upgrading.release(self._database, names)

    async def drop(self, names: Sequence[str]) -> None:
        with _translated():
            await upgrading.drop(self._database, names)

    async def fresh(self, epoch: int | None = None) -> bool:
        """Whether the tables of this process are those of the database's epoch, which is asked for where it is not given."""
        catalog = self._writer.catalog
        if epoch is None:
            rows = await self._readers.fetch("SELECT epoch FROM gluon_writer WHERE id = 1")
            epoch = int(rows[0][0]) if rows else None
        return catalog is not None and epoch == catalog.epoch

    def _adopt(self, made: Catalog) -> None:
        former, self._writer.catalog = self._writer.catalog, made
        if former is None or made.follow(former):
            self._writer.reconnect()

    async def submit(self, unit: store.Unit) -> store.Committed:
        return await self._writer.submit(unit)

    @property
    def writer(self) -> Writer:
        """For who adds to `submit`: one coroutine less for each request."""
        return self._writer

    async def get(self, table: str, *key: store.Value) -> store.Row | None:
        shape = self._shape(table)
        if not shape.matchable(shape.key, key, nul=self._database.dialect.nul):
            return None
        return await self._readers.get(shape, key)

    async def select(self, query: store.Select) -> Sequence[store.Row]:
        shape = self._shape(query.table)
        found = pages.read(self._database.dialect, shape, query)
        if found is None:
            return ()
        return [shape.row(values) for values in await self._readers.page(*found)]

    async def values(self, query: store.Select, columns: store.Wanted) -> Sequence[Sequence[store.Value]]:
        return await self._lines.values(query, columns)

    async def several(
        self, reads: Sequence[tuple[store.Select, store.Wanted]]
    ) -> Sequence[Sequence[Sequence[store.Value]]]:
        return await self._lines.several(reads)

    async def count(self, query: store.Select) -> int:
        found = pages.count(self._database.dialect, self._shape(query.table), query)
        return int((await self._readers.page(*found))[0][0]) if found is not None else 0

    async def tail(self, after: int, *, limit: int, intent: bool = False) -> Sequence[journal.Entry]:
        return await tails.tail(self._readers, after, limit=limit, intent=intent)

    async def tail_of(self, types: Sequence[str], after: int, *, limit: int) -> Sequence[journal.Entry]:
        return await tails.tail_of(self._readers, types, after, limit=limit)

    async def tail_and_epoch(self, after: int, *, limit: int) -> tuple[Sequence[journal.Entry], int]:
        return await tails.tail_and_epoch(self._readers, after, limit=limit)

    async def entry(self, revision: int) -> Sequence[journal.Entry]:
        return await tails.entry(self._readers, revision)

    async def position(self) -> journal.Position:
        return _position(await self._readers.fetch(texts.POSITION))

    def snapshot(self) -> AbstractAsyncContextManager[store.Snapshot]:
        return self._snapshot()

    @asynccontextmanager
    async def _snapshot(self) -> AsyncIterator[store.Snapshot]:
        with _translated():
            connection = await self._database.snapshot()
        try:
            with _translated():
                position = _position(await connection.fetch(texts.POSITION))
            yield _Snapshot(self, connection, position)
        finally:
            connection.kill()

    async def rebase(self, beyond: int) -> journal.Position:
        async def job() -> None:
            with _translated():
                connection = await self._database.installer()
                try:
                    await rebase(connection, self._database.dialect, beyond)
                finally:
                    connection.kill()

        await self._writer.exclusively(job)
        return await self.position()

    async def trim(self, *, below: int, keep_seconds: float, keep_rows: int) -> int:
        cut = await self._cut(below, keep_seconds, keep_rows)
        gone = 0
        while True:
            count = await self._trim_once(cut)
            gone += count
            if count == 0:
                return gone

    async def _cut(self, below: int, keep_seconds: float, keep_rows: int) -> int:
        """The lowest revision that stays."""
        position = await self.position()
        oldest = (datetime.now(UTC) - timedelta(seconds=keep_seconds)).strftime("%Y-%m-%dT%H:%M:%S.%f")
        young = await self._readers.fetch(
            "SELECT revision FROM journal WHERE at >= ? ORDER BY revision, n LIMIT 1", oldest
        )
        by_age = int(young[0][0]) if young else position.revision + 1
        by_rows = position.revision + 1
        if keep_rows > 0:
            last = await self._readers.fetch(
                "SELECT revision FROM journal ORDER BY revision DESC, n DESC LIMIT 1 OFFSET ?", keep_rows - 1
            )
            by_rows = int(last[0][0]) if last else 0
        return min(below, max(by_age, by_rows))

    async def _trim_once(self, cut: int) -> int:
        """Drop one chunk, whole revisions, and remember how far revisions had come."""
        rows = await self._readers.fetch(
            "SELECT revision FROM journal WHERE revision < ? ORDER BY revision, n LIMIT 1 OFFSET ?",
            cut, _TRIMMED_AT_ONCE,
        )  # fmt: skip
        end = max(int(rows[0][0]), 1) if rows else cut

        async def job() -> int:
            async with self._locked() as connection:
                count = (await connection.fetch("SELECT COUNT(*) FROM journal WHERE revision < ?", end))[0][0]
                if count:
                    newest = (await connection.fetch("SELECT MAX(revision) FROM journal"))[0][0]
                    await connection.fetch(
                        "UPDATE gluon_writer SET revision = ? WHERE id = 1 AND revision < ?", newest, newest
                    )
                    await connection.fetch("DELETE FROM journal WHERE revision < ?", end)
                return int(count)

        return await self._writer.exclusively(job)

    async def sweep(self, table: str, column: str, below: str) -> int:
        name, by, gone = quoted(self._shape(table).name), quoted(column), 0
        while True:
            rows = await self._readers.fetch(
                f"SELECT {by} FROM {name} WHERE {by} < ? ORDER BY {by} LIMIT 1 OFFSET ?",
                below,
                _TRIMMED_AT_ONCE,
            )
            end = str(rows[0][0]) if rows else below

            async def job(end: str = end) -> int:
                async with self._locked() as connection:
                    where = f"FROM {name} WHERE {by} < ?"
                    count = (await connection.fetch(f"SELECT COUNT(*) {where}", end))[0][0]
                    if count:
                        await connection.fetch(f"DELETE {where}", end)
                    return int(count)

            count = await self._writer.exclusively(job)
            gone += count
            if not rows or not count:
                return gone

    @asynccontextmanager
    async def _locked(self) -> AsyncIterator[driver.Installer]:
        """A transaction of its own that holds the writer lock. Committed at the end."""
        with _translated():
            connection = await self._database.installer()
            try:
                await connection.begin()
                await connection.switch()
                yield connection
                await connection.commit()
            finally:
                connection.kill()

    async def close(self) -> None:
        await self._writer.close()
        await self._readers.close()
        await self._database.close()

    def _shape(self, table: str) -> Shape:
        catalog = self._writer.catalog
        if catalog is None:
            raise errors.Unavailable("the schema was not installed")
        return catalog.readable(table)


class _Snapshot:
    """`spi.store.Snapshot`: reads on one connection, one after the other."""

    def __init__(self, owner: SqlStore, connection: driver.Connection, position: journal.Position) -> None:
        self._owner = owner
        self._connection = connection
        self.position = position

    async def scan(self, table: str) -> AsyncIterator[Sequence[store.Row]]:
        shape = self._owner._shape(table)
        last: tuple[store.Value, ...] = ()
        while True:
            sql = texts.scan(shape, first=not last, limit=_CHUNK)
            with _translated():
                found = await self._connection.fetch(sql, *last)
            rows = [shape.row(values) for values in found]
            if rows:
                yield rows
            if len(rows) < _CHUNK:
                return
            last = texts.scan_args(shape.key_of(rows[-1]))


def _position(rows: Sequence[Sequence[object]]) -> journal.Position:
    if not rows:
        raise errors.Unavailable("the schema was not installed")
    incarnation, revision, newest, oldest = rows[0]
    return journal.Position(
        incarnation=str(incarnation), revision=max(_int(revision), _int(newest)), oldest=_int(oldest)
    )


def _int(value: object) -> int:
    return value if isinstance(value, int) else 0


class _translated:  # noqa: N801  # a context manager that reads as a word
    """Errors of a driver become `Unavailable`."""

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, driver.DriverError):
            raise errors.Unavailable("the database does not do it now") from error
