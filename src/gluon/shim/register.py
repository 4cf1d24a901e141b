"""The leased registration of one shim process: the arbiter assigns bindings to who is registered.

In: what is served. Out: the key `/gluon/shim/<controller>/<instance>`. Invariant: while the bus
can be reached the key is there with our value: made anew when the lease is lost, the key deleted
or etcd wiped. Called by `engine`.
"""

from __future__ import annotations

import asyncio

import structlog

from gluon.errors import BusError
from gluon.objects import codec, keys, status
from gluon.shim.queue import Backoff
from gluon.shim.settings import Pace
from gluon.spi.bus import Bus, Lease, Synced

log = structlog.get_logger(__name__)


async def keep_registered(bus: Bus, registration: status.Registration, pace: Pace) -> None:
    """Never returns."""
    key = keys.shim(registration.controller, registration.instance)
    value = codec.encode(registration)
    backoff = Backoff(pace, asyncio.get_running_loop().time)
    while True:
        try:
            async with bus.lease(pace.ttl) as lease:
                await bus.put(key, value, lease=lease.id)
                log.info("registered", controller=registration.controller, instance=registration.instance)
                backoff.clear(None)
                await _until_gone(bus, key, value, lease)
        except BusError as error:
            log.warning("cannot register, trying again", key=key, reason=str(error))
        backoff.fail(None)
        await asyncio.sleep(max(0.0, backoff.due(None) - asyncio.get_running_loop().time()))


async def _until_gone(bus: Bus, key: str, value: bytes, lease: Lease) -> None:
    """Return when the lease is lost or the key is not what we wrote."""
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
