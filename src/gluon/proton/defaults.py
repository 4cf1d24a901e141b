"""The interface that is made with each port: which of its attributes get what, resolved once.

In: the types of port and interface. Out: a `Filler`, which `units.Create` calls for each new port. It
is pure, and its result has the form that `fields.Checked` gives.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from gluon.model import types
from gluon.particles import tables
from gluon.spi import store

Filler = Callable[[str, store.Row, Mapping[str, Any]], tuple[dict[str, Any], dict[str, Any]]]
"""From a port's key, row and written forms: the values and the written forms of its interface."""

SEGMENTATION: Mapping[types.Role, store.Value] = {
    types.Role.SEGMENTATION_TYPE: "none",
    types.Role.SEGMENTATION_ID: 0,
}
_FILLED = frozenset({types.Role.PROJECT, types.Role.NAME, types.Role.PORT, *SEGMENTATION})


def fits(interface: types.ObjectType) -> bool:
    """Whether an interface can be made from a port alone: nothing else of it is required."""
    return all(
        a.role in _FILLED or a.name == interface.key or a.default is not None or a.pool is not None
        for a in interface.attributes.values()
        if a.required
    )


def filler(port: types.ObjectType, interface: types.ObjectType) -> Filler:
    """What fills the default interface of such a port."""
    roles = interface.roles
    constants = {roles[role]: value for role, value in SEGMENTATION.items() if role in roles}
    keys = tuple({interface.key, roles.get(types.Role.PORT, interface.key)})
    name, project = roles.get(types.Role.NAME), roles.get(types.Role.PROJECT)
    length = interface.attributes[name].length if name else None
    port_name, port_project = port.role(types.Role.NAME), port.role(types.Role.PROJECT)

    def fill(key: str, row: store.Row, written: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        values: dict[str, Any] = constants.copy()
        for attribute in keys:
            values[attribute] = key
        if name:
            values[name] = _named(row[port_name] if port_name else None, length)
        if project is None:
            return values, {}
        values[project] = row[tables.PROJECT]
        if port_project is not None and port_project in written:
            return values, {project: written[port_project]}
        return values, {}

    return fill


def _named(port_name: store.Value, length: int | None) -> str:
    name = f"{port_name}_default" if port_name else "default"
    return name if length is None or len(name) <= length else name[:length]
