"""Follows etcd and keeps the world: objects, wanted bindings and models of some protons.

In: `bus.follow` of each prefix. Out: a `MemoryWorld` that is changed in place, and calls of
observers before and after each change (so that a backend is asked for scopes in both worlds). Objects
are held back while their model and they are not of one form (`proton`). Invariant: `complete` is true only while the world holds all that the publisher wrote: its cursor
is there, no resync is under way, and each prefix was read after that. An etcd that was wiped is
an empty world, but not a complete one, and one that was set back is none until the publisher has caught up (`history`).
Made by `engine`.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

import structlog

from gluon.errors import BusError
from gluon.objects import keys
from gluon.shim import changes, history, world
from gluon.shim.proton import Proton
from gluon.shim.settings import Pace
from gluon.spi.backend import Ref
from gluon.spi.bus import Bus, KeyValue, Synced, Watched

log = structlog.get_logger(__name__)

_CHUNK = 256
"""Keys of a listing that are handled between two chances for others on the event loop."""


class Observer(Protocol):
    """Called on the event loop; never waits."""

    def before(self, refs: frozenset[Ref]) -> None:
        """These objects (or bindings of these ports) are about to change."""

    def after(self, refs: frozenset[Ref]) -> None:
        """They have changed."""

    def completed(self) -> None:
        """The world became complete, or may have changed beyond what was told."""


class Cache:
    """The desired state of `apis`, as far as it concerns `controller`."""

    def __init__(
        self,
        bus: Bus,
        *,
        controller: str,
        apis: Mapping[str, Sequence[str]],
        pace: Pace,
        backend: str = "",
        secrets: Collection[str] = (),
    ) -> None:
        """`apis`: the versions that `backend` declared of each proton (none: all); `secrets`: those whose secrets it sees."""
        self._protons = {api: Proton(api, versions, backend) for api, versions in apis.items()}
        self.world = world.MemoryWorld(self._protons)
        self._held = changes.Held(self.world, controller, self._protons)
        self.models_changed = asyncio.Event()
        """Set after each change of a model; who waits for it clears it."""
        self._bus = bus
        self._pace = pace
        self._observers: list[Observer] = []
        prefixes = [p for a in apis for p in (keys.model(a), keys.proton_prefix(a), keys.binding_prefix(a))]
        prefixes += [keys.secret_prefix(api) for api in apis if api in secrets]
        self._streams = {prefix: _Stream(prefix) for prefix in prefixes}
        self._whole_since = math.inf
        self._cursor_made = 0
        self._history = history.History(pace.patience, self._believe)
        self._was_complete = False
        self._read = asyncio.Event()

    @property
    def complete(self) -> bool:
        """Whether the world holds all that was published; what the backend must not see apart."""
        read = all(s.revision >= self._whole_since for s in self._streams.values())
        return read and all(p.settled or p.refused for p in self._protons.values())

    @property
    def revision(self) -> float:
        """Up to this revision of the bus everything has been seen, as far as that is known."""
        return min(s.revision for s in self._streams.values())

    async def wait_read(self) -> None:
        """Return once each prefix has been read, complete or not."""
        await self._read.wait()

    def observe(self, observer: Observer) -> None:
        self._observers.append(observer)

    def forget(self, observer: Observer) -> None:
        """Tell it nothing any more, if it was told at all."""
        if observer in self._observers:
            self._observers.remove(observer)

    @property
    def refused(self) -> dict[str, str]:
        """Why the backend is not shown the objects of a proton, for those that it must not see."""
        return {api: p.refused for api, p in self._protons.items() if p.refused}

    def refusal(self, api: str) -> str:
        """The same of one proton; "" where it is shown."""
        proton = self._protons.get(api)
        return proton.refused if proton else ""

    def unseen(self) -> list[Ref]:
        """All objects in etcd that the backend must not see."""
        return [ref for p in self._protons.values() if p.refused for ref in p.refs()]

    def revision_of(self, ref: Ref) -> int | None:
        """Of an object in etcd, seen or not; None: there is none."""
        proton = self._protons.get(ref.api)
        return proton.revision(ref) if proton else None

    def stored_ref(self, ref: Ref) -> Ref:
        """What etcd calls an object of the world."""
        proton = self._protons.get(ref.api)
        return proton.stored_ref(ref) if proton else ref

    def shown_ref(self, ref: Ref) -> Ref:
        """What the world calls an object of etcd."""
        proton = self._protons.get(ref.api)
        return proton.shown_ref(ref) if proton else ref

    def binding_revision(self, ref: Ref, host: str) -> int:
        """The `mod_revision` in the bus of a wanted binding; 0: there is none."""
        return self._held.binding_revisions.get((ref.api, ref.key, host), 0)

    async def run(self) -> None:
        """Follow for ever."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._follow_cursor())
                for stream in self._streams.values():
                    group.create_task(self._keep_up(stream))
        finally:
            self._history.stop()

    # The publisher's cursor: is what we hold all there is?

    async def _follow_cursor(self) -> None:
        async for item in self._bus.follow(keys.RELAY_CURSOR):
            if isinstance(item, Synced):
                found = [kv for kv in item.listing.items if kv.key == keys.RELAY_CURSOR]
                self._saw_cursor(found[0] if found else None)
                continue
            for event in item.events:
                if event.key == keys.RELAY_CURSOR:
                    self._saw_cursor(event.value)
                    self._announce()
            self._announce()

    def _saw_cursor(self, cursor: KeyValue | None) -> None:
        before = self._whole_since
        if cursor is None or not is_whole(cursor.value):
            self._history.stop()
            self._whole_since = math.inf
        elif self._history.went_back(cursor):
            self._whole_since = math.inf
        elif math.isinf(self._whole_since) or cursor.create_revision != self._cursor_made:
            self._whole_since = cursor.mod_revision
        self._cursor_made = cursor.create_revision if cursor else 0
        if self._whole_since != before:
            for stream in self._streams.values():
                stream.look()

    def _believe(self, cursor: KeyValue) -> None:
        """Nobody brings what was there: so it is no more."""
        self._saw_cursor(cursor)
        self._announce()

    def _announce(self) -> None:
        now = self.complete
        if now and not self._was_complete:
            self._tell_completed()
        self._was_complete = now

    def _tell_completed(self) -> None:
        for observer in list(self._observers):
            observer.completed()

    # The prefixes.

    async def _keep_up(self, stream: _Stream) -> None:
        """Follow one prefix; begin anew where a resync made it lag without an event to show for it."""
        while True:
            following = asyncio.create_task(self._follow(stream))
            try:
                await self._lags(stream, following)
            finally:
                following.cancel()
                await asyncio.wait({following})
            if not following.cancelled():
                following.result()

    async def _lags(self, stream: _Stream, following: asyncio.Task[None]) -> None:
        while not following.done():
            looking = asyncio.create_task(stream.wait_look())
            try:
                await asyncio.wait({looking, following}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                looking.cancel()
            if self._behind(stream):
                await asyncio.wait({following}, timeout=self._pace.grace)
                if self._behind(stream):
                    return

    def _behind(self, stream: _Stream) -> bool:
        return stream.revision >= 0 and stream.revision < self._whole_since < math.inf

    async def _follow(self, stream: _Stream) -> None:
        async for item in self._bus.follow(stream.prefix):
            if isinstance(item, Synced):
                if stream.revision >= 0:
                    await self._check_cursor(item.listing.revision)
                await self._replace(stream, item)
                stream.revision = item.listing.revision
                if all(s.revision >= 0 for s in self._streams.values()):
                    self._read.set()
            else:
                self._apply(item)
                stream.revision = max(stream.revision, item.revision)
            if self._behind(stream):
                stream.look()
            self._announce()

    async def _check_cursor(self, revision: int) -> None:
        """History broke: before its listing is believed, see whether the publisher has filled it."""
        while True:
            try:
                cursor = await self._bus.get(keys.RELAY_CURSOR)
                break
            except BusError:
                self._whole_since = math.inf
                await asyncio.sleep(self._pace.first_wait)
        if cursor is not None and cursor.create_revision > revision:
            self._whole_since = math.inf
        self._saw_cursor(cursor)
        self._was_complete = False

    async def _replace(self, stream: _Stream, item: Synced) -> None:
        """Make the held part of the prefix what was listed, in steps."""
        listed = {kv.key for kv in item.listing.items}
        gone = [key for key in self._held.under(stream.prefix) if key not in listed]
        work: list[tuple[str, KeyValue | None]] = [(key, None) for key in gone]
        work += [(kv.key, kv) for kv in item.listing.items]
        for start in range(0, len(work), _CHUNK):
            self._change(work[start : start + _CHUNK])
            await asyncio.sleep(0)

    def _apply(self, watched: Watched) -> None:
        if watched.events:
            self._change([(event.key, event.value) for event in watched.events])

    def _change(self, pairs: Sequence[tuple[str, KeyValue | None]]) -> None:
        # Only the newest of each key: what is new in it is told by comparing with what is held.
        newest = dict(pairs)
        news = [
            change for key, value in newest.items() if (change := self._held.read(key, value)) is not None
        ]
        if not news:
            return
        edits = self._held.take(news)
        refs = frozenset(edits.refs)
        for observer in list(self._observers):
            observer.before(refs)
        self._held.apply(edits)
        for observer in list(self._observers):
            observer.after(refs)
        if any(change.is_model for change in news):
            self.models_changed.set()
        if edits.turned:
            self._tell_completed()


class _Stream:
    """One followed prefix: `revision` is up to where it is known, -1 before it was read."""

    __slots__ = ("_look", "prefix", "revision")

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self.revision: float = -1
        self._look = asyncio.Event()

    def look(self) -> None:
        self._look.set()

    async def wait_look(self) -> None:
        await self._look.wait()
        self._look.clear()


def is_whole(cursor: bytes) -> bool:
    """Whether the publisher's cursor says that etcd holds all: a resync marks it while it works."""
    return not cursor.rpartition(b".")[2].startswith(b"resync-")
