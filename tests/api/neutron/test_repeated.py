"""A port that is asked for again with the same Idempotency-Key, as its answer was lost, is made once."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

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


async def test_the_port_of_another_is_not_shown(cloud: Cloud) -> None:
    ours = (await cloud.l2_network("10.5.0.0/24"))["id"]
    theirs = (await cloud.l2_network("10.6.0.0/24", project_id=CALLERS["stranger"].project))["id"]
    word = uuid.uuid4().hex
    status, _ = await post(cloud, "user", word, {"port": wanted(ours, name="secret")})
    assert status == 201
    status, body = await post(cloud, "stranger", word, {"port": {"network_id": theirs}})
    assert status == 409
    assert "secret" not in str(body)
    assert [p["name"] for p in (await cloud("nova", "GET", f"ports?network_id={ours}"))["ports"]] == [
        "secret"
    ]
