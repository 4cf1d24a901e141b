"""All of the Neutron face: made once a process, called by `api.neutron`."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from gluon.arbiter import alternates
from gluon.neutron import binding, finding, networks, owners, ports, shapes, writing
from gluon.neutron.asker import Asker
from gluon.proton import registry, service
from gluon.spi import policy, portowners, store


class Face:
    """`allowed`: whether a rule of the policy that is about no object is true of a caller; `others_ports`: owners of ports
    that are no proton's."""

    def __init__(
        self,
        database: store.Store,
        known: Callable[[], registry.Registry],
        actions: service.Service,
        binds: writing.Settle,
        others: alternates.Alternates,
        allowed: Callable[[str, policy.Caller], bool],
        others_ports: Mapping[str, portowners.PortOwner],
    ) -> None:
        self._actions = actions
        self._allowed = allowed
        self.known = shapes.Known(known)
        finder = finding.Finder(database, self.known)
        self.owners = owners.Owners(database, others_ports)
        self.ports = ports.Ports(database, self.known, finder, self.owners)
        self.networks = networks.Networks(self.known, finder)
        self.bindings = binding.Bindings(others, self.ports)
        self.writing = writing.Writing(database, self.known, actions, binds, finder, self.ports)

    def asker(self, caller: policy.Caller, request_id: str) -> Asker:
        """Who asks, for one request."""
        return Asker(self._actions, caller, request_id, self._allowed)
