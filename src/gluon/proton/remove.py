"""An object gone, decided, with all that goes or changes because of it.

Refused while something refers to it that neither goes along nor can do without.
"""

from __future__ import annotations

from collections.abc import Sequence

from gluon.proton import access, checks, problems, unfold, units, upkeep, work
from gluon.spi import store


class Remove:
    """An object gone. A port's own default interface goes with it."""

    __slots__ = ("_context", "_expected", "_inside", "_key", "reads", "request_id", "who")

    def __init__(
        self,
        context: units.Context,
        key: store.Value,
        expected: frozenset[int] | None = None,
        inside: units.Inside | None = None,
    ) -> None:
        resource = context.resource
        self.who, self.request_id = context.who, context.request_id
        self._context, self._key, self._expected = context, key, expected
        self._inside = inside
        self.reads: Sequence[store.Lookup] = [
            resource.lookup(key),
            *unfold.reads(context.ledger, resource, key),
        ]

    def decide(self, view: store.View) -> store.Changes:
        context, resource = self._context, self._context.resource
        row = access.stored(context, view, self._key, "delete")
        units.check_inside(resource, row, self._inside)
        checks.revision(resource, row, self._expected)
        state = work.Work(view, context)
        found = unfold.leaving(state, context.ledger, resource, row)
        left = [one for many in found.left.values() for one in many]
        if left:
            raise problems.referred_to(
                resource, self._key, left, lambda r, row: access.sees(context, resource.family[r.owner], row)
            )
        for many in found.unset.values():
            owner = resource.family[many[0][0].owner]
            state.save(owner, many[0][1], unfold.without(state, owner, many, found))
        for other, gone in reversed(found.going.values()):
            if other.is_port:
                context.ledger.removed(state, state.changes, units.facts(other, gone))
            elif other.is_service:
                upkeep.leave(state.changes, other, gone[other.records.key_column])
            state.save(other, gone, None)
        upkeep.settle(state, None)
        return state.finish(None)
