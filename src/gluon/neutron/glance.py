"""What the body of a new port asks for, told at one look where it is plain: `wishes.made` takes three times as long.

In: a body. Out: the same values that `wishes.made` finds, or None for what is not plain, which that judges and tells. It decides
nothing that `wishes` would not. Called by `quick`; pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gluon.model.types import Role
from gluon.neutron import ids, shapes, wishes

_NOTHING, _TEXT, _PROJECT, _STATE, _EMPTY, _OTHER = range(6)

Entry = tuple[int, Any]
"""What to look for, and the attribute that takes it, or the values that ask for nothing."""


def table(wire: shapes.Wire) -> Mapping[str, Entry]:
    """How to tell each member that a body of this port type may have."""
    known: dict[str, Entry] = dict.fromkeys(wishes.KNOWN, (_OTHER, None))
    known |= {name: (_EMPTY, values) for name, values in wishes.EMPTY.items()}
    known |= {name: _text(wire, role) for name, role in wishes.ROLES.items() if role is not Role.HOST}
    known |= {name: (_PROJECT, wire.attribute(Role.PROJECT)) for name in wishes.PROJECT}
    known["network_id"] = (_NOTHING, None)
    known["admin_state_up"] = (_STATE, wire.admin_state)
    if "description" in wire.resource.type.attributes:
        known["description"] = (_TEXT, "description")
    return known


def _text(wire: shapes.Wire, role: Role) -> Entry:
    attribute = wire.attribute(role)
    return (_OTHER, None) if attribute is None else (_TEXT, attribute)


def values(table: Mapping[str, Entry], body: Mapping[str, Any]) -> dict[str, Any] | None:
    """The port's attributes."""
    found: dict[str, Any] = {}
    for name, value in body.items():
        kind, of = table.get(name, _UNKNOWN)
        if kind == _TEXT:
            if type(value) is not str or not value or len(value) > wishes.LONGEST:
                return None
            found[of] = value
        elif kind == _PROJECT:
            if type(value) is not str or not value or len(value) > wishes.LONGEST:
                return None
            project = ids.stored_project(value)
            if of is None or found.setdefault(of, project) != project:
                return None
        elif kind == _STATE:
            if value is not True and (value is not False or of is None):
                return None
            if of is not None:
                found[of] = value
        elif kind == _EMPTY:
            if value not in of:
                return None
        elif kind == _OTHER:
            return None
    return found


_UNKNOWN: Entry = (_OTHER, None)
