"""Rules of models, judged inside a unit: of the objects that it writes, and of those that read them.

In: a unit's work. Out: nothing, or `Invalid` with every rule of the body's own object that is false, or
`Conflict` for a stored object that would break one. A rule that has no value (null has no members) is false.
Pure; rows are read when a rule asks for them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gluon import errors, expressions
from gluon.proton import access, referring, registry, rules, units, work
from gluon.spi import policy, store

STEPS = 10 * expressions.STEPS
"""Of all rules that one request has judged: it holds the lock of the writer."""


def values(
    resource: registry.Resource, view: store.View, row: store.Row, seen: registry.Seen | None = None
) -> dict[str, Any]:
    """An object as rules see it, or a part of that; references that they follow read what they refer to when they are asked."""
    seen = seen or resource.seen
    found: dict[str, Any] = {name: row[column] for name, column in seen.single}
    if seen.followed:
        for name, column, target in seen.followed:
            key: Any = row[column]
            found[name] = None if key is None else expressions.Ref(key, _Fetch(target, view))
    if seen.nested:
        for name, column in seen.nested:
            value = referring.plain(row[column])
            for reference in resource.links:
                if reference.link is not None and reference.attribute == name:
                    value = _linked(reference.link.path[1:], value, resource.family[reference.target], view)
            found[name] = value
    return found


class _Fetch:
    """Reads an object of one type, as rules see it."""

    __slots__ = ("_target", "_view")

    def __init__(self, target: registry.Resource, view: store.View) -> None:
        self._target, self._view = target, view

    def __call__(self, key: Any) -> dict[str, Any] | None:
        row = self._view.get(self._target.table, key)
        return None if row is None else values(self._target, self._view, row)


def _linked(path: tuple[str, ...], value: Any, target: registry.Resource, view: store.View) -> Any:
    """A nested value with references in place of the keys at `path`."""
    if value is None:
        return None
    if not path:
        return expressions.Ref(value, _Fetch(target, view))
    if path[0] != "*":
        return {**value, path[0]: _linked(path[1:], value.get(path[0]), target, view)}
    if isinstance(value, dict):
        return {name: _linked(path[1:], item, target, view) for name, item in value.items()}
    return [_linked(path[1:], item, target, view) for item in value]


def judge_new(
    view: store.View, resource: registry.Resource, row: store.Row, context: units.Context | None = None
) -> None:
    """Every rule of a new object that nothing else in its unit looks at; `context`: who is told. Raises `Invalid`."""
    checks = resource.checks
    # each ends within its own limit, so only of many the sum has to be bounded
    budget = expressions.Budget(STEPS) if len(checks) * expressions.STEPS > STEPS else None
    seen = {"self": values(resource, view, row, resource.judged), "old": None}
    wrong = []
    for rule in checks:
        if rule.chains:
            rule.read_ahead(view, [row])
        if not rule.holds(seen, budget):
            wrong.append(_problem(rule, _why(rule, seen, budget, context)))
    if wrong:
        raise errors.Invalid(wrong)


def holds_new(view: store.View, resource: registry.Resource, row: store.Row) -> bool:
    """Whether a new object that is made beside another one keeps every rule."""
    try:
        judge_new(view, resource, row)
    except errors.Invalid:
        return False
    return True


def judge(state: work.Work, main: store.Row | None) -> None:
    """Every rule that the unit could have made false. `main`: the row of the object that the body is of."""
    if not any(t.resource.checks or t.resource.watchers for t in state.touched):
        return
    judged: set[tuple[int, str, store.Value]] = set()
    budget = expressions.Budget(STEPS)
    for touched in state.touched:
        if touched.after is None or not touched.resource.checks:
            continue
        mine = touched.after is main
        wrong = []
        old = touched.before is not None and any(rule.reads_old for rule in touched.resource.checks)
        seen = _seen(state, touched.resource, touched.after, touched.before, old=old)
        for rule in touched.resource.checks:
            if rule.check.write_only and not mine:
                continue
            judged.add((id(rule), touched.resource.name, touched.key))
            rule.read_ahead(state, [touched.after])
            if touched.before is not None and rule.reads_old:
                rule.read_ahead(state.committed, [touched.before])
            told = _told(rule, seen, budget, state.context)
            if told is not None and not mine:
                raise _broken(state, touched.resource, touched.row, rule, told)
            if told is not None:
                wrong.append(_problem(rule, told))
        if wrong:
            raise errors.Invalid(wrong)
    for touched in [t for t in state.touched if t.resource.watchers and t.before is not None]:
        _judge_readers(state, touched, judged, budget)


def _judge_readers(
    state: work.Work,
    touched: work.Touched,
    judged: set[tuple[int, str, store.Value]],
    budget: expressions.Budget,
) -> None:
    """The objects whose rules read what changed here are judged anew."""
    before, after = touched.before, touched.after
    assert before is not None
    for watcher in touched.resource.watchers:
        column = touched.resource.records.column(watcher.attribute)
        if after is not None and before[column] == after[column]:
            continue
        owner = touched.resource.family[watcher.owner]
        readers = _readers(state, touched, watcher)
        watcher.rule.read_ahead(state, readers)
        for row in readers:
            key = row[owner.records.key_column]
            mark = (id(watcher.rule), owner.name, key)
            if mark in judged:
                continue
            judged.add(mark)
            work.check_size(f"changing {touched.resource.name} '{touched.key}'", len(judged), "judge again")
            seen = _seen(state, owner, row, row, old=watcher.rule.reads_old)
            told = _told(watcher.rule, seen, budget, state.context)
            if told is not None:
                raise _broken(state, owner, row, watcher.rule, told)


def _readers(state: work.Work, touched: work.Touched, watcher: rules.Watcher) -> Sequence[store.Row]:
    """The rows from which the chain of references leads here."""
    keys: list[store.Value] = [touched.key]
    rows: list[store.Row] = []
    for reference in reversed(watcher.chain):
        state.prefetch([reference.referrers_of(key) for key in keys])
        rows = [row for key in keys for row in reference.rows(state, key)]
        work.check_size(f"changing {touched.resource.name} '{touched.key}'", len(rows), "judge again")
        keys = [row[reference.owner_key] for row in rows]
    return rows


def _seen(
    state: work.Work, resource: registry.Resource, row: store.Row, before: store.Row | None, *, old: bool
) -> dict[str, Any]:
    """What the names of a rule stand for; `old`: a rule asks for it."""
    then = values(resource, state.committed, before) if old and before is not None else None
    return {"self": values(resource, state, row), "old": then}


def _told(
    rule: rules.Rule,
    seen: Mapping[str, Any],
    budget: expressions.Budget | None,
    context: units.Context | None,
) -> str | None:
    """Why the rule is false of an object; None: it is true."""
    return None if rule.holds(seen, budget) else _why(rule, seen, budget, context)


def _why(
    rule: rules.Rule,
    seen: Mapping[str, Any],
    budget: expressions.Budget | None,
    context: units.Context | None,
) -> str:
    """What is told of a rule that is false."""
    if budget is not None and budget.left <= 0:
        raise errors.Conflict(
            "the rules of what this request changes take too many steps",
            code="too_many",
            hint="change less at once, or objects with shorter lists",
        )
    return rule.explained(seen, lambda kind, attribute: _closed(context, kind, attribute))


def _closed(context: units.Context | None, kind: str, attribute: str) -> bool:
    """Whether rules hide an attribute from the caller, of whatever object."""
    if context is None:
        return False
    found = context.policy.of(context.resource.api, kind)
    if found.scope("get", context.caller) is policy.Scope.NOTHING:
        return True
    return found.readable(attribute, context.caller) is not policy.Scope.ALL


def _problem(rule: rules.Rule, told: str) -> errors.FieldProblem:
    at = rule.check.at
    return errors.FieldProblem(
        pointer=f"/{at.replace('.', '/')}" if at else "",
        code="rule",
        message=rule.check.message or f"the rule {rule.check.rule} does not hold",
        hint=f"the rule is {told}",
    )


def _broken(
    state: work.Work, resource: registry.Resource, row: store.Row, rule: rules.Rule, told: str
) -> errors.Conflict:
    message = rule.check.message or f"the rule {rule.check.rule} does not hold"
    if state.context is not None and not access.sees(state.context, resource, row):
        return errors.Conflict(
            f"{access.unseen(resource)} would break its rule: {message}", code="rule", hint="ask the operator"
        )
    key = row[resource.records.key_column]
    return errors.Conflict(
        f"{resource.name} '{key}' would break its rule: {message}",
        code="rule",
        hint=f"change or delete it first; its rule is {told}",
    )
