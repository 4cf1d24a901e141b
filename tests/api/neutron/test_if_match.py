"""Changes and deletes that shall only be done to the port as it was read, as Neutron's extension `revision-if-match` has it."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import pytest

from tests.api.neutron.cloud import PROJECT, Cloud


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
