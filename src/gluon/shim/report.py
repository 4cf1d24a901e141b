"""Replies and statuses into etcd, while this shard leads.

In: answers of `binder`, statuses of `reconcile` (which call objects as the backend does; here they are called as
in etcd), what etcd holds under our prefix. Out: Txns, each
only if the lead key is ours and, for a reply, the binding is the one that was acted on. Invariants:
a value is written only if it differs from what etcd holds; one Txn a key is under way at a time;
replies go at once, those of one moment together; other statuses gather behind them. Nothing is leased.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import suppress
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
_MOST_REPLIES = 32
"""In one Txn: who waits for the first of them waits for the last."""


class _Held:
    """One of our keys as etcd has it."""

    __slots__ = ("_report", "mod_revision", "value")

    def __init__(self, value: bytes, mod_revision: int) -> None:
        self.value = value
        self.mod_revision = mod_revision
        self._report: status.Report | None = None

    @property
    def report(self) -> status.Report | None:
        """Decoded at first use."""
        if self._report is None:
            # What cannot be read differs from all that we would write, so it is replaced.
            with suppress(ValueError):
                self._report = status.decode_report(self.value)
        return self._report


class Reporter:
    """Writes the status keys of one shard while it leads."""

    def __init__(
        self,
        bus: Bus,
        cache: Cache,
        *,
        controller: str,
        shard: str,
        pace: Pace,
        stats: Stats,
        unsaid: Callable[[frozenset[Ref]], None] = lambda refs: None,
    ) -> None:
        """`unsaid` is told of what etcd holds after a break in its history, and we said nothing of."""
        self._bus = bus
        self._cache = cache
        self.lead: Leadership | None = None
        self._controller = controller
        self._shard = shard
        self._pace = pace
        self._stats = stats
        self._unsaid = unsaid
        self._held: dict[Ref, _Held] = {}
        self._entries: dict[Ref, said.Entry] = {}
        self._urgent: dict[Ref, None] = {}
        self._later: dict[Ref, None] = {}
        self._alone: set[Ref] = set()  # of Txns that were refused for one of them
        self._under_way: set[Ref] = set()
        self._sending = {True: 0, False: 0}  # Txns under way, by whether they are of replies
        self._next_batch = 0.0
        self._pumping: asyncio.Handle | None = None
        self._gathering: asyncio.TimerHandle | None = None
        self._backoff = Backoff(pace, lambda: asyncio.get_running_loop().time())
        self._paused = False
        self._group: asyncio.TaskGroup | None = None
        self._ready = asyncio.Event()

    async def run(self) -> None:
        """Follow our own keys, and write, for ever."""
        prefix = keys.status_prefix(self._controller, self._shard)
        async with asyncio.TaskGroup() as group:
            self._group = group
            try:
                async for item in self._bus.follow(prefix):
                    self._see(item)
                    self._ready.set()
                    self._pump()
            finally:
                self._group = None  # while the last Txns end, the cache may still tell of changes
                if self._gathering is not None:
                    self._gathering.cancel()

    def begin(self, lead: Leadership | None) -> None:
        """Write under this leadership from now on; None: wait for the next."""
        self.lead = lead
        self._paused = False
        self._alone.clear()
        for ref in list(self._entries):
            self._mark(ref)
        self._pump()

    @property
    def idle(self) -> bool:
        """Whether all that is to be said has been written."""
        return not (self._urgent or self._later or self._under_way)

    @property
    def replying(self) -> bool:
        """Whether a reply is on its way."""
        return self._sending[True] > 0 or bool(self._urgent)

    async def wait_ready(self) -> None:
        """Return once it is known what etcd holds."""
        await self._ready.wait()

    def known(self) -> Iterator[Ref]:
        """The objects of which something is said, now or in etcd; some of them twice."""
        return map(self._cache.shown_ref, (*self._held, *self._entries))

    def observed(self, ref: Ref) -> int:
        """The revision that was last acted on, as far as was said; 0: none."""
        held = self._held.get(self._cache.stored_ref(ref))
        before = held.report if held else None
        return before.observed_revision if before else 0

    def replied(self, ref: Ref, host: str) -> status.BindingReport | None:
        """The answer that etcd holds for a binding."""
        held = self._held.get(self._cache.stored_ref(ref))
        before = held.report if held else None
        return before.bindings.get(host) if before else None

    def answer(self, ref: Ref, host: str, reply: said.Reply) -> None:
        """This is the reply to the wanted binding of `ref` to `host`."""
        ref = self._cache.stored_ref(ref)
        entry = self._entries.setdefault(ref, said.Entry())
        if entry.replies.get(host) != reply:
            entry.replies[host] = reply
            entry.made = None
            self._mark(ref)

    def settle(self, ref: Ref, word: said.Said | None, hosts: Collection[str]) -> None:
        """What the backend says now; replies for other hosts than `hosts` go."""
        ref = self._cache.stored_ref(ref)
        entry = self._entries.get(ref)
        if entry is None:
            if word is None and ref not in self._held:
                return
            entry = self._entries[ref] = said.Entry()
        if entry.written and entry.settled and entry.said == word and entry.replies.keys() <= set(hosts):
            return
        for host in [h for h in entry.replies if h not in hosts]:
            del entry.replies[host]
        entry.said, entry.settled, entry.made = word, True, None
        self._mark(ref)

    def _shown(self, refs: Iterable[Ref]) -> frozenset[Ref]:
        return frozenset(self._cache.shown_ref(ref) for ref in refs)

    # What etcd holds.

    def _see(self, item: Synced | Watched) -> None:
        if isinstance(item, Synced):
            found = [(self._ref(kv.key), kv) for kv in item.listing.items]
            self._held = {ref: _Held(kv.value, kv.mod_revision) for ref, kv in found if ref is not None}
            for ref in list(self._entries):
                self._mark(ref)
            if unsaid := self._held.keys() - self._entries.keys():
                self._unsaid(self._shown(unsaid))
            return
        for event in item.events:
            named = self._ref(event.key)
            if named is not None:
                self._echo(named, event.value, item.revision)

    def _echo(self, ref: Ref, value: KeyValue | None, revision: int) -> None:
        """An event may be older than a write of ours that has been answered already."""
        held = self._held.get(ref)
        if value is None:
            if held is None or revision <= held.mod_revision:
                return
            del self._held[ref]
        elif held is None or value.mod_revision > held.mod_revision:
            self._held[ref] = _Held(value.value, value.mod_revision)
        else:
            return
        self._mark(ref)

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
        if entry.made is None or entry.made[0] is not held:
            found = said.report(entry, held.report if held else None)
            entry.made = held, said.encode(found) if found is not None else None
        return entry.made[1]

    def _differs(self, ref: Ref, wanted: bytes | None) -> bool:
        held = self._held.get(ref)
        return wanted != (held.value if held else None)

    def _mark(self, ref: Ref) -> None:
        entry = self._entries.get(ref)
        if entry is None:
            return
        entry.written = False
        if not self._differs(ref, self._wanted(ref)):
            entry.written = ref not in self._under_way
            self._tidy(ref)
            return
        if self._answers(ref, entry):
            self._later.pop(ref, None)
            self._urgent[ref] = None
        elif ref not in self._urgent:
            self._later[ref] = None
        if self._pumping is None and self._group is not None:
            # After all that came with it: what is known at once is said at once.
            self._pumping = asyncio.get_running_loop().call_soon(self._pump)

    def _answers(self, ref: Ref, entry: said.Entry) -> bool:
        """Whether somebody waits for this: a reply that etcd does not hold yet."""
        held = self._held.get(ref)
        before = held.report.bindings if held and held.report else {}
        return any(said.is_news(reply, before.get(host)) for host, reply in entry.replies.items())

    def _tidy(self, ref: Ref) -> None:
        """Nothing to say and nothing said: forget the object."""
        entry = self._entries.get(ref)
        if entry is None or ref in self._under_way:
            return
        if entry.settled and entry.said is None and not entry.replies and ref not in self._held:
            del self._entries[ref]

    def _pump(self) -> None:
        """Begin as many Txns as may be under way."""
        self._pumping = None
        if self._group is None or self.lead is None or self._paused or not self._ready.is_set():
            return
        while self._urgent and self._sending[True] < self._pace.replies:
            if not (refs := self._some(self._urgent, _MOST_REPLIES)):
                break
            self._sending[True] += 1
            self._group.create_task(self._send(refs, replies=True))
        while self._later and self._sending[False] < self._pace.batches and self._gathered():
            if not (refs := self._some(self._later, self._bus.max_ops)):
                break
            self._sending[False] += 1
            self._next_batch = asyncio.get_running_loop().time() + self._pace.gather
            self._group.create_task(self._send(refs, replies=False))

    def _gathered(self) -> bool:
        """Whether a batch may go: not soon after the last one, unless it is full."""
        loop = asyncio.get_running_loop()
        if len(self._later) >= self._bus.max_ops or loop.time() >= self._next_batch:
            return True
        if self._gathering is None:
            self._gathering = loop.call_at(self._next_batch, self._gathering_ends)
        return False

    def _gathering_ends(self) -> None:
        self._gathering = None
        self._next_batch = 0.0
        self._pump()

    def _some(self, waiting: dict[Ref, None], most: int) -> list[Ref]:
        """Take what goes into one Txn: the first ones of which none is under way."""
        free = list(islice((r for r in waiting if r not in self._under_way), most))
        if free and free[0] in self._alone:
            free = free[:1]
        refs = [ref for ref in free if ref not in self._alone] or free
        for ref in refs:
            del waiting[ref]
        self._alone.difference_update(refs)
        self._under_way.update(refs)
        return refs

    async def _send(self, refs: Collection[Ref], *, replies: bool) -> None:
        """One Txn of `_some`."""
        try:
            again = await self._write(refs)
        finally:
            self._sending[replies] -= 1
            self._under_way.difference_update(refs)
        self._done(refs, again=again)

    def _done(self, refs: Collection[Ref], *, again: bool) -> None:
        """Something new may have been said while the Txn was under way, or it could not be made.

        Of one that was refused each reply is tried by itself; the one for which it was waits for its new binding.
        """
        for ref in refs:
            if not again and self._replies(ref):
                if len(refs) == 1:
                    continue
                self._alone.add(ref)
            self._mark(ref)
        self._pump()

    def _replies(self, ref: Ref) -> bool:
        entry = self._entries.get(ref)
        return entry is not None and bool(entry.replies)

    async def _write(self, refs: Collection[Ref]) -> bool:
        """One Txn. False: it was refused, and must not be tried again as it is."""
        lead = self.lead
        if lead is None:
            return True
        changes: list[tuple[Ref, bytes | None]] = []
        compares = [Compare(key=lead.key, create_revision=lead.create_revision)]
        size = 0
        for ref in refs:
            wanted = self._wanted(ref)
            if not self._differs(ref, wanted):
                continue
            guards = self._guards(ref)
            size += len(wanted or b"")
            if changes and (size > _BATCH_BYTES or len(compares) + len(guards) > self._bus.max_ops):
                continue
            changes.append((ref, wanted))
            compares += guards
        if not changes:
            return True
        ops: list[Op] = [self._op(ref, wanted) for ref, wanted in changes]
        try:
            result = await self._bus.txn(compares, ops, (Get(key=lead.key),))
        except BusError as error:
            self._pause(error)
            return True
        self._backoff.clear(None)
        if not result.succeeded:
            self._refused(lead, result.values[0])
            return False
        for ref, wanted in changes:
            self._wrote(ref, wanted, result.revision)
        return True

    def _guards(self, ref: Ref) -> Sequence[Compare]:
        """The bindings that this report answers, as they were acted on."""
        return [
            Compare(key=keys.binding(ref.api, ref.key, host), mod_revision=reply.mod_revision)
            for host, reply in self._entries[ref].replies.items()
            if self._cache.binding_revision(ref, host)
        ]

    def _op(self, ref: Ref, wanted: bytes | None) -> Op:
        key = keys.status(self._controller, self._shard, ref.api, ref.object_type, ref.key)
        return Delete(key=key) if wanted is None else Put(key=key, value=wanted)

    def _wrote(self, ref: Ref, wanted: bytes | None, revision: int) -> None:
        entry = self._entries.get(ref)
        self._stats.statuses += 1
        if wanted is None:
            self._held.pop(ref, None)
        else:
            held = self._held[ref] = _Held(wanted, revision)
            self._stats.replies += bool(entry and entry.replies)
            if entry and entry.made and entry.made[1] is wanted:
                entry.made = held, wanted  # nothing else was said meanwhile

    def _refused(self, lead: Leadership, found: KeyValue | None) -> None:
        """A newer binding: its event is on the way and asks for a new reply. Or we do not lead."""
        self._stats.refused_writes += 1
        if self.lead is lead and (found is None or found.create_revision != lead.create_revision):
            self.lead = None
            log.info("a report was refused, another instance leads", shard=self._shard)

    def _pause(self, error: BusError) -> None:
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
