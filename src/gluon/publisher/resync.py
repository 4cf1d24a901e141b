"""Resync: make etcd the picture of one consistent read of the database, by differences.

In: the cursor as found, a snapshot at revision R, listings of the projection's prefixes. Out: puts
and deletes of what differs, then the cursor at R. Invariant: first the cursor becomes a mark with
an id of its own; every Txn compares it, so a relay or resync that was at work is refused, and one
that breaks off is begun again by whoever finds its mark. Values that are equal are not written.
"""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
import secrets
import time
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Self

import structlog

from gluon.errors import BusUnavailable, GluonError
from gluon.objects import keys
from gluon.publisher import batches, cursor
from gluon.publisher.stats import Stats
from gluon.spi import bus, projection, store

log = structlog.get_logger(__name__)

_IN_FLIGHT = 4
_TRIES = 5
_BREATH = 500
"""Keys handled between two chances for others on the event loop."""


class Refused(GluonError):
    """Another relay changed the cursor: it is not ours to resync."""


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
    ) -> None:
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
            goal = cursor.at(snapshot.position, await self._store.entry(snapshot.position.revision))
            mark = dataclasses.replace(goal, resync=secrets.token_hex(6))
            await self._move(found.value if found else None, mark)
            log.info("resync begins", reason=reason, revision=goal.revision, id=mark.resync)
            await self._write_differences(snapshot, mark)
        await self._move(mark.encode(), goal)
        if request is not None:
            # Only the request that was there before: one made meanwhile gets its own.
            await self._bus.txn(
                (bus.Compare(key=keys.RELAY_RESYNC, mod_revision=request.mod_revision),),
                (bus.Delete(key=keys.RELAY_RESYNC),),
            )
        seconds = time.monotonic() - began
        self._stats.resyncs[reason] += 1
        self._stats.resync_seconds = seconds
        log.info(
            "resync done", id=mark.resync, written=self._written, same=self._same, seconds=round(seconds, 3)
        )
        return goal

    async def _move(self, expected: bytes | None, new: cursor.Cursor) -> None:
        compare = (
            bus.Compare(key=keys.RELAY_CURSOR, create_revision=0)
            if expected is None
            else bus.Compare(key=keys.RELAY_CURSOR, value=expected)
        )
        result = await self._bus.txn((compare,), (bus.Put(key=keys.RELAY_CURSOR, value=new.encode()),))
        if not result.succeeded:
            raise Refused("another relay moved the cursor")

    async def _write_differences(self, snapshot: store.Snapshot, mark: cursor.Cursor) -> None:
        present = await self._present()
        async with _Sender(self._bus, mark, self._limits, self._stats) as sender:
            for key, value in self._picture.constant():
                await self._want(sender, present, key, value)
            for table in self._picture.tables:
                async for rows in snapshot.scan(table):
                    for row in rows:
                        for key, value in self._picture.of_row(table, row):
                            await self._want(sender, present, key, value)
            for key in present:
                await sender.change(key, None)
            await sender.finish()
            self._written = sender.sent

    async def _want(self, sender: _Sender, present: dict[str, bytes], key: str, value: bytes) -> None:
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


def _fingerprint(value: bytes) -> bytes:
    return hashlib.blake2b(value, digest_size=16).digest()


class _Sender:
    """Changes of distinct keys, in any order, some Txns in flight, each only while the mark stands."""

    def __init__(self, target: bus.Bus, mark: cursor.Cursor, limits: batches.Limits, stats: Stats) -> None:
        self._bus = target
        self._compare = (bus.Compare(key=keys.RELAY_CURSOR, value=mark.encode()),)
        self._limits = limits
        self._stats = stats
        self._next: list[bus.Op] = []
        self._size = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self.sent = 0

    async def change(self, key: str, value: bytes | None) -> None:
        """Take a change; waits while enough is in flight."""
        more = batches.weight(key, value)
        if self._next and (len(self._next) >= self._limits.ops or self._size + more > self._limits.bytes):
            await self._flush()
        self._next.append(batches.op(key, value))
        self._size += more

    async def finish(self) -> None:
        """Return once all is written."""
        await self._flush()
        while self._tasks:
            await self._one_done()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def _flush(self) -> None:
        if not self._next:
            return
        ops, self._next, self._size = self._next, [], 0
        while len(self._tasks) >= _IN_FLIGHT:
            await self._one_done()
        self._start(self._send(ops))
        await asyncio.sleep(0)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.add(asyncio.create_task(work))

    async def _one_done(self) -> None:
        done, self._tasks = await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()

    async def _send(self, ops: list[bus.Op]) -> None:
        """Repeats over a lost answer: nothing else writes these keys while the mark stands."""
        for left in reversed(range(_TRIES)):
            began = time.monotonic()
            try:
                result = await self._bus.txn(self._compare, ops)
            except BusUnavailable:
                if left == 0:
                    raise
                await asyncio.sleep(0.1 * (_TRIES - left))
                continue
            if not result.succeeded:
                raise Refused("another relay took the mark of the resync away")
            self.sent += len(ops)
            self._stats.sent(time.monotonic() - began, len(ops))
            return
