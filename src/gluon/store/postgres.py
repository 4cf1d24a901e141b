"""PostgreSQL over asyncpg.

In: a URL. Out: a `Database`. The writer lock is an advisory lock, revisions come from a sequence that is moved on while it is held,
and a batch is written by one statement where each of its tables is written once, which commits as it is the only one. Each trip
waits for its turn of a busy event loop, so a batch that follows one of ours takes one: its statement is for the state that the other
has left (`postgres_lock`). Where another process has written meanwhile nothing is done, and the batch is decided
again: one statement takes the lock for the session and reads the state, and the one that writes gives it back. A large unit is written in
stages while it is decided, in a transaction that keeps the lock.

Rows travel as one array of the table's composite type. Measured for batches of 32 port creates (three
tables and the journal, one statement), microseconds a port: composite arrays client 23, server 74;
one array a column 41, 85; JSON text 13, 108; COPY 27, 108; executemany 28, 165. ON CONFLICT costs the
server a half more, so rows whose key nobody looked at are inserted plainly until that proves wrong.
"""

from __future__ import annotations

import asyncio
from typing import Any

from gluon import errors
from gluon.spi import tables
from gluon.store import driver, postgres_lock
from gluon.store.dialect import Dialect
from gluon.store.postgres_connection import SLACK, PostgresConnection, connect
from gluon.store.postgres_session import PostgresSession, milliseconds
from gluon.store.settings import Settings

_OLDEST = 14
"""The first release that ends sessions which are idle outside of transactions."""
_LOOPS = {"enable_hashjoin": "off", "enable_mergejoin": "off"}
"""What requests join are few rows with others by an index; a plan made while those were few would read them all later."""


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
    clock=postgres_lock.CLOCK,
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
    analyze="ANALYZE",
    restart="SELECT setval('gluon_revision', ?)",
    fixed=("CREATE SEQUENCE gluon_revision",),
    fixed_gone=("DROP SEQUENCE IF EXISTS gluon_revision",),
    others="""
        SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
        AND application_name IN ('gluon-writer', 'gluon-reader')""",
    hurry="SET lock_timeout = '800ms'",
    alone=postgres_lock.ALONE,
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
    has_row_arrays=True,
    null_is_most=True,
)


class PostgresInstaller(PostgresConnection):
    """Schema changes, in one transaction under the writer lock."""

    async def begin(self) -> None:
        if await self.fetch("SELECT 1 WHERE current_setting('server_encoding') <> 'UTF8'"):
            raise errors.MigrationRefused(
                ["the database's encoding is not UTF8: create it with ENCODING 'UTF8'"]
            )
        await self.execute(postgres_lock.BEGIN)

    async def switch(self) -> None:
        """The lock is held since `begin`."""

    async def commit(self) -> None:
        await self.execute("COMMIT")

    async def rollback(self) -> None:
        await self.execute("ROLLBACK")


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
        session = PostgresSession(raw, self._limit, settings.idle_timeout)
        try:
            await session.look()
        except BaseException:  # also when cancelled
            session.kill()
            raise
        return session

    async def reader(self) -> PostgresConnection:
        raw = await self._connect("reader", self._settings.statement_timeout, 60)
        return PostgresConnection(raw, self._limit)

    async def snapshot(self) -> PostgresConnection:
        raw = await self._connect("snapshot", 60, 600)
        connection = PostgresConnection(raw, 60 + SLACK)
        try:
            await connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        except BaseException:  # also when cancelled
            connection.kill()
            raise
        return connection

    async def installer(self) -> PostgresInstaller:
        raw = await self._connect("installer", 3600, 60)
        return PostgresInstaller(raw, 3600 + SLACK)

    async def close(self) -> None:
        """Nothing is left."""

    async def _connect(self, role: str, statement: float, idle: float) -> Any:
        """Index reads whatever the statistics say: a plan made while a table was small is kept for long."""
        try:
            served = role in {"writer", "reader"}
            async with asyncio.timeout(self._settings.connect_timeout if served else self._limit + SLACK):
                return await connect(
                    self._url,
                    statement_cache_size=1000,
                    max_cached_statement_lifetime=0,
                    max_cacheable_statement_size=1 << 20,
                    server_settings={
                        "application_name": f"gluon-{role}",
                        "default_transaction_isolation": "read committed",
                        "synchronous_commit": "on",
                        "lock_timeout": milliseconds(self._settings.lock_timeout),
                        "statement_timeout": milliseconds(statement),
                        "idle_in_transaction_session_timeout": milliseconds(idle),
                        "enable_seqscan": "off",
                        "plan_cache_mode": "force_generic_plan",
                        "jit": "off",
                        "timezone": "UTC",
                        **(_LOOPS if role == "reader" else {}),
                    },
                )
        except Exception as error:  # a broken connection shows itself as anything
            raise driver.Lost(f"cannot connect: {error}") from error
