"""The embedded bus: etcd's contract inside one process, empty at start.

In: calls of the engines of this process. Out: the same answers as etcd, without a server.
Invariant: a change of keys, its revision and its history are one step without `await`, so every
reader sees whole revisions; only the event loop that uses the bus may touch it. Made by
`connect` for `gluon up` and by tests.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from itertools import count

from gluon.errors import BusError, LeaseLost
from gluon.kv.campaign import Won, campaign
from gluon.kv.follow import follow
from gluon.kv.history import History
from gluon.kv.keyspace import Keyspace
from gluon.kv.leases import KeptLease, kept_lease
from gluon.kv.requests import BusClosed, check_key, check_size, check_txn, max_writes, request_size
from gluon.spi.bus import (
    BusHealth,
    Compare,
    Delete,
    Event,
    Get,
    KeyValue,
    Listing,
    Op,
    Put,
    Synced,
    TxnResult,
    Watched,
)

_LATE = 1.0


class MemoryBus:
    """`gluon.spi.bus.Bus` in memory."""

    def __init__(
        self,
        *,
        max_ops: int = 128,
        progress: float = 10.0,
        max_events: int = 50_000,
        max_bytes: int = 32 * 1024 * 1024,
    ) -> None:
        self.max_ops = max_ops
        self._progress = progress
        self._keys = Keyspace()
        self._history = History(max_events=max_events, max_bytes=max_bytes)
        self._watchers: set[_Watcher] = set()
        self._leases: dict[int, _LeaseRow] = {}
        self._lease_ids = count(1)
        self._closed = False

    @property
    def max_writes(self) -> int:
        return max_writes(self.max_ops)

    # Reading.

    async def get(self, key: str) -> KeyValue | None:
        self._check_open()
        check_key(key)
        return self._keys.get(key)

    async def list(self, prefix: str) -> Listing:
        self._check_open()
        return Listing(items=tuple(self._keys.with_prefix(prefix)), revision=self._history.newest)

    # Writing. Each ends by giving way, as a call over a network would: a writer in a loop must
    # not keep those who watch from running.

    async def put(self, key: str, value: bytes, *, lease: int = 0) -> int:
        result = await self.txn((), (Put(key=key, value=value, lease=lease),))
        return result.revision

    async def delete(self, key: str, *, prefix: bool = False) -> int:
        self._check_open()
        if not prefix:
            check_key(key)
        events = self._apply_delete(Delete(key=key, prefix=prefix))
        self._commit(events)
        await asyncio.sleep(0)
        return len(events)

    async def txn(
        self, compares: Sequence[Compare], then: Sequence[Op], otherwise: Sequence[Op] = ()
    ) -> TxnResult:
        self._check_open()
        check_txn(compares, then, otherwise, self.max_ops)
        check_size(request_size(then) + request_size(otherwise))
        succeeded = all(self._keys.holds(compare) for compare in compares)
        branch = then if succeeded else otherwise
        for op in branch:
            if isinstance(op, Put) and op.lease and op.lease not in self._leases:
                raise LeaseLost(f"lease {op.lease} does not exist")
        values: list[KeyValue | None] = []
        events: list[Event] = []
        for op in branch:
            match op:
                case Get():
                    values.append(self._keys.get(op.key))
                case Put():
                    events.append(self._apply_put(op))
                case Delete():
                    events += self._apply_delete(op)
        self._commit(events)
        result = TxnResult(succeeded=succeeded, revision=self._history.newest, values=tuple(values))
        await asyncio.sleep(0)
        return result

    # Watching.

    def watch(self, prefix: str, *, after: int) -> AsyncGenerator[Watched]:
        return self._watch(prefix, after)

    def follow(self, prefix: str) -> AsyncIterator[Synced | Watched]:
        return follow(
            prefix,
            list_prefix=self.list,
            watch_listing=lambda prefix, listing: self._watch(prefix, listing.revision),
        )

    async def _watch(self, prefix: str, after: int) -> AsyncGenerator[Watched]:
        """A watcher reads history at its own pace; one too slow for it gets `Compacted`."""
        watcher = _Watcher(prefix, after)
        self._watchers.add(watcher)
        told = after
        try:
            while True:
                self._check_open()
                watched = self._history.after(watcher.revision, prefix)
                if watched is not None:
                    watcher.revision = watched.revision
                    if watched.events:
                        told = watched.revision
                        yield watched
                    continue
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._progress):
                        await watcher.wait()
                        continue
                if watcher.revision > told:
                    told = watcher.revision
                    yield Watched(revision=told)
        finally:
            self._watchers.discard(watcher)

    # Leases and elections.

    def lease(self, ttl: int) -> AbstractAsyncContextManager[KeptLease]:
        return kept_lease(self, ttl)

    def campaign(self, key: str, value: bytes, *, ttl: int = 5) -> AbstractAsyncContextManager[Won]:
        return campaign(self, key, value, ttl=ttl)

    async def grant(self, ttl: int) -> tuple[int, int]:
        self._check_open()
        if ttl <= 0:
            raise BusError(f"a lease needs a positive time to live, not {ttl}")
        lease = next(self._lease_ids)
        self._leases[lease] = _LeaseRow(ttl)
        self._arm(lease)
        return lease, ttl

    async def keep_alive(self, lease: int) -> int:
        self._check_open()
        if lease not in self._leases:
            raise LeaseLost(f"lease {lease} does not exist")
        self._arm(lease)
        return self._leases[lease].ttl

    async def revoke(self, lease: int) -> None:
        self._check_open()
        self._end_lease(lease)
        await asyncio.sleep(0)

    # Upkeep.

    async def compact(self, revision: int) -> None:
        self._check_open()
        if revision > self._history.newest:
            raise BusError(f"cannot compact revision {revision}: the bus is at {self._history.newest}")
        self._history.compact(revision)

    async def health(self) -> BusHealth:
        self._check_open()
        return BusHealth(size=self._keys.size, revision=self._history.newest)

    async def close(self) -> None:
        self._closed = True
        for row in self._leases.values():
            row.disarm()
        for watcher in self._watchers:
            watcher.wake()

    # The steps without `await`.

    def _check_open(self) -> None:
        if self._closed:
            raise BusClosed("the bus is closed")

    def _apply_put(self, put: Put) -> Event:
        event, old = self._keys.put(put, self._history.newest + 1)
        if old is not None:
            self._detach(old)
        if put.lease:
            self._leases[put.lease].keys.add(put.key)
        return event

    def _apply_delete(self, delete: Delete) -> Sequence[Event]:
        gone = self._keys.delete(delete)
        for value in gone:
            self._detach(value)
        return [Event(key=value.key, value=None) for value in gone]

    def _detach(self, value: KeyValue) -> None:
        row = self._leases.get(value.lease)
        if row is not None:
            row.keys.discard(value.key)

    def _commit(self, events: Sequence[Event]) -> None:
        if not events:
            return
        revision = self._history.append(tuple(events))
        for watcher in self._watchers:
            if any(event.key.startswith(watcher.prefix) for event in events):
                watcher.wake()
            elif watcher.idle:
                # It has seen all that concerns it: history may be cut under it.
                watcher.revision = revision

    def _arm(self, lease: int) -> None:
        row = self._leases[lease]
        row.disarm()
        loop = asyncio.get_running_loop()
        row.timer = loop.call_later(row.ttl, self._expire, lease, loop.time() + row.ttl)

    def _expire(self, lease: int, due: float) -> None:
        loop = asyncio.get_running_loop()
        if loop.time() - due > _LATE:
            # The whole process stood still, its holder too: it gets the chance to renew.
            self._arm(lease)
            return
        self._end_lease(lease)

    def _end_lease(self, lease: int) -> None:
        row = self._leases.pop(lease, None)
        if row is None:
            return
        row.disarm()
        events = [event for key in sorted(row.keys) for event in self._apply_delete(Delete(key=key))]
        self._commit(events)


class _LeaseRow:
    def __init__(self, ttl: int) -> None:
        self.ttl = ttl
        self.keys: set[str] = set()
        self.timer: asyncio.TimerHandle | None = None

    def disarm(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None


class _Watcher:
    """`revision`: all up to it has been delivered or does not concern the prefix."""

    def __init__(self, prefix: str, revision: int) -> None:
        self.prefix = prefix
        self.revision = revision
        self._sleep: asyncio.Future[None] | None = None

    @property
    def idle(self) -> bool:
        return self._sleep is not None and not self._sleep.done()

    def wake(self) -> None:
        if self._sleep is not None and not self._sleep.done():
            self._sleep.set_result(None)

    async def wait(self) -> None:
        self._sleep = asyncio.get_running_loop().create_future()
        try:
            await self._sleep
        finally:
            self._sleep = None
