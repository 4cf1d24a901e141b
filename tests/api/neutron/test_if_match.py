"""Changes and deletes that shall only be done to the port as it was read, as Neutron's extension `revision-if-match` has it."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import pytest

from tests.api.neutron.cloud import L2, PROJECT, Cloud


async def ask(
    cloud: Cloud, method: str, key: str, revision: Any, body: Any = None, who: str = "user"
) -> tuple[int, Any]:
    word = revision if isinstance(revision, str) else f"revision_number={revision}"
    path = f"/networking/v2.0/ports/{key}"
    answer = await cloud.world.ask(who, method, path, body and {"port": body}, {"if-match": word})
    return answer.status, answer.body


async def made(cloud: Cloud) -> Any:
    network = (await cloud.l2_network("10.5.0.0/24"))["id"]
    return (
        await cloud("user", "POST", "ports", {"port": {"network_id": network, "tenant_id": PROJECT}}, 201)
    )["port"]


async def test_a_port_that_has_changed_is_left_as_it_is(cloud: Cloud) -> None:
    port = await made(cloud)
    first = port["revision_number"]
    status, after = await ask(cloud, "PUT", port["id"], first, {"name": "a"})
    assert (status, after["port"]["name"]) == (200, "a")
    now = after["port"]["revision_number"]
    assert now > first
    bodies: list[Any] = [{"name": "b"}, {"name": "a"}, {"binding:host_id": "h1"}, {"fixed_ips": []}]
    for body in bodies:
        status, told = await ask(cloud, "PUT", port["id"], first, body, who="nova")
        assert (status, told["NeutronError"]["type"]) == (412, "RevisionNumberConstraintFailed"), body
    assert (await ask(cloud, "DELETE", port["id"], first))[0] == 412
    assert (await cloud("user", "GET", f"ports/{port['id']}"))["port"] == after["port"]
    assert (await ask(cloud, "PUT", port["id"], now, {"binding:host_id": "h1"}, who="nova"))[0] == 200
    assert (await ask(cloud, "DELETE", port["id"], now))[0] == 412
    last = (await cloud("user", "GET", f"ports/{port['id']}"))["port"]["revision_number"]
    assert (await ask(cloud, "DELETE", port["id"], last))[0] == 204


async def test_of_many_at_once_one_is_done(cloud: Cloud) -> None:
    port = await made(cloud)
    names = [f"n{n}" for n in range(20)]
    tries = [ask(cloud, "PUT", port["id"], port["revision_number"], {"name": name}) for name in names]
    done = await asyncio.gather(*tries)
    assert sorted(status for status, _ in done) == [200, *[412] * 19]
    (name,) = [body["port"]["name"] for status, body in done if status == 200]
    assert (await cloud("user", "GET", f"ports/{port['id']}"))["port"]["name"] == name


async def test_other_addresses_are_another_revision(cloud: Cloud) -> None:
    """They stand in the binding to the service, also where its own API changes them."""
    port = await made(cloud)
    key, first = port["id"], port["revision_number"]
    status, after = await ask(cloud, "PUT", key, first, {"fixed_ips": [{"ip_address": "10.5.0.50"}]})
    assert (status, after["port"]["revision_number"] > first) == (200, True)
    found = (await cloud.world.ask("user", "GET", f"{L2}/attachments?interface_id={key}")).body["attachments"]
    changed = await cloud.world.ask(
        "user", "PUT", f"{L2}/attachments/{found[0]['id']}", {"ip_address": "10.5.0.51"}
    )
    assert changed.status == 200
    last = (await cloud("user", "GET", f"ports/{key}"))["port"]
    assert last["revision_number"] > after["port"]["revision_number"]
    bodies: list[Any] = [{"fixed_ips": [{"ip_address": "10.5.0.60"}]}, {"name": "b"}]
    for revision in (first, after["port"]["revision_number"]):
        for body in bodies:
            assert (await ask(cloud, "PUT", key, revision, body))[0] == 412, body
        assert (await ask(cloud, "DELETE", key, revision))[0] == 412
    assert (await cloud("user", "GET", f"ports/{key}"))["port"] == last
    found = (await cloud("user", "GET", f"ports?revision_number={last['revision_number']}"))["ports"]
    assert found == [last]
    assert (await ask(cloud, "DELETE", key, last["revision_number"]))[0] == 204


async def test_of_many_addresses_at_once_one_is_set(cloud: Cloud) -> None:
    port = await made(cloud)
    key, first = port["id"], port["revision_number"]
    wanted: list[Any] = [{"fixed_ips": [{"ip_address": f"10.5.0.{n}"}]} for n in range(50, 60)]
    done = await asyncio.gather(*(ask(cloud, "PUT", key, first, body) for body in wanted))
    assert sorted(status for status, _ in done) == [200, *[412] * 9]
    (shown,) = [body["port"] for status, body in done if status == 200]
    assert (await cloud("user", "GET", f"ports/{key}"))["port"] == shown


@pytest.mark.parametrize(("method", "body"), [("PUT", {"name": "b"}), ("DELETE", None)])
async def test_of_an_address_and_something_else_at_once_one_is_done(
    cloud: Cloud, method: str, body: Any
) -> None:
    for steps in range(0, 32, 4):
        port = await made(cloud)
        key, first = port["id"], port["revision_number"]
        address = {"fixed_ips": [{"ip_address": "10.5.0.50"}]}
        moving = asyncio.create_task(ask(cloud, "PUT", key, first, address))
        for _ in range(steps):
            await asyncio.sleep(0)
        other, _ = await ask(cloud, method, key, first, body)
        moved, _ = await moving
        assert ((other < 300) + (moved == 200), max(other, moved) in (404, 412)) == (1, True), steps


@pytest.mark.parametrize(
    "word",
    [
        "7",
        '"7"',
        "revision_number=",
        "revision_number=-1",
        "revision_number=1e3",
        "x" * 300,
        "revision_number=" + "9" * 30,
    ],
)
async def test_what_is_no_revision_is_refused(cloud: Cloud, word: str) -> None:
    port = await made(cloud)
    for method, body in (("PUT", {"name": "a"}), ("DELETE", None)):
        status, told = await ask(cloud, method, port["id"], word, body)
        assert (status, told["NeutronError"]["type"]) == (400, "InvalidInput")
        assert told["NeutronError"]["detail"]


async def test_a_foreign_port_is_as_one_that_is_not_there(cloud: Cloud) -> None:
    port = await made(cloud)
    for revision in (port["revision_number"], 1):
        found = [
            await ask(cloud, method, key, revision, body, who="stranger")
            for key in (port["id"], str(uuid.uuid4()))
            for method, body in (("PUT", {"name": "a"}), ("DELETE", None))
        ]
        assert {status for status, _ in found} == {404}
