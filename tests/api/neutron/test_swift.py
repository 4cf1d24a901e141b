"""New ports that are begun without a task are answered as all others, and what they cannot be is left to those."""

from __future__ import annotations

import asyncio
import json
import uuid
from itertools import product
from typing import Any

from gluon.api import message, posts
from tests.api.neutron.cloud import L2, PROJECT, Cloud
from tests.api.personas import Personas


class Asked(posts.Asked):
    """`said`: status and body once it is answered; None: the long way is to do it."""

    __slots__ = ("said",)

    def __init__(self, app: Any, who: str, body: bytes, headers: dict[bytes, bytes]) -> None:
        given = {b"content-type": message.JSON, b"x-persona": who.encode(), **headers}
        super().__init__("POST", app.place(b"/v2.0/ports"), given)
        self.body = body
        self.said: asyncio.Future[tuple[int, Any] | None] = asyncio.get_running_loop().create_future()

    def made(self, document: bytes, revision: object) -> None:
        raise AssertionError("the answer of a proton")

    def told(self, reply: message.Reply) -> None:
        self.said.set_result((reply.status, json.loads(reply.body or b"null")))

    def again(self) -> None:
        self.said.set_result(None)


async def swift(cloud: Cloud, who: str, body: Any, **headers: str) -> tuple[int, Any] | None:
    """What is answered without a task; None: nothing is, and nothing was done."""
    app: Any = cloud.world._app
    app.face.posts._guard = app._guard
    given = {n.replace("_", "-").encode(): v.encode() for n, v in headers.items()}
    asked = Asked(app, who, body if isinstance(body, bytes) else json.dumps(body).encode(), given)
    if not app.face.posts.begin(asked):
        return None
    async with asyncio.timeout(60):
        return await asked.said


async def known(cloud: Cloud, *cidrs: str, **more: Any) -> str:
    """A network that somebody has asked for."""
    return str((await cloud.l2_network(*cidrs, **more))["id"])


ASKED: tuple[dict[str, Any], ...] = (
    {},
    {"name": "eth", "device_id": "vm", "device_owner": "compute:nova", "admin_state_up": False},
    {"mac_address": "FA:16:3E:00:00:77", "binding:vnic_type": "direct"},
    {"security_groups": [], "project_id": PROJECT, "tags": []},
)


async def test_it_is_told_as_it_is_read(cloud: Cloud) -> None:
    for n, (who, more) in enumerate(product(("user", "nova", "ironic"), ASKED)):
        network = await known(cloud, f"192.0.{n}.0/24")
        answer = await swift(cloud, who, {"port": {"network_id": network, "tenant_id": PROJECT, **more}})
        assert answer is not None, more
        status, body = answer
        assert status == 201, body
        assert body == await cloud(who, "GET", f"ports/{body['port']['id']}"), more
        (fixed,) = body["port"]["fixed_ips"]
        assert fixed["ip_address"].startswith(f"192.0.{n}.")
        assert (await cloud.world.ask("nova", "DELETE", f"/v2.0/ports/{body['port']['id']}")).status == 204


async def test_the_other_way_makes_the_same(cloud: Cloud) -> None:
    network = await known(cloud, "192.0.2.0/24")
    body = {"port": {"network_id": network, "name": "a", "device_id": "vm"}}
    answer = await swift(cloud, "user", body)
    long = await cloud.world.ask(
        "user", "POST", "/v2.0/ports", body, {"idempotency-key": uuid.uuid4().hex}
    )  # which takes more
    assert answer is not None
    own = {"id", "mac_address", "fixed_ips", "created_at", "updated_at", "revision_number"}
    assert {n: v for n, v in answer[1]["port"].items() if n not in own} == {
        n: v for n, v in long.body["port"].items() if n not in own
    }
    assert [*answer[1]["port"]] == [*long.body["port"]]


MORE: tuple[dict[str, Any], ...] = (
    {"fixed_ips": [{"ip_address": "192.0.2.9"}]},
    {"binding:host_id": "a"},
    {"id": str(uuid.uuid4())},
    {"colour": "blue"},
    {"security_groups": ["x"]},
    {"name": 7},
    {"tenant_id": PROJECT, "project_id": str(uuid.uuid4())},
    {"network_id": str(uuid.uuid4())},
    {"network_id": None},
    {"network_id": ["x"]},
)


async def test_what_takes_more_is_left_alone(cloud: Cloud) -> None:
    network = await known(cloud, "192.0.2.0/24")
    for more in MORE:
        body = {"port": {"network_id": network, "tenant_id": PROJECT, **more}}
        assert await swift(cloud, "nova", body) is None, more
    assert (await cloud("nova", "GET", "ports"))["ports"] == []


async def test_what_is_no_port_is_left_alone(cloud: Cloud) -> None:
    network = await known(cloud, "192.0.2.0/24")
    port = {"network_id": network, "tenant_id": PROJECT}
    for body in ({"ports": [port]}, {"port": [port]}, {"port": port, "more": 1}, {}, b"{", b""):
        assert await swift(cloud, "nova", body) is None, body
    assert await swift(cloud, "nova", {"port": port}, idempotency_key="a") is None
    assert await swift(cloud, "nova", {"port": port}, content_type="text/plain") is None
    assert await swift(cloud, "nobody", {"port": port}) is None
    assert (await cloud("nova", "GET", "ports"))["ports"] == []


async def test_a_network_of_another_is_as_one_that_is_not_there(cloud: Cloud) -> None:
    """He may not learn of it by the time that an answer takes: both go the same way."""
    network = await known(cloud, "192.0.2.0/24")
    for one in (network, str(uuid.uuid4())):
        assert await swift(cloud, "stranger", {"port": {"network_id": one}}) is None


async def test_a_network_that_went_meanwhile(cloud: Cloud) -> None:
    network = await cloud.l2_network("192.0.2.0/24")
    body = {"port": {"network_id": network["id"], "tenant_id": PROJECT}}
    (service,) = (await cloud.world.ask("nova", "GET", f"{L2}/networks")).body["networks"]
    assert (await cloud.world.ask("nova", "DELETE", f"{L2}/networks/{service['id']}")).status == 204
    assert await swift(cloud, "nova", body) is None
    assert await cloud.refused("nova", "POST", "ports", body) == (404, "NetworkNotFound")


async def test_a_network_that_was_given_away_meanwhile(cloud: Cloud) -> None:
    network = await cloud.l2_network("192.0.2.0/24")
    (service,) = (await cloud.world.ask("nova", "GET", f"{L2}/networks")).body["networks"]
    body = {"port": {"network_id": network["id"]}}
    moved = {"project_id": str(uuid.uuid4())}
    answer = await cloud.world.ask("nova", "PUT", f"{L2}/networks/{service['id']}", moved)
    assert answer.status == 200, answer
    assert await swift(cloud, "user", body) is None
    assert await cloud.refused("user", "POST", "ports", body) == (404, "NetworkNotFound")


async def test_many_at_once_have_addresses_of_their_own_until_there_are_none(cloud: Cloud) -> None:
    network = await known(cloud, "192.0.2.0/26")
    body = {"port": {"network_id": network, "tenant_id": PROJECT}}
    answers = await asyncio.gather(*(swift(cloud, "nova", body) for _ in range(64)))
    made = [answer[1]["port"] for answer in answers if answer is not None and answer[0] == 201]
    refused = [answer for answer in answers if answer is None or answer[0] != 201]
    addresses = {port["fixed_ips"][0]["ip_address"] for port in made}
    assert len(addresses) == len(made) == 61  # of 64: network, broadcast and router have none
    assert len({port["mac_address"] for port in made}) == len(made)
    assert len(refused) == 3
    for answer in refused:
        assert answer is not None
        assert (answer[0], answer[1]["NeutronError"]["type"]) == (409, "IpAddressGenerationFailure")
    listed = (await cloud("nova", "GET", f"ports?network_id={network}"))["ports"]
    assert {port["id"] for port in listed} == {port["id"] for port in made}


async def test_refusals_in_neutrons_words(cloud: Cloud) -> None:
    network = await known(cloud, "192.0.2.0/24")
    body = {"port": {"network_id": network, "mac_address": "fa:16:3e:00:00:01"}}
    first, again = [await swift(cloud, "user", body) for _ in range(2)]
    assert first is not None
    assert first[0] == 201
    assert again is not None
    assert (again[0], again[1]["NeutronError"]["type"]) == (409, "MacAddressInUse")
    quota = {"quotas": {"net-l2": {"Port": 1}}}
    assert (
        await cloud.world.ask("nova", "PUT", f"/gluon/v1/quotas/{uuid.UUID(PROJECT)}", quota)
    ).status < 300
    full = await swift(cloud, "user", {"port": {"network_id": network}})
    assert full is not None
    assert (full[0], full[1]["NeutronError"]["type"]) == (409, "OverQuota")


async def test_who_may_not_make_ports(cloud: Cloud) -> None:
    network = await known(cloud, "192.0.2.0/24")
    app: Any = cloud.world._app
    caller = app._guard._known["user"]
    app._guard = Personas({**app._guard._known, "reader": type(caller)(
        user="r", project=caller.project, roles=frozenset({"reader"}))})  # fmt: skip
    answer = await swift(cloud, "reader", {"port": {"network_id": network}})
    assert answer is not None
    assert (answer[0], answer[1]["NeutronError"]["type"]) == (403, "PolicyNotAuthorized")
