"""The rows that Neutron's database has of Gluon's networks, subnets and ports.

In: bodies of Gluon's Neutron face. Out: rows made, changed, removed. Addresses are written without Neutron's IPAM, which would refuse
what overlaps; one that two ports of a subnet hold is kept with the first, as the table has room for one. Called by `driver` in the
transaction of a port, and by `following`.
"""

from __future__ import annotations

import ipaddress
from typing import Any

import sqlalchemy
from neutron.db import models_v2
from neutron.db.models import segment
from neutron.objects import network as network_objects
from neutron.plugins.ml2 import models
from neutron_lib import constants, exceptions
from neutron_lib.api.definitions import port_security, portbindings
from neutron_lib.db import api as db_api
from neutron_lib.db import model_query
from oslo_utils import uuidutils

from gluon.hosted import ids, kinds, said
from gluon.hosted.face import Body

EVERY = "gluon_every"
"""A filter that no network has, and every network passes."""
IMMEDIATE, NONE = "immediate", "none"
_PORT = ("name", "admin_state_up", "device_id", "device_owner", "mac_address")
_BINDING = ("binding:host_id", "binding:vnic_type", "binding:profile")
_UNBOUND = (portbindings.VIF_TYPE_UNBOUND, portbindings.VIF_TYPE_BINDING_FAILED)
_SUBNET = ("gateway_ip", "project_id")
_NETWORK = ("name", "mtu", "admin_state_up", "status", "description", "project_id")


def keep_addresses(context: Any, shown: Body, answer: Body) -> None:
    """Of one port, in its transaction; `shown` is what Neutron answers."""
    session = context.session
    port = session.get(models_v2.Port, answer["id"])
    network = shown["network_id"]
    wanted = [(one["subnet_id"], _text(one["ip_address"])) for one in answer["fixed_ips"]]
    held = {(one.subnet_id, str(one.ip_address)): one for one in port.fixed_ips}
    if list(held) != wanted:
        for place, row in held.items():
            if place not in wanted:
                port.fixed_ips.remove(row)
        session.flush()
        for subnet, address in wanted:
            if (subnet, address) not in held and _is_free(session, network, subnet, address):
                port.fixed_ips.append(
                    models_v2.IPAllocation(ip_address=address, subnet_id=subnet, network_id=network)
                )
        session.flush()
    port.ip_allocation = IMMEDIATE if port.fixed_ips else NONE
    shown["fixed_ips"] = [
        {"subnet_id": row.subnet_id, "ip_address": str(row.ip_address)} for row in port.fixed_ips
    ]
    shown["ip_allocation"] = port.ip_allocation


def _text(address: str) -> str:
    return str(ipaddress.ip_address(address))


def _is_free(session: Any, network: str, subnet: str, address: str) -> bool:
    if session.get(models_v2.Subnet, subnet) is None:
        return False
    return session.get(models_v2.IPAllocation, (address, subnet, network)) is None


# -- networks and subnets ------------------------------------------------------------------------------


def networks(context: Any) -> dict[str, list[str]]:
    """Ids of the shadows of networks, each with those of its subnets."""
    with db_api.CONTEXT_READER.using(context):
        session = context.session
        rows = session.query(segment.NetworkSegment.network_id).filter_by(network_type=kinds.NAME)
        found: dict[str, list[str]] = {row.network_id: [] for row in rows}
        for row in session.query(models_v2.Subnet.id, models_v2.Subnet.network_id):
            if row.network_id in found:
                found[row.network_id].append(row.id)
    return found


def _listed(query: Any, filters: Any) -> Any:
    """Neutron holds this by a weak reference."""
    if filters and filters.get("id"):
        return query
    column = models_v2.Network.id
    return query.filter(sqlalchemy.or_(*[column.like(f"{'_' * ids.VERSION}{one}%") for one in ids.LISTED]))


def hide_plain_networks() -> None:
    """Networks of ports without a service are answered to who asks by id, and in no other list, as at Gluon: Nova would
    take them for networks to boot on."""
    model_query.register_hook(
        models_v2.Network, "gluon_plain_networks", query_hook=None, filter_hook=None, result_filters=_listed
    )


def put_network(plugin: Any, context: Any, body: Body) -> None:
    """As it is at Gluon, made if it is not there."""
    with db_api.CONTEXT_WRITER.using(context):
        row = context.session.get(models_v2.Network, body["id"])
        if row is not None:
            for name in _NETWORK:
                if name in body and getattr(row, name) != body[name]:
                    setattr(row, name, body[name])
            return
        wanted = {name: body[name] for name in ("id", "shared", *_NETWORK) if name in body}
        plugin.create_network_db(context, {"network": wanted})
        network_objects.NetworkSegment(
            context,
            id=uuidutils.generate_uuid(),
            network_id=body["id"],
            network_type=kinds.NAME,
            physical_network=None,
            segmentation_id=None,
            is_dynamic=False,
        ).create()
        data = {port_security.PORTSECURITY: False}
        plugin.extension_manager.process_create_network(context, data, {"id": body["id"]})


def put_subnet(context: Any, body: Body) -> None:
    """Neutron's DHCP does not serve it."""
    with db_api.CONTEXT_WRITER.using(context):
        row = context.session.get(models_v2.Subnet, body["id"])
        if row is None:
            if context.session.get(models_v2.Network, body["network_id"]) is None:
                return
            row = models_v2.Subnet(
                id=body["id"],
                network_id=body["network_id"],
                name=body["name"],
                ip_version=body["ip_version"],
                cidr=body["cidr"],
                enable_dhcp=False,
                **{name: body[name] for name in _SUBNET},
            )
            context.session.add(row)
        for name in _SUBNET:
            if getattr(row, name) != body[name]:
                setattr(row, name, body[name])
        servers = [str(server) for server in body.get("dns_nameservers") or ()]
        if [one.address for one in row.dns_nameservers] != servers:
            row.dns_nameservers = [
                models_v2.DNSNameServer(address=server, order=order) for order, server in enumerate(servers)
            ]


def remove_subnet(context: Any, id: str) -> None:
    with db_api.CONTEXT_WRITER.using(context):
        row = context.session.get(models_v2.Subnet, id)
        if row is not None:
            context.session.delete(row)


def remove_network(context: Any, id: str) -> None:
    """With its subnets. Raises `NetworkInUse` while it has ports."""
    with db_api.CONTEXT_WRITER.using(context):
        row = context.session.get(models_v2.Network, id)
        if row is None:
            return
        if context.session.query(models_v2.Port.id).filter_by(network_id=id).first() is not None:
            raise exceptions.NetworkInUse(net_id=id)
        for subnet in list(row.subnets):
            context.session.delete(subnet)
        context.session.flush()
        network_objects.NetworkSegment.delete_objects(context, network_id=id)
        context.session.delete(row)


# -- ports ---------------------------------------------------------------------------------------------


def ports(context: Any) -> set[str]:
    """Ids of the shadows of ports."""
    with db_api.CONTEXT_READER.using(context):
        of_gluon = context.session.query(segment.NetworkSegment.network_id).filter_by(network_type=kinds.NAME)
        rows = context.session.query(models_v2.Port.id).filter(models_v2.Port.network_id.in_(of_gluon))
        return {row.id for row in rows}


def shown(plugin: Any, context: Any, wanted: list[str]) -> dict[str, Body]:
    """The ports of these ids as Neutron shows them."""
    return {port["id"]: port for port in plugin.get_ports(context, filters={"id": wanted})} if wanted else {}


def put_port(plugin: Any, context: Any, here: Body | None, body: Body) -> None:
    """As it is at Gluon; `here`: as it is shown. Callbacks and drivers are told, as by a request of a user; nobody asks Gluon."""
    if body["binding:host_id"] and body["binding:vif_type"] == portbindings.VIF_TYPE_UNBOUND:
        return  # it is being bound: what comes of it is told too
    said.keep(context, body["id"], body)
    if here is not None and here["network_id"] != body["network_id"]:
        plugin.delete_port(context, body["id"], l3_port_check=False)
        here = None
    if here is None:
        wanted = {
            name: body[name] for name in (*_PORT, *_BINDING, "id", "network_id", "project_id", "description")
        }
        wanted |= {"status": _status(body), "fixed_ips": [], "security_groups": []}
        wanted[port_security.PORTSECURITY] = False
        plugin.create_port(context, {"port": wanted})
        return
    if (here["project_id"] or "") != body["project_id"]:
        _give(context, body["id"], body["project_id"])
    changed = {
        name: body[name] for name in (*_PORT, *_BINDING) if (here.get(name) or "") != (body[name] or "")
    }
    if (
        changed
        or _addresses(here) != _addresses(body)
        or here["binding:vif_type"] != body["binding:vif_type"]
    ):
        plugin.update_port(context, body["id"], {"port": changed})
    status = _status(body)
    if here["status"] != status and status in (
        constants.PORT_STATUS_ACTIVE,
        constants.PORT_STATUS_DOWN,
        constants.PORT_STATUS_ERROR,
    ):
        plugin.update_port_status(context, body["id"], status, host=body["binding:host_id"] or None)


def _give(context: Any, id: str, project: str) -> None:
    """A port to another project, which Neutron has no request for."""
    with db_api.CONTEXT_WRITER.using(context):
        row = context.session.get(models_v2.Port, id)
        if row is not None:
            row.project_id = project


def _status(body: Body) -> str:
    """A bind that failed leaves a port down, as in ML2: of an error Neutron tells Nova, which then ends the server though the next
    host may do."""
    failed = body["binding:vif_type"] == portbindings.VIF_TYPE_BINDING_FAILED
    return str(constants.PORT_STATUS_DOWN if failed else body["status"])


def _addresses(body: Body) -> list[tuple[str, str]]:
    return sorted((one["subnet_id"], _text(one["ip_address"])) for one in body["fixed_ips"])


def spare_hosts(context: Any, id: str) -> set[str]:
    """Those with a binding of a port that does not carry its traffic."""
    return spares(context, [id]).get(id, set())


def spares(context: Any, wanted: list[str], *, bound: bool = False) -> dict[str, set[str]]:
    """By port, of those that have any; `bound`: without those that are being bound, of which Gluon may not know yet."""
    found: dict[str, set[str]] = {}
    with db_api.CONTEXT_READER.using(context):
        rows = context.session.query(models.PortBinding).filter_by(status=constants.INACTIVE)
        for row in rows.filter(models.PortBinding.port_id.in_(wanted)):
            if not (bound and row.vif_type in _UNBOUND):
                found.setdefault(row.port_id, set()).add(row.host)
    return found


def give_binding(context: Any, id: str) -> None:
    """To a port that has none which carries its traffic, one of no host: Neutron deletes also the active one for who asks for that, and can
    then neither show nor change the port."""
    with db_api.CONTEXT_WRITER.using(context):
        session = context.session
        port = session.get(models_v2.Port, id)
        if port is None or any(row.status == constants.ACTIVE for row in port.port_bindings):
            return
        row = session.get(models.PortBinding, (id, "")) or models.PortBinding(port_id=id, host="")
        row.status, row.vif_type = constants.ACTIVE, portbindings.VIF_TYPE_UNBOUND
        session.add(row)
        session.flush()
        session.expire(port, ["port_bindings"])


def end_spares(context: Any, id: str) -> None:
    """Of a port that was unbound, which ended all its bindings at Gluon; in the port's transaction."""
    session = context.session
    port = session.get(models_v2.Port, id)
    spare = [row for row in port.port_bindings if row.status == constants.INACTIVE]
    for row in spare:
        for level in session.query(models.PortBindingLevel).filter_by(port_id=id, host=row.host):
            session.delete(level)
        session.delete(row)
    if spare:
        session.flush()
        session.expire(port, ["port_bindings"])


def remove_port(plugin: Any, context: Any, id: str) -> None:
    plugin.delete_port(context, id, l3_port_check=False)


def strangers(context: Any) -> list[str]:
    """Networks of Neutron's own whose ids look like Gluon's: brought along from elsewhere."""
    with db_api.CONTEXT_READER.using(context):
        of_gluon = context.session.query(segment.NetworkSegment.network_id).filter_by(network_type=kinds.NAME)
        rows = context.session.query(models_v2.Network.id).filter(models_v2.Network.id.notin_(of_gluon))
        return [row.id for row in rows if ids.is_gluons(row.id)]


def which(context: Any, wanted: list[str]) -> set[str]:
    """Those of these ids that are shadows of ports."""
    with db_api.CONTEXT_READER.using(context):
        of_gluon = context.session.query(segment.NetworkSegment.network_id).filter_by(network_type=kinds.NAME)
        rows = context.session.query(models_v2.Port.id).filter(models_v2.Port.id.in_(wanted))
        return {row.id for row in rows.filter(models_v2.Port.network_id.in_(of_gluon))}
