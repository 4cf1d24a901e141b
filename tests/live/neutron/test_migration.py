"""Two bindings of a port, as Nova asks for them in a live migration."""

import uuid

import pytest

from tests.live.neutron.conftest import BIND, FREE, SERVICE, Site


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
    site.settled()
    assert site.seen(port)["binding:host_id"] == "host2"
    for answer in (site.neutron("GET", f"ports/{port}/bindings"), site.face(f"ports/{port}/bindings")):
        assert [(one["host"], one["status"]) for one in answer["bindings"]] == left


def test_a_binding_that_gluon_cannot_end_stays(site: Site) -> None:
    port = _on_two_hosts(site)
    site.gluon.daemon.kill9()
    try:
        refused = site.neutron("DELETE", f"ports/{port}/bindings/host2", wanted=503)
        assert refused["NeutronError"]["type"] == "GluonUnavailable"
        assert len(site.neutron("GET", f"ports/{port}/bindings")["bindings"]) == 2
    finally:
        site.gluon.start()
    site.neutron("DELETE", f"ports/{port}/bindings/host2", wanted=204)
    site.settled()
    for answer in (site.neutron("GET", f"ports/{port}/bindings"), site.face(f"ports/{port}/bindings")):
        assert [one["host"] for one in answer["bindings"]] == ["host1"]


def test_a_port_whose_one_binding_is_deleted_is_unbound(either: Site) -> None:
    """Neutron deletes also the one that carries the traffic, and leaves a port that it can neither show nor change."""
    site = either
    port = site.port()
    site.shown(f"ports/{port}")
    site.neutron("PUT", f"ports/{port}", {"port": {**BIND, "device_id": str(uuid.uuid4())}})
    site.neutron("DELETE", f"ports/{port}/bindings/host1", wanted=204)
    site.until(lambda: _bindings(site, port) == [("", "ACTIVE")], "a port without a host in Neutron")
    assert site.face(f"ports/{port}/bindings")["bindings"] == []
    site.settled()
    site.neutron("PUT", f"ports/{port}", {"port": BIND})
    assert site.face(f"ports/{port}")["port"]["binding:host_id"] == "host1"
    assert _bindings(site, port) == [("host1", "ACTIVE")]


def test_a_port_that_lost_its_binding_takes_the_spare_one(site: Site) -> None:
    port = _on_two_hosts(site)
    site.front.kill9()
    try:
        moved = site.gluon.request("PUT", f"/v2.0/ports/{port}/bindings/host2/activate")
        assert moved[0] == 200, moved
    finally:
        site.front.start()
    site.neutron("DELETE", f"ports/{port}/bindings/host1", wanted=204)
    site.until(lambda: _bindings(site, port) == [("host2", "ACTIVE")], "the port on its new host")
    site.settled()
    left = site.face(f"ports/{port}/bindings")["bindings"]
    assert [(one["host"], one["status"]) for one in left] == [("host2", "ACTIVE")]


def test_a_port_that_is_freed_has_no_binding_left(either: Site) -> None:
    """Gluon ends them all; one that Neutron kept would be in the way of the next on that host."""
    site = either
    port = _on_two_hosts(site)
    site.neutron("PUT", f"ports/{port}", {"port": FREE})
    assert site.face(f"ports/{port}/bindings")["bindings"] == []
    owner = {"device_owner": BIND["device_owner"]}  # of other ports Neutron shows no bindings
    site.neutron("PUT", f"ports/{port}", {"port": owner})
    site.until(lambda: _bindings(site, port) == [("", "ACTIVE")], "no binding in Neutron")
    site.settled()
    assert _bindings(site, port) == [("", "ACTIVE")]
    assert site.face(f"ports/{port}/bindings")["bindings"] == []


def test_a_port_that_is_bound_elsewhere_has_no_spare_binding_left(site: Site) -> None:
    """Gluon ended it, and Neutron had no part in that; one that it kept would be in the way of the next on that host."""
    port = _on_two_hosts(site)
    site.neutron("PUT", f"ports/{port}", {"port": {**BIND, "binding:host_id": "host3"}})
    site.until(lambda: _bindings(site, port) == [("host3", "ACTIVE")], "one binding in Neutron")
    wanted = {"binding": {"host": "host2", "vnic_type": "normal", "profile": {}}}
    site.neutron("POST", f"ports/{port}/bindings", wanted, wanted=201)
    site.settled()
    both = [("host2", "INACTIVE"), ("host3", "ACTIVE")]
    assert _bindings(site, port) == both
    left = site.face(f"ports/{port}/bindings")["bindings"]
    assert sorted((one["host"], one["status"]) for one in left) == both


def test_a_spare_binding_that_neutron_cannot_activate_takes_over_at_once(site: Site) -> None:
    """It activates only those of machines; written over, it made Neutron try for minutes, in which nothing else was written."""
    port = _on_two_hosts(site)
    site.neutron("PUT", f"ports/{port}", {"port": {"device_owner": ""}})
    site.front.kill9()
    try:
        moved = {**BIND, "binding:host_id": "host2"}
        assert site.gluon.request("PUT", f"/v2.0/ports/{port}", {"port": moved})[0] == 200
    finally:
        site.front.start()
    site.until(lambda: site.seen(port)["binding:host_id"] == "host2", "the port on its new host")
    site.until(lambda: _bindings(site, port) == [("host2", "ACTIVE")], "one binding in Neutron")
    site.settled()
    assert _bindings(site, port) == [("host2", "ACTIVE")]
    left = site.face(f"ports/{port}/bindings")["bindings"]
    assert [(one["host"], one["status"]) for one in left] == [("host2", "ACTIVE")], (
        "copying ended none of Gluon's"
    )


def _on_two_hosts(site: Site) -> str:
    """A port with a binding that carries its traffic, on host1, and a spare one on host2; Neutron has heard of all."""
    port = site.port()
    site.shown(f"ports/{port}")
    site.neutron("PUT", f"ports/{port}", {"port": {**BIND, "device_id": str(uuid.uuid4())}})
    wanted = {"binding": {"host": "host2", "vnic_type": "normal", "profile": {}}}
    site.neutron("POST", f"ports/{port}/bindings", wanted, wanted=201)
    site.settled()
    return port


def _bindings(site: Site, port: str) -> list[tuple[str, str]]:
    """As Neutron shows them, which it does of a machine's port; this one may not be that again yet."""
    status, answer = site.front.request("GET", f"/v2.0/ports/{port}/bindings", headers=SERVICE)
    found = answer["bindings"] if status == 200 else []
    return sorted((one["host"], one["status"]) for one in found)
