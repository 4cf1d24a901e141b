"""What shims reported, as units: statuses kept, answers to binds accepted or not.

An answer counts only for a binding in state Binding, of the same epoch, from an assigned
controller. These are status writes: the revision and ETag of the object stay, and nothing of them
is published, except a bind that goes on to the next candidate.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from msgspec import structs

from gluon import errors
from gluon.arbiter import assign, bindings, levels, notices, steps, tables, vif
from gluon.model.types import Kind
from gluon.objects import codec, journal, keys, status
from gluon.proton import registry
from gluon.spi import store

Item = tuple[keys.StatusKey, bytes | None]


class Replies(steps.Step):
    """Some status keys as they are now in etcd (None: gone), newest per key.

    `waiter`: taken by who waits for a bind, perhaps late, while the collector has gone on. Then
    only the first answer of a controller to a bind in state Binding counts, which its epoch names;
    what else a report says could cover something newer.
    """

    __slots__ = ("_items", "_waiter", "shown")

    def __init__(
        self,
        known: registry.Registry,
        assigner: assign.Assigner,
        items: Sequence[Item],
        *,
        waiter: bool = False,
    ) -> None:
        self._waiter = waiter
        self.shown: store.Row | None = None
        """The port as it is after what a waiter took."""
        self._items = [item for item in items if (item[0].api, item[0].object_type) in known.by_name]
        reads: list[store.Lookup] = []
        for key, _ in self._items:
            resource = known.by_name[key.api, key.object_type]
            if not waiter:
                of_object = (key.api, key.object_type, key.key)
                reads.append(store.Lookup(tables.STATUS, tables.OF_OBJECT, of_object))
            if resource.type.kind is Kind.PORT:
                reads += steps.reads_of_port(known, key.api, key.object_type, key.key)
            else:
                reads.append(resource.lookup(_key_of(resource, key)))
        super().__init__(known, assigner, reads)

    def decide(self, view: store.Batch) -> store.Changes:
        if len({(key.api, key.object_type, key.key) for key, _ in self._items}) < len(self._items):
            return self._in_turn(view)
        changes, self.shown = store.Changes(), None
        for key, value in self._items:
            report = _report(value)
            resource = self._registry.by_name[key.api, key.object_type]
            exists = view.get(resource.table, _key_of(resource, key)) is not None
            if not self._waiter:
                self._keep(view, changes, key, report if exists else None)
            if resource.type.kind is Kind.PORT and exists:
                self._answer(view, changes, key, report)
                if self._waiter:
                    written = (w for t, w in changes.writes if t == resource.table and isinstance(w, dict))
                    self.shown = next(written, None) or view.get(resource.table, _key_of(resource, key))
        return changes

    def _in_turn(self, view: store.Batch) -> store.Changes:
        """Several controllers report on one port: each adds to what the one before has said of its bindings."""
        changes = store.Changes()
        each = [Replies(self._registry, self._assigner, [item], waiter=self._waiter) for item in self._items]
        for one in view.in_turn(each):
            changes.writes += one.writes
            changes.entries += one.entries
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
            taken = binding.state is not bindings.State.BINDING or key.controller in binding.answers
            if self._waiter and taken:
                continue
            said = _of(report, binding)
            if binding.state is bindings.State.BOUND and not self._waiter:
                said = _of_other_shard(view, key, binding, said)
            if binding.state is bindings.State.UNBINDING and said is None:
                self._store(view, changes, binding, _cleared_by(binding, key.controller, view.now))
            elif binding.state is bindings.State.BINDING and said is not None:
                self._accept(view, changes, binding, key.controller, said)
            elif binding.state is bindings.State.BOUND:
                self._hear(view, changes, binding, key.controller, said)

    def _accept(
        self,
        view: store.View,
        changes: store.Changes,
        binding: bindings.Binding,
        controller: str,
        said: status.BindingReport,
    ) -> None:
        """One controller has answered; when all have, the port is bound."""
        wrong = "" if said.refused else vif.problem_of_part(said.vif_type, said.vif_details)
        if said.refused or wrong:
            reason = _plain(said.refused or "BadReply")[:64]
            message = _plain(said.message if said.refused else wrong)
            self._next(view, changes, binding, {controller: (reason, message)})
            return
        answers = {**binding.answers, controller: _answered(said, view.now)}
        if levels.missing(binding.controllers, answers):
            bindings.save(view, changes, binding, dataclasses.replace(binding, answers=answers))
            return
        kind, details = levels.merged(binding.controllers, answers)
        if wrong := vif.problem(kind, details, binding.vnic_type):
            whose = levels.speaker(binding.controllers, answers)
            self._next(view, changes, binding, {whose: ("BadReply", wrong)})
            return
        bound = dataclasses.replace(
            binding,
            state=bindings.State.BOUND,
            reason="Bound",
            message="",
            vif_type=kind,
            vif_details=details,
            answers=answers,
            deadline=0.0,
            since=view.now,
        )
        self._store(view, changes, binding, bound)
        self._tell_ready(view, changes, binding, bound)

    def _hear(
        self,
        view: store.View,
        changes: store.Changes,
        binding: bindings.Binding,
        controller: str,
        said: status.BindingReport | None,
    ) -> None:
        """A bound port: whether the data plane of this controller is up, as it says, or does not say any more. What it
        refuses now, or cannot do, it may do again later; meanwhile the port is in error, so that nobody waits for it."""
        before = binding.answers.get(controller, levels.NOTHING)
        now = said if said is not None else _SILENT
        refused, message = _trouble(now)
        answer = structs.replace(before, up=now.up, ready=now.ready, refused=refused, message=message)
        if before != answer:
            after = dataclasses.replace(binding, answers={**binding.answers, controller: answer})
            bindings.save(view, changes, binding, after)
            self._tell_ready(view, changes, binding, after)
            binding = after
        steps.operate(view, changes, binding)

    def _tell_ready(
        self, view: store.View, changes: store.Changes, before: bindings.Binding, after: bindings.Binding
    ) -> None:
        """Who moves a machine waits until its VIF is plugged where it goes."""
        port = view.get(tables.PORT, after.port)
        if port is not None and after.ready and not before.ready:
            notices.plugged(changes, port, after)


_SILENT = status.BindingReport(epoch=0)


def _answered(said: status.BindingReport, now: str) -> levels.Answer:
    refused, message = _trouble(said)
    return levels.Answer(
        vif_type=said.vif_type, vif_details=said.vif_details, up=said.up, ready=said.ready, at=now,
        refused=refused, message=message,
    )  # fmt: skip


def _trouble(said: status.BindingReport) -> tuple[str, str]:
    """Why a port that is bound carries no traffic, and what is said of it."""
    why = _plain(said.refused or said.failed)[:64]
    return why, _plain(said.message)[:2048] if why else ""


def _plain(text: str) -> str:
    """Without what not every database can hold."""
    return text.replace("\0", "")


def _of(report: status.Report | None, binding: bindings.Binding) -> status.BindingReport | None:
    """What a report says of a binding as it is now."""
    said = report.bindings.get(binding.host) if report is not None else None
    return said if said is not None and said.epoch == binding.epoch else None


def _of_other_shard(
    view: store.View, key: keys.StatusKey, binding: bindings.Binding, said: status.BindingReport | None
) -> status.BindingReport | None:
    """What a controller says that served all hosts at once, and then each: who serves the host goes before who served all."""
    if said is not None and key.shard != assign.ANY_HOST:
        return said
    other = binding.host if key.shard == assign.ANY_HOST else assign.ANY_HOST
    row = _held(view, dataclasses.replace(key, shard=other))
    return (_of(status.decode_believed(str(row["report"]).encode()), binding) if row else None) or said


def _key_of(resource: registry.Resource, key: keys.StatusKey) -> store.Value:
    """The key as the table has it, or a text that no row has."""
    try:
        found: store.Value = resource.fields.key(key.key)
    except errors.Invalid:
        return key.key
    return found


def _cleared_by(binding: bindings.Binding, controller: str, now: str) -> bindings.Binding:
    """One controller has nothing left of it; when none has, the binding is no more."""
    pairs = zip(binding.controllers, binding.levels or (0,) * len(binding.controllers), strict=False)
    left = [(c, level) for c, level in pairs if c != controller]
    if not left:
        return steps.cleared(binding, now)
    controllers, of_each = zip(*left, strict=True)
    return dataclasses.replace(binding, controllers=controllers, levels=of_each)


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
