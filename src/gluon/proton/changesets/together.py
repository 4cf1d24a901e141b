"""Changes of a change set as one unit: each is decided where it sees those before it, and all refusals are told at once.

In: the unit of each change. Out: their rows and entries as one, and what was done (`record.Done`). Deletes change places
among each other, so that a referrer goes before what it refers to, also where it goes along with another. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from gluon import errors
from gluon.objects import journal
from gluon.particles import tables
from gluon.proton import hooked, many, registry, unfold, units, work
from gluon.proton.changesets import names, record
from gluon.proton.changesets.asked import Change
from gluon.spi import store

MOST_BYTES = 8 * 1024 * 1024
"""Of all objects, before and after."""
_MOST_PROBLEMS = 100


class Part(msgspec.Struct, frozen=True):
    """A change and its unit."""

    change: Change
    context: units.Context
    unit: store.Unit


class _Refused(msgspec.Struct, frozen=True):
    part: Part
    why: errors.Rejected


class _Decided(msgspec.Struct, frozen=True):
    part: Part
    result: Any
    pairs: dict[record.Name, store.Row | None]
    lost: dict[str, list[str]]


class Together:
    """`holds`: rows that must still be as they were, and who says so where they are not."""

    __slots__ = ("_holds", "_parts", "reads", "request_id", "who")

    def __init__(
        self, parts: Sequence[Part], holds: record.Holds | None, *, who: str, request_id: str
    ) -> None:
        self.who, self.request_id = who, request_id
        self._parts, self._holds = parts, holds
        reads = [lookup for part in parts for lookup in part.unit.reads]
        if holds is not None:
            reads += holds.lookups()
        self.reads: Sequence[store.Lookup] = reads

    def decide(self, view: store.Batch) -> store.Changes:
        """Its result is a `record.Done`."""
        if self._holds is not None:
            self._holds.check(view)
        done = view.in_turn([_Step(part) for part in _in_turn(view, self._parts)])
        refused = [c.result for c in done if isinstance(c.result, _Refused)]
        if refused:
            raise _told(refused)
        together = store.Changes()
        pairs: dict[record.Name, store.Row | None] = {}
        lines: list[record.Line] = []
        for changes in done:
            decided: _Decided = changes.result
            together.writes += changes.writes
            together.entries += changes.entries
            for name, row in decided.pairs.items():
                pairs.setdefault(name, row)
            lines += _lines(decided, changes.entries, view.revision)
        _check_size(together.entries)
        results = {c.result.part.change.number: c.result.result for c in done}
        together.result = record.Done(
            parts={p.change.number: p for p in self._parts}, results=results, lines=lines, pairs=pairs
        )
        return together


class _Step:
    """One change; what refuses it is its result, so that those after it are judged as well."""

    __slots__ = ("_part",)

    def __init__(self, part: Part) -> None:
        self._part = part

    @property
    def reads(self) -> Sequence[store.Lookup]:
        return self._part.unit.reads

    @property
    def who(self) -> str:
        return self._part.unit.who

    @property
    def request_id(self) -> str:
        return self._part.unit.request_id

    def decide(self, view: store.Batch) -> store.Changes:
        look = _Look(view, self._part.context.resource)
        try:
            changes = self._part.unit.decide(look)
        except hooked.Moved:
            raise
        except errors.Rejected as refusal:
            return store.Changes(result=_Refused(self._part, refusal))
        lost = _lost(view, self._part.context.resource, changes)
        changes.result = _Decided(self._part, changes.result, look.pairs, lost)
        return changes


class _Look:
    """The view, and which objects were read at which revisions, as they were before this unit."""

    __slots__ = ("_keys", "_view", "incarnation", "now", "pairs", "revision")

    def __init__(self, view: store.Batch, resource: registry.Resource) -> None:
        self._view = view
        self._keys = {r.table: r for r in resource.family.values()}
        self.pairs: dict[record.Name, store.Row | None] = {}
        self.revision, self.now, self.incarnation = view.revision, view.now, view.incarnation

    def get(self, table: str, *key: store.Value) -> store.Row | None:
        row = self._view.get(table, *key)
        self._note(table, key[0], row)
        return row

    def rows(
        self, table: str, columns: tuple[str, ...], values: tuple[store.Value, ...]
    ) -> Sequence[store.Row]:
        found = self._view.rows(table, columns, values)
        resource = self._keys.get(table)
        if resource is not None:
            for row in found:
                self._note(table, row[resource.records.key_column], row)
            if not found and columns == (resource.records.key_column,):
                self._note(table, values[0], None)
        return found

    def _note(self, table: str, key: store.Value, row: store.Row | None) -> None:
        resource = self._keys.get(table)
        if resource is None or key is None:
            return
        if row is None or row[tables.REVISION] != self.revision:  # else it is this change set's own doing
            self.pairs.setdefault((resource.api, resource.name, str(key)), row)

    def prefetch(self, lookups: Sequence[store.Lookup]) -> None:
        self._view.prefetch(lookups)

    def in_turn(self, several: Sequence[store.Unit]) -> Sequence[store.Changes]:
        return self._view.in_turn(several)


def _in_turn(view: store.Batch, parts: Sequence[Part]) -> list[Part]:
    """The changes as they are done: the places of deletes are taken by those deletes in another order."""
    places = [n for n, part in enumerate(parts) if part.change.op is journal.Operation.DELETE]
    if len(places) < 2:
        return list(parts)
    gone = [parts[n] for n in places]
    order, left = names.ordered(len(gone), _before(view, gone))
    turned = list(parts)
    for place, n in zip(places, [*order, *left], strict=True):
        turned[place] = gone[n]
    return turned


def _before(view: store.Batch, gone: Sequence[Part]) -> dict[int, set[int]]:
    """Which deletes go before each: those of objects that it would take along or change, and those that take along what stands
    in its way."""
    found = [(part.context.resource, part.context.resource.fields.key(part.change.key)) for part in gone]
    view.prefetch([resource.lookup(key) for resource, key in found])
    own: dict[tuple[str, unfold.Name], int] = {}
    for n, (resource, key) in enumerate(found):
        own.setdefault((resource.api, (resource.name, key)), n)
    leaving = [_leaving(view, part.context, *one) for part, one in zip(gone, found, strict=True)]
    takes: dict[tuple[str, unfold.Name], set[int]] = {}
    for n, (resource, _) in enumerate(found):
        for name in leaving[n].going:
            takes.setdefault((resource.api, name), set()).add(n)
    before: dict[int, set[int]] = {}
    for n, (resource, _) in enumerate(found):
        here, api = leaving[n], resource.api
        first = {own[api, name] for name in (*here.going, *here.unset) if (api, name) in own}
        before[n] = first.union(*(takes.get((api, name), ()) for name in here.left)) - {n}
    return before


def _leaving(
    view: store.Batch, context: units.Context, resource: registry.Resource, key: store.Value
) -> unfold.Leaving:
    """What a delete would come to if it were the only one; nothing where it is refused."""
    row = view.get(resource.table, key)
    if row is None:
        return unfold.Leaving()
    try:
        return unfold.leaving(work.Work(view, context), context.ledger, resource, row)
    except errors.Conflict:
        return unfold.Leaving()


def _lost(view: store.View, resource: registry.Resource, changes: store.Changes) -> dict[str, list[str]]:
    """By type and key, secrets that the change replaces: the journal does not know them, so nobody can bring them back."""
    kinds = {r.table: r for r in resource.family.values() if r.records.has_secrets}
    found: dict[str, list[str]] = {}
    for table, write in changes.writes if kinds else ():
        kind = kinds.get(table)
        if kind is None:
            continue
        key = write[0] if isinstance(write, tuple) else write[kind.records.key_column]
        before, after = view.get(table, key), None if isinstance(write, tuple) else write
        if before is None:
            continue
        columns = {name: kind.records.column(name) for name in sorted(kind.fields.secret)}
        gone = [
            name
            for name, column in columns.items()
            if before[column] is not None and (after is None or after[column] != before[column])
        ]
        if gone:
            found[f"{kind.name}/{key}"] = gone
    return found


def _lines(decided: _Decided, entries: Sequence[journal.Draft], revision: int) -> list[record.Line]:
    """What a change did, its own object first; also where it changed nothing."""
    part = decided.part
    resource, number = part.context.resource, part.change.number
    mine = _key_of(decided)
    found: list[record.Line] = []
    for draft in entries:
        if draft.api == journal.GLUON:
            continue
        own = draft.type == resource.name and draft.key == mine
        lost = decided.lost.get(f"{draft.type}/{draft.key}", [])
        line = record.Line(
            change=number, own=own, op=draft.op.value, api=draft.api, type=draft.type, key=draft.key,
            project=draft.project, revision=revision, lost=lost,
            old=record.raw(draft.old), new=record.raw(draft.new),
        )  # fmt: skip
        found.append(line)
    if isinstance(decided.result, units.Result) and not any(line.own for line in found):
        row = decided.result.row
        whole = record.raw(resource.records.document(row))
        found.append(
            record.Line(
                change=number,
                own=True,
                op="update",
                api=resource.api,
                type=resource.name,
                key=mine,
                project=units.text_of(row[tables.PROJECT]),
                revision=int(row[tables.REVISION] or 0),
                lost=[],
                old=whole,
                new=whole,
            )
        )
    return found


def _key_of(decided: _Decided) -> str:
    resource = decided.part.context.resource
    if isinstance(decided.result, units.Result):
        return str(decided.result.row[resource.records.key_column])
    return str(resource.fields.key(decided.part.change.key))


def _check_size(entries: Sequence[journal.Draft]) -> None:
    if len(entries) > work.MOST:
        raise errors.Conflict(
            f"the change set would change {len(entries)} objects with those that go along, and may change {work.MOST}",
            code="too_many",
            hint="split the change set",
        )
    size = sum(len(draft.old or b"") + len(draft.new or b"") for draft in entries)
    if size > MOST_BYTES:
        raise errors.TooLarge(
            f"the objects of the change set have {size} bytes before and after it, {MOST_BYTES} at most may be",
            hint="split the change set",
        )


# -- refusals ---------------------------------------------------------------------------------


def _told(refused: Sequence[_Refused]) -> errors.Rejected:
    """All of them as one. What is only missing because another change was refused is left out."""
    bad = {one.part.change.number for one in refused}
    found: list[tuple[errors.Rejected, list[errors.FieldProblem]]] = []
    for one in sorted(refused, key=lambda r: r.part.change.number):
        problems = problems_of(one.part.change, one.why)
        if not bad.isdisjoint(one.part.change.uses):
            problems = [p for p in problems if p.code not in ("reference", "not_found")]
        if problems:
            found.append((one.why, problems))
    return refusal(found)


def refusal(found: Sequence[tuple[errors.Rejected, list[errors.FieldProblem]]]) -> errors.Rejected:
    """One refusal of many; its kind is that of the first."""
    problems = [p for _, several in found for p in several][:_MOST_PROBLEMS]
    first = found[0][0]
    if isinstance(first, errors.Invalid):
        return errors.Invalid(problems)
    told = type(first)(f"{problems[0].pointer}: {first}", code=first.code, hint=first.hint)
    told.problems = tuple(problems)
    return told


def problems_of(change: Change, why: errors.Rejected) -> list[errors.FieldProblem]:
    """A refusal of one change in terms of the request."""
    if isinstance(why, errors.Invalid) and change.edition is not None:
        why = change.edition.blamed(why)
    if why.problems:
        return many.moved(why.problems, f"{change.place}/body")
    place = change.place
    if isinstance(why, errors.Stale):
        place += "/if_match"
    elif isinstance(why, errors.NotFound) and change.key is not None:
        place += "/key"
    return [errors.FieldProblem(pointer=place, code=why.code, message=str(why), hint=why.hint)]
