"""Some 300 calls on networks, subnets, ports, groups and what else Neutron has, and their answers without what is random.

In: a Neutron. Out: a `Transcript`: lines to compare with those of another. Names are the same in each run; ids are written by
the order in which they first appear, addresses and times as such.
"""

import json
import re
from typing import Any

from gluon.testing.servers.neutron import NeutronServer
from tests.live.neutron.conftest import SERVICE

_RANDOM = {
    "id": re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"),
    "mac": re.compile(r"fa:16:3e(?::[0-9a-f]{2}){3}"),
    "time": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"),
    "address": re.compile(r"10\.77\.\d+\.\d+(?!\d|/)"),
    "url": re.compile(r"http://127\.0\.0\.1:\d+"),
}

_IDS = re.compile(r"id-\d+(?:,id-\d+)+")
"""In a message: in the order of the database."""


class Transcript:
    """`lines` grows with each call."""

    def __init__(self, server: NeutronServer, project: str) -> None:
        self._server = server
        self._seen: dict[str, str] = {project: "project"}
        self.project = project
        self.lines: list[str] = []

    def call(self, method: str, path: str, body: Any = None) -> Any:
        status, answer = self._server.request(method, f"/v2.0/{path}", body, headers=SERVICE)
        said = json.dumps(_ordered(answer), sort_keys=True)
        self.lines.append(self._plain(f"{method} {path} {status} {said}"))
        return answer

    def _plain(self, text: str) -> str:
        text = text.replace(self.project, "project")
        for kind, pattern in _RANDOM.items():
            text = pattern.sub(lambda match, kind=kind: self._name(kind, match.group()), text)  # type: ignore[misc]
        return _IDS.sub(lambda match: ",".join(sorted(match.group().split(","))), text)

    def _name(self, kind: str, value: str) -> str:
        if kind in ("time", "address"):  # which one is free is Neutron's choice
            return kind
        return self._seen.setdefault(value, f"{kind}-{len(self._seen)}")


def _ordered(value: Any) -> Any:
    """Lists are in the order of ids, which are random; names are not."""
    if isinstance(value, dict):
        return {
            name: _ordered(one)
            for name, one in value.items()
            if name not in ("segmentation_id", "provider:segmentation_id")
        }
    if isinstance(value, list):
        return sorted((_ordered(one) for one in value), key=_rank)
    return value


def _rank(value: Any) -> str:
    if isinstance(value, dict):
        found = [
            str(value.get(name))
            for name in ("name", "alias", "direction", "ethertype", "resource")
            if value.get(name)
        ]
        return " ".join(found)
    return "" if isinstance(value, str) and _RANDOM["id"].fullmatch(value) else str(value)


def play(script: Transcript) -> list[str]:
    """Everything, from an empty project to an empty project."""
    project = script.project
    script.call("GET", "extensions")
    networks = [_network(script, number) for number in range(4)]
    _lists(script, project)
    ports = [_port(script, networks[0], number) for number in range(14)]
    for port in ports:
        _life_of_a_port(script, port)
    _bulk(script, networks[1])
    _groups(script, networks[2])
    _refused(script, networks[0])
    _lists(script, project)
    left = script.call("GET", f"ports?tenant_id={project}&fields=id&fields=name")["ports"]
    for port in sorted(left, key=lambda port: str(port["name"])):
        script.call("DELETE", f"ports/{port['id']}")
    for network in networks:
        script.call("DELETE", f"networks/{network}")
    _lists(script, project)
    return script.lines


def _network(script: Transcript, number: int) -> str:
    wanted = {"name": f"net-{number}", "tenant_id": script.project, "description": "made for comparison"}
    network: str = script.call("POST", "networks", {"network": wanted})["network"]["id"]
    script.call("GET", f"networks/{network}")
    script.call("PUT", f"networks/{network}", {"network": {"admin_state_up": bool(number % 2)}})
    script.call("PUT", f"networks/{network}/tags/blue")
    subnet = {
        "name": f"subnet-{number}",
        "network_id": network,
        "tenant_id": script.project,
        "ip_version": 4,
        "cidr": f"10.77.{number}.0/24",
    }
    made = script.call("POST", "subnets", {"subnet": subnet})["subnet"]["id"]
    script.call(
        "PUT", f"subnets/{made}", {"subnet": {"dns_nameservers": ["192.0.2.1"], "enable_dhcp": False}}
    )
    script.call("GET", f"subnets/{made}?fields=id&fields=cidr")
    script.call("POST", "subnets", {"subnet": subnet})
    return network


def _port(script: Transcript, network: str, number: int) -> str:
    wanted = {"name": f"port-{number}", "network_id": network, "tenant_id": script.project}
    port: str = script.call("POST", "ports", {"port": wanted})["port"]["id"]
    return port


def _life_of_a_port(script: Transcript, port: str) -> None:
    path = f"ports/{port}"
    script.call("GET", path)
    script.call("GET", f"{path}?fields=id&fields=binding:profile&fields=network_id")
    bind = {"device_id": port, "device_owner": "compute:nova", "binding:host_id": "host1"}
    script.call("PUT", path, {"port": bind})
    script.call("GET", f"ports?device_id={port}")
    script.call("PUT", path, {"port": {"binding:profile": {"migrating_to": "host2"}}})
    script.call(
        "POST", f"{path}/bindings", {"binding": {"host": "host2", "vnic_type": "normal", "profile": {}}}
    )
    script.call("GET", f"{path}/bindings/host2")
    script.call("PUT", f"{path}/bindings/host2/activate")
    script.call("DELETE", f"{path}/bindings/host1")
    script.call("GET", f"{path}/bindings")
    script.call("PUT", f"{path}/tags/green")
    free: dict[str, Any] = {
        "device_id": "",
        "device_owner": "",
        "binding:host_id": None,
        "binding:profile": {},
    }
    script.call("PUT", path, {"port": free})


def _bulk(script: Transcript, network: str) -> None:
    wanted = [
        {"name": f"bulk-{number}", "network_id": network, "tenant_id": script.project} for number in range(5)
    ]
    script.call("POST", "ports", {"ports": wanted})
    script.call("POST", "ports", {"ports": [wanted[0], {"name": "no network"}]})
    script.call("GET", f"ports?network_id={network}&sort_key=name&sort_dir=desc&limit=2")
    script.call("GET", f"ports?network_id={network}&sort_key=name&sort_dir=asc&fields=name")


def _groups(script: Transcript, network: str) -> None:
    wanted = {"name": "web", "tenant_id": script.project}
    group = script.call("POST", "security-groups", {"security_group": wanted})["security_group"]["id"]
    rule = {
        "security_group_id": group,
        "direction": "ingress",
        "protocol": "tcp",
        "port_range_min": 80,
        "port_range_max": 80,
    }
    script.call("POST", "security-group-rules", {"security_group_rule": rule})
    port = {"name": "guarded", "network_id": network, "tenant_id": script.project, "security_groups": [group]}
    made = script.call("POST", "ports", {"port": port})["port"]["id"]
    script.call("DELETE", f"security-groups/{group}")
    pair = {"allowed_address_pairs": [{"ip_address": "192.0.2.7"}]}
    script.call("PUT", f"ports/{made}", {"port": pair})
    script.call("PUT", f"ports/{made}", {"port": {"security_groups": [], "port_security_enabled": False}})
    script.call(
        "PUT",
        f"ports/{made}",
        {"port": {"security_groups": [], "port_security_enabled": False, "allowed_address_pairs": []}},
    )
    script.call("DELETE", f"security-groups/{group}")


def _refused(script: Transcript, network: str) -> None:
    nobody = "11111111-2222-4333-8444-555555555555"
    script.call("GET", f"ports/{nobody}")
    script.call("PUT", f"ports/{nobody}", {"port": {"name": "x"}})
    script.call("DELETE", f"ports/{nobody}")
    script.call("GET", f"networks/{nobody}")
    script.call("POST", "ports", {"port": {"network_id": nobody, "tenant_id": script.project}})
    script.call(
        "POST", "ports", {"port": {"network_id": network, "fixed_ips": [{"ip_address": "192.0.2.1"}]}}
    )
    script.call("POST", "ports", {"port": {"network_id": network, "mac_address": "no"}})
    script.call("PUT", f"networks/{network}", {"network": {"mtu": "no number"}})
    script.call("DELETE", f"networks/{network}")
    script.call("GET", "ports?no_such=1")


def _lists(script: Transcript, project: str) -> None:
    for kind in ("networks", "subnets", "ports", "security-groups", "floatingips", "trunks"):
        script.call("GET", f"{kind}?tenant_id={project}")
    script.call("GET", f"networks?tenant_id={project}&name=net-1&fields=name&fields=status")
    script.call("GET", f"networks?tenant_id={project}&sort_key=name&sort_dir=asc&limit=3")
    script.call("GET", f"networks?tenant_id={project}&tags=blue")
    script.call("GET", f"networks?tenant_id={project}&shared=False&provider:network_type=geneve")
    script.call("GET", f"ports?tenant_id={project}&binding:host_id=host1")
    script.call("GET", f"subnets?tenant_id={project}&cidr=10.77.1.0/24")
    script.call("GET", f"quotas/{project}")
    script.call("GET", "agents")
    script.call("GET", "availability_zones")
