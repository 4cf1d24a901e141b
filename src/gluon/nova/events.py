"""Which events Nova is to hear of a port. Pure.

In: what the journal says of a port, and the port as it is now. Out: events as Nova's API takes them. Invariant: what is told is
true when it is sent; `network-vif-plugged` is never sent of a port that reads DOWN, as Nova would not look again.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from enum import StrEnum

import msgspec

from gluon.objects import journal
from gluon.spi import notices

_OWNER = "compute:"
"""How `device_owner` of ports begins that Nova uses; `baremetal:` is Ironic's business."""


class Name(StrEnum):
    PLUGGED = "network-vif-plugged"
    UNPLUGGED = "network-vif-unplugged"
    DELETED = "network-vif-deleted"
    CHANGED = "network-changed"


class Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """As in the body of `POST /os-server-external-events`; `tag` is the port."""

    name: str
    server_uuid: str
    tag: str
    status: str = ""


def told(entry: journal.Entry, now: notices.Use | None) -> Sequence[Event]:
    """Of a notice of the journal. `now`: the port as it is, None where there is none any more."""
    old = None if entry.old is None else notices.decode(entry.old)
    new = None if entry.new is None else notices.decode(entry.new)
    if new is None:
        gone = old is not None and now is None and _nova(old.device_owner, old.device_id)
        return [_event(Name.DELETED, old.device_id, old.id)] if gone and old is not None else []
    if now is None or not _nova(now.device_owner, now.device_id) or now.device_id != new.device_id:
        return []
    if new.plugged:
        arrived = now.status == "ACTIVE" and now.host == new.plugged
        return [_plugged(now)] if arrived or new.plugged in now.plugged else []
    before = "" if old is None else old.status
    if new.status == "ACTIVE":
        return active(now) if now.status == "ACTIVE" else []
    if new.status == "ERROR":
        # A bind that fails is refused in its request's answer: then Nova tries another host, and must not be told to stop.
        failed = before != "BUILD" and now.status == "ERROR"
        return [_plugged(now, "failed")] if failed else []
    if before == "ACTIVE" and now.status != "ACTIVE":
        return [_event(Name.UNPLUGGED, now.device_id, now.id, "completed")]
    return []


def active(now: notices.Use) -> Sequence[Event]:
    """Of a port whose traffic flows. Nova remembers what it read before, so it is told to read again."""
    return [_plugged(now), _event(Name.CHANGED, now.device_id, now.id)]


def changed(now: notices.Use | None) -> Sequence[Event]:
    """Of a port whose addresses or networks are others."""
    if now is None or not _nova(now.device_owner, now.device_id):
        return []
    return [_event(Name.CHANGED, now.device_id, now.id)]


def looked(now: notices.Use) -> Sequence[Event]:
    """Of a port about which the journal is no longer known to say all."""
    if not _nova(now.device_owner, now.device_id):
        return []
    return active(now) if now.status == "ACTIVE" else [_plugged(now)] if now.plugged else []


def sent(events: Iterable[Event]) -> list[Event]:
    """What is sent for these: each once, where it came first, and the end of a port twice, with a change between.

    A compute host that reads a server's ports writes what it read over what it does for such an end meanwhile, and keeps a NIC
    that is nowhere. It handles a change after such a read, and takes what the read wrote for the second end.
    """
    return [one for event in dict.fromkeys(events) for one in _surely(event)]


def _surely(event: Event) -> Sequence[Event]:
    if event.name != Name.DELETED:
        return [event]
    return [event, _event(Name.CHANGED, event.server_uuid, event.tag), event]


def _plugged(now: notices.Use, status: str = "completed") -> Event:
    return _event(Name.PLUGGED, now.device_id, now.id, status)


def _event(name: Name, server: str, port: str, status: str = "") -> Event:
    return Event(name=name.value, server_uuid=server, tag=port, status=status)


def _nova(owner: str, device: str) -> bool:
    """Whether a server of Nova uses the port: it refuses a whole request for one id that is none."""
    if not owner.startswith(_OWNER):
        return False
    try:
        return str(uuid.UUID(device)) == device.lower()
    except ValueError:
        return False
