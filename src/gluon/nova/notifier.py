"""The journal followed for Nova: what it says of ports in use becomes events, in order, until Nova has answered.

In: entries after the place in the database, ports as they are now. Out: batches of events, and the place moved behind them. While
Nova is away nothing moves, and what is sent afterwards is what is so then. If the journal does not reach back to the place,
every port with a device is looked at. Run by the leader.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

import structlog

from gluon.nova import client, events, place
from gluon.objects import journal
from gluon.publisher.supervise import Backoff
from gluon.spi import notices, store

log = structlog.get_logger(__name__)

_ENTRIES = 200
_AT_ONCE = 100
"""Events of one request."""
_PORTS = 500
"""Ports that are looked at together."""
_LOOK = 1.0
"""Seconds between two looks at the journal without a wake."""
_GATHER = 0.05
"""Seconds from a wake to the look: commits that nobody at Nova waits for come by the hundred a second."""
_SAVE = 60.0
"""Seconds after which the place is written though nothing was told: what lies before it may be trimmed."""
_BROKEN = 3
"""So often Nova may fail over a request before its events are sent one by one."""
_NOBODY = 404
_STRANGE = 10
"""So many events for servers that Nova does not know, and none for one that it knows, have a cause of their own."""


class Ports(Protocol):
    """What the notifier has to know of ports. Raises `Unavailable`."""

    def types(self) -> Collection[str]:
        """The types of the entries that concern the networks of ports, beside notices."""

    async def concerned(self, entries: Sequence[journal.Entry]) -> Collection[str]:
        """The ports whose addresses or networks some entries of these types change."""

    async def use(self, ids: Collection[str]) -> Mapping[str, notices.Use]:
        """Those of these ports that a device uses."""

    async def used(self, after: str | None, limit: int) -> Sequence[notices.Use]:
        """All ports that a device uses, by id."""


class Api(Protocol):
    """`client.Nova`."""

    async def send(self, some: Sequence[events.Event]) -> Mapping[int, int]: ...

    async def close(self) -> None: ...


@dataclass(slots=True, kw_only=True)
class Stats:
    """What was counted, for metrics and `gluon status`. `answers`: events by the code that Nova gave."""

    leading: bool = False
    answers: Counter[int] = field(default_factory=Counter)
    retries: int = 0
    lost: int = 0
    looks: int = 0
    waiting_since: float = 0.0
    error: str = ""

    @property
    def strange(self) -> bool:
        """Whether Nova knows none of many servers."""
        return self.answers.keys() == {_NOBODY} and self.answers[_NOBODY] >= _STRANGE

    def snapshot(self) -> dict[str, Any]:
        """Plain data, ready for JSON."""
        return {
            "leading": self.leading,
            "answers": {str(code): count for code, count in sorted(self.answers.items())},
            "retries": self.retries,
            "lost": self.lost,
            "looks": self.looks,
            "strange": self.strange,
            "lag_seconds": max(0.0, time.time() - self.waiting_since) if self.waiting_since else 0.0,
            "error": self.error,
        }


class Notifier:
    """`run` it while this process leads; `notify` it of commits."""

    def __init__(self, database: store.Store, ports: Ports, nova: Api) -> None:
        self.stats = Stats()
        self._store = database
        self._ports = ports
        self._nova = nova
        self._wake = asyncio.Event()

    def notify(self) -> None:
        """Something was committed."""
        self._wake.set()

    async def run(self) -> None:
        """Until cancelled. Raises `Unavailable` of the database: then call it again."""
        backoff = Backoff()
        self.stats.leading = True
        try:
            while True:
                try:
                    await self._follow(await self._begin(), backoff)
                except client.Away as error:
                    self._away(error)
                    await backoff.wait()
        finally:
            self.stats.leading = False
            await self._nova.close()

    def _away(self, error: client.Away) -> None:
        self.stats.retries += 1
        if not self.stats.error:
            log.warning("Nova is not told of ports, trying again", reason=str(error))
        self.stats.error = str(error)
        self.stats.waiting_since = self.stats.waiting_since or time.time()

    async def _begin(self) -> place.Place:
        """Where to go on. What the journal does not say any more is looked up."""
        position = await self._store.position()
        here = place.Place(position.incarnation, position.revision)
        found = await place.read(self._store)
        if found is None:
            await self._store.submit(here)
            return here
        if found.incarnation == position.incarnation and (
            found.revision + 1 >= position.revision or found.revision + 1 >= position.oldest > 0
        ):
            return found
        log.warning("the journal does not say all of what Nova was not told: looking at every port in use")
        await self._look()
        await self._store.submit(here)
        return here

    async def _look(self) -> None:
        self.stats.looks += 1
        after: str | None = None
        while found := await self._ports.used(after, _PORTS):
            await self._send(event for port in found for event in events.looked(port))
            after = found[-1].id

    async def _follow(self, done: place.Place, backoff: Backoff) -> None:
        """Until history breaks: then from its beginning."""
        saved, saved_at = done.revision, time.monotonic()
        while True:
            self._wake.clear()
            position = await self._store.position()
            if position.incarnation != done.incarnation:
                return
            types = (notices.PORT, *sorted(self._ports.types()))
            entries = await self._store.tail_of(types, done.revision, limit=_ENTRIES)
            if entries:
                self.stats.waiting_since = _moment(entries[0].at)
                sent = await self._tell(entries)
                done = place.Place(done.incarnation, entries[-1].revision)
                if sent:
                    await self._store.submit(done)
                    saved, saved_at = done.revision, time.monotonic()
            elif position.revision > done.revision:
                done = place.Place(done.incarnation, position.revision)
            self._well()
            backoff.reset()
            if time.monotonic() - saved_at >= _SAVE:
                saved_at = time.monotonic()
                if done.revision > saved and await self._store.tail(saved, limit=1):
                    await self._store.submit(done)
                    saved = done.revision
            if not entries:
                with suppress(TimeoutError):
                    async with asyncio.timeout(_LOOK):
                        await self._wake.wait()
                await asyncio.sleep(_GATHER)

    def _well(self) -> None:
        if self.stats.error:
            log.info("Nova is told of ports again")
        self.stats.error, self.stats.waiting_since = "", 0.0

    async def _tell(self, entries: Sequence[journal.Entry]) -> int:
        """What some entries mean for Nova, sent; of how many events it was told."""
        own = [e for e in entries if (e.api, e.type) == (journal.GLUON, notices.PORT)]
        others = [e for e in entries if e.api != journal.GLUON]
        concerned = await self._ports.concerned(others) if others else ()
        ids = {e.key for e in own} | set(concerned)
        if not ids:
            return 0
        now = await self._ports.use(ids)
        made = [event for e in own for event in events.told(e, now.get(e.key))]
        made += [event for port in sorted(concerned) for event in events.changed(now.get(port))]
        return await self._send(made)

    async def _send(self, some: Iterable[events.Event]) -> int:
        wanted = events.sent(some)
        for start in range(0, len(wanted), _AT_ONCE):
            await self._send_some(wanted[start : start + _AT_ONCE])
        return len(wanted)

    async def _send_some(self, some: Sequence[events.Event]) -> None:
        """One request. If Nova will not have it, or fails over it, each event alone."""
        backoff = Backoff()
        for left in reversed(range(_BROKEN)):
            try:
                self._count(await self._nova.send(some))
            except client.Away as error:
                if not error.broken:
                    raise
                if left:
                    self.stats.retries += 1
                    await backoff.wait()
            except client.Refused:
                break
            else:
                return
        await self._send_each(some)

    async def _send_each(self, some: Sequence[events.Event]) -> None:
        """What Nova refuses is given up, and an event over which it fails while it takes others; if it takes none, Nova is away."""
        lost: list[tuple[events.Event, Exception]] = []
        broken: list[tuple[events.Event, client.Away]] = []
        good: events.Event | None = None
        for event in some:
            why = await self._send_alone(event)
            if why is None:
                good = event
            elif isinstance(why, client.Away):
                broken.append((event, why))
            else:
                lost.append((event, why))
        for event, failed in broken:
            if good is None:
                raise failed
            again = await self._send_alone(event)  # Nova may have been away, and come back with another
            if again is None:
                continue
            if isinstance(again, client.Away) and await self._send_alone(good) is not None:
                raise again
            lost.append((event, again))
        for event, reason in lost:  # only now: all are sent again where Nova is away
            self._lose(event, reason)

    async def _send_alone(self, event: events.Event) -> client.Away | client.Refused | None:
        """Why Nova did not take an event."""
        try:
            self._count(await self._nova.send([event]))
        except client.Refused as error:
            return error
        except client.Away as error:
            if not error.broken:
                raise
            return error
        return None

    def _count(self, codes: Mapping[int, int]) -> None:
        before = self.stats.strange
        self.stats.answers.update(codes)
        if self.stats.strange and not before:
            log.warning(
                "Nova knows no server of which it is told",
                events=self.stats.answers[_NOBODY],
                hint="the user of [nova] needs the roles service and admin; without admin it sees its own project's only",
            )

    def _lose(self, event: events.Event, why: Exception) -> None:
        self.stats.lost += 1
        log.error(
            "Nova does not take an event", event_name=event.name, server=event.server_uuid, port=event.tag,
            reason=str(why),
        )  # fmt: skip


def _moment(at: str) -> float:
    """Wall clock of a journal row's time."""
    try:
        return datetime.fromisoformat(at).replace(tzinfo=UTC).timestamp()
    except ValueError:
        return time.time()
