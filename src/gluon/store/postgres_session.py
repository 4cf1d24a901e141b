"""The writer's connection to PostgreSQL: how a batch gets its state and is written.

In: plans. Out: commits. See `postgres` for the trips of a batch and `postgres_lock` for the lock. Invariant: what is written was
decided by the state that is there. Called by `postgres`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from time import monotonic
from typing import Any

from gluon.spi import store
from gluon.store import driver, postgres_lock, postgres_text
from gluon.store.ddl import name_of
from gluon.store.deciding import State
from gluon.store.often import Often
from gluon.store.overlay import Plan
from gluon.store.postgres_connection import PostgresConnection

_FRESH = 0.5
"""Seconds for which nobody else is likely to have written."""
_RARE = 0.3
"""Share of batches before which another process may have written, and it is still worth it to expect of none that it has."""
_LESS = "08P01"
"""The server found less in a message than was announced."""
_LATELY = 8
"""Batches of which that share is, about."""


class PostgresSession(PostgresConnection):
    """The writer's connection, a `driver.Staged`."""

    stages = True

    def __init__(self, raw: Any, limit: float, idle: float) -> None:
        super().__init__(raw, limit)
        self._idle = milliseconds(idle)
        self._often = Often()
        self._state: Sequence[Any] | None = None
        self._now = ""
        self._said = 0.0
        """When the database told the time of `_state`."""
        self._locked = False
        """Whether the session has the lock."""
        self._left: int | None = None
        """The revision that our last batch came to, until it is known whether another process wrote after it."""
        self._rivals = 0.0
        """Before which share of our batches another process wrote, lately."""

    async def look(self) -> None:
        """Find out whether this asyncpg goes through arrays as `postgres_text.Rows` has it."""
        if postgres_text.Rows.seen_once:
            return
        try:
            rows = await self.fetch("SELECT cardinality(?::int8[])", postgres_text.Rows((1,)))  # type: ignore[arg-type]
        except driver.DriverError as error:
            if getattr(error.__cause__, "sqlstate", None) != _LESS:
                raise
            rows = ()
        postgres_text.Rows.seen_once = not rows or rows[0][0] != 1

    @property
    def ahead(self) -> bool:
        return self._rivals < _RARE

    @property
    def certain(self) -> bool:
        return self._locked

    async def lock(self) -> None:
        """Not where the batch before was ours, of just now. Else at once if it is free; the state is read again when it was had."""
        if self._state is not None and monotonic() - self._said < _FRESH:
            return
        rows = await self._run(self._raw.fetch(postgres_lock.TAKE, self._idle))
        self._state = rows[0][1:] if rows and rows[0][0] else None
        self._said, self._locked = monotonic(), True
        if self._state is None:
            await self.execute(postgres_lock.WAIT)
        else:
            self._heard(self._state[2])

    async def state(self, units: int) -> State:
        if self._state is None:
            rows = await self._run(self._raw.fetch(postgres_lock.STATE))
            if not rows:
                raise driver.Failed("gluon_writer has no row")
            self._state, self._said = rows[0], monotonic()
            self._heard(self._state[2])
        epoch, incarnation, last, now = self._state
        if self._locked:
            self._now = now
        return State(epoch=epoch, incarnation=incarnation, first=last + 1, now=self.clock())

    def clock(self) -> str:
        """What was told is a little old when it comes."""
        if self._state is not None and not self._locked:
            later = datetime.fromisoformat(self._state[3]) + timedelta(seconds=monotonic() - self._said)
            self._now = max(self._now, later.isoformat(timespec="microseconds"))
        return self._now

    async def lookups(self, groups: Sequence[driver.Group]) -> list[Sequence[store.Row]]:
        """Several in one statement, once their combination has come often enough to be worth it."""
        kind = tuple((shape.name, columns) for shape, columns, _ in groups)
        if len(groups) < 2 or not self._often(kind):
            return [await self.lookup(*group) for group in groups]
        args = [column for _, _, values in groups for column in zip(*values, strict=True)]
        ((*found,),) = await self._run(self._raw.fetch(postgres_text.lookups(groups), *args))
        return [
            [postgres_text.row(shape, values) for values in rows]
            for (shape, _, _), rows in zip(groups, found, strict=True)
        ]

    def _heard(self, last: int) -> None:
        """The newest revision before a batch of ours."""
        if self._left is not None:
            self._rivals += ((last != self._left) - self._rivals) / _LATELY
            self._left = None

    async def commit(self, plan: Plan, way: int) -> None:
        if self._state is None:
            raise driver.Failed("nothing was read under the lock")
        epoch, incarnation, last, _ = self._state
        statements = postgres_text.operations(plan.replaced() if way else plan)
        swap, args = postgres_lock.SWAP, [epoch, incarnation, plan.revision]
        if not self._locked:
            swap, args = postgres_lock.FOLLOW, [epoch, incarnation, last, plan.revision]
        try:
            now = await self._commit(statements, swap, args, way)
        except driver.Violation as violation:
            raise _learned(violation, plan) from violation.__cause__
        if not self._locked:
            self._heard(last)
        self._locked, self._said, self._left = False, monotonic(), plan.revision
        self._state = (epoch, incarnation, plan.revision, now) if self.ahead else None

    async def _commit(
        self, statements: list[postgres_text.Operation], swap: str, args: Sequence[Any], way: int
    ) -> str:
        """The time that the database told."""
        if self._raw.is_in_transaction():
            now = self._done(await self._write(statements, swap, args))
            await self._committed()
        elif not way and self._often((swap, *(op.part for op in statements))):
            now = self._done(await self._at_once(statements, swap, args))
        else:
            await self.execute("BEGIN")
            now = self._done(await self.fetch(swap, *args))
            for op in statements:
                await self._run(self._raw.fetch(op.sql, *op.args))
            await self._committed()
        return now

    def _done(self, rows: Sequence[Sequence[Any]]) -> str:
        """The time. Raises `Busy` where nothing was written."""
        if not rows or rows[0][1] is None:
            raise driver.Busy("the writer lock was lost") if self._locked else self._outrun()
        return str(rows[0][0])

    def _outrun(self) -> driver.Outrun:
        self._heard(-1)
        return driver.Outrun("another process has written")

    async def agree(self) -> None:
        if self._locked or self._state is None or self._raw.is_in_transaction():
            await self.rollback()
        elif not await self.fetch(postgres_lock.AGREES, *self._state[:3]):
            raise self._outrun()

    async def begin(self) -> None:
        await self.execute("BEGIN")
        state = None if self._locked else self._state
        if state is not None and not await self.fetch(postgres_lock.BEGUN, *state[:3]):
            raise self._outrun()

    async def stage(self, plan: Plan) -> None:
        statements = postgres_text.operations(plan)
        if not statements:
            return
        try:
            await self._write(statements, "", ())
        except driver.Violation as violation:
            raise _learned(violation, plan) from violation.__cause__

    async def _write(
        self, statements: list[postgres_text.Operation], swap: str, args: Sequence[Any]
    ) -> Sequence[Sequence[Any]]:
        """In one statement. What `swap` tells."""
        text = postgres_text.together(tuple(op.part for op in statements), swap)
        return await self._run(self._raw.fetch(text, *args, *[arg for op in statements for arg in op.args]))

    async def _at_once(
        self, statements: list[postgres_text.Operation], swap: str, args: Sequence[Any]
    ) -> Sequence[Sequence[Any]]:
        try:
            return await self._write(statements, swap, args)
        except driver.Lost as lost:
            raise driver.Lost(str(lost), committing=True) from lost.__cause__

    async def _committed(self) -> None:
        try:
            tag = await self.execute("COMMIT")
        except driver.Lost as lost:
            raise driver.Lost(str(lost), committing=True) from lost.__cause__
        if tag != "COMMIT":
            raise driver.Busy("the server rolled back")

    async def rollback(self) -> None:
        """Also gives the lock back that is the session's. What is known is read again."""
        self._state = None
        begun, locked, self._locked = self._raw.is_in_transaction(), self._locked, False
        if begun or locked:
            await self.execute(f"ROLLBACK; {postgres_lock.GIVE}" if begun else postgres_lock.GIVE)


def _learned(violation: driver.Violation, plan: Plan) -> driver.Violation:
    """A key that nobody looked at exists: such rows of this table replace from now on."""
    cause = violation.__cause__
    constraint = getattr(cause, "constraint_name", None)
    for shape, _ in plan.blind:
        if not shape.blind_upsert and constraint == name_of("pk", shape.name, ()):
            shape.blind_upsert = True
            return driver.Violation(violation.kind, again=True)
    return violation


def milliseconds(seconds: float) -> str:
    return str(int(seconds * 1000))
