"""An object gone, decided: refused while something refers to it."""

from __future__ import annotations

from collections.abc import Sequence

from gluon.objects import journal
from gluon.proton import checks, problems, registry, units
from gluon.spi import store


class Remove:
    """An object gone; refused while something refers to it. A port's own default interface goes with it."""

    __slots__ = ("_context", "_expected", "_key", "reads", "request_id", "who")

    def __init__(
        self, context: units.Context, key: store.Value, expected: frozenset[int] | None = None
    ) -> None:
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
        row = units.stored(context, view, self._key, "delete")
        checks.revision(resource, row, self._expected)
        changes = store.Changes()
        interface = units.default_interface(view, resource, self._key)
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
            context.ledger.removed(view, changes, units.facts(resource, row))
        _drop(changes, resource, row)
        return changes


def _drop(changes: store.Changes, resource: registry.Resource, row: store.Row) -> None:
    changes.delete(resource.table, row[resource.records.key_column])
    changes.entries.append(
        units.draft(resource, journal.Operation.DELETE, row, old=resource.records.document(row), new=None)
    )
