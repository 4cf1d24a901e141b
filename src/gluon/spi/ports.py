"""What the arbiter adds to a proton's units, and what a caller can wait for afterwards.

The proton engine calls a `PortLedger` inside `decide`, so that port, ownership and binding are
one unit; it knows nothing else of bindings.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

import msgspec

from gluon.model import types
from gluon.spi import store


class Rule(StrEnum):
    """By what a change of a port binds it or takes the binding back.

    `PROTON`: a request that names the host or the device binds if the port then has both, and unbinds if it gives
    both empty. `NEUTRON`: the host alone decides; a value binds, another binds anew, empty unbinds, and another
    vnic_type of a port that has a host binds anew. By either, what names none of these leaves the binding alone.
    """

    PROTON = "proton"
    NEUTRON = "neutron"


@dataclass(frozen=True, slots=True, kw_only=True)
class PortWait:
    """A bind that was begun or joined. `begun`: as the ledger knows it, so that who waits need not read it first."""

    port: str
    host: str
    begun: object = field(default=None, compare=False)


class PortFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A port in the terms of roles: `values` maps a role to the port's stored value."""

    api: str
    object_type: str
    table: str
    key: str
    project: str | None
    values: Mapping[types.Role, store.Value]


class PortLedger(Protocol):
    """Called in `decide`; adds rows and entries to `changes`. Pure. Raises `Rejected`."""

    def reads_to_create(self, port_id: str) -> Sequence[store.Lookup]:
        """What `created` will look at for an id that is not fresh."""

    def reads_to_update(self, port_id: str, given: Collection[types.Role]) -> Sequence[store.Lookup]:
        """What `updated` will look at where a request names attributes of these roles."""

    def reads_to_remove(self, api: str, object_type: str, port_id: str) -> Sequence[store.Lookup]:
        """What `removed` will look at."""

    def created(self, view: store.View, changes: store.Changes, port: PortFacts, *, fresh: bool) -> None:
        """`fresh`: the id is a new random uuid. Raises `Conflict` if any owner has a port of this id."""

    def updated(
        self,
        view: store.View,
        changes: store.Changes,
        before: PortFacts,
        after: PortFacts,
        given: frozenset[types.Role],
        rule: Rule = Rule.PROTON,
    ) -> tuple[Mapping[types.Role, store.Value], PortWait | None]:
        """`given`: the roles that the request named. Returns the values of roles that the ledger
        sets in the port's own row (views of the active binding), and what to wait for."""

    def removed(self, view: store.View, changes: store.Changes, port: PortFacts) -> None: ...
