"""The mechanism driver `gluon`, for sites that keep `core_plugin = ml2`."""

import uuid

from tests.live.neutron.conftest import BIND, FREE, Site


def test_a_port_from_making_to_deleting(driven: Site) -> None:
    network = driven.service()
    body = {"network_id": network, "tenant_id": driven.project, "fixed_ips": [{"ip_address": "10.1.1.7"}]}
    made = driven.neutron("POST", "ports", {"port": body}, wanted=201)["port"]
    port = made["id"]
    assert [one["ip_address"] for one in made["fixed_ips"]] == ["10.1.1.7"]
    bound = driven.neutron("PUT", f"ports/{port}", {"port": BIND})["port"]
    assert bound["binding:vif_type"] == "ovs"
    # Neutron leaves them out of its answer to a PUT where the port was bound already, here perhaps by the thread that follows.
    assert driven.seen(port)["binding:vif_details"]["bound_drivers"] == {"0": "gluon"}
    assert driven.face(f"ports/{port}")["port"]["binding:host_id"] == "host1"
    free = driven.neutron("PUT", f"ports/{port}", {"port": FREE})["port"]
    assert (free["binding:vif_type"], free["fixed_ips"]) == ("unbound", made["fixed_ips"])
    driven.settled()
    for seen in (driven.seen(port), driven.face(f"ports/{port}")["port"]):
        assert (seen["binding:host_id"], seen["fixed_ips"]) == ("", made["fixed_ips"])
    driven.neutron("DELETE", f"ports/{port}", wanted=204)
    driven.settled()
    driven.face(f"ports/{port}", wanted=404)
    driven.neutron("GET", f"ports/{port}", wanted=404)


def test_a_refusal_is_gluons(driven: Site) -> None:
    body = {"network_id": driven.service(), "security_groups": [str(uuid.uuid4())]}
    refused = driven.neutron("POST", "ports", {"port": body}, wanted=400)
    assert "have no security_groups" in refused["NeutronError"]["message"]


def test_a_port_of_neutron_is_bound_by_its_own_driver(driven: Site) -> None:
    own = driven.neutron("POST", "networks", {"network": {"name": "own"}}, wanted=201)["network"]["id"]
    port = driven.neutron("POST", "ports", {"port": {"network_id": own, **BIND}}, wanted=201)["port"]
    assert port["binding:vif_details"]["bound_drivers"] == {"0": "any_host"}
    driven.face(f"ports/{port['id']}", wanted=404)
