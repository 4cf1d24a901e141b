"""A lease kept alive in the background for as long as its context is open.

In: the three primitive acts on leases that each bus has. Out: `KeptLease`. Invariant: `lost` is
true no later than the moment the bus may have ended the lease, counted by our own clock from
when the last keep-alive that was answered had been *sent*; so a holder never believes too long.
Used by both buses.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import Protocol

from gluon.errors import BusError, LeaseLost

_SHORTEST_WAIT = 0.05
_REVOKE_LIMIT = 2.0


class LeaseKeeper(Protocol):
    """Leases as a bus knows them. `keep_alive` raises `LeaseLost` for one that has ended."""

    async def grant(self, ttl: int) -> tuple[int, int]:
        """Returns the id and the seconds really given."""

    async def keep_alive(self, lease: int) -> int:
        """Returns the seconds it now has."""

    async def revoke(self, lease: int) -> None:
        """End it, and the keys under it; no error if it is gone."""


class KeptLease:
    """`gluon.spi.bus.Lease`."""

    def __init__(self, lease: int, expires: float) -> None:
        self.id = lease
        self._expires = expires
        self._ended = asyncio.Event()

    @property
    def lost(self) -> bool:
        return self._ended.is_set()

    async def wait_lost(self) -> None:
        await self._ended.wait()

    async def keep(self, keeper: LeaseKeeper, ttl: int) -> None:
        """Renew it three times per `ttl` until it is lost; an outage shorter than that is bridged."""
        loop = asyncio.get_running_loop()
        wait = ttl / 3
        while True:
            await asyncio.sleep(max(0.0, min(wait, self._expires - loop.time())))
            sent = loop.time()
            if sent >= self._expires:
                break
            try:
                async with asyncio.timeout_at(self._expires):
                    left = await keeper.keep_alive(self.id)
            except LeaseLost:
                break
            except (BusError, TimeoutError):
                wait = _SHORTEST_WAIT * 4
            else:
                self._expires = sent + left
                wait = left / 3
        self._ended.set()


@asynccontextmanager
async def kept_lease(keeper: LeaseKeeper, ttl: int) -> AsyncGenerator[KeptLease]:
    """Grant a lease, keep it, and revoke it at the end as far as the bus can be reached."""
    sent = asyncio.get_running_loop().time()
    number, given = await keeper.grant(ttl)
    lease = KeptLease(number, sent + given)
    keeping = asyncio.create_task(lease.keep(keeper, given), name=f"keep lease {number:x}")
    try:
        yield lease
    finally:
        keeping.cancel()
        await asyncio.wait({keeping})
        if not lease.lost:
            # What cannot be revoked now ends by itself after its TTL.
            with suppress(BusError, TimeoutError):
                async with asyncio.timeout(_REVOKE_LIMIT):
                    await keeper.revoke(number)
