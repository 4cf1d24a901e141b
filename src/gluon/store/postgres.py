"""PostgreSQL over asyncpg.

In: a URL. Out: a `Database`. The writer lock is an advisory lock, revisions come from a sequence that is moved on while it is held,
and a batch is written by one statement where each of its tables is written once. A batch takes two trips, since each waits for its
turn of a busy event loop: one statement takes the lock for the session and reads the state, the other takes it for its transaction,
gives that of the session back, writes, and commits as it is the only one. A large unit is written in stages while it is
decided, in a transaction under the session's lock, which the last one takes over. Invariant: what is written under no lock, or for
tables of another epoch, divides by zero.

Rows travel as one array of the table's composite type. Measured for batches of 32 port creates (three
tables and the journal, one statement), microseconds a port: composite arrays client 23, server 74;
one array a column 41, 85; JSON text 13, 108; COPY 27, 108; executemany 28, 165. ON CONFLICT costs the
server a half more, so rows whose key nobody looked at are inserted plainly until that proves wrong.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from typing import Any, TypeVar

from gluon import errors
from gluon.spi import store, tables
from gluon.store import driver, postgres_text
from gluon.store.ddl import name_of
from gluon.store.deciding import State
from gluon.store.dialect import Dialect
from gluon.store.overlay import Plan
from gluon.store.settings import Settings
from gluon.store.shape import Shape, Values

try:
    import asyncpg
except ImportError as missing:
    raise errors.GluonError("PostgreSQL needs the extra: pip install 'gluon[postgresql]'") from missing

_T = TypeVar("_T")

_LOCK = 0x676C756F6E
"""The writer lock's number ("gluon" in ASCII); advisory locks are one set a database."""
_BEGIN = f"BEGIN; SELECT pg_advisory_xact_lock({_LOCK})"
_CLOCK = "to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US')"
_LAST = "COALESCE(pg_sequence_last_value('gluon_revision'), 0)"
_STATE = f"SELECT epoch, incarnation, {_LAST}, {_CLOCK} FROM gluon_writer WHERE id = 1"
_LIMITED = "set_config('idle_session_timeout', $1, false)"
"""A holder that says nothing is ended."""
_UNLIMITED = "set_config('idle_session_timeout', '0', false)"
_TAKE = f"""
    SELECT got, epoch, incarnation, CASE WHEN got THEN {_LAST} END, {_CLOCK}
    FROM (SELECT pg_try_advisory_lock({_LOCK}) AS got, {_LIMITED} OFFSET 0) AS lock, gluon_writer
    WHERE id = 1"""
"""The lock, if it is free, and the state as it was just before."""
_WAIT = f"SELECT pg_advisory_lock({_LOCK})"
_GIVE = f"SELECT pg_advisory_unlock_all(), {_UNLIMITED}"
_SWAP = f"""
    SELECT {_UNLIMITED}, setval('gluon_revision', ?::int8 / (
        pg_try_advisory_xact_lock({_LOCK}) AND pg_advisory_unlock({_LOCK}) AND EXISTS (
        SELECT 1 FROM gluon_writer WHERE id = 1 AND epoch = ?::int8 AND incarnation = ?::varchar))::int)"""
"""The lock lasts until the transaction has ended, and the state is still what was read; else the sequence, which no
rollback sets back, stays as it is: its value is divided by zero first."""
_OLDEST = 14
"""The first release that ends sessions which are idle outside of transactions."""
_LOOPS = {"enable_hashjoin": "off", "enable_mergejoin": "off"}
"""What requests join are few rows with others by an index; a plan made while those were few would read them all later."""
_SLACK = 3.0
"""Seconds beyond the server's own limits, for connections that nobody waits for in a request."""
_BUSY = ("55P03", "57014", "40P01", "40001", "55006", "25P04", "22012")
_GONE = ("08", "53", "57", "58", "25", "XX", "3D", "28")
_UNFIT = ("22", "23", "54")


def _type(column: tables.Column, _held: bool) -> str:
    if column.type is tables.ColumnType.TEXT:
        return f'varchar({column.length}) COLLATE "C"'
    return {
        tables.ColumnType.INTEGER: "bigint",
        tables.ColumnType.NUMBER: "double precision",
        tables.ColumnType.BOOLEAN: "boolean",
        tables.ColumnType.DOCUMENT: 'text COLLATE "C"',
    }[column.type]


DIALECT = Dialect(
    name="postgresql",
    type_of=_type,
    index_limit=0,
    clock=_CLOCK,
    columns_sql="""
        SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), NOT a.attnotnull,
               COALESCE(array_position(i.indkey::int2[], a.attnum), -1) + 1
        FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
        LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
        WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r'
          AND a.attnum > 0 AND NOT a.attisdropped
        ORDER BY c.relname, a.attnum""",
    indexes_sql="SELECT tablename, indexname FROM pg_indexes WHERE schemaname = current_schema()",
    foreign_sql="""
        SELECT c.relname, a.attname, f.relname
        FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_class f ON f.oid = k.confrelid
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.conkey[1]
        WHERE k.contype = 'f' AND k.connamespace = current_schema()::regnamespace""",
    nul=False,
    advance="SELECT nextval('gluon_revision')",
    restart="SELECT setval('gluon_revision', ?)",
    fixed=("CREATE SEQUENCE gluon_revision",),
    fixed_gone=("DROP SEQUENCE IF EXISTS gluon_revision",),
    others="""
        SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
        AND application_name IN ('gluon-writer', 'gluon-reader')""",
    hurry="SET lock_timeout = '800ms'",
    alone=f"SELECT pg_try_advisory_lock({_LOCK + 1})",
    online=("CONCURRENTLY ", ""),
    broken_index="""
        SELECT 1 FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
        WHERE c.relname = ? AND c.relnamespace = current_schema()::regnamespace AND NOT i.indisvalid""",
    unchecked_foreign=" NOT VALID",
    unvalidated="""
        SELECT c.relname, k.conname FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
        WHERE k.contype = 'f' AND NOT k.convalidated AND k.connamespace = current_schema()::regnamespace""",
    drop_suffix=" CASCADE",
    contains="STRPOS({}, ?) > 0",
    within=lambda column, network: (f"{column}::text::inet <<= ?::text::inet", (str(network),)),
    has_booleans=True,
    null_is_most=True,
)


def _translate(error: BaseException) -> driver.DriverError:
    code = getattr(error, "sqlstate", None) or ""
    if code in _BUSY:
        return driver.Busy(str(error))
    encoder = isinstance(error, asyncpg.InterfaceError) and "query argument" in str(error)
    if encoder or isinstance(error, asyncpg.DataError):
        return driver.Failed("a value does not fit", unfit=True)
    if code == "23505":
        return driver.Violation(driver.Kind.TAKEN)
    if code == "23503":
        return driver.Violation(driver.Kind.REFERRED)
    if not code or code.startswith(_GONE):
        return driver.Lost(f"{type(error).__name__}: {error}")
    return driver.Failed(str(error), unfit=code.startswith(_UNFIT))


class PostgresConnection:
    """One connection. `limit`: seconds after which a server that is silent counts as lost."""

    def __init__(self, raw: Any, limit: float) -> None:
        self._raw = raw
        self._limit = limit
        self._loop = asyncio.get_running_loop()

    async def _run(self, doing: Awaitable[_T]) -> _T:
        # Whoever is too slow is cut off: a plain timer costs a fifth of what `asyncio.timeout` does.
        alarm = self._loop.call_later(self._limit, self._raw.terminate)
        try:
            return await doing
        except Exception as error:  # a broken connection shows itself as anything
            raise _translate(error) from error
        finally:
            alarm.cancel()

    async def fetch(self, sql: str, *args: store.Value) -> Sequence[Sequence[Any]]:
        rows: list[Sequence[Any]] = await self._run(self._raw.fetch(postgres_text.numbered(sql), *args))
        return rows

    async def lookup(
        self, shape: Shape, columns: tuple[str, ...], values: Sequence[Values]
    ) -> Sequence[store.Row]:
        sql = postgres_text.lookup(shape, columns)
        rows = await self._run(self._raw.fetch(sql, *zip(*values, strict=True)))
        names = shape.columns
        return [dict(zip(names, row, strict=True)) for row in rows]

    async def execute(self, sql: str) -> str:
        """Statements without parameters; the last one's tag."""
        tag: str = await self._run(self._raw.execute(sql))
        return tag

    async def close(self) -> None:
        self._limit = _SLACK
        await self._run(self._raw.close())

    def kill(self) -> None:
        self._raw.terminate()


class PostgresSession(PostgresConnection):
    """The writer's connection, a `driver.Staged`."""

    stages = True

    def __init__(self, raw: Any, limit: float, idle: float) -> None:
        super().__init__(raw, limit)
        self._idle = _ms(idle)
        self._seen: dict[object, int] = {}
        self._state: Sequence[Any] | None = None

    async def lock(self) -> None:
        """At once if it is free. Else the state is read again when it was had."""
        rows = await self._run(self._raw.fetch(_TAKE, self._idle))
        self._state = rows[0][1:] if rows and rows[0][0] else None
        if self._state is None:
            await self.execute(_WAIT)

    async def state(self, units: int) -> State:
        if self._state is None:
            rows = await self._run(self._raw.fetch(_STATE))
            if not rows:
                raise driver.Failed("gluon_writer has no row")
            self._state = rows[0]
        epoch, incarnation, last, now = self._state
        return State(epoch=epoch, incarnation=incarnation, first=last + 1, now=now)

    async def lookups(self, groups: Sequence[driver.Group]) -> list[Sequence[store.Row]]:
        """Several in one statement, once their combination has come often enough to be worth it."""
        kind = tuple((shape.name, columns) for shape, columns, _ in groups)
        if len(groups) < 2 or not self._often(kind):
            return [await self.lookup(*group) for group in groups]
        args = [column for _, _, values in groups for column in zip(*values, strict=True)]
        ((*found,),) = await self._run(self._raw.fetch(postgres_text.lookups(groups), *args))
        return [
            [postgres_text.row(shape, values) for values in rows]
            for (shape, _, _), rows in zip(groups, found, strict=True)
        ]

    def _often(self, kind: object) -> bool:
        """Whether a combination of statements came a third time: preparing it costs as much as some runs."""
        if len(self._seen) > 1000:
            self._seen.clear()
        count = self._seen[kind] = self._seen.get(kind, 0) + 1
        return count > 2

    async def commit(self, plan: Plan, way: int) -> None:
        if self._state is None:
            raise driver.Failed("nothing was read under the lock")
        statements = postgres_text.operations(plan.replaced() if way else plan)
        swap = postgres_text.Operation("", _SWAP, (plan.revision, *self._state[:2]))
        kind = tuple(op.sql for op in statements)
        try:
            if self._raw.is_in_transaction():
                await self._write([*statements, swap])
                await self._committed()
            elif _apart(statements) and self._often(kind):
                await self._at_once([*statements, swap])
            else:
                await self._in_steps([swap, *statements])
        except driver.Violation as violation:
            raise _learned(violation, plan) from violation.__cause__

    async def begin(self) -> None:
        await self.execute("BEGIN")

    async def stage(self, plan: Plan) -> None:
        try:
            await self._write(postgres_text.operations(plan))
        except driver.Violation as violation:
            raise _learned(violation, plan) from violation.__cause__

    async def _write(self, statements: list[postgres_text.Operation]) -> None:
        """In one statement if it can be."""
        if statements and _apart(statements):
            text = postgres_text.together(tuple(op.sql for op in statements))
            await self._run(self._raw.fetch(text, *[arg for op in statements for arg in op.args]))
            return
        for op in statements:
            await self._run(self._raw.fetch(postgres_text.numbered(op.sql), *op.args))

    async def _at_once(self, statements: list[postgres_text.Operation]) -> None:
        try:
            await self._write(statements)
        except driver.Lost as lost:
            raise driver.Lost(str(lost), committing=True) from lost.__cause__

    async def _in_steps(self, statements: list[postgres_text.Operation]) -> None:
        await self.execute("BEGIN")
        for op in statements:
            await self._run(self._raw.fetch(postgres_text.numbered(op.sql), *op.args))
        await self._committed()

    async def _committed(self) -> None:
        try:
            tag = await self.execute("COMMIT")
        except driver.Lost as lost:
            raise driver.Lost(str(lost), committing=True) from lost.__cause__
        if tag != "COMMIT":
            raise driver.Busy("the server rolled back")

    async def rollback(self) -> None:
        """Also gives the lock back that is the session's."""
        self._state = None
        await self.execute(f"ROLLBACK; {_GIVE}" if self._raw.is_in_transaction() else _GIVE)


class PostgresInstaller(PostgresConnection):
    """Schema changes, in one transaction under the writer lock."""

    async def begin(self) -> None:
        if await self.fetch("SELECT 1 WHERE current_setting('server_encoding') <> 'UTF8'"):
            raise errors.MigrationRefused(
                ["the database's encoding is not UTF8: create it with ENCODING 'UTF8'"]
            )
        await self.execute(_BEGIN)

    async def switch(self) -> None:
        """The lock is held since `begin`."""

    async def commit(self) -> None:
        await self.execute("COMMIT")

    async def rollback(self) -> None:
        await self.execute("ROLLBACK")


def _apart(statements: Sequence[postgres_text.Operation]) -> bool:
    """Whether each is on a table of its own."""
    return len({op.table for op in statements}) == len(statements)


def _learned(violation: driver.Violation, plan: Plan) -> driver.Violation:
    """A key that nobody looked at exists: such rows of this table replace from now on."""
    cause = violation.__cause__
    constraint = getattr(cause, "constraint_name", None)
    for shape, _ in plan.blind:
        if not shape.blind_upsert and constraint == name_of("pk", shape.name, ()):
            shape.blind_upsert = True
            return driver.Violation(violation.kind, again=True)
    return violation


class PostgresDatabase:
    """A `driver.Database`. `url` is one that asyncpg takes."""

    dialect = DIALECT

    def __init__(self, url: str, settings: Settings) -> None:
        self._url = url
        self._settings = settings
        self._limit = max(settings.lock_timeout, settings.statement_timeout) + settings.silence

    async def session(self) -> PostgresSession:
        settings = self._settings
        raw = await self._connect("writer", settings.statement_timeout, settings.idle_timeout)
        if raw.get_server_version().major < _OLDEST:
            raw.terminate()
            raise errors.GluonError(f"the database is older than PostgreSQL {_OLDEST}")
        return PostgresSession(raw, self._limit, settings.idle_timeout)

    async def reader(self) -> PostgresConnection:
        raw = await self._connect("reader", self._settings.statement_timeout, 60)
        return PostgresConnection(raw, self._limit)

    async def snapshot(self) -> PostgresConnection:
        raw = await self._connect("snapshot", 60, 600)
        connection = PostgresConnection(raw, 60 + _SLACK)
        try:
            await connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        except BaseException:  # also when cancelled
            connection.kill()
            raise
        return connection

    async def installer(self) -> PostgresInstaller:
        raw = await self._connect("installer", 3600, 60)
        return PostgresInstaller(raw, 3600 + _SLACK)

    async def close(self) -> None:
        """Nothing is left."""

    async def _connect(self, role: str, statement: float, idle: float) -> Any:
        """Index reads whatever the statistics say: a plan made while a table was small is kept for long."""
        try:
            served = role in {"writer", "reader"}
            async with asyncio.timeout(self._settings.connect_timeout if served else self._limit + _SLACK):
                return await asyncpg.connect(
                    self._url,
                    statement_cache_size=1000,
                    max_cached_statement_lifetime=0,
                    max_cacheable_statement_size=1 << 20,
                    server_settings={
                        "application_name": f"gluon-{role}",
                        "default_transaction_isolation": "read committed",
                        "synchronous_commit": "on",
                        "lock_timeout": _ms(self._settings.lock_timeout),
                        "statement_timeout": _ms(statement),
                        "idle_in_transaction_session_timeout": _ms(idle),
                        "enable_seqscan": "off",
                        "plan_cache_mode": "force_generic_plan",
                        "jit": "off",
                        "timezone": "UTC",
                        **(_LOOPS if role == "reader" else {}),
                    },
                )
        except Exception as error:  # a broken connection shows itself as anything
            raise driver.Lost(f"cannot connect: {error}") from error


def _ms(seconds: float) -> str:
    return str(int(seconds * 1000))
