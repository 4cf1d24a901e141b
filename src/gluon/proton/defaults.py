"""The interface that is made with each port: which of its attributes get what, resolved once.

In: the types of port and interface. Out: a `Filler`, which `create` calls for each new port. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from gluon.model import types
from gluon.objects import codec
from gluon.particles import records, tables
from gluon.spi import store

Filler = Callable[[store.Row, Mapping[str, Any]], store.Row]
"""From a port's row and its written forms: the row of its interface."""

SEGMENTATION: Mapping[types.Role, store.Value] = {
    types.Role.SEGMENTATION_TYPE: "none",
    types.Role.SEGMENTATION_ID: 0,
}
_FILLED = frozenset({types.Role.PROJECT, types.Role.NAME, types.Role.PORT, *SEGMENTATION})


def fits(interface: types.ObjectType) -> bool:
    """Whether an interface can be made from a port alone: nothing else of it is required."""
    return all(
        a.role in _FILLED or a.name == interface.key or a.default is not None or a.drawn
        for a in interface.attributes.values()
        if a.required
    )


def filler(port: records.Records, interface: records.Records, usual: Mapping[str, Any]) -> Filler:
    """What fills the default interface of such a port. `usual`: the defaults of its attributes."""
    of_port, kind = port.object_type, interface.object_type
    roles = kind.roles
    constants = {roles[role]: value for role, value in SEGMENTATION.items() if role in roles}
    template = interface.row({**usual, **constants}, {}, revision=0, now="")
    keys = tuple({interface.column(name) for name in (kind.key, roles.get(types.Role.PORT, kind.key))})
    name, project = roles.get(types.Role.NAME), roles.get(types.Role.PROJECT)
    length = kind.attributes[name].length if name else None
    port_name, port_project = of_port.role(types.Role.NAME), of_port.role(types.Role.PROJECT)
    column_of_name = interface.column(name) if name else None
    name_of = port.column(port_name) if port_name else None

    def fill(row: store.Row, written: Mapping[str, Any]) -> store.Row:
        made = template.copy()
        key = str(row[port.key_column])
        for column in keys:
            made[column] = key
        if column_of_name is not None:
            made[column_of_name] = _named(row[name_of] if name_of else None, length)
        made[tables.PROJECT] = row[tables.PROJECT]
        made[tables.REVISION] = row[tables.REVISION]
        made[tables.CREATED] = made[tables.UPDATED] = row[tables.CREATED]
        if written and project is not None and port_project is not None and port_project in written:
            made[tables.WRITTEN] = codec.encode({project: written[port_project]}).decode()
        return made

    return fill


def _named(port_name: store.Value, length: int | None) -> str:
    name = f"{port_name}_default" if port_name else "default"
    return name if length is None or len(name) <= length else name[:length]
