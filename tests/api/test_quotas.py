"""Quotas of single projects: who sets and sees them, and what they do to what is made."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

import gluon
from gluon.api.rates import Rate, Rates, Refused
from gluon.cmd import rating, settings
from gluon.store import sql
from gluon.testing.product import GluonServer
from tests.api.personas import OTHER, OWN, PERSONAS, World
from tests.api.personas import world as serving
from tests.api.test_commands import run

CATALOG = Path(gluon.__file__).parent / "catalog"
QUOTAS = f"/gluon/v1/quotas/{OWN}"
NETWORKS = "/proton/net-l2/v2.0/networks"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with serving(tmp_path, [CATALOG / "net-l2", CATALOG / "net-l3vpn"]) as made:
        yield made


async def make(world: World, who: str = "member", count: int = 1) -> list[int]:
    body = {"name": "n", "project_id": OWN}
    return [(await world.ask(who, "POST", NETWORKS, body)).status for _ in range(count)]


async def test_a_limit_counts_from_the_next_object_on(world: World) -> None:
    assert await make(world, count=3) == [201, 201, 201]
    facts = (await world.ask("member", "GET", QUOTAS)).body
    assert facts["quotas"]["net-l2"]["Network"] == {"limit": 100, "used": 3, "default": 100}
    changed = await world.ask("admin", "PUT", QUOTAS, {"quotas": {"net-l2": {"Network": 4, "Port": -1}}})
    assert changed.status == 200
    assert changed.body["quotas"]["net-l2"]["Network"] == {"limit": 4, "used": 3, "default": 100}
    assert changed.body["quotas"]["net-l2"]["Port"]["limit"] == -1
    assert await make(world, count=2) == [201, 409]
    refused = await world.ask("member", "POST", NETWORKS, {"name": "n"})
    assert (refused.status, refused.body["code"]) == (409, "quota")
    assert "4 of at most 4" in refused.body["detail"]


async def test_a_project_as_keystone_writes_it(world: World) -> None:
    """32 digits: the same project, for operators and for its own members."""
    digits = QUOTAS.replace(OWN, OWN.replace("-", ""))
    changed = await world.ask("admin", "PUT", digits, {"quotas": {"net-l2": {"Network": 1}}})
    assert (changed.status, changed.body["project"]) == (200, OWN)
    assert await make(world, count=2) == [201, 409]
    shown = await world.ask("member", "GET", digits)
    assert shown.body["quotas"]["net-l2"]["Network"] == {"limit": 1, "used": 1, "default": 100}
    assert (await world.ask("stranger", "GET", digits)).status == 403
    assert (await world.ask("admin", "DELETE", digits)).status == 204
    assert await make(world) == [201]


def test_rates_of_a_project_as_keystone_writes_it() -> None:
    limits = settings.load(None, {"limits": {"rate": 1000.0, "projects": {OWN.replace("-", ""): 0.001}}})
    rates = rating.of(limits)
    assert rates is not None
    caller = PERSONAS["member"]
    rates.admit(caller)
    with pytest.raises(Refused):
        rates.admit(caller)


async def test_lower_than_what_there_is_lets_nothing_new_and_leaves_the_rest(world: World) -> None:
    await make(world, count=3)
    for most in (1, 0):
        set_to = {"quotas": {"net-l2": {"Network": most}}}
        assert (await world.ask("admin", "PUT", QUOTAS, set_to)).status == 200
        assert await make(world) == [409]
    listed = (await world.ask("member", "GET", NETWORKS)).body["networks"]
    assert len(listed) == 3
    one = f"{NETWORKS}/{listed[0]['id']}"
    assert (await world.ask("member", "PUT", one, {"name": "m"})).status == 200
    assert (await world.ask("member", "DELETE", one)).status == 204
    assert await make(world) == [409]
    assert (await world.ask("admin", "PUT", QUOTAS, {"quotas": {"net-l2": {"Network": None}}})).status == 200
    assert await make(world) == [201]


async def test_what_was_set_can_be_forgotten(world: World) -> None:
    limits = {"quotas": {"net-l2": {"Network": 0, "Port": 0}, "net-l3vpn": {}}}
    assert (await world.ask("admin", "PUT", QUOTAS, limits)).status == 200
    assert await make(world) == [409]
    assert (await world.ask("admin", "DELETE", QUOTAS)).status == 204
    assert (await world.ask("admin", "DELETE", QUOTAS)).status == 204
    assert await make(world) == [201]


async def test_it_is_one_project_s_alone(world: World) -> None:
    other = f"/gluon/v1/quotas/{OTHER}"
    assert (await world.ask("admin", "PUT", other, {"quotas": {"net-l2": {"Network": 0}}})).status == 200
    assert await make(world) == [201]
    refused = await world.ask("stranger", "POST", NETWORKS, {"name": "n"})
    assert refused.status == 409


async def test_a_bulk_of_which_one_is_too_many_is_refused_whole(world: World) -> None:
    await world.ask("admin", "PUT", QUOTAS, {"quotas": {"net-l2": {"Network": 2}}})
    three = {"networks": [{"name": f"n{n}"} for n in range(3)]}
    assert (await world.ask("member", "POST", NETWORKS, three)).status == 409
    assert (await world.ask("member", "POST", NETWORKS, {"networks": three["networks"][:2]})).status == 201


@pytest.mark.parametrize("who", ["member", "reader", "guest", "stranger", "homeless", "service"])
async def test_operators_set_and_members_see(world: World, who: str) -> None:
    for method, body in (("PUT", {"quotas": {"net-l2": {"Network": 5}}}), ("DELETE", None)):
        refused = await world.ask(who, method, QUOTAS, body)
        assert (refused.status, refused.body["code"]) == (403, "forbidden")
    own = who in {"member", "reader", "guest"}
    assert (await world.ask(who, "GET", QUOTAS)).status == (200 if own else 403)
    unknown = await world.ask(who, "GET", "/gluon/v1/quotas/never-seen")
    assert unknown.status == 403


async def test_each_mistake_is_told_with_what_there_is(world: World) -> None:
    body = {
        "quotas": {
            "net-l2": {"Netwrok": 1, "Port": -2, "Network": True, "Subnet/x": 1},
            "net-l9": {"Port": 1},
            "net-l3vpn": 5,
        }
    }
    refused = await world.ask("admin", "PUT", QUOTAS, body)
    found = {e["pointer"]: e["code"] for e in refused.body["errors"]}
    assert refused.status == 400 and found == {
        "/quotas/net-l2/Netwrok": "unknown",
        "/quotas/net-l2/Port": "range",
        "/quotas/net-l2/Network": "range",
        "/quotas/net-l2/Subnet~1x": "unknown",
        "/quotas/net-l9/Port": "unknown",
        "/quotas/net-l3vpn": "type",
    }
    assert "net-l2 Network, net-l2 Port" in refused.body["errors"][0]["hint"]
    mistakes: list[Any] = [[], {}, {"quotas": 1}, {"quotas": {}, "more": 1}]
    for wrong in mistakes:
        assert (await world.ask("admin", "PUT", QUOTAS, wrong)).status == 400
    for method, well in (("GET", 200), ("PUT", 200), ("DELETE", 204)):
        for project in ("a" * 65, "a b", "\u00a0", "\x7f"):
            assert (await world.ask("admin", method, f"/gluon/v1/quotas/{project}", body)).status == 400
        assert (await world.ask("admin", method, "/gluon/v1/quotas/Büro", {"quotas": {}})).status == well
    assert (await world.ask("admin", "POST", QUOTAS, body)).status == 405


@pytest.mark.parametrize("project", ["team/net", "/team/net", "team/"])
def test_a_project_with_a_slash(server: GluonServer, project: str) -> None:
    """As a group of an issuer of JWTs is called."""
    path = f"/gluon/v1/quotas/{quote(project, safe='')}"
    status, changed = server.request("PUT", path, {"quotas": {"net-l2": {"Network": 1}}})
    assert (status, changed["project"]) == (200, project)
    shown = server.request("GET", path)[1]["quotas"]["net-l2"]["Network"]
    assert shown == {"limit": 1, "used": 0, "default": 100}
    assert server.request("DELETE", path)[0] == 204
    assert server.request("GET", "/gluon/v1/quotas/")[0] == 404


def test_from_the_command_line(server: GluonServer) -> None:
    def quota(*words: str) -> tuple[int, str]:
        done = run("gluon", "quota", *words, "--port", str(server.port))
        return done.returncode, done.stdout + done.stderr

    status, told = quota("set", "cli-project", "net-l2.Network=7", "net-l2.Port=-1")
    assert status == 0 and "net-l2  Network  0     7      100" in told
    status, told = quota("show", "cli-project")
    assert status == 0 and "none" in told
    for odd in ("a/b", "a%2Fb", "Büro/"):
        assert quota("set", odd, "net-l2.Network=7") == (0, quota("show", odd)[1])
        assert "net-l2  Network  0     7      100" in quota("show", odd)[1]
        assert quota("unset", odd)[0] == 0
        assert "100    100" in quota("show", odd)[1]
    assert quota("set", "cli-project", "net-l2.Netwrok=7")[0] == 1
    assert quota("set", "cli-project", "Network")[0] == 2
    assert quota("unset", "cli-project")[0] == 0
    assert "100    100" in quota("show", "cli-project")[1]


@pytest.mark.parametrize("kind", ["postgres_url", "mariadb_url"])
def test_many_at_once_at_two_processes_get_no_more_than_the_limit(
    kind: str, request: pytest.FixtureRequest, etcd_url: str
) -> None:
    most = 25
    database = request.getfixturevalue(kind)
    words = ("server", "--workers", "2", "--database", database, "--etcd", etcd_url)
    with GluonServer(*words, "--model", str(CATALOG / "net-l2")) as server:
        status, told = server.request("PUT", QUOTAS, {"quotas": {"net-l2": {"Network": most}}})
        assert status == 200, told

        def make(number: int) -> tuple[int, Any]:
            several = [{"project_id": OWN}] * (1 + number % 3)
            return server.request("POST", NETWORKS, {"networks": several} if number % 3 else several[0])

        def gone(key: str) -> tuple[int, Any]:
            return server.request("DELETE", f"{NETWORKS}/{key}")

        def there() -> list[str]:
            return [one["id"] for one in server.request("GET", f"{NETWORKS}?limit=1000")[1]["networks"]]

        with ThreadPoolExecutor(16) as pool:
            statuses = {status for status, _ in pool.map(make, range(60))}
            keys = there()
            assert statuses == {201, 409} and most - 2 <= len(keys) <= most
            mixed = list(pool.map(lambda n: gone(keys[n // 2]) if n % 2 else make(n), range(40)))
            assert {status for status, _ in mixed} <= {201, 204, 409}
        used = server.request("GET", QUOTAS)[1]["quotas"]["net-l2"]["Network"]["used"]
        assert used == len(there()) <= most


# -- rates ------------------------------------------------------------------------------------------


def limited(world: World, rates: Rates) -> None:
    """As the settings would have it."""
    app: Any = world._app
    app.rates = app._resources.rates = rates


async def test_too_many_requests_are_told_when_to_come_again(world: World) -> None:
    rates = Rates(Rate(rate=0.1, burst=3), {OTHER: Rate(rate=0, burst=1)})
    limited(world, rates)
    answers = [await world.ask("member", "POST", NETWORKS, {"name": 1}) for _ in range(4)]
    assert [a.status for a in answers] == [400, 400, 400, 429]
    assert answers[3].body["code"] == "rate" and answers[3].headers["retry-after"] == "10"
    for path in (NETWORKS, "/gluon/v1/protons", "/no/such/path", QUOTAS):
        assert (await world.ask("reader", "GET", path)).status == 429
    for who in ("stranger", "admin", "service"):
        assert (await world.ask(who, "GET", "/gluon/v1/protons")).status == 200


async def test_who_is_a_little_too_early_waits_and_is_served(world: World) -> None:
    limited(world, Rates(Rate(rate=50, burst=1), {}))
    began = time.monotonic()
    answers = await asyncio.gather(*(world.ask("member", "GET", NETWORKS) for _ in range(40)))
    statuses = [a.status for a in answers]
    assert statuses.count(200) >= 6 and statuses.count(429) == 40 - statuses.count(200)
    assert time.monotonic() - began >= 0.1, "the last of them has waited"
    assert {a.headers["retry-after"] for a in answers if a.status == 429} == {"1"}


async def test_several_objects_of_one_request_cost_as_many(world: World) -> None:
    limited(world, Rates(Rate(rate=0.1, burst=10), {}))
    five = {"networks": [{"name": f"n{n}"} for n in range(5)]}
    assert (await world.ask("member", "POST", NETWORKS, five)).status == 201
    ten = {"networks": [{"name": f"m{n}"} for n in range(10)]}
    assert (await world.ask("member", "POST", NETWORKS, ten)).status == 201
    refused = await world.ask("member", "GET", NETWORKS)
    assert refused.status == 429 and 50 <= int(refused.headers["retry-after"]) <= 60


async def test_lists_are_counted_as_objects_are_made(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without looking at them: a list that no filter narrows knows how many there are of a type that has a quota."""

    async def never(_: sql.SqlStore, query: Any) -> int:
        raise AssertionError(query)

    async def counts(query: str = "") -> list[int]:
        asked = f"{NETWORKS}?count=true&limit=1{query}"
        return [(await world.ask(who, "GET", asked)).body["count"] for who in ("admin", "member", "stranger")]

    assert await counts() == [0, 0, 0]
    await make(world, count=3)
    await world.made("stranger", NETWORKS, {"name": "n"})
    mine = (await world.ask("member", "GET", NETWORKS)).body["networks"][0]["id"]
    expected = [4, 3, 1]
    assert await counts("&name=n") == expected
    with monkeypatch.context() as patch:
        patch.setattr(sql.SqlStore, "count", never)
        assert await counts() == expected
        assert (await world.ask("member", "DELETE", f"{NETWORKS}/{mine}")).status == 204
        assert await counts() == [3, 2, 1]
        theirs = (await world.ask("member", "GET", NETWORKS)).body["networks"][0]["id"]
        await world.ask("admin", "PUT", f"{NETWORKS}/{theirs}", {"project_id": OTHER})
        assert await counts() == [3, 1, 2]
    assert await counts("&name=n") == [3, 1, 2]
