"""Who waits, collects: the process with the waiting request takes the reply and commits the result.

A wait holds no thread and polls nothing: it wakes for the port's status keys, for a shim that
registers, and once a second as a net. The leader's sweep ends binds that nobody waits for.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from gluon import errors
from gluon.arbiter import advance, assign, bindings, replies, tables, timing
from gluon.objects import keys, status
from gluon.proton import registry
from gluon.spi import ports, store

_NET = 1.0
"""Seconds after which a wait looks at the database by itself."""
_SWEPT = 10_000
"""Bindings of one state that one sweep looks at."""

Subscribe = Callable[[str, str, str], AbstractAsyncContextManager[AsyncIterator[replies.Item]]]
"""`subscribe(api, object_type, key)`: the status keys of one object, present values first."""


class Roster(assign.Registrations, Protocol):
    """Registrations that tell when they change."""

    @property
    def version(self) -> int:
        """Grows with each change."""

    async def changed(self, after: int) -> int:
        """Wait until `version` is above `after`; returns it."""


class Binder:
    """Settles binds for the requests of one process, and overdue ones for everybody."""

    def __init__(
        self,
        database: store.Store,
        known: registry.Registry,
        assigner: assign.Assigner,
        roster: Roster,
        subscribe: Subscribe,
        unreachable: Callable[[], Awaitable[str]],
    ) -> None:
        """`unreachable`: asked for an overdue bind, why the bus cannot carry answers now, or empty."""
        self._store = database
        self._registry = known
        self._assigner = assigner
        self._roster = roster
        self._subscribe = subscribe
        self._unreachable = unreachable
        self.times = timing.Times()

    def unit(self, items: Sequence[replies.Item]) -> store.Unit:
        """The unit that takes some status keys as they are now."""
        return replies.Replies(self._registry, self._assigner, items)

    async def settle(
        self, resource: registry.Resource, wait: ports.PortWait, rows: list[store.Row] | None = None
    ) -> bindings.Binding | None:
        """Return once the bind is no longer in state Binding; the outcome of the active one is in the port's row too, which is
        added to `rows` where it is known. None: it went meanwhile."""
        began = time.perf_counter()
        begun = wait.begun
        current = begun if isinstance(begun, bindings.Binding) else await self._read(wait.port, wait.host)
        async with self._subscribe(resource.api, resource.name, wait.port) as stream:
            reply = asyncio.ensure_future(anext(stream))
            roster = asyncio.ensure_future(self._roster.changed(self._roster.version))
            try:
                while current is not None and current.state is bindings.State.BINDING:
                    left = max(0.0, current.deadline - time.time()) + 0.005
                    await asyncio.wait(
                        {reply, roster}, timeout=min(_NET, left), return_when=asyncio.FIRST_COMPLETED
                    )
                    item = None
                    if reply.done():
                        item = reply.result()
                        reply = asyncio.ensure_future(anext(stream))
                    if roster.done():
                        roster = asyncio.ensure_future(self._roster.changed(roster.result()))
                    if item is not None:
                        self.times.add("answer", "reply", time.perf_counter() - began)
                    current = await self._step(current, item, rows)
                outcome = current.state.value if current is not None else "gone"
                self.times.add("whole", outcome, time.perf_counter() - began)
                return current
            finally:
                reply.cancel()
                roster.cancel()
                await asyncio.gather(reply, roster, return_exceptions=True)

    async def _step(
        self, current: bindings.Binding, item: replies.Item | None, rows: list[store.Row] | None
    ) -> bindings.Binding | None:
        """The binding after a reply; without one, or too late, after a look at everything else."""
        try:
            if item is not None:
                after = await self._take(current, item, rows)
                if after is None or after.state is not bindings.State.BINDING or time.time() < after.deadline:
                    return after
            stored = await self._read(current.port, current.host)
            if stored is None or stored.state is not bindings.State.BINDING:
                return stored
            return await self._advance(stored)
        except errors.Unavailable:
            if time.time() > current.deadline + bindings.UNBIND_DEADLINE:
                raise
            await asyncio.sleep(_NET)
            return current

    async def _take(
        self, current: bindings.Binding, item: replies.Item, rows: list[store.Row] | None
    ) -> bindings.Binding | None:
        """Only what answers this bind, or a later one that others began, is worth a unit."""
        epoch = _epoch(item, current.host)
        if epoch < current.epoch:
            # Of another bind: perhaps this one was taken back for that, and nobody will ever answer it.
            return await self._read(current.port, current.host)
        if epoch > current.epoch:
            found = await self._read(current.port, current.host)
            if found is None or found.state is not bindings.State.BINDING or found.epoch != epoch:
                return found
            current = found
        if item[0].controller not in current.controllers:
            return current
        unit = replies.Replies(self._registry, self._assigner, [item], waiter=True)
        began = time.perf_counter()
        done = await self._store.submit(unit)
        after = done.result
        outcome = after.state.value if isinstance(after, bindings.Binding) else "gone"
        self.times.add("commit", outcome, time.perf_counter() - began)
        if isinstance(after, bindings.Binding) and after.host == current.host:
            ended = after.state is not bindings.State.BINDING
            if rows is not None and unit.shown is not None and ended:
                rows.append(unit.shown)
            return after
        return await self._read(current.port, current.host)

    async def _advance(self, binding: bindings.Binding) -> bindings.Binding | None:
        """`binding` after a look at the time and at the controllers; nothing is written if all is well."""
        now = time.time()
        late = 0 < binding.deadline <= now
        binds = binding.state is bindings.State.BINDING and binding.controllers
        gone = self._assigner.gone(binding, now) if binds else ()
        if binding.controllers and not late and not gone:
            return binding
        why = await self._unreachable() if late and binding.controllers else ""
        done = await self._store.submit(
            advance.Advance(
                self._registry,
                self._assigner,
                api=binding.api,
                object_type=binding.object_type,
                port=binding.port,
                host=binding.host,
                unreachable=why,
                gone=gone,
                epoch=binding.epoch,
            )
        )
        result: bindings.Binding | None = done.result
        return result

    async def _read(self, port: str, host: str) -> bindings.Binding | None:
        row = await self._store.get(tables.BINDING, port, host)
        return bindings.read(row) if row is not None else None

    async def sweep(self) -> int:
        """Look at every binding that is under way; returns how many there are. The leader's work."""
        count = 0
        for state in (bindings.State.BINDING, bindings.State.UNBINDING):
            rows = await self._store.select(
                store.Select(table=tables.BINDING, equals=(("state", state.value),), limit=_SWEPT)
            )
            count += len(rows)
            for row in rows:
                await self._advance(bindings.read(row))
        return count

    async def reported(self) -> AsyncIterator[keys.StatusKey]:
        """Every status key that the database knows of."""
        async with self._store.snapshot() as snapshot:
            async for chunk in snapshot.scan(tables.STATUS):
                for row in chunk:
                    yield keys.StatusKey(
                        controller=str(row["controller"]),
                        shard=str(row["shard"]),
                        api=str(row["api"]),
                        object_type=str(row["object_type"]),
                        key=str(row["object_key"]),
                    )


def _epoch(item: replies.Item, host: str) -> int:
    """Of the bind that a status key answers for a host; 0 if it answers none."""
    value = item[1]
    if value is None:
        return 0
    try:
        said = status.decode_report(value).bindings.get(host)
    except ValueError:
        return 0
    return said.epoch if said is not None else 0
