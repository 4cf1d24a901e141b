"""A port binding as a value: its states, its row, its wanted form in etcd.

    Unbound -> Binding -> Bound | Failed -> Unbinding -> Unbound

Each bind has an *epoch*, made of revision and time of the unit that assigned it: it only grows, over
restores too, so an answer to an older bind can never be taken for one to a newer, nor one of a
history that the database has lost.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import msgspec

from gluon.arbiter import history, tables
from gluon.arbiter.levels import NOTHING, Answer
from gluon.objects import codec, journal, keys, status
from gluon.spi import store

BINDING_FAILED = "binding_failed"
NO_CONTROLLER = "NoController"
MOVED = "Moved"
"""The reason of a binding that carried the traffic until another was activated."""
GRACE = 2.0
"""Seconds that a bind waits for a controller to register before it fails."""
UNBIND_DEADLINE = 30.0
LONGEST_BIND = 300.0
"""Seconds that any controller has to answer, whatever it asks for."""

_TIME_BITS = 20
"""Of an epoch: microseconds, which come round after a second."""


class State(StrEnum):
    UNBOUND = "Unbound"
    BINDING = "Binding"
    BOUND = "Bound"
    FAILED = "Failed"
    UNBINDING = "Unbinding"


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """One row of `gluon_binding`. `deadline` in seconds since 1970 UTC, 0 for none.

    `controllers`: those assigned, in the order of their `levels`; `answers`: what each of them said of this epoch.
    """

    port: str
    host: str
    api: str
    object_type: str
    project: str | None
    active: bool
    epoch: int
    state: State
    reason: str = ""
    message: str = ""
    vnic_type: str = "normal"
    device_id: str = ""
    profile: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    controllers: tuple[str, ...] = ()
    levels: tuple[int, ...] = ()
    answers: Mapping[str, Answer] = dataclasses.field(default_factory=dict)
    tried: tuple[str, ...] = ()
    vif_type: str = ""
    vif_details: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    deadline: float = 0.0
    since: str

    @property
    def live(self) -> bool:
        """Whether it is wanted: not taken back."""
        return self.state in (State.BINDING, State.BOUND) or (self.active and self.state is State.FAILED)

    @property
    def published(self) -> bool:
        """Whether shims are told of it."""
        return self.state in (State.BINDING, State.BOUND) and bool(self.controllers)

    @property
    def up(self) -> bool:
        """Whether the data plane of all controllers is."""
        return bool(self.controllers) and all(self.answers.get(c, NOTHING).up for c in self.controllers)

    @property
    def refused(self) -> bool:
        """Whether a controller refuses by now what it bound."""
        return any(self.answers.get(c, NOTHING).refused for c in self.controllers)

    @property
    def ready(self) -> bool:
        """Whether a binding that is not active could carry the traffic, as all controllers say."""
        return bool(self.controllers) and all(self.answers.get(c, NOTHING).ready for c in self.controllers)

    @property
    def awaits(self) -> bool:
        """Whether traffic is to come here, and has not been here: the target of a live migration."""
        return self.state is State.BOUND and not self.active and self.reason != MOVED

    def row(self) -> store.Row:
        return {
            tables.PORT_ID: self.port,
            "host": self.host,
            "api": self.api,
            "object_type": self.object_type,
            "project": self.project,
            "active": self.active,
            "epoch": self.epoch,
            "state": self.state.value,
            "reason": self.reason,
            "message": self.message[:2048],
            "vnic_type": self.vnic_type,
            "device_id": self.device_id,
            "profile": _json(self.profile),
            "controllers": _json(self.controllers),
            "tried": _json(self.tried),
            "vif_type": self.vif_type,
            "vif_details": _json(self.vif_details),
            "deadline": self.deadline,
            "since": self.since,
            "levels": _json(self.levels),
            "answers": _json(self.answers),
        }

    def wanted(self) -> bytes:
        """The value of its key in etcd."""
        return codec.encode(
            status.WantedBinding(
                epoch=self.epoch,
                revision=self.epoch >> _TIME_BITS,
                active=self.active,
                vnic_type=self.vnic_type,
                profile=dict(self.profile),
                device_id=self.device_id,
                controllers=self.controllers,
            )
        )

    @property
    def entry_key(self) -> str:
        """The key of its journal entries: the end of its key in etcd."""
        return keys.binding(self.api, self.port, self.host)[len(keys.BINDING) :]


def _json(value: Any) -> str:
    return codec.encode(value).decode()


_answers = msgspec.json.Decoder(dict[str, Answer])


def read(row: store.Row) -> Binding:
    """The binding that a row holds."""
    return Binding(
        port=str(row[tables.PORT_ID]),
        host=str(row["host"]),
        api=str(row["api"]),
        object_type=str(row["object_type"]),
        project=None if row["project"] is None else str(row["project"]),
        active=bool(row["active"]),
        epoch=int(row["epoch"] or 0),
        state=State(str(row["state"])),
        reason=str(row["reason"] or ""),
        message=str(row["message"] or ""),
        vnic_type=str(row["vnic_type"] or "normal"),
        device_id=str(row["device_id"] or ""),
        profile=codec.decode(str(row["profile"])),
        controllers=tuple(codec.decode(str(row["controllers"]))),
        tried=tuple(codec.decode(str(row["tried"]))),
        vif_type=str(row["vif_type"] or ""),
        vif_details=codec.decode(str(row["vif_details"])),
        deadline=float(row["deadline"] or 0),
        since=str(row["since"]),
        levels=tuple(codec.decode(str(row["levels"] or "[]"))),
        answers=_answers.decode(str(row["answers"] or "{}")),
    )


def operational(binding: Binding) -> str:
    """The status of a port with this active binding."""
    if binding.state is State.BOUND:
        return "ERROR" if binding.refused else "ACTIVE" if binding.up else "DOWN"
    return {State.BINDING: "BUILD", State.FAILED: "ERROR"}.get(binding.state, "DOWN")


def of_port(view: store.View, port: str) -> list[Binding]:
    """All bindings of a port."""
    return [read(r) for r in view.rows(tables.BINDING, (tables.PORT_ID,), (port,))]


def active(bindings: list[Binding]) -> Binding | None:
    """The one that carries traffic, or is to."""
    return next((b for b in bindings if b.active), None)


def lookup(port: str) -> store.Lookup:
    """The read of all bindings of a port."""
    return store.Lookup(tables.BINDING, (tables.PORT_ID,), (port,))


def carrying(target: Binding, now: str, **more: Any) -> Binding:
    """`target`, which carries the traffic from now on."""
    if target.state is State.BOUND:
        more |= {"reason": State.BOUND.value, "message": "", "since": now}
    return dataclasses.replace(target, active=True, **more)


def left_by(source: Binding, to: str, now: str) -> Binding:
    """`source`, whose traffic goes to host `to` from now on."""
    why = f"host '{to}' carries the traffic"
    return dataclasses.replace(source, active=False, reason=MOVED, message=why, since=now)


def save(
    view: store.View,
    changes: store.Changes,
    before: Binding | None,
    after: Binding,
    left: Binding | None = None,
) -> None:
    """Write `after`, and say so in the journal where shims have to know. `left`: `before` with all that was said of it."""
    if before == after:
        return
    changes.put(tables.BINDING, after.row())
    if before is not None and (
        (before.state, before.epoch) != (after.state, after.epoch) or (before.active and not after.active)
    ):
        note(view, changes, left or before, after)
    was = before.wanted() if before is not None and before.published else None
    now = after.wanted() if after.published else None
    if was != now:
        _publish(changes, after, was, now)


def note(view: store.View, changes: store.Changes, left: Binding, after: Binding | None) -> None:
    """The history of the port: a binding is not as it was any more."""
    if left.state is State.UNBOUND:
        return
    one = history.Left(
        host=left.host,
        epoch=left.epoch,
        active=left.active,
        state=left.state.value,
        since=left.since,
        until=view.now,
        next=after.state.value if after is not None else "",
        reason=after.reason if after is not None else "",
        message=after.message[:500] if after is not None else "",
        controllers=left.controllers,
        answers=history.without_details(left.answers),
    )
    history.note(view, changes, left.port, one)


def drop(changes: store.Changes, before: Binding) -> None:
    """Remove a binding altogether."""
    changes.delete(tables.BINDING, before.port, before.host)
    if before.published:
        _publish(changes, before, before.wanted(), None)


def _publish(changes: store.Changes, binding: Binding, was: bytes | None, now: bytes | None) -> None:
    op = (
        journal.Operation.DELETE
        if now is None
        else journal.Operation.UPDATE
        if was
        else journal.Operation.CREATE
    )
    changes.entries.append(
        journal.Draft(
            op=op,
            api=journal.GLUON,
            type=journal.BINDING,
            key=binding.entry_key,
            project=binding.project,
            intent=True,
            old=was,
            new=now,
        )
    )


def epoch_of(view: store.View) -> int:
    """The epoch of a bind that this unit begins.

    Just after a restore to an older dump, before the store has moved past what etcd has seen, the
    revision alone may be that of a bind that is lost, whose answer still lies in etcd.
    """
    return view.revision << _TIME_BITS | int(seconds(view.now) * 1e6) % (1 << _TIME_BITS)


def seconds(now: str) -> float:
    """A view's `now` in seconds since 1970 UTC."""
    return datetime.fromisoformat(now).replace(tzinfo=UTC).timestamp()
