"""The mechanism driver `gluon` of ML2: binds ports on networks of Gluon as Gluon answered, and keeps their addresses.

Out: `GluonDriver`, loaded by Neutron's mechanism manager; the core plugin brings it along, other sites name it in `mechanism_drivers`. It
subscribes to the registry (`asking`) and to the ends of bindings (`endings`), and has the shadows kept (`following`). Of networks
that are not Gluon's it does nothing.
"""

from __future__ import annotations

from typing import Any

from neutron_lib.api.definitions import portbindings
from neutron_lib.callbacks import events, registry, resources
from neutron_lib.plugins.ml2 import api
from oslo_config import cfg

from gluon.hosted import faults, ids, kinds, said, settings, shadows
from gluon.hosted.asking import Asking
from gluon.hosted.endings import Endings
from gluon.hosted.face import Body, Face
from gluon.hosted.following import Following


class GluonDriver(api.MechanismDriver):  # type: ignore[misc]
    """One of a process."""

    def initialize(self) -> None:
        self.face = Face()
        Asking(self.face).subscribe()
        Endings(self.face).subscribe()
        shadows.hide_plain_networks()
        registry.subscribe(self._begin, resources.PROCESS, events.AFTER_INIT)

    def _begin(self, resource: str, event: str, trigger: Any, payload: Any = None) -> None:
        if cfg.CONF[settings.SECTION].follow:
            Following(self.face).start()

    @property
    def connectivity(self) -> str:
        """Ports without an address are bound too."""
        return str(portbindings.CONNECTIVITY_L2)

    def filter_hosts_with_segment_access(
        self, context: Any, segments: Any, candidate_hosts: Any, agent_getter: Any
    ) -> set[str]:
        """No host more than the other drivers name."""
        return set()

    # -- in Neutron's transaction --------------------------------------------------------------------

    def create_port_precommit(self, context: Any) -> None:
        self._keep_addresses(context)

    def update_port_precommit(self, context: Any) -> None:
        self._keep_addresses(context)
        if context.original[portbindings.HOST_ID] and not context.current[portbindings.HOST_ID]:
            self._end_spares(context)

    def delete_port_precommit(self, context: Any) -> None:
        """Neutron's IPAM would look for what it never gave."""
        if ids.is_gluons(context.current["network_id"]):
            context.current["fixed_ips"] = []

    def _keep_addresses(self, context: Any) -> None:
        if not ids.is_gluons(context.current["network_id"]):
            return
        answer = said.of(context.plugin_context, context.current["id"])
        if answer is not None and "fixed_ips" in answer:
            shadows.keep_addresses(context.plugin_context, context.current, answer)

    def _end_spares(self, context: Any) -> None:
        if ids.is_gluons(context.current["network_id"]):
            shadows.end_spares(context.plugin_context, context.current["id"])

    def update_network_precommit(self, context: Any) -> None:
        """The core plugin refuses it before, and in better words."""
        if ids.is_gluons(context.current["id"]) and not said.follows(context.plugin_context):
            raise faults.not_here(f"network {context.current['id']}")

    # -- outside of it -------------------------------------------------------------------------------

    def bind_port(self, context: Any) -> None:
        """Gluon has bound the port already, or is asked to: a repeated request joins what runs."""
        for segment in context.segments_to_bind:
            if segment[api.NETWORK_TYPE] == kinds.NAME:
                answer = self._bound(context)
                if answer.get("binding:vif_type") in (None, "", *_UNBOUND):
                    return
                context.set_binding(
                    segment[api.ID],
                    answer["binding:vif_type"],
                    answer.get("binding:vif_details") or {},
                    answer.get("status"),
                )
                return

    def _bound(self, context: Any) -> Body:
        """What Gluon says of the port on this host. Where nobody asked it before, an agent has come back, or this is to be a
        binding beside the active one."""
        port, host = context.current["id"], context.host
        answer = said.of(context.plugin_context, port)
        if answer is not None and answer.get("binding:host_id") == host:
            return answer
        vnic_type = context.current[portbindings.VNIC_TYPE]
        at = self.face.port(None, port)["binding:host_id"]
        if at and at != host:
            wanted = {"host": host, "vnic_type": vnic_type, "profile": context.current[portbindings.PROFILE]}
            return _as_port(self.face.create_binding(context.plugin_context, port, wanted))
        again = {"binding:host_id": host, "binding:vnic_type": vnic_type}
        return self.face.update_port(None, port, again)


_UNBOUND = (portbindings.VIF_TYPE_UNBOUND, portbindings.VIF_TYPE_BINDING_FAILED)


def _as_port(binding: Body) -> Body:
    return {
        "binding:host_id": binding["host"],
        "binding:vif_type": binding["vif_type"],
        "binding:vif_details": binding.get("vif_details") or {},
    }
