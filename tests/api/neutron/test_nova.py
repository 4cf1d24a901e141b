"""Every request that Nova makes of its network service, in the order and with the bodies that it makes them."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

from tests.api.neutron.cloud import PROJECT, Cloud, opened

PORT = {
    "id", "tenant_id", "project_id", "network_id", "fixed_ips", "mac_address", "status", "admin_state_up", "device_id",
    "binding:vif_type", "binding:vif_details", "binding:profile", "binding:vnic_type", "binding:host_id",
    "security_groups", "ip_allocation", "port_security_enabled", "resource_request",
}  # fmt: skip
NETWORK = {"id", "name", "tenant_id", "subnets", "mtu", "port_security_enabled", "shared", "router:external"}
SUBNET = {"id", "cidr", "network_id", "gateway_ip", "enable_dhcp", "dns_nameservers", "host_routes"}


async def bind(cloud: Cloud, port: str, host: str = "host1") -> Any:
    device = str(uuid.uuid4())
    body = {"device_id": device, "device_owner": "compute:nova", "binding:host_id": host}
    return (await cloud("nova", "PUT", f"ports/{port}", {"port": body}))["port"]


async def test_a_boot_on_a_port_and_the_end_of_the_server(cloud: Cloud) -> None:
    port = await cloud.vpn_port()
    await before(cloud, port)
    key = port["id"]
    bound = await bind(cloud, key)
    device = bound["device_id"]
    assert (bound["binding:vif_type"], bound["binding:host_id"]) == ("ovs", "host1")
    assert bound["binding:vif_details"]["bridge_name"]
    assert bound["status"] == "DOWN"
    cloud.network.plug(key)
    await cloud.until(key, "ACTIVE")
    await looked_at(cloud, port, device)
    await cloud("user", "GET", f"ports/{key}?fields=binding%3Aprofile&fields=network_id")
    away: dict[str, Any] = {
        "device_id": "",
        "device_owner": "",
        "binding:host_id": None,
        "binding:profile": {},
    }
    for _ in range(3):
        free = (await cloud("nova", "PUT", f"ports/{key}", {"port": away}))["port"]
        assert (free["device_id"], free["binding:host_id"], free["binding:vif_type"]) == ("", "", "unbound")
    await cloud.until(key, "DOWN")


async def before(cloud: Cloud, port: Any) -> None:
    """What the API and the scheduler ask."""
    assert port.keys() >= PORT
    assert port["tenant_id"] == port["project_id"] == PROJECT
    key, network = port["id"], port["network_id"]
    assert (await cloud("user", "GET", "extensions"))["extensions"]
    mine = (await cloud("user", "GET", f"ports/{key}"))["port"]
    assert (mine["device_id"], mine["network_id"]) == ("", network)
    fields = "&".join(
        f"fields={name}"
        for name in (
            "binding:vnic_type", "binding:profile", "network_id", "resource_request", "numa_affinity_policy",
            "device_profile",
        )
    )  # fmt: skip
    needs = (await cloud("nova", "GET", f"ports/{key}?{fields}"))["port"]
    assert needs["binding:vnic_type"] == "normal"
    assert needs["resource_request"] is None
    for who in ("user", "nova"):
        (found,) = (await cloud(who, "GET", f"networks?id={network}"))["networks"]
        assert found.keys() >= NETWORK
        assert found["tenant_id"] == PROJECT
        assert found["subnets"] == [port["fixed_ips"][0]["subnet_id"]]
    physical = await cloud(
        "nova", "GET", f"networks/{network}?fields=provider%3Aphysical_network&fields=provider%3Anetwork_type"
    )
    assert physical == {"network": {"provider:physical_network": None, "provider:network_type": None}}


async def looked_at(cloud: Cloud, port: Any, device: str) -> None:
    """What a cache of the server's network is made of, and who lists servers."""
    key, network = port["id"], port["network_id"]
    for query in (
        f"tenant_id={PROJECT}&device_id={device}",
        f"device_id={device}",
        f"device_id={device}&tenant_id={PROJECT}&binding%3Ahost_id=host1",
        f"device_id={device}&tenant_id={PROJECT}",
    ):
        for who in ("user", "nova"):
            (there,) = (await cloud(who, "GET", f"ports?{query}"))["ports"]
            assert there["id"] == key
            assert ("binding:vif_type" in there) is (who == "nova")
    few = await cloud("nova", "GET", f"ports?device_id={device}&fields=id&fields=resource_request")
    assert few == {"ports": [{"id": key, "resource_request": None}]}
    other = str(uuid.uuid4())
    groups = f"ports?fields=security_groups&fields=device_id&device_id={device}&device_id={other}"
    assert await cloud("user", "GET", groups) == {"ports": [{"security_groups": [], "device_id": device}]}
    (subnet,) = (await cloud("nova", "GET", f"subnets?id={port['fixed_ips'][0]['subnet_id']}"))["subnets"]
    assert subnet.keys() >= SUBNET
    assert (subnet["cidr"], subnet["gateway_ip"], subnet["network_id"]) == (
        "10.1.1.0/24",
        "10.1.1.1",
        network,
    )
    dhcp = f"ports?network_id={network}&device_owner=network%3Adhcp"
    assert await cloud("nova", "GET", dhcp) == {"ports": []}
    assert await cloud("nova", "GET", f"floatingips?fixed_ip_address=10.1.1.5&port_id={key}") == {
        "floatingips": []
    }

    assert await cloud("user", "GET", f"networks/{network}?fields=dns_domain") == {
        "network": {"dns_domain": ""}
    }


async def test_a_boot_by_network(cloud: Cloud) -> None:
    network = await cloud.l2_network("192.0.2.0/24")
    assert network["tenant_id"] == PROJECT
    for query in (f"tenant_id={PROJECT}&shared=False", f"id={network['id']}&id={uuid.uuid4()}"):
        assert [n["id"] for n in (await cloud("user", "GET", f"networks?{query}"))["networks"]] == [
            network["id"]
        ]
    assert (await cloud("user", "GET", "networks?shared=True"))["networks"] == []
    assert (await cloud("user", "GET", f"quotas/{PROJECT}"))["quota"]["port"] == -1
    assert (await cloud("user", "GET", f"ports?tenant_id={PROJECT}&fields=id"))["ports"] == []
    assert (await cloud("user", "GET", f"security-groups?tenant_id={PROJECT}&fields=id&fields=name")) == {
        "security_groups": []
    }
    assert (await cloud.ask("user", "GET", f"auto-allocated-topology/{PROJECT}?fields=dry-run")).status == 404
    device = str(uuid.uuid4())
    body = {"device_id": device, "network_id": network["id"], "admin_state_up": True, "tenant_id": PROJECT}
    made = (await cloud("user", "POST", "ports", {"port": body}, 201))["port"]
    assert made["device_id"] == device
    assert made["fixed_ips"] == [{"subnet_id": network["subnets"][0], "ip_address": "192.0.2.2"}]
    own = f"ports?network_id={network['id']}&fixed_ips=ip_address%3D192.0.2.2&fields=device_id"
    assert await cloud("user", "GET", own) == {"ports": [{"device_id": device}]}
    fixed = {**body, "device_id": str(uuid.uuid4()), "fixed_ips": [{"ip_address": "192.0.2.77"}]}
    with_address = (await cloud("user", "POST", "ports", {"port": fixed}, 201))["port"]
    assert with_address["fixed_ips"][0]["ip_address"] == "192.0.2.77"
    bound = await bind(cloud, made["id"])
    assert bound["binding:vif_type"] == "ovs"
    await cloud("user", "DELETE", f"ports/{made['id']}", status=204)
    assert await cloud.refused("user", "DELETE", f"ports/{made['id']}") == (404, "PortNotFound")


async def test_ports_of_two_protons_in_one_server(cloud: Cloud) -> None:
    """One answer over all protons: a port that is left out of one disappears from its server."""
    vpn = await cloud.vpn_port()
    network = await cloud.l2_network("198.51.100.0/24")
    body = {"network_id": network["id"], "tenant_id": PROJECT}
    other = (await cloud("user", "POST", "ports", {"port": body}, 201))["port"]
    device = str(uuid.uuid4())
    for port in (vpn, other):
        wanted = {"device_id": device, "device_owner": "compute:nova", "binding:host_id": "host1"}
        await cloud("nova", "PUT", f"ports/{port['id']}", {"port": wanted})
    found = (await cloud("user", "GET", f"ports?device_id={device}"))["ports"]
    assert {p["id"] for p in found} == {vpn["id"], other["id"]}
    both = f"networks?id={vpn['network_id']}&id={network['id']}"
    assert len((await cloud("nova", "GET", both))["networks"]) == 2
    ids = "&".join(f"id={p['fixed_ips'][0]['subnet_id']}" for p in found)
    assert len((await cloud("nova", "GET", f"subnets?{ids}"))["subnets"]) == 2


async def test_a_server_moves(cloud: Cloud) -> None:
    """Cold migration, resize and unshelve make no bindings: they ask for one, hear 404, and say the other host."""
    port = await cloud.vpn_port()
    key = port["id"]
    await bind(cloud, key)
    assert await cloud.refused("nova", "GET", f"ports/{key}/bindings/host2") == (404, "PortBindingNotFound")
    moved = {"binding:host_id": "host2", "device_owner": "compute:nova"}
    after = (await cloud("nova", "PUT", f"ports/{key}", {"port": moved}))["port"]
    assert (after["binding:host_id"], after["binding:vif_type"]) == ("host2", "ovs")
    shelved: dict[str, Any] = {"binding:host_id": None, "binding:profile": {}}
    after = (await cloud("nova", "PUT", f"ports/{key}", {"port": shelved}))["port"]
    assert (after["binding:host_id"], after["device_id"]) == ("", port["device_id"] or after["device_id"])
    assert after["device_id"]
    again = (await cloud("nova", "PUT", f"ports/{key}", {"port": {**moved, "binding:host_id": "host1"}}))[
        "port"
    ]
    assert (again["binding:host_id"], again["binding:vif_type"]) == ("host1", "ovs")


async def test_a_server_moves_live(cloud: Cloud) -> None:
    port = await cloud.vpn_port()
    key = port["id"]
    await bind(cloud, key)
    cloud.network.plug(key, "host1")
    await cloud.until(key, "ACTIVE")
    wanted = {"binding": {"host": "host2", "vnic_type": "normal", "profile": {"migrating_to": "host2"}}}
    made = (await cloud("nova", "POST", f"ports/{key}/bindings", wanted, 201))["binding"]
    assert (made["status"], made["vif_type"], made["host"]) == ("INACTIVE", "ovs", "host2")
    assert await cloud.refused("nova", "POST", f"ports/{key}/bindings", wanted) == (
        409,
        "PortBindingAlreadyExists",
    )
    going = {"binding:profile": {"migrating_to": "host2"}}
    still = (await cloud("nova", "PUT", f"ports/{key}", {"port": going}))["port"]
    assert (still["binding:host_id"], still["binding:vif_type"], still["status"]) == (
        "host1",
        "ovs",
        "ACTIVE",
    )
    there = (await cloud("nova", "GET", f"ports/{key}/bindings/host2"))["binding"]
    assert there == made
    listed = (await cloud("nova", "GET", f"ports/{key}/bindings"))["bindings"]
    assert [(b["host"], b["status"]) for b in listed] == [("host1", "ACTIVE"), ("host2", "INACTIVE")]
    cloud.network.plug(key, "host2")
    active = await cloud("nova", "PUT", f"ports/{key}/bindings/host2/activate")
    assert (active["host"], active["status"]) == ("host2", "ACTIVE")
    assert await cloud.refused("nova", "PUT", f"ports/{key}/bindings/host2/activate") == (
        409,
        "PortBindingAlreadyActive",
    )
    await cloud("nova", "DELETE", f"ports/{key}/bindings/host1", status=204)
    assert await cloud.refused("nova", "DELETE", f"ports/{key}/bindings/host1") == (
        404,
        "PortBindingNotFound",
    )
    after = await cloud.until(key, "ACTIVE")
    assert after["binding:host_id"] == "host2"
    assert (await cloud.refused("user", "GET", f"ports/{key}/bindings"))[0] == 403
    assert (await cloud.refused("stranger", "GET", f"ports/{key}/bindings")) == (404, "PortNotFound")


async def test_the_profile_survives_a_read_by_a_user(cloud: Cloud) -> None:
    """Nova reads it with the user's token, who sees none, and writes back what it saw."""
    port = await cloud.vpn_port()
    key = port["id"]
    whole = {"ours": {"deep": ["x" * 300]}, "pci_slot": "0000:05:10.1", "allocation": {"a": 1}}
    device = str(uuid.uuid4())
    wanted = {"device_id": device, "device_owner": "compute:nova", "binding:host_id": "host1"}
    body = {"port": {**wanted, "binding:profile": whole}}
    bound = (await cloud("nova", "PUT", f"ports/{key}", body))["port"]
    assert bound["binding:profile"] == whole
    seen = (await cloud("user", "GET", f"ports/{key}?fields=binding%3Aprofile&fields=network_id"))["port"]
    assert "binding:profile" not in seen
    away: dict[str, Any] = {
        "device_id": "",
        "device_owner": "",
        "binding:host_id": None,
        "binding:profile": {},
    }
    free = (await cloud("nova", "PUT", f"ports/{key}", {"port": away}))["port"]
    assert free["binding:profile"] == {"ours": {"deep": ["x" * 300]}}
    gone = (await cloud("nova", "PUT", f"ports/{key}", {"port": {"binding:profile": {}}}))["port"]
    assert gone["binding:profile"] == {}


async def test_a_host_that_refuses(tmp_path: Path) -> None:
    """A bind that fails is told in the port's answer, and the next host binds it."""
    async with opened(tmp_path, {"refuse": ["host1"]}) as cloud:
        key = (await cloud.vpn_port())["id"]
        failed = await bind(cloud, key)
        assert failed["binding:vif_type"] == "binding_failed"
        assert failed["status"] == "ERROR"
        away: dict[str, Any] = {
            "device_id": "",
            "device_owner": "",
            "binding:host_id": None,
            "binding:profile": {},
        }
        for _ in range(2):
            free = (await cloud("nova", "PUT", f"ports/{key}", {"port": away}))["port"]
            assert free["binding:vif_type"] == "unbound"
        assert (await bind(cloud, key, "host2"))["binding:vif_type"] == "ovs"


async def test_what_is_missing_is_missing_for_who_may_not_see_it(cloud: Cloud) -> None:
    port = await cloud.vpn_port()
    assert await cloud.refused("user", "GET", f"ports/{uuid.uuid4()}") == (404, "PortNotFound")
    assert await cloud.refused("stranger", "GET", f"ports/{port['id']}") == (404, "PortNotFound")
    put = {"port": {"name": "x"}}
    assert await cloud.refused("stranger", "PUT", f"ports/{port['id']}", put) == (404, "PortNotFound")
    assert await cloud.refused("user", "GET", f"networks/{uuid.uuid4()}") == (404, "NetworkNotFound")
    assert await cloud.refused("stranger", "GET", f"networks/{port['network_id']}") == (
        404,
        "NetworkNotFound",
    )
    assert (await cloud("stranger", "GET", f"networks?id={port['network_id']}"))["networks"] == []


async def test_a_port_without_addresses(cloud: Cloud) -> None:
    """It says so, and its network asks for no security groups: so a server boots on it."""
    port = await cloud.vpn_port(address=None)
    assert (port["fixed_ips"], port["ip_allocation"]) == ([], "none")
    (network,) = (await cloud("user", "GET", f"networks?id={port['network_id']}"))["networks"]
    assert (network["subnets"], network["port_security_enabled"]) == ([], False)
