"""Gluon is killed, with etcd in its process: what is Neutron's goes on, what is Gluon's is refused, and nothing is lost."""

import uuid

from tests.live.neutron.conftest import BIND, FREE, Site


def test_ports_of_neutron_work_while_gluon_is_killed(site: Site) -> None:
    network = site.service()
    wanted = {"network_id": network, "tenant_id": site.project, "fixed_ips": [{"ip_address": "10.1.1.9"}]}
    port = site.neutron("POST", "ports", {"port": wanted}, wanted=201)["port"]["id"]
    site.gluon.daemon.kill9()
    try:
        own = site.neutron("POST", "networks", {"network": {"name": "own"}}, wanted=201)["network"]["id"]
        made = site.neutron("POST", "ports", {"port": {"network_id": own}}, wanted=201)["port"]["id"]
        bound = site.neutron("PUT", f"ports/{made}", {"port": BIND})["port"]
        assert bound["binding:vif_type"] == "ovs"
        assert site.neutron("PUT", f"ports/{made}", {"port": FREE})["port"]["binding:vif_type"] == "unbound"
        assert len(site.neutron("GET", f"ports?id={made}&id={port}")["ports"]) == 2
        site.neutron("DELETE", f"ports/{made}", wanted=204)
        site.neutron("DELETE", f"networks/{own}", wanted=204)
        refused = site.neutron("PUT", f"ports/{port}", {"port": BIND}, wanted=503)
        assert refused["NeutronError"]["type"] == "GluonUnavailable"
        site.neutron("POST", "ports", {"port": {**wanted, "name": str(uuid.uuid4())}}, wanted=503)
        site.neutron("DELETE", f"ports/{port}", wanted=503)
        assert site.seen(port)["fixed_ips"][0]["ip_address"] == "10.1.1.9"
    finally:
        site.gluon.start()
    assert site.neutron("PUT", f"ports/{port}", {"port": BIND})["port"]["binding:vif_type"] == "ovs"
    other = site.port(name="after")
    assert site.shown(f"ports/{other}")["port"]["name"] == "after"
