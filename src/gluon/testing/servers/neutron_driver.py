"""A mechanism driver of ML2 for tests: each port is bound to the host that is named, as Open vSwitch would.

Runs inside of Neutron, loaded by the name that `neutron` gives it.
"""

from neutron_lib import constants
from neutron_lib.api.definitions import portbindings
from neutron_lib.plugins.ml2 import api


class AnyHost(api.MechanismDriver):  # type: ignore[misc]
    """Takes the first segment that is not Gluon's."""

    @property
    def connectivity(self) -> str:
        return str(portbindings.CONNECTIVITY_L2)

    def initialize(self) -> None:
        """Nothing to prepare."""

    def bind_port(self, context: api.PortContext) -> None:
        for segment in context.segments_to_bind:
            if segment[api.NETWORK_TYPE] != "gluon":
                details = {"port_filter": False, "bridge_name": "br-int"}
                active = constants.PORT_STATUS_ACTIVE  # there is no agent that would say so
                context.set_binding(segment[api.ID], portbindings.VIF_TYPE_OVS, details, active)
                return
