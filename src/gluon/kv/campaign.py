"""Election by one key: whoever creates it, under an own lease, leads until the key goes.

In: a bus. Out: `Won`. Invariant: the body runs only while our key has our create revision as far
as we can know; it is cancelled when the lease ends or the key goes. Writers still compare
`create_revision` in their Txns, since a paused process learns of its end late. Used by both buses.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, suppress
from dataclasses import dataclass

import structlog

from gluon.errors import BusUnavailable, Compacted, LeaseLost
from gluon.kv.follow import Patience
from gluon.kv.requests import BusClosed
from gluon.spi.bus import Bus, Compare, Get, KeyValue, Lease, Put

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Won:
    """`gluon.spi.bus.Leadership`."""

    key: str
    create_revision: int


@asynccontextmanager
async def campaign(bus: Bus, key: str, value: bytes, *, ttl: int) -> AsyncGenerator[Won]:
    """Wait for leadership as long as it takes, through outages too; then lead."""
    async with AsyncExitStack() as held:
        won, lease = await _win(bus, key, value, ttl, held)
        async with _while_valid(bus, won, lease):
            yield won


async def _win(bus: Bus, key: str, value: bytes, ttl: int, held: AsyncExitStack) -> tuple[Won, Lease]:
    """Returns with the lease open in `held`."""
    patience = Patience()
    while True:
        try:
            await _wait_free(bus, key)
            async with AsyncExitStack() as attempt:
                lease = await attempt.enter_async_context(bus.lease(ttl))
                won = await _create(bus, key, value, lease)
                if won is not None:
                    await held.enter_async_context(attempt.pop_all())
                    return won, lease
        except (BusUnavailable, Compacted, LeaseLost) as error:
            # Also after a Txn whose answer was lost: ending the lease takes the key away again.
            log.info("election has to wait", key=key, reason=str(error))
        await patience.wait()


async def _wait_free(bus: Bus, key: str) -> None:
    """Return once nobody holds `key`."""
    result = await bus.txn((), (Get(key=key),))
    if result.values[0] is not None:
        await _wait_gone(bus, key, result.values[0].create_revision, after=result.revision)


async def _create(bus: Bus, key: str, value: bytes, lease: Lease) -> Won | None:
    result = await bus.txn([Compare(key=key, create_revision=0)], [Put(key=key, value=value, lease=lease.id)])
    return Won(key=key, create_revision=result.revision) if result.succeeded else None


async def _wait_gone(bus: Bus, key: str, create_revision: int, *, after: int) -> None:
    """Return once `key` is deleted or was created anew."""
    stream = bus.watch(key, after=after)
    assert isinstance(stream, AsyncGenerator)
    async with aclosing(stream):
        async for watched in stream:
            for event in watched.events:
                if event.key == key and not _is(event.value, create_revision):
                    return


async def _until_invalid(bus: Bus, won: Won) -> None:
    """Return once the key is not ours any more; outages are the lease's business."""
    after = won.create_revision
    patience = Patience()
    while True:
        with suppress(Compacted):
            await _wait_gone(bus, won.key, won.create_revision, after=after)
            return
        # History broke under the watch: look at the key itself and go on from there.
        with suppress(BusUnavailable):
            result = await bus.txn((), (Get(key=won.key),))
            if not _is(result.values[0], won.create_revision):
                return
            after = result.revision
        await patience.wait()


def _is(value: KeyValue | None, create_revision: int) -> bool:
    return value is not None and value.create_revision == create_revision


@asynccontextmanager
async def _while_valid(bus: Bus, won: Won, lease: Lease) -> AsyncGenerator[None]:
    """Cancel the body, and raise `LeaseLost` in its place, when leadership ends."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(None) as limit:

            async def end_it() -> None:
                await _first_of(bus, won, lease)
                limit.reschedule(loop.time())

            watching = asyncio.create_task(end_it(), name=f"leadership of {won.key}")
            try:
                yield
            finally:
                watching.cancel()
                await asyncio.wait({watching})
    except TimeoutError:
        if limit.expired():
            raise LeaseLost(f"leadership of {won.key} ended") from None
        raise


async def _first_of(bus: Bus, won: Won, lease: Lease) -> None:
    """Return when the lease is lost or the key is not ours, whichever comes first."""
    lost = asyncio.create_task(lease.wait_lost())
    gone = asyncio.create_task(_until_invalid(bus, won))
    try:
        done, _ = await asyncio.wait({lost, gone}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (lost, gone):
            task.cancel()
        await asyncio.wait({lost, gone})
    for task in done:
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, BusClosed):
            log.warning("cannot see the election's key, giving leadership up", key=won.key, reason=str(error))
