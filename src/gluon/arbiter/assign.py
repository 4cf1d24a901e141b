"""Who may bind a port: a pure choice from what the shims registered.

Candidates are the controllers that serve the API, the host and the vnic type, by level and name; of each level one is
chosen, and those already tried in this bind come no more.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from gluon.arbiter import bindings, levels
from gluon.objects import status

ANY_HOST = "*"
_MOST_MISSING = 1000


def serves(registration: status.Registration, api: str, versions: Sequence[str]) -> bool:
    """Whether a shim understands one of the versions that a proton's objects can be shown in."""
    known = registration.apis.get(api)
    return known is not None and (not known or not set(known).isdisjoint(versions))


def candidates(
    registrations: Iterable[status.Registration],
    *,
    api: str,
    versions: Sequence[str],
    host: str,
    vnic_type: str,
) -> Sequence[status.Registration]:
    """The shims that could bind, one a controller, in the order in which they are asked.

    `versions` are those that shims can be shown, the stored one first.
    """
    found: dict[str, status.Registration] = {}
    for one in sorted(registrations, key=lambda r: (r.level, r.controller, r.instance)):
        if not serves(one, api, versions):
            continue
        if host not in one.hosts and ANY_HOST not in one.hosts:
            continue
        if one.vnic_types and vnic_type not in one.vnic_types:
            continue
        found.setdefault(one.controller, one)
    return tuple(found.values())


def explain(
    registrations: Sequence[status.Registration],
    *,
    api: str,
    versions: Sequence[str],
    host: str,
    vnic_type: str,
) -> str:
    """What was looked for and what is registered, for the reason `NoController`."""
    there = "; ".join(
        f"{r.controller} ({', '.join(sorted(r.apis))} on {', '.join(r.hosts)}"
        f"{', ' + '/'.join(r.vnic_types) if r.vnic_types else ''})"
        for r in sorted(registrations, key=lambda r: (r.controller, r.instance))[:20]
    )
    return (
        f"no controller for {api} {' or '.join(versions)}, host '{host}', vnic_type '{vnic_type}'; "
        f"registered: {there or 'none'}"
    )


class Registrations(Protocol):
    """The shims that are registered now."""

    def current(self) -> Iterable[status.Registration]: ...


class Assigner:
    """Chooses the controllers of a binding from the registrations of the moment."""

    def __init__(self, registrations: Registrations, versions: Mapping[str, Sequence[str]]) -> None:
        """`versions`: those that shims can be shown of each proton, the stored one first."""
        self._registrations = registrations
        self._versions = versions
        self._missing: dict[tuple[str, str], tuple[float, float]] = {}
        """Since when a controller is missing on a host, and when somebody looked last."""

    def begin(self, binding: bindings.Binding, *, epoch: int, now: str) -> bindings.Binding:
        """`binding` in state Binding with the next controller, or waiting for one to register."""
        at = bindings.seconds(now)
        asked: dict[str, Any] = {
            "api": binding.api,
            "versions": self._versions.get(binding.api, ("",)),
            "host": binding.host,
            "vnic_type": binding.vnic_type,
        }
        known = tuple(self._registrations.current())
        picked = levels.chosen(candidates(known, **asked), binding.tried, binding.levels)
        if picked:
            longest = max(one.deadline for one in picked)
            return dataclasses.replace(
                binding,
                state=bindings.State.BINDING,
                epoch=epoch,
                controllers=tuple(one.controller for one in picked),
                levels=tuple(one.level for one in picked),
                answers={},
                reason="Assigned",
                message="",
                deadline=at + min(max(longest, 0.0), bindings.LONGEST_BIND),
            )
        return dataclasses.replace(
            binding,
            state=bindings.State.BINDING,
            epoch=epoch,
            controllers=(),
            answers={},
            reason=bindings.NO_CONTROLLER,
            message=explain(known, **asked),
            deadline=at + bindings.GRACE,
        )

    def gone(self, binding: bindings.Binding, now: float) -> tuple[str, ...]:
        """The controllers of `binding` that have not served its host for longer than a restart takes.

        Keeps since when, so it is for those who look at least once in a grace, not for `decide`.
        """
        there = {
            c.controller
            for c in candidates(
                self._registrations.current(),
                api=binding.api,
                versions=self._versions.get(binding.api, ("",)),
                host=binding.host,
                vnic_type=binding.vnic_type,
            )
        }
        late = []
        for controller in binding.controllers:
            one = (controller, binding.host)
            if controller in there:
                self._missing.pop(one, None)
                continue
            since, looked = self._missing.get(one, (now, now))
            if now - looked > bindings.GRACE or since < bindings.seconds(binding.since):
                since = now  # an absence of another time: at the assignment it was there
            self._missing[one] = (since, now)
            if now - since >= bindings.GRACE:
                late.append(controller)
        if len(self._missing) > _MOST_MISSING:
            self._missing = {k: v for k, v in self._missing.items() if now - v[1] <= bindings.GRACE}
        return tuple(late)
