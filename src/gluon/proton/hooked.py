"""Code of a service's own around its units: checks inside the decision, `before` hooks and actions ahead of it.

In: the hooks of a resource. Out: refusals, attributes to set, an action's answer. Invariant: what a
`before` hook or an action has read still holds when the unit commits, else the hook runs again (an action
does not: the request is refused). A hook that fails refuses the request by its name.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

import msgspec
import structlog

from gluon import errors
from gluon.objects import codec, journal
from gluon.particles import tables
from gluon.proton import access, checks, registry, units, work
from gluon.spi import hooks, store

log = structlog.get_logger(__name__)

BEFORE_LIMIT = 5.0
"""Seconds that one `before` hook may take."""
ACTION_LIMIT = 30.0
_SLOW = 0.01
"""Seconds of a check from which on it is told: everybody's writes wait for it."""
_TRIES = 3

Attributes = Mapping[str, Any]
MakeUnit = Callable[[Attributes, Attributes], store.Unit]
"""The unit with these values and written forms set beside those of the body."""
Predict = Callable[[store.Row | None], store.Row | None]
"""The row after the change, for the row before it."""


class Moved(errors.Conflict):
    """Something that a hook has read is another now."""

    code = "moved"


def subject(
    resource: registry.Resource,
    op: journal.Operation,
    before: store.Row | None,
    after: store.Row | None,
    *,
    who: str,
    request_id: str,
) -> hooks.Subject:
    """A change as hooks are told of it."""
    row = after if after is not None else before
    assert row is not None
    return hooks.Subject(
        op=op,
        api=resource.api,
        type=resource.name,
        key=str(row[resource.records.key_column]),
        project=units.text_of(row[tables.PROJECT]),
        who=who,
        request_id=request_id,
        old=None if before is None else resource.records.plain(before),
        new=None if after is None else resource.records.plain(after),
    )


def judge(state: work.Work) -> None:
    """Every `check` hook of what the unit touched. Raises what they raise, or `HookFailed`."""
    for touched in state.touched:
        for name, code in touched.resource.check_hooks:
            told = subject(
                touched.resource,
                work.operation(touched.before, touched.after),
                touched.before,
                touched.after,
                who=state.who,
                request_id=state.request_id,
            )
            _check(name, code, told, _Look(touched.resource, state))


class _Look:
    """What a check may read. The store interrupts a decision to read more: a check must not swallow that."""

    def __init__(self, resource: registry.Resource, view: store.View) -> None:
        self._family = resource.family
        self._view = view
        self.interrupted: BaseException | None = None

    def __call__(self, object_type: str, key: str) -> Mapping[str, Any] | None:
        resource = _known(self._family, object_type)
        try:
            row = self._view.get(resource.table, key)
        except BaseException as interruption:
            self.interrupted = interruption
            raise
        return None if row is None else resource.records.plain(row)


def _check(name: str, code: hooks.Check, told: hooks.Subject, look: _Look) -> None:
    began = time.perf_counter()
    try:
        code(told, look)
    except BaseException as error:
        if look.interrupted is None:
            raise _failed(name, error) from error
    if look.interrupted is not None:
        raise look.interrupted
    taken = time.perf_counter() - began
    if taken > _SLOW:
        log.warning("a check holds up all writes", hook=name, milliseconds=round(taken * 1e3))


class Readings:
    """`hooks.Reader`: what a hook reads, and at which revision."""

    def __init__(self, resource: registry.Resource, database: store.Store) -> None:
        self._resource = resource
        self._family = resource.family
        self._store = database
        self._seen: dict[store.Lookup, store.Value] = {}

    async def get(self, object_type: str, key: str) -> Mapping[str, Any] | None:
        resource = _known(self._family, object_type)
        row = await self._store.get(resource.table, key)
        self.note(resource, key, row)
        return None if row is None else resource.records.plain(row)

    def note(self, resource: registry.Resource, key: store.Value, row: store.Row | None) -> None:
        """The first reading counts: what changed between two of them has moved."""
        self._seen.setdefault(resource.lookup(key), None if row is None else row[tables.REVISION])

    def guard(self, unit: store.Unit) -> store.Unit:
        """`unit`, refused if anything read has changed since."""
        return _Guarded(unit, self._seen, self._resource)


class _Guarded:
    """A unit that holds only while some rows are at the revisions that were read."""

    __slots__ = ("_resource", "_seen", "_unit", "reads", "request_id", "who")

    def __init__(
        self, unit: store.Unit, seen: Mapping[store.Lookup, store.Value], resource: registry.Resource
    ) -> None:
        self._unit, self._seen, self._resource = unit, seen, resource
        self.who, self.request_id = unit.who, unit.request_id
        self.reads: Sequence[store.Lookup] = [*seen, *unit.reads]

    def decide(self, view: store.Batch) -> store.Changes:
        self._resource.check()
        for lookup, revision in self._seen.items():
            rows = view.rows(lookup.table, lookup.columns, lookup.values)
            if (rows[0][tables.REVISION] if rows else None) != revision:
                raise Moved(
                    "what a hook has read changed before its request was done", hint="send the request again"
                )
        return self._unit.decide(view)


async def guarded(
    database: store.Store,
    context: units.Context,
    op: journal.Operation,
    key: store.Value,
    predict: Predict,
    make: MakeUnit,
) -> store.Unit:
    """Run the `before` hooks of a change: its unit, refused with `Moved` if what they read has changed by then."""
    resource = context.resource
    readings = Readings(resource, database)
    before = None
    if op is not journal.Operation.CREATE:
        before = await database.get(resource.table, key)
        readings.note(resource, key, before)
        before = access.found(context, before, key, op.value)
    values: dict[str, Any] = {}
    written: dict[str, Any] = {}
    after = predict(before)
    if before is not None and after is not None:  # a hook's own word must not hide the client's
        changed = [n for n, column in resource.records.columns.items() if before[column] != after[column]]
        access.require_change(context, before, after, changed, ())
        checks.guarded(resource, before, after)
    elif after is not None:
        access.require_new(context, after, {})
    told = subject(resource, op, before, after, who=context.who, request_id=context.request_id)
    if context.dry_run:
        told = msgspec.structs.replace(told, dry_run=True)
    for name, code in resource.before_hooks:
        wanted = await _timed(name, partial(code, told, readings), BEFORE_LIMIT)
        if wanted and op is not journal.Operation.DELETE:
            checked = _judged(name, resource, wanted)
            values |= checked.values
            written |= checked.written
    return readings.guard(make(values, written))


async def again(run: Callable[[], Awaitable[store.Committed]]) -> store.Committed:
    """Run a change whose hooks come before it; again where something moved meanwhile."""
    for _ in range(_TRIES - 1):
        with suppress(Moved):
            return await run()
    return await run()


async def act(
    database: store.Store,
    context: units.Context,
    key: store.Value,
    doing: registry.Doing,
    taken: Mapping[str, Any],
    update: Callable[[Attributes, Attributes], store.Unit],
    row: store.Row,
) -> Mapping[str, Any]:
    """Run an action on an object, then set what it wants set. Never runs twice for one request."""
    resource, name = context.resource, doing.action.hook
    readings = Readings(resource, database)
    readings.note(resource, key, row)
    told = subject(
        resource, journal.Operation.UPDATE, row, None, who=context.who, request_id=context.request_id
    )
    outcome = await _timed(name, partial(doing.code, told, taken, readings), ACTION_LIMIT)
    if not (isinstance(outcome, hooks.Outcome) and isinstance(outcome.answer, Mapping)):
        raise errors.HookFailed(f"action '{doing.action.name}' gave no outcome", hint="tell its author")
    if not _is_json(outcome.answer):  # known before anything is written
        raise errors.HookFailed(
            f"action '{doing.action.name}' answered what is no JSON", hint="tell its author"
        )
    unit = None
    if outcome.changes:
        checked = _judged(name, resource, outcome.changes)
        unit = readings.guard(update(checked.values, checked.written))
    if unit is not None or context.terms is not None:
        try:
            await database.submit(context.bind(_Told(unit, outcome.answer, context)))
        except errors.StaleModel:
            told_why = "the model was replaced before the request was done"
            raise Moved(told_why, hint="send the request again") from None
    return outcome.answer


class _Told:
    """What an action wants changed, if anything; its answer is the result."""

    __slots__ = ("_answer", "_unit", "reads", "request_id", "who")

    def __init__(self, unit: store.Unit | None, answer: Mapping[str, Any], context: units.Context) -> None:
        self._unit, self._answer = unit, answer
        self.who, self.request_id = context.who, context.request_id
        self.reads: Sequence[store.Lookup] = unit.reads if unit is not None else ()

    def decide(self, view: store.Batch) -> store.Changes:
        changes = self._unit.decide(view) if self._unit is not None else store.Changes()
        changes.result = self._answer
        return changes


async def _timed(name: str, call: Callable[[], Any], limit: float) -> Any:
    """What a hook gives. It runs in a task of its own: it may pass over its cancellation, and raise what ends a task."""
    running = asyncio.create_task(_outcome(call), name=f"hook {name}")
    try:
        done, _ = await asyncio.wait({running}, timeout=limit)
    finally:
        running.cancel()
    if not done:
        raise errors.HookFailed(
            f"hook '{name}' took more than {limit:g} s", hint="send the request again later"
        )
    given, error = running.result()
    if error is not None:
        raise _failed(name, error) from error
    return given


async def _outcome(call: Callable[[], Any]) -> tuple[Any, BaseException | None]:
    try:
        return await call(), None
    except GeneratorExit:  # the loop is closed
        raise
    except BaseException as error:  # noqa: BLE001 - code of others: `sys.exit` must not end the server
        return None, error


def _judged(name: str, resource: registry.Resource, wanted: Attributes) -> Any:
    """A hook's attributes, by the same rules as a client's."""
    try:
        return resource.fields.check(wanted, partial=True)
    except Exception as error:
        raise _failed(name, ValueError(str(error))) from error


def _known(family: Mapping[str, registry.Resource], object_type: str) -> registry.Resource:
    try:
        return family[object_type]
    except KeyError:
        raise ValueError(f"the model has no object type {object_type}") from None


def _failed(name: str, error: BaseException) -> errors.GluonError:
    """What a hook refuses on purpose goes out as it is; anything else is the hook's own fault."""
    if isinstance(error, errors.Unavailable | errors.BusError):
        return error
    if isinstance(error, errors.Rejected) and _is_json(_words(error)):
        return error
    log.error("a hook failed", hook=name, exc_info=error)
    return errors.HookFailed(f"hook '{name}' failed", hint="send the request again later, or tell its author")


def _words(error: errors.Rejected) -> list[Any]:
    problems = error.problems if isinstance(error, errors.Invalid) else ()
    return [str(error), error.code, error.hint, error.legacy, problems]


def _is_json(value: Any) -> bool:
    try:
        codec.encode(value)
    except Exception:  # noqa: BLE001 - its methods are code of others
        return False
    return True
