"""One connection to PostgreSQL: what it is asked, and its errors as those of `driver`.

In: a connection of asyncpg. Out: rows. Invariant: a server that is silent for too long is cut off. Called by `postgres` and
`postgres_session`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from typing import Any, TypeVar

from gluon import errors
from gluon.spi import store
from gluon.store import driver, postgres_text
from gluon.store.shape import Shape, Values

try:
    import asyncpg
except ImportError as missing:
    raise errors.GluonError("PostgreSQL needs the extra: pip install 'gluon[postgresql]'") from missing

_T = TypeVar("_T")

connect = asyncpg.connect

SLACK = 3.0
"""Seconds beyond the server's own limits, for connections that nobody waits for in a request."""
_BUSY = ("55P03", "57014", "40P01", "40001", "55006", "25P04")
_GONE = ("08", "53", "57", "58", "25", "XX", "3D", "28")
_UNFIT = ("22", "23", "54")


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
        self._limit = SLACK
        await self._run(self._raw.close())

    def kill(self) -> None:
        self._raw.terminate()
