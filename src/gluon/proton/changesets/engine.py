"""What faces call: change sets done, planned, applied, undone, listed and shown.

In: decoded bodies, ids and callers. Out: answers as plain data, and binds that were begun. Raises the errors of
`gluon.errors`, and `Replayed`. Holds no state of its own. A change set belongs to the project of who made or planned
it; to all other projects it is missing.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import msgspec

from gluon import errors
from gluon.model import types
from gluon.objects.journal import Operation
from gluon.particles import tables
from gluon.proton import access, hooked, ids, registry, service, terms, units
from gluon.proton.changesets import asked, keeping, record, together, undo
from gluon.proton.changesets.asked import Asked, Change
from gluon.proton.tables import ANSWER, CHANGESET, CONTENT, PLAN
from gluon.spi import policy, ports, store

PLANS = 1000
"""That one project may have at a time."""
_PAUSE = 50
"""Changes that are judged before others of the process have a turn."""
_is_id = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}").fullmatch


class Who(msgspec.Struct, frozen=True):
    caller: policy.Caller
    request_id: str
    once: terms.Once | None = None

    def of(self, project: store.Value) -> Who:
        """The same caller in the project of a plan, which is another one than his own where he is an admin."""
        asks = replace(self.caller, project=None if project is None else str(project))
        return Who(asks, self.request_id, self.once)


class Outcome(msgspec.Struct, frozen=True):
    """`waits`: binds that were begun, with the number of their change."""

    answer: dict[str, Any]
    revision: int
    waits: Sequence[tuple[int, units.Context, str, ports.PortWait]] = ()


class _Wanted(msgspec.Struct, kw_only=True):
    """A change set to be done or planned: the request, what a plan or an undo adds, and what must still hold."""

    body: dict[str, Any]
    keys: dict[int, str] = {}
    granted: dict[int, dict[str, Any]] = {}
    pairs: Sequence[record.Pair] = ()
    refuse: record.Refuse | None = None
    notes: list[dict[str, Any]] = []
    undoes: str | None = None
    id: str = ""
    plan: keeping.Plan | None = None


class ChangeSets:
    """`known`: the models as they are now."""

    def __init__(
        self,
        actions: service.Service,
        database: store.Store,
        rules: policy.Policy,
        known: Callable[[], registry.Registry],
    ) -> None:
        self._actions, self._store, self._rules, self._known = actions, database, rules, known

    async def change(self, who: Who, body: dict[str, Any], *, plan: bool) -> Outcome:
        """A change set done, or planned."""
        return await self._run(who, _Wanted(body=body), plan=plan)

    async def apply(self, who: Who, id: str) -> Outcome:
        """A plan done, once; what was done before is told again."""
        row = await self._row(CHANGESET, id, who.caller)
        if row is not None:
            return self.outcome(who.caller, keeping.Kept(row=row, content=await self._content(id)))
        row = await self._row(PLAN, id, who.caller)
        if row is None:
            row = await self._row(CHANGESET, id, who.caller)  # done between the two looks
            if row is None:
                raise keeping.missing(id)
            return self.outcome(who.caller, keeping.Kept(row=row, content=await self._content(id)))
        if keeping.expired(row, _now()):
            raise keeping.gone(id)
        plan = keeping.Plan.of(row["document"])
        who = who.of(row["project"])
        wanted = _Wanted(
            body=plan.request,
            keys=_numbered(plan.keys),
            granted=_numbered(plan.granted),
            pairs=plan.pairs,
            refuse=_changed,
            notes=plan.content.notes,
            undoes=plan.undoes,
            id=id,
            plan=plan,
        )
        return await self._run(who, wanted, plan=False)

    async def undo(self, who: Who, id: str, *, plan: bool) -> Outcome:
        """The reverse of a change set done, or planned."""
        row = await self._row(CHANGESET, id, who.caller)
        if row is None:
            if await self._row(PLAN, id, who.caller) is not None:
                raise keeping.not_applied(id)
            raise keeping.missing(id)
        content = await self._content(id)
        eyes = self._eyes(who.caller)
        if any(eyes.of(line) is None for line in content.lines):
            raise errors.Forbidden(
                "the change set has changed objects that you may not read",
                hint="ask who made it, or an admin",
            )
        found = undo.reverse(content.lines, eyes.resource)
        name = str(row["name"])
        body = {
            "name": f"undo of {name or id}"[: asked.LONGEST],
            "description": "",
            "changes": found.changes,
        }
        wanted = _Wanted(
            body=body,
            granted=found.granted,
            pairs=found.pairs,
            refuse=_touched,
            notes=found.notes,
            undoes=id,
        )
        return await self._run(who, wanted, plan=plan)

    async def show(self, caller: policy.Caller, id: str) -> dict[str, Any]:
        """A change set or a plan."""
        row = await self._row(CHANGESET, id, caller)
        if row is not None:
            content = await self._content(id)
            undone = await self._store.select(
                store.Select(table=CHANGESET, equals=(("undoes", id),), order=_NEWEST, limit=1)
            )
            by = str(undone[0]["id"]) if undone else None
            return {**_heading(row), "undone_by": by, **self._eyes(caller).content(content)}
        row = await self._row(PLAN, id, caller)
        if row is None or keeping.expired(row, _now()):
            raise keeping.missing(id)
        plan = keeping.Plan.of(row["document"])
        return _planned(row, plan) | self._eyes(caller).content(plan.content)

    async def page(
        self, caller: policy.Caller, filters: Sequence[store.Filter], limit: int, marker: str | None
    ) -> dict[str, Any]:
        """Newest first; `marker`: the last one of the page before."""
        if not caller.admin:
            if caller.project is None:
                return {"changesets": []}
            mine = store.Filter(column="project", match=store.Match.EQUAL, values=(caller.project,))
            filters = (*filters, mine)
        start = None
        if marker is not None:
            start = await self._row(CHANGESET, marker, caller)
            if start is None:
                told = f"marker '{marker[:100]}' names no change set of this list"
                hint = "give the id of the last one of the page before, or begin again"
                raise errors.Invalid([asked.problem("", "marker", told, hint)])
        rows = await self._store.select(
            store.Select(table=CHANGESET, filters=tuple(filters), order=_NEWEST, start=start, limit=limit + 1)
        )
        answer: dict[str, Any] = {"changesets": [record.summary(row) for row in rows[:limit]]}
        if len(rows) > limit:
            answer["next"] = rows[limit - 1]["id"]
        return answer

    # -- parts --------------------------------------------------------------------------------

    async def _run(self, who: Who, wanted: _Wanted, *, plan: bool) -> Outcome:
        if who.once is not None:
            who.once.check(await self._store.get(ANSWER, who.once.owner, who.once.key), _now())
        if plan:
            await self._check_plans(who.caller)

        async def run() -> store.Committed:
            unit: store.Unit = await self._unit(who, wanted, plan=plan)
            if who.once is not None:
                unit = terms.Terms(once=who.once).bind(unit)
            return await self._store.submit(unit)

        return self.outcome(who.caller, (await hooked.again(run)).result)

    async def _unit(self, who: Who, wanted: _Wanted, *, plan: bool) -> store.Unit:
        known = self._known()
        found = asked.read(wanted.body, known, wanted.keys)
        for change in found.changes:
            change.granted |= wanted.granted.get(change.number, {})
            if change.op is Operation.CREATE:
                change.body = access.owned(change.kind.role(types.Role.PROJECT), change.body, who.caller)
        parts = await self._parts(who, found, dry_run=plan)
        holds = None
        if wanted.refuse is not None:
            holds = record.Holds(wanted.pairs, known, wanted.refuse, self._eyes(who.caller).sees)
        caller = who.caller
        unit = together.Together(parts, holds, who=caller.user, request_id=who.request_id)
        heading = record.Heading(
            id=wanted.id or ids.new_id(),
            who=caller.user[:255],
            project=caller.project,
            request_id=who.request_id,
            name=found.name,
            description=found.description,
            undoes=wanted.undoes,
        )
        if plan:
            return keeping.Planning(unit, heading, wanted.notes, found.given, wanted.granted)
        return keeping.Doing(unit, heading, wanted.notes, wanted.plan)

    async def _parts(self, who: Who, found: Asked, *, dry_run: bool) -> list[together.Part]:
        """A unit for each change. Raises one refusal with all that is wrong so far."""
        parts: list[together.Part] = []
        wrong: list[tuple[errors.Rejected, list[errors.FieldProblem]]] = []
        wish = terms.Terms(dry_run=True) if dry_run else None
        for n, change in enumerate(found.changes):
            if n % _PAUSE == _PAUSE - 1:
                await asyncio.sleep(0)
            if not change.good:
                wrong += _wrong_inside(change)
                continue
            context = self._actions.context(change.resource, who.caller, who.request_id, wish)
            bad_key = _key_problem(change)
            if bad_key is not None:
                wrong.append((errors.Invalid([bad_key]), [bad_key]))
                continue
            try:
                parts.append(together.Part(change, context, await self._one(context, change)))
            except hooked.Moved:
                raise
            except errors.Rejected as why:
                wrong.append((why, together.problems_of(change, why)))
        if found.problems:
            told = [*found.problems, *(p for why, several in wrong for p in several)]
            raise errors.Invalid(sorted(told, key=_place)[:100])
        if wrong:
            wrong.sort(key=lambda one: _place(one[1][0]))
            raise together.refusal(wrong)
        return parts

    async def _one(self, context: units.Context, change: Change) -> store.Unit:
        actions, edition, body, expected = self._actions, change.edition, change.body, change.expected
        if change.op is Operation.DELETE:
            return await actions.removing(context, change.key, expected)
        if change.op is Operation.CREATE:
            if edition is not None:
                body = edition.up(body, partial=False)
            change.given = frozenset(n for n, value in body.items() if value is not None)
            return await actions.creating(context, body, change.made_key, change.granted)
        if edition is not None:
            stored = None
            if edition.needs_stored(body):
                got = await actions.get(context, change.key)
                stored = edition.resource.records.whole(got.row)
                expected = expected or frozenset({int(got.row[tables.REVISION] or 0)})
            body = edition.up(body, partial=True, stored=stored)
        change.given = frozenset(body)
        return await actions.changing(
            context, change.key, body, expected, merge=change.merge, granted=change.granted
        )

    async def _check_plans(self, caller: policy.Caller) -> None:
        oldest = (datetime.now(UTC) - keeping.LIFE).strftime("%Y-%m-%dT%H:%M:%S.%f")
        kept = await self._store.count(
            store.Select(
                table=PLAN,
                filters=(
                    store.Filter(column="project", match=store.Match.EQUAL, values=(caller.project,)),
                    store.Filter(column="at", match=store.Match.AT_LEAST, values=(oldest,)),
                ),
            )
        )
        if kept >= PLANS:
            raise errors.Conflict(
                f"the project has {kept} plans that hold, and may have {PLANS}",
                code="too_many",
                hint="apply one of them, or wait until they expire",
            )

    def outcome(self, caller: policy.Caller, kept: keeping.Kept) -> Outcome:
        """What a caller is told of what a unit decided."""
        bodies = self._eyes(caller).content(kept.content)
        if kept.plan is not None:
            return Outcome(_planned(kept.row, kept.plan) | bodies, 0)
        answer = _heading(kept.row) | bodies
        waits = []
        if kept.done is not None:
            for number, result in kept.done.results.items():
                if isinstance(result, units.Result) and result.wait is not None:
                    context = kept.done.parts[number].context
                    key = str(result.row[context.resource.records.key_column])
                    waits.append((number, context, key, result.wait))
        return Outcome(answer, int(kept.row["revision"] or 0), waits)

    def _eyes(self, caller: policy.Caller) -> record.Eyes:
        return record.Eyes(caller, self._rules, self._known())

    async def _row(self, table: str, id: str, caller: policy.Caller) -> store.Row | None:
        """The row of a change set or a plan, if it is the caller's to know of."""
        row = await self._store.get(table, id) if _is_id(id) else None
        if row is None or caller.admin:
            return row
        mine = caller.project is not None and row["project"] == caller.project
        return row if mine else None

    async def _content(self, id: str) -> record.Content:
        row = await self._store.get(CONTENT, id)
        if row is None:
            raise keeping.missing(id)
        return record.content_of(row["document"])


_NEWEST = (store.Order(column="revision", descending=True),)


def _heading(row: store.Row) -> dict[str, Any]:
    return {"state": "applied", **record.summary(row)}


def _planned(row: store.Row, plan: keeping.Plan) -> dict[str, Any]:
    request = plan.request
    until = datetime.fromisoformat(str(row["at"])) + keeping.LIFE
    return {
        "state": "planned", "id": row["id"], "at": row["at"], "who": row["who"], "project": row["project"],
        "expires_at": until.isoformat(timespec="microseconds"), "name": request.get("name") or "",
        "description": request.get("description") or "", "undoes": plan.undoes,
    }  # fmt: skip


def _wrong_inside(change: Change) -> list[tuple[errors.Rejected, list[errors.FieldProblem]]]:
    """What is wrong with the body of a change beside the names that stand for nothing."""
    if change.op is Operation.DELETE or not change.body:
        return []
    try:
        fields = (change.edition or change.resource).fields
        fields.check(change.body, partial=change.op is Operation.UPDATE)
    except errors.Invalid as why:
        found = [p for p in why.problems if p.pointer not in change.open]
        told = errors.Invalid(found) if found else None
        return [(told, together.problems_of(change, told))] if told is not None else []
    return []


def _key_problem(change: Change) -> errors.FieldProblem | None:
    if change.op is Operation.CREATE:
        return None
    try:
        change.resource.fields.key(change.key)
    except errors.Invalid as why:
        first = why.problems[0]
        return asked.problem(f"{change.place}/key", first.code, first.message, first.hint)
    return None


def _changed(told: str, problems: Sequence[errors.FieldProblem]) -> errors.Rejected:
    refusal = errors.Stale(
        f"what the plan has read is another now: {told}", code="plan_stale", hint="plan anew"
    )
    refusal.problems = tuple(problems)
    return refusal


def _touched(told: str, problems: Sequence[errors.FieldProblem]) -> errors.Rejected:
    refusal = errors.Conflict(
        f"later changes stand in the way: {told}", code="changed_since", hint="undo those first"
    )
    refusal.problems = tuple(problems)
    return refusal


def _numbered(found: Mapping[str, Any]) -> dict[int, Any]:
    return {int(n): value for n, value in found.items()}


def _place(problem: errors.FieldProblem) -> tuple[int, str]:
    steps = problem.pointer.split("/")
    return (int(steps[2]) if len(steps) > 2 and steps[2].isdigit() else -1), problem.pointer


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")
