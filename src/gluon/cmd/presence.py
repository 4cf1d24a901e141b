"""Which processes serve, and which models each of them has: so that a change is answered once all have it.

In: the schema epoch that this process serves. Out: a leased key with it, and `late`: who is behind.
Run by every process of a server for its life.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

import structlog

from gluon.errors import BusError
from gluon.objects import codec, keys
from gluon.publisher.supervise import Backoff
from gluon.spi import bus

log = structlog.get_logger(__name__)

TTL = 5
"""Seconds after which a dead process is nobody's hindrance any more."""
_LOOK = 0.05


class Presence:
    """One process's word, and what the others say."""

    def __init__(self, target: bus.Bus, process: str) -> None:
        self._bus = target
        self._process = process
        self._epoch = 0
        self._changed = asyncio.Event()

    def serves(self, epoch: int) -> None:
        """This process has the models of `epoch` from now on."""
        self._epoch = epoch
        self._changed.set()

    async def run(self) -> None:
        """Until cancelled; then the key goes with its lease."""
        backoff = Backoff()
        while True:
            try:
                async with self._bus.lease(TTL) as lease:
                    backoff.reset()
                    while not lease.lost:
                        self._changed.clear()
                        await self._bus.put(
                            keys.process(self._process), codec.encode({"epoch": self._epoch}), lease=lease.id
                        )
                        await self._until_changed(lease)
            except BusError as error:
                if backoff.fresh:
                    log.warning("cannot say which models are served, trying again", reason=str(error))
            await backoff.wait()

    async def _until_changed(self, lease: bus.Lease) -> None:
        lost = asyncio.create_task(lease.wait_lost())
        changed = asyncio.create_task(self._changed.wait())
        try:
            await asyncio.wait({lost, changed}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            lost.cancel()
            changed.cancel()

    async def epochs(self) -> dict[str, int]:
        """The epoch of each living process. Raises `BusError`."""
        listing = await self._bus.list(keys.PROCESS)
        return {
            item.key.removeprefix(keys.PROCESS): int(codec.decode(item.value)["epoch"])
            for item in listing.items
        }

    async def late(self, epoch: int, *, limit: float) -> list[str]:
        """The processes that do not serve `epoch` or a later one within `limit` seconds; empty without etcd."""
        behind: list[str] = []
        with suppress(TimeoutError, BusError):
            async with asyncio.timeout(limit):
                while True:
                    behind = sorted(name for name, at in (await self.epochs()).items() if at < epoch)
                    if not behind:
                        return []
                    await asyncio.sleep(_LOOK)
        return behind
