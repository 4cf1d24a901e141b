"""The arbiter's part of a port's units: ownership, and the binding that follows host and device.

Implements `spi.ports.PortLedger` by the rules of a 1.0 proton: a request that names the host or the
device binds if both are set in the port after it, and unbinds if it gives both empty. All else
leaves the binding alone.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from gluon import errors
from gluon.arbiter import assign, bindings, notices, tables
from gluon.model.types import Role
from gluon.objects import codec
from gluon.spi import ports, store

OWNER = "proton"
_FOLLOWED = (
    ("device_id", Role.DEVICE),
    ("device_owner", Role.DEVICE_OWNER),
    ("host", Role.HOST),
    ("mac", Role.MAC),
    ("name", Role.NAME),
)
"""Columns of `gluon_port` that a port's attributes fill."""

_WIDTH = 255
"""Of those columns; what a model allows beyond it is cut off in this copy."""


def _text(port: ports.PortFacts, role: Role) -> str:
    value = port.values.get(role)
    return "" if value is None else str(value)


def port_row(port: ports.PortFacts, revision: int, status: str) -> store.Row:
    """The row of `gluon_port` for a port as it is."""
    row: store.Row = {
        "id": port.key,
        "owner": OWNER,
        "api": port.api,
        "object_type": port.object_type,
        "project": port.project,
        "network_id": None,
        "status": status,
        "revision": revision,
    }
    value_of = port.values.get
    for column, role in _FOLLOWED:
        value = value_of(role)
        row[column] = None if value is None or value == "" else str(value)[:_WIDTH]
    return row


def views(binding: bindings.Binding) -> dict[Role, store.Value]:
    """What the port's body shows of its active binding, or of the one that was just taken back."""
    shown: dict[Role, store.Value] = {Role.VIF_TYPE: None, Role.VIF_DETAILS: "{}"}
    if binding.active:
        shown[Role.HOST] = binding.host
    if binding.state is bindings.State.FAILED:
        shown[Role.VIF_TYPE] = bindings.BINDING_FAILED
    elif binding.state is bindings.State.BOUND:
        shown[Role.VIF_TYPE] = binding.vif_type
        shown[Role.VIF_DETAILS] = codec.encode(binding.vif_details).decode()
    return shown


class Ledger:
    """`spi.ports.PortLedger`."""

    def __init__(self, assigner: assign.Assigner) -> None:
        self._assigner = assigner

    def reads_to_create(self, port_id: str) -> Sequence[store.Lookup]:
        return (store.Lookup(tables.PORT, ("id",), (port_id,)),)

    def reads_to_update(self, port_id: str) -> Sequence[store.Lookup]:
        return (
            bindings.lookup(port_id),
            store.Lookup(tables.PORT, ("id",), (port_id,)),
        )

    def reads_to_remove(self, api: str, object_type: str, port_id: str) -> Sequence[store.Lookup]:
        return (
            bindings.lookup(port_id),
            store.Lookup(tables.STATUS, tables.OF_OBJECT, (api, object_type, port_id)),
        )

    def created(
        self, view: store.View, changes: store.Changes, port: ports.PortFacts, *, fresh: bool
    ) -> None:
        if not fresh and view.get(tables.PORT, port.key) is not None:
            raise errors.Conflict(
                f"a port with id '{port.key}' exists already", code="taken", hint="choose another id"
            )
        changes.put(tables.PORT, port_row(port, view.revision, "DOWN"))

    def updated(
        self,
        view: store.View,
        changes: store.Changes,
        before: ports.PortFacts,
        after: ports.PortFacts,
        given: frozenset[Role],
    ) -> tuple[Mapping[Role, store.Value], ports.PortWait | None]:
        known = view.get(tables.PORT, after.key)
        held = [_owned(changes, b, after.project) for b in bindings.of_port(view, after.key)]
        current = bindings.active(held)
        host, device = _text(after, Role.HOST), _text(after, Role.DEVICE)
        result: bindings.Binding | None = current
        if given & {Role.HOST, Role.DEVICE}:
            if host and device:
                result = self._bind(view, changes, after, host, current, held)
            elif not host and not device and {Role.HOST, Role.DEVICE} <= given and current is not None:
                result = self.unbind(view, changes, current)
        status = str(known["status"]) if known else "DOWN"
        if result is not None and result is not current:
            status = bindings.operational(result)
        row = port_row(after, view.revision, status)
        if result is not None and result.active:
            row["host"] = result.host
        if known is None or {**known, "revision": 0} != {**row, "revision": 0}:
            changes.put(tables.PORT, row)
            notices.changed(changes, known, row)
        if result is None:
            return {}, None
        wait = None
        if result.state is bindings.State.BINDING and given & {Role.HOST, Role.DEVICE}:
            wait = ports.PortWait(port=after.key, host=result.host)
        return views(result), wait

    def _bind(
        self,
        view: store.View,
        changes: store.Changes,
        port: ports.PortFacts,
        host: str,
        current: bindings.Binding | None,
        held: list[bindings.Binding],
    ) -> bindings.Binding:
        same = current is not None and current.host == host
        if same and current is not None and current.state in (bindings.State.BINDING, bindings.State.BOUND):
            return current
        for old in held:
            if old.host == host:
                continue
            if old.active:
                self.unbind(view, changes, old)
            elif old.state is bindings.State.UNBOUND:
                bindings.drop(changes, old)
        before = next((b for b in held if b.host == host), None)
        epoch = bindings.epoch_of(view)
        fresh = bindings.Binding(
            port=port.key,
            host=host,
            api=port.api,
            object_type=port.object_type,
            project=port.project,
            active=True,
            epoch=epoch,
            state=bindings.State.BINDING,
            vnic_type=_text(port, Role.VNIC_TYPE) or "normal",
            device_id=_text(port, Role.DEVICE),
            profile=_profile(port),
            since=view.now,
        )
        begun = self._assigner.begin(fresh, epoch=epoch, now=view.now)
        bindings.save(changes, before, begun)
        return begun

    def unbind(self, view: store.View, changes: store.Changes, binding: bindings.Binding) -> bindings.Binding:
        """Take the wish back; shims then clear what they made. Harmless when repeated."""
        if binding.state in (bindings.State.UNBOUND, bindings.State.UNBINDING):
            return binding
        clearing = binding.published
        gone = dataclasses.replace(
            binding,
            active=False,
            state=bindings.State.UNBINDING if clearing else bindings.State.UNBOUND,
            reason="Unbound",
            message="",
            controllers=binding.controllers,
            tried=(),
            vif_type="",
            vif_details={},
            deadline=bindings.seconds(view.now) + bindings.UNBIND_DEADLINE if clearing else 0.0,
            since=view.now,
        )
        bindings.save(changes, binding, gone)
        return gone

    def removed(self, view: store.View, changes: store.Changes, port: ports.PortFacts) -> None:
        """A bound port is unbound first: the wish goes in the same unit as the port."""
        for binding in bindings.of_port(view, port.key):
            bindings.drop(changes, binding)
        for row in view.rows(tables.STATUS, tables.OF_OBJECT, (port.api, port.object_type, port.key)):
            changes.delete(tables.STATUS, *(row[c] for c in (*tables.OF_OBJECT, "controller", "shard")))
        changes.delete(tables.PORT, port.key)
        notices.removed(changes, port_row(port, view.revision, "DOWN"))


def _owned(changes: store.Changes, binding: bindings.Binding, project: str | None) -> bindings.Binding:
    """A binding belongs to the project of its port, also after an admin moved that."""
    if binding.project == project:
        return binding
    moved = dataclasses.replace(binding, project=project)
    bindings.save(changes, binding, moved)
    return moved


def _profile(port: ports.PortFacts) -> dict[str, object]:
    text = _text(port, Role.PROFILE)
    if not text:
        return {}
    value = codec.decode(text)
    return value if isinstance(value, dict) else {}
