"""Lists of both: each row once, in the order that is asked for, whoever follows links or writes markers."""

from __future__ import annotations

import random
import uuid
from typing import Any

import pytest

from tests.api.neutron.cloud import PROJECT, Cloud
from tests.api.passing.small import Small, rank

pytestmark = pytest.mark.asyncio(loop_scope="module")
NAMES = ["A", "a2", "b", "B", "C", "d", "Ä", "", "e e"]


async def filled(cloud: Cloud, behind: Small, ours: int, theirs: int) -> list[dict[str, Any]]:
    """Ports of both on one device."""
    device = str(uuid.uuid4())
    network = await cloud.l2_network("192.0.2.0/24")
    rows = []
    for n in range(ours):
        body = {"network_id": network["id"], "tenant_id": PROJECT, "name": NAMES[n * 2 % len(NAMES)]}
        made = await cloud("nova", "POST", "ports", {"port": {**body, "device_id": device}}, 201)
        rows.append(made["port"])
    names = [NAMES[(n * 2 + 1) % len(NAMES)] for n in range(theirs)]
    return [*rows, *(behind.add("ports", name=name, device_id=device) for name in names)]


async def linked(cloud: Cloud, path: str, *, back: bool = False) -> list[list[dict[str, Any]]]:
    """Pages by their links."""
    found = []
    while path:
        page = await cloud("nova", "GET", path)
        found.append(page["ports"])
        links = {one["rel"]: one["href"].partition("/v2.0/")[2] for one in page.get("ports_links", [])}
        path = links.get("previous" if back else "next", "")
    return found


async def marked(cloud: Cloud, path: str, *, back: bool = False) -> list[list[dict[str, Any]]]:
    """Pages by markers that the client writes."""
    found: list[list[dict[str, Any]]] = []
    while not found or found[-1]:
        end = found[-1][0 if back else -1]["id"] if found else ""
        more = (f"&marker={end}" if end else "") + ("&page_reverse=true" if back else "")
        found.append((await cloud("nova", "GET", path + more))["ports"])
    return found


def ids(pages: list[list[dict[str, Any]]]) -> list[str]:
    return [port["id"] for page in pages for port in page]


@pytest.mark.parametrize(("ours", "theirs"), [(5, 6), (2, 0)])
async def test_each_row_once(cloud: Cloud, behind: Small, ours: int, theirs: int) -> None:
    rows = await filled(cloud, behind, ours, theirs)
    device = f"ports?device_id={rows[0]['device_id']}"
    assert sorted(ids([(await cloud("nova", "GET", device))["ports"]])) == sorted(r["id"] for r in rows)
    for direction in ("", "asc", "desc"):
        path = device
        if direction:
            path += f"&sort_key=name&sort_dir={direction}"
            by_id = sorted(rows, key=lambda row: row["id"])
            by_id.sort(key=lambda row: rank_of(row["name"]), reverse=direction == "desc")
            key = [row["id"] for row in by_id]
        else:
            key = sorted(r["id"] for r in rows[ours:]) + sorted(r["id"] for r in rows[:ours])
        assert ids([(await cloud("nova", "GET", path))["ports"]]) == key
        for limit in (1, 3, 11):
            paged = f"{path}&limit={limit}"
            for found in (await linked(cloud, paged), await marked(cloud, paged)):
                assert ids(found) == key
                assert all(len(page) == limit for page in found[:-2])
            for found in (
                await linked(cloud, f"{paged}&page_reverse=true", back=True),
                await marked(cloud, paged, back=True),
            ):
                assert ids(found[::-1]) == key


def rank_of(name: str) -> Any:
    return rank(name.replace("Ä", "A"))


async def test_a_neutron_that_gives_shorter_pages(cloud: Cloud, behind: Small) -> None:
    rows = await filled(cloud, behind, 3, 7)
    behind.most = 2
    path = f"ports?device_id={rows[0]['device_id']}"
    sort = f"{path}&sort_key=name&sort_dir=desc"
    names = [rank_of(port["name"]) for port in (await cloud("nova", "GET", sort))["ports"]]
    assert (len(names), names) == (10, sorted(names, reverse=True))
    for query in (path, f"{path}&limit=5", f"{path}&limit=5&sort_key=name&sort_dir=asc"):
        assert sorted(ids(await linked(cloud, query))) == sorted(row["id"] for row in rows)


async def test_fields_filters_and_words_of_neutron(cloud: Cloud, behind: Small) -> None:
    rows = await filled(cloud, behind, 2, 2)
    path = f"ports?device_id={rows[0]['device_id']}"
    by_name = f"{path}&sort_key=name&sort_dir=asc&fields=status"
    for query in (f"{path}&fields=status", by_name, f"{by_name}&limit=3"):
        assert all(set(port) == {"status"} for port in (await cloud("nova", "GET", query))["ports"])
    behind.rows["ports"][0]["dns_name"] = "x"
    found = await cloud("nova", "GET", f"{path}&dns_name=x")  # nothing of ours has it
    assert ids([found["ports"]]) == [rows[2]["id"]]
    answer = await cloud.ask("nova", "GET", f"{path}&no_such=1")
    assert (answer.status, answer.body["NeutronError"]["message"]) == (400, "no_such")
    answer = await cloud.ask("nova", "GET", f"{path}&limit=2&marker={uuid.uuid4()}")
    assert (answer.status, answer.body["NeutronError"]["type"]) == (404, "NotFound")


async def test_a_list_without_ours_is_neutrons_as_it_is(cloud: Cloud, behind: Small) -> None:
    text = b'{"ports":  [ {"id" :"1", "odd": 1.50} ],"more": {}}'
    behind.odd = lambda _: (
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json; x=1\r\nX-Odd: a\r\nContent-Length: %d\r\n\r\n%s"
        % (len(text), text)
    )
    answer = await cloud.ask("nova", "GET", f"ports?device_id={uuid.uuid4()}")
    assert answer.headers["x-odd"] == "a"
    heard = behind.heard[-1].target
    await cloud.ask("nova", "GET", "ports?network_id=c254ca5d-770f-4662-9e38-adbe72f99b6b&%6eame=%41+%zz")
    assert (
        behind.heard[-1].target
        == "/v2.0/ports?network_id=c254ca5d-770f-4662-9e38-adbe72f99b6b&%6eame=%41+%zz"
    )
    assert "device_id" in heard


async def test_networks_and_subnets(cloud: Cloud, behind: Small) -> None:
    network = await cloud.l2_network("192.0.2.0/24")
    own = behind.add("networks", name="own")
    under = behind.add("subnets", network_id=own["id"])
    listed = [one["id"] for one in (await cloud("nova", "GET", "networks"))["networks"]]
    assert (listed[0], network["id"] in listed[1:]) == (own["id"], True)
    assert [
        n["id"] for n in (await cloud("nova", "GET", f"networks?name={network['name']}"))["networks"]
    ] == [network["id"]]
    found = (await cloud("nova", "GET", "subnets?limit=90&sort_key=id&sort_dir=asc"))["subnets"]
    assert [s["id"] for s in found] == sorted(s["id"] for s in found)
    assert {s["id"] for s in found} >= {under["id"], *network["subnets"]}
    found = (await cloud("nova", "GET", f"subnets?network_id={network['id']}"))["subnets"]
    assert [s["id"] for s in found] == network["subnets"]


async def test_what_a_link_names_may_be_deleted(cloud: Cloud, behind: Small) -> None:
    rows = await filled(cloud, behind, 4, 4)
    order = random.Random(1)
    path = f"ports?device_id={rows[0]['device_id']}&sort_key=name&sort_dir=asc&limit=3"
    page = await cloud("nova", "GET", path)
    (link,) = [one["href"].partition("/v2.0/")[2] for one in page["ports_links"] if one["rel"] == "next"]
    last = page["ports"][-1]["id"]
    gone = order.choice([row for row in behind.rows["ports"] if row["id"] != last])
    behind.rows["ports"].remove(gone)
    seen = {port["id"] for port in page["ports"]} | set(ids(await linked(cloud, link)))
    assert seen >= {row["id"] for row in rows} - {gone["id"]}
