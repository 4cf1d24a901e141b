"""A port that is asked for again with the same Idempotency-Key, as its answer was lost, is made once."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import pytest

from tests.api.neutron.cloud import CALLERS, PROJECT, Cloud


def wanted(network: str, **more: Any) -> dict[str, Any]:
    return {"network_id": network, "tenant_id": PROJECT, **more}


async def post(cloud: Cloud, who: str, word: str, body: Any) -> tuple[int, Any]:
    path, headers = "/networking/v2.0/ports", {"idempotency-key": word}
    answer = await cloud.world.ask(who, "POST", path, body, headers)
    return answer.status, answer.body


async def test_the_same_port_is_found(cloud: Cloud) -> None:
    network = (await cloud.l2_network("10.5.0.0/24"))["id"]
    word = uuid.uuid4().hex
    answers = [await post(cloud, "user", word, {"port": wanted(network, name="once")}) for _ in range(3)]
    assert [status for status, _ in answers] == [201, 201, 201]
    assert len({body["port"]["id"] for _, body in answers}) == 1
    assert answers[0][1]["port"]["fixed_ips"] == answers[2][1]["port"]["fixed_ips"]
    assert len((await cloud("nova", "GET", f"ports?network_id={network}"))["ports"]) == 1


async def test_an_address_that_it_has_already_is_its_own(cloud: Cloud) -> None:
    network = (await cloud.l2_network("10.5.0.0/24"))["id"]
    body = {"port": wanted(network, fixed_ips=[{"ip_address": "10.5.0.7"}])}
    word = uuid.uuid4().hex
    first, again = [await post(cloud, "user", word, body) for _ in range(2)]
    assert again[0] == 201
    assert again[1]["port"]["id"] == first[1]["port"]["id"]
    status, refused = await post(cloud, "user", uuid.uuid4().hex, body)
    assert (status, refused["NeutronError"]["type"]) == (409, "IpAddressAlreadyAllocated")


async def test_at_once_it_is_made_once(cloud: Cloud) -> None:
    network = (await cloud.l2_network("10.5.0.0/24"))["id"]
    body, word = {"port": wanted(network)}, uuid.uuid4().hex
    answers = await asyncio.gather(*[post(cloud, "user", word, body) for _ in range(6)])
    assert {status for status, _ in answers} == {201}
    assert len({made["port"]["id"] for _, made in answers}) == 1


async def test_several_are_all_found(cloud: Cloud) -> None:
    network = (await cloud.l2_network("10.5.0.0/24"))["id"]
    word = uuid.uuid4().hex
    body = {"ports": [wanted(network, name="a"), wanted(network, name="b")]}
    first, again = [(await post(cloud, "nova", word, body))[1]["ports"] for _ in range(2)]
    assert [port["id"] for port in again] == [port["id"] for port in first]
    assert first[0]["id"] != first[1]["id"]


async def test_the_key_of_another_project_is_another_key(cloud: Cloud) -> None:
    ours = (await cloud.l2_network("10.5.0.0/24"))["id"]
    theirs = (await cloud.l2_network("10.6.0.0/24", project_id=CALLERS["stranger"].project))["id"]
    word = uuid.uuid4().hex
    status, first = await post(cloud, "user", word, {"port": wanted(ours, name="secret")})
    assert status == 201
    for _ in range(2):
        status, body = await post(cloud, "stranger", word, {"port": {"network_id": theirs, "name": "own"}})
        assert (status, body["port"]["name"]) == (201, "own")
        assert body["port"]["id"] != first["port"]["id"]
    for network, names in ((ours, ["secret"]), (theirs, ["own"])):
        found = (await cloud("nova", "GET", f"ports?network_id={network}"))["ports"]
        assert [port["name"] for port in found] == names


async def test_a_key_stands_for_one_request(cloud: Cloud) -> None:
    network = (await cloud.l2_network("10.5.0.0/24"))["id"]
    word = uuid.uuid4().hex
    first = {"port": wanted(network, name="a")}
    assert (await post(cloud, "user", word, first))[0] == 201
    for other in ({"port": wanted(network, name="b")}, {"ports": [wanted(network, name="a")]}):
        status, refused = await post(cloud, "user", word, other)
        assert (status, refused["NeutronError"]["type"]) == (422, "IdempotencyKeyReused")
    assert (await post(cloud, "user", word, first))[0] == 201
    assert [p["name"] for p in (await cloud("nova", "GET", f"ports?network_id={network}"))["ports"]] == ["a"]


async def test_the_second_answer_is_the_port_as_it_is_then(cloud: Cloud) -> None:
    network = (await cloud.l2_network("10.5.0.0/24"))["id"]
    body, word = {"port": wanted(network, name="a")}, uuid.uuid4().hex
    _, first = await post(cloud, "user", word, body)
    path = f"ports/{first['port']['id']}"
    await cloud("user", "PUT", path, {"port": {"name": "b"}})
    _, again = await post(cloud, "user", word, body)
    assert again["port"]["name"] == "b"
    await cloud("user", "DELETE", path)
    status, gone = await post(cloud, "user", word, body)
    assert (status, gone["NeutronError"]["type"]) == (404, "PortNotFound"), "it is not made a second time"


async def test_a_port_that_was_made_and_not_yet_bound_is_bound(cloud: Cloud) -> None:
    """Who made it died between the two: whoever asks again gets what he asked for."""
    network = (await cloud.l2_network("10.5.0.0/24"))["id"]
    body, word = {"port": wanted(network, **{"binding:host_id": "h1"})}, uuid.uuid4().hex
    _, first = await post(cloud, "nova", word, body)
    assert first["port"]["binding:vif_type"] == "ovs"
    path = f"ports/{first['port']['id']}"
    await cloud("nova", "PUT", path, {"port": {"binding:host_id": ""}})
    _, again = await post(cloud, "nova", word, body)
    assert again["port"]["binding:vif_type"] == "ovs"
    await cloud("nova", "PUT", path, {"port": {"binding:host_id": "h2"}})
    _, moved = await post(cloud, "nova", word, body)
    assert moved["port"]["binding:host_id"] == "h2", "bound by somebody since then"


@pytest.mark.parametrize("word", ["", " ", "a b", "x" * 256, "\u00e4"])
async def test_what_is_no_key(cloud: Cloud, word: str) -> None:
    network = (await cloud.l2_network("10.5.0.0/24"))["id"]
    status, refused = await post(cloud, "user", word, {"port": wanted(network)})
    assert (status, refused["NeutronError"]["type"]) == (400, "InvalidInput")
