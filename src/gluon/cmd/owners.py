"""Owners of ports that are no proton's, found among the entry points of the installed packages.

In: a database. Out: owners by name. Called by `node`.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import structlog

from gluon.arbiter import claims, ledger
from gluon.cmd import settings as config
from gluon.spi import portowners, store

log = structlog.get_logger(__name__)

_LONGEST = 64


@asynccontextmanager
async def opened(database: store.Store) -> AsyncIterator[Mapping[str, portowners.PortOwner]]:
    """All of them, until the server stops. Raises `SettingsError` for one that cannot be had: a server without it would
    answer lists that are too short."""
    found: dict[str, portowners.PortOwner] = {}
    try:
        for point in importlib.metadata.entry_points(group=portowners.GROUP):
            if point.name == ledger.OWNER or len(point.name) > _LONGEST or point.name in found:
                raise config.SettingsError(
                    f"{portowners.GROUP}: no owner of ports can be called '{point.name}'"
                )
            try:
                found[point.name] = point.load()(claims.Claims(database, point.name))
            except Exception as error:
                raise config.SettingsError(
                    f"{portowners.GROUP}: {point.name} ({point.value}) cannot be had: {error}"
                ) from error
        yield found
    finally:
        for name, owner in found.items():
            try:
                await owner.close()
            except Exception:
                log.exception("an owner of ports did not end well", owner=name)
