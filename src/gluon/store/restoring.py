"""Fill a database from a backup: all of it or, as far as the database can, nothing.

In: a file of `portable`, the tables of its models. Out: the position of the new history. PostgreSQL and SQLite do it in
one transaction. MariaDB cannot: there the table `gluon_restore` says that the database is half restored, which
`install.read_tables` refuses, and which the next restore starts over from. Invariant: the writer's row, without which
nobody serves, is made last. Called by mains.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gluon import errors
from gluon.objects import codec
from gluon.spi import store, tables
from gluon.store import ddl, driver, fixed, opening, portable, upgrading
from gluon.store.compare import Stored
from gluon.store.install import ACTIVE, JUMP, stored_tables
from gluon.store.settings import Settings
from gluon.store.shape import in_order

TablesOf = Callable[[Sequence[store.StoredModel]], Sequence[tables.Table]]

_VALUES = 15_000
_ROWS = 500
_BYTES = 1 << 20
_OURS = "gluon_"
_BEGINS = 47
"""Characters of a long name of a proton with which its tables begin; a digest follows."""
_LOOKS, _PAUSE = 10, 0.1
_MARKER = tables.Table(
    name=fixed.RESTORING,
    columns=(
        tables.Column(name="id", type=tables.ColumnType.INTEGER, nullable=False),
        tables.Column(name="document", type=tables.ColumnType.DOCUMENT, nullable=False),
    ),
    key=("id",),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """`replace`: what is there may go; `beyond`: a revision that etcd has seen, and that the new history must pass."""

    replace: bool = False
    beyond: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    incarnation: str
    revision: int
    rows: Mapping[str, int]


async def restore(url: str, path: Path, tables_of: TablesOf, wish: Wish) -> Done:
    """Raises `BackupError`, `Conflict` where the database is not empty or is served, `Unavailable`."""
    file = portable.Reader(path)
    head = file.verify()
    models = _models(file)
    wanted = (*fixed.TABLES, *in_order(tables_of(models)))
    _check_columns(file, {t.name: t for t in wanted})
    database = opening.open_database(url, Settings(references=False, lock_timeout=2.0))
    try:
        connection = await database.installer()
        try:
            return await _Restoring(database, connection, wanted, head).run(file, wish)
        finally:
            connection.kill()
    except driver.Violation as violation:
        raise portable.BackupError(
            f"{path}: its rows contradict each other ({violation}){_left(database)}"
        ) from violation
    except driver.Failed as failed:
        raise portable.BackupError(
            f"this database does not take {path}: {failed}{_left(database)}"
        ) from failed
    except driver.DriverError as error:
        raise errors.Unavailable("the database does not do it now") from error
    finally:
        await database.close()


def _left(database: driver.Database) -> str:
    return "; it is half restored now" if database.dialect.ddl_commits else "; nothing was changed"


def _models(file: portable.Reader) -> list[store.StoredModel]:
    """The models that the rows are of: the first table has them."""
    for name, columns, rows in file.sections():
        if name != fixed.SCHEMA:
            break
        found = [dict(zip(columns, row, strict=True)) for row, _ in rows]
        return [
            store.StoredModel(
                api=str(r["api"]),
                version=str(r["version"]),
                digest=str(r["digest"]),
                document=str(r["document"]),
            )
            for r in found
        ]
    raise portable.BackupError("the backup does not begin with its models")


def _check_columns(file: portable.Reader, wanted: Mapping[str, tables.Table]) -> None:
    """Every column of the file has a place here. Raises `BackupError`."""
    for name, columns, rows in file.sections():
        for _ in rows:
            continue
        known = {c.name for c in wanted[name].columns} if name in wanted else set()
        if strange := set(columns) - known:
            raise portable.BackupError(
                f"the backup is of another release: it has {name}.{min(strange)}, for which there is no place"
            )


class _Restoring:
    """One restore on one connection."""

    def __init__(
        self,
        database: driver.Database,
        connection: driver.Installer,
        wanted: Sequence[tables.Table],
        head: Mapping[str, Any],
    ) -> None:
        self._dialect = database.dialect
        self._connection = connection
        self._wanted = wanted
        self._head = head
        self._keys = {t.name: t.key[0] for t in wanted}
        skipped = frozenset() if self._dialect.deferred else ddl.in_a_cycle(wanted)
        self._ddl = ddl.Ddl(self._dialect, skipped)

    async def run(self, file: portable.Reader, wish: Wish) -> Done:
        run = self._connection
        await upgrading.hold(run, self._dialect)
        await self._alone()
        await run.begin()
        there = await stored_tables(run, self._dialect)
        gone = await self._gone(there, wish)
        epoch, reached = await self._before(there)
        await self._mark(there, gone)
        await self._drop(there, gone)
        for table in self._wanted:
            await run.execute(self._ddl.create(table, self._keys))
        for sql in self._dialect.fixed:
            await run.execute(sql)
        await self._fill(file)
        await self._bind_together()
        done = await self._begin(max(epoch, int(self._head["epoch"])) + 1, max(reached, wish.beyond))
        await run.execute(f"DROP TABLE {ddl.quoted(fixed.RESTORING)}")
        await run.commit()
        return done

    async def _alone(self) -> None:
        """No server is connected; one that has just ended may still seem to be. Raises `Conflict`."""
        for _ in range(_LOOKS):
            if not self._dialect.others or not (await self._connection.fetch(self._dialect.others))[0][0]:
                return
            await asyncio.sleep(_PAUSE)
        raise errors.Conflict("servers are connected to this database: stop them first", code="served")

    async def _gone(self, there: Mapping[str, Stored], wish: Wish) -> set[str]:
        """The tables that make place. Raises `Conflict`."""
        names = {t.name for t in self._wanted}
        if fixed.RESTORING in there:
            rows = await self._connection.fetch("SELECT document FROM gluon_restore")
            listed = {name for row in rows for name in codec.decode(row[0])}
            return (names | listed) & there.keys()
        if fixed.WRITER not in there:
            if taken := sorted(names & there.keys()):
                raise errors.Conflict(
                    f"the database has a table {taken[0]} that is not Gluon's: name a database of its own",
                    code="not_empty",
                )
            return set()
        if not wish.replace:
            raise errors.Conflict(
                "the database is not empty: --replace drops all that Gluon has in it", code="not_empty"
            )
        return (names | await self._recorded(there)) & there.keys()

    async def _recorded(self, there: Mapping[str, Stored]) -> set[str]:
        """All tables that Gluon has made: those of its own names, and those that refer to, or hold, objects."""
        apis = [str(r[0]) for r in await self._connection.fetch("SELECT api FROM gluon_schema")]
        begins = tuple(f"{''.join(c if c.isalnum() else '_' for c in a.lower())}_"[:_BEGINS] for a in apis)
        return {
            name
            for name, table in there.items()
            if name.startswith(_OURS)
            or (
                name.startswith(begins)
                and ("_revision" in table.columns or set(table.columns) == {"owner", "target"})
            )
        }

    async def _before(self, there: Mapping[str, Stored]) -> tuple[int, int]:
        """Epoch and revision of the history that ends here: nobody may take the new one for it."""
        if fixed.WRITER not in there or fixed.JOURNAL not in there:
            return 0, 0
        rows = await self._connection.fetch(
            "SELECT epoch, revision, (SELECT MAX(revision) FROM journal) FROM gluon_writer"
        )
        return (int(rows[0][0]), max(int(rows[0][1] or 0), int(rows[0][2] or 0))) if rows else (0, 0)

    async def _mark(self, there: Mapping[str, Stored], gone: set[str]) -> None:
        run = self._connection
        if fixed.RESTORING not in there:
            await run.execute(self._ddl.create(_MARKER, {}))
        await run.fetch("DELETE FROM gluon_restore")
        names = sorted(gone | {t.name for t in self._wanted})
        await run.fetch(
            "INSERT INTO gluon_restore (id, document) VALUES (1, ?)", codec.encode(names).decode()
        )

    async def _drop(self, there: Mapping[str, Stored], gone: set[str]) -> None:
        """Those that refer first."""
        left = set(gone)
        while left:
            referred = {t for name in left for _, t in there[name].foreign if t != name}
            free = sorted(left - referred) or sorted(left)
            for name in free:
                await self._connection.execute(f"DROP TABLE {ddl.quoted(name)}{self._dialect.drop_suffix}")
            left -= set(free)
        for sql in self._dialect.fixed_gone:
            await self._connection.execute(sql)

    async def _fill(self, file: portable.Reader) -> None:
        by_name = {t.name: t for t in self._wanted}
        for name, columns, rows in file.sections():
            insert = f"INSERT INTO {ddl.quoted(name)} ({ddl.listed(columns)}) VALUES "
            one = f"({', '.join('?' * len(columns))})"
            kinds = {c.name: c.type for c in by_name[name].columns}
            numbers = [n for n, c in enumerate(columns) if kinds[c] is tables.ColumnType.NUMBER]
            for chunk in _chunks(rows, len(columns)):
                for row in chunk:
                    for n in numbers:
                        value = row[n]
                        row[n] = None if value is None else float(value)
                sql = insert + ", ".join([one] * len(chunk))
                await self._connection.fetch(sql, *[v for row in chunk for v in row])

    async def _bind_together(self) -> None:
        """Indexes and references, when all rows are there."""
        run = self._connection
        for table in self._wanted:
            for _, _, _, index in self._ddl.indexes(table):
                await run.execute(index)
        for table in self._wanted:
            for foreign in table.foreign:
                sql = self._ddl.add_foreign(table, foreign, self._keys)
                if sql is not None:
                    await run.execute(sql)
        if self._dialect.broken_references and await run.fetch(self._dialect.broken_references):
            raise driver.Violation(driver.Kind.REFERRED)

    async def _begin(self, epoch: int, reached: int) -> Done:
        """A history of its own: another incarnation, revisions and epoch above all that anybody has seen."""
        run = self._connection
        base = max(int(self._head["revision"]), reached) + JUMP
        incarnation = uuid.uuid4().hex
        await run.fetch("UPDATE gluon_schema SET epoch = ? WHERE state = ?", epoch, ACTIVE)
        await run.fetch(
            "INSERT INTO gluon_writer (id, revision, epoch, incarnation) VALUES (1, ?, ?, ?)",
            base,
            epoch,
            incarnation,
        )
        if self._dialect.restart:
            await run.fetch(self._dialect.restart, base)
        return Done(incarnation=incarnation, revision=base, rows=self._head["rows"])


def _chunks(rows: Iterator[tuple[list[store.Value], int]], width: int) -> Iterator[list[list[store.Value]]]:
    """As many rows as one statement takes."""
    most = max(1, min(_ROWS, _VALUES // width))
    chunk: list[list[store.Value]] = []
    size = 0
    for row, length in rows:
        if chunk and (len(chunk) >= most or size + length > _BYTES):
            yield chunk
            chunk, size = [], 0
        chunk.append(row)
        size += length
    if chunk:
        yield chunk
