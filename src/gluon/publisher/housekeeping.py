"""What the leader does each minute: trim the journal and what else grows old, compact etcd, look at its health.

In: the relay's cursor, etcd's revision and size. Out: shorter histories and figures in `Stats`.
Invariant: nothing is trimmed that relay or hooks have not passed; etcd keeps ten minutes of history.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog

from gluon.publisher import cursor
from gluon.publisher.stats import Stats
from gluon.spi import bus, store

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep:
    """`journal_seconds` and `journal_rows` bound the journal, `etcd_seconds` etcd's history; `others`: further tables,
    the column in which a row says when it was written, and how many seconds it is kept."""

    journal_seconds: float = 7 * 24 * 3600.0
    journal_rows: int = 5_000_000
    etcd_seconds: float = 600.0
    others: tuple[tuple[str, str, float], ...] = ()


class Housekeeping:
    """`once` is called about each minute."""

    def __init__(
        self,
        *,
        database: store.Store,
        target: bus.Bus,
        reached: Callable[[], cursor.Cursor | None],
        held: Callable[[], Awaitable[int | None]],
        keep: Keep,
        stats: Stats,
    ) -> None:
        self._store = database
        self._bus = target
        self._reached = reached
        self._held = held
        self._keep = keep
        self._stats = stats
        self._revisions: deque[tuple[float, int]] = deque()

    async def once(self) -> None:
        """Raises what store and bus raise; the next minute comes anyway."""
        await self._look_at_etcd()
        await self._compact()
        await self._trim()
        for table, column, seconds in self._keep.others:
            oldest = (datetime.now(UTC) - timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S.%f")
            await self._store.sweep(table, column, oldest)

    async def _look_at_etcd(self) -> None:
        health = await self._bus.health()
        for alarm in set(health.alarms) - set(self._stats.etcd_alarms):
            log.error("etcd raises an alarm", alarm=alarm, size=health.size)
        self._stats.etcd_size = health.size
        self._stats.etcd_revision = health.revision
        self._stats.etcd_members = health.members
        self._stats.etcd_alarms = tuple(health.alarms)

    async def _compact(self) -> None:
        """To the newest revision that is old enough; revisions that went back begin a new list."""
        now, revision = asyncio.get_running_loop().time(), self._stats.etcd_revision
        if self._revisions and self._revisions[-1][1] > revision:
            self._revisions.clear()
        self._revisions.append((now, revision))
        old = 0
        while self._revisions and now - self._revisions[0][0] >= self._keep.etcd_seconds:
            old = self._revisions.popleft()[1]
        if old > 0:
            await self._bus.compact(old)

    async def _trim(self) -> None:
        reached = self._reached()
        if reached is None:
            return
        held = await self._held()
        self._stats.trimmed += await self._store.trim(
            below=reached.revision if held is None else min(reached.revision, held),
            keep_seconds=self._keep.journal_seconds,
            keep_rows=self._keep.journal_rows,
        )
