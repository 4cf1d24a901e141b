"""Refusals of a proton's unit by the names that Neutron has for them.

In: a unit of a port, or of its service binding. Out: the same unit, whose refusals are `Fault`s where Neutron's clients
look at the name. Pure.
"""

from __future__ import annotations

import re

from gluon import errors
from gluon.model.types import Role
from gluon.neutron.faults import Fault, Missing
from gluon.proton import many, registry
from gluon.spi import store
from gluon.values import mac

_ADDRESS = {
    "pool_taken": (409, "IpAddressAlreadyAllocated"),
    "pool_exhausted": (409, "IpAddressGenerationFailure"),
    "pool_outside": (400, "InvalidIpForNetwork"),
}
_VALUE = re.compile(r"with (\w+) '").search


class Blamed(many.Retold):
    """`resource`: what the unit changes; `address`: its attribute that a pool of addresses gives."""

    __slots__ = ("_address", "_resource")

    def __init__(self, unit: store.Unit, resource: registry.Resource, address: str | None = None) -> None:
        super().__init__(unit)
        self._resource = resource
        self._address = address

    def told(self, refusal: errors.Rejected) -> errors.Rejected:
        kind, text, code = self._resource.type, str(refusal), refusal.code
        if isinstance(refusal, errors.NotFound) and self._resource.is_port:
            return Missing(404, "PortNotFound", text, refusal.hint)
        if code == "quota":
            return Fault(409, "OverQuota", text, refusal.hint)
        if self._resource.is_port and code == "taken":
            named = _VALUE(text)
            if named and named[1] == kind.key:
                return Fault(409, "PortInUse", text, refusal.hint)
            if named and named[1] == kind.role(Role.MAC):
                return Fault(409, "MacAddressInUse", text, refusal.hint)
        if self._resource.is_port and code == "pool_taken" and _is_mac(text):
            return Fault(409, "MacAddressInUse", text, refusal.hint)
        if self._address is not None and code in _ADDRESS:
            return Fault(*_ADDRESS[code], text, refusal.hint)
        return refusal


def _is_mac(text: str) -> bool:
    """Whether a refusal begins with the address that it is about."""
    try:
        return bool(mac.parse(text.split(" ", 1)[0]))
    except ValueError:
        return False
