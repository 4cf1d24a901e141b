"""Hooks after the commit: the journal's entries handed to code of the services, each hook at its own pace.

In: the journal, `subscriptions` of the main. Out: calls, at least once each and in order, and a place in
`gluon_hook` up to which a hook is done. Invariant: a hook that fails or hangs delays itself only, and
the journal keeps what it has not seen. A new hook begins with the changes after it was first seen.
Run by the leader.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

import structlog

from gluon.errors import GiveUp
from gluon.objects import codec, journal
from gluon.publisher.stats import Stats
from gluon.publisher.supervise import Backoff, supervise
from gluon.spi import hooks, store, tables

log = structlog.get_logger(__name__)

HOOK = "gluon_hook"
TABLE = tables.Table(
    name=HOOK,
    columns=(
        tables.Column(name="name", type=tables.ColumnType.TEXT, nullable=False),
        tables.Column(name="incarnation", type=tables.ColumnType.TEXT, length=64, nullable=False),
        tables.Column(name="revision", type=tables.ColumnType.INTEGER, nullable=False),
    ),
    key=("name",),
)

LIMIT = 30.0
"""Seconds that one call of a hook may take."""
_CHUNK = 100
_LOOK = 1.0
"""Seconds between two looks at the journal without a wake."""


@dataclass(frozen=True, slots=True)
class Place:
    """A unit: this hook is done up to this revision. It does nothing where another leader has come further, or history is another."""

    name: str
    incarnation: str
    revision: int

    who = "gluon"
    request_id = ""

    @property
    def reads(self) -> Sequence[store.Lookup]:
        return (store.Lookup(HOOK, ("name",), (self.name,)),)

    def decide(self, view: store.View) -> store.Changes:
        changes = store.Changes()
        held = view.get(HOOK, self.name)
        same = held is not None and held["incarnation"] == self.incarnation
        beyond = held is not None and int(held["revision"] or 0) > self.revision
        if self.incarnation == view.incarnation and not (same and beyond):
            changes.put(HOOK, {"name": self.name, "incarnation": self.incarnation, "revision": self.revision})
        return changes


class Aftermath:
    """All `after` hooks. `subscriptions` is asked again and again: loaded models change."""

    def __init__(
        self,
        database: store.Store,
        subscriptions: Callable[[], Sequence[hooks.Subscription]],
        stats: Stats,
        *,
        limit: float = LIMIT,
    ) -> None:
        self._store = database
        self._subscriptions = subscriptions
        self._stats = stats
        self._limit = limit
        self._wanted: dict[str, hooks.Subscription] = {}
        self._wakes: dict[str, asyncio.Event] = {}

    def notify(self) -> None:
        """Something was committed."""
        for wake in self._wakes.values():
            wake.set()

    def failures(self, name: str) -> int:
        """How often calls of this hook failed."""
        return self._stats.failures[f"hook {name}"]

    async def run(self) -> None:
        """Until cancelled."""
        running: dict[str, asyncio.Task[None]] = {}
        try:
            while True:
                self._wanted = {s.name: s for s in self._subscriptions()}
                for name in self._wanted.keys() - running.keys():
                    running[name] = asyncio.create_task(self._supervised(name), name=f"hook {name}")
                for name in running.keys() - self._wanted.keys():
                    running.pop(name).cancel()
                await asyncio.sleep(_LOOK)
        finally:
            for task in running.values():
                task.cancel()
            await asyncio.gather(*running.values(), return_exceptions=True)

    async def held(self) -> int | None:
        """The lowest revision that some hook has not passed; None without hooks."""
        rows = [await self._store.get(HOOK, name) for name in self._wanted]
        return min((int(row["revision"] or 0) for row in rows if row is not None), default=None)

    async def _supervised(self, name: str) -> None:
        await supervise(f"hook {name}", lambda: self._follow(name), self._stats)

    async def _follow(self, name: str) -> None:
        """Until history breaks: then from its beginning."""
        wake = self._wakes[name] = asyncio.Event()
        place = await self._begin(name)
        while place.incarnation == (await self._store.position()).incarnation:
            wake.clear()
            entries = await self._store.tail(place.revision, limit=_CHUNK, intent=True)
            for entry in entries:
                await self._hand_over(name, entry)
            if entries:
                place = Place(name, place.incarnation, entries[-1].revision)
                await self._store.submit(place)
                continue
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOK):
                    await wake.wait()

    async def _begin(self, name: str) -> Place:
        """Where to go on. Of another incarnation all that is in the journal is told again."""
        position = await self._store.position()
        row = await self._store.get(HOOK, name)
        if row is None:
            place = Place(name, position.incarnation, position.revision)
            await self._store.submit(place)
            return place
        reached = int(row["revision"] or 0)
        if row["incarnation"] != position.incarnation:
            log.warning("history was broken, a hook is told the journal again", hook=name, reached=reached)
            return Place(name, position.incarnation, 0)
        if reached + 1 < position.oldest:
            log.warning("the journal no longer has all that a hook has not seen", hook=name, reached=reached)
        return Place(name, position.incarnation, reached)

    async def _hand_over(self, name: str, entry: journal.Entry) -> None:
        """Again and again until it is done or given up."""
        backoff = Backoff()
        while True:
            subscription = self._wanted.get(name)
            if subscription is None or (entry.api, entry.type) not in subscription.types:
                return
            try:
                async with asyncio.timeout(self._limit):
                    await _call(subscription, entry)
            except GiveUp as error:
                log.error("a hook gave a change up", hook=name, revision=entry.revision, reason=str(error))  # noqa: TRY400 - it says why
                return
            except Exception as error:  # noqa: BLE001 - code of others; whatever it is, the change is not lost
                self._stats.failures[f"hook {name}"] += 1
                if backoff.fresh:
                    reason = "took too long" if isinstance(error, TimeoutError) else str(error) or repr(error)
                    log.warning(
                        "a hook failed, trying again", hook=name, revision=entry.revision, reason=reason
                    )
                await backoff.wait()
            else:
                return


async def _call(subscription: hooks.Subscription, entry: journal.Entry) -> None:
    """Raises an `Exception` for whatever the hook raises: `sys.exit` in it must end nothing."""
    try:
        await subscription.code(_subject(entry))
    except Exception:
        raise
    except BaseException as error:
        task = asyncio.current_task()
        if isinstance(error, GeneratorExit) or (task is not None and task.cancelling()):
            raise
        raise RuntimeError(repr(error)) from error


def _subject(entry: journal.Entry) -> hooks.Subject:
    return hooks.Subject(
        op=entry.op,
        api=entry.api,
        type=entry.type,
        key=entry.key,
        project=entry.project,
        who=entry.who,
        request_id=entry.request_id,
        old=None if entry.old is None else codec.decode(entry.old),
        new=None if entry.new is None else codec.decode(entry.new),
        revision=entry.revision,
    )
