"""Bodies of ports, networks and subnets, with every member that Neutron has in its own.

In: rows of protons and what was found around them. Out: plain data. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from gluon.model.types import Role
from gluon.neutron import ids, shapes, subnets
from gluon.objects import codec
from gluon.particles import tables
from gluon.proton import registry
from gluon.spi import store

Body = dict[str, Any]

UNBOUND = "unbound"
BINDING = ("binding:host_id", "binding:profile", "binding:vif_details", "binding:vif_type")
"""What only admins and services see of a port."""
PROVIDER = ("provider:network_type", "provider:physical_network", "provider:segmentation_id")
"""What only they see of a network."""
MTU = 1500
"""Of networks whose service says none, which is what their ports have by default."""


BLANK: Body = {
    "admin_state_up": True,
    "fixed_ips": [],
    "allowed_address_pairs": [],
    "extra_dhcp_opts": [],
    "security_groups": [],
    "description": "",
    "binding:vnic_type": "normal",
    "binding:profile": {},
    "binding:vif_type": UNBOUND,
    "binding:vif_details": {},
    "port_security_enabled": False,
    "ip_allocation": "none",
    "qos_policy_id": None,
    "qos_network_policy_id": None,
    "resource_request": None,
    "tags": [],
    "created_at": "1970-01-01T00:00:00Z",
    "updated_at": "1970-01-01T00:00:00Z",
}
"""A port of which nothing is said; never changed in place."""


class Attached(msgspec.Struct, frozen=True):
    """A port's place in a network: its binding to the service, and the subnets that its addresses may be of."""

    join: shapes.Join
    row: store.Row
    network: str
    subnets: Sequence[subnets.Subnet]


def port(
    wire: shapes.Wire, row: store.Row, status: str, attached: Attached | None, hidden: frozenset[str]
) -> Body:
    """`status`: the operational one; `hidden`: attributes of the proton that the caller may not read."""
    resource, places = wire.resource, wire.roles

    def text(role: Role) -> Any:
        column = places.get(role)
        if column is None or (hidden and resource.type.roles[role] in hidden):
            return None
        return row[column]

    project = ids.shown_project(row[tables.PROJECT])
    key = str(row[resource.records.key_column])
    fixed = addresses(attached) if attached is not None else []
    network = attached.network if attached is not None else plain_network(resource, row)
    return {
        "id": key,
        "name": text(Role.NAME) or "",
        "network_id": network,
        "tenant_id": project,
        "project_id": project,
        "mac_address": text(Role.MAC) or "",
        "admin_state_up": admin_state(wire, row, hidden),
        "status": status,
        "device_id": text(Role.DEVICE) or "",
        "device_owner": text(Role.DEVICE_OWNER) or "",
        "fixed_ips": fixed,
        "allowed_address_pairs": [],
        "extra_dhcp_opts": [],
        "security_groups": [],
        "description": description(wire, row, hidden),
        "binding:vnic_type": text(Role.VNIC_TYPE) or "normal",
        "binding:host_id": text(Role.HOST) or "",
        "binding:profile": decoded(text(Role.PROFILE)),
        "binding:vif_type": text(Role.VIF_TYPE) or UNBOUND,
        "binding:vif_details": decoded(text(Role.VIF_DETAILS)),
        "port_security_enabled": False,
        "ip_allocation": "immediate" if fixed else "none",
        "qos_policy_id": None,
        "qos_network_policy_id": None,
        "resource_request": None,
        "tags": [],
        **_stamps(row, latest(row, attached)),
    }


def latest(row: store.Row, attached: Attached | None) -> store.Row:
    """Of a port and what binds it to its network that which was changed last: its addresses are in the second."""
    if attached is None or revision(attached.row) <= revision(row):
        return row
    return attached.row


def revision(row: store.Row) -> int:
    return int(row[tables.REVISION] or 0)


def admin_state(wire: shapes.Wire, row: store.Row, hidden: frozenset[str]) -> bool:
    """Up, where nothing says it or the caller may not read it."""
    name = wire.admin_state
    return name is None or name in hidden or bool(row[wire.resource.records.column(name)])


def description(wire: shapes.Wire, row: store.Row, hidden: frozenset[str]) -> str:
    """That of a port; the attribute is called so too."""
    column = wire.description
    return "" if column is None or "description" in hidden else str(row.get(column) or "")


def plain_network(resource: registry.Resource, row: store.Row) -> str:
    """The network of a port that is in no service."""
    project = row[tables.PROJECT]
    return ids.plain_network(resource.api, None if project is None else str(project))


def addresses(attached: Attached) -> list[dict[str, str]]:
    """Those of the port in the subnets of its network, the first one first."""
    join, row = attached.join, attached.row
    found: list[str] = []
    if join.address is not None and (value := row[join.column(join.address)]) is not None:
        found.append(str(value))
    if join.more is not None and (text := row[join.column(join.more)]) is not None:
        found += [str(value) for value in codec.decode(str(text))]
    fixed: list[dict[str, str]] = []
    for address in dict.fromkeys(found):
        subnet = subnets.holding(attached.subnets, address)
        if subnet is not None:
            fixed.append({"subnet_id": subnet.id, "ip_address": address})
    return fixed


def network(net: shapes.Net, id: str, row: store.Row, found: Sequence[subnets.Subnet]) -> Body:
    """The network that a service is."""
    records = net.resource.records
    name = subnets.first(net, row, "name")
    security = subnets.first(net, row, "port_security")
    return {
        **_network(id, row[tables.PROJECT], name or str(row[records.key_column]), found),
        "mtu": subnets.first(net, row, "mtu") or MTU,
        "port_security_enabled": bool(security),
        "description": _description(net.resource, row),
        **_stamps(row),
    }


def bare_network(api: str, id: str, project: str | None) -> Body:
    """The network of a project's ports that are in no service."""
    return {
        **_network(id, project, f"{api}-ports", ()),
        "mtu": MTU,
        "port_security_enabled": False,
        "description": f"ports of {api} that are in no service",
        "created_at": "1970-01-01T00:00:00Z",
        "updated_at": "1970-01-01T00:00:00Z",
        "revision_number": 0,
    }


def _network(id: str, project: store.Value, name: Any, found: Sequence[subnets.Subnet]) -> Body:
    owner = ids.shown_project(project)
    return {
        "id": id,
        "name": str(name),
        "tenant_id": owner,
        "project_id": owner,
        "admin_state_up": True,
        "status": "ACTIVE",
        "shared": project is None,
        "subnets": [subnet.id for subnet in found],
        "router:external": False,
        **dict.fromkeys(PROVIDER),
        "availability_zone_hints": [],
        "availability_zones": [],
        "ipv4_address_scope": None,
        "ipv6_address_scope": None,
        "qos_policy_id": None,
        "vlan_transparent": None,
        "dns_domain": "",
        "is_default": False,
        "l2_adjacency": True,
        "tags": [],
    }


def subnet(one: subnets.Subnet, owner: Mapping[str, Any]) -> Body:
    """`owner`: the body of its network."""
    return {
        "id": one.id,
        "name": one.cidr,
        "network_id": one.network,
        "tenant_id": owner["tenant_id"],
        "project_id": owner["project_id"],
        "cidr": one.cidr,
        "ip_version": one.version,
        "gateway_ip": one.gateway,
        "enable_dhcp": False,
        "dns_nameservers": list(one.dns),
        "host_routes": [],
        "allocation_pools": [],
        "ipv6_address_mode": None,
        "ipv6_ra_mode": None,
        "segment_id": None,
        "service_types": [],
        "subnetpool_id": None,
        "description": "",
        "tags": [],
        "created_at": owner["created_at"],
        "updated_at": owner["updated_at"],
        "revision_number": owner["revision_number"],
    }


def _description(resource: registry.Resource, row: store.Row) -> str:
    column = resource.records.columns.get("description")
    return str((row[column] if column is not None else None) or "")


def decoded(text: store.Value) -> dict[str, Any]:
    """Protons of version 1.0 take any JSON as a profile; what is no object says nothing to Neutron's clients."""
    found = codec.decode(str(text)) if text else None
    return found if isinstance(found, dict) else {}


def _stamps(row: store.Row, last: store.Row | None = None) -> Body:
    """`last`: the row that was changed last of those that the body is made of."""
    last = last or row
    return {
        "created_at": _second(row[tables.CREATED]),
        "updated_at": _second(last[tables.UPDATED]),
        "revision_number": revision(last),
    }


def _second(time: store.Value) -> str:
    return f"{str(time)[:19]}Z"
