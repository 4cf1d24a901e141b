"""What shims reported, as units: statuses kept, answers to binds accepted or not.

An answer counts only for a binding in state Binding, of the same epoch, from an assigned
controller. These are status writes: the revision and ETag of the object stay, and nothing of them
is published, except a bind that goes on to the next candidate.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence

from gluon import errors
from gluon.arbiter import assign, bindings, ledger, notices, tables, vif
from gluon.model.types import Kind
from gluon.objects import codec, journal, keys, status
from gluon.proton import registry, units
from gluon.spi import store

WHO = "gluon"

Item = tuple[keys.StatusKey, bytes | None]


class _Base:
    """What the arbiter's own units share."""

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
        self, view: store.View, changes: store.Changes, before: bindings.Binding, after: bindings.Binding
    ) -> None:
        """Save a binding and what follows from it in the port's rows."""
        if before == after:
            return
        if after.state is bindings.State.FAILED and not after.active:
            bindings.drop(changes, before)  # who asked for it is told, and the port has another
            changes.result = after
            return
        bindings.save(changes, before, after)
        changes.result = after
        show(view, changes, self._registry, after)

    def _next(
        self, view: store.View, binding: bindings.Binding, reason: str, message: str
    ) -> bindings.Binding:
        """After a refusal: the next candidate under a new epoch, or Failed with the last reason."""
        tried = dataclasses.replace(binding, tried=(*binding.tried, *binding.controllers))
        again = self._assigner.begin(tried, epoch=bindings.epoch_of(view), now=view.now)
        if again.controllers:
            return again
        return dataclasses.replace(
            tried,
            state=bindings.State.FAILED,
            reason=reason,
            message=message,
            controllers=(),
            deadline=0.0,
            since=view.now,
        )


def reads_of_port(known: registry.Registry, api: str, object_type: str, port: str) -> list[store.Lookup]:
    """The rows that any change of a binding looks at."""
    found = [bindings.lookup(port), store.Lookup(tables.PORT, ("id",), (port,))]
    resource = known.by_name.get((api, object_type))
    if resource is not None:
        found.append(store.Lookup(resource.table, (resource.records.key_column,), (port,)))
    return found


def show(
    view: store.View,
    changes: store.Changes,
    known: registry.Registry,
    binding: bindings.Binding,
    up: bool = False,
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
    operate(view, changes, binding, up=up)


def operate(view: store.View, changes: store.Changes, binding: bindings.Binding, *, up: bool) -> None:
    """The operational status of the port, as the arbiter's index and the Neutron face show it."""
    known = view.get(tables.PORT, binding.port)
    if known is None:
        return
    if not binding.active:
        if up:
            notices.plugged(changes, known, binding)
        return
    word = bindings.operational(binding, up=up)
    if known["status"] != word:
        after: store.Row = {**known, "status": word}
        changes.put(tables.PORT, after)
        notices.changed(changes, known, after)


class Replies(_Base):
    """Some status keys as they are now in etcd (None: gone), newest per key.

    `waiter`: taken by who waits for a bind, perhaps late, while the collector has gone on. Then
    only the answer to a bind in state Binding counts, which its epoch names; what else a report
    says could cover something newer.
    """

    __slots__ = ("_items", "_waiter")

    def __init__(
        self,
        known: registry.Registry,
        assigner: assign.Assigner,
        items: Sequence[Item],
        *,
        waiter: bool = False,
    ) -> None:
        self._waiter = waiter
        self._items = [item for item in items if (item[0].api, item[0].object_type) in known.by_name]
        reads: list[store.Lookup] = []
        for key, _ in self._items:
            resource = known.by_name[key.api, key.object_type]
            if not waiter:
                of_object = (key.api, key.object_type, key.key)
                reads.append(store.Lookup(tables.STATUS, tables.OF_OBJECT, of_object))
            if resource.type.kind is Kind.PORT:
                reads += reads_of_port(known, key.api, key.object_type, key.key)
            else:
                reads.append(resource.lookup(_key_of(resource, key)))
        super().__init__(known, assigner, reads)

    def decide(self, view: store.View) -> store.Changes:
        changes = store.Changes()
        for key, value in self._items:
            report = _report(value)
            resource = self._registry.by_name[key.api, key.object_type]
            exists = view.get(resource.table, _key_of(resource, key)) is not None
            if not self._waiter:
                self._keep(view, changes, key, report if exists else None)
            if resource.type.kind is Kind.PORT and exists:
                self._answer(view, changes, key, report)
        return changes

    def _keep(
        self, view: store.View, changes: store.Changes, key: keys.StatusKey, report: status.Report | None
    ) -> None:
        """The row of `gluon_status` of this reporter."""
        held = _held(view, key)
        if report is None:
            if held is not None:
                changes.delete(tables.STATUS, *_status_key(key))
                changes.entries.append(_status_draft(key, journal.Operation.DELETE, None))
            return
        text = codec.encode(report).decode()
        if held is not None and held["report"] == text:
            return
        row: store.Row = dict(zip(_STATUS_KEY, _status_key(key), strict=True))
        row.update(observed_revision=report.observed_revision, report=text, revision=view.revision)
        changes.put(tables.STATUS, row)
        changes.entries.append(_status_draft(key, journal.Operation.UPDATE, text.encode()))

    def _answer(
        self, view: store.View, changes: store.Changes, key: keys.StatusKey, report: status.Report | None
    ) -> None:
        """What a report means for the port's bindings."""
        for binding in bindings.of_port(view, key.key):
            if key.controller not in binding.controllers or key.shard not in (binding.host, assign.ANY_HOST):
                continue
            if self._waiter and binding.state is not bindings.State.BINDING:
                continue
            said = report.bindings.get(binding.host) if report is not None else None
            if binding.state is bindings.State.UNBINDING:
                if said is None or said.epoch != binding.epoch:
                    self._store(view, changes, binding, _cleared(binding, view.now))
            elif said is None or said.epoch != binding.epoch:
                if binding.state is bindings.State.BOUND:
                    operate(view, changes, binding, up=False)
            elif binding.state is bindings.State.BINDING:
                self._accept(view, changes, binding, said)
            elif binding.state is bindings.State.BOUND:
                operate(view, changes, binding, up=said.up)

    def _accept(
        self, view: store.View, changes: store.Changes, binding: bindings.Binding, said: status.BindingReport
    ) -> None:
        wrong = "" if said.refused else vif.problem(said.vif_type, said.vif_details)
        if said.refused or wrong:
            reason = _plain(said.refused or "BadReply")[:64]
            after = self._next(view, binding, reason, _plain(said.message if said.refused else wrong))
            self._store(view, changes, binding, after)
            return
        bound = dataclasses.replace(
            binding,
            state=bindings.State.BOUND,
            reason="Bound",
            message="",
            vif_type=said.vif_type,
            vif_details=said.vif_details,
            deadline=0.0,
            since=view.now,
        )
        bindings.save(changes, binding, bound)
        changes.result = bound
        show(view, changes, self._registry, bound, up=said.up)


def _plain(text: str) -> str:
    """Without what not every database can hold."""
    return text.replace("\0", "")


def _key_of(resource: registry.Resource, key: keys.StatusKey) -> store.Value:
    """The key as the table has it, or a text that no row has."""
    try:
        found: store.Value = resource.fields.key(key.key)
    except errors.Invalid:
        return key.key
    return found


def _cleared(binding: bindings.Binding, now: str) -> bindings.Binding:
    return dataclasses.replace(binding, state=bindings.State.UNBOUND, controllers=(), deadline=0.0, since=now)


_STATUS_KEY = (*tables.OF_OBJECT, "controller", "shard")


def _status_key(key: keys.StatusKey) -> tuple[str, ...]:
    return (key.api, key.object_type, key.key, key.controller, key.shard)


def _held(view: store.View, key: keys.StatusKey) -> store.Row | None:
    rows = view.rows(tables.STATUS, tables.OF_OBJECT, (key.api, key.object_type, key.key))
    return next((r for r in rows if r["controller"] == key.controller and r["shard"] == key.shard), None)


def _status_draft(key: keys.StatusKey, op: journal.Operation, new: bytes | None) -> journal.Draft:
    return journal.Draft(
        op=op,
        api=journal.GLUON,
        type="Status",
        key="/".join(keys.segment(p) for p in _status_key(key)),
        project=None,
        intent=False,
        old=None,
        new=new,
    )


def _report(value: bytes | None) -> status.Report | None:
    """None for what is no report: nothing that a shim writes may stop the collector."""
    if value is None:
        return None
    try:
        return status.decode_report(value)
    except ValueError as error:
        return status.Report(
            observed_revision=0,
            conditions=(
                status.Condition(
                    type=status.READY, status="False", reason="BadReport", message=str(error)[:256]
                ),
            ),
        )


class Advance(_Base):
    """Look again at one binding: a controller came or went, or the deadline passed."""

    __slots__ = ("_gone", "_host", "_port", "_unreachable")

    def __init__(
        self,
        known: registry.Registry,
        assigner: assign.Assigner,
        *,
        api: str,
        object_type: str,
        port: str,
        host: str,
        unreachable: str = "",
        gone: int = 0,
    ) -> None:
        """`unreachable`: why no answer could have arrived (the bus is down), for the reason. `gone`: the
        epoch of the bind whose controllers went away."""
        self._port, self._host, self._unreachable, self._gone = port, host, unreachable, gone
        super().__init__(known, assigner, reads_of_port(known, api, object_type, port))

    def decide(self, view: store.View) -> store.Changes:
        changes = store.Changes()
        row = view.get(tables.BINDING, self._port, self._host)
        if row is None:
            return changes
        binding = bindings.read(row)
        changes.result = binding
        late = 0 < binding.deadline <= bindings.seconds(view.now)
        if binding.state is bindings.State.UNBINDING and late:
            self._store(view, changes, binding, _cleared(binding, view.now))
        elif binding.state is bindings.State.BINDING:
            self._store(view, changes, binding, self._look(view, binding, late))
        return changes

    def _look(self, view: store.View, binding: bindings.Binding, late: bool) -> bindings.Binding:
        if not binding.controllers:
            begun = self._assigner.begin(binding, epoch=bindings.epoch_of(view), now=view.now)
            if begun.controllers:
                return begun
            failed = dataclasses.replace(begun, state=bindings.State.FAILED, deadline=0.0, since=view.now)
            return failed if late else binding
        if late:
            if self._unreachable:
                return self._failed(binding, "PublisherDown", self._unreachable, view.now)
            return self._next(
                view, binding, "Timeout", f"{', '.join(binding.controllers)} did not answer in time"
            )
        if binding.epoch == self._gone:
            gone = f"{', '.join(binding.controllers)} went away before it answered"
            return self._next(view, binding, "ControllerGone", gone)
        return binding

    @staticmethod
    def _failed(binding: bindings.Binding, reason: str, message: str, now: str) -> bindings.Binding:
        return dataclasses.replace(
            binding,
            state=bindings.State.FAILED,
            reason=reason,
            message=message,
            controllers=(),
            deadline=0.0,
            since=now,
        )
