"""A feed on SQLite, in one process with its clients."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gluon import store
from gluon.watch import feed
from gluon.watch.settings import Settings
from tests.unit.watch.world import TABLE, Kinds, World

QUICK = Settings(gather=0.002, look=0.01, check=0.02, idle=0.2)


@pytest.fixture
def settings() -> Settings:
    return QUICK


@pytest.fixture
async def world(tmp_path: Path, settings: Settings) -> AsyncIterator[World]:
    database = store.open(f"sqlite:///{tmp_path}/gluon.db")
    await database.install([TABLE], ())
    kinds = Kinds(database)
    fed = feed.Feed(database, kinds, settings)
    running = asyncio.create_task(fed.run())
    yield World(database, kinds, fed)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await database.close()
