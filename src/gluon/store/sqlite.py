"""SQLite over the standard library, each connection in a thread of its own.

In: a path. Out: a `Database`. WAL with synchronous=FULL: what is answered survives a power cut. A
file belongs to one process, held by a lock on `<path>.lock` (others may read beside it); without a path the file lives in a temporary folder.
"""

from __future__ import annotations

import asyncio
import math
import sqlite3
import tempfile
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import lru_cache, partial
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from time import monotonic
from typing import Any, TypeVar

from gluon.spi import store, tables
from gluon.store import driver, lockfile, sqlite_text, texts
from gluon.store.checkpoints import MOST, Checkpoints
from gluon.store.deciding import State
from gluon.store.dialect import Dialect
from gluon.store.overlay import Plan
from gluon.store.settings import Settings
from gluon.store.shape import Shape, Values
from gluon.store.threads import Stopped, Thread

_T = TypeVar("_T")

_VARIABLES = 30_000
_STEPS = 100_000
"""Of SQLite's machine between looks at the time: a millisecond or two."""
_TAKEN = {"SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY", "SQLITE_CONSTRAINT_ROWID"}
_BUSY = {"SQLITE_BUSY", "SQLITE_BUSY_SNAPSHOT", "SQLITE_BUSY_RECOVERY", "SQLITE_LOCKED", "SQLITE_INTERRUPT"}


def _type(column: tables.Column, _held: bool) -> str:
    return {
        tables.ColumnType.TEXT: f"VARCHAR({column.length})",
        tables.ColumnType.INTEGER: "BIGINT",
        tables.ColumnType.NUMBER: "DOUBLE",
        tables.ColumnType.BOOLEAN: "BOOLEAN",
        tables.ColumnType.DOCUMENT: "TEXT",
    }[column.type]


DIALECT = Dialect(
    name="sqlite",
    type_of=_type,
    index_limit=0,
    clock="strftime('%Y-%m-%dT%H:%M:%f000', 'now')",
    columns_sql="""
        SELECT m.name, c.name, c.type, NOT c."notnull", c.pk
        FROM sqlite_master m, pragma_table_info(m.name) c
        WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%' ORDER BY m.name, c.cid""",
    indexes_sql="SELECT tbl_name, name FROM sqlite_master WHERE type = 'index'",
    foreign_sql="""
        SELECT m.name, f."from", f."table" FROM sqlite_master m, pragma_foreign_key_list(m.name) f
        WHERE m.type = 'table'""",
    broken_references="PRAGMA foreign_key_check",
    inline_foreign=True,
    unchecked_length=True,
    hurry="PRAGMA foreign_keys = OFF",
    alone="SELECT 1",
    within=lambda column, network: (f"gluon_within({column}, ?)", (str(network),)),
)


@lru_cache(maxsize=64)
def _network(text: str) -> IPv4Network | IPv6Network:
    return ip_network(text)


def _within(text: str | None, outer: str) -> bool | None:
    """The other databases have it built in."""
    if text is None:
        return None
    inner, whole = ip_network(text), _network(outer)
    if isinstance(inner, IPv4Network):
        return isinstance(whole, IPv4Network) and inner.subnet_of(whole)
    return isinstance(whole, IPv6Network) and inner.subnet_of(whole)


def _translate(error: Exception) -> driver.DriverError:
    name = getattr(error, "sqlite_errorname", "") or ""
    if name in _TAKEN:
        return driver.Violation(driver.Kind.TAKEN)
    if name == "SQLITE_CONSTRAINT_FOREIGNKEY":
        return driver.Violation(driver.Kind.REFERRED)
    if name in _BUSY:
        return driver.Busy(str(error))
    unfit = name.startswith(("SQLITE_CONSTRAINT", "SQLITE_TOOBIG", "SQLITE_MISMATCH")) or not name
    return driver.Failed(str(error), unfit=unfit)


class SqliteConnection:
    """One connection in its thread."""

    def __init__(self, thread: Thread, raw: sqlite3.Connection) -> None:
        self._thread = thread
        self._raw = raw
        self._open = True

    async def _run(self, call: Callable[[], _T]) -> _T:
        try:
            return await self._thread.run(call)
        except Stopped as error:
            raise driver.Lost("the store is closed") from error
        except (sqlite3.Error, OverflowError, UnicodeError) as error:
            raise _translate(error) from error

    async def fetch(self, sql: str, *args: store.Value) -> Sequence[Sequence[Any]]:
        return await self._run(lambda: self._raw.execute(sql, args).fetchall())

    async def lookup(
        self, shape: Shape, columns: tuple[str, ...], values: Sequence[Values]
    ) -> Sequence[store.Row]:
        rows = await self._run(lambda: self._lookup(shape, columns, values))
        return [shape.row(row) for row in rows]

    def _lookup(self, shape: Shape, columns: tuple[str, ...], values: Sequence[Values]) -> list[Values]:
        """Counts of values are rounded up to a power of two, so that few statements are prepared."""
        found: list[Values] = []
        most = _VARIABLES // len(columns)
        for start in range(0, len(values), most):
            part = values[start : start + most]
            count = 1 << (len(part) - 1).bit_length()
            if count > most:
                count = len(part)
            padded = [*part, *([part[-1]] * (count - len(part)))]
            sql = texts.lookup_in(shape, columns, count)
            found += self._raw.execute(sql, [v for one in padded for v in one]).fetchall()
        return found

    async def execute(self, sql: str) -> None:
        await self._run(lambda: self._raw.execute(sql))

    async def close(self) -> None:
        self.kill()

    def kill(self) -> None:
        """The thread finishes what it does, then closes."""
        if self._open:
            self._open = False
            self._thread.close(self._raw)


class SqliteReader(SqliteConnection):
    """Ends a statement that takes too long, as the other databases do themselves. `limit`: in seconds."""

    def __init__(self, thread: Thread, raw: sqlite3.Connection, *, limit: float) -> None:
        super().__init__(thread, raw)
        self._limit = limit
        self._until = math.inf
        raw.set_progress_handler(lambda: monotonic() > self._until, _STEPS)

    async def fetch(self, sql: str, *args: store.Value) -> Sequence[Sequence[Any]]:
        def run() -> Sequence[Sequence[Any]]:
            self._until = monotonic() + self._limit
            try:
                return self._raw.execute(sql, args).fetchall()
            finally:
                self._until = math.inf

        return await self._run(run)


class SqliteSession(SqliteConnection):
    """The writer's connection: the lock is BEGIN IMMEDIATE. Nobody else writes the file but installers of this process, so a
    batch is decided by what the one before has left, and the lock is taken when it is written: a trip to the thread less, each
    of which waits for a turn of the event loop. Invariant: what is written was decided by the state that is there."""

    stages = False
    certain = True
    ahead = False

    def __init__(
        self, thread: Thread, raw: sqlite3.Connection, checkpoints: Checkpoints, installed: Callable[[], int]
    ) -> None:
        """`installed`: grows when installers of this process have written."""
        super().__init__(thread, raw)
        self._checkpoints = checkpoints
        self._installed = installed
        self._known = installed()
        self._state: tuple[int, str, int] | None = None
        self._begun = False

    async def lock(self) -> None:
        if self._state is not None and self._known == self._installed():
            return
        self._state, self._known = None, self._installed()

        def begin() -> tuple[int, str, int] | None:
            self._raw.execute("BEGIN IMMEDIATE")
            sql = "SELECT epoch, incarnation, revision FROM gluon_writer WHERE id = 1"
            row: tuple[int, str, int] | None = self._raw.execute(sql).fetchone()
            return row

        self._begun = True
        self._state = await self._run(begin)

    async def state(self, units: int) -> State:
        if self._state is None:
            raise driver.Failed("gluon_writer has no row")
        epoch, incarnation, revision = self._state
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")
        return State(epoch=epoch, incarnation=incarnation, first=revision + 1, now=now)

    async def lookups(self, groups: Sequence[driver.Group]) -> list[Sequence[store.Row]]:
        return [await self.lookup(*group) for group in groups]

    async def commit(self, plan: Plan, way: int) -> None:
        """Deletes first (a name freed may be taken again); references are checked at COMMIT."""
        plan = plan.replaced() if way else plan
        state, begun = self._state, self._begun
        if state is None:
            raise driver.Failed("nothing was read")

        def write() -> None:
            if not begun:
                self._checkpoints.finish(self._raw)
                self._raw.execute("BEGIN IMMEDIATE")
            for shape, keys in plan.deletes:
                self._raw.executemany(sqlite_text.delete(shape), keys)
            for shape, rows in (*plan.upserts, *plan.blind):
                self._put(partial(sqlite_text.upsert, shape), rows)
            for shape, rows in plan.inserts:
                self._put(partial(sqlite_text.insert, shape), rows)
            self._put(sqlite_text.journal, plan.journal)
            if self._raw.execute(sqlite_text.SWAP, (plan.revision, *state)).rowcount != 1:
                raise driver.Busy("the state is another one than was read")
            self._raw.execute("COMMIT")

        self._state, self._begun = None, True
        await self._run(write)
        self._state, self._begun = (*state[:2], plan.revision), False
        written = (*plan.deletes, *plan.upserts, *plan.blind, *plan.inserts)
        self._checkpoints.wrote(sum(len(rows) for _, rows in written) + len(plan.journal))

    def _put(self, text_of: Callable[[int], str], rows: Sequence[Values]) -> None:
        place, left = 0, len(rows)
        while left:
            size = sqlite_text.rows_of(left, len(rows[0]))
            values = [value for row in rows[place : place + size] for value in row]
            self._raw.execute(text_of(size), values)
            place, left = place + size, left - size

    def clock(self) -> str:
        raise driver.Failed("nothing is decided ahead")

    async def agree(self) -> None:
        await self.rollback()

    async def rollback(self) -> None:
        """What is known is read again: perhaps that is why, as after models were loaded."""
        self._state = None
        if self._begun:
            await self._run(self._raw.rollback)
            self._begun = False


class SqliteInstaller(SqliteConnection):
    """Schema changes in one transaction. `done`: called when they are committed."""

    def __init__(self, thread: Thread, raw: sqlite3.Connection, done: Callable[[], None]) -> None:
        super().__init__(thread, raw)
        self._done = done

    async def begin(self) -> None:
        await self.execute("BEGIN IMMEDIATE")

    async def switch(self) -> None:
        """The lock is held since `begin`."""

    async def commit(self) -> None:
        try:
            await self.execute("COMMIT")
        finally:  # also when cancelled: it may be done
            self._done()

    async def rollback(self) -> None:
        await self._run(self._raw.rollback)


class SqliteDatabase:
    """A `driver.Database`; takes the file's lock at once. Raises `Unavailable`."""

    dialect = DIALECT

    def __init__(self, path: str, settings: Settings) -> None:
        self._settings = settings
        self._temporary = None if path else tempfile.TemporaryDirectory(prefix="gluon-")
        self._path = Path(path) if self._temporary is None else Path(self._temporary.name) / "gluon.db"
        self._lock = lockfile.hold(self._path) if settings.exclusive else None
        self._connections: list[tuple[Thread, sqlite3.Connection]] = []
        self._checkpoints = Checkpoints(self._connect_here)
        self._installed = 0

    async def session(self) -> SqliteSession:
        return SqliteSession(*await self._connect("writer"), self._checkpoints, lambda: self._installed)

    async def reader(self) -> SqliteConnection:
        return SqliteReader(*await self._connect("reader"), limit=self._settings.statement_timeout)

    async def snapshot(self) -> SqliteConnection:
        connection = SqliteConnection(*await self._connect("snapshot"))
        try:
            await connection.execute("BEGIN")
        except BaseException:  # also when cancelled: `close` waits for every thread
            connection.kill()
            raise
        return connection

    async def installer(self) -> SqliteInstaller:
        return SqliteInstaller(*await self._connect("installer"), self._installed_more)

    def _installed_more(self) -> None:
        self._installed += 1

    async def close(self) -> None:
        """Waits for the threads, so that the file is whole when the lock goes."""
        self._checkpoints.close()
        for thread, raw in self._connections:
            thread.close(raw)
        self._checkpoints.join()
        for thread, _ in self._connections:
            thread.join()
        if self._lock is not None:
            self._lock.close()
        if self._temporary is not None:
            self._temporary.cleanup()

    async def _connect(self, role: str) -> tuple[Thread, sqlite3.Connection]:
        self._connections = [c for c in self._connections if c[0].alive]
        thread = Thread(f"sqlite-{role}")
        try:
            raw = await thread.run(self._connect_here)
        except sqlite3.Error as error:
            thread.stop()
            raise driver.Lost(f"cannot open {self._path}: {error}") from error
        except asyncio.CancelledError:
            thread.stop()
            raise
        self._connections.append((thread, raw))
        return thread, raw

    def _connect_here(self) -> sqlite3.Connection:
        raw = sqlite3.connect(
            self._path, isolation_level=None, check_same_thread=False, cached_statements=1000,
            timeout=self._settings.lock_timeout,
        )  # fmt: skip
        for pragma in (
            "journal_mode = WAL",
            "synchronous = FULL",
            f"foreign_keys = {'ON' if self._settings.references else 'OFF'}",
            "cache_size = -16000",
            f"wal_autocheckpoint = {MOST}",
        ):
            raw.execute(f"PRAGMA {pragma}").fetchall()
        raw.create_function("gluon_within", 2, _within, deterministic=True)
        return raw
