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
from gluon.objects import codec, journal
from gluon.particles import tables
from gluon.proton import checks, problems, registry
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


class Create:
    """A new object; a port takes its default interface and its place in the ledger with it."""

    __slots__ = ("_context", "_key", "_made_key", "_values", "_written", "reads", "request_id", "who")

    def __init__(
        self,
        context: Context,
        key: store.Value,
        made_key: bool,
        values: Mapping[str, Any],
        written: Mapping[str, Any],
    ) -> None:
        """`made_key`: the key is a fresh random uuid, so that nothing can have it already."""
        resource = context.resource
        self.who, self.request_id = context.who, context.request_id
        self._context, self._key, self._made_key = context, key, made_key
        self._values, self._written = values, written
        self.reads: Sequence[store.Lookup] = checks.reads_of_references(resource, values)
        if not made_key or resource.unique:
            self.reads = [*self._reads_of_values(), *self.reads]

    def _reads_of_values(self) -> list[store.Lookup]:
        """The rows that have what must be unique: the key where it was given, unique groups."""
        resource, key = self._context.resource, self._key
        reads = [
            store.Lookup(resource.table, columns, tuple(self._values.get(a) for a in attributes))
            for attributes, columns in resource.unique
        ]
        if self._made_key:
            return reads
        reads.append(resource.lookup(key))
        if resource.is_port:
            reads += self._context.ledger.reads_to_create(str(key))
            if resource.default_interface is not None:
                reads.append(resource.default_interface.lookup(key))
        return reads

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
        checks.references(resource, view, row)
        checks.unique(resource, view, row)
        document = _add(changes, resource, row)
        if resource.is_port:
            context.ledger.created(view, changes, facts(resource, row), fresh=self._made_key)
            if resource.default_interface is not None and resource.fill_default is not None:
                values, written = resource.fill_default(str(self._key), row, self._written)
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
        key: store.Value,
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
            resource.lookup(key),
            *checks.reads_of_references(resource, values),
            *(context.ledger.reads_to_update(str(key)) if resource.is_port else ()),
        ]

    def decide(self, view: store.View) -> store.Changes:
        context, resource = self._context, self._context.resource
        records = resource.records
        before = stored(context, view, self._key, "update")
        checks.revision(resource, before, self._expected)
        given_key = self._values.get(resource.type.key, self._key)
        if given_key != self._key:
            raise errors.Invalid([problems.fixed(resource.type.key, self._key, given_key)])
        after = records.changed(before, self._values, self._written, revision=view.revision, now=view.now)
        row = after or before
        changes = store.Changes()
        if after is not None:
            moved = after[tables.PROJECT] != before[tables.PROJECT]
            if moved:
                context.policy.check(
                    context.caller, "update", resource.api, resource.name, _text(after[tables.PROJECT])
                )
                self._move(view, changes, after)
            checks.references(resource, view, after, None if moved else frozenset(self._values))
            checks.unique(resource, view, after)
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

    def _move(self, view: store.View, changes: store.Changes, after: store.Row) -> None:
        """To another project: a port's default interface goes along, what else refers to it must be there."""
        resource, project = self._context.resource, after[tables.PROJECT]
        going = {(resource.name, self._key)}
        left = []
        interface = default_interface(view, resource, self._key)
        kind = resource.default_interface
        if interface is not None and kind is not None:
            going.add((kind.name, self._key))
            left += checks.referrers(view, kind, self._key, going)
            moved = self._moved(kind, interface, after)
            changes.put(kind.table, moved)
            old, new = kind.records.document(interface), kind.records.document(moved)
            changes.entries.append(draft(kind, journal.Operation.UPDATE, moved, old=old, new=new))
        left += checks.referrers(view, resource, self._key, going)
        left = [(r, row) for r, row in left if project is not None and row[tables.PROJECT] != project]
        if left:
            raise problems.referred_to(resource, self._key, left)

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


def stored(context: Context, view: store.View, key: store.Value, action: str) -> store.Row:
    """The row that a caller may act on; raises `NotFound` for a foreign one too, or `Forbidden`."""
    resource = context.resource
    row = view.get(resource.table, key)
    scope = context.policy.scope(context.caller, resource.api, resource.name)
    if row is None or (scope is not None and row[tables.PROJECT] not in (None, scope)):
        raise problems.missing(resource, key)
    context.policy.check(context.caller, action, resource.api, resource.name, _text(row[tables.PROJECT]))
    return row


def default_interface(view: store.View, port: registry.Resource, key: store.Value) -> store.Row | None:
    """The interface that was made with a port, while it is the port's."""
    kind = port.default_interface
    name = kind.type.role(types.Role.PORT) if kind is not None else None
    if kind is None or name is None:
        return None
    rows = view.rows(kind.table, (kind.records.column(name),), (key,))
    return next((row for row in rows if row[kind.records.key_column] == key), None)


class Remove:
    """An object gone; refused while something refers to it. A port's own default interface goes with it."""

    __slots__ = ("_context", "_expected", "_key", "reads", "request_id", "who")

    def __init__(self, context: Context, key: store.Value, expected: frozenset[int] | None = None) -> None:
        resource = context.resource
        self.who, self.request_id = context.who, context.request_id
        self._context, self._key, self._expected = context, key, expected
        reads = [resource.lookup(key)]
        reads += [r.referrers_of(key) for r in resource.referrers]
        if resource.default_interface is not None:
            reads += [r.referrers_of(key) for r in resource.default_interface.referrers]
        if resource.is_port:
            reads += context.ledger.reads_to_remove(resource.api, resource.name, str(key))
        self.reads: Sequence[store.Lookup] = reads

    def decide(self, view: store.View) -> store.Changes:
        context, resource = self._context, self._context.resource
        row = stored(context, view, self._key, "delete")
        checks.revision(resource, row, self._expected)
        changes = store.Changes()
        interface = default_interface(view, resource, self._key)
        going = {(resource.name, self._key)}
        left = []
        if interface is not None and resource.default_interface is not None:
            going.add((resource.default_interface.name, self._key))
            left += checks.referrers(view, resource.default_interface, self._key, going)
        left += checks.referrers(view, resource, self._key, going)
        if left:
            raise problems.referred_to(resource, self._key, left)
        if interface is not None and resource.default_interface is not None:
            _drop(changes, resource.default_interface, interface)
        if resource.is_port:
            context.ledger.removed(view, changes, facts(resource, row))
        _drop(changes, resource, row)
        return changes


def _drop(changes: store.Changes, resource: registry.Resource, row: store.Row) -> None:
    changes.delete(resource.table, row[resource.records.key_column])
    changes.entries.append(
        draft(resource, journal.Operation.DELETE, row, old=resource.records.document(row), new=None)
    )
