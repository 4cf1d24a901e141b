"""The leased registration of one shim process: the arbiter assigns bindings to who is registered.

In: what is served, and which models the backend refuses. Out: the key `/gluon/shim/<controller>/<instance>`.
Invariant: while the bus can be reached the key is there with our value: made anew when the lease is lost, the
key deleted or etcd wiped. Called by `engine`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from gluon.errors import BusError
from gluon.objects import codec, keys, status
from gluon.shim.queue import Backoff
from gluon.shim.settings import Pace
from gluon.spi.bus import Bus, Lease, Synced

log = structlog.get_logger(__name__)


async def keep_registered(
    bus: Bus, registration: Callable[[], status.Registration], changed: asyncio.Event, pace: Pace
) -> None:
    """Never returns. `changed` is set when there may be another registration to give, and cleared here."""
    backoff = Backoff(pace, asyncio.get_running_loop().time)
    while True:
        try:
            async with bus.lease(pace.ttl) as lease:
                await _hold(bus, registration, changed, lease, backoff)
        except BusError as error:
            log.warning("cannot register, trying again", reason=str(error))
        backoff.fail(None)
        await asyncio.sleep(max(0.0, backoff.due(None) - asyncio.get_running_loop().time()))


async def _hold(
    bus: Bus,
    registration: Callable[[], status.Registration],
    changed: asyncio.Event,
    lease: Lease,
    backoff: Backoff,
) -> None:
    """Return when the lease is lost or the key is not what we wrote."""
    while True:
        changed.clear()
        given = registration()
        key, value = keys.shim(given.controller, given.instance), codec.encode(given)
        await bus.put(key, value, lease=lease.id)
        log.info("registered", controller=given.controller, instance=given.instance, refused=given.refused)
        backoff.clear(None)
        gone = asyncio.create_task(_until_gone(bus, key, value, lease))
        try:
            while not gone.done() and codec.encode(registration()) == value:
                changed.clear()
                await _either(gone, changed)
        finally:
            gone.cancel()
            await asyncio.wait({gone})
        if not gone.cancelled():
            return gone.result()


async def _either(gone: asyncio.Task[None], changed: asyncio.Event) -> None:
    waiting = asyncio.create_task(changed.wait())
    try:
        await asyncio.wait({gone, waiting}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiting.cancel()


async def _until_gone(bus: Bus, key: str, value: bytes, lease: Lease) -> None:
    lost = asyncio.create_task(lease.wait_lost())
    changed = asyncio.create_task(_until_changed(bus, key, value))
    try:
        await asyncio.wait({lost, changed}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (lost, changed):
            task.cancel()
        await asyncio.wait({lost, changed})
    if changed.done() and not changed.cancelled() and (error := changed.exception()) is not None:
        raise error


async def _until_changed(bus: Bus, key: str, value: bytes) -> None:
    async for item in bus.follow(key):
        if isinstance(item, Synced):
            if not any(kv.key == key and kv.value == value for kv in item.listing.items):
                return
        elif any(e.key == key and (e.value is None or e.value.value != value) for e in item.events):
            return
