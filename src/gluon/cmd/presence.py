"""Which processes serve, and which models each of them has: so that a change is answered once all have it.

In: the schema epoch that this process serves. Out: a leased key with it, and `late`: who is behind.
Run by every process of a server for its life.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

import structlog

from gluon.errors import BusError
from gluon.objects import codec, keys
from gluon.publisher.supervise import Backoff
from gluon.spi import bus

log = structlog.get_logger(__name__)

TTL = 5
"""Seconds after which a dead process is nobody's hindrance any more."""


class Presence:
    """One process's word, and what the others say. `heard` is called with an epoch that another serves."""

    def __init__(self, target: bus.Bus, process: str, heard: Callable[[int], None]) -> None:
        self._bus = target
        self._process = process
        self._heard = heard
        self._epoch = 0
        self._changed = asyncio.Event()
        self._others: dict[str, int] = {}
        self._moved = asyncio.Event()

    def serves(self, epoch: int) -> None:
        """This process has the models of `epoch` from now on."""
        if epoch != self._epoch:
            self._epoch = epoch
            self._changed.set()

    async def run(self) -> None:
        """Until cancelled; then the key goes with its lease."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._speak(), name="presence-word")
            group.create_task(self._listen(), name="presence-others")

    async def _listen(self) -> None:
        """Hold what all say. A process that has newer models is how the others learn of them at once."""
        async for seen in self._bus.follow(keys.PROCESS):
            if isinstance(seen, bus.Synced):
                self._others = {item.key: _epoch(item.value) for item in seen.listing.items}
            else:
                for event in seen.events:
                    if event.value is None:
                        self._others.pop(event.key, None)
                    else:
                        self._others[event.key] = _epoch(event.value.value)
            self._moved.set()
            self._heard(max(self._others.values(), default=0))

    async def _speak(self) -> None:
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
        return {item.key.removeprefix(keys.PROCESS): _epoch(item.value) for item in listing.items}

    async def late(self, epoch: int, *, limit: float) -> list[str]:
        """The processes that do not serve `epoch` or a later one within `limit` seconds; empty without etcd."""
        with suppress(TimeoutError):
            async with asyncio.timeout(limit):
                while self._behind(epoch):
                    self._moved.clear()
                    await self._moved.wait()
        return self._behind(epoch)

    def _behind(self, epoch: int) -> list[str]:
        return sorted(key.removeprefix(keys.PROCESS) for key, at in self._others.items() if at < epoch)


def _epoch(value: bytes) -> int:
    return int(codec.decode(value)["epoch"])
