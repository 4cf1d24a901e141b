"""Open a store: the URL decides which driver is imported.

In: a URL and settings. Out: a `SqlStore` that connects at its first call. Called by mains and tests.
"""

from __future__ import annotations

from typing import cast

from gluon.store import address, driver, observed
from gluon.store.settings import Settings
from gluon.store.sql import SqlStore


def open_store(url: str, settings: Settings | None = None, *, told: observed.Told | None = None) -> SqlStore:
    """`told`: called after each committed batch. Raises `GluonError` for a bad URL or a missing driver, `Unavailable` for
    a SQLite file in use."""
    settings = settings or Settings()
    database = open_database(url, settings)
    if told is not None:
        database = cast("driver.Database", observed.Observed(database, told))
    return SqlStore(database, settings)


def open_database(url: str, settings: Settings) -> driver.Database:
    """The driver alone. Raises as `open_store`."""
    return _database(address.parse(url), settings)


def _database(where: address.Address, settings: Settings) -> driver.Database:
    # A driver is an extra: importing all of them would need all of them.
    if where.dialect == "postgresql":
        from gluon.store.postgres import PostgresDatabase  # noqa: PLC0415

        return PostgresDatabase(where.url, settings)
    if where.dialect == "mysql":
        from gluon.store.mysql import MysqlDatabase  # noqa: PLC0415

        return MysqlDatabase(where, settings)
    from gluon.store.sqlite import SqliteDatabase  # noqa: PLC0415

    return SqliteDatabase(where.path, settings)
