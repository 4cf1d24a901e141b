"""The writer goes on whatever its driver does, and tells nobody "not written" of what may be."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import pytest

from gluon import errors, store
from gluon.spi.store import Select
from gluon.store import driver
from gluon.store.opening import open_database
from gluon.store.sql import SqlStore
from tests.contract.store import world
from tests.contract.store.world import create, network

Inner = Callable[..., Awaitable[Any]]
Fault = Callable[[Inner, tuple[Any, ...]], Awaitable[Any]]


class Faulty:
    """A database whose sessions call a fault in place of a method, each once."""

    def __init__(self, inner: driver.Database) -> None:
        self.inner = inner
        self.faults: dict[str, list[Fault]] = {}

    async def session(self) -> driver.Session:
        fault = self.faults.get("session")
        if fault:
            return cast("driver.Session", await fault.pop(0)(self.inner.session, ()))
        return cast("driver.Session", _Session(await self.inner.session(), self.faults))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


class _Session:
    def __init__(self, inner: driver.Session, faults: dict[str, list[Fault]]) -> None:
        self._inner = inner
        self._faults = faults

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._inner, name)
        faults = self._faults.get(name)
        if not faults:
            return real

        def faulty(*args: Any) -> Any:
            return faults.pop(0)(real, args) if faults else real(*args)

        return faulty


def breaks(error: Exception, *, after: bool = False) -> Fault:
    """Raises instead of the call, or after it."""

    async def fault(inner: Inner, args: tuple[Any, ...]) -> Any:
        if after:
            await inner(*args)
        raise error

    return fault


@asynccontextmanager
async def opened(
    folder: Path, settings: store.Settings | None = None
) -> AsyncIterator[tuple[SqlStore, Faulty]]:
    settings = settings or store.Settings()
    database = Faulty(open_database(f"sqlite:///{folder}/db.sqlite", settings))
    db = SqlStore(cast("driver.Database", database), settings)
    try:
        await db.install(world.TABLES, ())
        yield db, database
    finally:
        await db.close()


async def works(db: SqlStore, key: str) -> None:
    async with asyncio.timeout(60):
        await db.submit(create(network(key, key)))


@pytest.mark.parametrize("error", [driver.Busy("busy"), driver.Failed("wrong"), RuntimeError("odd")])
async def test_the_writer_survives_a_rollback_that_breaks(tmp_path: Path, error: Exception) -> None:
    async with opened(tmp_path) as (db, database):
        database.faults = {"state": [breaks(error)], "rollback": [breaks(RuntimeError("odd"))]}
        written = isinstance(error, driver.Busy)
        if written:
            await works(db, "a")
        else:
            with pytest.raises(errors.GluonError):
                await works(db, "a")
        assert db.alive
        await works(db, "b")
        assert await db.count(Select(table="Network")) == 1 + written


async def test_what_was_committed_before_a_mistake_is_not_told_to_be_unwritten(tmp_path: Path) -> None:
    async with opened(tmp_path) as (db, database):
        database.faults = {"commit": [breaks(RuntimeError("odd"), after=True)]}
        with pytest.raises(errors.OutcomeUnknown):
            await works(db, "a")
        await works(db, "b")
        assert await db.count(Select(table="Network")) == 2


@pytest.mark.parametrize("where", ["session", "lock", "fetch", "rollback"])
async def test_a_look_up_of_a_lost_commit_that_breaks_is_made_again(tmp_path: Path, where: str) -> None:
    async with opened(tmp_path) as (db, database):
        await works(db, "a")
        lost = driver.Lost("gone", committing=True)

        async def losing(inner: Inner, args: tuple[Any, ...]) -> Any:
            await inner(*args)
            database.faults[where] = [breaks(RuntimeError("odd"))]
            raise lost

        database.faults = {"commit": [losing]}
        await works(db, "b")
        await works(db, "c")
        assert await db.count(Select(table="Network")) == 3


async def test_a_session_that_cannot_be_killed_is_left(tmp_path: Path) -> None:
    async with opened(tmp_path) as (db, database):
        await works(db, "a")

        def kill(inner: Inner, _: tuple[Any, ...]) -> Any:
            inner()
            raise RuntimeError("odd")

        database.faults = {"lock": [breaks(driver.Lost("gone"))], "kill": [kill]}
        await works(db, "b")


async def test_a_lock_that_breaks_for_good_is_told_in_time(tmp_path: Path) -> None:
    """Nobody waits for ever, and the processor is not kept busy meanwhile."""
    settings = store.Settings(patience=0.5)
    async with opened(tmp_path, settings) as (db, database):
        calls = 0

        async def broken(_: Inner, __: tuple[Any, ...]) -> Any:
            nonlocal calls
            calls += 1
            raise RuntimeError("odd")

        database.faults = {"lock": [broken] * 100_000}
        with pytest.raises(errors.Unavailable, match="does not answer"):
            await works(db, "a")
        assert calls < 50
        database.faults = {}
        await works(db, "b")


async def test_who_is_being_written_when_the_writer_is_cancelled_hears_of_it(tmp_path: Path) -> None:
    async with opened(tmp_path) as (db, database):
        begun = asyncio.Event()

        async def endless(_: Inner, __: tuple[Any, ...]) -> Any:
            begun.set()
            await asyncio.Event().wait()

        database.faults = {"commit": [endless]}
        asked = asyncio.ensure_future(works(db, "a"))
        await begun.wait()
        task = db._writer._task
        assert task is not None
        task.cancel()
        with pytest.raises(errors.OutcomeUnknown):
            await asked
        assert not db.alive
        db._writer._task = None
