"""The journal's word that who uses a port has to be told: its traffic flows, stopped, failed, or the port went.

In: rows of `gluon_port` before and after a unit. Out: entries (`PortNotice` of `gluon`) that say *look at this port*; what is told
follows from the port as it is then. A port that no device uses makes none. Called by `ledger` and `replies`.
"""

from __future__ import annotations

import msgspec

from gluon.arbiter import bindings
from gluon.objects import codec, journal
from gluon.spi import notices, store

_TOLD = ("ACTIVE", "ERROR")
"""A change between other states is nobody's business: that a bind began says the answer to its request."""


def changed(changes: store.Changes, before: store.Row | None, after: store.Row) -> None:
    """The row of `gluon_port` was `before` and is `after`."""
    if before is None or not after["device_id"] or before["status"] == after["status"]:
        return
    if before["status"] in _TOLD or after["status"] in _TOLD:
        _tell(changes, journal.Operation.UPDATE, _facts(before), _facts(after), after["project"])


def removed(changes: store.Changes, before: store.Row) -> None:
    """A port went that was as in this row."""
    if before["device_id"]:
        _tell(changes, journal.Operation.DELETE, _facts(before), None, before["project"])


def plugged(changes: store.Changes, port: store.Row, binding: bindings.Binding) -> None:
    """The port has a device on a host where its traffic does not go yet: the target of a live migration is ready."""
    if port["device_id"] and binding.awaits:
        facts = msgspec.structs.replace(_facts(port), plugged=binding.host)
        _tell(changes, journal.Operation.UPDATE, _facts(port), facts, port["project"])


def _facts(row: store.Row) -> notices.Notice:
    text = {name: str(row[name] or "") for name in ("id", "device_id", "device_owner", "status", "host")}
    return notices.Notice(**text)


def _tell(
    changes: store.Changes,
    op: journal.Operation,
    old: notices.Notice,
    new: notices.Notice | None,
    project: store.Value,
) -> None:
    changes.entries.append(
        journal.Draft(
            op=op,
            api=journal.GLUON,
            type=notices.PORT,
            key=old.id,
            project=None if project is None else str(project),
            intent=False,
            old=codec.encode(old),
            new=None if new is None else codec.encode(new),
        )
    )
