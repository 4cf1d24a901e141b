"""Two bindings of a port, as Nova asks for them in a live migration."""

import uuid

import pytest

from tests.live.neutron.conftest import BIND, Site


@pytest.fixture(params=["site", "driven"])
def either(request: pytest.FixtureRequest) -> Site:
    """With the core plugin, and with the mechanism driver alone."""
    found: Site = request.getfixturevalue(request.param)
    return found


def test_a_port_moves_to_another_host(either: Site) -> None:
    site = either
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


def test_a_binding_that_gluon_cannot_end_stays(site: Site) -> None:
    port = site.port(name="stays")
    site.shown(f"ports/{port}")
    site.neutron("PUT", f"ports/{port}", {"port": {**BIND, "device_id": str(uuid.uuid4())}})
    wanted = {"binding": {"host": "host2", "vnic_type": "normal", "profile": {}}}
    site.neutron("POST", f"ports/{port}/bindings", wanted, wanted=201)
    site.gluon.daemon.kill9()
    try:
        refused = site.neutron("DELETE", f"ports/{port}/bindings/host2", wanted=503)
        assert refused["NeutronError"]["type"] == "GluonUnavailable"
        assert len(site.neutron("GET", f"ports/{port}/bindings")["bindings"]) == 2
    finally:
        site.gluon.start()
    site.neutron("DELETE", f"ports/{port}/bindings/host2", wanted=204)
    assert [one["host"] for one in site.face(f"ports/{port}/bindings")["bindings"]] == ["host1"]
