"""The feed of one process: a tail of the journal while anybody watches, and everyone told of what it finds.

In: commits of this process (`notify`), a look now and then for those of others, watchers. Out: each watcher's lines.
Invariant: a watcher is told every change after its token, in the order of revisions, or that it cannot be.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Hashable, Sequence
from contextlib import suppress

import structlog

from gluon import errors
from gluon.objects import journal
from gluon.spi import store
from gluon.watch import backlog, preparing, tokens, told
from gluon.watch.interest import Interest, Place
from gluon.watch.kinds import Kind, Kinds
from gluon.watch.ring import Ring
from gluon.watch.settings import Settings
from gluon.watch.told import ANY, Told
from gluon.watch.watcher import End, Watcher

log = structlog.get_logger(__name__)

_ROWS = 500
_PREFILLED = 1000
"""Revisions that a new ring has at once: clients come back after a restart, and few of them need the journal then."""
_TICK = 1.0
_BREATH = 0.005
"""Seconds for which nothing else runs while changes are told."""
_AGAIN = 1.0
"""Seconds between two tries to read a journal that is away."""
_NOW = 0.05
"""Seconds for which a token of lists is given again, where nothing is committed by this process."""


class Feed:
    """`watcher.History`, too."""

    def __init__(self, database: store.Store, kinds: Kinds, settings: Settings | None = None) -> None:
        self.settings = settings or Settings()
        self.head = 0
        self.batch = 0
        self.cuts = 0
        """Watchers that were too slow."""
        self._store = database
        self._kinds = kinds
        self._models = kinds.models
        self._rules = kinds.rules
        self._incarnation = ""
        self._ring = Ring()
        self._all: set[Watcher] = set()
        self._index: dict[tuple[str, str] | None, dict[Hashable, set[Watcher]]] = {}
        self._running = False
        self._stopped = False
        self._woken = asyncio.Event()
        self._wanted = asyncio.Event()
        self._known: frozenset[Kind] = frozenset()
        self._now: tokens.Token | None = None
        self._now_until = 0.0
        self._asking: asyncio.Task[tokens.Token] | None = None
        self._reading = asyncio.Semaphore(4)

    # -- for others ----------------------------------------------------------------------------

    @property
    def first(self) -> int:
        return self._ring.first

    @property
    def watchers(self) -> int:
        return len(self._all)

    def notify(self) -> None:
        """This process has committed something."""
        self._now_until = 0.0
        if self._all:
            self._woken.set()

    async def now(self) -> str:
        """A token of this moment or one shortly before: all that is committed later comes after it."""
        models = self._kinds.models  # before the position: what was committed under others is behind it
        if self._now is None or time.monotonic() >= self._now_until or self._now.models != models:
            if self._asking is None or self._asking.done():
                self._asking = asyncio.create_task(self._ask(models), name="watch-token")
            return str(await asyncio.shield(self._asking))
        return str(self._now)

    async def _ask(self, models: str) -> tokens.Token:
        until = self._now_until = time.monotonic() + _NOW
        position = await self._store.position()
        found = tokens.Token(position.incarnation, position.revision, models)
        if self._now_until == until:  # nothing was committed here meanwhile
            self._now = found
        return found

    def token(self, revision: int) -> str:
        return f"{self._incarnation}.{revision}.{self._models}"

    async def open(self, interest: Interest, since: tokens.Token | None) -> Watcher:
        """A watcher from now on, or from where a token says. Raises `Expired`, `Unavailable`."""
        if self._stopped or len(self._all) >= self.settings.watchers:
            raise errors.Unavailable(
                "the server is shutting down" if self._stopped else "too many watch already"
            )
        if since is None or not self._knows(since):
            position = await self._store.position()
            if since is not None:
                if since.models != self._kinds.models:
                    await self._kinds.renew()
                backlog.check(since, position, self._kinds.models)
            self._begin(position)
            after = position.revision if since is None else since.revision
        else:
            after = since.revision
        only = interest.only
        if only is not None and self._kinds.find(only.api, only.name) is not only:
            raise errors.StaleModel("the model was replaced meanwhile")
        watcher = Watcher(interest, self, after, limit=self.settings.waiting)
        self._all.add(watcher)
        self._wanted.set()
        return watcher

    def close(self, watcher: Watcher) -> None:
        """It is told nothing more; called once."""
        self.cuts += watcher.slow
        self._all.discard(watcher)
        self._take_out(watcher)

    def end(self) -> None:
        """Everyone hears that the server stops."""
        self._stopped = True
        for watcher in self._all:
            watcher.cut(
                End.STOPPING, "the server stops; go on from the token at another one, or at this one soon"
            )

    async def chunks(self, watcher: Watcher) -> AsyncGenerator[bytes, None]:
        """All that a watcher is told, until its end."""
        yield told.bookmark(watcher.interest.shape, self.token(watcher.after), watcher.after)
        reader = backlog.Backlog(self._store, self._ring, self._prepare, self._reading)
        while not watcher.live and not watcher.cut_off:
            try:
                piece = await reader.more(watcher.interest, self._place(watcher.after))
            except errors.Expired as gone:
                watcher.cut(End.EXPIRED, str(gone))
                break
            except errors.Unavailable:
                await asyncio.sleep(_AGAIN)
                yield told.bookmark(watcher.interest.shape, self.token(watcher.after), watcher.after)
                continue
            watcher.after = max(watcher.after, piece.after)
            if piece.complete and not watcher.cut_off:
                self._join(watcher)
            if piece.text:
                yield piece.text
        more = True
        while more:
            await watcher.wait()
            text, more = watcher.take()
            if text:
                yield text

    # -- the tail ------------------------------------------------------------------------------

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._wanted.wait()
            ticking = asyncio.create_task(self._tick(), name="watch-ticks")
            try:
                await self._follow()
            finally:
                ticking.cancel()
            self._running = False
            self._wanted.clear()

    def _begin(self, position: journal.Position) -> None:
        """A ring of what is newest, where there is none."""
        if self._running:
            return
        self._running = True
        self._incarnation, self._models = position.incarnation, self._kinds.models
        self._known = frozenset(self._kinds.all())
        self.head = (
            max(position.oldest - 1, position.revision - _PREFILLED) if position.oldest else position.revision
        )
        self._ring.begin(self.head)
        self._wanted.set()

    async def _follow(self) -> None:
        loop = asyncio.get_running_loop()
        looked = alone = loop.time()
        while True:
            self._woken.clear()
            began = loop.time()
            try:
                entries = await self._store.tail(self.head, limit=_ROWS)
                if began - looked >= self.settings.check:
                    looked = began
                    if not self._still_true(await self._store.position()):
                        continue
                if entries:
                    await self._tell(entries)
            except errors.Unavailable as away:
                log.warning("watchers wait for the database", reason=str(away))
                looked = 0.0
                await asyncio.sleep(0.5)
                continue
            if self._all:
                alone = loop.time()
            elif loop.time() - alone > self.settings.idle:
                return
            if len(entries) < _ROWS:
                await self._wait(began + self.settings.gather - loop.time())

    async def _wait(self, gather: float) -> None:
        """For the next look; never sooner than it is worth one."""
        if gather > 0:
            await asyncio.sleep(gather)
        with suppress(TimeoutError):
            async with asyncio.timeout(self.settings.look - self.settings.gather):
                await self._woken.wait()

    async def _tell(self, entries: Sequence[journal.Entry]) -> None:
        await self._kinds.renew()
        changes = await self._changes(entries)
        self.batch = self._ring.next
        revision, began = self.head, time.monotonic()
        for change in changes:
            if change.revision != revision:
                if time.monotonic() - began > _BREATH:  # others have a turn; only between two units
                    self.head = revision
                    self._drop_late()
                    await asyncio.sleep(0)
                    began = time.monotonic()
                revision = change.revision
            self._ring.add(change)
            for watcher in self._concerned(change):
                watcher.offer(change)
        self.head = entries[-1].revision
        self._drop_late()

    def _drop_late(self) -> None:
        """What the ring has forgotten must not live on with who has not taken it."""
        first = self._ring.first
        for watcher in self._all:
            behind = watcher.behind
            if behind is not None and behind < first:
                watcher.cut(
                    End.SLOW, "the server forgets what this client has not taken: it reads too slowly"
                )

    async def _changes(self, entries: Sequence[journal.Entry]) -> Sequence[Told]:
        """Of the models as they are when it returns. What cannot be told must not stop what comes after it."""
        while True:
            self._look_at_models()
            try:
                changes = await self._prepare(entries)
            except errors.Unavailable:
                raise
            except Exception:  # a mistake of ours, or a database that somebody has written to
                log.exception("changes cannot be told", revision=entries[0].revision)
                self._expire(list(self._all), f"changes cannot be told; {tokens.LIST_AGAIN}")
                self._ring.begin(entries[-1].revision)
                return ()
            if self._kinds.models == self._models:
                return changes

    async def _prepare(self, entries: Sequence[journal.Entry]) -> list[Told]:
        return await preparing.prepare(entries, self._kinds, self.token)

    def _concerned(self, change: Told) -> set[Watcher]:
        found: set[Watcher] = set()
        for kind in ((change.kind.api, change.kind.name), None):
            by_project = self._index.get(kind)
            if by_project:
                for project in (ANY, change.after, change.before):
                    some = by_project.get(project)
                    if some:
                        found |= some
        return found

    # -- who is told ---------------------------------------------------------------------------

    def _knows(self, since: tokens.Token) -> bool:
        """Whether a watcher can go on from there without a look at the database."""
        return (
            self._running
            and (since.incarnation, since.models) == (self._incarnation, self._models)
            and self._ring.floor <= since.revision <= self.head
        )

    def _place(self, revision: int) -> tokens.Token:
        return tokens.Token(self._incarnation, revision, self._models)

    def _join(self, watcher: Watcher) -> None:
        watcher.live = True
        self._put_in(watcher, watcher.interest.places(self._kinds.all()))

    def _put_in(self, watcher: Watcher, places: frozenset[Place]) -> None:
        watcher.places = places
        for kind, project in places:
            self._index.setdefault(kind, {}).setdefault(project, set()).add(watcher)

    def _take_out(self, watcher: Watcher) -> None:
        for kind, project in watcher.places:
            by_project = self._index[kind]
            by_project[project].discard(watcher)
            if not by_project[project]:
                del by_project[project]
        watcher.places = frozenset()

    # -- what ends streams ---------------------------------------------------------------------

    def _still_true(self, position: journal.Position) -> bool:
        """Whether history is what it was; otherwise everyone has to list again."""
        if position.incarnation == self._incarnation and position.revision >= self.head:
            return True
        log.warning("history is another one: all watchers list again", incarnation=position.incarnation)
        self._expire(list(self._all), f"the database has another history now; {tokens.LIST_AGAIN}")
        self._running = False
        self._begin(position)
        return False

    def _look_at_models(self) -> None:
        """Objects of a model that was replaced may have changed without an entry; who may see what may be another."""
        if self._kinds.rules is not self._rules:
            self._rules = self._kinds.rules
            for watcher in self._all:
                if watcher.interest.ruled:
                    watcher.cut(End.RENEW, "rules were replaced: open the stream again")
        if self._kinds.models == self._models:
            return
        self._models = self._kinds.models
        self._ring.begin(self.head)
        there = frozenset(self._kinds.all())
        gone, self._known = self._known - there, there
        self._expire(
            [w for w in self._all if w.interest.loses(gone)], f"a model was replaced; {tokens.LIST_AGAIN}"
        )
        for watcher in self._all:
            if watcher.live:
                self._take_out(watcher)
                self._put_in(watcher, watcher.interest.places(there))

    def _expire(self, watchers: Sequence[Watcher], why: str) -> None:
        for watcher in watchers:
            watcher.cut(End.EXPIRED, why)

    async def _tick(self) -> None:
        """Bookmarks, heartbeats, and the end of who listens no more."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(_TICK)
            self._look_at_models()
            now = loop.time()
            lines: dict[tuple[told.Shape, int], bytes] = {}
            for watcher in list(self._all):
                if watcher.ended is not None:
                    patience = self.settings.farewell if self._stopped else self.settings.patience
                    if now - watcher.ended > patience and watcher.abort is not None:
                        watcher.abort()
                elif watcher.live and watcher.behind is None:
                    self._mark(watcher, now, lines)

    def _mark(self, watcher: Watcher, now: float, lines: dict[tuple[told.Shape, int], bytes]) -> None:
        reached, silent = watcher.reached, now - watcher.spoke
        if now - watcher.born > self.settings.lifetime:
            watcher.cut(End.RENEW, "the stream is old: open it again, and be admitted again")
        elif silent >= (self.settings.bookmark if reached > watcher.marked else self.settings.heartbeat):
            key = (watcher.interest.shape, reached)
            if key not in lines:
                lines[key] = told.bookmark(watcher.interest.shape, self.token(reached), reached)
            watcher.marked = reached
            watcher.mark(lines[key])
