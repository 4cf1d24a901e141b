"""Replies and statuses into etcd, while this shard leads.

In: answers of `binder`, statuses of `reconcile`, what etcd holds under our prefix. Out: Txns, each
only if the lead key is ours and, for a reply, the binding is the one that was acted on. Invariants:
a value is written only if it differs from what etcd holds; one Txn a key is under way at a time;
replies go alone and at once, other statuses in batches behind them. Nothing is leased.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from itertools import islice

import structlog

from gluon.errors import BusError
from gluon.objects import keys, status
from gluon.shim import said
from gluon.shim.cache import Cache
from gluon.shim.queue import Backoff
from gluon.shim.settings import Pace, Stats
from gluon.spi.backend import Ref
from gluon.spi.bus import Bus, Compare, Delete, Get, KeyValue, Leadership, Op, Put, Synced, Watched

log = structlog.get_logger(__name__)

_BATCH_BYTES = 512 * 1024


@dataclass(slots=True)
class _Held:
    """One of our keys as etcd has it."""

    value: bytes
    mod_revision: int

    @property
    def report(self) -> status.Report | None:
        try:
            return status.decode_report(self.value)
        except ValueError:
            return None  # it differs from all that we would write, so it is replaced


class Reporter:
    """Writes the status keys of one shard under one leadership."""

    def __init__(
        self,
        bus: Bus,
        cache: Cache,
        lead: Leadership,
        *,
        controller: str,
        shard: str,
        pace: Pace,
        stats: Stats,
    ) -> None:
        self._bus = bus
        self._cache = cache
        self._lead = lead
        self._controller = controller
        self._shard = shard
        self._pace = pace
        self._stats = stats
        self._held: dict[Ref, _Held] = {}
        self._entries: dict[Ref, said.Entry] = {}
        self._urgent: dict[Ref, None] = {}
        self._later: dict[Ref, None] = {}
        self._under_way: set[Ref] = set()
        self._replying = self._batching = 0
        self._backoff = Backoff(pace, lambda: asyncio.get_running_loop().time())
        self._paused = False
        self._group: asyncio.TaskGroup | None = None
        self._ready = asyncio.Event()

    async def run(self) -> None:
        """Follow our own keys, and write, for ever."""
        prefix = keys.status_prefix(self._controller, self._shard)
        try:
            async with asyncio.TaskGroup() as group:
                self._group = group
                async for item in self._bus.follow(prefix):
                    self._see(item)
                    self._ready.set()
                    self._pump()
        finally:
            self._group = None

    async def wait_ready(self) -> None:
        """Return once it is known what etcd holds."""
        await self._ready.wait()

    def known(self) -> frozenset[Ref]:
        """The objects of which something is said, now or in etcd."""
        return frozenset(self._held) | frozenset(self._entries)

    def observed(self, ref: Ref) -> int:
        """The revision that was last acted on, as far as was said; 0: none."""
        held = self._held.get(ref)
        before = held.report if held else None
        return before.observed_revision if before else 0

    def replied(self, ref: Ref, host: str) -> status.BindingReport | None:
        """The answer that etcd holds for a binding."""
        held = self._held.get(ref)
        before = held.report if held else None
        return before.bindings.get(host) if before else None

    def answer(self, ref: Ref, host: str, reply: said.Reply) -> None:
        """This is the reply to the wanted binding of `ref` to `host`."""
        entry = self._entries.setdefault(ref, said.Entry())
        entry.replies[host] = reply
        self._mark(ref)

    def settle(self, ref: Ref, word: said.Said | None, hosts: Collection[str]) -> None:
        """What the backend says now; replies for other hosts than `hosts` go."""
        entry = self._entries.get(ref)
        if entry is None:
            if word is None and ref not in self._held:
                return
            entry = self._entries[ref] = said.Entry()
        for host in [h for h in entry.replies if h not in hosts]:
            del entry.replies[host]
        entry.said, entry.settled = word, True
        self._mark(ref)

    # What etcd holds.

    def _see(self, item: Synced | Watched) -> None:
        if isinstance(item, Synced):
            found = [(self._ref(kv.key), kv) for kv in item.listing.items]
            self._held = {ref: _Held(kv.value, kv.mod_revision) for ref, kv in found if ref is not None}
            touched: Iterable[Ref] = list(self.known())
        else:
            touched = [ref for e in item.events if (ref := self._ref(e.key)) is not None]
            for event in item.events:
                self._echo(self._ref(event.key), event.value, item.revision)
        for ref in touched:
            if ref in self._entries:
                self._mark(ref)

    def _echo(self, ref: Ref | None, value: KeyValue | None, revision: int) -> None:
        """An event may be older than a write of ours that has been answered already."""
        if ref is None:
            return
        held = self._held.get(ref)
        if value is not None:
            if held is None or value.mod_revision >= held.mod_revision:
                self._held[ref] = _Held(value.value, value.mod_revision)
        elif held is not None and revision > held.mod_revision:
            del self._held[ref]

    def _ref(self, key: str) -> Ref | None:
        found = keys.parse_status(key)
        return Ref(found.api, found.object_type, found.key) if found else None

    # Writing.

    def _wanted(self, ref: Ref) -> bytes | None:
        """The value to have; what etcd holds where there is nothing new to say."""
        held = self._held.get(ref)
        entry = self._entries.get(ref)
        if entry is None:
            return held.value if held else None
        found = said.report(entry, held.report if held else None, said.now())
        return said.encode(found) if found is not None else None

    def _differs(self, ref: Ref, wanted: bytes | None) -> bool:
        held = self._held.get(ref)
        return wanted != (held.value if held else None)

    def _mark(self, ref: Ref) -> None:
        if not self._differs(ref, self._wanted(ref)):
            self._tidy(ref)
            return
        entry = self._entries[ref]
        (self._urgent if entry.replies else self._later)[ref] = None
        self._pump()

    def _tidy(self, ref: Ref) -> None:
        """Nothing to say and nothing said: forget the object."""
        entry = self._entries.get(ref)
        if entry and entry.settled and entry.said is None and not entry.replies and ref not in self._held:
            del self._entries[ref]

    def _pump(self) -> None:
        """Begin as many Txns as may be under way."""
        if self._group is None or self._paused or not self._ready.is_set():
            return
        room = self._pace.replies - self._replying
        free = (ref for ref in self._urgent if ref not in self._under_way)
        for ref in list(islice(free, room)) if room > 0 else ():
            del self._urgent[ref]
            self._replying += 1
            self._under_way.add(ref)
            self._group.create_task(self._reply(ref))
        while self._batching < self._pace.batches:
            idle = (r for r in self._later if r not in self._under_way and r not in self._urgent)
            batch = list(islice(idle, self._bus.max_ops))
            if not batch:
                break
            for ref in batch:
                del self._later[ref]
            self._batching += 1
            self._under_way.update(batch)
            self._group.create_task(self._batch(batch))

    async def _reply(self, ref: Ref) -> None:
        try:
            await self._write((ref,))
        finally:
            self._replying -= 1
            self._under_way.discard(ref)
        self._pump()

    async def _batch(self, refs: Collection[Ref]) -> None:
        try:
            await self._write(refs)
        finally:
            self._batching -= 1
            self._under_way.difference_update(refs)
        self._pump()

    async def _write(self, refs: Collection[Ref]) -> None:
        """One Txn; whatever it could not do comes back as a mark."""
        changes: list[tuple[Ref, bytes | None]] = []
        compares = [Compare(key=self._lead.key, create_revision=self._lead.create_revision)]
        size = 0
        for ref in refs:
            wanted = self._wanted(ref)
            if not self._differs(ref, wanted):
                continue
            size += len(wanted or b"")
            if changes and size > _BATCH_BYTES:
                self._later[ref] = None
                continue
            changes.append((ref, wanted))
            compares += self._guards(ref)
        if not changes:
            return
        ops: list[Op] = [self._op(ref, wanted) for ref, wanted in changes]
        try:
            result = await self._bus.txn(compares, ops, (Get(key=self._lead.key),))
        except BusError as error:
            self._pause(error, [ref for ref, _ in changes])
            return
        self._backoff.clear(None)
        if not result.succeeded:
            self._refused(result.values[0])
            return
        for ref, wanted in changes:
            self._wrote(ref, wanted, result.revision)

    def _guards(self, ref: Ref) -> Iterable[Compare]:
        """The bindings that this report answers, as they were acted on."""
        for host, reply in self._entries[ref].replies.items():
            if self._cache.binding_revision(ref, host):
                key = keys.binding(ref.api, ref.key, host)
                yield Compare(key=key, mod_revision=reply.mod_revision)

    def _op(self, ref: Ref, wanted: bytes | None) -> Op:
        key = keys.status(self._controller, self._shard, ref.api, ref.object_type, ref.key)
        return Delete(key=key) if wanted is None else Put(key=key, value=wanted)

    def _wrote(self, ref: Ref, wanted: bytes | None, revision: int) -> None:
        entry = self._entries.get(ref)
        self._stats.statuses += 1
        if wanted is None:
            self._held.pop(ref, None)
        else:
            self._held[ref] = _Held(wanted, revision)
            self._stats.replies += bool(entry and entry.replies)
        # Something new may have been said while the Txn was under way.
        self._mark(ref)

    def _refused(self, lead: KeyValue | None) -> None:
        """A newer binding: its event is on the way and asks for a new reply. Or we do not lead."""
        self._stats.refused_writes += 1
        if lead is None or lead.create_revision != self._lead.create_revision:
            self._paused = True
            log.info("a report was refused, another instance leads", shard=self._shard)

    def _pause(self, error: BusError, refs: Iterable[Ref]) -> None:
        for ref in refs:
            (self._urgent if self._entries[ref].replies else self._later)[ref] = None
        if self._paused:
            return
        log.warning("cannot report, trying again", shard=self._shard, reason=str(error))
        self._backoff.fail(None)
        self._paused = True
        loop = asyncio.get_running_loop()
        loop.call_at(self._backoff.due(None), self._resume)

    def _resume(self) -> None:
        self._paused = False
        self._pump()
