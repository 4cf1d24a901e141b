"""A tiny store in memory, for failures that no database makes on demand."""

from __future__ import annotations

import asyncio
import copy
import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from gluon.objects import journal
from gluon.publisher import turns
from gluon.spi import store, tables


@dataclass
class Data:
    """All that a dump of a `TinyStore` holds."""

    incarnation: str = field(default_factory=lambda: secrets.token_hex(8))
    revision: int = 0
    rows: dict[str, store.Row] = field(default_factory=dict)
    places: dict[str, store.Row] = field(default_factory=dict)
    """Rows of the publisher's own."""
    journal: list[journal.Entry] = field(default_factory=list)


class TinyStore:
    """As much of `spi.store.Store` as the publisher calls, in memory, with failures on demand."""

    def __init__(self) -> None:
        self.data = Data()
        self.refuse: Callable[[], None] = lambda: None
        """Called before each operation; raises what shall go wrong."""
        self._clock = 0

    def dump(self) -> Data:
        return copy.deepcopy(self.data)

    async def submit(self, unit: store.Unit) -> store.Committed:
        await self._ready()
        view = _View(self.data)
        changes = unit.decide(view)
        if not changes.entries and not changes.writes:
            return store.Committed(0, changes.result)
        self.data.revision = view.revision
        for _, what in changes.writes:
            if isinstance(what, dict) and "id" not in what:
                self.data.places[str(what["name"])] = what
            elif isinstance(what, dict):
                self.data.rows[str(what["id"])] = what
            else:
                self.data.rows.pop(str(what[0]), None)
        self._clock += 1
        for n, d in enumerate(changes.entries):
            self.data.journal.append(
                journal.Entry(
                    revision=view.revision, n=n, op=d.op, api=d.api, type=d.type, key=d.key,
                    project=d.project, who=unit.who, request_id=secrets.token_hex(4), intent=d.intent,
                    old=d.old, new=d.new, at=f"2030-01-01T00:00:00.{self._clock:06}",
                )
            )  # fmt: skip
        return store.Committed(view.revision, changes.result)

    async def tail(self, after: int, *, limit: int, intent: bool = False) -> Sequence[journal.Entry]:
        await self._ready()
        found = [e for e in self.data.journal if e.revision > after and (e.intent or not intent)]
        if len(found) <= limit:
            return found
        last = found[limit - 1].revision
        return [e for e in found if e.revision <= last]

    async def tail_of(self, types: Sequence[str], after: int, *, limit: int) -> Sequence[journal.Entry]:
        return [e for e in await self.tail(after, limit=limit) if e.type in types]

    async def tail_and_epoch(self, after: int, *, limit: int) -> tuple[Sequence[journal.Entry], int]:
        return await self.tail(after, limit=limit, intent=True), 1

    async def position(self) -> journal.Position:
        await self._ready()
        return self._position()

    async def entry(self, revision: int) -> Sequence[journal.Entry]:
        await self._ready()
        return [e for e in self.data.journal if e.revision == revision]

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[store.Snapshot]:
        await self._ready()
        yield _Snapshot(self._position(), dict(self.data.rows))

    async def rebase(self, beyond: int) -> journal.Position:
        await self._ready()
        self.data.incarnation = secrets.token_hex(8)
        self.data.revision = max(self.data.revision, beyond) + 1_000_000
        return self._position()

    async def trim(self, *, below: int, keep_seconds: float, keep_rows: int) -> int:
        await self._ready()
        before = len(self.data.journal)
        self.data.journal = [e for e in self.data.journal if e.revision >= below]
        return before - len(self.data.journal)

    async def sweep(self, table: str, column: str, below: str) -> int:
        await self._ready()
        return 0

    async def get(self, table: str, *key: store.Value) -> store.Row | None:
        return (self.data.places if table == turns.NAME else self.data.rows).get(str(key[0]))

    async def count(self, query: store.Select) -> int:
        return len(await self.select(query))

    async def select(self, query: store.Select) -> Sequence[store.Row]:
        return list(self.data.rows.values())

    async def values(
        self, query: store.Select, columns: tuple[str | store.Beside | store.Along, ...]
    ) -> Sequence[Sequence[store.Value]]:
        return [tuple(row[c] for c in columns if isinstance(c, str)) for row in await self.select(query)]

    async def several(
        self, reads: Sequence[tuple[store.Select, store.Wanted]]
    ) -> Sequence[Sequence[Sequence[store.Value]]]:
        return [await self.values(*read) for read in reads]

    async def install(
        self,
        wanted: Sequence[tables.Table],
        models: Sequence[store.StoredModel],
        adopt: Callable[[], None] | None = None,
    ) -> int:
        return 1

    async def close(self) -> None:
        return None

    async def _ready(self) -> None:
        await asyncio.sleep(0)
        self.refuse()

    def _position(self) -> journal.Position:
        oldest = self.data.journal[0].revision if self.data.journal else 0
        return journal.Position(incarnation=self.data.incarnation, revision=self.data.revision, oldest=oldest)


class _View:
    def __init__(self, data: Data) -> None:
        self._rows = data.rows
        self._places = data.places
        self.revision = data.revision + 1
        self.now = "2030-01-01T00:00:00.000000"
        self.incarnation = data.incarnation

    def get(self, table: str, *key: store.Value) -> store.Row | None:
        return (self._places if table == turns.NAME else self._rows).get(str(key[0]))

    def rows(
        self, table: str, columns: tuple[str, ...], values: tuple[store.Value, ...]
    ) -> Sequence[store.Row]:
        return [row for row in self._rows.values() if tuple(row[c] for c in columns) == values]

    def prefetch(self, lookups: Sequence[store.Lookup]) -> None:
        """All is here."""

    def in_turn(self, units: Sequence[store.Unit]) -> list[store.Changes]:
        return [unit.decide(self) for unit in units]


@dataclass(frozen=True)
class _Snapshot:
    position: journal.Position
    content: dict[str, store.Row]

    async def scan(self, table: str) -> AsyncIterator[Sequence[store.Row]]:
        rows = [self.content[key] for key in sorted(self.content)]
        for start in range(0, len(rows), 10):
            await asyncio.sleep(0)
            yield rows[start : start + 10]
