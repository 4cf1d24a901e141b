"""Refusals of a proton's unit by the names that Neutron has for them.

In: a unit of a port, or of its service binding. Out: the same unit, whose refusals are `Fault`s where Neutron's clients
look at the name. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence

from gluon import errors
from gluon.neutron.faults import Fault
from gluon.spi import store

_PORT = {
    "pool_taken": (409, "MacAddressInUse"),
    "pool_exhausted": (503, "MacAddressGenerationFailure"),
    "taken": (409, "MacAddressInUse"),
    "quota": (409, "OverQuota"),
}
_BINDING = {
    "pool_taken": (409, "IpAddressAlreadyAllocated"),
    "pool_exhausted": (409, "IpAddressGenerationFailure"),
    "pool_outside": (400, "InvalidIpForNetwork"),
    "quota": (409, "OverQuota"),
}


class Blamed:
    """`place`: what the unit changes, `port` or `binding`."""

    __slots__ = ("_names", "_unit")

    def __init__(self, unit: store.Unit, *, binding: bool) -> None:
        self._unit = unit
        self._names = _BINDING if binding else _PORT

    @property
    def reads(self) -> Sequence[store.Lookup]:
        return self._unit.reads

    @property
    def who(self) -> str:
        return self._unit.who

    @property
    def request_id(self) -> str:
        return self._unit.request_id

    def decide(self, view: store.Batch) -> store.Changes:
        try:
            return self._unit.decide(view)
        except errors.Rejected as refusal:
            raise self._named(refusal) from None

    def _named(self, refusal: errors.Rejected) -> errors.Rejected:
        named = self._names.get(refusal.code)
        if named is None:
            return refusal
        status, kind = named
        if refusal.code == "taken" and " with id " in str(refusal):
            kind = "PortInUse"
        return Fault(status, kind, str(refusal), refusal.hint)


class Together:
    """Several units as one; its result is the list of theirs."""

    __slots__ = ("_units", "reads", "request_id", "who")

    def __init__(self, several: Sequence[store.Unit], *, who: str, request_id: str) -> None:
        self.who, self.request_id = who, request_id
        self._units = several
        self.reads: Sequence[store.Lookup] = [lookup for unit in several for lookup in unit.reads]

    def decide(self, view: store.Batch) -> store.Changes:
        together = store.Changes(result=[])
        for changes in view.in_turn(self._units):
            together.writes += changes.writes
            together.entries += changes.entries
            together.result.append(changes.result)
        return together
