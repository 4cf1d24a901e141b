"""What rules of a proton hide is hidden in Neutron's words too: in bodies, in lists, and from filters that try what it is."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.api.neutron.cloud import L2, PROJECT, Cloud, opened

RULES = """
"net-l2:get_port:name": rule:admin_only
"net-l2:get_port:admin_state_up": rule:admin_only
"net-l2:get_attachment:ip_address": rule:admin_only
"net-l2:get_network:name": rule:admin_only
"net-l2:get_network:description": rule:admin_only
"net-l2:get_network:mtu": rule:admin_only
"net-l2:get_network:subnets": rule:admin_only
"""
LISTS = """
"net-l2:list_port": rule:admin_only
"net-l2:list_network": rule:admin_only
"net-l2:get_attachment": rule:admin_only
"""


async def port_of(cloud: Cloud) -> tuple[Any, Any]:
    """A network and a port of the user's, which Nova has bound."""
    network = await cloud.l2_network("192.0.2.0/24", description="secret", mtu=1400)
    body = {
        "network_id": network["id"],
        "project_id": PROJECT,
        "name": "hush",
        "admin_state_up": False,
        "device_id": str(uuid.uuid4()),
        "binding:host_id": "host1",
    }
    return network, (await cloud("nova", "POST", "ports", {"port": body}, 201))["port"]


async def opened_with(folder: Path, rules: str) -> AsyncIterator[Cloud]:
    (folder / "rules.yaml").write_text(rules)
    async with opened(folder, policy=str(folder / "rules.yaml")) as running:
        yield running


@pytest.fixture
async def ruled(tmp_path: Path) -> AsyncIterator[Cloud]:
    async for cloud in opened_with(tmp_path, RULES):
        yield cloud


@pytest.fixture
async def unlisted(tmp_path: Path) -> AsyncIterator[Cloud]:
    async for cloud in opened_with(tmp_path, LISTS):
        yield cloud


async def test_attributes_that_may_not_be_read(ruled: Cloud) -> None:
    network, made = await port_of(ruled)
    assert (made["name"], made["admin_state_up"], len(made["fixed_ips"])) == ("hush", False, 1)
    port = (await ruled("user", "GET", f"ports/{made['id']}"))["port"]
    assert (port["name"], port["admin_state_up"], port["fixed_ips"]) == ("", True, [])
    assert port["network_id"] == network["id"]
    shown = (await ruled("user", "GET", f"networks/{network['id']}"))["network"]
    assert (shown["description"], shown["mtu"], shown["subnets"]) == ("", 1500, [])
    assert shown["name"] != network["name"]
    (subnet,) = network["subnets"]
    assert (await ruled.refused("user", "GET", f"subnets/{subnet}"))[0] == 404
    assert (await ruled("user", "GET", f"subnets?network_id={network['id']}"))["subnets"] == []
    own = {"network_id": network["id"], "name": "mine"}
    mine = (await ruled("user", "POST", "ports", {"port": own}, 201))["port"]
    assert (mine["name"], mine["fixed_ips"]) == ("", [])


@pytest.mark.parametrize(
    ("plural", "query"),
    [
        ("networks", "name={name}"),
        ("networks", "mtu=1400"),
        ("networks", "description=secret"),
        ("ports", "name=hush"),
        ("ports", "admin_state_up=false"),
        ("ports", "fixed_ips=ip_address=192.0.2.2"),
        ("ports", "binding:host_id=host1"),
    ],
)
async def test_no_filter_finds_them(ruled: Cloud, plural: str, query: str) -> None:
    network, _ = await port_of(ruled)
    text = f"{plural}?{query.format(name=network['name'])}"
    assert len((await ruled("nova", "GET", text))[plural]) == 1
    assert (await ruled("user", "GET", text))[plural] == []


@pytest.mark.parametrize("name", ["name", "binding:host_id"])
async def test_a_guess_beside_no_value_tells_nothing(ruled: Cloud, name: str) -> None:
    """What is hidden reads as no value: who asks for none gets it, and right and wrong guesses are the same."""
    _, made = await port_of(ruled)
    right = {"name": "hush", "binding:host_id": "host1"}[name]
    for more in ("", f"&{name}={right}", f"&{name}=wrong", f"&{name}={right}&limit=5&sort_key=id"):
        found = (await ruled("user", "GET", f"ports?{name}={more}"))["ports"]
        assert [port["id"] for port in found] == [made["id"]], more
    assert (await ruled("nova", "GET", f"ports?{name}=&{name}=wrong"))["ports"] == []


async def test_the_hosts_of_the_shipped_models_cannot_be_guessed(cloud: Cloud) -> None:
    await port_of(cloud)
    found = [
        len((await cloud("user", "GET", f"ports?binding:host_id=&binding:host_id={host}"))["ports"])
        for host in ("host1", "host2")
    ]
    assert found[0] == found[1]


async def test_lists_that_a_rule_forbids(unlisted: Cloud) -> None:
    network, made = await port_of(unlisted)
    assert (await unlisted.world.ask("user", "GET", f"{L2}/ports")).status == 403
    for text in ("ports", f"ports?id={made['id']}", f"ports?device_id={made['device_id']}", "ports?limit=5"):
        assert (await unlisted("user", "GET", text))["ports"] == []
        assert len((await unlisted("nova", "GET", text))["ports"]) == 1
    for text in ("networks", f"networks?id={network['id']}", f"networks?name={network['name']}"):
        assert (await unlisted("user", "GET", text))["networks"] == []
    assert (await unlisted("user", "GET", "subnets"))["subnets"] == []
    assert (await unlisted("user", "GET", f"networks/{network['id']}"))["network"]["name"] == network["name"]
    (subnet,) = network["subnets"]
    assert (await unlisted("user", "GET", f"subnets/{subnet}"))["subnet"]["id"] == subnet


async def test_a_binding_that_may_not_be_read(unlisted: Cloud) -> None:
    network, made = await port_of(unlisted)
    port = (await unlisted("user", "GET", f"ports/{made['id']}"))["port"]
    assert port["fixed_ips"] == []
    assert port["network_id"] != network["id"]


async def test_an_undo_does_not_say_where_a_port_was(cloud: Cloud) -> None:
    """What nobody can bring back is told to who may read it."""
    _, made = await port_of(cloud)
    sets = "/gluon/v1/changesets"
    gone = {"op": "delete", "api": "net-l2", "type": "Port", "key": made["id"]}
    done = await cloud.world.made("user", sets, {"changes": [gone]})
    planned = await cloud.world.ask("user", "POST", f"{sets}/{done['id']}/undo?plan=true")
    assert planned.status == 200, planned
    undone = await cloud.world.made("user", f"{sets}/{done['id']}/undo", None)
    shown = await cloud.world.ask("user", "GET", f"{sets}/{undone['id']}")
    for told in (done, planned.body, undone, shown.body):
        assert "host" not in str(told), told
    (note,) = (await cloud.world.ask("nova", "GET", f"{sets}/{undone['id']}")).body["not_undone"]
    assert (note["attribute"], "host1" in note["why"]) == ("host_id", True)
