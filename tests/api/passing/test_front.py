"""What is Neutron's goes on to it untouched, what is Gluon's does not, and each failure says what it is."""

from __future__ import annotations

import json
import uuid
from types import SimpleNamespace
from typing import Any

import pytest

from gluon import errors
from gluon.api import evened, guard
from tests.api.neutron.cloud import PROJECT, Cloud
from tests.api.passing.small import Small, said

pytestmark = pytest.mark.asyncio(loop_scope="module")
PLAIN = "11111111-2222-4333-8444-555555555555"


async def asked(cloud: Cloud, method: str, target: str, body: Any = None, **headers: str) -> Any:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return await cloud.world.ask("nova", method, target, body, given)


async def port_of(cloud: Cloud) -> tuple[str, str]:
    """A network of Gluon's, and a port in it."""
    network = (await cloud.l2_network("192.0.2.0/24"))["id"]
    body = {"port": {"network_id": network, "tenant_id": PROJECT}}
    return network, (await cloud("nova", "POST", "ports", body, 201))["port"]["id"]


async def test_targets_go_on_as_they_came(cloud: Cloud, behind: Small) -> None:
    for path in (
        "/v2.0/routers",
        "/v2.0/ports/x%2Fy?fields=%2f&=&&a",
        "/v2.0//odd/",
        "/v2.0",
        "/v2.0/a.json",
    ):
        await asked(cloud, "GET", path)
        assert behind.heard[-1].target == path
        await asked(cloud, "GET", "/networking" + path)
        assert behind.heard[-1].target == path
    for method in ("PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "PURGE"):
        await asked(cloud, method, "/v2.0/networks")
        assert behind.heard[-1].method == method
    await asked(cloud, "GET", "/networking")
    assert behind.heard[-1].target == "/"


async def test_headers_of_the_request(cloud: Cloud, behind: Small) -> None:
    more = {"x_auth_token": "t", "if_match": "revision_number=1", "x_openstack_request_id": "req-1"}
    own = {
        "connection": "close, x-mine",
        "x_mine": "1",
        "keep_alive": "1",
        "te": "x",
        "expect": "100-continue",
    }
    await asked(cloud, "GET", "/v2.0/routers", host="site:1", x_forwarded_for="192.0.2.1", **more, **own)
    heard = dict(behind.heard[-1].headers)
    assert heard == {
        "x-persona": "nova",
        "host": "site:1",
        "x-auth-token": "t",
        "if-match": "revision_number=1",
        "x-openstack-request-id": "req-1",
        "via": "1.1 gluon",
        "x-forwarded-for": "192.0.2.1, 127.0.0.1",
        "x-forwarded-proto": "http",
        "content-length": "0",
    }


async def test_answers_come_as_they_are(cloud: Cloud, behind: Small) -> None:
    text = b"\x01 odd"
    behind.odd = lambda _: (
        b"HTTP/1.1 418 Odd\r\nContent-Type: x/y\r\nX-A: 1\r\nConnection: x-b\r\nX-B: 2\r\n"
        b"X-Openstack-Request-Id: req-theirs\r\nContent-Length: %d\r\n\r\n%s" % (len(text), text)
    )
    answer = await asked(cloud, "POST", "/v2.0/security-groups", {"a": 1})
    assert (answer.status, answer.body) == (418, "\x01 odd")
    assert answer.headers == {
        "content-type": "x/y",
        "x-a": "1",
        "x-openstack-request-id": "req-theirs",
        "content-length": "5",
    }
    assert behind.heard[-1].body == b'{"a": 1}'


async def test_whose_a_port_is_is_looked_up(cloud: Cloud, behind: Small) -> None:
    network, port = await port_of(cloud)
    own = behind.add("ports", name="theirs")["id"]
    heard = len(behind.heard)
    assert (await cloud("nova", "GET", f"ports/{port}"))["port"]["id"] == port
    assert (await cloud("nova", "GET", f"ports/{port}.json"))["port"]["id"] == port
    assert (await cloud("nova", "GET", f"networks/{network}"))["network"]["id"] == network
    assert len(behind.heard) == heard
    assert (await cloud("nova", "GET", f"ports/{own}"))["port"]["name"] == "theirs"
    await cloud("nova", "PUT", f"ports/{port}", {"port": {"name": "new"}})
    await cloud("nova", "DELETE", f"ports/{port}")
    assert len(behind.heard) == heard + 1
    answer = await cloud.ask("nova", "GET", f"ports/{port}")
    assert answer.body["NeutronError"]["message"] == f"small has no {port}"
    assert (await cloud.refused("nova", "DELETE", f"networks/{network}"))[0] == 501


async def test_a_port_that_neutron_has_is_looked_up_once(
    cloud: Cloud, behind: Small, monkeypatch: pytest.MonkeyPatch
) -> None:
    app: Any = cloud.world._app
    looked, get = [], app._whose._store.get

    async def counted(table: str, *key: Any) -> Any:
        looked.append(key)
        return await get(table, *key)

    monkeypatch.setattr(app._whose, "_store", SimpleNamespace(get=counted))
    own = behind.add("ports")
    for _ in range(3):
        await cloud("nova", "GET", f"ports/{own['id']}")
    assert len(looked) == 1
    behind.rows["ports"].clear()
    for _ in range(3):
        assert (await cloud.ask("nova", "GET", f"ports/{own['id']}")).status == 404
    assert len(looked) == 3


async def test_a_port_with_the_id_of_one_of_neutrons_hides_nothing(cloud: Cloud, behind: Small) -> None:
    """Clients of protons choose ids: who does not see that port is told of Neutron's."""
    network, _ = await port_of(cloud)
    own = behind.add("ports", name="theirs")["id"]
    made = {"network_id": network, "tenant_id": PROJECT, "id": own, "name": "ours"}
    await cloud("nova", "POST", "ports", {"port": made}, 201)
    path = f"ports/{own}"
    assert (await cloud("user", "GET", path))["port"]["name"] == "ours"
    behind.odd = lambda request: said(200, {"port": {"name": request.method, "said": request.body.decode()}})
    for method, body in (("GET", None), ("PUT", {"port": {"name": "x"}}), ("DELETE", None)):
        answer = await cloud.ask("stranger", method, path, body)
        assert answer.body["port"]["name"] == method
        assert answer.body["port"]["said"] == (json.dumps(body) if body else "")


async def test_a_port_that_neither_shows(
    cloud: Cloud, behind: Small, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, port = await port_of(cloud)
    path = f"ports/{port}"
    assert await cloud.refused("stranger", "GET", path) == (404, "NotFound")
    assert [request.target for request in behind.heard[-1:]] == [f"/v2.0/ports/{port}"]
    app: Any = cloud.world._app
    await app._pipe.close()
    monkeypatch.setattr(app._pipe, "_at", ("127.0.0.1", 1))  # where nobody listens
    assert await cloud.refused("stranger", "GET", path) == (503, "ServiceUnavailable")


@pytest.mark.parametrize("end", ["", "/bindings", "/bindings/host1", "/tags", ".json"])
@pytest.mark.parametrize("who", ["stranger", "nobody"])
async def test_a_port_of_another_is_as_none(
    cloud: Cloud, behind: Small, monkeypatch: pytest.MonkeyPatch, who: str, end: str
) -> None:
    """Whatever is asked of it, and whoever asks: Neutron answers, as it does for a port that there is none of."""
    _, port = await port_of(cloud)
    app: Any = cloud.world._app
    admit = app._guard.admit

    def known(method: str, headers: dict[bytes, bytes]) -> Any:
        if headers[b"x-persona"] == b"nobody":
            raise errors.Unauthorized("nobody knows this token")
        return admit(method, headers)

    monkeypatch.setattr(app._guard, "admit", known)
    missing = str(uuid.uuid5(uuid.NAMESPACE_DNS, "missing"))
    sent: list[tuple[str, bytes, dict[str, str]]] = [
        ("GET", b"", {}),
        ("PUT", b'{"port": {"name": "x"}}', {}),
        ("PUT", b"{", {}),
        ("PUT", b"{}", {"content-type": "text/plain"}),
        ("PUT", b"{}", {"if-match": "junk"}),
        ("PUT", b'{"port": {"name": "%s"}}' % (b"x" * 2_000_000), {}),
        ("POST", b'{"binding": {"host": "x"}}', {}),
        ("DELETE", b"", {}),
    ]
    for method, raw, headers in sent:
        told = []
        for one in (port, missing):
            path = f"/networking/v2.0/ports/{one}{end}"
            given = {"content-length": str(len(raw)), **headers} if raw else headers
            answer = await cloud.world.ask(who, method, path, headers=given, raw=raw)
            told.append((answer.status, answer.headers, json.dumps(answer.body).replace(one, "KEY")))
        kept = [(status, set(given), body) for status, given, body in told]
        assert kept[0] == kept[1], (method, raw[:40], headers)


async def test_what_is_anothers_takes_as_long_as_what_is_nowhere(
    cloud: Cloud, behind: Small, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a port it takes some reading to see that it is another's: the answer is held until a tick, as where there is none."""
    network, port = await port_of(cloud)
    missing = str(uuid.uuid4())
    own = behind.add("ports")["id"]
    ticks: list[float] = []

    async def tick(began: float) -> None:
        ticks.append(began)

    monkeypatch.setattr(evened, "tick", tick)
    for who, path, held in (
        ("stranger", f"ports/{port}", 1),
        ("stranger", f"ports/{missing}", 1),
        ("stranger", f"ports?id={port}", 1),
        ("stranger", f"ports?id={missing}", 1),
        ("stranger", f"ports?network_id={network}", 1),
        ("user", f"ports/{port}", 0),
        ("nova", f"ports/{port}", 0),
        ("nova", f"ports?id={port}", 0),
        ("user", f"ports/{own}", 1),
        ("user", f"ports/{own}", 0),  # once it is known
    ):
        ticks.clear()
        await cloud.ask(who, "GET", path)
        assert len(ticks) == held, (who, path)


async def test_the_network_says_who_makes_a_port(cloud: Cloud, behind: Small) -> None:
    network, _ = await port_of(cloud)
    assert not [request for request in behind.heard if request.method == "POST"]
    theirs = {"network_id": PLAIN, "odd": [1.0]}
    assert (await cloud("nova", "POST", "ports", {"port": theirs}, 201))["port"] == theirs
    mixed = {"ports": [theirs, {"network_id": network}]}
    assert await cloud.refused("nova", "POST", "ports", mixed) == (400, "InvalidInput")
    assert (await cloud.refused("nova", "POST", "subnets", {"subnet": {"network_id": network}}))[0] == 501
    strange = {"subnet": {"network_id": str(uuid.uuid5(uuid.NAMESPACE_DNS, "brought in"))}}
    assert (await cloud("nova", "POST", "subnets", strange, 201)) == strange
    wrong: list[Any] = [[], {}, {"port": 1}, {"ports": 2}, {"ports": [3]}, {"port": {"network_id": 4}}]
    for body in wrong:
        behind.odd = lambda _: said(400, {"heard": 1})
        assert (await cloud.ask("nova", "POST", "ports", body)).body == {"heard": 1}


async def test_a_large_body_is_passed_on_in_parts(cloud: Cloud, behind: Small) -> None:
    behind.odd = lambda request: said(413, {"bytes": len(request.body)})
    answer = await cloud.ask("nova", "POST", "ports", {"port": {"name": "x" * 3_000_000}})
    assert (answer.status, answer.body["bytes"] > 3_000_000) == (413, True)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort",
        b"junk\r\n\r\n",
        b"HTTP/1.1 999 Odd\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 600 Odd\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n{}",
    ],
)
async def test_a_neutron_that_breaks_off(cloud: Cloud, behind: Small, answer: bytes) -> None:
    behind.odd, behind.closes = lambda _: answer, True
    for path in ("routers", "ports", f"ports/{PLAIN}"):
        assert await cloud.refused("nova", "GET", path) == (502, "BadGateway")


async def test_a_neutron_that_is_away(cloud: Cloud, behind: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    network, port = await port_of(cloud)
    app: Any = cloud.world._app
    await app._pipe.close()
    monkeypatch.setattr(app._pipe, "_at", ("127.0.0.1", 1))  # where nobody listens
    for path in ("routers", "ports", f"ports/{PLAIN}", "networks"):
        assert await cloud.refused("nova", "GET", path) == (503, "ServiceUnavailable")
    assert (await cloud("nova", "GET", f"ports/{port}"))["port"]["network_id"] == network


async def test_a_database_that_is_away(cloud: Cloud, behind: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    own = behind.add("ports")["id"]
    network = behind.add("networks", id=str(uuid.uuid4()))["id"]
    _, port = await port_of(cloud)

    async def away(*_: object) -> None:
        raise errors.Unavailable("the database is away")

    app: Any = cloud.world._app
    monkeypatch.setattr(app._whose, "_blind", 0.0)
    for name in ("get", "select", "values"):
        monkeypatch.setattr(app._whose._store.inner, name, away)
    assert (await cloud("nova", "GET", f"ports/{own}"))["port"]["id"] == own
    assert (await cloud("nova", "GET", f"networks/{network}"))["network"]["id"] == network
    await cloud("nova", "POST", "ports", {"port": {"network_id": network}}, 201)
    await cloud("nova", "GET", f"ports?network_id={network}")
    named = uuid.uuid5(uuid.NAMESPACE_DNS, "x")
    for path in (f"ports/{port}", "ports", "networks", f"networks/{named}"):
        assert await cloud.refused("nova", "GET", path) == (503, "ServiceUnavailable")


async def test_who_is_refused_here_is_asked_about_there_first(
    cloud: Cloud, behind: Small, monkeypatch: pytest.MonkeyPatch
) -> None:
    app: Any = cloud.world._app

    def unknown(method: str, headers: object) -> None:
        raise errors.Unauthorized("nobody knows this token")

    monkeypatch.setattr(app._guard, "admit", unknown)
    behind.odd = lambda _: said(401, {"theirs": True})
    answer = await cloud.ask("nova", "GET", "ports")
    assert (answer.status, answer.body) == (401, {"theirs": True})
    behind.odd = None
    assert await cloud.refused("nova", "GET", "ports") == (401, "NotAuthenticated")
    assert (await cloud.ask("nova", "GET", "routers")).status == 200  # Neutron asks itself


async def test_a_circle_is_noticed(cloud: Cloud, behind: Small) -> None:
    answer = await asked(cloud, "GET", "/v2.0/routers", via="1.0 fred, 1.1 gluon")
    assert (answer.status, behind.heard) == (502, [])
    assert (await asked(cloud, "GET", "/v2.0/routers", via="1.0 gluon-like")).status == 200
    assert ("via", "1.0 gluon-like, 1.1 gluon") in behind.heard[-1].headers


async def test_our_own_paths_stay_ours(cloud: Cloud, behind: Small) -> None:
    assert (await asked(cloud, "GET", "/gluon/v1/protons")).status == 200
    assert (await asked(cloud, "GET", "/v2.00/ports")).status == 404
    assert behind.heard == []


async def test_no_web_page_asks_neutron_through_it(
    cloud: Cloud, behind: Small, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cloud.world._app, "_guard", guard.NoAuth())
    page = {"host": "localhost", "origin": "http://elsewhere.example"}
    answer = await asked(cloud, "GET", "/v2.0/routers", **page)
    assert (answer.status, behind.heard) == (403, [])
