"""The rounds: desired rows of what is due, compared with the actual ones, applied, reported.

In: `Work` from the queue. Out: calls of the backend's `apply`, words for the reporter. Invariants:
nothing is programmed while the world is not complete; what is not known to be as written is read
again; one scope that fails stands in nobody's way. Called by `session`, one round at a time.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Iterable
from dataclasses import replace
from functools import partial
from typing import Literal, TypeVar

from gluon.objects import status
from gluon.shim import calls, delta, said, served
from gluon.shim.binder import Binder
from gluon.shim.cache import Cache
from gluon.shim.calls import Failure
from gluon.shim.queue import Queue, Work
from gluon.shim.report import Reporter
from gluon.shim.secrets import wiped
from gluon.shim.settings import Stats
from gluon.spi.backend import Backend, Delta, ObjectStatus, Ref, Rows

_SLICE = 0.002
"""Seconds of computing after which others on the event loop get a turn."""
_TURN = 0.001
"""Seconds that they get while a reply to a binding is on its way."""
_FEW = 64
"""Members of a scope that are looked at at once after any change in it."""


T = TypeVar("T")


class _Abandoned(Exception):
    """The round cannot go on; what it had taken is in the queue again."""


class Reconciler:
    """Keeps the rows of one shard what they should be."""

    def __init__(
        self,
        backend: Backend,
        cache: Cache,
        queue: Queue,
        reporter: Reporter,
        binder: Binder,
        *,
        stats: Stats,
    ) -> None:
        self._backend = backend
        self._cache = cache
        self._world = cache.world
        self._queue = queue
        self._reporter = reporter
        self._binder = binder
        self._stats = stats
        self._actual: delta.Actual | None = None
        self._failures: dict[str | None, Failure] = {}
        self._members: dict[str, frozenset[Ref]] = {}
        self.started = False
        """Whether the backend has been started: it is asked for no status before."""
        self._turn = 0.0
        self.busy = 0.0
        """Seconds of computing in the last round."""

    def retry_all(self) -> None:
        """The outside changed: what was given up may work now."""
        self._failures.clear()

    async def round(self, work: Work) -> None:
        """Do all of `work`."""
        began, self.busy = time.monotonic(), 0.0
        self._turn = began
        try:
            if self._cache.refused:  # programming could only do harm: whose rows are the refused proton's?
                await self._report(await self._everything() if work.full else work.refs)
            else:
                await self._reconcile(work)
        except _Abandoned:
            self._queue.add(work.scopes, work.refs)
        self._stats.rounds += 1
        self._stats.full_scans += work.full
        now = time.monotonic()
        self.busy += now - self._turn
        self._stats.last_round_seconds = now - began
        if work.refs:
            self._stats.lag_seconds = now - work.since

    async def fail(self, failure: Failure) -> None:
        """The whole shard cannot be programmed now: say so of every object that is ours."""
        self._stats.failures += 1
        self._failures[None] = failure
        self._queue.retry(None, failure.after)
        if self._cache.complete:
            await self._report(await self._everything(), pending=True)

    async def _reconcile(self, work: Work) -> None:
        if work.full or self._actual is None:
            self._actual = await self._read()
            scopes, refs = await self._all_scopes(self._actual), await self._everything()
        else:
            scopes, refs = set(work.scopes), set(work.refs)
            for scope in scopes:
                self._failures.pop(scope, None)
        desired = await self._desired(scopes)
        self._check_complete()
        await self._bring(desired)
        for scope in scopes:
            members = self._members_of(scope)
            if scope in work.looked or len(members) <= _FEW:
                refs |= members
            elif not work.full:
                self._queue.add_later(members)
            await self._breathe()
        await self._report(refs)

    def _check_complete(self) -> None:
        """Raises `_Abandoned` where nothing may be programmed by now: others had their turns."""
        if not self._cache.complete or self._cache.refused:
            self._queue.add_all()
            raise _Abandoned

    async def _read(self) -> delta.Actual:
        """Read the actual rows, or give the round up."""
        self._actual = None
        found = await self._outside(calls.actual(self._backend))
        if isinstance(found, Failure):
            await self.fail(found)
            raise _Abandoned
        self._failures.pop(None, None)
        self._queue.backoff.clear(None)
        actual = delta.Actual()
        for scope, rows in found.items():
            actual.set(scope, rows)
            await self._breathe()
        return actual

    async def _all_scopes(self, actual: delta.Actual) -> set[str]:
        """Those that have rows, and those that should."""
        found = set(actual.scopes)
        names = calls.ask("all_scopes", lambda: iter(self._backend.all_scopes(self._world)))
        while not isinstance(names, Failure):
            name = calls.ask("all_scopes", partial(next, names, None))
            if name is None or isinstance(name, Failure):
                break
            found.add(name)
            await self._breathe()
        return found

    async def _desired(self, scopes: Iterable[str]) -> dict[str, Rows]:
        """The rows of each scope that is due and can be computed."""
        found: dict[str, Rows] = {}
        now = time.monotonic()
        for scope in sorted(scopes):
            failure = self._failures.get(scope)
            if failure is not None and (failure.final or self._queue.backoff.due(scope) > now):
                continue
            rows = calls.desired(self._backend, self._world, scope)
            if isinstance(rows, Failure):
                self._note(scope, rows)
            else:
                found[scope] = rows
            await self._breathe()
        return found

    async def _bring(self, desired: dict[str, Rows]) -> None:
        """Apply in one go; if that fails, scope by scope, to see which it was."""
        failure = await self._apply(desired)
        if failure is None:
            return
        for scope, rows in desired.items():
            if len(desired) > 1:
                self._actual = await self._read()
                failure = await self._apply({scope: rows})
            if failure is not None:
                self._note(scope, failure)
        self._actual = await self._read()

    async def _apply(self, desired: dict[str, Rows]) -> Failure | None:
        change = await self._compared(desired)
        self._check_complete()
        if change:
            began = time.monotonic()
            found = await self._outside(calls.act("apply", partial(self._backend.apply, change)))
            self._stats.applies += 1
            self._stats.apply_seconds += time.monotonic() - began
            if isinstance(found, Failure):
                return found
            self._stats.rows_made += len(change.make)
            self._stats.rows_changed += len(change.change)
            self._stats.rows_removed += len(change.remove)
        await self._written(desired)
        return None

    async def _compared(self, desired: dict[str, Rows]) -> Delta:
        assert self._actual is not None
        comparison = delta.Comparison(self._actual)
        for rows in desired.values():
            comparison.want(rows)
            await self._breathe()
        for scope, rows in desired.items():
            comparison.judge(scope, rows)
            await self._breathe()
        return comparison.delta

    async def _written(self, desired: dict[str, Rows]) -> None:
        for scope, rows in desired.items():
            assert self._actual is not None
            self._actual.set(scope, rows)
            self._failures.pop(scope, None)
            self._queue.backoff.clear(scope)
            await self._breathe()

    def _note(self, scope: str, failure: Failure) -> None:
        self._stats.failures += 1
        self._failures[scope] = failure
        if not failure.final:
            self._queue.retry(scope, failure.after)

    # Saying how it went.

    async def _report(self, refs: Iterable[Ref], *, pending: bool = False) -> None:
        """`pending`: also what waits to be acted on."""
        for ref in refs:
            if not self._cache.complete:
                self._queue.add_all()
                return
            # What changed meanwhile is reported when that change has been acted on.
            if pending or not self._queue.holds(ref):
                self._reporter.settle(ref, self._word(ref), self._binder.hosts(ref))
            await self._breathe()

    def _word(self, ref: Ref) -> said.Said | None:
        if why := self._cache.refusal(ref.api):
            return self._refused_word(ref, why)
        stored = self._world.get(ref)
        revision = stored.revision if stored else 0
        failure = self._failure(ref)
        found: ObjectStatus | Failure | None
        if self.started:
            found = calls.status_of(self._backend, self._world, ref)
        else:
            found = ObjectStatus() if self._binder.hosts(ref) else None
        if isinstance(found, Failure):
            failure, found = found, ObjectStatus()
        if found is None:
            return None
        conditions = wiped(found.conditions)
        if failure is not None:
            conditions = _with_failure(conditions, failure)
            if not failure.final:
                revision = min(revision, self._reporter.observed(ref))
        up, ready = {}, {}
        for bound in self._world.bindings_of(ref):
            if bound.wanted.active and found.up:
                up[bound.host] = bound.wanted.epoch
            elif not bound.wanted.active and bound.host in found.plugged:
                ready[bound.host] = bound.wanted.epoch
        word = said.Said(observed_revision=revision, conditions=conditions, up=up, ready=ready)
        if failure is not None and failure.final:
            word = replace(word, failed=failure.reason, message=failure.message)
        return word

    def _refused_word(self, ref: Ref, why: str) -> said.Said | None:
        revision = self._cache.revision_of(ref)
        if revision is None:
            return None
        return said.Said(observed_revision=revision, conditions=(served.too_new(why),))

    def _failure(self, ref: Ref) -> Failure | None:
        """What stands in the way of an object: of one of its scopes, or of the whole shard."""
        if not self._failures:
            return None
        whole = self._failures.get(None)
        if whole is not None:
            return whole
        scopes = calls.scopes(self._backend, self._world, ref)
        if isinstance(scopes, Failure):
            return scopes
        return next((self._failures[s] for s in sorted(scopes) if s in self._failures), None)

    def _members_of(self, scope: str) -> frozenset[Ref]:
        """With those that were members before: an object that left has another status now."""
        before = self._members.pop(scope, frozenset())
        now = calls.members(self._backend, self._world, scope)
        if isinstance(now, Failure):
            return before
        if now:
            self._members[scope] = now
        return before | now

    async def _everything(self) -> set[Ref]:
        """All that there may be something to say of."""
        found = set(self._cache.unseen())
        for stored in self._world.objects():
            if not self._cache.refusal(stored.ref.api):
                found.add(stored.ref)
            await self._breathe()
        for ref in self._reporter.known():
            found.add(ref)
            await self._breathe()
        return found

    # Turns on the event loop.

    async def _outside(self, call: Awaitable[T]) -> T:
        self.busy += time.monotonic() - self._turn
        try:
            return await call
        finally:
            self._turn = time.monotonic()

    async def _breathe(self) -> None:
        spent = time.monotonic() - self._turn
        if spent > _SLICE:
            self.busy += spent
            await asyncio.sleep(_TURN if self._reporter.replying else 0)
            self._turn = time.monotonic()


def _with_failure(conditions: tuple[status.Condition, ...], failure: Failure) -> tuple[status.Condition, ...]:
    """The failure overrides what the backend says of the same."""
    no: Literal["False"] = "False"
    types = [status.PROGRAMMED] + ([status.READY] if failure.final else [])
    said_so = [
        status.Condition(type=t, status=no, reason=failure.reason, message=failure.message) for t in types
    ]
    return (*(c for c in conditions if c.type not in types), *said_so)
