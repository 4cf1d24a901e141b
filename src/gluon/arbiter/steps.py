"""What the arbiter's own units share: a binding that goes on, and what its port shows of that.

In: a binding before and after. Out: rows and journal entries of the unit. These are status writes: the revision and the
ETag of the object stay, and nothing of them is published but the wanted binding. Called by `replies` and `advance`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence

from gluon.arbiter import assign, bindings, history, ledger, levels, notices, tables
from gluon.objects import journal
from gluon.proton import registry, units
from gluon.spi import store

WHO = "gluon"


class Step:
    """A unit of the arbiter's own."""

    __slots__ = ("_assigner", "_registry", "reads")

    who = WHO
    request_id = ""

    def __init__(
        self, known: registry.Registry, assigner: assign.Assigner, reads: Iterable[store.Lookup]
    ) -> None:
        self._registry = known
        self._assigner = assigner
        self.reads: Sequence[store.Lookup] = tuple(reads)

    def _store(
        self,
        view: store.View,
        changes: store.Changes,
        before: bindings.Binding,
        after: bindings.Binding,
        left: bindings.Binding | None = None,
    ) -> None:
        """Save a binding and what follows from it in the port's rows. `left`: as in `bindings.save`."""
        if before == after:
            return
        changes.result = after
        if after.state is bindings.State.FAILED and not after.active:
            bindings.note(view, changes, left or before, after)
            bindings.drop(changes, before)  # who asked for it is told, and the port has another
            return
        bindings.save(view, changes, before, after, left)
        show(view, changes, self._registry, after)

    def _next(
        self,
        view: store.View,
        changes: store.Changes,
        binding: bindings.Binding,
        refusals: Mapping[str, tuple[str, str]],
    ) -> None:
        """After refusals, reason and message by controller: the next candidates under a new epoch, or Failed with the
        last reason."""
        said = {c: levels.Answer(refused=r, message=m, at=view.now) for c, (r, m) in refusals.items()}
        left = dataclasses.replace(binding, answers={**binding.answers, **said})
        tried = dataclasses.replace(left, tried=(*binding.tried, *refusals))
        after = self._assigner.begin(tried, epoch=bindings.epoch_of(view), now=view.now)
        if not after.controllers:
            after = failed(tried, *list(refusals.values())[-1], view.now)
        self._store(view, changes, binding, after, left)


def failed(binding: bindings.Binding, reason: str, message: str, now: str) -> bindings.Binding:
    """`binding`, of which nothing came."""
    return dataclasses.replace(
        binding,
        state=bindings.State.FAILED,
        reason=reason,
        message=message,
        controllers=(),
        deadline=0.0,
        since=now,
    )


def reads_of_port(known: registry.Registry, api: str, object_type: str, port: str) -> list[store.Lookup]:
    """The rows that any change of a binding looks at."""
    found = [bindings.lookup(port), store.Lookup(tables.PORT, ("id",), (port,)), history.lookup(port)]
    resource = known.by_name.get((api, object_type))
    if resource is not None:
        found.append(store.Lookup(resource.table, (resource.records.key_column,), (port,)))
    return found


def show(
    view: store.View, changes: store.Changes, known: registry.Registry, binding: bindings.Binding
) -> None:
    """Put a binding's views into the port's row and `gluon_port`, with a journal entry for watchers."""
    resource = known.by_name.get((binding.api, binding.object_type))
    if resource is None:
        return
    row = view.get(resource.table, binding.port)
    if row is None:
        return
    after = units.with_views(resource, row, ledger.views(binding)) if binding.active else row
    if after != row:
        changes.put(resource.table, after)
        changes.entries.append(
            units.draft(
                resource,
                journal.Operation.UPDATE,
                after,
                old=resource.records.document(row),
                new=resource.records.document(after),
                intent=False,
            )
        )
    operate(view, changes, binding)


def operate(view: store.View, changes: store.Changes, binding: bindings.Binding) -> None:
    """The operational status of the port, as the arbiter's index and the Neutron face show it."""
    known = view.get(tables.PORT, binding.port)
    if known is None or not binding.active:
        return
    word = bindings.operational(binding)
    if known["status"] != word:
        after: store.Row = {**known, "status": word}
        changes.put(tables.PORT, after)
        if binding.state is bindings.State.BOUND and known["status"] == "BUILD":
            # It was bound, if only for this moment: what fails is not the bind, which its request would be told.
            known = {**known, "status": "DOWN"}
        notices.changed(changes, known, after)


def cleared(binding: bindings.Binding, now: str) -> bindings.Binding:
    """`binding`, of which nothing is left anywhere."""
    return dataclasses.replace(
        binding, state=bindings.State.UNBOUND, controllers=(), answers={}, deadline=0.0, since=now
    )
