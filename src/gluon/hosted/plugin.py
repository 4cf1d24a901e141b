"""The core plugin `gluon`: ML2, and Gluon's networks and ports among its own.

Out: `GluonPlugin` (`core_plugin = gluon`). It brings the driver and the network type along, so that nothing else of a site's settings
changes. Networks of Neutron are ML2's, statement for statement. What a callback cannot do is done here: take back a port that
Neutron could not write, and leave networks out of lists.
"""

from __future__ import annotations

from typing import Any

from neutron.plugins.ml2 import plugin
from neutron_lib import exceptions
from oslo_config import cfg
from oslo_log import log

from gluon.hosted import faults, ids, kinds, said, shadows
from gluon.hosted.face import Body, Face

LOG = log.getLogger(__name__)


class GluonPlugin(plugin.Ml2Plugin):  # type: ignore[misc]
    """Neutron looks the three flags up by the name of the concrete class."""

    __native_bulk_support = True
    __native_pagination_support = True
    __native_sorting_support = True

    def __init__(self) -> None:
        for option in ("type_drivers", "mechanism_drivers"):
            named = list(cfg.CONF.ml2[option])
            if kinds.NAME not in named:
                cfg.CONF.set_override(option, [*named, kinds.NAME], group="ml2")
        super().__init__()

    @property
    def _face(self) -> Face:
        face: Face = self.mechanism_manager.mech_drivers[kinds.NAME].obj.face
        return face

    # -- ports -----------------------------------------------------------------------------------------

    def create_port(self, context: Any, port: Body) -> Body:
        if not ids.is_gluons(port["port"].get("network_id")) or said.follows(context):
            made: Body = super().create_port(context, port)
            return made
        known = said.begin_one(context)
        try:
            shadow: Body = super().create_port(context, port)
        except Exception:
            shadow = self._made_by_another(context, known)
            if not shadow:
                self._take_back(context, known)
                raise
        finally:
            said.end_one(context)
        return shadow

    def create_port_bulk(self, context: Any, ports: Body) -> list[Body]:
        wanted = ports["ports"]
        if not any(ids.is_gluons(one["port"].get("network_id")) for one in wanted):
            all_neutrons: list[Body] = super().create_port_bulk(context, ports)
            return all_neutrons
        made: list[Body] = []
        try:
            for one in wanted:
                made.append(self.create_port(context, one))  # noqa: PERF401 - those made so far are taken back
        except Exception:
            for port in made:
                self.delete_port(context, port["id"], l3_port_check=False)
            raise
        return made

    def _made_by_another(self, context: Any, known: list[Body]) -> Body:
        """Who keeps the shadows may have heard of the port, and was faster: then all is as it should be."""
        for answer in known:
            try:
                found: Body = self.get_port(context, answer["id"])
            except exceptions.PortNotFound:
                return {}
            return found
        return {}

    def _take_back(self, context: Any, known: list[Body]) -> None:
        for answer in known:
            try:
                self._face.delete_port(context, answer["id"])
            except exceptions.NeutronException:
                LOG.exception("port %s of Gluon has no row of Neutron's; it will get one", answer["id"])

    # -- networks, which Neutron does not ask callbacks about -------------------------------------------

    def get_networks(self, context: Any, filters: Any = None, *more: Any, **named: Any) -> list[Body]:
        """Where a list asks for nothing, no hook of the query is called; so it asks for everything (`hide_plain_networks`)."""
        found: list[Body] = super().get_networks(context, filters or {shadows.EVERY: [True]}, *more, **named)
        return found

    def update_network(self, context: Any, id: str, network: Body) -> Body:
        if ids.is_gluons(id) and not said.follows(context):
            raise faults.not_here(f"network {id}")
        changed: Body = super().update_network(context, id, network)
        return changed
