"""The writer: requests that arrive while the connection is busy form the next batch.

In: units. Out: what became of them. One task, one connection: take the lock, take who waits, read,
decide, write, commit, answer. Invariant: nobody is answered before the batch is durable, and
nobody is told "not written" of what may be; nothing but its cancellation ends the task. Called by `sql`.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Any, TypeVar

import structlog

from gluon import errors
from gluon.spi import context, store
from gluon.store import driver, stages
from gluon.store.attempt import CONFLICTS, Attempt, fail, unsettled
from gluon.store.deciding import Deciding, Told, Waiting
from gluon.store.fair import Fair
from gluon.store.kept import Kept
from gluon.store.settings import Settings
from gluon.store.shape import Catalog
from gluon.store.stats import Stats

log = structlog.get_logger(__name__)
_T = TypeVar("_T")

_TRIES = 4
"""How often a unit's batch is run again after a lost connection or a time-out."""
_SETTLED = 1.0
"""Seconds that a try to connect, or the look-up of a lost COMMIT, has at least."""
_PAUSES = (0.02, 0.05, 0.1, 0.2, 0.4)


class Writer:
    """All writes of one process."""

    def __init__(self, database: driver.Database, settings: Settings, stats: Stats) -> None:
        self._database = database
        self._settings = settings
        self._stats = stats
        self.catalog: Catalog | None = None
        self._queue = Fair(settings.max_waiting, settings.max_waiting_each)
        self._alone: deque[Waiting] = deque()
        self._jobs: deque[tuple[Callable[[], Awaitable[Any]], asyncio.Future[Any]]] = deque()
        self._attempt: Attempt | None = None
        self._session: driver.Session | None = None
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closing = False
        self._failures = 0
        self._kept = Kept()
        self.told: Told | None = None

    # -- for callers --------------------------------------------------------------------------

    def submit(self, unit: store.Unit) -> asyncio.Future[store.Committed]:
        """Queue a unit. Raises `Unavailable` when too many wait."""
        if self._loop is None:  # asking for it is a system call, so only once
            self._loop = asyncio.get_running_loop()
        answer: asyncio.Future[store.Committed] = self._loop.create_future()
        self.hand(unit, context.PROJECT.get(), answer)
        return answer

    def hand(self, unit: store.Unit, project: str, answer: store.Answer) -> None:
        """As `submit`, told to `answer` in the midst of our work: it must neither raise nor take long."""
        if self._closing:
            raise errors.Unavailable("the server is shutting down")
        try:
            self._queue.check(project)
        except errors.Unavailable:
            self._stats.refused += 1
            raise
        epoch = self.catalog.epoch if self.catalog is not None else 0
        self._queue.put(Waiting(unit, answer, monotonic(), epoch=epoch), project)
        self._stats.waiting = len(self._queue)
        self._start()

    async def exclusively(self, job: Callable[[], Awaitable[_T]]) -> _T:
        """Run `job` while no batch of this process runs."""
        if self._closing:
            raise errors.Unavailable("the server is shutting down")
        answer: asyncio.Future[_T] = asyncio.get_running_loop().create_future()
        self._jobs.append((job, answer))
        self._start()
        return await answer

    @property
    def alive(self) -> bool:
        return not self._closing and (self._task is None or not self._task.done())

    def reconnect(self) -> None:
        """Use a fresh connection from the next batch on (the schema changed)."""
        self._drop()

    async def close(self) -> None:
        """Finish the running batch, refuse who waits."""
        self._closing = True
        self._wake.set()
        if self._task is not None:
            await self._task
        if self._session is not None:
            await driver.leave(self._session)

    # -- the task -----------------------------------------------------------------------------

    def _start(self) -> None:
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._work(), name="store-writer")
        else:
            self._wake.set()

    async def _work(self) -> None:
        try:
            while not self._closing:
                lull = 0.0 if self._alone else self._queue.lull(monotonic())
                if self._jobs:
                    await self._run_job(*self._jobs.popleft())
                elif (self._queue or self._alone) and not lull:
                    await self._turn()
                else:
                    self._wake.clear()
                    if lull:
                        asyncio.get_running_loop().call_later(lull, self._wake.set)
                    await self._wake.wait()
        finally:
            self._closing = True
            self._refuse_all()

    async def _run_job(self, job: Callable[[], Awaitable[Any]], answer: asyncio.Future[Any]) -> None:
        try:
            result = await job()
        except Exception as error:  # noqa: BLE001  # it belongs to who asked for the job
            if not answer.done():
                answer.set_exception(error)
        else:
            if not answer.done():
                answer.set_result(result)

    async def _turn(self) -> None:
        """One batch, whatever becomes of it."""
        attempt = self._attempt = Attempt()
        try:
            await self._try(attempt)
        except Exception:  # our own mistake: these units fail, the writer lives on
            log.exception("batch failed")
            self._drop()
            self._stats.unknown += attempt.abandon(errors.GluonError("the store failed; see its log"))
            self._expire()
            await self._pause()
        self._attempt = None

    async def _try(self, attempt: Attempt) -> None:
        batch = attempt.units
        try:
            await self._batch(attempt)
        except driver.Busy as busy:
            log.info("batch put off", error=str(busy), units=len(batch))
            await self._again(batch)
        except driver.Violation as violation:
            await self._caught(batch, violation)
        except driver.Failed as failed:
            await self._failed(batch, failed)
        except driver.Lost as lost:
            self._drop()
            log.warning("database connection lost", error=str(lost), units=len(batch))
            await self._again(batch)

    async def _batch(self, attempt: Attempt) -> None:
        """Lock, then take who waits by now: while the lock was another's, more have come."""
        batch = attempt.units
        if self._session is None:
            self._session = await self._connected()
        session = self._session
        began = monotonic()
        await session.lock()
        locked = monotonic()
        self._failures = 0
        batch += self._take()
        deciding = await self._decide(session, batch) if batch else None
        plan = deciding.plan() if deciding else None
        if deciding is None or plan is None:
            await session.rollback()
        else:
            attempt.deciding, attempt.sent = deciding, True
            try:
                await session.commit(plan, batch[0].way)
            except driver.DriverError as error:
                if not (isinstance(error, driver.Lost) and error.committing):
                    attempt.sent = False
                    raise
                self._drop()
                await self._settle(batch, deciding)
                return
        now = monotonic()
        self._stats.lock_wait.add(locked - began)
        self._stats.lock_hold.add(now - locked)
        if deciding is not None:
            self._answer(deciding)

    async def _connected(self) -> driver.Session:
        """A connection, made within the patience of who has waited longest."""
        self._expire()
        since = min([self._queue.oldest(monotonic()), *(one.since for one in self._alone)])
        try:
            async with asyncio.timeout(max(_SETTLED, since + self._settings.patience - monotonic())):
                return await self._database.session()
        except TimeoutError as error:
            raise driver.Lost("cannot connect in time") from error

    def _expire(self) -> None:
        """Give up on who has waited long enough."""
        limit = monotonic() - self._settings.patience
        for one in self._queue.expired(limit):
            self._give_up(one)
        while self._alone and self._alone[0].since < limit:
            self._give_up(self._alone.popleft())

    def _take(self) -> list[Waiting]:
        """The next batch; who gave up waiting is left out."""
        if self._alone:
            one = self._alone.popleft()
            return [] if one.answer.done() else [one]
        batch = self._queue.take(self._settings.max_units)
        self._stats.waiting = len(self._queue)
        return batch

    async def _decide(self, session: driver.Session, batch: list[Waiting]) -> Deciding | None:
        state = await session.state(len(batch))
        catalog = self.catalog
        if catalog is None or state.epoch != catalog.epoch:
            reason = "this process serves an older model" if catalog else "the schema was not installed"
            fail(batch, errors.StaleModel(reason))
            return None
        if late := [one for one in batch if one.epoch not in (0, catalog.epoch)]:
            fail(late, errors.StaleModel("the models were replaced meanwhile"))
            batch[:] = [one for one in batch if one not in late]
            if not batch:
                return None
        nul, kept, settings = self._database.dialect.nul, self._kept, self._settings
        deciding = (
            stages.InParts(catalog, batch[0], state, settings, nul=nul, kept=kept)
            if stages.in_parts(batch)
            else Deciding(catalog, batch, state, settings, nul=nul, kept=kept)
        )
        self._stats.rereads += await stages.decide(session, deciding, catalog.shape)
        return deciding

    def _answer(self, deciding: Deciding) -> None:
        deciding.done()
        stats = self._stats
        stats.batches += 1
        stats.batch_units.add(len(deciding.answers))
        stats.rows += deciding.rows - deciding.entries
        stats.entries += deciding.entries
        for one, outcome in deciding.answers:
            if isinstance(outcome, Exception):
                stats.rejected += 1
                fail((one,), outcome)
            else:
                stats.units += 1
                if not one.answer.done():
                    one.answer.set_result(outcome)
        self._queue.put_back(deciding.left)
        if self.told is not None:
            self.told(deciding.answers)

    # -- when it does not go well -------------------------------------------------------------

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

    async def _pause(self) -> None:
        """Longer each time, until a batch has the lock."""
        self._failures += 1
        await asyncio.sleep(_PAUSES[min(self._failures, len(_PAUSES)) - 1])

    def _give_up(self, one: Waiting) -> None:
        self._stats.expired += 1
        fail([one], errors.Unavailable("the database does not answer"))

    async def _caught(self, batch: list[Waiting], violation: driver.Violation) -> None:
        """The net caught something: the units run one by one, and the guilty one hears of it."""
        await self._rollback()
        if violation.again:
            self._queue.put_back(batch)
            return
        self._stats.net += 1
        if len(batch) > 1:
            self._alone.extend(batch)
        elif batch[0].way + 1 < self._database.dialect.ways:
            batch[0].way += 1
            self._alone.append(batch[0])
        else:
            log.warning(
                "constraint caught a unit", kind=violation.kind.value, request_id=batch[0].unit.request_id
            )
            self._stats.rejected += 1
            fail(batch, errors.Conflict(CONFLICTS[violation.kind], code=violation.kind.value))

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
            fail(batch or self._take(), errors.Unavailable("the database refused the statement"))
            await asyncio.sleep(_PAUSES[-1] if not batch else 0)

    async def _settle(self, batch: list[Waiting], deciding: Deciding) -> None:
        """The answer to COMMIT was lost. Under the lock, when that transaction has ended, the journal
        says whether it was committed."""
        mark = deciding.mark()
        deadline = max(min(one.since for one in batch) + self._settings.settling, monotonic() + _SETTLED)
        while mark is not None and (left := deadline - monotonic()) > 0:
            try:
                async with asyncio.timeout(left):
                    if self._session is None:
                        self._session = await self._database.session()
                    await self._session.lock()
                    rows = await self._session.fetch(
                        "SELECT n, request_id, who, at FROM journal WHERE revision = ? AND n = 0", mark[0]
                    )
                    await self._session.rollback()
            except Exception as error:  # noqa: BLE001  # whatever it is, the next look may tell
                log.warning("outcome of a batch not settled yet", error=str(error) or type(error).__name__)
                self._drop()
                await asyncio.sleep(_PAUSES[-1])
                continue
            self._stats.settled += 1
            if any(tuple(row) == (0, mark[8], mark[7], mark[12]) for row in rows):
                self._answer(deciding)
            else:
                await self._again(batch)
            return
        self._stats.unknown += unsettled(deciding)
        self._queue.put_back(deciding.left)

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
        self._kept = Kept()
        session, self._session = self._session, None
        if session is not None:
            self._stats.reconnects += 1
            try:
                session.kill()
            except Exception:  # it is not used again, whatever became of it
                log.exception("a connection could not be cut")

    def _refuse_all(self) -> None:
        refusal = errors.Unavailable("the server is shutting down")
        if self._attempt is not None:  # cancelled in the middle of it
            self._stats.unknown += self._attempt.abandon(refusal)
        fail([*self._alone, *self._queue.drain()], refusal)
        self._alone.clear()
        for _, answer in self._jobs:
            if not answer.done():
                answer.set_exception(refusal)
        self._jobs.clear()
