"""Neutron without Gluon: what all others here are compared with."""

import uuid

from gluon.testing.servers.neutron import NeutronServer


def test_it_has_networks_and_binds_ports(alone: NeutronServer) -> None:
    name = uuid.uuid4().hex
    status, made = alone.request("POST", "/v2.0/networks", {"network": {"name": name}})
    assert status == 201, made
    network = made["network"]["id"]
    status, listed = alone.request("GET", f"/v2.0/networks?name={name}&fields=id")
    assert (status, listed) == (200, {"networks": [{"id": network}]})
    body = {"port": {"network_id": network, "binding:host_id": "host1", "device_owner": "compute:nova"}}
    status, made = alone.request("POST", "/v2.0/ports", body)
    assert (status, made["port"]["binding:vif_type"]) == (201, "ovs")
    assert alone.request("DELETE", f"/v2.0/ports/{made['port']['id']}")[0] == 204
