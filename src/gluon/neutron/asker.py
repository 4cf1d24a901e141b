"""Who asks through the Neutron face, and what of an answer he may see.

In: a caller of the gate. Out: contexts for the proton engine, and the policy of Neutron where it is not a proton's: what is
called `binding:` is for admins and services.
"""

from __future__ import annotations

from collections.abc import Callable

from gluon.proton import access, registry, service, units
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
            found = self._actions.context(resource, self.caller, self.request_id, rule=ports.Rule.NEUTRON)
            self._contexts[id(resource)] = found
        return found

    def sees(self, resource: registry.Resource, row: store.Row) -> bool:
        return self.caller.admin or access.sees(self.context(resource), resource, row)

    def hidden(self, resource: registry.Resource, row: store.Row) -> frozenset[str]:
        """Attributes of an object that a proton's rules hide from him."""
        return _NONE if self.caller.admin else frozenset(access.hidden(self.context(resource), row))
