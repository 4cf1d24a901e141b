"""A store whose batches are written one by one as a test lets them, and whose session may be ahead."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

from gluon import store
from gluon.spi import context
from gluon.spi.store import Changes, Committed, Row, View
from gluon.store import driver
from gluon.store.opening import open_database
from gluon.store.sql import SqlStore
from tests.contract.store import world
from tests.contract.store.world import Unit, create, draft, network

MANY = 40
"""Units that are worth two batches."""
Write = Callable[[], Awaitable[None]]


async def fine(write: Write) -> None:
    await write()


class Held:
    """A database whose batches are written one by one as the test lets them, by a session that may be ahead."""

    def __init__(self, inner: driver.Database) -> None:
        self.inner = inner
        self.held = False
        self.sent: asyncio.Queue[int] = asyncio.Queue()
        """Rows of the journal in each batch that was sent."""
        self.go: asyncio.Queue[Callable[[Write], Awaitable[None]]] = asyncio.Queue()
        self.reads: Callable[[Write], Awaitable[None]] = fine
        """What reads of all sessions but the first go through."""
        self.sessions = 0
        self.pause = 0.0
        """Seconds before what is not held is written."""

    async def session(self) -> driver.Session:
        self.sessions += 1
        return cast("driver.Session", _Session(await self.inner.session(), self, self.sessions))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


class _Session:
    ahead = True

    def __init__(self, inner: driver.Session, held: Held, number: int) -> None:
        self._inner = inner
        self._held = held
        self._number = number

    async def lookups(self, groups: Sequence[driver.Group]) -> Sequence[Sequence[Row]]:
        found: list[Sequence[Row]] = []

        async def read() -> None:
            found.extend(await self._inner.lookups(groups))

        await (self._held.reads(read) if self._number > 1 else read())
        return found

    def clock(self) -> str:
        return "2026-01-01T00:00:00.000000"

    async def commit(self, plan: Any, way: int) -> None:
        held = self._held
        if not held.held:
            await asyncio.sleep(held.pause)
            await self._inner.commit(plan, way)
            return
        held.sent.put_nowait(len(plan.journal))
        do = await held.go.get()
        await do(lambda: self._inner.commit(plan, way))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


def breaks(error: Exception) -> Callable[[Write], Awaitable[None]]:
    async def broken(_: Write) -> None:
        raise error

    return broken


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[tuple[SqlStore, Held]]:
    settings = store.Settings()
    database = Held(open_database(f"sqlite:///{folder}/db.sqlite", settings))
    db = SqlStore(cast("driver.Database", database), settings)
    try:
        await db.install(world.TABLES, ())
        await db.submit(create(network("first", "first")))
        database.held = True
        async with asyncio.timeout(120):
            yield db, database
    finally:
        database.held = False
        for _ in range(2):  # who waits still, as a failed test left him
            database.go.put_nowait(fine)
        await db.close()


def blind(key: str) -> Unit:
    """Looks at nothing, so that it can be decided before the batch before it is written."""

    def decide(view: View) -> Changes:
        changes = Changes(result=view.revision)
        changes.put("Network", network(key, key))
        changes.entries.append(draft(key))
        return changes

    return Unit(decide)


def begun(db: SqlStore, units: list[Unit]) -> list[asyncio.Future[Committed]]:
    return [asyncio.ensure_future(db.submit(unit)) for unit in units]


def begun_by(project: str, db: SqlStore, units: list[Unit]) -> list[asyncio.Future[Committed]]:
    """In the turn of that project."""
    token = context.PROJECT.set(project)
    try:
        return begun(db, units)
    finally:
        context.PROJECT.reset(token)


async def until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.001)
