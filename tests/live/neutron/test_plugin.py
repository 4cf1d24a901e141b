"""The core plugin `gluon`: ports and networks of both in one Neutron."""

import uuid
from typing import Any

from tests.live.neutron.conftest import BIND, FREE, V1, Site


def test_a_service_is_a_network_of_neutron(site: Site) -> None:
    network = site.service()
    seen = site.neutron("GET", f"networks/{network}")["network"]
    assert (seen["provider:network_type"], seen["port_security_enabled"]) == ("gluon", False)
    assert seen["tenant_id"] == site.project
    subnet = site.neutron("GET", f"subnets?network_id={network}")["subnets"][0]
    assert (subnet["cidr"], subnet["gateway_ip"], subnet["enable_dhcp"]) == ("10.1.1.0/24", "10.1.1.1", False)
    assert seen["subnets"] == [subnet["id"]]


def test_a_port_from_making_to_deleting(site: Site) -> None:
    network = site.service()
    address = {"ip_address": "10.1.1.7"}
    body = {"port": {"network_id": network, "name": "p1", "tenant_id": site.project, "fixed_ips": [address]}}
    made = site.neutron("POST", "ports", body, wanted=201)["port"]
    port = made["id"]
    assert made["fixed_ips"][0]["ip_address"] == "10.1.1.7"
    assert site.face(f"ports/{port}")["port"]["name"] == "p1"
    bound = site.neutron("PUT", f"ports/{port}", {"port": BIND})["port"]
    assert (bound["binding:vif_type"], bound["binding:host_id"]) == ("ovs", "host1")
    # Neutron leaves this out of its answer to a PUT where the port was bound already, here perhaps by the thread that follows.
    assert site.seen(port)["binding:vif_details"]["bound_drivers"] == {"0": "gluon"}
    assert site.face(f"ports/{port}")["port"]["binding:host_id"] == "host1"
    free = site.neutron("PUT", f"ports/{port}", {"port": FREE})["port"]
    assert (free["binding:vif_type"], free["binding:host_id"]) == ("unbound", "")
    assert free["fixed_ips"] == made["fixed_ips"]
    site.settled()
    for seen in (site.seen(port), site.face(f"ports/{port}")["port"]):
        assert (seen["binding:host_id"], seen["fixed_ips"]) == ("", made["fixed_ips"])
    site.neutron("DELETE", f"ports/{port}", wanted=204)
    site.settled()
    site.face(f"ports/{port}", wanted=404)
    site.neutron("GET", f"ports/{port}", wanted=404)


def test_lists_hold_the_ports_of_both(site: Site) -> None:
    device = str(uuid.uuid4())
    body = {"network_id": site.service(), "device_id": device, "fixed_ips": [{"ip_address": "10.1.1.8"}]}
    body["tenant_id"] = site.project
    own = site.neutron("POST", "networks", {"network": {"name": "own"}}, wanted=201)["network"]["id"]
    ports = [
        site.neutron("POST", "ports", {"port": one}, wanted=201)["port"]["id"]
        for one in (body, {"network_id": own, "device_id": device})
    ]
    seen = site.neutron("GET", f"ports?device_id={device}&sort_key=id&sort_dir=asc")["ports"]
    assert [port["id"] for port in seen] == sorted(ports)
    one = site.neutron("GET", f"ports?device_id={device}&sort_key=id&sort_dir=asc&limit=1")
    assert [port["id"] for port in one["ports"]] == sorted(ports)[:1]
    found = site.neutron("GET", f"ports?network_id={body['network_id']}&fixed_ips=ip_address%3D10.1.1.8")
    assert [port["id"] for port in found["ports"]] == ports[:1]


def test_what_gluon_refuses_neutron_refuses_in_the_same_words(site: Site) -> None:
    body = {"network_id": site.service(), "security_groups": [str(uuid.uuid4())]}
    for server in (site.front, site.gluon):
        status, answer = server.request("POST", "/v2.0/ports", {"port": body})
        assert (status, answer["NeutronError"]["type"]) == (400, "InvalidInput")
        assert "have no security_groups" in answer["NeutronError"]["message"]


def test_a_service_is_not_changed_through_neutron(site: Site) -> None:
    network = site.service()
    subnet = {"network_id": network, "cidr": "10.9.0.0/24", "ip_version": 4}
    site.neutron("POST", "subnets", {"subnet": subnet}, wanted=409)
    site.neutron("PUT", f"networks/{network}", {"network": {"name": "x"}}, wanted=409)
    refused = site.neutron("DELETE", f"networks/{network}", wanted=409)
    assert refused["NeutronError"]["type"] == "OwnedByGluon"


def test_what_is_done_at_gluon_is_seen_in_neutron(site: Site) -> None:
    port = site.port(name="there")
    shown = site.shown(f"ports/{port}")["port"]
    assert shown["name"] == "there"
    plain = shown["network_id"]
    assert site.neutron("GET", f"networks?id={plain}")["networks"][0]["subnets"] == []
    assert plain not in {network["id"] for network in site.neutron("GET", "networks")["networks"]}
    site.gluon.request("PUT", f"/v2.0/ports/{port}", {"port": {"name": "other", **BIND}})
    site.until(lambda: site.seen(port)["status"] == "ACTIVE", "the port ACTIVE in Neutron")
    assert (site.seen(port)["name"], site.seen(port)["binding:vif_type"]) == ("other", "ovs")
    site.gluon.request("DELETE", f"/v2.0/ports/{port}")
    site.until(
        lambda: site.front.request("GET", f"/v2.0/ports/{port}")[0] == 404, "the port gone from Neutron"
    )
    site.settled()
    site.neutron("GET", f"ports/{port}", wanted=404)


def test_what_becomes_of_a_service_is_seen_in_neutron(site: Site) -> None:
    """Told by events that name the service, its binding, or neither any more."""
    network = site.service()
    name = site.neutron("GET", f"networks/{network}")["network"]["name"]
    vpns = site.gluon.request("GET", f"{V1}/vpns")[1]["vpns"]
    vpn = next(one["id"] for one in vpns if one["name"] == name)
    site.gluon.request("PUT", f"{V1}/vpns/{vpn}", {"name": "renamed"})

    def shown() -> dict[str, Any]:
        found: dict[str, Any] = site.neutron("GET", f"networks/{network}")["network"]
        return found

    site.until(lambda: shown()["name"] == "renamed", "the new name in Neutron")
    (port,) = site.face(f"ports?network_id={network}")["ports"]
    assert site.gluon.request("DELETE", f"/v2.0/ports/{port['id']}")[0] < 300
    site.until(lambda: shown()["subnets"] == [], "the subnet gone from Neutron")
    assert site.gluon.request("DELETE", f"{V1}/vpns/{vpn}")[0] < 300
    site.until(
        lambda: site.front.request("GET", f"/v2.0/networks/{network}")[0] == 404,
        "the network gone from Neutron",
    )
    site.settled()
    site.neutron("GET", f"networks/{network}", wanted=404)


def test_what_another_project_gets_is_its_in_neutron(site: Site) -> None:
    """Else those who had it go on to see it there, and those who have it do not."""
    other, network = uuid.uuid4().hex, site.service()
    name = site.neutron("GET", f"networks/{network}")["network"]["name"]
    (port,) = site.face(f"ports?network_id={network}")["ports"]
    site.shown(f"ports/{port['id']}")
    vpns = site.gluon.request("GET", f"{V1}/vpns")[1]["vpns"]
    vpn = next(one["id"] for one in vpns if one["name"] == name)
    binding = site.gluon.request("GET", f"{V1}/vpnbindings/{port['id']}")[1]
    assert site.gluon.request("DELETE", f"{V1}/vpnbindings/{port['id']}")[0] < 300
    for path in (f"vpns/{vpn}", f"ports/{port['id']}"):
        assert site.gluon.request("PUT", f"{V1}/{path}", {"tenant_id": other})[0] == 200
    names = ("interface_id", "service_id", "ipaddress", "subnet_prefix", "gateway")
    site.proton("vpnbindings", {**{name: binding[name] for name in names}, "tenant_id": other})

    def seen(kind: str, project: str) -> list[str]:
        found = site.neutron("GET", f"{kind}?project_id={project}")[kind]
        return [one["id"] for one in found]

    subnet = port["fixed_ips"][0]["subnet_id"]
    for kind, wanted in (("networks", network), ("subnets", subnet), ("ports", port["id"])):
        site.until(lambda: seen(kind, other) == [wanted], f"the new project of {kind} in Neutron")  # noqa: B023
        assert wanted not in seen(kind, site.project)
