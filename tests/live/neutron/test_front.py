"""Gluon in front of a real Neutron: what is Neutron's is passed on as it is, what is Gluon's is Gluon's, lists are of both."""

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from gluon.testing.product import GluonServer
from gluon.testing.servers.neutron import NeutronServer
from tests.live.neutron.calls import Transcript, play
from tests.live.neutron.conftest import BIND, FREE, Site
from tests.live.neutron.front import Through, settings


@pytest.fixture(scope="module")
def site(alone: NeutronServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """`front` is Gluon here, asked as Neutron is."""
    with GluonServer("up", "--config", str(settings(tmp_path_factory.mktemp("gluon"), alone))) as gluon:
        yield Site(Through(gluon, alone), gluon)


def test_the_transcript_of_300_calls_is_the_same(alone: NeutronServer, site: Site) -> None:
    scripts = [Transcript(server, uuid.uuid4().hex) for server in (alone, site.front)]
    with ThreadPoolExecutor(max_workers=2) as both:
        direct, through = both.map(play, scripts)
    assert len(direct) >= 300
    assert [pair for pair in zip(direct, through, strict=True) if pair[0] != pair[1]] == []


def test_a_port_of_gluon_from_making_to_deleting(alone: NeutronServer, site: Site) -> None:
    network = site.service()
    body = {"port": {"network_id": network, "name": "p1", "tenant_id": site.project}}
    body["port"]["fixed_ips"] = [{"ip_address": "10.1.1.7"}]  # type: ignore[assignment]
    port = site.neutron("POST", "ports", body, wanted=201)["port"]["id"]
    assert alone.request("GET", f"/v2.0/ports/{port}")[0] == 404
    bound = site.neutron("PUT", f"ports/{port}", {"port": BIND})["port"]
    assert (bound["binding:vif_type"], bound["binding:host_id"]) == ("ovs", "host1")
    assert site.neutron("PUT", f"ports/{port}", {"port": FREE})["port"]["binding:vif_type"] == "unbound"
    site.neutron("DELETE", f"ports/{port}", wanted=204)
    site.neutron("GET", f"ports/{port}", wanted=404)


def test_lists_are_of_both(site: Site) -> None:
    network, device = site.service(), str(uuid.uuid4())
    own = site.neutron("POST", "networks", {"network": {"name": f"n-{device}"}}, wanted=201)["network"]["id"]
    made = []
    for n, (place, name) in enumerate([(network, "b"), (own, "C"), (network, "A"), (own, "d"), (own, "a2")]):
        body = {"network_id": place, "device_id": device, "name": name}
        if place == network:
            body |= {"tenant_id": site.project, "fixed_ips": [{"ip_address": f"10.1.1.{n + 7}"}]}
        made.append(site.neutron("POST", "ports", {"port": body}, wanted=201)["port"])
    every = site.neutron("GET", f"ports?device_id={device}")["ports"]
    assert {port["id"] for port in every} == {port["id"] for port in made}
    assert [port["network_id"] for port in every] == [own] * 3 + [network] * 2
    for order, wanted in (("asc", ["A", "a2", "b", "C", "d"]), ("desc", ["d", "C", "b", "a2", "A"])):
        sort = f"device_id={device}&sort_key=name&sort_dir={order}"
        assert [p["name"] for p in site.neutron("GET", f"ports?{sort}")["ports"]] == wanted
        for limit in (1, 2, 3, 5, 9):
            assert [p["name"] for p in pages(site, f"{sort}&fields=name", limit)] == wanted
            assert [p["name"] for p in marked(site, sort, limit)] == wanted
    for limit in (1, 2, 3, 4, 5, 9):
        for found in (pages(site, f"device_id={device}", limit), marked(site, f"device_id={device}", limit)):
            assert sorted(p["id"] for p in found) == sorted(p["id"] for p in made)
    names = [network["id"] for network in site.neutron("GET", "networks")["networks"]]
    assert {own, network} <= set(names)
    assert [n["id"] for n in site.neutron("GET", f"networks?id={own}&id={network}")["networks"]] == [
        own,
        network,
    ]
    assert site.neutron("GET", "ports?no_such=1", wanted=400)


def pages(site: Site, query: str, limit: int) -> list[dict[str, str]]:
    """By following the links, there and back."""
    found, path = [], f"ports?{query}&limit={limit}"
    while path:
        page = site.neutron("GET", path)
        found += page["ports"]
        links = {link["rel"]: link["href"].partition("/v2.0/")[2] for link in page.get("ports_links", [])}
        path = links.get("next", "")
    back: list[dict[str, str]] = []
    while links.get("previous"):
        page = site.neutron("GET", links["previous"])
        back = page["ports"] + back
        links = {link["rel"]: link["href"].partition("/v2.0/")[2] for link in page.get("ports_links", [])}
    assert back == found[: len(back)]
    return found


def marked(site: Site, query: str, limit: int) -> list[dict[str, str]]:
    """By markers that the client writes itself, as `openstack` does."""
    found: list[dict[str, str]] = []
    while True:
        marker = f"&marker={found[-1]['id']}" if found else ""
        page = site.neutron("GET", f"ports?{query}&limit={limit}{marker}")["ports"]
        if not page:
            return found
        found += page
