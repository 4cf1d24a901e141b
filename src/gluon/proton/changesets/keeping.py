"""The units of change sets: done and kept as history, or only planned, or done as planned.

In: the changes as one unit. Out: a `Kept`. A plan holds the request, the keys and values that were shown, and what was
read; it is done once. Invariant: what is done by a plan is what the plan has shown. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from gluon import errors
from gluon.objects import codec
from gluon.proton import terms, units
from gluon.proton.changesets import record, together
from gluon.proton.tables import CHANGESET, CONTENT, PLAN
from gluon.spi import store

LIFE = terms.PLANNED
_NAMED = 10


class Plan(msgspec.Struct, kw_only=True):
    """`granted` by the number of the change: keys and values of pools that were shown, and what an undo sets."""

    request: dict[str, Any]
    keys: dict[str, str]
    granted: dict[str, dict[str, Any]]
    pairs: list[record.Pair]
    content: record.Content
    undoes: str | None = None

    @classmethod
    def of(cls, text: store.Value) -> Plan:
        return msgspec.json.decode(str(text), type=cls)


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """`row` of the history or of the `plan`; `done` None: it was done before."""

    row: store.Row
    content: record.Content
    done: record.Done | None = None
    plan: Plan | None = None


def expired(row: store.Row, now: str) -> bool:
    return datetime.fromisoformat(str(row["at"])) + LIFE < datetime.fromisoformat(now)


class Doing:
    """Changes that are done and kept; a plan's with the `plan` that says what they must come to."""

    __slots__ = ("_heading", "_notes", "_plan", "_unit", "reads", "request_id", "who")

    def __init__(
        self,
        unit: together.Together,
        heading: record.Heading,
        notes: list[dict[str, Any]],
        plan: Plan | None = None,
    ) -> None:
        self._unit, self._heading, self._notes, self._plan = unit, heading, notes, plan
        self.who, self.request_id = unit.who, unit.request_id
        reads = list(unit.reads)
        if plan is not None:
            reads += [store.Lookup(table, ("id",), (heading.id,)) for table in (CHANGESET, CONTENT, PLAN)]
        self.reads: Sequence[store.Lookup] = reads

    def decide(self, view: store.Batch) -> store.Changes:
        heading, plan = self._heading, self._plan
        if plan is not None:
            before = view.get(CHANGESET, heading.id)
            content = view.get(CONTENT, heading.id)
            if before is not None and content is not None:
                return store.Changes(result=Kept(row=before, content=record.content_of(content["document"])))
            row = view.get(PLAN, heading.id)
            if row is None or expired(row, view.now):
                raise gone(heading.id)
        changes = self._unit.decide(view)
        done: record.Done = changes.result
        content_now = done.content(self._notes)
        if plan is not None:
            _check_same(plan.content, content_now)
            content_now.taken = plan.content.taken
            changes.delete(PLAN, heading.id)
        row = record.keep(changes, heading, content_now, view)
        changes.result = Kept(row=row, content=content_now, done=done)
        return changes


class Planning:
    """Changes that are only planned: nothing is kept but the plan."""

    __slots__ = ("_granted", "_heading", "_notes", "_request", "_unit", "reads", "request_id", "who")

    def __init__(
        self,
        unit: together.Together,
        heading: record.Heading,
        notes: list[dict[str, Any]],
        request: dict[str, Any],
        granted: dict[int, dict[str, Any]],
    ) -> None:
        self._unit, self._heading, self._notes = unit, heading, notes
        self._request, self._granted = request, granted
        self.who, self.request_id, self.reads = unit.who, unit.request_id, unit.reads

    def decide(self, view: store.Batch) -> store.Changes:
        done: record.Done = self._unit.decide(view).result
        content = done.content(self._notes)
        granted = {str(n): dict(values) for n, values in self._granted.items()}
        for taken in content.taken:
            granted.setdefault(str(taken.change), {})[taken.attribute] = taken.value
        heading = self._heading
        plan = Plan(
            request=self._request,
            keys=_keys(done),
            granted=granted,
            pairs=record.pairs_of(done),
            content=content,
            undoes=heading.undoes,
        )
        row: store.Row = {
            "id": heading.id, "project": heading.project, "who": heading.who, "at": view.now,
            "document": codec.encode(plan).decode(),
        }  # fmt: skip
        changes = store.Changes(result=Kept(row=row, content=content, done=done, plan=plan))
        changes.put(PLAN, row)
        return changes


def _keys(done: record.Done) -> dict[str, str]:
    """Keys of ours that new objects were shown with."""
    found = {}
    for number, part in done.parts.items():
        result = done.results[number]
        if part.change.made_key is not None and isinstance(result, units.Result):
            found[str(number)] = str(result.row[part.context.resource.records.key_column])
    return found


def _check_same(shown: record.Content, now: record.Content) -> None:
    """Raises `Conflict` where doing the plan comes to something else than it has shown."""
    before, after = (sorted(_facts(line) for line in content.lines) for content in (shown, now))
    if before == after:
        return
    theirs = {fact[:4]: fact for fact in before}
    other = [fact for fact in after if theirs.get(fact[:4]) != fact]
    other += [fact for fact in before if fact[:4] not in {f[:4] for f in after}]
    seen = [f"{kind} '{key}' of {api}" for api, kind, key, *_ in other if (api, kind, key) in _names(shown)]
    more = len(other) - len(seen[:_NAMED])
    told = ", ".join([*seen[:_NAMED], *([f"{more} more"] if more else [])])
    raise errors.Conflict(
        f"what the plan has shown is not what would be done now: {told or 'the same objects in another order'}",
        code="plan_differs",
        hint="plan anew",
    )


def _facts(line: record.Line) -> tuple[str, str, str, str, int, bool, bytes]:
    body = {n: v for n, v in (record.body(line.new) or {}).items() if n not in record.STAMPS}
    return line.api, line.type, line.key, line.op, line.change, line.own, codec.canonical(body)


def _names(content: record.Content) -> set[record.Name]:
    return {line.name for line in content.lines}


def gone(id: str) -> errors.Expired:
    return errors.Expired(
        f"the plan {id} is no longer kept: plans hold for {int(LIFE.total_seconds() // 60)} minutes",
        code="plan_expired",
        hint="plan anew",
    )


def missing(id: str) -> errors.NotFound:
    return errors.NotFound(f"no change set with id '{id[:100]}'", hint="see the list of change sets")


def not_applied(id: str) -> errors.NotFound:
    """Of what only a plan has."""
    return errors.NotFound(f"{id} is a plan that was not applied", hint="it has changed nothing")
