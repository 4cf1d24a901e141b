"""A new object, decided: key, references and unique values, then its row and its journal entry.

In: a checked body. A port takes its default interface and its place in the ledger with it. Where nothing of what
is made looks at another part of it, all is decided without a `Work`: this is the hot path.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from gluon.objects import journal
from gluon.particles import tables
from gluon.proton import access, checks, judging, problems, registry, supplies, units, upkeep, work
from gluon.spi import policy, store

_NONE: frozenset[str] = frozenset()


class Create:
    """A new object; a port takes its default interface and its place in the ledger with it."""

    __slots__ = (
        "_context",
        "_fresh",
        "_granted",
        "_key",
        "_made_key",
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
        made_key: bool,
        values: Mapping[str, Any],
        written: Mapping[str, Any],
        granted: Collection[str] = (),
        fresh: frozenset[str] = _NONE,
        reads: Sequence[store.Lookup] | None = None,
    ) -> None:
        """`made_key`: the key is a fresh uuid of ours, so that nothing can have it already; `granted`: attributes that the
        service's own code sets; `fresh`: columns whose values are keys that were made for this unit, so that no other row has
        them; `reads`: where somebody knows what it looks at."""
        resource = context.resource
        self.who, self.request_id = context.caller.user, context.request_id
        self._context, self._key, self._made_key = context, key, made_key
        self._values, self._written, self._granted, self._fresh = values, written, granted, fresh
        self.reads: Sequence[store.Lookup] = ()
        if reads is not None:
            self.reads = reads
            return
        if resource.references:
            self.reads = checks.reads_of_references(resource, values)
        if not made_key or resource.unique:
            self.reads = [*self._reads_of_values(), *self.reads]
        if resource.busy:
            found = upkeep.reads(resource, values, self._project())
            self.reads = [*found, *self.reads] if self.reads else found

    def _reads_of_values(self) -> list[store.Lookup]:
        """The rows that have what must be unique: the key where it was given, unique groups."""
        resource, key = self._context.resource, self._key
        project = self._project()
        reads = [
            store.Lookup(resource.table, g.columns, tuple(self._column(c, project) for c in g.columns))
            for g in resource.unique
            if self._fresh.isdisjoint(g.columns)
        ]
        if self._made_key:
            return reads
        reads.append(resource.lookup(key))
        if resource.is_port:
            reads += self._context.ledger.reads_to_create(str(key))
            if resource.default_interface is not None:
                reads.append(resource.default_interface.lookup(key))
        return reads

    def _project(self) -> store.Value:
        name = self._context.resource.project
        return self._context.caller.project if name is None else self._values.get(name)

    def _column(self, column: str, project: store.Value) -> store.Value:
        return project if column == tables.PROJECT else self._values.get(column)

    def decide(self, view: store.View) -> store.Changes:
        context, resource = self._context, self._context.resource
        if resource.former:
            resource.check()
        if resource.entangled:
            return self._decide_all(view)
        changes = store.Changes()
        row, own = self._row(view)
        if resource.references:
            checks.references(context, view, row)
        if resource.pooled:
            project = units.text_of(row[tables.PROJECT])
            row = supplies.supply_new(view, changes, resource, row, self._values, project, context.draws)
        if resource.unique:
            checks.unique(resource, view, row, self._taken())
        document = _add(changes, resource, row)
        if resource.is_port:
            self._context.ledger.created(view, changes, units.facts(resource, row), fresh=self._made_key)
            interface = resource.default_interface
            if interface is not None and resource.fill_default is not None:
                made = self._interface(view, row)
                if interface.checks and not resource.held:
                    if not judging.holds_new(view, interface, made):
                        return self._decide_all(view)  # which tells it as one of the port
                    resource.held = resource.alike
                _add(changes, interface, made)
        elif resource.is_service:
            upkeep.enter(changes, resource, self._key)
        if resource.busy:
            if resource.type.quota is not None:
                upkeep.count(view, changes, resource, str(row[tables.PROJECT] or ""), 1)
            if resource.checks:
                judging.judge_new(view, resource, row, context)
        changes.result = units.Result(row, access.document(context, row, document, own))
        return changes

    def _taken(self) -> frozenset[str]:
        """Columns whose values no other row has: a pool of the model gives them, or they are fresh."""
        pooled = self._context.resource.pooled
        if not pooled:
            return self._fresh
        return self._fresh.union(
            p.column for p in pooled if p.supply is not None and p.attribute.name not in self._values
        )

    def _row(self, view: store.View) -> tuple[store.Row, policy.Own | None]:
        """The new row, which the caller may make and whose key is free, and what the caller may do with it."""
        context, resource = self._context, self._context.resource
        row = resource.records.row(
            self._values,
            self._written,
            revision=view.revision,
            now=view.now,
            project=context.caller.project,
        )
        own = None
        if not context.caller.admin:
            given = self._values
            if self._granted:
                given = {name: value for name, value in given.items() if name not in self._granted}
            own = access.require_new(context, row, given)
        if not self._made_key and view.get(resource.table, self._key) is not None:
            raise problems.taken(resource, (resource.type.key,), (self._key,))
        return row, own

    def _interface(self, view: store.View, port: store.Row) -> store.Row:
        """The row of the interface that is made with a port."""
        resource = self._context.resource
        interface = resource.default_interface
        assert interface is not None
        assert resource.fill_default is not None
        if not self._made_key and view.get(interface.table, self._key) is not None:
            raise problems.taken(interface, (interface.type.key,), (self._key,))
        return resource.fill_default(port, self._written)

    def _decide_all(self, view: store.View) -> store.Changes:
        """The same where what is made has parts that look at each other."""
        context, resource = self._context, self._context.resource
        state = work.Work(view, context)
        row, own = self._row(view)
        checks.references(context, view, row)
        if resource.pooled:
            session = state.session(row[tables.PROJECT])
            row = supplies.supply(session, view, resource, None, row, self._values, context.draws)
        checks.unique(resource, view, row, self._taken())
        document = state.save(resource, None, row)
        if resource.is_port:
            context.ledger.created(state, state.changes, units.facts(resource, row), fresh=self._made_key)
            if resource.default_interface is not None:
                made = self._interface(state, row)
                if resource.default_interface.pooled:
                    session = state.session(made[tables.PROJECT])
                    made = supplies.supply(session, state, resource.default_interface, None, made, ())
                state.save(resource.default_interface, None, made)
        elif resource.is_service:
            upkeep.enter(state.changes, resource, self._key)
        upkeep.settle(state, row)
        return state.finish(units.Result(row, access.document(context, row, document, own)))


def _add(changes: store.Changes, resource: registry.Resource, row: store.Row) -> bytes:
    document = resource.records.document(row)
    changes.writes.append((resource.table, row))
    changes.entries.append(units.draft(resource, journal.Operation.CREATE, row, old=None, new=document))
    return document
