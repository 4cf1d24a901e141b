"""Follow a prefix for ever: list, watch from the listing, and list again when history broke.

In: how to list and how to watch after a listing. Out: `Synced` first, then `Watched`. Invariant:
applying what comes out, in order, always gives the content of the prefix at the last revision.
Used by both buses.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing

import structlog

from gluon.errors import BusError, Compacted
from gluon.kv.requests import BusClosed
from gluon.spi.bus import Listing, Synced, Watched

log = structlog.get_logger(__name__)

_FIRST_WAIT, _LONGEST_WAIT = 0.05, 2.0


class Patience:
    """Growing waits with jitter between attempts, so that many followers do not come at once."""

    def __init__(self, *, first: float = _FIRST_WAIT, longest: float = _LONGEST_WAIT) -> None:
        self._first, self._longest = first, longest
        self._next = first

    def reset(self) -> None:
        self._next = self._first

    async def wait(self) -> None:
        await asyncio.sleep(self._next * random.uniform(0.5, 1.0))
        self._next = min(self._next * 2, self._longest)


async def follow(
    prefix: str,
    *,
    list_prefix: Callable[[str], Awaitable[Listing]],
    watch_listing: Callable[[str, Listing], AsyncGenerator[Watched]],
) -> AsyncIterator[Synced | Watched]:
    """Ends only with `BusClosed`, or when its consumer closes it."""
    patience = Patience()
    quiet = False
    while True:
        try:
            listing = await list_prefix(prefix)
            quiet = False
            yield Synced(listing=listing)
            async with aclosing(watch_listing(prefix, listing)) as stream:
                async for watched in stream:
                    patience.reset()
                    yield watched
        except BusClosed:
            raise
        except Compacted as error:
            log.info("history of the bus broke, listing again", prefix=prefix, reason=str(error))
        except BusError as error:
            if not quiet:  # one line an outage, not one an attempt
                log.warning("cannot follow the bus, trying again", prefix=prefix, reason=str(error))
            quiet = True
        await patience.wait()
