"""A change of one object, decided: what the body gives replaces what is stored.

In: a checked body and the key. A port's binding follows its host and device; what else an
admin moves to another project goes along or stands in the way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gluon import errors
from gluon.model import fields, types
from gluon.objects import codec
from gluon.particles import tables
from gluon.proton import access, checks, problems, referring, registry, supplies, units, upkeep, work
from gluon.spi import ports, store


class Update:
    """Some attributes of an object replaced; a port's binding follows its host and device."""

    __slots__ = (
        "_action",
        "_context",
        "_expected",
        "_granted",
        "_inside",
        "_key",
        "_parts",
        "_values",
        "_written",
        "reads",
        "request_id",
        "who",
    )

    def __init__(
        self,
        context: units.Context,
        key: store.Value,
        values: Mapping[str, Any],
        written: Mapping[str, Any],
        expected: frozenset[int] | None = None,
        inside: units.Inside | None = None,
        granted: frozenset[str] = frozenset(),
        parts: Mapping[str, Any] | None = None,
        action: str = "update",
    ) -> None:
        """`expected`: revisions that the caller read, one of which must still be (If-Match); `granted`: attributes
        that the service's own code sets, read-only ones too; `parts`: of nested values, to merge with what is stored;
        `action`: whose rule says who may."""
        resource = context.resource
        self.who, self.request_id = context.who, context.request_id
        self._context, self._key, self._expected = context, key, expected
        self._inside, self._granted, self._action = inside, granted, action
        self._values, self._written, self._parts = values, written, parts
        self.reads: Sequence[store.Lookup] = [
            resource.lookup(key),
            *checks.reads_of_references(resource, values),
            *(context.ledger.reads_to_update(str(key), self._given()) if resource.is_port else ()),
        ]

    def decide(self, view: store.View) -> store.Changes:
        context, resource = self._context, self._context.resource
        records = resource.records
        before = access.stored(context, view, self._key, self._action)
        units.check_inside(resource, before, self._inside)
        checks.revision(resource, before, self._expected)
        given_key = self._values.get(resource.type.key, self._key)
        if given_key != self._key:
            raise errors.Invalid([problems.fixed(resource.type.key, self._key, given_key)])
        values, written = self._values, self._written
        if self._parts:
            access.require_parts(context, before, self._parts)
            more = merged(resource, before, self._parts)
            values, written = {**values, **more.values}, {**written, **more.written}
        after = records.changed(before, values, written, revision=view.revision, now=view.now)
        if after is None and context.draws is not None:
            after = {**before, tables.REVISION: view.revision, tables.UPDATED: view.now}
        row = after or before
        state = work.Work(view, context)
        access.require_change(context, before, row, values, self._granted)
        if after is not None:
            checks.guarded(resource, before, after, self._granted)
            moved = after[tables.PROJECT] != before[tables.PROJECT]
            if moved:
                access.require_move(context)
                self._move(state, after)
            checks.references(context, state, after, None if moved else frozenset(values), before)
            if resource.pooled:
                session = state.session(after[tables.PROJECT])
                row = after = supplies.supply(session, state, resource, before, after, values, context.draws)
            checks.unique(resource, state, after)
        wait = None
        if resource.is_port:
            row, wait = self._follow(state, before, row)
        document = state.save(resource, before, row, intent=after is not None, first=True)
        upkeep.settle(state, row if after is not None else None)
        return state.finish(units.Result(row, access.document(context, row, document), wait))

    def _move(self, state: work.Work, after: store.Row) -> None:
        """To another project: a port's default interface goes along, what else refers to it must be there."""
        resource, project = self._context.resource, after[tables.PROJECT]
        going = {(resource.name, self._key)}
        left = []
        interface = units.default_interface(state, resource, self._key)
        kind = resource.default_interface
        if interface is not None and kind is not None:
            going.add((kind.name, self._key))
            left += checks.referrers(state, kind, self._key, going)
            state.save(kind, interface, self._moved(kind, interface, after))
        left += checks.referrers(state, resource, self._key, going)
        left = [(r, row) for r, row in left if project is not None and row[tables.PROJECT] != project]
        if left:
            raise problems.referred_to(
                resource,
                self._key,
                left,
                lambda r, row: access.sees(self._context, resource.family[r.owner], row),
            )

    def _moved(self, kind: registry.Resource, row: store.Row, after: store.Row) -> store.Row:
        """`row` in the project of `after`, written as there."""
        stamps = {name: after[name] for name in (tables.PROJECT, tables.REVISION, tables.UPDATED)}
        name, theirs = (
            kind.type.role(types.Role.PROJECT),
            self._context.resource.type.role(types.Role.PROJECT),
        )
        written = kind.records.written(row)
        if name is not None:
            written.pop(name, None)
            if theirs is not None and theirs in self._written:
                written[name] = self._written[theirs]
        text = codec.encode(written).decode() if written else None
        return {**row, **stamps, tables.WRITTEN: text}

    def _given(self) -> frozenset[types.Role]:
        roles = self._context.resource.type.roles
        return frozenset(role for role, name in roles.items() if name in self._values)

    def _follow(
        self, state: work.Work, before: store.Row, row: store.Row
    ) -> tuple[store.Row, ports.PortWait | None]:
        context, resource = self._context, self._context.resource
        was, now = units.facts(resource, before), units.facts(resource, row)
        views, wait = context.ledger.updated(state, state.changes, was, now, self._given(), context.rule)
        if wait is not None:  # the answer of who binds it
            reads = context.ledger.reads_to_update(now.key, {types.Role.HOST})
            state.changes.soon = (*reads, resource.lookup(now.key))
        return units.with_views(resource, row, views), wait


def parts(resource: registry.Resource, body: Mapping[str, Any]) -> dict[str, Any]:
    """What a merge patch gives of nested objects and maps; all else it replaces."""
    kinds = resource.type.attributes
    return {
        name: value
        for name, value in body.items()
        if isinstance(value, dict) and name in kinds and kinds[name].type in types.NESTED
    }


def merged(resource: registry.Resource, row: store.Row, given: Mapping[str, Any]) -> fields.Checked:
    """Nested values of an object with the parts given of them in their places, judged. Raises `Invalid`."""
    if not given:
        return fields.Checked(values={}, written={})
    stored = {name: referring.plain(row[resource.records.column(name)]) for name in given}
    try:
        body = {name: _merge(stored[name], part) for name, part in given.items()}
    except RecursionError:
        raise errors.Invalid([problems.too_deep(next(iter(given)))]) from None
    return resource.fields.check(body, partial=True)


def _merge(stored: Any, part: Any) -> Any:
    """RFC 7396: members are replaced one by one, null removes one."""
    if not isinstance(part, dict):
        return part
    kept = dict(stored) if isinstance(stored, dict) else {}
    for name, value in part.items():
        if value is None:
            kept.pop(name, None)
        else:
            kept[name] = _merge(kept.get(name), value)
    return kept
