"""Every test of this folder runs on SQLite, PostgreSQL and MariaDB."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path

import pytest

from gluon import store
from gluon.spi import tables
from tests.contract.store import world

Opener = Callable[..., Awaitable[store.SqlStore]]


@pytest.fixture(params=["sqlite", "postgresql", "mariadb"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A fresh database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/gluon.db"
    name = {"postgresql": "postgres_url", "mariadb": "mariadb_url"}[request.param]
    return str(request.getfixturevalue(name))


@pytest.fixture(params=["postgresql", "mariadb"])
def shared_url(request: pytest.FixtureRequest) -> str:
    """A fresh database that several processes may use."""
    return str(
        request.getfixturevalue({"postgresql": "postgres_url", "mariadb": "mariadb_url"}[request.param])
    )


@pytest.fixture
async def opener() -> AsyncIterator[Opener]:
    """Open a store with its tables; it is closed at the end of the test."""
    opened: list[store.SqlStore] = []

    async def open_one(
        url: str,
        settings: store.Settings | None = None,
        *,
        wanted: Sequence[tables.Table] | None = world.TABLES,
    ) -> store.SqlStore:
        one = store.open(url, settings)
        opened.append(one)
        if wanted is not None:
            await one.install(wanted, ())
        return one

    yield open_one
    for one in opened:
        await one.close()


@pytest.fixture
async def db(url: str, opener: Opener) -> store.SqlStore:
    return await opener(url)
