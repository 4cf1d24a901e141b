"""The store as engines see it: units in, revisions out.

A unit is one request: `reads` says which rows it will look at, `decide` is a pure function of a
view of them. The store runs units in batches under the writer lock; `decide` may be called more
than once and must not keep anything. A unit that raises `Rejected` leaves nothing.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

import msgspec

from gluon.objects import journal
from gluon.spi import tables

Value = str | int | float | bool | None
Row = dict[str, Value]
"""Column name to value, all columns of the table. Never changed in place once handed over."""


class Lookup(msgspec.Struct, frozen=True):
    """All rows of `table` in which `columns` equal `values` (one index or key serves it)."""

    table: str
    columns: tuple[str, ...]
    values: tuple[Value, ...]


class View(Protocol):
    """The database as this unit sees it: committed rows plus the changes of units before it.

    Asking for something not in `reads` is allowed: the store reads it and calls `decide` again
    (slower, so declare what you know). `None` never equals anything.
    """

    @property
    def revision(self) -> int:
        """The revision this unit will have."""

    @property
    def now(self) -> str:
        """UTC of the batch, ISO 8601 with microseconds, no zone."""

    @property
    def incarnation(self) -> str: ...

    def get(self, table: str, *key: Value) -> Row | None:
        """The row with this primary key."""

    def rows(self, table: str, columns: tuple[str, ...], values: tuple[Value, ...]) -> Sequence[Row]:
        """The rows that a `Lookup` names, ordered by key."""

    def prefetch(self, lookups: Sequence[Lookup]) -> None:
        """Read what will be asked for next in one round, where that was not known up front."""


class Batch(View, Protocol):
    """What the store gives a unit to decide on: the view, and a trial of several units."""

    def in_turn(self, units: Sequence[Unit]) -> Sequence[Changes]:
        """What each of several units decides where it sees those before it; none of it is kept.

        Raises what the first one raises that refuses.
        """


Write = tuple[str, Row | tuple[Value, ...]]
"""Of a table: a row to put, or the key of one to delete."""


class Changes(msgspec.Struct):
    """What a unit decided. `result` is handed to the caller of `submit`.

    `put` inserts or replaces a whole row by its key; `delete` removes it (missing: no error).
    The last word on a key counts: `writes` keeps them in order, a row for a put, a key for a delete.
    Entries go to the journal in the order given; a unit without entries and rows commits nothing and
    has no revision of its own. `soon`: what a unit that follows this one at once is going to look at.
    """

    writes: list[Write] = msgspec.field(default_factory=list)
    entries: list[journal.Draft] = msgspec.field(default_factory=list)
    result: Any = None
    soon: Sequence[Lookup] = ()

    def put(self, table: str, row: Row) -> None:
        self.writes.append((table, row))

    def delete(self, table: str, *key: Value) -> None:
        self.writes.append((table, key))


class Unit(Protocol):
    """One request, as the store runs it."""

    @property
    def reads(self) -> Sequence[Lookup]: ...

    @property
    def who(self) -> str: ...

    @property
    def request_id(self) -> str: ...

    def decide(self, view: Batch) -> Changes:
        """Pure. Raises `Rejected`."""


class Several(Unit, Protocol):
    """A unit that does what each of its parts does where that sees those before it, and nothing else. Its result is the
    list of theirs."""

    @property
    def parts(self) -> Sequence[Unit]: ...


class Committed(msgspec.Struct, frozen=True):
    """A unit that is durable. `revision` is 0 if it had nothing to write; `intent`: there may be
    something to publish."""

    revision: int
    result: Any
    intent: bool = True


class Answer(Protocol):
    """Who waits for a unit; a future of asyncio is one. Told once, unless it is `done` before: then nobody waits."""

    def done(self) -> bool: ...
    def set_result(self, result: Committed, /) -> None: ...
    def set_exception(self, exception: Exception, /) -> None: ...


class Queue(Protocol):
    """Where the units of a process wait for their batch."""

    def hand(self, unit: Unit, project: str, answer: Answer) -> None:
        """As `Store.submit`, in the turn of `project`, and nobody awaits it: `answer` is told in the midst of the store's
        work, so it must neither raise nor take long. Raises `Unavailable` at once."""


class Match(StrEnum):
    """How a column is compared. Texts by code point, exactly; false is less than true."""

    EQUAL = "eq"
    """One of the values, of which null may be one."""
    UNLIKE = "ne"
    """Not the value; rows without one are unlike every value."""
    LESS = "lt"
    AT_MOST = "le"
    MORE = "gt"
    AT_LEAST = "ge"
    CONTAINS = "contains"
    BEGINS = "startswith"
    WITHIN = "within"
    """An address or prefix inside the prefix that is the value, or equal to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """One condition on a row. Only EQUAL has other than one value, and only EQUAL and UNLIKE know null."""

    column: str
    match: Match
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One column to sort by. Null comes before all values, or after them where it is `descending`."""

    column: str
    descending: bool = False


class Beside(msgspec.Struct, frozen=True, kw_only=True):
    """What another table says of a row: its `column`, where its `key` is the key of the row; else `missing`. `told_by`: a
    column of the row itself; where that is null the other table says nothing else than `missing`, and is not asked.
    `of`: a column of the row, which is read too, in the place of its key."""

    table: str
    key: str
    column: str
    missing: str
    told_by: str | None = None
    of: str | None = None


class Along(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of another table whose `column` is the key of the row: `columns` of them, then what is `beside` them, each `of`
    one of these columns. The row comes once with each of them, and once without, all null, where there is none."""

    table: str
    column: str
    columns: tuple[str, ...]
    beside: tuple[Beside, ...] = ()


Wanted = tuple[str | Beside | Along, ...]
"""What is read of a row; at most one `Along`, as the last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Select:
    """A read of many rows by equality, ordered by key. `project`: only rows of it or of none (`_project`).

    `after`, `since`: a key; rows up to it, or before it, are left out. `filters` must all hold. `order` comes before the
    key, which is the last word on it. `start`: the columns of `order` and the key of a row; only what follows it is read.
    """

    table: str
    equals: tuple[tuple[str, Value], ...] = ()
    project: str | None = None
    after: Value = None
    since: Value = None
    limit: int | None = None
    filters: tuple[Filter, ...] = ()
    order: tuple[Order, ...] = ()
    start: Row | None = None


class Snapshot(Protocol):
    """One consistent read of the whole database as of `position`."""

    @property
    def position(self) -> journal.Position: ...

    def scan(self, table: str) -> AsyncIterator[Sequence[Row]]:
        """All rows, ordered by key, in chunks of at most some thousand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredModel:
    """A model as the database holds it: `document` is JSON text of the merged model.

    `who` loaded it, empty for a server's own files; `at`: when, UTC, as the database says. `counted`: tables of the
    types with a quota, whose objects are counted when the model is recorded (`spi.usage`). `retired`: it is served no more,
    and its objects are still in their tables.
    """

    api: str
    version: str
    digest: str
    document: str
    who: str = ""
    at: str = ""
    counted: Mapping[str, str] = field(default_factory=dict)
    retired: bool = False


class Store(Protocol):
    """One database. All calls raise `Unavailable` when it does not answer."""

    async def install(
        self,
        wanted: Sequence[tables.Table],
        models: Sequence[StoredModel],
        adopt: Callable[[], None] | None = None,
    ) -> int:
        """Make or extend the schema so that `wanted` fits (new tables, new nullable columns, new
        indexes), record `models`, return the schema epoch (it grows when anything changed).

        Anything that could lose or refuse data raises `MigrationRefused` with all reasons and changes
        nothing. Idempotent, safe from several processes at once. Tables no longer wanted stay.
        `adopt` is called in the breath in which units of this process meet the new tables; units that were
        made before it raise `StaleModel`, reads of the tables before go on.
        """

    async def submit(self, unit: Unit) -> Committed:
        """Run one unit in the next batch. Raises what `decide` raises, `Unavailable` (nothing
        written), `StaleModel`, or `OutcomeUnknown`."""

    async def get(self, table: str, *key: Value) -> Row | None: ...

    async def select(self, query: Select) -> Sequence[Row]: ...

    async def values(self, query: Select, columns: Wanted) -> Sequence[Sequence[Value]]:
        """The rows of `select` as values of these columns, among which are the key and what is sorted by: cheaper by
        half, for who wants no rows."""

    async def several(self, reads: Sequence[tuple[Select, Wanted]]) -> Sequence[Sequence[Sequence[Value]]]:
        """`values` of each, together where the database can: who waits for all of them waits once."""

    async def count(self, query: Select) -> int:
        """How many rows there are, whatever `order`, `start`, `after`, `since` and `limit` say."""

    async def tail(self, after: int, *, limit: int, intent: bool = False) -> Sequence[journal.Entry]:
        """Entries of revisions > `after`, oldest first, at most about `limit` rows but never part of
        a revision. `intent`: only intent entries."""

    async def tail_of(self, types: Sequence[str], after: int, *, limit: int) -> Sequence[journal.Entry]:
        """As `tail`, only entries with one of these types, of whichever api."""

    async def tail_and_epoch(self, after: int, *, limit: int) -> tuple[Sequence[journal.Entry], int]:
        """`tail` of intent entries, and the schema epoch at the same moment."""

    async def position(self) -> journal.Position: ...

    async def entry(self, revision: int) -> Sequence[journal.Entry]:
        """The entries of one revision (empty: none, trimmed or never)."""

    def snapshot(self) -> AbstractAsyncContextManager[Snapshot]: ...

    async def rebase(self, beyond: int) -> journal.Position:
        """History is broken: new incarnation, and the next revision is above `beyond + 1_000_000`."""

    async def trim(self, *, below: int, keep_seconds: float, keep_rows: int) -> int:
        """Drop old journal entries of revisions < `below`. Returns how many went."""

    async def sweep(self, table: str, column: str, below: str) -> int:
        """Drop rows whose indexed text `column` is less than `below`. Returns how many went."""

    async def close(self) -> None:
        """Finish the running batch, refuse what waits, close connections."""
