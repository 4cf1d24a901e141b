"""What becomes of a batch that does not go well: it is put back, taken apart, or refused.

In: units whose batch failed, and how. Out: the same units in the queue, alone, or answered. Invariant: what is put back was not
written, and nobody waits longer than the settings' patience. Called by `batches`.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Any

import structlog

from gluon import errors
from gluon.store import driver
from gluon.store.attempt import CONFLICTS, Attempt, fail
from gluon.store.deciding import Told, Waiting
from gluon.store.fair import Fair
from gluon.store.kept import Kept
from gluon.store.scout import Scout
from gluon.store.settings import Settings
from gluon.store.shape import Catalog
from gluon.store.stats import Stats

log = structlog.get_logger(__name__)

_TRIES = 4
"""How often a unit's batch is run again after a lost connection or a time-out."""
SETTLED = 1.0
"""Seconds that a try to connect, or the look-up of a lost COMMIT, has at least."""
PAUSES = (0.02, 0.05, 0.1, 0.2, 0.4)


class Recovery:
    """The state of a writer, and how it gets out of trouble."""

    def __init__(self, database: driver.Database, settings: Settings, stats: Stats) -> None:
        self._database = database
        self._settings = settings
        self._stats = stats
        self.catalog: Catalog | None = None
        self._queue = Fair(settings.max_waiting, settings.max_waiting_each)
        self._alone: deque[Waiting] = deque()
        self._jobs: deque[tuple[Callable[[], Awaitable[Any]], asyncio.Future[Any]]] = deque()
        self._attempt: Attempt | None = None
        self._next: Attempt | None = None
        self._session: driver.Session | None = None
        self._wake = asyncio.Event()
        self._enough = 0
        """Who comes wakes the task if so many wait."""
        self._about = 0
        """Units that are under way when it is busiest, lately."""
        self._closing = False
        self._failures = 0
        self._kept = Kept()
        self._scout = Scout(database)
        self.told: Told | None = None

    async def _connected(self) -> driver.Session:
        """The connection, made within the patience of who has waited longest."""
        if self._session is not None:
            return self._session
        self._expire()
        since = min([self._queue.oldest(monotonic()), *(one.since for one in self._alone)])
        try:
            async with asyncio.timeout(max(SETTLED, since + self._settings.patience - monotonic())):
                self._session = await self._database.session()
                return self._session
        except TimeoutError as error:
            raise driver.Lost("cannot connect in time") from error

    def _expire(self) -> None:
        """Give up on who has waited long enough."""
        limit = monotonic() - self._settings.patience
        for one in self._queue.expired(limit):
            self._give_up(one)
        while self._alone and self._alone[0].since < limit:
            self._give_up(self._alone.popleft())

    def _put_off(self) -> None:
        """What was decided ahead is not so: it is decided again, unless it was sent."""
        if self._next is not None and not self._next.sent:
            self._queue.put_back(self._next.units)
            self._next = None

    async def _again(self, batch: list[Waiting]) -> None:
        """Nothing was written: put the batch back, or give up on who has waited long enough."""
        await self._rollback()
        again: list[Waiting] = []
        for one in reversed(batch):
            one.tries += 1
            if one.tries >= _TRIES:
                self._give_up(one)
            elif one.way or (one.tries > 1 and len(batch) > 1):
                # One unit may be what makes the batch fail each time: the others must not suffer.
                self._alone.appendleft(one)
            else:
                again.append(one)
        self._queue.put_back(again[::-1])
        self._expire()
        await self._pause()

    async def _outrun(self, batch: list[Waiting]) -> None:
        """Nothing was written: they are decided again, under the lock."""
        await self._rollback()
        self._kept = Kept()
        self._alone.extendleft(one for one in reversed(batch) if one.way)
        self._queue.put_back([one for one in batch if not one.way])

    async def _pause(self) -> None:
        """Longer each time, until a batch has the lock."""
        self._failures += 1
        await asyncio.sleep(PAUSES[min(self._failures, len(PAUSES)) - 1])

    def _give_up(self, one: Waiting) -> None:
        self._stats.expired += 1
        fail([one], errors.Unavailable("the database does not answer"))

    async def _caught(self, batch: list[Waiting], violation: driver.Violation) -> None:
        """The net caught something: the units run one by one, and the guilty one hears of it."""
        await self._rollback()
        if violation.again:
            self._before_others(batch)
            return
        self._stats.net += 1
        if len(batch) > 1:
            self._alone.extend(batch)
        elif batch[0].way + 1 < self._database.dialect.ways:
            batch[0].way += 1
            self._alone.appendleft(batch[0])
        else:
            log.warning(
                "constraint caught a unit", kind=violation.kind.value, request_id=batch[0].unit.request_id
            )
            self._stats.rejected += 1
            fail(batch, errors.Conflict(CONFLICTS[violation.kind], code=violation.kind.value))

    def _before_others(self, batch: list[Waiting]) -> None:
        """In the order in which they came: those that are alone come before the queue."""
        if self._alone:
            self._alone.extendleft(reversed(batch))
        else:
            self._queue.put_back(batch)

    async def _failed(self, batch: list[Waiting], failed: driver.Failed) -> None:
        """A value does not fit its column, or a statement is wrong."""
        await self._rollback()
        if len(batch) > 1:
            self._alone.extend(batch)
        elif batch and failed.unfit:
            self._stats.rejected += 1
            problem = errors.FieldProblem(
                pointer="", code="unfit", message="a value is too long or cannot be stored"
            )
            fail(batch, errors.Invalid([problem]))
        else:
            log.error("statement failed", error=str(failed), cause=str(failed.__cause__))
            refused = batch or ([self._alone.popleft()] if self._alone else [])
            refused = refused or self._queue.take(self._settings.max_units)
            fail(refused, errors.Unavailable("the database refused the statement"))
            await asyncio.sleep(PAUSES[-1] if not batch else 0)

    async def _rollback(self) -> None:
        if self._session is not None:
            try:
                await self._session.rollback()
            except driver.DriverError:
                self._drop()
            except Exception:  # a driver's mistake: without its connection there is no transaction either
                log.exception("rollback failed")
                self._drop()

    def _drop(self) -> None:
        self._put_off()
        self._kept = Kept()
        session, self._session = self._session, None
        if session is not None:
            self._stats.reconnects += 1
            try:
                session.kill()
            except Exception:  # it is not used again, whatever became of it
                log.exception("a connection could not be cut")
