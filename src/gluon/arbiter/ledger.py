"""The arbiter's part of a port's units: ownership, and the binding that follows host and device.

Implements `spi.ports.PortLedger`; by which of two rules a request binds is `ports.Rule`. What else a request changes
leaves the binding alone, and shims are told of the profile and the device as they are now. Called by units of ports.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from enum import Enum, auto

from gluon import errors
from gluon.arbiter import assign, bindings, history, notices, tables
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


class _Wish(Enum):
    """What a request wants of the binding."""

    NOTHING = auto()
    BIND = auto()
    UNBIND = auto()


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

    def reads_to_update(self, port_id: str, given: Collection[Role]) -> Sequence[store.Lookup]:
        reads = (bindings.lookup(port_id), store.Lookup(tables.PORT, ("id",), (port_id,)))
        binds = Role.HOST in given or Role.DEVICE in given or Role.VNIC_TYPE in given
        return (*reads, history.lookup(port_id)) if binds else reads

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
        rule: ports.Rule = ports.Rule.PROTON,
    ) -> tuple[Mapping[Role, store.Value], ports.PortWait | None]:
        known = view.get(tables.PORT, after.key)
        held = [_owned(view, changes, b, after.project) for b in bindings.of_port(view, after.key)]
        current = bindings.active(held)
        wish, host = _wish(after, given, rule, current)
        result = current
        if wish is _Wish.BIND:
            result = self._bind(view, changes, after, host, current, held, rule)
        elif wish is _Wish.UNBIND:
            result = self._unbind_all(view, changes, held) or current
        if result is current and current is not None:
            result = current = _following(view, changes, current, after)
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
        if result.state is bindings.State.BINDING and wish is not _Wish.NOTHING:
            wait = ports.PortWait(port=after.key, host=result.host, begun=result)
        return views(result), wait

    def _bind(
        self,
        view: store.View,
        changes: store.Changes,
        port: ports.PortFacts,
        host: str,
        current: bindings.Binding | None,
        held: list[bindings.Binding],
        rule: ports.Rule,
    ) -> bindings.Binding:
        """A binding on `host` that carries the traffic: the one that is there, or a new one. Where it moves, those of other
        hosts go, and nobody waits for that: the host may be dead. Where it stays, those that wait elsewhere do too."""
        before = next((b for b in held if b.host == host), None)
        vnic_type = _vnic_type(port)
        same = before is not None and before.vnic_type == vnic_type
        fits = before is not None and before.state in (bindings.State.BINDING, bindings.State.BOUND)
        if before is not None and before is current and fits and (same or rule is ports.Rule.PROTON):
            return before
        stays = current is not None and current.host == host
        for old in held:
            if old.host == host:
                continue
            if old.live and not stays:
                self.unbind(view, changes, old)
            elif old.state is bindings.State.UNBOUND:
                bindings.drop(changes, old)
        if before is not None and before is not current and fits and same:
            device, profile = _text(port, Role.DEVICE), _profile(port)
            carries = bindings.carrying(before, view.now, device_id=device, profile=profile)
            bindings.save(view, changes, before, carries)
            return carries
        begun = self.begin(view, port, host, vnic_type=vnic_type, profile=_profile(port))
        bindings.save(view, changes, before, begun)
        return begun

    def begin(
        self,
        view: store.View,
        port: ports.PortFacts,
        host: str,
        *,
        vnic_type: str,
        profile: Mapping[str, object],
        active: bool = True,
    ) -> bindings.Binding:
        """A new binding of `port`, assigned, or waiting for a controller."""
        epoch = bindings.epoch_of(view)
        fresh = bindings.Binding(
            port=port.key,
            host=host,
            api=port.api,
            object_type=port.object_type,
            project=port.project,
            active=active,
            epoch=epoch,
            state=bindings.State.BINDING,
            vnic_type=vnic_type,
            device_id=_text(port, Role.DEVICE),
            profile=profile,
            since=view.now,
        )
        return self._assigner.begin(fresh, epoch=epoch, now=view.now)

    def _unbind_all(
        self, view: store.View, changes: store.Changes, held: list[bindings.Binding]
    ) -> bindings.Binding | None:
        """Returns what was the active one."""
        gone = [(b, self.unbind(view, changes, b)) for b in held if b.live]
        return next((after for before, after in gone if before.active), None)

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
            answers={},
            tried=(),
            vif_type="",
            vif_details={},
            deadline=bindings.seconds(view.now) + bindings.UNBIND_DEADLINE if clearing else 0.0,
            since=view.now,
        )
        bindings.save(view, changes, binding, gone)
        return gone

    def removed(self, view: store.View, changes: store.Changes, port: ports.PortFacts) -> None:
        """A bound port is unbound first: the wish goes in the same unit as the port."""
        held = bindings.of_port(view, port.key)
        for binding in held:
            bindings.drop(changes, binding)
        if held:
            history.forget(changes, port.key)
        for row in view.rows(tables.STATUS, tables.OF_OBJECT, (port.api, port.object_type, port.key)):
            changes.delete(tables.STATUS, *(row[c] for c in (*tables.OF_OBJECT, "controller", "shard")))
        changes.delete(tables.PORT, port.key)
        notices.removed(changes, port_row(port, view.revision, "DOWN"))


def _wish(
    after: ports.PortFacts, given: frozenset[Role], rule: ports.Rule, current: bindings.Binding | None
) -> tuple[_Wish, str]:
    """And the host to bind on."""
    host, device = _text(after, Role.HOST), _text(after, Role.DEVICE)
    if rule is ports.Rule.NEUTRON:
        if Role.HOST in given:
            return (_Wish.BIND if host else _Wish.UNBIND), host
        if current is not None and Role.VNIC_TYPE in given and _vnic_type(after) != current.vnic_type:
            return _Wish.BIND, current.host
    elif given & {Role.HOST, Role.DEVICE}:
        if host and device:
            return _Wish.BIND, host
        if not host and not device and {Role.HOST, Role.DEVICE} <= given:
            return _Wish.UNBIND, ""
    return _Wish.NOTHING, ""


def _following(
    view: store.View, changes: store.Changes, binding: bindings.Binding, port: ports.PortFacts
) -> bindings.Binding:
    """The active binding with the port's profile and device: the bind stays the same one, so its epoch does."""
    device, profile = _text(port, Role.DEVICE), _profile(port)
    if binding.device_id == device and binding.profile == profile:
        return binding
    after = dataclasses.replace(binding, device_id=device, profile=profile)
    bindings.save(view, changes, binding, after)
    return after


def _owned(
    view: store.View, changes: store.Changes, binding: bindings.Binding, project: str | None
) -> bindings.Binding:
    """A binding belongs to the project of its port, also after an admin moved that."""
    if binding.project == project:
        return binding
    moved = dataclasses.replace(binding, project=project)
    bindings.save(view, changes, binding, moved)
    return moved


def _vnic_type(port: ports.PortFacts) -> str:
    return _text(port, Role.VNIC_TYPE) or "normal"


def _profile(port: ports.PortFacts) -> dict[str, object]:
    text = _text(port, Role.PROFILE)
    if not text:
        return {}
    value = codec.decode(text)
    return value if isinstance(value, dict) else {}
