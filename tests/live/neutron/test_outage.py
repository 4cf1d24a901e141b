"""Gluon is killed, or the etcd behind it, or both: what is Neutron's goes on, what is Gluon's is refused or waits, and nothing is lost."""

import uuid
from contextlib import ExitStack
from typing import Any

import pytest

from gluon.testing.servers import EtcdServer
from tests.live.neutron.conftest import BIND, FREE, SERVICE, Site


def port_of_gluon(site: Site) -> tuple[str, dict[str, Any]]:
    """The id of a new one, and the request that made it."""
    wanted: dict[str, Any] = {
        "network_id": site.service(),
        "tenant_id": site.project,
        "fixed_ips": [{"ip_address": "10.1.1.9"}],
    }
    return site.neutron("POST", "ports", {"port": wanted}, wanted=201)["port"]["id"], wanted


def neutrons_ports_work(site: Site, other: str) -> None:
    """All that Neutron does with one of its own, and lists of both."""
    own = site.neutron("POST", "networks", {"network": {"name": "own"}}, wanted=201)["network"]["id"]
    made = site.neutron("POST", "ports", {"port": {"network_id": own}}, wanted=201)["port"]["id"]
    bound = site.neutron("PUT", f"ports/{made}", {"port": BIND})["port"]
    assert bound["binding:vif_type"] == "ovs"
    both = {"binding": {"host": "host2", "vnic_type": "normal", "profile": {}}}
    site.neutron("POST", f"ports/{made}/bindings", both, wanted=201)
    site.neutron("PUT", f"ports/{made}/bindings/host2/activate")
    site.neutron("DELETE", f"ports/{made}/bindings/host1", wanted=204)
    assert site.neutron("PUT", f"ports/{made}", {"port": FREE})["port"]["binding:vif_type"] == "unbound"
    assert len(site.neutron("GET", f"ports?id={made}&id={other}")["ports"]) == 2
    site.neutron("DELETE", f"ports/{made}", wanted=204)
    site.neutron("DELETE", f"networks/{own}", wanted=204)
    assert site.seen(other)["fixed_ips"][0]["ip_address"] == "10.1.1.9"


def all_is_well_again(site: Site, port: str) -> None:
    site.until(lambda: bind(site, port) == "ovs", "the port bound")
    site.settled()
    assert (site.seen(port)["binding:host_id"], site.seen(port)["binding:vif_type"]) == ("host1", "ovs")


def bind(site: Site, port: str) -> str:
    status, answer = site.front.request("PUT", f"/v2.0/ports/{port}", {"port": BIND}, headers=SERVICE)
    return str(answer["port"]["binding:vif_type"]) if status == 200 else ""


@pytest.mark.parametrize("etcd_too", [False, True], ids=["gluon", "gluon-and-etcd"])
def test_ports_of_neutron_work_while_gluon_is_killed(
    site: Site, etcd_server: EtcdServer, *, etcd_too: bool
) -> None:
    port, wanted = port_of_gluon(site)
    with ExitStack() as later:
        site.gluon.daemon.kill9()
        later.callback(site.gluon.start)
        if etcd_too:
            etcd_server.kill9()
            later.callback(etcd_server.start)
        neutrons_ports_work(site, port)
        answer = site.neutron("PUT", f"ports/{port}", {"port": BIND}, wanted=503)
        assert answer["NeutronError"]["type"] == "GluonUnavailable"
        refused = str(uuid.uuid4())
        site.neutron("POST", "ports", {"port": {**wanted, "name": refused}}, wanted=503)
        site.neutron("DELETE", f"ports/{port}", wanted=503)
    all_is_well_again(site, port)
    assert site.face(f"ports?name={refused}")["ports"] == []
    assert site.neutron("GET", f"ports?name={refused}")["ports"] == []


def test_ports_of_both_work_while_etcd_is_killed(site: Site, etcd_server: EtcdServer) -> None:
    """Gluon answers without it; only what a controller has to do waits."""
    port, wanted = port_of_gluon(site)
    etcd_server.kill9()
    try:
        neutrons_ports_work(site, port)
        site.neutron("PUT", f"ports/{port}", {"port": {"name": "renamed"}})
        other = {**wanted, "name": "meanwhile", "fixed_ips": [{"ip_address": "10.1.1.10"}]}
        made = site.neutron("POST", "ports", {"port": other}, wanted=201)["port"]["id"]
        site.neutron("DELETE", f"ports/{made}", wanted=204)
    finally:
        etcd_server.start()
    all_is_well_again(site, port)
    assert site.seen(port)["name"] == "renamed"
    site.neutron("GET", f"ports/{made}", wanted=404)
