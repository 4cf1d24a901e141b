"""What a database must do so that its models can be changed while it is used: beyond `store.Store`.

The objects of a table that does not do are copied to a new one, in units, while the old one serves. What is written
meanwhile is in the journal, from which the copy is brought up to date, at last under the writer lock.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from gluon.objects import journal
from gluon.spi import store, tables

_Column, _Kind = tables.Column, tables.ColumnType

PROGRESS = tables.Table(
    name="gluon_upgrade",
    columns=(
        _Column(name="plan", type=_Kind.TEXT, length=64, nullable=False),
        _Column(name="state", type=_Kind.TEXT, length=16, nullable=False),
        _Column(name="step", type=_Kind.INTEGER, nullable=False),
        _Column(name="after", type=_Kind.TEXT, length=1024),
        _Column(name="revision", type=_Kind.INTEGER, nullable=False),
        _Column(name="document", type=_Kind.DOCUMENT, nullable=False),
        _Column(name="at", type=_Kind.TEXT, length=26, nullable=False),
    ),
    key=("plan",),
)
"""How far a change of models has come. `after`: the last key that the step has done, as JSON; `revision`: the
journal is worked in up to here; `document`: JSON of the tables made and of those that nothing will use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """The models on record at one epoch: all names, and those that were recorded since an epoch asked for."""

    epoch: int
    names: frozenset[str]
    changed: tuple[store.StoredModel, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Tables as they are. `rows` by table; `columns` by table and name, also those that nothing uses: type (None: another
    than ours) and length; `rigid`: those that cannot be brought to their wanted form where they are (indexes aside)."""

    rows: Mapping[str, int]
    columns: Mapping[str, Mapping[str, tuple[tables.ColumnType | None, int | None]]]
    rigid: frozenset[str]


class Locked(Protocol):
    """The database under the writer lock, inside the transaction of a switch."""

    async def models(self, *, retired: bool = False) -> Sequence[store.StoredModel]:
        """As of any store."""

    async def entries(self, after: int) -> Sequence[journal.Entry]:
        """All entries of revisions > `after`."""

    async def rows(self, table: str, column: str, values: Sequence[store.Value]) -> Sequence[store.Row]: ...

    async def found(
        self, table: str, columns: tuple[str, ...], values: Sequence[tuple[store.Value, ...]]
    ) -> Sequence[store.Row]:
        """The rows that have one of `values` in `columns`, which an index or the key serves."""

    async def write(
        self, table: str, gone: Sequence[tuple[store.Value, ...]], rows: Sequence[store.Row]
    ) -> None:
        """The rows with the keys `gone` go, then `rows` come."""

    async def replace(
        self, table: str, column: str, values: Sequence[store.Value], rows: Sequence[store.Row]
    ) -> None:
        """The rows with these values in `column` are `rows` from now on."""


Last = Callable[[Locked], Awaitable[None]]


class Upgradable(store.Store, Protocol):
    """A store whose models can be changed. Raises `Unavailable` as all of it does."""

    async def install(
        self,
        wanted: Sequence[tables.Table],
        models: Sequence[store.StoredModel],
        adopt: Callable[[], None] | None = None,
        *,
        at: int | None = None,
        fresh: Sequence[tables.Table] | None = None,
    ) -> int:
        """As of any store. `at`: the epoch for which this was decided, `StaleModel` is raised at another; `fresh`: the
        tables of `wanted` that may be missing or others, None: all of them."""

    async def fresh(self) -> bool:
        """Whether this process has the tables of the database's epoch."""

    async def models(self, *, retired: bool = False) -> Sequence[store.StoredModel]:
        """The models on record; none in a database that was never installed. `retired`: also those that are."""

    async def record(self, since: int = 0) -> Record:
        """As of one moment; epoch 0 in a database that was never installed."""

    async def serve(self, wanted: Sequence[tables.Table], epoch: int, adopt: Callable[[], None]) -> bool:
        """Take the tables of an epoch as they are, and change nothing. `adopt` as in `install`.

        False: the database, or this process, is at another epoch by now.
        """

    async def retire(self, api: str, empty: Sequence[str] = ()) -> int:
        """The epoch without this model; its tables stay as they are. Processes notice as of any other epoch. 0, and nothing is
        done, where one of the tables that are to be `empty` has a row."""

    async def counts(self, names: Sequence[str]) -> Mapping[str, int]:
        """Rows of each table that there is."""

    async def look(self, names: Sequence[str], wanted: Sequence[tables.Table]) -> Standing:
        """The tables of these names, and what of `wanted` can be made of them."""

    async def longest(self, table: str, columns: Sequence[str]) -> Mapping[str, int | None]:
        """Characters of the longest value in each of these columns of texts; None: no row has any value."""

    def alone(self) -> AbstractAsyncContextManager[None]:
        """Only one upgrade of a database at a time. Raises `Conflict`."""

    async def prepare(self, served: Sequence[tables.Table], fresh: Sequence[tables.Table]) -> None:
        """Make the tables of `fresh` that are missing, without references, and serve them, `PROGRESS` and
        `served` to units."""

    async def index(self, table: tables.Table, columns: tuple[str, ...], *, unique: bool) -> None:
        """Build an index while the table is used. Raises `Conflict` with the values that are not unique."""

    async def unindex(self, table: tables.Table, columns: tuple[str, ...]) -> None:
        """Take a unique index away again, where it is there."""

    async def switch(
        self,
        wanted: Sequence[tables.Table],
        fresh: Sequence[tables.Table],
        models: Sequence[store.StoredModel],
        last: Last,
    ) -> int:
        """`install`, with the references of `fresh`, and `last` under the writer lock in the same transaction.

        Raises what `last` raises (nothing is changed then), `MigrationRefused`, `Unavailable` (try again).
        """

    async def release(self, names: Sequence[str]) -> None:
        """Let tables that nothing uses refer to nothing, so that what they referred to can be deleted."""

    async def drop(self, names: Sequence[str]) -> None:
        """Drop tables, where they are there, those that refer first."""
