"""What a driver of one database does for the store, and the few errors it has.

    DriverError
    ├── Lost         the connection or the server is gone, or does not answer
    ├── Busy         a time-out or deadlock; the transaction did not happen
    │   └── Outrun   another process wrote first: what was decided is of an older state
    └── Failed       a statement failed for what it said; the transaction did not happen
        └── Violation    a constraint caught something

Implemented by `sqlite`, `postgres`, `mysql`; called by `writer`, `readers` and `install`. SQL that the
store shares between databases uses `?` for parameters. Invariant: no error of a library gets past here.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Protocol

from gluon.spi import store
from gluon.store.deciding import State
from gluon.store.dialect import Dialect
from gluon.store.overlay import Plan
from gluon.store.shape import Shape, Values

Group = tuple[Shape, tuple[str, ...], Sequence[Values]]
"""A look-up: rows of a table in which these columns equal one of these tuples."""


class DriverError(Exception):
    """Root of what a driver raises; the library's error is its cause."""


class Lost(DriverError):
    """`committing`: COMMIT was sent, and nobody knows whether it happened."""

    def __init__(self, message: str, *, committing: bool = False) -> None:
        super().__init__(message)
        self.committing = committing


class Busy(DriverError):
    """Try again."""


class Outrun(Busy):
    """Decide again: the next `lock` is a real one."""


class Failed(DriverError):
    """The database refused a value or a statement. `unfit`: a value does not fit its column."""

    def __init__(self, message: str, *, unfit: bool = False) -> None:
        super().__init__(message)
        self.unfit = unfit


class Kind(StrEnum):
    """What a constraint caught; the words are the codes of `Conflict`."""

    TAKEN = "taken"
    REFERRED = "still_referred"


class Violation(Failed):
    """`again`: the driver has learned from it, the same batch may pass now."""

    def __init__(self, kind: Kind, *, again: bool = False) -> None:
        super().__init__(kind.value)
        self.kind = kind
        self.again = again


class Connection(Protocol):
    """One connection; statements commit by themselves unless it was made for a snapshot."""

    async def fetch(self, sql: str, *args: store.Value) -> Sequence[Sequence[Any]]:
        """Run one statement; its rows."""

    async def lookup(
        self, shape: Shape, columns: tuple[str, ...], values: Sequence[Values]
    ) -> Sequence[store.Row]:
        """All rows in which `columns` equal one of `values`, in one statement."""

    async def close(self) -> None:
        """In good order, for a connection that is idle."""

    def kill(self) -> None:
        """At once, whatever it does."""


class Session(Connection, Protocol):
    """The connection of a writer. A transaction is `lock`, `state`, lookups, then `commit` or `rollback`. `stages`: it may
    write a part of a batch before the rest is decided, as a `Staged`."""

    stages: bool

    @property
    def ahead(self) -> bool:
        """Whether a batch may be decided while the one before is written: `commit` leaves a state that the next one may follow."""

    def clock(self) -> str:
        """About the database's time, never less than it was. Only of one that is `ahead`."""

    @property
    def certain(self) -> bool:
        """Whether the state was read under the lock. Else it is what the batch before has left, and `commit`, `begin` and
        `agree` raise `Outrun` where that is no longer so."""

    async def lock(self) -> None:
        """Begin, and take the writer lock, or do without for the time being: see `certain`."""

    async def state(self, units: int) -> State:
        """With room for the revisions of so many units."""

    async def lookups(self, groups: Sequence[Group]) -> Sequence[Sequence[store.Row]]:
        """`lookup` for each group, at once where the database can do that."""

    async def commit(self, plan: Plan, way: int) -> None:
        """Write all of the plan and commit. `way`: which order of writing to try."""

    async def agree(self) -> None:
        """End without a write: what was read is still so, as it was decided by it."""

    async def rollback(self) -> None: ...


class Staged(Session, Protocol):
    """One where `begin` and any number of `stage` may come before `commit`, which has the rest then."""

    async def begin(self) -> None: ...

    async def stage(self, plan: Plan) -> None:
        """Write all of the plan, for the transaction that was begun."""


class Installer(Connection, Protocol):
    """A connection that may change the schema, alone in doing so over all processes."""

    async def begin(self) -> None:
        """Wait for other installers (and, where tables change in a transaction, for writers)."""

    async def execute(self, sql: str) -> object:
        """One statement without rows."""

    async def switch(self) -> None:
        """From here on what is executed shows at once, at `commit`; holds the writer lock."""

    async def commit(self) -> None: ...

    async def rollback(self) -> None: ...


class Database(Protocol):
    """One database of one dialect. Everything that connects raises `Lost`."""

    @property
    def dialect(self) -> Dialect: ...

    async def session(self) -> Session: ...

    async def reader(self) -> Connection: ...

    async def snapshot(self) -> Connection:
        """A connection inside a transaction that sees one state of the database."""

    async def installer(self) -> Installer: ...

    async def close(self) -> None:
        """After all connections."""


async def leave(connection: Connection) -> None:
    """Close in good order, or at once if that does not work."""
    try:
        await connection.close()
    except DriverError:
        connection.kill()
