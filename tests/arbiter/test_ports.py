"""The list of all ports for operators."""

import asyncio
import uuid
from typing import Any

import pytest

from gluon.kv.memory import MemoryBus
from tests.arbiter.conftest import Rig, ScriptedShim

PORTS = "/gluon/v1/ports"


async def found(rig: Rig, query: str) -> list[str]:
    """Ids of all pages."""
    ids: list[str] = []
    marker = ""
    while True:
        code, page = await rig("GET", f"{PORTS}?{query}{marker}")
        assert code == 200, page
        ids += [port["id"] for port in page["ports"]]
        if "next" not in page:
            return ids
        marker = f"&marker={page['next']}"


async def test_ports_are_found_by_what_they_have_in_common(rig: Rig, bus: MemoryBus) -> None:
    shim = ScriptedShim(bus, "one")
    await shim.register()
    ports: list[dict[str, Any]] = [
        await rig.port(name=f"p{n}", mac_address=f"fa:16:3e:00:01:0{n}") for n in range(5)
    ]
    one, two = ports[:2]
    device = str(uuid.uuid4())
    await asyncio.gather(rig.bind(one, "A", device), shim.answer(one["id"], "A"))
    everyone = sorted(port["id"] for port in ports)
    assert await found(rig, "limit=2") == await found(rig, "") == everyone
    assert await found(rig, f"device_id={device}") == await found(rig, "host=A") == [one["id"]]
    assert await found(rig, "name=p0&name=p1&status=DOWN") == sorted([one["id"], two["id"]])
    assert await found(rig, f"id={two['id']}&mac=fa:16:3e:00:01:01") == [two["id"]]
    assert await found(rig, f"api=net-l3vpn&project={rig.project}&limit=1") == everyone
    assert await found(rig, f"project={rig.project.replace('-', '')}") == everyone
    assert await found(rig, "device_id=") == sorted(port["id"] for port in ports[1:])
    assert await found(rig, "host=B") == await found(rig, "status=ACTIVE") == []


async def test_a_port_is_found_however_its_values_are_written(rig: Rig) -> None:
    """As switches and hypervisors print an address; one of version 1.0 is kept as it was given."""
    small = await rig.port(name="small", mac_address="fa:16:3e:00:03:0a")
    large = await rig.port(name="large", mac_address="FA:16:3E:00:03:0B")
    for text in ("fa:16:3e:00:03:0a", "FA:16:3E:00:03:0A", "fa-16-3e-00-03-0a"):
        assert await found(rig, f"mac={text}") == [small["id"]]
    for text in ("FA:16:3E:00:03:0B", "fa:16:3e:00:03:0b"):
        assert await found(rig, f"mac={text}") == [large["id"]]
    assert await found(rig, "status=down") == sorted([small["id"], large["id"]])


async def test_a_status_that_no_port_has_is_refused(rig: Rig) -> None:
    """Rather than answered by a list of none, which would mean that no port is so."""
    code, refused = await rig("GET", f"{PORTS}?status=UP")
    assert (code, refused["code"]) == (400, "argument")
    assert "ACTIVE, BUILD, DOWN, ERROR" in refused["hint"]


async def test_an_id_is_one_ports_over_all_protons(rig: Rig) -> None:
    port = await rig.port()
    body = {"id": port["id"], "project_id": rig.project, "mac_address": "fa:16:3e:00:02:01"}
    status, refused = await rig("POST", "/proton/net-l2/v2.0/ports", body)
    assert (status, refused["code"]) == (409, "taken")
    assert (await rig("DELETE", f"/proton/net-l3vpn/v1.0/ports/{port['id']}"))[0] == 204
    status, made = await rig("POST", "/proton/net-l2/v2.0/ports", body)
    assert (status, made["id"]) == (201, port["id"])
    assert [row["api"] for row in (await rig("GET", PORTS))[1]["ports"]] == ["net-l2"]


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=1001", "limit=a", "limit=1&limit=2", "hosts=A", "id=%ff"]
)
async def test_what_cannot_be_asked_for_is_refused(rig: Rig, query: str) -> None:
    assert (await rig("GET", f"{PORTS}?{query}"))[0] == 400
