"""Ports in networks with several subnets: an address of each family, or of the subnets that are named."""

from __future__ import annotations

import ipaddress
from typing import Any

from tests.api.neutron.cloud import L2, PROJECT, Cloud

FOUR, SIX = "192.0.2.0/29", "2001:db8::/64"
NONE = (409, "IpAddressGenerationFailure")


def port(network: Any, **more: Any) -> dict[str, Any]:
    return {"port": {"network_id": network["id"], "tenant_id": PROJECT, **more}}


def shown(answer: Any) -> list[str]:
    return [one["ip_address"] for one in answer["port"]["fixed_ips"]]


async def subnets(cloud: Cloud, network: Any) -> dict[str, str]:
    """Ids by prefix."""
    found = (await cloud("user", "GET", f"subnets?network_id={network['id']}"))["subnets"]
    return {one["cidr"]: one["id"] for one in found}


async def attachment(cloud: Cloud, made: Any) -> dict[str, Any]:
    path = f"{L2}/attachments?interface_id={made['port']['id']}"
    (found,) = (await cloud.world.ask("user", "GET", path)).body["attachments"]
    return dict(found)


async def test_a_port_has_an_address_of_each_family(cloud: Cloud) -> None:
    """The first subnet's first; the way without a task and the other one alike."""
    for cidrs, firsts in (
        ((FOUR, SIX), ["192.0.2.2", "2001:db8::2"]),
        ((SIX, FOUR), ["2001:db8::2", "192.0.2.2"]),
    ):
        network = await cloud.l2_network(*cidrs)
        swift = await cloud("user", "POST", "ports", port(network), 201)
        assert shown(swift) == firsts
        ids = await subnets(cloud, network)
        assert [one["subnet_id"] for one in swift["port"]["fixed_ips"]] == [ids[cidr] for cidr in cidrs]
        assert swift == await cloud("user", "GET", f"ports/{swift['port']['id']}")
        bound = await attachment(cloud, swift)
        assert [bound["ip_address"], *bound["more_addresses"]] == firsts
        several = await cloud("user", "POST", "ports", {"ports": [port(network)["port"]] * 2}, 201)
        addresses = [shown({"port": one}) for one in several["ports"]]
        assert sorted(a for pair in addresses for a in pair) == [
            "192.0.2.3", "192.0.2.4", "2001:db8::3", "2001:db8::4"
        ]  # fmt: skip
        assert all(len({ipaddress.ip_address(a).version for a in pair}) == 2 for pair in addresses)


async def test_without_an_address_of_one_family_there_is_no_port(cloud: Cloud) -> None:
    network = await cloud.l2_network(FOUR, SIX)
    made = [await cloud("user", "POST", "ports", port(network), 201) for _ in range(5)]
    assert {shown(one)[0] for one in made} == {f"192.0.2.{n}" for n in range(2, 7)}
    assert await cloud.refused("user", "POST", "ports", port(network)) == NONE
    assert await cloud.refused("user", "POST", "ports", {"ports": [port(network)["port"]] * 2}) == NONE
    ids = await subnets(cloud, network)
    alone = await cloud("user", "POST", "ports", port(network, fixed_ips=[{"subnet_id": ids[SIX]}]), 201)
    assert shown(alone) == ["2001:db8::7"]
    assert len((await cloud("user", "GET", f"ports?network_id={network['id']}"))["ports"]) == 6


async def test_a_subnet_is_named_alone(cloud: Cloud) -> None:
    other = "198.51.100.0/24"
    network = await cloud.l2_network(FOUR, other, SIX)
    ids = await subnets(cloud, network)

    async def made(*wanted: dict[str, str]) -> list[str]:
        return shown(await cloud("user", "POST", "ports", port(network, fixed_ips=list(wanted)), 201))

    assert await made({"subnet_id": ids[other]}) == ["198.51.100.2"]
    assert await made({"subnet_id": ids[SIX]}, {"subnet_id": ids[FOUR]}) == ["2001:db8::2", "192.0.2.2"]
    assert await made({"subnet_id": ids[other]}, {"subnet_id": ids[other]}) == [
        "198.51.100.3",
        "198.51.100.4",
    ]
    assert await made({"subnet_id": ids[other], "ip_address": "198.51.100.5"}, {"subnet_id": ids[other]}) == [
        "198.51.100.5",
        "198.51.100.6",
    ]
    assert await made({"subnet_id": ids[FOUR]}, {"ip_address": "192.0.2.3"}) == ["192.0.2.4", "192.0.2.3"]
    assert shown(await cloud("user", "POST", "ports", port(network), 201)) == ["192.0.2.5", "2001:db8::3"]
    assert await made({"subnet_id": ids[FOUR]}) == ["192.0.2.6"]
    full = port(network, fixed_ips=[{"subnet_id": ids[FOUR]}])
    assert await cloud.refused("user", "POST", "ports", full) == NONE
    strange = (await cloud.l2_network(FOUR))["subnets"][0]
    wrong = port(network, fixed_ips=[{"subnet_id": strange}])
    assert await cloud.refused("user", "POST", "ports", wrong) == (400, "InvalidInput")


async def test_a_network_of_one_family_gives_one_address(cloud: Cloud) -> None:
    network = await cloud.l2_network(FOUR, "198.51.100.0/24")
    made = [shown(await cloud("user", "POST", "ports", port(network), 201)) for _ in range(6)]
    assert made == [*([f"192.0.2.{n}"] for n in range(2, 7)), ["198.51.100.2"]]
