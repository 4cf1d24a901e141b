"""Each kind of request that Nova makes of its network service, in a table: who asks, for what, and the answer it needs.

The table is a server's life on one port of an L3VPN, beside ports, networks and a server that are not meant: a filter that lets
one of those through fails. Why Nova asks so, and in which order, is in `test_nova`.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.api.neutron.cloud import PROJECT, Cloud
from tests.api.neutron.test_nova import NETWORK, PORT, SUBNET

USER, NOVA, BOTH = ("user",), ("nova",), ("user", "nova")


class Least:
    """Equal to an object that has these values, and at least these keys."""

    def __init__(self, keys: set[str], **values: object) -> None:
        self.keys = keys
        self.values = values

    def filled(self, names: Mapping[str, str]) -> Least:
        return Least(self.keys, **{key: filled(value, names) for key, value in self.values.items()})

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, dict) or not other.keys() >= self.keys | self.values.keys():
            return False
        return all(other[key] == value for key, value in self.values.items())

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"at least {sorted(self.keys)} and {self.values}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """`who` asks, each in turn, with the same answer. Names in braces are those of `scene`."""

    who: Sequence[str]
    method: str = "GET"
    path: str
    body: Any = None
    status: int = 200
    answer: Any = None
    """What it has to equal; None: whatever the status says."""

    def __str__(self) -> str:
        return f"{self.method} /{self.path}"


def filled(value: Any, names: Mapping[str, str]) -> Any:
    """With the names in braces replaced, at any depth."""
    if isinstance(value, str):
        return value.format_map(names) if "{" in value else value
    if isinstance(value, dict):
        return {key: filled(one, names) for key, one in value.items()}
    if isinstance(value, list):
        return [filled(one, names) for one in value]
    return value.filled(names) if isinstance(value, Least) else value


NEEDS = ("binding:vnic_type", "binding:profile", "network_id", "resource_request", "numa_affinity_policy", "device_profile")  # fmt: skip
MINE = {"ports": [Least({"id"}, id="{port}")]}
NOTHING: dict[str, Any] = {"ports": []}
BOUND = Least({"id", "binding:vif_type", "binding:vif_details", "status"}, id="{port}")
BINDING = {"status", "vif_type", "vif_details", "profile", "host", "vnic_type"}


def fields(*names: str) -> str:
    return "&".join(f"fields={name.replace(':', '%3A')}" for name in names)


BEFORE = (  # the API, the scheduler and the conductor: nothing is bound
    Request(who=BOTH, path="extensions"),
    Request(who=USER, path="ports/{port}", answer={"port": Least(PORT - {"binding:vif_type", "binding:vif_details", "binding:profile", "binding:host_id", "resource_request"}, id="{port}", device_id="", network_id="{network}")}),
    Request(who=NOVA, path="ports/{port}", answer={"port": Least(PORT, id="{port}", resource_request=None)}),
    Request(who=NOVA, path="ports/{port}?" + fields(*NEEDS), answer={"port": Least(set(), **{"binding:vnic_type": "normal", "binding:profile": {}, "network_id": "{network}", "resource_request": None})}),
    Request(who=BOTH, path="networks?id={network}", answer={"networks": [Least(NETWORK, id="{network}", subnets=["{subnet}"])]}),
    Request(who=USER, path="networks?id={network}&id={lan}", answer={"networks": [Least(NETWORK), Least(NETWORK)]}),
    Request(who=USER, path="networks?tenant_id={project}&shared=False", answer={"networks": [Least(NETWORK), Least(NETWORK)]}),
    Request(who=USER, path="networks?tenant_id={project}&shared=False&admin_state_up=True", answer={"networks": [Least(NETWORK), Least(NETWORK)]}),
    Request(who=BOTH, path="networks?shared=True", answer={"networks": []}),
    Request(who=NOVA, path="networks/{network}?" + fields("provider:physical_network", "provider:network_type"), answer={"network": {"provider:physical_network": None, "provider:network_type": None}}),
    # Where a service has the extensions of several segments, this is asked first, and an answer without any is no error.
    Request(who=NOVA, path="networks/{network}?fields=segments", answer={"network": {}}),
    Request(who=NOVA, path="subnets?network_id={network}&fields=segment_id", answer={"subnets": [{"segment_id": None}]}),
    Request(who=NOVA, path="subnets/{subnet}", answer={"subnet": Least(SUBNET, id="{subnet}", segment_id=None)}),
    Request(who=USER, path="quotas/{project}", answer={"quota": Least(set(), port=-1)}),
    Request(who=USER, path="ports?tenant_id={project}&fields=id", answer={"ports": [Least({"id"}), Least({"id"})]}),
    Request(who=USER, path="security-groups?tenant_id={project}&" + fields("id", "name"), answer={"security_groups": []}),
    Request(who=USER, path="security-groups?id={other}&id={device}&" + fields("id", "name"), answer={"security_groups": []}),
    Request(who=USER, path="auto-allocated-topology/{project}?fields=dry-run", status=404, answer={"NeutronError": Least({"type", "message", "detail"})}),
)  # fmt: skip
BUILD = (  # the compute: bind, and what it keeps of the server's network
    Request(who=NOVA, method="PUT", path="ports/{port}", body={"port": {"device_id": "{device}", "device_owner": "compute:nova", "binding:host_id": "host1"}}, answer={"port": BOUND}),
    Request(who=BOTH, path="ports?tenant_id={project}&device_id={device}", answer=MINE),
    Request(who=BOTH, path="ports?device_id={device}", answer=MINE),
    Request(who=NOVA, path="ports?device_id={device}&" + fields("id", "resource_request"), answer={"ports": [{"id": "{port}", "resource_request": None}]}),
    Request(who=NOVA, path="ports?device_id={device}&fields=resource_request", answer={"ports": [{"resource_request": None}]}),
    Request(who=BOTH, path="ports?device_id={device}&tenant_id={project}&fields=id", answer={"ports": [{"id": "{port}"}]}),
    Request(who=BOTH, path="ports?device_id={device}&tenant_id={project}&binding%3Ahost_id=host1", answer=MINE),
    Request(who=BOTH, path="ports?device_id={device}&tenant_id={project}&binding%3Ahost_id=host2", answer=NOTHING),
    Request(who=NOVA, path="ports?network_id={network}&device_owner=network%3Adhcp", answer=NOTHING),
    Request(who=USER, path="ports?device_id={device}&device_owner=compute%3Anova", answer=MINE),
    Request(who=USER, path="ports?" + fields("security_groups", "device_id") + "&device_id={device}&device_id={other}", answer={"ports": [{"security_groups": [], "device_id": "{device}"}]}),
    Request(who=USER, path="ports?network_id={network}&fixed_ips=ip_address%3D10.1.1.5&fields=device_id", answer={"ports": [{"device_id": "{device}"}]}),
    Request(who=USER, path="ports?network_id={network}&fixed_ips=ip_address%3D10.1.1.6&fields=device_id", answer=NOTHING),
    Request(who=BOTH, path="ports?fixed_ips=ip_address%3D10.1.1.5", answer=MINE),
    Request(who=USER, path="ports?fixed_ips=ip_address_substr%3D.1.1.5", answer=MINE),
    Request(who=NOVA, path="subnets?id={subnet}", answer={"subnets": [Least(SUBNET, id="{subnet}")]}),
    Request(who=NOVA, path="subnets?id={subnet}&id={lan_subnet}", answer={"subnets": [Least(SUBNET), Least(SUBNET)]}),
    Request(who=NOVA, path="floatingips?fixed_ip_address=10.1.1.5&port_id={port}", answer={"floatingips": []}),
    # A group that a server is to be put into: its ports have none, and that is said.
    Request(who=USER, method="PUT", path="ports/{port}", body={"port": {"security_groups": ["{other}"]}}, status=400, answer={"NeutronError": Least({"type", "message", "detail"})}),
)  # fmt: skip
MOVES = (  # live, then cold; the source's binding is deleted after either
    Request(who=NOVA, method="GET", path="ports/{port}/bindings/host2", status=404, answer={"NeutronError": Least({"message", "detail"}, type="PortBindingNotFound")}),
    Request(who=NOVA, method="POST", path="ports/{port}/bindings", body={"binding": {"host": "host2", "vnic_type": "normal", "profile": {}}}, status=201, answer={"binding": Least(BINDING, host="host2", status="INACTIVE")}),
    Request(who=NOVA, method="PUT", path="ports/{port}", body={"port": {"binding:profile": {"migrating_to": "host2"}}}, answer={"port": Least({"status"}, **{"binding:host_id": "host1"})}),
    Request(who=NOVA, path="ports/{port}/bindings/host2", answer={"binding": Least(BINDING, host="host2", status="INACTIVE")}),
    Request(who=NOVA, method="PUT", path="ports/{port}/bindings/host2/activate", answer=Least(BINDING, host="host2", status="ACTIVE")),
    Request(who=NOVA, method="PUT", path="ports/{port}/bindings/host2/activate", status=409, answer={"NeutronError": Least({"message", "detail"}, type="PortBindingAlreadyActive")}),
    Request(who=NOVA, method="DELETE", path="ports/{port}/bindings/host1", status=204),
    Request(who=NOVA, method="DELETE", path="ports/{port}/bindings/host1", status=404, answer={"NeutronError": Least({"message", "detail"}, type="PortBindingNotFound")}),
    Request(who=NOVA, method="PUT", path="ports/{port}", body={"port": {"binding:profile": {}, "binding:host_id": "host1", "device_owner": "compute:nova"}}, answer={"port": Least({"status"}, **{"binding:host_id": "host1", "binding:profile": {}})}),
)  # fmt: skip
END = (  # a port of the user's is given back, one that Nova made is deleted
    Request(who=USER, path="networks/{network}?fields=dns_domain", answer={"network": {"dns_domain": ""}}),
    Request(who=USER, path="ports/{port}?" + fields("binding:profile", "network_id"), answer={"port": {"network_id": "{network}"}}),
    Request(who=NOVA, method="PUT", path="ports/{port}", body={"port": {"binding:host_id": None, "device_id": "", "device_owner": "", "binding:profile": {}}}, answer={"port": Least({"status"}, device_id="", **{"binding:vif_type": "unbound"})}),
    Request(who=USER, method="POST", path="ports", body={"port": {"device_id": "{device}", "network_id": "{lan}", "admin_state_up": True, "tenant_id": "{project}"}}, status=201, answer={"port": Least({"id", "fixed_ips"}, device_id="{device}", network_id="{lan}")}),
    Request(who=USER, method="DELETE", path="ports/{neighbour}", status=204),
    Request(who=USER, method="DELETE", path="ports/{neighbour}", status=404, answer={"NeutronError": Least({"message", "detail"}, type="PortNotFound")}),
)  # fmt: skip
TABLE = (*BEFORE, *BUILD, *MOVES, *END)


async def scene(cloud: Cloud) -> dict[str, str]:
    """What stands for the names in braces."""
    port = await cloud.vpn_port()
    lan = await cloud.l2_network("192.0.2.0/24")
    made = {"network_id": lan["id"], "tenant_id": PROJECT}
    neighbour = (await cloud("user", "POST", "ports", {"port": made}, 201))["port"]
    body = {"device_id": str(uuid.uuid4()), "device_owner": "compute:nova", "binding:host_id": "host1"}
    await cloud("nova", "PUT", f"ports/{neighbour['id']}", {"port": body})
    return {
        "project": PROJECT,
        "port": port["id"],
        "network": port["network_id"],
        "subnet": port["fixed_ips"][0]["subnet_id"],
        "lan": lan["id"],
        "lan_subnet": lan["subnets"][0],
        "neighbour": neighbour["id"],
        "device": str(uuid.uuid4()),
        "other": str(uuid.uuid4()),
    }


async def test_nova_is_answered_whatever_it_asks(cloud: Cloud) -> None:
    """All that is wrong is told at once."""
    names = await scene(cloud)
    wrong = []
    for one in TABLE:
        path, body, wanted = (filled(value, names) for value in (one.path, one.body, one.answer))
        for who in one.who:
            found = await cloud.ask(who, one.method, path, body)
            if found.status != one.status or (wanted is not None and found.body != wanted):
                wrong.append(f"{one} of {who}: {found.status} {found.body}\n  wanted: {one.status} {wanted}")
    assert not wrong, "\n".join(wrong)
