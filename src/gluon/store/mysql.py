"""MariaDB over asyncmy.

In: an address. Out: a `Database`. The writer lock is the row of `gluon_writer`, read FOR UPDATE, which
also counts revisions. A batch is one packet: all statements and COMMIT. A batch of 32 port creates
as multi-row text costs the client about 30 microseconds a port.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Sequence
from typing import Any, TypeVar

from gluon import errors
from gluon.spi import store, tables
from gluon.store import driver, mysql_text
from gluon.store.address import Address
from gluon.store.deciding import State
from gluon.store.dialect import Condition, Dialect, Network
from gluon.store.overlay import Plan
from gluon.store.settings import Settings
from gluon.store.shape import Shape, Values

try:
    import asyncmy
    from asyncmy.constants.SERVER_STATUS import SERVER_STATUS_NO_BACKSLASH_ESCAPES
    from asyncmy.errors import MySQLError
except ImportError as missing:
    raise errors.GluonError("MariaDB needs the extra: pip install 'gluon[mysql]'") from missing

_T = TypeVar("_T")

_CLOCK = "DATE_FORMAT(UTC_TIMESTAMP(6), '%Y-%m-%dT%H:%i:%s.%f')"
_BEGIN = f"BEGIN; SELECT epoch, incarnation, revision, {_CLOCK} FROM gluon_writer WHERE id = 1 FOR UPDATE"
_INSTALL_LOCK = "CONCAT('gluon_install_', DATABASE())"
_SLACK = 3.0
_OFF_ROW = 128
"""Texts longer than this that no index holds do not count against the size of a row."""

_BUSY = {1205, 1213, 1969, 3024, 1020}
_TAKEN = {1022, 1062, 1169, 1242, 1586}
_REFERRED = {1216, 1217, 1451, 1452}
_UNFIT = {1048, 1118, 1153, 1264, 1265, 1292, 1300, 1364, 1366, 1367, 1406, 1690, 3854, 4025}
_GONE = {0, 1040, 1042, 1043, 1044, 1045, 1049, 1053, 1077, 1079, 1080, 1129, 1130, 1158, 1159, 1160, 1161,
         1203, 1226, 1290, 1792, 1836, 1927, 1021, 1028, 1037, 1038, 1041}  # fmt: skip


def _type(column: tables.Column, held: bool) -> str:
    if column.type is tables.ColumnType.TEXT:
        return f"varchar({column.length})" if held or column.length <= _OFF_ROW else "mediumtext"
    return {
        tables.ColumnType.INTEGER: "bigint",
        tables.ColumnType.NUMBER: "double",
        tables.ColumnType.BOOLEAN: "boolean",
        tables.ColumnType.DOCUMENT: "longtext",
    }[column.type]


def _within(column: str, network: Network) -> Condition:
    """Addresses as digits, which sort as their numbers do and tell the family by their count."""
    first, last = (f"{int(network[n]):0{network.max_prefixlen // 4}X}" for n in (0, -1))
    digits = f"HEX(INET6_ATON(SUBSTRING_INDEX({column}, '/', 1)))"
    inside = f"CHAR_LENGTH({digits}) = ? AND {digits} BETWEEN ? AND ?"
    length = f"(LOCATE('/', {column}) = 0 OR CAST(SUBSTRING_INDEX({column}, '/', -1) AS UNSIGNED) >= ?)"
    return f"({inside} AND {length})", (len(first), first, last, network.prefixlen)


DIALECT = Dialect(
    name="mysql",
    type_of=_type,
    index_limit=760,
    clock=_CLOCK,
    columns_sql="""
        SELECT c.table_name, c.column_name, c.column_type, c.is_nullable = 'YES', COALESCE(k.ordinal_position, 0)
        FROM information_schema.columns c LEFT JOIN (
          SELECT table_name, column_name, ordinal_position FROM information_schema.key_column_usage
          WHERE table_schema = DATABASE() AND constraint_name = 'PRIMARY' LIMIT 1000000) k  -- found once, not for each
          ON c.column_key = 'PRI' AND k.table_name = c.table_name AND k.column_name = c.column_name
        WHERE c.table_schema = DATABASE() ORDER BY c.table_name, c.ordinal_position""",
    indexes_sql="""
        SELECT DISTINCT table_name, index_name FROM information_schema.statistics
        WHERE table_schema = DATABASE()""",
    foreign_sql="""
        SELECT table_name, column_name, referenced_table_name FROM information_schema.key_column_usage
        WHERE table_schema = DATABASE() AND referenced_table_name IS NOT NULL""",
    ways=mysql_text.WAYS,
    deferred=False,
    create_suffix=" ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin",
    hurry="SET SESSION lock_wait_timeout = 1, SESSION innodb_lock_wait_timeout = 1, SESSION foreign_key_checks = 0",
    alone="SELECT GET_LOCK(CONCAT('gluon_upgrade_', DATABASE()), 0)",
    others="""
        SELECT COUNT(*) FROM information_schema.processlist
        WHERE db = DATABASE() AND id <> CONNECTION_ID()""",
    online=("", " ALGORITHM=INPLACE LOCK=NONE"),
    unchecked_foreign=", ALGORITHM=INPLACE, LOCK=NONE",
    ddl_commits=True,
    tables_whole=True,
    partial_indexes=False,
    characters="CHAR_LENGTH({})",
    within=_within,
)


def _translate(error: BaseException) -> driver.DriverError:
    if isinstance(error, UnicodeError):
        return driver.Failed("a text cannot be encoded", unfit=True)
    code = error.args[0] if isinstance(error, MySQLError) and error.args else 0
    if not isinstance(code, int) or code in _GONE or 2000 <= code < 3000:
        return driver.Lost(f"{type(error).__name__}: {error}")
    if code in _BUSY:
        return driver.Busy(str(error))
    if code in _TAKEN:
        return driver.Violation(driver.Kind.TAKEN)
    if code in _REFERRED:
        return driver.Violation(driver.Kind.REFERRED)
    return driver.Failed(str(error), unfit=code in _UNFIT)


class MysqlConnection:
    """One connection. `limit`: seconds after which a server that is silent counts as lost."""

    def __init__(self, raw: Any, limit: float) -> None:
        self._raw = raw
        self._limit = limit

    async def _run(self, doing: Awaitable[_T]) -> _T:
        try:
            async with asyncio.timeout(self._limit):
                return await doing
        except Exception as error:  # a broken connection shows itself as anything
            raise _translate(error) from error

    async def _query(self, sql: str) -> list[Sequence[Sequence[Any]]]:
        """Run statements; the rows of each."""
        raw = self._raw
        # Strictly: the driver's own way would let lone surrogates pass as bytes.
        await raw.query(sql.encode())
        found = [raw._result.rows or ()]
        while raw._result.has_next:
            await raw.next_result()
            found.append(raw._result.rows or ())
        return found

    async def fetch(self, sql: str, *args: store.Value) -> Sequence[Sequence[Any]]:
        return (await self._run(self._query(mysql_text.filled(sql, args))))[-1]

    async def lookup(
        self, shape: Shape, columns: tuple[str, ...], values: Sequence[Values]
    ) -> Sequence[store.Row]:
        rows = (await self._run(self._query(mysql_text.lookup(shape, columns, values))))[-1]
        return [shape.row(row) for row in rows]

    async def execute(self, sql: str) -> object:
        return await self._run(self._query(sql))

    async def close(self) -> None:
        self._limit = _SLACK
        await self._run(self._raw.ensure_closed())

    def kill(self) -> None:
        self._raw.close()


class MysqlSession(MysqlConnection):
    """The writer's connection."""

    stages = False
    certain = True
    ahead = False

    def __init__(self, raw: Any, limit: float) -> None:
        super().__init__(raw, limit)
        self._state: Sequence[Any] | None = None

    async def lock(self) -> None:
        rows = (await self._run(self._query(_BEGIN)))[-1]
        self._state = rows[0] if rows else None

    async def state(self, units: int) -> State:
        if self._state is None:
            raise driver.Failed("gluon_writer has no row")
        epoch, incarnation, revision, now = self._state
        return State(epoch=epoch, incarnation=incarnation, first=revision + 1, now=now)

    async def lookups(self, groups: Sequence[driver.Group]) -> list[Sequence[store.Row]]:
        return [await self.lookup(*group) for group in groups]

    async def commit(self, plan: Plan, way: int) -> None:
        *before, last = mysql_text.packets(mysql_text.writes(plan, way))
        for text in before:
            await self._run(self._query(text))
        try:
            await self._run(self._query(last + "; COMMIT"))
        except driver.Lost as lost:
            raise driver.Lost(str(lost), committing=True) from lost.__cause__

    def clock(self) -> str:
        raise driver.Failed("nothing is decided ahead")

    async def agree(self) -> None:
        await self.rollback()

    async def rollback(self) -> None:
        await self.execute("ROLLBACK")


class MysqlInstaller(MysqlConnection):
    """Schema changes, which commit by themselves; a lock by name keeps other installers out."""

    async def begin(self) -> None:
        if (await self.fetch(f"SELECT GET_LOCK({_INSTALL_LOCK}, 30)"))[0][0] != 1:
            raise driver.Busy("another process changes the schema")

    async def switch(self) -> None:
        await self.execute("BEGIN; SELECT id FROM gluon_writer WHERE id = 1 FOR UPDATE")

    async def commit(self) -> None:
        await self.execute("COMMIT")

    async def rollback(self) -> None:
        await self.execute("ROLLBACK")


class MysqlDatabase:
    """A `driver.Database`."""

    dialect = DIALECT

    def __init__(self, where: Address, settings: Settings) -> None:
        self._where = where
        self._settings = settings
        self._limit = max(settings.lock_timeout, settings.statement_timeout) + settings.silence
        options = dict(where.options)
        self._given: dict[str, Any] = (
            {"unix_socket": options["unix_socket"]} if "unix_socket" in options else {}
        )
        if "ssl_ca" in options:
            context = ssl.create_default_context(cafile=options["ssl_ca"])
            if "ssl_cert" in options:
                context.load_cert_chain(options["ssl_cert"], options.get("ssl_key"))
            self._given["ssl"] = context

    async def session(self) -> MysqlSession:
        settings = self._settings
        raw = await self._connect(settings.statement_timeout, idle=settings.idle_timeout, served=True)
        return MysqlSession(raw, self._limit)

    async def reader(self) -> MysqlConnection:
        raw = await self._connect(self._settings.statement_timeout, idle=60, served=True)
        return MysqlConnection(raw, self._limit)

    async def snapshot(self) -> MysqlConnection:
        connection = MysqlConnection(await self._connect(60, idle=600), 60 + _SLACK)
        try:
            await connection.execute("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            await connection.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
        except BaseException:  # also when cancelled
            connection.kill()
            raise
        return connection

    async def installer(self) -> MysqlInstaller:
        return MysqlInstaller(await self._connect(3600, idle=60), 3600 + _SLACK)

    async def close(self) -> None:
        """Nothing is left."""

    async def _connect(self, statement: float, *, idle: float, served: bool = False) -> Any:
        where = self._where
        task = asyncio.current_task()
        cancelled = task.cancelling() if task else 0
        try:
            async with asyncio.timeout(self._settings.connect_timeout if served else self._limit + _SLACK):
                raw: Any = await asyncmy.connect(
                    host=where.host or "localhost", port=where.port or 3306, user=where.user or None,
                    password=where.password, database=where.database, charset="utf8mb4", autocommit=True,
                    program_name="gluon", **self._given,
                )  # fmt: skip
                if task and task.cancelling() > cancelled:
                    # The driver's `asyncio.wait_for` (before Python 3.12) swallows a cancellation that
                    # comes just when the connection stands.
                    raw.close()
                    raise asyncio.CancelledError
                if "MariaDB" not in raw.get_server_info():
                    raw.close()
                    raise errors.GluonError(
                        "the database is not MariaDB: its time-outs and collations are needed"
                    )
                await raw.query(self._prepare(statement, idle))
                if not raw.server_status & SERVER_STATUS_NO_BACKSLASH_ESCAPES:
                    raw.close()
                    raise errors.GluonError("the database does not take the session's sql_mode")
        except errors.GluonError:
            raise
        except Exception as error:  # a broken connection shows itself as anything
            raise driver.Lost(f"cannot connect: {error}") from error
        return raw

    def _prepare(self, statement: float, idle: float) -> str:
        lock = max(1, round(self._settings.lock_timeout))
        values = {
            "sql_mode": "'ANSI_QUOTES,NO_BACKSLASH_ESCAPES,STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION'",
            "tx_isolation": "'READ-COMMITTED'",
            "innodb_lock_wait_timeout": lock,
            "lock_wait_timeout": lock,
            "idle_transaction_timeout": max(1, round(idle)),
            "max_statement_time": statement,
            # Long lists of values stay lists, which an index serves.
            "in_predicate_conversion_threshold": 0,
            "time_zone": "'+00:00'",
        }
        return "SET " + ", ".join(f"SESSION {name} = {value}" for name, value in values.items())
