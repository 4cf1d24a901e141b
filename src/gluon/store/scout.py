"""Rows for a batch that is decided while the one before is written: read by a connection of their own, as the writer's is busy.

In: groups of look-ups. Out: their rows, as they are before that other batch or after it. Invariant: nobody waits for a connection to
be made, and a failure here is no more than that it was not ahead (`Outrun`). Called by `batches`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from time import monotonic

import structlog

from gluon.spi import store
from gluon.store import driver

log = structlog.get_logger(__name__)

_PAUSE = 5.0
"""Seconds until a connection is tried again."""


class Scout:
    """One of a writer."""

    def __init__(self, database: driver.Database) -> None:
        self._database = database
        self._session: driver.Session | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._tried = float("-inf")
        self._busy = False
        self._closed = False

    def ready(self) -> bool:
        """Whether there is a connection that does nothing: what was put off may still be read. If there is none, one is made meanwhile."""
        if self._session is None and not self._closed and monotonic() - self._tried > _PAUSE:
            self._tried = monotonic()
            self._connecting = asyncio.get_running_loop().create_task(self._connect(), name="store-scout")
        return self._session is not None and not self._busy

    async def _connect(self) -> None:
        try:
            self._session = await self._database.session()
        except Exception as error:  # noqa: BLE001  # whatever it is, reading ahead can be done without
            log.info("nothing is read ahead", error=str(error))

    async def lookups(self, groups: Sequence[driver.Group]) -> Sequence[Sequence[store.Row]]:
        """Raises `Outrun`."""
        session = self._session
        if session is None:
            raise driver.Outrun("there is no connection to read ahead by")
        self._busy = True
        try:
            return await session.lookups(groups)
        except driver.DriverError as error:
            log.info("nothing was read ahead", error=str(error))
            self._session = None
            session.kill()
            raise driver.Outrun(str(error)) from error
        finally:
            self._busy = False

    async def close(self) -> None:
        self._closed = True
        if (
            self._connecting is not None
        ):  # which takes its `connect_timeout` at most; cancelled, it might leave one behind
            await self._connecting
        if self._session is not None:
            await driver.leave(self._session)
