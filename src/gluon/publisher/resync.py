"""Resync: make etcd the picture of one consistent read of the database, by differences.

In: the cursor as found, a snapshot at revision R, listings of the projection's prefixes. Out: puts
and deletes of what differs, then the cursor at R. Invariant: first the cursor becomes a mark with
an id of its own; every Txn (of `lanes`) compares it, so a relay or resync that was at work is refused, and one
that breaks off is begun again by whoever finds its mark. Values that are equal are not written.
"""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
import secrets
import time
from collections.abc import Awaitable, Callable, Sequence

import structlog

from gluon.objects import keys
from gluon.publisher import batches, cursor, lanes
from gluon.publisher.stats import Stats
from gluon.spi import bus, projection, store

log = structlog.get_logger(__name__)

_BREATH = 500
"""Keys handled between two chances for others on the event loop."""


async def request(target: bus.Bus, who: str) -> None:
    """Ask the leading relay for a resync: it sees `/gluon/relay/resync` within a second."""
    await target.put(keys.RELAY_RESYNC, who.encode())


async def wait_done(target: bus.Bus) -> None:
    """Return once no resync is asked for any more."""
    asked = True
    async for seen in target.follow(keys.RELAY_RESYNC):
        if isinstance(seen, bus.Synced):
            asked = any(item.key == keys.RELAY_RESYNC for item in seen.listing.items)
        else:
            own = [event for event in seen.events if event.key == keys.RELAY_RESYNC]
            asked = own[-1].value is not None if own else asked
        if not asked:
            return


class Resync:
    """One resync, used once."""

    def __init__(
        self,
        database: store.Store,
        target: bus.Bus,
        picture: projection.Projection,
        *,
        limits: batches.Limits,
        stats: Stats,
        renew: Callable[[], Awaitable[None]],
        check: Callable[[], None],
    ) -> None:
        """`check` raises when the picture is no more of the same models, `renew` also when those of the database are others."""
        self._renew = renew
        self._check = check
        self._store = database
        self._bus = target
        self._picture = picture
        self._limits = limits
        self._stats = stats
        self._written = 0
        self._same = 0

    async def run(
        self, found: bus.KeyValue | None, *, reason: str, request: bus.KeyValue | None
    ) -> cursor.Cursor:
        """`found` was read before: whatever was published since makes this one be refused."""
        began = time.monotonic()
        async with self._store.snapshot() as snapshot:
            await self._renew()
            goal = cursor.at(snapshot.position, await self._store.entry(snapshot.position.revision))
            mark = dataclasses.replace(goal, resync=secrets.token_hex(6))
            await self._move((_compare(found),), mark)
            log.info("resync begins", reason=reason, revision=goal.revision, id=mark.resync)
            complete = await self._write_differences(snapshot, mark)
        await self._move(complete, goal)
        seconds = time.monotonic() - began
        self._stats.resyncs[reason] += 1
        self._stats.resync_seconds = seconds
        if request is not None:
            # Only the request that was there before: one made meanwhile gets its own.
            await self._bus.txn(
                (bus.Compare(key=keys.RELAY_RESYNC, mod_revision=request.mod_revision),),
                (bus.Delete(key=keys.RELAY_RESYNC),),
            )
        log.info(
            "resync done", id=mark.resync, written=self._written, same=self._same, seconds=round(seconds, 3)
        )
        return goal

    async def _move(self, compares: Sequence[bus.Compare], new: cursor.Cursor) -> None:
        put = bus.Put(key=keys.RELAY_CURSOR, value=new.encode())
        result = await self._bus.txn(compares, (put, lanes.FORGET))
        if not result.succeeded:
            raise lanes.Refused("another relay moved the cursor, or etcd went back")

    async def _write_differences(
        self, snapshot: store.Snapshot, mark: cursor.Cursor
    ) -> Sequence[bus.Compare]:
        """Returns what proves that all of it is in etcd."""
        present = await self._present()
        async with lanes.Lanes(self._bus, mark, self._limits, self._stats) as sender:
            for key, value in self._picture.constant():
                await self._want(sender, present, key, value)
            for table in self._picture.tables:
                async for rows in snapshot.scan(table):
                    for row in rows:
                        self._check()
                        for key, value in self._picture.of_row(table, row):
                            await self._want(sender, present, key, value)
            for key in present:
                await sender.change(key, None)
            complete = await sender.finish()
            self._written = sender.sent
        return complete

    async def _want(self, sender: lanes.Lanes, present: dict[str, bytes], key: str, value: bytes) -> None:
        there = present.pop(key, None)
        if there is not None and there == _fingerprint(value):
            self._same += 1
            if self._same % _BREATH == 0:
                await asyncio.sleep(0)
            return
        await sender.change(key, value)

    async def _present(self) -> dict[str, bytes]:
        """What etcd has under our prefixes: of each value only a fingerprint is kept."""
        present: dict[str, bytes] = {}
        for prefix in self._picture.prefixes:
            listing = await self._bus.list(prefix)
            for number, item in enumerate(listing.items, 1):
                present[item.key] = _fingerprint(item.value)
                if number % _BREATH == 0:
                    await asyncio.sleep(0)
        return present


def _compare(found: bus.KeyValue | None) -> bus.Compare:
    if found is None:
        return bus.Compare(key=keys.RELAY_CURSOR, create_revision=0)
    return bus.Compare(key=keys.RELAY_CURSOR, value=found.value)


def _fingerprint(value: bytes) -> bytes:
    return hashlib.blake2b(value, digest_size=16).digest()
