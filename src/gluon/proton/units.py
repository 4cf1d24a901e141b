"""The units of a proton: create, change, delete. Each is a pure decision over a view of rows.

What they share: the checks against stored rows (references in the right project, unique values),
the journal drafts, and the port ledger, which adds what the arbiter keeps to the same unit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from gluon import errors
from gluon.model import types
from gluon.objects import journal
from gluon.particles import tables
from gluon.proton import problems, registry
from gluon.spi import policy, ports, store


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """What every unit is given: who asks, for which resource, under which policy and ledger."""

    resource: registry.Resource
    caller: policy.Caller
    request_id: str
    policy: policy.Policy
    ledger: ports.PortLedger

    @property
    def who(self) -> str:
        return self.caller.user


class Result(msgspec.Struct, frozen=True):
    """The object after the unit; `document` is its body as JSON, `wait` a bind that is under way."""

    row: store.Row
    document: bytes
    wait: ports.PortWait | None = None


def facts(resource: registry.Resource, row: store.Row) -> ports.PortFacts:
    """A port's row in the terms of roles."""
    return ports.PortFacts(
        api=resource.api,
        object_type=resource.name,
        table=resource.table,
        key=str(row[resource.records.key_column]),
        project=_text(row[tables.PROJECT]),
        values=resource.records.roles(row),
    )


def _text(value: store.Value) -> str | None:
    return None if value is None else str(value)


def draft(
    resource: registry.Resource,
    op: journal.Operation,
    row: store.Row,
    *,
    old: bytes | None,
    new: bytes | None,
    intent: bool = True,
) -> journal.Draft:
    """The journal entry of a change to one row."""
    return journal.Draft(
        op=op,
        api=resource.api,
        type=resource.name,
        key=str(row[resource.records.key_column]),
        project=_text(row[tables.PROJECT]),
        intent=intent,
        old=old,
        new=new,
    )


def check_references(
    resource: registry.Resource, view: store.View, row: store.Row, only: frozenset[str] | None = None
) -> None:
    """Every object referred to exists in the row's project (or is shared). Raises `Invalid` with all."""
    wrong = []
    for reference in resource.references:
        if only is not None and reference.attribute not in only:
            continue
        value = row[reference.column]
        if value is None:
            continue
        found = view.rows(reference.target_table, (reference.target_key,), (value,))
        if not found or found[0][tables.PROJECT] not in (None, row[tables.PROJECT]):
            wrong.append(problems.dangling(reference, value))
    if wrong:
        raise errors.Invalid(wrong)


def check_unique(resource: registry.Resource, view: store.View, row: store.Row) -> None:
    """No other row has the same values in a unique group. Raises `Conflict`."""
    key_column = resource.records.key_column
    for attributes, columns in resource.unique:
        values = tuple(row[c] for c in columns)
        if None in values:
            continue
        if any(other[key_column] != row[key_column] for other in view.rows(resource.table, columns, values)):
            raise problems.taken(resource, attributes, values)


def reference_reads(resource: registry.Resource, values: Mapping[str, Any]) -> list[store.Lookup]:
    """The look-ups of what `values` refer to."""
    return [
        r.target_of(values[r.attribute]) for r in resource.references if values.get(r.attribute) is not None
    ]


class Create:
    """A new object; a port takes its default interface and its place in the ledger with it."""

    __slots__ = ("_context", "_key", "_made_key", "_values", "_written", "reads", "request_id", "who")

    def __init__(
        self,
        context: Context,
        key: str,
        made_key: bool,
        values: Mapping[str, Any],
        written: Mapping[str, Any],
    ) -> None:
        """`made_key`: the key is a fresh random uuid, so that nothing can have it already."""
        resource = context.resource
        self.who, self.request_id = context.who, context.request_id
        self._context, self._key, self._made_key = context, key, made_key
        self._values, self._written = values, written
        self.reads: Sequence[store.Lookup] = reference_reads(resource, values)
        if not made_key:
            self.reads = [store.Lookup(resource.table, (resource.records.key_column,), (key,)), *self.reads]

    def decide(self, view: store.View) -> store.Changes:
        context, resource = self._context, self._context.resource
        changes = store.Changes()
        row = resource.records.row(
            self._values,
            self._written,
            revision=view.revision,
            now=view.now,
            project=context.caller.project,
        )
        context.policy.check(
            context.caller, "create", resource.api, resource.name, _text(row[tables.PROJECT])
        )
        if not self._made_key and view.get(resource.table, self._key) is not None:
            raise problems.taken(resource, (resource.type.key,), (self._key,))
        check_references(resource, view, row)
        check_unique(resource, view, row)
        document = _add(changes, resource, row)
        if resource.is_port:
            context.ledger.created(view, changes, facts(resource, row), fresh=self._made_key)
            if resource.default_interface is not None and resource.fill_default is not None:
                values, written = resource.fill_default(self._key, row, self._written)
                self._add_interface(view, changes, resource.default_interface, values, written, row)
        changes.result = Result(row, document)
        return changes

    def _add_interface(
        self,
        view: store.View,
        changes: store.Changes,
        interface: registry.Resource,
        values: Mapping[str, Any],
        written: Mapping[str, Any],
        port: store.Row,
    ) -> None:
        if not self._made_key and view.get(interface.table, self._key) is not None:
            raise problems.taken(interface, (interface.type.key,), (self._key,))
        made = interface.records.row(
            values, written, revision=view.revision, now=view.now, project=_text(port[tables.PROJECT])
        )
        _add(changes, interface, made)


def _add(changes: store.Changes, resource: registry.Resource, row: store.Row) -> bytes:
    document = resource.records.document(row)
    changes.put(resource.table, row)
    changes.entries.append(draft(resource, journal.Operation.CREATE, row, old=None, new=document))
    return document


class Update:
    """Some attributes of an object replaced; a port's binding follows its host and device."""

    __slots__ = ("_context", "_expected", "_key", "_values", "_written", "reads", "request_id", "who")

    def __init__(
        self,
        context: Context,
        key: str,
        values: Mapping[str, Any],
        written: Mapping[str, Any],
        expected: frozenset[int] | None = None,
    ) -> None:
        """`expected`: revisions that the caller read, one of which must still be (If-Match)."""
        resource = context.resource
        self.who, self.request_id = context.who, context.request_id
        self._context, self._key, self._expected = context, key, expected
        self._values, self._written = values, written
        self.reads: Sequence[store.Lookup] = [
            store.Lookup(resource.table, (resource.records.key_column,), (key,)),
            *reference_reads(resource, values),
            *(context.ledger.reads(key) if resource.is_port else ()),
        ]

    def decide(self, view: store.View) -> store.Changes:
        context, resource = self._context, self._context.resource
        records = resource.records
        before = stored(context, view, self._key, "update")
        check_expected(resource, before, self._expected)
        given_key = self._values.get(resource.type.key, self._key)
        if given_key != self._key:
            raise errors.Invalid([problems.fixed(resource.type.key, self._key, given_key)])
        after = records.changed(before, self._values, self._written, revision=view.revision, now=view.now)
        row = after or before
        if after is not None:
            moved = after[tables.PROJECT] != before[tables.PROJECT]
            if moved:
                context.policy.check(
                    context.caller, "update", resource.api, resource.name, _text(after[tables.PROJECT])
                )
            check_references(resource, view, after, None if moved else frozenset(self._values))
            check_unique(resource, view, after)
        changes = store.Changes()
        wait = None
        if resource.is_port:
            row, wait = self._follow(view, changes, before, row)
        document = records.document(row)
        if row != before:
            changes.put(resource.table, row)
            changes.entries.insert(
                0,
                draft(
                    resource,
                    journal.Operation.UPDATE,
                    row,
                    old=records.document(before),
                    new=document,
                    intent=after is not None,
                ),
            )
        changes.result = Result(row, document, wait)
        return changes

    def _follow(
        self, view: store.View, changes: store.Changes, before: store.Row, row: store.Row
    ) -> tuple[store.Row, ports.PortWait | None]:
        resource = self._context.resource
        given = frozenset(role for role, name in resource.type.roles.items() if name in self._values)
        views, wait = self._context.ledger.updated(
            view, changes, facts(resource, before), facts(resource, row), given
        )
        return with_views(resource, row, views), wait


def with_views(
    resource: registry.Resource, row: store.Row, views: Mapping[types.Role, store.Value]
) -> store.Row:
    """A port's row with the ledger's values in the attributes of those roles."""
    if not views:
        return row
    new = dict(row)
    for role, value in views.items():
        name = resource.type.role(role)
        if name:
            new[resource.records.column(name)] = value
    return new


def stored(context: Context, view: store.View, key: str, action: str) -> store.Row:
    """The row that a caller may act on; raises `NotFound` for a foreign one too, or `Forbidden`."""
    resource = context.resource
    row = view.get(resource.table, key)
    scope = context.policy.scope(context.caller, resource.api, resource.name)
    if row is None or (scope is not None and row[tables.PROJECT] not in (None, scope)):
        raise problems.missing(resource, key)
    context.policy.check(context.caller, action, resource.api, resource.name, _text(row[tables.PROJECT]))
    return row


def check_expected(resource: registry.Resource, row: store.Row, expected: frozenset[int] | None) -> None:
    """Raises `Stale` for a row at another revision than the caller read."""
    if expected is not None and row[tables.REVISION] not in expected:
        raise errors.Stale(
            f"{resource.name} '{row[resource.records.key_column]}' is at revision {row[tables.REVISION]}",
            hint="read it again and repeat the change",
        )


class Remove:
    """An object gone; refused while something refers to it. A port's own default interface goes with it."""

    __slots__ = ("_context", "_expected", "_key", "reads", "request_id", "who")

    def __init__(self, context: Context, key: str, expected: frozenset[int] | None = None) -> None:
        resource = context.resource
        self.who, self.request_id = context.who, context.request_id
        self._context, self._key, self._expected = context, key, expected
        reads = [store.Lookup(resource.table, (resource.records.key_column,), (key,))]
        reads += [r.referrers_of(key) for r in resource.referrers]
        if resource.default_interface is not None:
            reads += [r.referrers_of(key) for r in resource.default_interface.referrers]
        if resource.is_port:
            reads += context.ledger.reads(key)
        self.reads: Sequence[store.Lookup] = reads

    def decide(self, view: store.View) -> store.Changes:
        context, resource = self._context, self._context.resource
        row = stored(context, view, self._key, "delete")
        check_expected(resource, row, self._expected)
        changes = store.Changes()
        default = resource.default_interface
        left = []
        for reference, referrer in _referrers(view, resource, self._key):
            if default is None or not self._is_default(reference, referrer):
                left.append((reference, referrer))
                continue
            left += _referrers(view, default, self._key)
            if not left:
                _drop(changes, default, referrer)
        if left:
            raise problems.referred_to(resource, self._key, left)
        if resource.is_port:
            context.ledger.removed(view, changes, facts(resource, row))
        _drop(changes, resource, row)
        return changes

    def _is_default(self, reference: registry.Reference, referrer: store.Row) -> bool:
        default = self._context.resource.default_interface
        return (
            default is not None
            and reference.owner == default.name
            and referrer[reference.owner_key] == self._key
        )


def _referrers(
    view: store.View, resource: registry.Resource, key: str
) -> list[tuple[registry.Reference, store.Row]]:
    return [(r, row) for r in resource.referrers for row in view.rows(r.owner_table, (r.column,), (key,))]


def _drop(changes: store.Changes, resource: registry.Resource, row: store.Row) -> None:
    changes.delete(resource.table, row[resource.records.key_column])
    changes.entries.append(
        draft(resource, journal.Operation.DELETE, row, old=resource.records.document(row), new=None)
    )
