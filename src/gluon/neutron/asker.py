"""Who asks through the Neutron face, and what of an answer he may see.

In: a caller of the gate. Out: contexts for the proton engine, and the policy of Neutron where it is not a proton's: what is
called `binding:` is for admins and services.
"""

from __future__ import annotations

from collections.abc import Callable

from gluon.model import types
from gluon.particles import tables
from gluon.proton import access, registry, service, supplies, units
from gluon.spi import policy, ports, store

SERVICE = "admin_or_service"
"""The rule of the policy that says who sees and sets bindings."""

_NONE: frozenset[str] = frozenset()


class Asker:
    """One request's."""

    __slots__ = ("_actions", "_contexts", "caller", "request_id", "serves")

    def __init__(
        self,
        actions: service.Service,
        caller: policy.Caller,
        request_id: str,
        allowed: Callable[[str, policy.Caller], bool],
    ) -> None:
        self._actions = actions
        self._contexts: dict[int, units.Context] = {}
        self.caller = caller
        self.request_id = request_id
        self.serves = caller.admin or allowed(SERVICE, caller)
        """An admin or a service, as rules see them."""

    def context(self, resource: registry.Resource) -> units.Context:
        found = self._contexts.get(id(resource))
        if found is None:
            found = self._contexts[id(resource)] = self.drawing(resource, None)
        return found

    def drawing(self, resource: registry.Resource, draws: supplies.Draws | None) -> units.Context:
        """The same of a unit that takes of parts of pools."""
        return self._actions.context(
            resource, self.caller, self.request_id, rule=ports.Rule.NEUTRON, draws=draws
        )

    def sees(self, resource: registry.Resource, row: store.Row) -> bool:
        return self.caller.admin or access.sees(self.context(resource), resource, row)

    def lists(self, resource: registry.Resource, row: store.Row) -> bool:
        """Whether a list shows it to him: he may read it, and have it listed."""
        caller = self.caller
        return caller.admin or self.context(resource).access.lists(caller, access.read(resource, row, caller))

    def hidden(self, resource: registry.Resource, row: store.Row) -> frozenset[str]:
        """Attributes of an object that a proton's rules hide from him."""
        return _NONE if self.caller.admin else frozenset(access.hidden(self.context(resource), row))

    def shown(self, resource: registry.Resource, row: store.Row) -> store.Row:
        """The same without what rules hide from him."""
        if self.caller.admin or not self.context(resource).access.guards:
            return row
        columns = resource.records.columns
        hidden = {columns[name] for name in self.hidden(resource, row)} - {tables.PROJECT}
        return {**row, **dict.fromkeys(hidden)} if hidden else row

    def hides(self, resource: registry.Resource, role: types.Role) -> bool:
        """Whether rules may hide from him what plays a role, in some objects of a type."""
        name = resource.type.role(role)
        if self.caller.admin or name is None:
            return False
        return self.context(resource).access.readable(name, self.caller) is not policy.Scope.ALL
