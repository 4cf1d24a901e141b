"""Whether this process should get requests, and why not: the answer of `/readyz`.

In: the store, the models, a word that the process is stopping. Out: checks with reasons, as JSON. Made by `node`; `serve` says
that it stops.
"""

from __future__ import annotations

import asyncio
from typing import Any, Protocol

from gluon import errors

_PATIENCE = 2.0
"""Seconds that the database has to answer who asks whether we are ready."""


class Serving(Protocol):
    """A store that knows whether it can write at all."""

    @property
    def alive(self) -> bool:
        """Whether its writer runs, or can be started."""

    async def position(self) -> Any: ...


class Health:
    def __init__(self, database: Serving) -> None:
        self._database = database
        self.epoch = 0
        """Of the models that this process serves; 0: none are installed yet."""
        self.stopping = False

    async def look(self) -> dict[str, Any]:
        """`ready`, and by check an empty text or the reason why not."""
        found = {
            "stopping": "the process is stopping" if self.stopping else "",
            "writer": "" if self._database.alive else "the writer has ended",
            "models": "" if self.epoch else "the models are not installed yet",
            "database": await self._reached(),
        }
        return {"ready": not any(found.values()), "checks": found}

    async def _reached(self) -> str:
        try:
            async with asyncio.timeout(_PATIENCE):
                await self._database.position()
        except errors.Unavailable as error:
            return str(error)
        except TimeoutError:
            return f"the database has not answered for {_PATIENCE:g} s"
        return ""
