"""The account of one port for people who ask why it does not work: its binding stage by stage, and who said what, when.

In: rows of the arbiter, what etcd holds of the binding, registrations. Out: plain data. `stages` is pure: the first stage that is
not done is where the port is stuck. Called by the main, for `gluon why`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gluon import errors
from gluon.arbiter import assign, bindings, history, levels, tables
from gluon.objects import codec, keys, status
from gluon.spi import store

DONE, WAITING, STUCK, LATER = "done", "waiting", "stuck", "later"
State = bindings.State

_CURES = {
    bindings.NO_CONTROLLER: "start a shim that serves this proton on this host, or see in `gluon status` what is registered",
    "Timeout": "see in `gluon status` whether the shim is registered, and in its log what it waits for",
    "ControllerGone": "the shim ended before it answered: see its log, then bind again",
    "PublisherDown": "bring etcd back, then bind again",
    "HostRefused": "bind to another host",
    "BadReply": "the shim's backend answers something that no hypervisor understands: report it to who made it",
    "ModelTooNew": "bring the shim to the release of the server",
    "NotPlugged": "the hypervisor makes the NIC: see there why it did not, and that its name is the port's id",
    "NoService": "bind the port's interface to a service",
    "NoAddress": "give the interface an address in its binding to the service",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """All that is known of a port. `wanted`: what etcd tells the shims of its binding; `silent`: why nobody knows that;
    `serving`: the controllers that would be asked now."""

    port: store.Row
    held: Sequence[bindings.Binding] = ()
    left: Sequence[history.Left] = ()
    reports: Sequence[tuple[str, str, status.Report]] = ()
    wanted: status.WantedBinding | None = None
    silent: str = ""
    looked_for: str = ""
    serving: Sequence[str] = ()

    @property
    def binding(self) -> bindings.Binding | None:
        """The one that counts: the active one, else the newest."""
        return bindings.active(list(self.held)) or max(self.held, key=lambda b: b.epoch, default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One step to a port that works."""

    name: str
    state: str
    words: str
    cure: str = ""


def stages(known: Known) -> Sequence[Stage]:
    """In their order; what comes after one that is not done is not looked at."""
    found: list[Stage] = []
    for name, look in _STAGES:
        if found and found[-1].state != DONE:
            found.append(Stage(name=name, state=LATER, words=""))
            continue
        state, words, cure = look(known)
        found.append(Stage(name=name, state=state, words=words, cure=cure))
    return found


Look = tuple[str, str, str]


def _owned(known: Known) -> Look:
    port = known.port
    return DONE, f"{port['object_type']} of {port['api']}, project {port['project'] or 'none'}", ""


def _asked(known: Known) -> Look:
    binding = known.binding
    if binding is None or binding.state is State.UNBOUND:
        if known.port["host"]:
            where = f"it names host '{known.port['host']}', which binds it only together with a device_id"
            return WAITING, where, "give both in one request, or binding:host_id alone through /networking"
        back = f" since it was taken back from '{binding.host}' at {binding.since}" if binding else ""
        cure = "give it a host_id and a device_id, or through /networking a binding:host_id, as Nova does at a boot"
        return WAITING, f"nobody asked for a host{back}", cure
    if binding.state is State.UNBINDING:
        who = ", ".join(binding.controllers)
        return WAITING, f"taken back from host '{binding.host}' at {binding.since}; {who} clears up", ""
    return DONE, f"host '{binding.host}', vnic_type {binding.vnic_type}", ""


def _assigned(known: Known) -> Look:
    binding = _of(known)
    if binding.controllers:
        names = zip(binding.controllers, binding.levels or (0,) * len(binding.controllers), strict=False)
        several = len(binding.controllers) > 1
        said = ", ".join(f"{c} (level {level})" if several else c for c, level in names)
        return DONE, said, ""
    if binding.state is State.FAILED and binding.reason != bindings.NO_CONTROLLER:
        return DONE, ", ".join(binding.tried) or "none is left", ""
    if binding.state is not State.FAILED:
        return WAITING, binding.message or known.looked_for, _CURES[bindings.NO_CONTROLLER]
    if not known.serving:
        cure = f"{_CURES[bindings.NO_CONTROLLER]}; then bind again"
        return STUCK, binding.message or known.looked_for, cure
    now = f"at {binding.since}: {binding.message}; now there is {', '.join(known.serving)}"
    return STUCK, now, "bind it again: send the same request once more"


def _published(known: Known) -> Look:
    binding = _of(known)
    if binding.state is not State.BINDING:
        return DONE, "", ""
    if known.silent:
        return STUCK, known.silent, _CURES["PublisherDown"]
    if known.wanted is None or known.wanted.epoch < binding.epoch:
        return (
            WAITING,
            "the wish is not in etcd yet",
            "see in `gluon status` who publishes, and how far behind",
        )
    return DONE, "", ""


def _answered(known: Known) -> Look:
    binding = _of(known)
    if binding.state is State.FAILED:
        why = f"{binding.reason}: {binding.message}" if binding.message else binding.reason
        return STUCK, why, _CURES.get(binding.reason, "")
    missing = levels.missing(binding.controllers, binding.answers)
    if binding.state is State.BINDING:
        return WAITING, f"no answer from {', '.join(missing)} yet, since {binding.since}", _CURES["Timeout"]
    return DONE, f"vif_type {binding.vif_type}, at {binding.since}", ""


def _up(known: Known) -> Look:
    binding = _of(known)
    if binding.up:
        return DONE, "ACTIVE", ""
    for controller in binding.controllers:
        answer = binding.answers.get(controller, levels.NOTHING)
        if answer.refused:
            why = f"{controller} bound it, but refuses it since: {answer.refused}, {answer.message}"
            return STUCK, why, _CURES.get(answer.refused, "")
        if answer.up:
            continue
        said = [
            r for c, shard, r in known.reports if c == controller and shard in (binding.host, assign.ANY_HOST)
        ]
        if not said:
            return (
                WAITING,
                f"{controller} has not said what it did, or says nothing any more",
                _CURES["Timeout"],
            )
        for condition in (c for r in said for c in r.conditions if c.status != "True"):
            text = f": {condition.message}" if condition.message else ""
            words = f"{controller}: {condition.type} is {condition.status}, {condition.reason}{text}"
            since = f" (since {condition.since})" if condition.since else ""
            return WAITING, words + since, _CURES.get(condition.reason, "")
        return WAITING, f"{controller} does not say that it is up", ""
    return WAITING, "no controller says that it is up", ""


_STAGES: Sequence[tuple[str, Callable[[Known], Look]]] = (
    ("a proton has it", _owned),
    ("a host was asked for", _asked),
    ("controllers were chosen", _assigned),
    ("they were told", _published),
    ("they answered", _answered),
    ("the data plane is up", _up),
)


def _of(known: Known) -> bindings.Binding:
    binding = known.binding
    assert binding is not None
    return binding


class Accounts:
    """Reads the account of a port."""

    def __init__(
        self,
        database: store.Store,
        registrations: assign.Registrations,
        versions: Mapping[str, Sequence[str]],
        peek: Callable[[str], Awaitable[bytes | None]],
    ) -> None:
        """`versions`: as for `assign.Assigner`; `peek`: the value of a key in etcd, raises `BusError`."""
        self._store = database
        self._registrations = registrations
        self._versions = versions
        self._peek = peek

    async def of(self, port: str) -> dict[str, Any]:
        """Raises `NotFound`."""
        row = await self._store.get(tables.PORT, port)
        if row is None:
            raise errors.NotFound(f"no proton has a port {port}", hint="see gluon ports")
        known = await self._known(row)
        steps = stages(known)
        first = next((s for s in steps if s.state != DONE), None)
        return {
            "port": row,
            "works": first is None,
            "stuck_at": first.name if first is not None else None,
            "stages": [dataclasses.asdict(s) for s in steps],
            "bindings": [_shown(b) for b in known.held],
            "history": codec.decode(codec.encode(known.left)),
            "reports": [
                {"controller": c, "shard": shard, **codec.decode(codec.encode(r))}
                for c, shard, r in known.reports
            ],
        }

    async def _known(self, row: store.Row) -> Known:
        port, api = str(row["id"]), str(row["api"])
        select = self._store.select
        held = [
            bindings.read(r)
            for r in await select(store.Select(table=tables.BINDING, equals=((tables.PORT_ID, port),)))
        ]
        named = zip(tables.OF_OBJECT, (api, str(row["object_type"]), port), strict=True)
        said = await select(store.Select(table=tables.STATUS, equals=tuple(named)))
        known = Known(
            port=row,
            held=held,
            left=history.read(await self._store.get(tables.HISTORY, port)),
            reports=[
                (str(r["controller"]), str(r["shard"]), status.decode_believed(str(r["report"]).encode()))
                for r in said
            ],
        )
        binding = known.binding
        return known if binding is None else await self._looked(known, binding)

    async def _looked(self, known: Known, binding: bindings.Binding) -> Known:
        """With what stands outside the database."""
        wanted, silent = None, ""
        try:
            value = await self._peek(keys.binding(binding.api, binding.port, binding.host))
            wanted = status.decode_binding(value) if value is not None else None
        except errors.BusError as error:
            silent = f"etcd does not answer: {error}"
        except ValueError:
            silent = "etcd holds something else than a binding"
        registered = tuple(self._registrations.current())
        asked: dict[str, Any] = {
            "api": binding.api,
            "versions": self._versions.get(binding.api, ("",)),
            "host": binding.host,
            "vnic_type": binding.vnic_type,
        }
        return dataclasses.replace(
            known,
            wanted=wanted,
            silent=silent,
            looked_for=assign.explain(registered, **asked),
            serving=[one.controller for one in assign.candidates(registered, **asked)],
        )


def _shown(binding: bindings.Binding) -> dict[str, Any]:
    found = {name: getattr(binding, name) for name in _MEMBERS}
    answers = {c: codec.decode(codec.encode(a)) for c, a in binding.answers.items()}
    return {
        **found,
        "state": binding.state.value,
        "answers": answers,
        "up": binding.up,
        "ready": binding.ready,
    }


_MEMBERS = (
    "host", "active", "reason", "message", "since", "epoch", "vnic_type", "device_id", "vif_type", "vif_details",
    "controllers", "levels", "tried",
)  # fmt: skip
