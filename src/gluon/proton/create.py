"""A new object, decided: key, references and unique values, then its row and its journal entry.

In: a checked body. A port takes its default interface and its place in the ledger with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gluon.objects import journal
from gluon.particles import tables
from gluon.proton import checks, problems, registry, units
from gluon.spi import store


class Create:
    """A new object; a port takes its default interface and its place in the ledger with it."""

    __slots__ = ("_context", "_key", "_made_key", "_values", "_written", "reads", "request_id", "who")

    def __init__(
        self,
        context: units.Context,
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
            context.caller, "create", resource.api, resource.name, units.text_of(row[tables.PROJECT])
        )
        if not self._made_key and view.get(resource.table, self._key) is not None:
            raise problems.taken(resource, (resource.type.key,), (self._key,))
        checks.references(resource, view, row)
        checks.unique(resource, view, row)
        document = _add(changes, resource, row)
        if resource.is_port:
            context.ledger.created(view, changes, units.facts(resource, row), fresh=self._made_key)
            if resource.default_interface is not None and resource.fill_default is not None:
                values, written = resource.fill_default(str(self._key), row, self._written)
                self._add_interface(view, changes, resource.default_interface, values, written, row)
        changes.result = units.Result(row, document)
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
            values, written, revision=view.revision, now=view.now, project=units.text_of(port[tables.PROJECT])
        )
        _add(changes, interface, made)


def _add(changes: store.Changes, resource: registry.Resource, row: store.Row) -> bytes:
    document = resource.records.document(row)
    changes.put(resource.table, row)
    changes.entries.append(units.draft(resource, journal.Operation.CREATE, row, old=None, new=document))
    return document
