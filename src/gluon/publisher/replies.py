"""Replies to those who wait: one watch of `/status/` a process, whoever waits gets a call.

In: a followed prefix. Out: per subscription the values of one object's status keys, those that
exist first, then each newer one (in between only the newest may be seen); of each shard, how many there are. Invariant: in memory
are the names of the keys, never their values. Used by API processes while a bind waits.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from sys import intern

from gluon.errors import BusError, BusUnavailable
from gluon.objects import keys, status
from gluon.publisher.supervise import Backoff
from gluon.spi import bus

Reply = tuple[keys.StatusKey, bytes | None]
"""The key and its newest value; None: gone, or too large to be believed."""


class ReplyWatch:
    """`run` it for the life of the process."""

    def __init__(self, target: bus.Bus) -> None:
        self._bus = target
        self._shards: dict[str, tuple[str, ...]] = {}
        """Of `<api>/<ObjectType>/<key>`, as encoded: the `<controller>/<shard>` that said something."""
        self._told: Counter[str] = Counter()
        """How many keys each `<controller>/<shard>` has, as encoded."""
        self._boxes: dict[str, set[_Mailbox]] = {}
        self._synced = False
        self._histories = 0

    @asynccontextmanager
    async def subscribe(self, api: str, object_type: str, key: str) -> AsyncIterator[AsyncIterator[Reply]]:
        """Present values first (as soon as etcd answers), then changes, until the context ends."""
        name = f"{keys.segment(api)}/{object_type}/{keys.segment(key)}"
        box = _Mailbox()
        self._boxes.setdefault(name, set()).add(box)
        reading = asyncio.create_task(self._read_present(name, box)) if self._synced else None
        try:
            yield box.replies()
        finally:
            if reading is not None:
                reading.cancel()
                await asyncio.wait((reading,))
            boxes = self._boxes[name]
            boxes.discard(box)
            if not boxes:
                del self._boxes[name]

    def told(self) -> Mapping[tuple[str, str], int]:
        """Of how many objects each controller says something on each of its shards. Raises `BusUnavailable` until it is known."""
        if not self._synced:
            raise BusUnavailable("what shims say was not read yet")
        return {_shard(name): count for name, count in self._told.items() if count}

    async def run(self) -> None:
        """Until cancelled."""
        try:
            async for seen in self._bus.follow(keys.STATUS):
                if isinstance(seen, bus.Synced):
                    self._replace(seen.listing)
                else:
                    for event in seen.events:
                        self._take(event.key, event.value, seen.revision)
        finally:
            self._synced = False

    def _replace(self, listing: bus.Listing) -> None:
        self._histories += 1
        before, self._shards = self._shards, {}
        self._told.clear()
        for boxes in self._boxes.values():
            for box in boxes:
                box.forget_revisions()  # of another history, perhaps
        for item in listing.items:
            self._take(item.key, item, listing.revision)
        for name in self._boxes:
            for shard in set(before.get(name, ())) - set(self._shards.get(name, ())):
                self._post(name, f"{keys.STATUS}{shard}/{name}", None, listing.revision)
        self._synced = True

    def _take(self, key: str, value: bus.KeyValue | None, revision: int) -> None:
        """Note that the key exists or not, and tell who waits for it."""
        parts = key.removeprefix(keys.STATUS).split("/", 2)
        if len(parts) != 3:
            return
        shard, name = f"{parts[0]}/{parts[1]}", parts[2]
        known = self._shards.get(name, ())
        if value is not None and shard not in known:
            self._shards[name] = (*known, intern(shard))
            self._told[shard] += 1
        elif value is None and shard in known:
            self._shards[name] = tuple(s for s in known if s != shard)
            self._told[shard] -= 1
            if not self._shards[name]:
                del self._shards[name]
        if name in self._boxes:
            self._post(name, key, value, value.mod_revision if value else revision)

    def _post(self, name: str, key: str, value: bus.KeyValue | None, revision: int) -> None:
        found = keys.parse_status(key)
        if found is None:
            return
        believed = value is not None and len(value.value) <= status.MAX_REPORT
        for box in self._boxes[name]:
            box.post(found, value.value if value and believed else None, revision)

    async def _read_present(self, name: str, box: _Mailbox) -> None:
        """Values are not held here, so they are read; the watch may be ahead of the answer."""
        backoff = Backoff()
        history = self._histories
        for shard in self._shards.get(name, ()):
            key = f"{keys.STATUS}{shard}/{name}"
            found = keys.parse_status(key)
            while found is not None:
                try:
                    value = await self._bus.get(key)
                except BusError:
                    await backoff.wait()
                    continue
                if history != self._histories:
                    return  # the new listing has told it all
                if value is not None and len(value.value) <= status.MAX_REPORT:
                    box.post(found, value.value, value.mod_revision)
                break


def _shard(name: str) -> tuple[str, str]:
    controller, shard = name.split("/")
    return keys.text(controller), keys.text(shard)


class _Mailbox:
    """Newest value per key, in the order of first arrival."""

    def __init__(self) -> None:
        self._waiting: dict[keys.StatusKey, bytes | None] = {}
        self._revisions: dict[keys.StatusKey, int] = {}
        self._filled = asyncio.Event()

    def post(self, key: keys.StatusKey, value: bytes | None, revision: int) -> None:
        """`revision` is the bus's; an older one than was seen for this key is no news."""
        if revision <= self._revisions.get(key, 0):
            return
        self._revisions[key] = revision
        self._waiting[key] = value
        self._filled.set()

    def forget_revisions(self) -> None:
        self._revisions.clear()

    async def replies(self) -> AsyncIterator[Reply]:
        while True:
            await self._filled.wait()
            self._filled.clear()
            while self._waiting:
                key = next(iter(self._waiting))
                yield key, self._waiting.pop(key)
