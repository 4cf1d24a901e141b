"""Reads outside batches: a few connections, and `get`s gathered while they are busy.

In: lookups and shared statements. Out: rows, or `Unavailable`. A connection that turns out to be dead is replaced
and the read repeated once. Called by `sql`.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from time import monotonic
from typing import Any, TypeVar, cast

import structlog

from gluon import errors
from gluon.spi import store
from gluon.store import driver
from gluon.store.settings import Settings
from gluon.store.shape import Key, Shape
from gluon.store.stats import Stats

log = structlog.get_logger(__name__)

_T = TypeVar("_T")
_GATHERED = 256
_PUMPS = 2

_QUICK = 1.0
"""Seconds within which a lost connection may be tried once more."""


class Silent(errors.Unavailable):
    """The database is not reached, or says nothing."""


Asked = dict[Key, list[asyncio.Future[store.Row | None]]]


class Readers:
    """The reading connections of one process."""

    def __init__(self, database: driver.Database, settings: Settings, stats: Stats) -> None:
        self._database = database
        self._stats = stats
        self._most = settings.readers
        self._open = 0
        self._idle: list[driver.Connection] = []
        self._queue: deque[asyncio.Future[driver.Connection | None]] = deque()
        self._asked: dict[Shape, Asked] = {}
        self._pumps: set[asyncio.Task[None]] = set()
        self._closing = False
        self._long = asyncio.Semaphore(max(1, settings.readers // 2))
        self._patience = settings.statement_timeout

    async def fetch(self, sql: str, *args: store.Value) -> Sequence[Sequence[Any]]:
        """The rows of one statement."""

        async def run(connection: driver.Connection) -> Sequence[Sequence[Any]]:
            return await connection.fetch(sql, *args)

        return await self._read(run)

    async def page(self, sql: str, args: Sequence[store.Value], long: bool) -> Sequence[Sequence[Any]]:
        """The rows of a statement; those that may look at a whole table leave half of the connections to others.

        Raises `TooSlow`.
        """
        if not long:
            return await self.fetch(sql, *args)
        try:
            async with asyncio.timeout(self._patience):
                await self._long.acquire()
        except TimeoutError:
            raise errors.TooSlow("lists that read whole tables wait for each other") from None
        try:
            return await self.fetch(sql, *args)
        finally:
            self._long.release()

    async def get(self, shape: Shape, key: Key) -> store.Row | None:
        """One row by key, together with others that are asked for at the same time."""
        answer: asyncio.Future[store.Row | None] = asyncio.get_running_loop().create_future()
        asked = self._asked.get(shape)
        if asked is None:
            asked = self._asked[shape] = {}
        asked.setdefault(key, []).append(answer)
        self._stats.gets += 1
        if len(self._pumps) < _PUMPS:
            task = asyncio.get_running_loop().create_task(self._pump(), name="store-reader")
            self._pumps.add(task)
        return await answer

    async def close(self) -> None:
        """Reads that run finish; later ones are refused."""
        self._closing = True
        if self._pumps:
            await asyncio.wait(self._pumps)
        for waiter in self._queue:
            if not waiter.done():
                waiter.set_result(None)
        while self._idle:
            await driver.leave(self._idle.pop())

    # -- gathering ----------------------------------------------------------------------------

    async def _pump(self) -> None:
        """Until nothing is asked for. It counts no more from that very moment: who asks next starts another."""
        try:
            await self._answer_asked()
        finally:
            self._pumps.discard(cast("asyncio.Task[None]", asyncio.current_task()))

    async def _answer_asked(self) -> None:
        while self._asked:
            shape = next(iter(self._asked))
            asked = self._asked.pop(shape)
            if len(asked) > _GATHERED:
                keys = list(asked)
                self._asked[shape] = {k: asked[k] for k in keys[_GATHERED:]}
                asked = {k: asked[k] for k in keys[:_GATHERED]}
            self._stats.get_statements += 1
            try:
                rows = await self._read(_keys(shape, list(asked)))
            except Silent as error:  # who asked meanwhile would wait as long for the same
                for other in (asked, *self._asked.values()):
                    _answer_all(other, error)
                self._asked.clear()
                continue
            except Exception as error:  # noqa: BLE001  # it goes to everyone who asked
                _answer_all(asked, error)
                continue
            found = {shape.key_of(row): row for row in rows}
            for key, answers in asked.items():
                for answer in answers:
                    if not answer.done():
                        answer.set_result(found.get(key))

    # -- connections --------------------------------------------------------------------------

    async def _read(self, run: Callable[[driver.Connection], Awaitable[_T]]) -> _T:
        """Run a read on a free connection; a dead one costs a second try on a new one, unless the first took long."""
        began = monotonic()
        for last in (False, True):
            try:
                return await self._run(await self._acquire(fresh=last), run)
            except driver.Lost as lost:
                silent = monotonic() - began > _QUICK
                if silent:
                    self._refuse_waiting()
                if last or silent:
                    log.warning("database does not answer a read", error=str(lost))
                    raise Silent("the database does not answer") from lost
            except driver.Failed as failed:
                log.error("read failed", error=str(failed), cause=str(failed.__cause__))  # noqa: TRY400
                raise errors.Unavailable("the database refused the read") from failed
            except driver.DriverError as error:
                raise errors.TooSlow("the database is too slow now") from error
        raise AssertionError

    async def _run(
        self, connection: driver.Connection, run: Callable[[driver.Connection], Awaitable[_T]]
    ) -> _T:
        try:
            found = await run(connection)
        except BaseException as error:
            # Anything but a refused statement (a cancelled read, say) leaves it in an unknown state.
            if isinstance(error, driver.Failed):
                self._release(connection)
            else:
                connection.kill()
                self._release(None)
            raise
        self._release(connection)
        return found

    async def _acquire(self, *, fresh: bool) -> driver.Connection:
        """In the order in which they came: who is freed is handed to who waits, and nobody comes between."""
        first = True
        while True:
            if self._closing:
                raise errors.Unavailable("the server is shutting down")
            connection = self._idle.pop() if self._idle else None
            if connection is None and self._open >= self._most:
                connection = await self._wait(first=first)
                first = False
                if connection is None:
                    continue
            if connection is None:
                self._open += 1
                try:
                    return await self._database.reader()
                except BaseException:
                    self._release(None)
                    raise
            if not fresh:
                return connection
            connection.kill()
            self._open -= 1

    async def _wait(self, *, first: bool) -> driver.Connection | None:
        """A connection, or None where there is a place for a new one. Not `first`: again, and before who came later."""
        waiter: asyncio.Future[driver.Connection | None] = asyncio.get_running_loop().create_future()
        if first:
            self._queue.append(waiter)
        else:
            self._queue.appendleft(waiter)
        try:
            return await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled() and waiter.exception() is None:
                self._hand(waiter.result())
            raise

    def _release(self, connection: driver.Connection | None) -> None:
        if connection is not None and self._closing:
            connection.kill()
            connection = None
        if connection is None:
            self._open -= 1
        self._hand(connection)

    def _hand(self, connection: driver.Connection | None) -> None:
        """A connection that is free, or the place of one that is gone."""
        while self._queue:
            waiter = self._queue.popleft()
            if not waiter.done():
                waiter.set_result(connection)
                return
        if connection is not None:
            self._idle.append(connection)

    def _refuse_waiting(self) -> None:
        """A silent database: who waits for a connection would only wait once more."""
        waiting, self._queue = self._queue, deque()
        for waiter in waiting:
            if not waiter.done():
                waiter.set_exception(Silent("the database does not answer"))


def _keys(shape: Shape, keys: list[Key]) -> Callable[[driver.Connection], Awaitable[Sequence[store.Row]]]:
    def run(connection: driver.Connection) -> Awaitable[Sequence[store.Row]]:
        return connection.lookup(shape, shape.key, keys)

    return run


def _answer_all(asked: Asked, error: Exception) -> None:
    for answers in asked.values():
        for answer in answers:
            if not answer.done():
                answer.set_exception(error)
