"""Many changes of distinct keys to etcd at once, as chains of Txns side by side.

In: changes in any order, the mark of a resync. Out: they are in etcd. Invariant: each Txn compares
the mark and the number of the Txn before it in its lane, and writes its own; so the last numbers
prove all Txns, even if etcd went back to an older snapshot of itself in between. Used by `resync`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from gluon.errors import BusUnavailable, GluonError
from gluon.objects import keys
from gluon.publisher import batches, cursor
from gluon.publisher.stats import Stats
from gluon.spi import bus

_LANES = 4
_TRIES = 5

FORGET = bus.Delete(key=keys.RELAY_LANE, prefix=True)
"""Takes all lanes away: done when a resync begins and when it is complete."""


class Refused(GluonError):
    """Another relay changed the cursor, or etcd went back: it is not ours to go on."""


class Lanes:
    """For one mark. `sent` counts changes."""

    def __init__(self, target: bus.Bus, mark: cursor.Cursor, limits: batches.Limits, stats: Stats) -> None:
        self._bus = target
        self._mark = mark
        self._limits = limits
        self._stats = stats
        self._ops: list[bus.Op] = []
        self._size = 0
        self._lanes = [_Lane(keys.relay_lane(number), mark.resync) for number in range(_LANES)]
        self._free = list(self._lanes)
        self._tasks: set[asyncio.Task[_Lane]] = set()
        self.sent = 0

    async def change(self, key: str, value: bytes | None) -> None:
        """Take a change; waits while all lanes are busy."""
        more = batches.weight(key, value)
        if self._ops and (len(self._ops) >= self._limits.ops or self._size + more > self._limits.bytes):
            await self._flush()
        self._ops.append(batches.op(key, value))
        self._size += more

    async def finish(self) -> Sequence[bus.Compare]:
        """Wait until all is written; what the Txn that ends the resync has to compare."""
        await self._flush()
        while self._tasks:
            await self._one_done()
        return [self._still_marked, *(lane.compare for lane in self._lanes)]

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def _still_marked(self) -> bus.Compare:
        return bus.Compare(key=keys.RELAY_CURSOR, value=self._mark.encode())

    async def _flush(self) -> None:
        if not self._ops:
            return
        ops, self._ops, self._size = self._ops, [], 0
        while not self._free:
            await self._one_done()
        self._tasks.add(asyncio.create_task(self._send(self._free.pop(), ops)))
        await asyncio.sleep(0)

    async def _one_done(self) -> None:
        done, _ = await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            self._free.append(task.result())  # raises while the others are still ours to end
            self._tasks.discard(task)

    async def _send(self, lane: _Lane, ops: list[bus.Op]) -> _Lane:
        """Repeats after a lost answer; whether it was done after all, the lane's number says."""
        compares, put = (self._still_marked, lane.compare), lane.next
        for left in reversed(range(_TRIES)):
            began = time.monotonic()
            try:
                result = await self._bus.txn(compares, [*ops, put], (bus.Get(key=lane.key),))
            except BusUnavailable:
                if left == 0:
                    raise
                await asyncio.sleep(0.1 * (_TRIES - left))
                continue
            there = None if result.succeeded else result.values[0]
            if result.succeeded or (there is not None and there.value == put.value):
                break
            raise Refused("another relay took the mark of the resync away, or etcd went back")
        lane.advance()
        self.sent += len(ops)
        self._stats.sent(time.monotonic() - began, len(ops))
        return lane


class _Lane:
    """A chain: its key holds the id of the resync and the number of Txns done."""

    def __init__(self, key: str, resync: str) -> None:
        self.key = key
        self._resync = resync
        self._done = 0

    @property
    def compare(self) -> bus.Compare:
        if self._done == 0:
            return bus.Compare(key=self.key, create_revision=0)
        return bus.Compare(key=self.key, value=self._value(self._done))

    @property
    def next(self) -> bus.Put:
        return bus.Put(key=self.key, value=self._value(self._done + 1))

    def advance(self) -> None:
        self._done += 1

    def _value(self, number: int) -> bytes:
        return f"{self._resync}.{number}".encode()
