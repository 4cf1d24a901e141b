"""Ports to try Gluon with: a VPN and some of its ports, made when `gluon up --ports` starts, and told to the person who started it.

In: a running node. Out: objects of `net-l3vpn` under ids that are always the same, so that nothing is made twice.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from typing import Any

from gluon import errors
from gluon.cmd import settings as config
from gluon.cmd.node import Node
from gluon.spi import networks, policy

MOST = 200
_API = "net-l3vpn"
_SPACE = uuid.UUID("0d7f3f43-5a31-4f0e-9f0a-5f0a6c9b8f21")
_CALLER = policy.Caller(user="gluon up", admin=True)


def check(count: int) -> None:
    """Raises `SettingsError` for more than there are addresses."""
    if not 0 <= count <= MOST:
        raise config.SettingsError(f"--ports {count}: from 1 to {MOST}")


async def make(node: Node, count: int, url: str) -> str:
    """Make them where they are not there yet. Returns what the person is told. Raises `SettingsError`."""
    known = node.alternates.registry.by_name
    vpn = known.get((_API, "VpnService"))
    if vpn is None or vpn.model.version != "1.0":
        raise config.SettingsError(f"--ports makes ports of {_API} 1.0, which is not among the models")
    for name, body in _objects(count):
        context = node.actions.context(known[_API, name], _CALLER, "gluon-up")
        try:
            await node.actions.create(context, body)
        except errors.Conflict as error:
            if error.code != "taken":
                raise
    return "\n".join(_told(count, url))


def _id(name: str) -> str:
    return str(uuid.uuid5(_SPACE, name))


def _name(number: int) -> str:
    return f"try-{number}"


def _address(number: int) -> str:
    return f"10.9.0.{10 + number}"


def _objects(count: int) -> Iterator[tuple[str, Mapping[str, Any]]]:
    project = _id("project")
    yield "VpnService", {"id": _id("vpn"), "tenant_id": project, "name": "try", "ipv4_family": "65000:9"}
    for n in range(1, count + 1):
        yield "Port", {
            "id": _id(_name(n)), "tenant_id": project, "name": _name(n), "mac_address": f"fa:16:3e:09:00:{n:02x}",
            "admin_state_up": True, "status": "ACTIVE", "vnic_type": "normal", "mtu": 1500, "vlan_transparency": False,
        }  # fmt: skip
        yield "VpnBinding", {
            "tenant_id": project, "interface_id": _id(_name(n)), "service_id": _id("vpn"), "ipaddress": _address(n),
            "subnet_prefix": 24, "gateway": "10.9.0.1",
        }  # fmt: skip


def _told(count: int, url: str) -> Iterator[str]:
    yield f"Neutron's API  {url}/networking"
    yield f"project        {_id('project')}"
    yield f"network        {networks.network_id(_API, 'VpnService', _id('vpn'))}  try"
    for n in range(1, count + 1):
        yield f"port           {_id(_name(n))}  {_name(n)}  {_address(n)}"
    yield f"With OpenStack's client: OS_AUTH_TYPE=none OS_ENDPOINT={url}/networking openstack port list"
    yield "To plug the first one into a machine on a host, as Nova does:"
    body = '{"port": {"device_id": "%s", "device_owner": "compute:nova", "binding:host_id": "host1"}}'
    yield (
        f"curl -X PUT {url}/v2.0/ports/{_id(_name(1))} -H 'Content-Type: application/json' \\\n"
        f"  -d '{body % _id('machine')}'"
    )
