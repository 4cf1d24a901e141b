"""Ports of bare metal, as Ironic binds them: by the host alone, with profiles of any length."""

from __future__ import annotations

import uuid
from typing import Any

from tests.api.neutron.cloud import PROJECT, Cloud


def links(count: int) -> dict[str, Any]:
    """Where the ports of a node (or of its group) are plugged in."""
    return {
        "local_link_information": [
            {
                "switch_id": f"0a:1b:2c:3d:4e:{n:02x}",
                "port_id": f"Ethernet3/{n}",
                "switch_info": {"switch": f"tor-{n}", "note": "x" * 200},
            }
            for n in range(count)
        ],
        "local_group_information": {
            "id": str(uuid.uuid4()),
            "name": "bond0",
            "bond_mode": "4",
            "bond_properties": {},
        },
    }


async def made(cloud: Cloud, **more: Any) -> Any:
    network = await cloud.l2_network("192.0.2.0/24")
    body = {"network_id": network["id"], "tenant_id": PROJECT, "binding:vnic_type": "baremetal", **more}
    return (await cloud("ironic", "POST", "ports", {"port": body}, 201))["port"]


async def test_a_tenants_port_is_bound_and_unbound(cloud: Cloud) -> None:
    port = await made(cloud)
    assert (port["binding:vnic_type"], port["binding:vif_type"]) == ("baremetal", "unbound")
    key, profile = port["id"], links(40)
    # what belongs to the node first, then the host, without a device
    first = {"binding:vnic_type": "baremetal", "binding:profile": profile, "mac_address": port["mac_address"]}
    after = (await cloud("ironic", "PUT", f"ports/{key}", {"port": first}))["port"]
    assert (after["binding:profile"], after["binding:vif_type"]) == (profile, "unbound")
    after = (await cloud("ironic", "PUT", f"ports/{key}", {"port": {"binding:host_id": "node-7"}}))["port"]
    assert (after["binding:host_id"], after["device_id"]) == ("node-7", "")
    assert after["binding:vif_type"] not in ("unbound", "binding_failed")
    # away with the host and with what Ironic wrote, in two requests, either of them twice
    for _ in range(2):
        unbound = {"binding:host_id": "", "binding:profile": {}}
        after = (await cloud("ironic", "PUT", f"ports/{key}", {"port": unbound}))["port"]
        assert (after["binding:vif_type"], after["binding:host_id"]) == ("unbound", "")
        assert after["binding:profile"] == {}
    reset = {"mac_address": port["mac_address"]}
    assert (await cloud("ironic", "PUT", f"ports/{key}", {"port": reset}))["port"]["mac_address"] == port[
        "mac_address"
    ]


async def test_a_port_has_the_address_of_the_card_that_it_is_bound_to(cloud: Cloud) -> None:
    """Of any maker; nobody else has it meanwhile, and it is given to nobody afterwards."""
    port, other = await made(cloud), await made(cloud)
    for body in ({"mac_address": "52:54:00:12:34:56"}, {"mac_address": "52-54-00-12-34-56"}):
        after = (await cloud("ironic", "PUT", f"ports/{port['id']}", {"port": body}))["port"]
        assert after["mac_address"] == "52:54:00:12:34:56"
    taken = {"port": {"mac_address": "52:54:00:12:34:56"}}
    refused = await cloud.refused("ironic", "PUT", f"ports/{other['id']}", taken)
    assert refused[:2] == (409, "MacAddressInUse"), refused
    reset = {"mac_address": port["mac_address"]}
    await cloud("ironic", "PUT", f"ports/{port['id']}", {"port": reset})
    assert (await cloud("ironic", "PUT", f"ports/{other['id']}", taken))["port"]["id"] == other["id"]
    await cloud("ironic", "DELETE", f"ports/{other['id']}", status=204)
    network = await cloud.l2_network("192.0.2.0/24")
    card = {
        "network_id": network["id"],
        "binding:vnic_type": "direct-physical",
        "mac_address": "52:54:00:12:34:56",
    }
    assert (await cloud("user", "POST", "ports", {"port": card}, 201))["port"][
        "mac_address"
    ] == "52:54:00:12:34:56"
    assert (await made(cloud))["mac_address"].startswith("fa:16:3e:")


async def test_a_port_of_ironics_own_is_bound_as_it_is_made(cloud: Cloud) -> None:
    """As it makes them for cleaning and provisioning."""
    profile = links(2)
    port = await made(
        cloud,
        **{
            "binding:host_id": "node-7",
            "binding:profile": profile,
            "device_owner": "baremetal:none",
            "admin_state_up": True,
        },
    )
    assert port["binding:host_id"] == "node-7"
    assert port["binding:vif_type"] not in ("unbound", "binding_failed")
    assert (port["binding:profile"], port["device_owner"]) == (profile, "baremetal:none")
    found = (await cloud("ironic", "GET", "ports?binding%3Ahost_id=node-7"))["ports"]
    assert [p["id"] for p in found] == [port["id"]]
    await cloud("ironic", "DELETE", f"ports/{port['id']}", status=204)


async def test_another_kind_of_card_binds_anew(cloud: Cloud) -> None:
    port = await made(cloud, **{"binding:vnic_type": "normal"})
    key = port["id"]
    await cloud("nova", "PUT", f"ports/{key}", {"port": {"binding:host_id": "host1"}})
    after = (await cloud("nova", "PUT", f"ports/{key}", {"port": {"binding:vnic_type": "direct"}}))["port"]
    assert (after["binding:vnic_type"], after["binding:vif_type"]) == ("direct", "ovs")
    same = (await cloud("nova", "PUT", f"ports/{key}", {"port": {"device_id": "", "name": "x"}}))["port"]
    assert (same["binding:host_id"], same["binding:vif_type"]) == ("host1", "ovs")
