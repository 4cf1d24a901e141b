"""What there is to say of one object, and how it becomes the value of its status key. Pure.

In: replies to bindings, the backend's status, the report held in etcd. Out: a `Report`.
Invariant: the same facts give the same bytes; a condition keeps its `since` while type, status and
reason stay. Called by `report`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import msgspec

from gluon.objects import codec, status

_LONGEST_MESSAGE = 1000
_SHORT_MESSAGE = 100
"""Of a report that is too large."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """The answer to one wanted binding, whose key had `mod_revision`. `up` is not known here."""

    report: status.BindingReport
    mod_revision: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What the backend says of an object. `up` maps a host to the epoch for which the port is up, `ready` one whose binding
    is not active to that for which the VIF is plugged. `failed`: why its port cannot be served until something changes, in a word and a
    `message`."""

    observed_revision: int
    conditions: tuple[status.Condition, ...] = ()
    up: Mapping[str, int] = field(default_factory=dict)
    ready: Mapping[str, int] = field(default_factory=dict)
    failed: str = ""
    message: str = ""


@dataclass(slots=True)
class Entry:
    """All that there is to say of one object. Not `settled`: what was said before still stands.

    `written`: etcd was seen to hold just this. `made`: the value of all this, and beside what held one it was made.
    """

    replies: dict[str, Reply] = field(default_factory=dict)
    said: Said | None = None
    settled: bool = False
    written: bool = False
    made: tuple[object, bytes | None] | None = None


def is_news(reply: Reply, held: status.BindingReport | None) -> bool:
    """Whether who waits for a reply has not been told; `up`, `ready` and `failed` nobody waits for."""
    if held is None:
        return True
    message = held.message if held.refused else ""
    return msgspec.structs.replace(held, up=False, ready=False, failed="", message=message) != reply.report


def report(entry: Entry, held: status.Report | None) -> status.Report | None:
    """The report to have in etcd; None: no key."""
    said = entry.said if entry.settled else _before(held)
    bindings: dict[str, status.BindingReport] = {}
    if held is not None and not entry.settled:
        bindings.update(held.bindings)
    for host, reply in sorted(entry.replies.items()):
        holds = said if not reply.report.refused else None
        bindings[host] = msgspec.structs.replace(
            reply.report,
            up=holds is not None and holds.up.get(host) == reply.report.epoch,
            ready=holds is not None and holds.ready.get(host) == reply.report.epoch,
            failed=holds.failed if holds is not None else "",
            message=holds.message[:_LONGEST_MESSAGE] if holds is not None else reply.report.message,
        )
    if said is None and not bindings:
        return None
    conditions = said.conditions if said else ()
    return status.Report(
        observed_revision=said.observed_revision if said else 0,
        conditions=tuple(_stamped(conditions, held.conditions if held else ())),
        bindings=bindings,
    )


def encode(value: status.Report) -> bytes:
    """Canonical bytes, so that equal reports compare equal. Of one that is too large messages of conditions are cut, then
    conditions are left out; too many details of a reply are left out whole, and refuse it."""
    data = codec.canonical(value)
    if len(data) <= status.MAX_REPORT:
        return data
    short = tuple(msgspec.structs.replace(c, message=c.message[:_SHORT_MESSAGE]) for c in value.conditions)
    refused = {
        host: status.BindingReport(epoch=said.epoch, refused="TooLarge", message="the reply is too large")
        for host, said in value.bindings.items()
    }
    for conditions, bindings in ((short, value.bindings), ((), value.bindings), ((), refused)):
        data = codec.canonical(msgspec.structs.replace(value, conditions=conditions, bindings=bindings))
        if len(data) <= status.MAX_REPORT:
            break
    return data


def _now() -> str:
    """UTC, as everywhere in Gluon's own data."""
    return datetime.now(UTC).replace(tzinfo=None).isoformat(timespec="microseconds")


def _before(held: status.Report | None) -> Said | None:
    if held is None:
        return None
    up = {host: said.epoch for host, said in held.bindings.items() if said.up}
    ready = {host: said.epoch for host, said in held.bindings.items() if said.ready}
    failed = next((said for said in held.bindings.values() if said.failed), None)
    return Said(
        observed_revision=held.observed_revision,
        conditions=held.conditions,
        up=up,
        ready=ready,
        failed=failed.failed if failed else "",
        message=failed.message if failed else "",
    )


def _stamped(
    conditions: Iterable[status.Condition], held: Iterable[status.Condition]
) -> Iterable[status.Condition]:
    before = {c.type: c for c in held}
    for condition in conditions:
        old = before.get(condition.type)
        same = old is not None and (old.status, old.reason) == (condition.status, condition.reason)
        yield msgspec.structs.replace(
            condition,
            message=condition.message[:_LONGEST_MESSAGE],
            since=old.since if same and old is not None and old.since else _now(),
        )
