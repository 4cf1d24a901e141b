"""Two bindings of a port, as Nova asks for them in a live migration."""

import uuid

from tests.live.neutron.conftest import BIND, Site


def test_a_port_moves_to_another_host(site: Site) -> None:
    port = site.port(name="moves")
    site.shown(f"ports/{port}")
    site.neutron("PUT", f"ports/{port}", {"port": {**BIND, "device_id": str(uuid.uuid4())}})
    wanted = {"binding": {"host": "host2", "vnic_type": "normal", "profile": {}}}
    made = site.neutron("POST", f"ports/{port}/bindings", wanted, wanted=201)["binding"]
    assert (made["status"], made["vif_type"]) == ("INACTIVE", "ovs")
    both = [("host1", "ACTIVE"), ("host2", "INACTIVE")]
    for answer in (site.neutron("GET", f"ports/{port}/bindings"), site.face(f"ports/{port}/bindings")):
        assert sorted((one["host"], one["status"]) for one in answer["bindings"]) == both
    site.neutron("POST", f"ports/{port}/bindings", wanted, wanted=409)
    site.neutron("PUT", f"ports/{port}/bindings/host2/activate")
    site.neutron("PUT", f"ports/{port}/bindings/host2/activate", wanted=409)
    site.neutron("DELETE", f"ports/{port}/bindings/host1", wanted=204)
    left = [("host2", "ACTIVE")]
    for answer in (site.neutron("GET", f"ports/{port}/bindings"), site.face(f"ports/{port}/bindings")):
        assert [(one["host"], one["status"]) for one in answer["bindings"]] == left
    assert site.seen(port)["binding:host_id"] == "host2"
