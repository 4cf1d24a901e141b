"""The relay: the journal in order into etcd, each Txn only if the cursor is the one read before.

In: intent entries after the cursor, wakes, a look each second. Out: keys and values under the
projection's prefixes, and the cursor. Invariants: in one Txn with its content the cursor moves on,
so of two relays the one behind is refused and nothing old ever covers something new; an entry is published
as of the models under which it was committed, and other models begin with a resync. Run by the
leader; whatever goes wrong, `run` is called again and begins by judging the cursor it finds.
"""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Protocol

import structlog

from gluon.errors import GluonError
from gluon.objects import journal, keys
from gluon.publisher import apart, batches, cursor, lanes, resync
from gluon.publisher.stats import Stats
from gluon.spi import bus, projection, store

log = structlog.get_logger(__name__)

_ROWS = 2000
"""Journal rows per read: some Txns' worth, and twice the largest unit."""
_FEW = 500
"""So few are all there are: a read that its limit cuts before a large unit returns more."""
_LOOK = 1.0
_ADVANCE = 60.0
_LINGER = ((80, 0.025), (40, 0.012), (8, 0.006), (1, 0.002))
"""Under load a moment's wait makes fewer, larger Txns, whose number is what costs: after a read of
so many entries, so many seconds. A lone write never waits, one that comes just after another a little, and the longest begins at some 2,000 units of two
entries a second, and ends below 1,300."""


class Models(Protocol):
    """Which models the projection is of. An entry's form is that of the models when it was committed."""

    @property
    def shown(self) -> object:
        """Another object after each change of what the projection is of."""

    async def renew(self, epoch: int | None = None) -> None:
        """Let it be of the models that the database has; `epoch`: the schema's, where it was just read."""


class _Fixed:
    """Models that never change."""

    shown: object = None

    async def renew(self, epoch: int | None = None) -> None:
        return


class Replaced(GluonError):
    """Publishing has to begin anew, of other models."""


class Overtaken(GluonError):
    """The cursor in etcd is not the one we read: another relay leads, or etcd went back."""


class Relay:
    """One relay. `on_rebase` runs whenever the history that etcd has seen is not the database's."""

    def __init__(
        self,
        *,
        database: store.Store,
        target: bus.Bus,
        picture: projection.Projection,
        on_rebase: Callable[[], Awaitable[None]],
        stats: Stats,
        models: Models | None = None,
    ) -> None:
        self._store = database
        self._bus = target
        self._picture = picture
        self._models = models or _Fixed()
        self._published: object = None
        """The models of which etcd is since the last resync."""
        self._on_rebase = on_rebase
        self._stats = stats
        self._limits = batches.Limits.of(target)
        self._ahead = apart.Ahead()
        self._woken = asyncio.Event()
        self._reached: cursor.Cursor | None = None
        self._seen = 0
        self.told: Callable[[Sequence[journal.Entry], float], None] | None = None
        """Who traces hears of what was published, and since when (seconds since 1970) that took."""

    @property
    def reached(self) -> cursor.Cursor | None:
        """The last one that etcd confirmed to us; None until `run` has found its place."""
        return self._reached

    def notify(self) -> None:
        """There is something new in the journal."""
        self._woken.set()

    async def run(self) -> None:
        """Until cancelled. Raises `Overtaken`, `BusError`, `Unavailable`: then call it again."""
        try:
            while True:
                self._reached = None
                try:
                    await self._relay(await self._begin())
                except Replaced:
                    continue
        except GluonError:
            self._stats.behind()
            raise

    # -- finding the place ---------------------------------------------------------------------

    async def _begin(self) -> cursor.Cursor:
        """The cursor to go on from, once etcd holds what it says."""
        self._seen = 0
        await self._models.renew()
        self._published = self._models.shown
        value, request = await self._read()
        found = cursor.parse(value.value) if value else None
        verdict, reason = await self._judge(found)
        if verdict is cursor.Verdict.GO_ON and request is None:
            assert found is not None
            if await self._has_constants():
                return found
            reason = "models"
        log.info(
            "etcd needs a resync", verdict=verdict, cursor=value and value.value.decode(errors="replace")
        )
        if verdict is cursor.Verdict.REBASE:
            await self._rebase(value)
        if verdict in {cursor.Verdict.REBASE, cursor.Verdict.NEW_HISTORY}:
            # Also after a crash between the rebase and its hook: until a resync has begun, the
            # cursor in etcd names the old incarnation. The hook may run more than once.
            await self._on_rebase()
        self._stats.behind()
        job = resync.Resync(
            self._store,
            self._bus,
            self._picture,
            limits=self._limits,
            stats=self._stats,
            renew=self._renew_models,
            check=self._check_models,
        )
        try:
            return await job.run(value, reason=reason, request=request)
        except lanes.Refused as error:
            raise self._overtaken(str(error)) from error

    async def _read(self) -> tuple[bus.KeyValue | None, bus.KeyValue | None]:
        """The cursor and the request for a resync, of one moment."""
        result = await self._bus.txn((), (bus.Get(key=keys.RELAY_CURSOR), bus.Get(key=keys.RELAY_RESYNC)))
        if result.revision < self._seen:
            raise self._overtaken("etcd went back to an older state")
        value, request = result.values
        return value, request

    async def _judge(self, found: cursor.Cursor | None) -> tuple[cursor.Verdict, str]:
        entries = await self._store.entry(found.revision) if found else ()
        position = await self._store.position()
        self._stats.position = position.revision
        verdict = cursor.judge(found, entries, position)
        if verdict is not cursor.Verdict.RESYNC:
            return verdict, "asked" if verdict is cursor.Verdict.GO_ON else str(verdict)
        if found is None:
            return verdict, "missing"
        return verdict, "interrupted" if found.resync or found.ahead else "trimmed"

    async def _rebase(self, value: bus.KeyValue | None) -> None:
        """Only if etcd still shows what was judged: another relay may have cured it meanwhile."""
        again, _ = await self._read()
        if again is None or value is None or again.value != value.value:
            raise self._overtaken("the cursor changed while the database was compared with it")
        found = cursor.parse(again.value)
        assert found is not None
        position = await self._store.rebase(beyond=found.revision)
        self._stats.rebases += 1
        log.warning(
            "the database has lost what etcd has seen: new incarnation",
            cursor=again.value.decode(),
            incarnation=position.incarnation,
            revision=position.revision,
        )

    async def _has_constants(self) -> bool:
        """Whether etcd has the models that are shown, and no others: what is in it has their form then."""
        wanted = dict(self._picture.constant())
        listing = await self._bus.list(keys.MODEL)
        return {item.key: item.value for item in listing.items} == wanted

    async def _renew_models(self, epoch: int | None = None) -> None:
        """Raises `Replaced` if the database has other models than those with which publishing began."""
        await self._models.renew(epoch)
        self._check_models()

    def _check_models(self) -> None:
        """The same, of those that the picture shows."""
        if self._models.shown is not self._published:
            raise Replaced("the models were replaced")

    # -- going on ------------------------------------------------------------------------------

    async def _relay(self, current: cursor.Cursor) -> None:
        """Publish until etcd's cursor or the database's history is not what it was."""
        loop = asyncio.get_running_loop()
        self._ahead = apart.Ahead()
        self._confirm(current)
        looked = advanced = loop.time()
        while True:
            self._woken.clear()
            entries, epoch = await self._store.tail_and_epoch(current.revision, limit=_ROWS)
            parts = await apart.read(self._store, self._picture, entries)
            # All of it was committed under these models, or they are others by now. Rows were read after the entries.
            await self._renew_models(None if parts.any else epoch)
            if loop.time() - looked >= _LOOK:
                # After the read and before publishing it: what was read is of this history.
                if not await self._still_true(current):
                    return
                looked = loop.time()
                if not entries and looked - advanced >= _ADVANCE:
                    current = await self._advance(current)
                    advanced = looked
            if entries:
                current = await self._publish(current, entries, parts)
            elif self._ahead:
                return  # the entries that made those rows are gone: the database went back
            else:
                self._stats.caught_up()
            if len(entries) < _FEW:
                # What is committed from now on, or was since that read, has woken us or will.
                await asyncio.sleep(next((pause for many, pause in _LINGER if len(entries) >= many), 0))
                await self._wait(looked + _LOOK - loop.time())

    async def _wait(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(max(seconds, 0.0)):
                await self._woken.wait()
        except TimeoutError:
            return

    async def _publish(
        self, current: cursor.Cursor, entries: Sequence[journal.Entry], parts: apart.Apart
    ) -> cursor.Cursor:
        began = time.time()
        self._stats.behind(_moment(entries[0].at))
        self._stats.position = max(self._stats.position, entries[-1].revision)
        self._ahead.expect(entries, parts)
        for batch in batches.plan(entries, parts, self._limits):
            current = await self._send(current, batch)
            await asyncio.sleep(0)  # a bus in this process made no one wait, and others have their turn
            self._check_models()  # the next batch is made when it is asked for
        self._stats.entries += len(entries)
        self._stats.caught_up()
        if self.told is not None:
            self.told(entries, began)
        return current

    async def _send(self, current: cursor.Cursor, batch: batches.Batch) -> cursor.Cursor:
        """One Txn. Returns the cursor after it."""
        reached = current
        ops = batch.ops
        if batch.last is not None:
            self._ahead.reach(batch.last.revision)
            reached = cursor.Cursor(
                incarnation=current.incarnation,
                revision=batch.last.revision,
                digest=cursor.digest_of(batch.last),
                # Should this revision be lost before its last part, etcd must not pass for whole.
                resync="" if batch.whole else f"{cursor.PART}{batch.part}",
                ahead=bool(self._ahead),
            )
            ops.append(bus.Put(key=keys.RELAY_CURSOR, value=reached.encode()))
        began = time.monotonic()
        result = await self._bus.txn(
            (bus.Compare(key=keys.RELAY_CURSOR, value=current.encode()),),
            ops,
            (bus.Get(key=keys.RELAY_CURSOR),),
        )
        if not result.succeeded:
            there = result.values[0]
            raise self._overtaken(
                f"etcd has {there.value.decode(errors='replace') if there else 'no cursor'}"
            )
        self._seen = result.revision
        self._stats.sent(time.monotonic() - began, len(batch.changes))
        self._confirm(reached)
        return reached

    async def _still_true(self, current: cursor.Cursor) -> bool:
        """Is etcd's cursor ours, does the journal hold it, and does nobody ask for a resync?"""
        value, request = await self._read()
        if request is not None or value is None or value.value != current.encode():
            return False
        # What is ahead is known here, and looked after.
        verdict, reason = await self._judge(dataclasses.replace(current, ahead=False))
        # Of a revision without a row nothing more can be known, and we have followed from there.
        unknowable = current.digest == cursor.NO_ROW and reason == "trimmed"
        return verdict is cursor.Verdict.GO_ON or unknowable

    async def _advance(self, current: cursor.Cursor) -> cursor.Cursor:
        """Move over entries that are not intent, so that trimming may follow.

        Only to a revision that is committed (it has a row), and looking for intent after that:
        revisions are in the order of commits.
        """
        position = await self._store.position()
        rows = await self._store.entry(position.revision)
        if position.incarnation != current.incarnation or position.revision <= current.revision or not rows:
            return current
        if await self._store.tail(current.revision, limit=1, intent=True):
            return current
        return await self._send(current, batches.Batch(changes={}, last=rows[-1]))

    def _confirm(self, reached: cursor.Cursor) -> None:
        self._reached = reached
        self._stats.cursor = reached.revision

    def _overtaken(self, why: str) -> Overtaken:
        self._stats.refused += 1
        return Overtaken(why)


def _moment(at: str) -> float | None:
    """Wall clock of a journal row's time, None if it cannot be read."""
    try:
        return datetime.fromisoformat(at).replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None
