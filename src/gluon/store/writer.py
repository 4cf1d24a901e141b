"""The writer: requests that arrive while the connection is busy form the next batch.

In: units, and jobs that want no batch beside them. Out: what became of them. One task, which runs `batches`.
Invariant: nothing but its cancellation ends the task. Called by `sql`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Any, TypeVar

from gluon import errors
from gluon.spi import context, store
from gluon.store import driver
from gluon.store.attempt import fail
from gluon.store.batches import Batches
from gluon.store.deciding import Waiting
from gluon.store.settings import Settings
from gluon.store.stats import Stats

_T = TypeVar("_T")


class Writer(Batches):
    """All writes of one process."""

    def __init__(self, database: driver.Database, settings: Settings, stats: Stats) -> None:
        super().__init__(database, settings, stats)
        self._task: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

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
        await self._scout.close()

    # -- the task -----------------------------------------------------------------------------

    def _start(self) -> None:
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._work(), name="store-writer")
        elif len(self._queue) >= self._enough or self._jobs or self._queue.hurried:
            self._wake.set()

    async def _work(self) -> None:
        try:
            while not self._closing or self._next is not None:
                lull = 0.0 if self._alone else self._queue.lull(monotonic())
                if self._next is not None:
                    await self._turn()
                elif self._jobs:
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

    def _refuse_all(self) -> None:
        refusal = errors.Unavailable("the server is shutting down")
        for attempt in (self._attempt, self._next):
            if attempt is not None:  # cancelled in the middle of it
                self._stats.unknown += attempt.abandon(refusal)
        fail([*self._alone, *self._queue.drain()], refusal)
        self._alone.clear()
        for _, answer in self._jobs:
            if not answer.done():
                answer.set_exception(refusal)
        self._jobs.clear()
