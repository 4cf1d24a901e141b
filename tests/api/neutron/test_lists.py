"""Lists of ports: each filter honoured to the letter, order, pages, fields."""

from __future__ import annotations

import uuid
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.api.neutron.cloud import L2, PROJECT, Cloud


async def ports(cloud: Cloud, *pairs: tuple[str, str], who: str = "nova") -> list[Any]:
    found: list[Any] = (await cloud(who, "GET", f"ports?{urlencode(pairs)}"))["ports"]
    return found


async def names(cloud: Cloud, *pairs: tuple[str, str], who: str = "nova") -> set[str]:
    return {port["name"] for port in await ports(cloud, *pairs, who=who)}


async def made(cloud: Cloud, network: Any, name: str, **more: Any) -> Any:
    body = {"network_id": network["id"], "tenant_id": PROJECT, "name": name, **more}
    return (await cloud("nova", "POST", "ports", {"port": body}, 201))["port"]


async def test_filters(cloud: Cloud) -> None:
    first = await cloud.l2_network("192.0.2.0/24", "198.51.100.0/24")
    second = await cloud.l2_network("203.0.113.0/24")
    devices = [str(uuid.uuid4()) for _ in range(2)]
    one = await made(
        cloud,
        first,
        "one",
        device_id=devices[0],
        device_owner="compute:nova",
        mac_address="fa:16:3e:aa:00:01",
    )
    two = await made(cloud, second, "two", device_id=devices[1], admin_state_up=False)
    three = await made(
        cloud, first, "three", fixed_ips=[{"ip_address": "198.51.100.9"}], **{"binding:host_id": "host7"}
    )
    (apart,) = [s for s in first["subnets"] if s == three["fixed_ips"][0]["subnet_id"]]
    every: list[tuple[tuple[tuple[str, str], ...], set[str]]] = [
        ((), {"one", "two", "three"}),
        ((("id", one["id"]),), {"one"}),
        ((("id", one["id"]), ("id", two["id"]), ("id", str(uuid.uuid4()))), {"one", "two"}),
        ((("id", "no id at all"),), set()),
        ((("device_id", devices[0]), ("device_id", devices[1])), {"one", "two"}),
        ((("device_id", ""),), {"three"}),
        ((("device_id", devices[0]), ("name", "two")), set()),
        ((("tenant_id", PROJECT),), {"one", "two", "three"}),
        ((("project_id", str(uuid.UUID(PROJECT))),), {"one", "two", "three"}),
        ((("tenant_id", uuid.uuid4().hex),), set()),
        ((("network_id", first["id"]),), {"one", "three"}),
        ((("network_id", first["id"]), ("network_id", second["id"])), {"one", "two", "three"}),
        ((("network_id", str(uuid.uuid4())),), set()),
        ((("fixed_ips", f"ip_address={one['fixed_ips'][0]['ip_address']}"),), {"one"}),
        ((("fixed_ips", f"subnet_id={apart}"),), {"three"}),
        ((("fixed_ips", f"subnet_id={apart}"), ("fixed_ips", "ip_address=198.51.100.9")), {"three"}),
        ((("fixed_ips", f"subnet_id={apart}"), ("fixed_ips", "ip_address=198.51.100.8")), set()),
        ((("fixed_ips", "ip_address_substr=203.0"),), {"two"}),
        ((("name", "one"), ("name", "two")), {"one", "two"}),
        ((("mac_address", "FA-16-3E-AA-00-01"),), {"one"}),
        ((("status", "DOWN"), ("name", "one")), {"one"}),
        ((("status", "ACTIVE"),), set()),
        ((("device_owner", "compute:nova"),), {"one"}),
        ((("device_owner", "network:dhcp"),), set()),
        ((("binding:host_id", "host7"),), {"three"}),
        ((("binding:vif_type", "ovs"),), {"three"}),
        ((("admin_state_up", "False"),), {"two"}),
        ((("admin_state_up", "true"),), {"one", "three"}),
        ((("ip_allocation", "none"),), set()),
        ((("security_groups", str(uuid.uuid4())),), set()),
        ((("tags", "red"),), set()),
    ]
    wrong = [(pairs, found) for pairs, wanted in every if (found := await names(cloud, *pairs)) != wanted]
    assert wrong == []
    assert await names(cloud, who="stranger") == set()
    assert await names(cloud, ("id", one["id"]), who="stranger") == set()
    assert await names(cloud, ("tenant_id", PROJECT), who="user") == {"one", "two", "three"}


async def test_a_port_in_no_service_is_found_by_its_network(cloud: Cloud) -> None:
    """It is answered to who asks for it, and Nova does not take it for one to boot on."""
    port = await cloud.world.made("nova", f"{L2}/ports", {"project_id": PROJECT, "name": "bare"})
    for who in ("user", "nova"):
        shown = (await cloud(who, "GET", f"ports/{port['id']}"))["port"]
        network = shown["network_id"]
        assert (await cloud(who, "GET", f"networks/{network}"))["network"]["subnets"] == []
        assert len((await cloud(who, "GET", f"networks?id={network}"))["networks"]) == 1
        assert await names(cloud, ("network_id", network), who=who) == {"bare"}
        assert (await cloud(who, "GET", "networks"))["networks"] == []
    assert (await cloud.refused("stranger", "GET", f"networks/{network}")) == (404, "NetworkNotFound")
    more = {"port": {"network_id": network, "name": "more", "tenant_id": PROJECT}}
    assert (await cloud("user", "POST", "ports", more, 201))["port"]["network_id"] == network


async def test_order_and_pages(cloud: Cloud) -> None:
    network = await cloud.l2_network("192.0.2.0/24")
    keys = sorted([(await made(cloud, network, name))["id"] for name in "ebdac"])
    assert [p["name"] for p in await ports(cloud, ("sort_key", "name"))] == list("abcde")
    assert [p["name"] for p in await ports(cloud, ("sort_key", "name"), ("sort_dir", "desc"))] == list(
        "edcba"
    )
    for order in ((), (("sort_key", "name"), ("sort_dir", "desc"))):
        seen: list[str] = []
        path = f"ports?{urlencode([('limit', '2'), ('fields', 'id'), ('fields', 'name'), *order])}"
        while path:
            page = await cloud("nova", "GET", path)
            seen += [p["id"] for p in page["ports"]]
            after = [link["href"] for link in page.get("ports_links", ()) if link["rel"] == "next"]
            path = after[0].partition("/v2.0/")[2] if after else ""
        assert len(seen) == 5
        assert sorted(seen) == keys
    middle = await cloud("nova", "GET", f"ports?limit=2&marker={keys[3]}&page_reverse=True&sort_key=id")
    assert [p["id"] for p in middle["ports"]] == keys[1:3]
    assert {link["rel"] for link in middle["ports_links"]} == {"next", "previous"}
    filtered = await cloud("nova", "GET", f"ports?limit=1&network_id={network['id']}&name=a")
    assert [p["name"] for p in filtered["ports"]] == ["a"]
    assert (await cloud.refused("nova", "GET", f"ports?limit=2&marker={uuid.uuid4()}")) == (
        404,
        "PortNotFound",
    )


async def test_pages_go_on_after_what_has_left_the_list(cloud: Cloud) -> None:
    """The last port of a page passes the filters no more when the next page is asked for."""
    network = await cloud.l2_network("192.0.2.0/24")
    some = [await made(cloud, network, name, device_owner="compute:nova") for name in "bcad"]
    for order in ("", "&sort_key=name&sort_dir=asc", "&sort_key=name&sort_dir=desc", "&page_reverse=True"):
        (first,) = (await cloud("nova", "GET", f"ports?device_owner=compute:nova&limit=1{order}"))["ports"]
        await cloud("nova", "PUT", f"ports/{first['id']}", {"port": {"device_owner": ""}})
        path = f"ports?device_owner=compute:nova&limit=9&marker={first['id']}{order}"
        left = {port["id"] for port in (await cloud("nova", "GET", path))["ports"]}
        assert left == {port["id"] for port in some} - {first["id"]}, order
        await cloud("nova", "PUT", f"ports/{first['id']}", {"port": {"device_owner": "compute:nova"}})
    path = f"ports?device_owner=compute:nova&limit=9&marker={some[0]['id']}&sort_key=name&sort_dir=asc"
    await cloud("nova", "DELETE", f"ports/{some[0]['id']}", status=204)
    assert await cloud.refused("nova", "GET", path) == (404, "PortNotFound")


async def test_pages_of_bindings(cloud: Cloud) -> None:
    """By host, which is what names them; a limit that is ignored has clients ask for the same page for ever."""
    path = f"ports/{(await cloud.vpn_port())['id']}/bindings"
    for host in ("b", "c", "a"):
        await cloud("nova", "POST", path, {"binding": {"host": host}}, 201)
    assert [one["host"] for one in (await cloud("nova", "GET", path))["bindings"]] == ["a", "b", "c"]
    for limit in (1, 2, 3, 4):
        seen: list[Any] = []
        where = f"{path}?limit={limit}&fields=host"
        while where:
            page = await cloud("nova", "GET", where)
            seen += page["bindings"]
            after = [link["href"] for link in page.get("bindings_links", ()) if link["rel"] == "next"]
            assert bool(after) == (len(page["bindings"]) == limit), (
                "without a link the SDK asks for the first again"
            )
            where = after[0].partition("/v2.0/")[2] if after else ""
        assert seen == [{"host": "a"}, {"host": "b"}, {"host": "c"}]
    down = await cloud("nova", "GET", f"{path}?sort_key=host&sort_dir=desc&limit=1&marker=c")
    assert [one["host"] for one in down["bindings"]] == ["b"]
    back = await cloud("nova", "GET", f"{path}?limit=1&marker=c&page_reverse=True")
    assert [one["host"] for one in back["bindings"]] == ["b"]
    assert await cloud.refused("nova", "GET", f"{path}?limit=1&marker=x") == (404, "PortBindingNotFound")


async def test_what_is_empty_is_not_asked(cloud: Cloud) -> None:
    network = await cloud.l2_network("192.0.2.0/24")
    await made(cloud, network, "a")
    for query in ("marker=&limit=1", "sort_key=&sort_dir=", "fields=", "page_reverse="):
        (port,) = (await cloud("nova", "GET", f"ports?{query}"))["ports"]
        assert port["name"] == "a", query


async def test_links_lead_to_where_the_client_came_from(cloud: Cloud) -> None:
    """A proxy that ends TLS says so; clients send their token to where a link leads."""
    network = await cloud.l2_network("192.0.2.0/24")
    for name in "ab":
        await made(cloud, network, name)
    for said, scheme in (
        ("https", "https"),
        ("HTTPS", "https"),
        ("http", "http"),
        ("", "http"),
        ("javascript", "http"),
    ):
        headers = {"x-forwarded-proto": said, "host": "cloud.example"}
        path = "/networking/v2.0/ports?limit=1&sort_key=name&sort_dir=asc"
        page = (await cloud.world.ask("nova", "GET", path, headers=headers)).body
        assert page["ports_links"][0]["href"].startswith(f"{scheme}://cloud.example/networking/v2.0/ports?")
        versions = (await cloud.world.ask("nova", "GET", "/networking", headers=headers)).body["versions"]
        assert versions[0]["links"][0]["href"] == f"{scheme}://cloud.example/networking/v2.0/"


@pytest.mark.parametrize("many", [0, 2000])
async def test_ports_of_a_project(cloud: Cloud, monkeypatch: pytest.MonkeyPatch, many: int) -> None:
    """Looked up by their ids where they are few, and read in their order where they are many."""
    monkeypatch.setattr("gluon.neutron.ports._MANY", many)
    mine = [await cloud.vpn_port(f"10.1.1.{n}", name=f"p{n}") for n in range(5, 8)]
    network = await cloud.l2_network("192.0.2.0/24")
    body = {"network_id": network["id"], "tenant_id": PROJECT}
    mine.append((await cloud("nova", "POST", "ports", {"port": body}))["port"])
    elsewhere = uuid.uuid4().hex
    foreign = await cloud.world.made("nova", f"{L2}/ports", {"project_id": elsewhere})
    wanted = sorted(port["id"] for port in mine)

    async def listed(who: str, query: str) -> list[str]:
        return [port["id"] for port in (await cloud(who, "GET", f"ports?{query}"))["ports"]]

    for who, query in (
        ("user", ""),
        ("user", "limit=9"),
        ("nova", f"tenant_id={PROJECT}"),
        ("nova", f"project_id={PROJECT}&limit=9"),
    ):
        assert sorted(await listed(who, query)) == wanted, (who, query)
    assert await listed("user", "name=p6") == [mine[1]["id"]]
    assert await listed("nova", f"tenant_id={elsewhere}") == [foreign["id"]]
    assert await listed("stranger", "") == await listed("nova", f"tenant_id={uuid.uuid4().hex}") == []


async def test_what_nothing_can_pass_is_refused(cloud: Cloud) -> None:
    await cloud.vpn_port()
    for query, kind in (
        ("colour=red", "HTTPBadRequest"),
        ("sort_key=colour", "HTTPBadRequest"),
        ("sort_key=name&sort_dir=up", "HTTPBadRequest"),
        ("limit=many", "HTTPBadRequest"),
        ("admin_state_up=perhaps", "InvalidInput"),
        ("fixed_ips=colour%3Dred", "InvalidInput"),
    ):
        assert await cloud.refused("nova", "GET", f"ports?{query}") == (400, kind), query


async def test_networks_and_subnets(cloud: Cloud) -> None:
    first = await cloud.l2_network("192.0.2.0/24", "198.51.100.0/24", mtu=1400)
    second = await cloud.l2_network("203.0.113.0/24")
    assert (first["mtu"], first["status"], first["shared"]) == (1400, "ACTIVE", False)

    async def networks(query: str, who: str = "user") -> set[str]:
        return {n["id"] for n in (await cloud(who, "GET", f"networks?{query}"))["networks"]}

    assert await networks("") == {first["id"], second["id"]}
    assert await networks("", "stranger") == set()
    assert await networks(f"name={first['name']}") == {first["id"]}
    assert await networks("mtu=1400") == {first["id"]}
    assert await networks("router%3Aexternal=True") == set()
    assert "provider:network_type" not in (await cloud("user", "GET", f"networks/{first['id']}"))["network"]
    found = (await cloud("user", "GET", f"subnets?network_id={first['id']}"))["subnets"]
    assert {s["cidr"] for s in found} == {"192.0.2.0/24", "198.51.100.0/24"}
    assert {s["id"] for s in found} == set(first["subnets"])
    by_cidr = (await cloud("user", "GET", "subnets?cidr=203.0.113.0/24"))["subnets"]
    assert [s["network_id"] for s in by_cidr] == [second["id"]]
    one = (await cloud("user", "GET", f"subnets/{second['subnets'][0]}"))["subnet"]
    assert (one["gateway_ip"], one["ip_version"]) == ("203.0.113.1", 4)
    assert await cloud.refused("stranger", "GET", f"subnets/{one['id']}") == (404, "SubnetNotFound")
    assert await cloud.refused("user", "GET", "subnets/none") == (404, "SubnetNotFound")
