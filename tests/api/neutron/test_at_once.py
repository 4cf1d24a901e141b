"""Requests about one port at the same moment, and requests about ports of others."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

from tests.api.neutron.cloud import L2, L3, PROJECT, Cloud


async def test_one_port_is_bound_to_one_of_several_hosts(cloud: Cloud) -> None:
    network = await cloud.l2_network("192.0.2.0/24")
    port = (await cloud("user", "POST", "ports", {"port": {"network_id": network["id"]}}))["port"]["id"]
    wanted = [{"port": {"binding:host_id": host}} for host in ("a", "b", "c", "a")]
    answers = await asyncio.gather(*(cloud.ask("nova", "PUT", f"ports/{port}", one) for one in wanted))
    assert {answer.status for answer in answers} == {200}
    shown = (await cloud("nova", "GET", f"ports/{port}"))["port"]
    assert shown["binding:vif_type"] == "ovs"
    held = (await cloud("nova", "GET", f"ports/{port}/bindings"))["bindings"]
    assert [(one["host"], one["status"]) for one in held] == [(shown["binding:host_id"], "ACTIVE")]


async def test_a_port_that_goes_while_it_is_bound_is_gone(cloud: Cloud) -> None:
    network = await cloud.l2_network("192.0.2.0/24")
    for steps in (0, 3, 9):
        port = (await cloud("user", "POST", "ports", {"port": {"network_id": network["id"]}}))["port"]["id"]
        body = {"port": {"binding:host_id": "a"}}
        binding = asyncio.create_task(cloud.ask("nova", "PUT", f"ports/{port}", body))
        for _ in range(steps):
            await asyncio.sleep(0)
        await cloud("nova", "DELETE", f"ports/{port}", status=204)
        assert (await binding).status in (200, 404)
        assert await cloud.refused("nova", "PUT", f"ports/{port}", body) == (404, "PortNotFound")
    assert (await cloud("nova", "GET", "ports"))["ports"] == []


async def test_a_port_whose_binding_goes_meanwhile_is_deleted(cloud: Cloud) -> None:
    """Who is told 404 takes the port for gone, and leaves it there."""
    for steps in range(8):
        port = (await cloud.vpn_port())["id"]
        deleting = asyncio.create_task(cloud.ask("nova", "DELETE", f"ports/{port}"))
        for _ in range(steps):
            await asyncio.sleep(0)
        await cloud.world.ask("nova", "DELETE", f"{L3}/vpnbindings/{port}")
        assert (await deleting).status == 204, steps
        assert await cloud.refused("nova", "GET", f"ports/{port}") == (404, "PortNotFound")


async def test_a_port_is_deleted_once(cloud: Cloud) -> None:
    for _ in range(4):
        port = (await cloud.vpn_port())["id"]
        told = await asyncio.gather(*(cloud.ask("nova", "DELETE", f"ports/{port}") for _ in range(3)))
        assert sorted(answer.status for answer in told) == [204, 404, 404]
        late = [answer.body["NeutronError"]["type"] for answer in told if answer.status == 404]
        assert late == ["PortNotFound"] * 2


async def test_a_port_whose_binding_goes_meanwhile_is_changed_or_refused(cloud: Cloud) -> None:
    """It is there: nothing is told of it as of one that is not."""
    network = await cloud.l2_network("192.0.2.0/24")
    body = {"port": {"name": "x", "fixed_ips": [{"ip_address": "192.0.2.77"}]}}
    for steps in range(8):
        port = (await cloud("user", "POST", "ports", {"port": {"network_id": network["id"]}}))["port"]["id"]
        found = await cloud.world.ask("user", "GET", f"{L2}/attachments?interface_id={port}")
        changing = asyncio.create_task(cloud.ask("user", "PUT", f"ports/{port}", body))
        for _ in range(steps):
            await asyncio.sleep(0)
        await cloud.world.ask("user", "DELETE", f"{L2}/attachments/{found.body['attachments'][0]['id']}")
        assert (await changing).status in (200, 400), steps
        await cloud("user", "DELETE", f"ports/{port}", status=204)


async def test_an_id_is_taken_once(cloud: Cloud) -> None:
    network = await cloud.l2_network("192.0.2.0/24")
    body = {"port": {"network_id": network["id"], "id": str(uuid.uuid4())}}
    answers = await asyncio.gather(*(cloud.ask("nova", "POST", "ports", body) for _ in range(4)))
    assert sorted(answer.status for answer in answers) == [201, 409, 409, 409]
    twice = {"ports": [{"network_id": network["id"], "id": str(uuid.uuid4())}] * 2}
    assert await cloud.refused("nova", "POST", "ports", twice) == (409, "PortInUse")
    bad = {"network_id": network["id"], "binding:host_id": "a\0"}
    both = {"ports": [{"network_id": network["id"], "binding:host_id": "a"}, bad]}
    assert (await cloud.refused("nova", "POST", "ports", both))[0] == 400
    assert len((await cloud("nova", "GET", "ports"))["ports"]) == 1


async def test_who_may_not_see_it_finds_nothing_by_whatever_he_asks(cloud: Cloud) -> None:
    network = await cloud.l2_network("192.0.2.0/24")
    net, (subnet,) = network["id"], network["subnets"]
    port = (await cloud("user", "POST", "ports", {"port": {"network_id": net}}))["port"]["id"]
    body = {"port": {"device_id": str(uuid.uuid4()), "binding:host_id": "a", "name": "web"}}
    shown = (await cloud("nova", "PUT", f"ports/{port}", body))["port"]
    address = shown["fixed_ips"][0]["ip_address"]
    for query in (
        f"id={port}", f"device_id={shown['device_id']}", f"network_id={net}", f"fixed_ips=ip_address={address}",
        f"fixed_ips=subnet_id={subnet}", f"mac_address={shown['mac_address']}", f"project_id={PROJECT}", "name=web",
        f"tenant_id={PROJECT}", "binding:host_id=a", f"status={shown['status']}", f"id={port}&sort_key=name&limit=1",
    ):  # fmt: skip
        assert (await cloud("stranger", "GET", f"ports?{query}")) == {"ports": []}, query
    for query in (f"id={net}", f"name={network['name']}", f"project_id={PROJECT}", f"subnets={subnet}"):
        assert (await cloud("stranger", "GET", f"networks?{query}")) == {"networks": []}, query
    for query in (f"id={subnet}", f"network_id={net}", "cidr=192.0.2.0/24"):
        assert (await cloud("stranger", "GET", f"subnets?{query}")) == {"subnets": []}, query

    missing = str(uuid.uuid4())
    nothing: Any = None
    for method, path, sent in (
        ("GET", "ports?limit=1&marker=PORT", nothing),
        ("GET", "ports?marker=PORT", nothing),
        ("GET", "ports?sort_key=name&marker=PORT", nothing),
        ("GET", "networks?marker=NET", nothing),
        ("GET", "subnets?marker=SUBNET", nothing),
        ("GET", "ports/PORT", nothing),
        ("PUT", "ports/PORT", {"port": {"name": "x"}}),
        ("PUT", "ports/PORT", {"port": {"binding:host_id": "x"}}),
        ("PUT", "ports/PORT", {"port": {"colour": "x"}}),
        ("DELETE", "ports/PORT", nothing),
        ("GET", "ports/PORT/bindings", nothing),
        ("POST", "ports/PORT/bindings", {"binding": {"host": "x"}}),
        ("GET", "ports/PORT/bindings/a", nothing),
        ("PUT", "ports/PORT/bindings/a/activate", nothing),
        ("DELETE", "ports/PORT/bindings/a", nothing),
        ("GET", "networks/NET", nothing),
        ("GET", "subnets/SUBNET", nothing),
    ):
        said = []
        for names in ((port, net, subnet), (missing, missing, missing)):
            named = dict(zip(("PORT", "SUBNET", "NET"), (names[0], names[2], names[1]), strict=True))
            target = path
            for word, value in named.items():
                target = target.replace(word, value)
            answer = await cloud.ask("stranger", method, target, sent)
            text = answer.body["NeutronError"]["message"]
            for value in names:
                text = text.replace(value, "…")
            said.append((answer.status, answer.body["NeutronError"]["type"], text))
        assert said[0] == said[1], (method, path)
        assert said[0][0] == 404, (method, path)
    assert (await cloud("nova", "GET", f"ports/{port}"))["port"]["revision_number"] == shown[
        "revision_number"
    ]
