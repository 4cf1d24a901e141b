"""Headers, query strings and bodies that are no requests of anybody: answered as Neutron's refusals are, never with a 500."""

from __future__ import annotations

import random
import uuid

import pytest

from gluon.api import evened
from tests.api.neutron.cloud import CALLERS, PROJECT, Cloud

_TIMES = 300
_TEXTS = (
    "", " ", "0", "-1", "9" * 30, "\x7f", "\xff\xfe", "a\tb", ",", ";", "=", '"', "'", "{}", "[]", "null", "%", "%zz", "*",
    "x" * 5000, "1.0", "2147483648", "application/json", "text/html;q=2", "*/*;q=x", "gzip, \xe9", "Basic x", "é", 'W/"1"',
)  # fmt: skip
_HEADERS = (
    "accept", "accept-language", "accept-encoding", "content-type", "content-encoding", "if-match", "if-none-match",
    "if-modified-since", "range", "expect", "x-http-method-override", "x-forwarded-for", "x-forwarded-proto", "forwarded",
    "x-openstack-request-id", "x-service-token", "x-roles", "x-project-id", "idempotency-key", "openstack-api-version",
    "x-openstack-nova-api-version", "traceparent", "origin", "cookie", "transfer-encoding", "connection",
)  # fmt: skip
_PIECES = (
    "&", "=", "+", "%00", "%ff", "%", "%2", "%C3%28", ";", "#", "[]", "fields", "limit", "marker", "sort_key", "sort_dir",
    "id", "name", "fixed_ips", "ip_address%3D", "page_reverse", "tenant_id", "status", "device_id", "binding:host_id",
    "\xff", "\x00", "x" * 200, "-1", "true",
)  # fmt: skip
_BODIES = (
    b"", b" ", b"{", b"}", b"[]", b"null", b"5", b'"x"', b"\xff\xfe", b"\xef\xbb\xbf{}", b'{"port": {}', b'{"port": NaN}',
    b'{"port": {"name": "\\ud800"}}', b'{"port": {"name": "a", "name": "b"}}', b'{"port": 1, "port": {}}', b"[" * 500,
    b'{"a":' * 500, b'{"port": {"name": "\\u0000"}}', b'{"port": {"id": 1e999}}', b'{"ports": [{}, null]}', b"\0" * 10,
    b'{"port": {"name": 1' + b"0" * 5000 + b"}}", b'{"binding": {"host": "a"}}', b'{"port": {"network_id": "NET"}}',
)  # fmt: skip


class Sender:
    """`keys`: of what there is."""

    def __init__(self, seed: int, keys: list[str]) -> None:
        self._dice = random.Random(seed)
        self._keys = [*keys, str(uuid.uuid4()), "x", "%00", "%ff", "..", "%2e%2e", "x" * 300]

    def target(self) -> str:
        dice = self._dice
        path = dice.choice(
            ["ports", "ports", "networks", "subnets", "security-groups", "quotas", "extensions"]
        )
        for _ in range(dice.choice([0, 0, 1, 1, 2])):
            path += "/" + dice.choice(self._keys)
        if dice.random() < 0.2:
            path += dice.choice(["/bindings", "/bindings/host1/activate", "/", "//", ".json", "/tags", "/?"])
        query = "".join(dice.choice(_PIECES) for _ in range(dice.choice([0, 1, 3, 9])))
        return f"{path}?{query}" if query else path

    def headers(self) -> dict[str, str]:
        dice = self._dice
        return {dice.choice(_HEADERS): dice.choice(_TEXTS) for _ in range(dice.choice([0, 1, 2, 4]))}

    def method(self) -> str:
        return self._dice.choice(
            ["GET", "GET", "POST", "POST", "PUT", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "TRACE", "X"]
        )

    def who(self) -> str:
        return self._dice.choice(list(CALLERS))

    def body(self, network: str) -> bytes:
        return self._dice.choice(_BODIES).replace(b"NET", network.encode())


async def test_no_bytes_are_too_much(cloud: Cloud) -> None:
    network = await cloud.l2_network("192.0.2.0/24")
    wanted = {"port": {"network_id": network["id"], "tenant_id": PROJECT}}
    ports = [(await cloud("user", "POST", "ports", wanted))["port"]["id"] for _ in range(3)]
    sender = Sender(11, [*ports, network["id"], *network["subnets"], "host1"])
    for _ in range(_TIMES):
        method, who, headers = sender.method(), sender.who(), sender.headers()
        target = f"/networking/v2.0/{sender.target()}"
        raw = sender.body(network["id"]) if method in ("POST", "PUT", "PATCH") else b""
        if raw and "content-type" not in headers:
            headers["content-type"] = "application/json"
        answer = await cloud.world.ask(who, method, target, headers=headers, raw=raw)
        asked = (who, method, target, headers, raw)
        assert answer.status < 500 or answer.status == 501, (asked, answer)
        if answer.status >= 400 and answer.body:
            assert set(answer.body) == {"NeutronError"}, (asked, answer)
            assert set(answer.body["NeutronError"]) == {"type", "message", "detail"}, (asked, answer)


async def test_what_is_anothers_takes_as_long_as_what_is_not_there(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lists that a filter narrows are answered at a tick, but to those who see everything; what is missing is so in any case."""
    network = await cloud.l2_network("192.0.2.0/24")
    wanted = {"port": {"network_id": network["id"], "tenant_id": PROJECT}}
    port = (await cloud("user", "POST", "ports", wanted))["port"]["id"]
    ticks: list[float] = []

    async def tick(began: float) -> None:
        ticks.append(began)

    monkeypatch.setattr(evened, "tick", tick)
    for who, path, found in (
        ("stranger", f"ports?id={port}", 1),
        ("stranger", f"ports?id={uuid.uuid4()}", 1),
        ("stranger", f"ports?network_id={network['id']}", 1),
        ("stranger", f"subnets?id={network['subnets'][0]}", 1),
        ("stranger", f"ports/{port}", 1),
        ("stranger", f"ports/{uuid.uuid4()}", 1),
        ("user", f"ports?id={port}", 1),
        ("user", "ports", 0),
        ("user", f"ports/{port}", 0),
        ("nova", f"ports?id={port}", 0),
        ("ironic", f"ports?id={port}", 0),
        ("nova", f"ports/{uuid.uuid4()}", 0),
    ):
        for method in ("GET", "HEAD"):
            ticks.clear()
            await cloud.ask(who, method, path)
            assert len(ticks) == found, (who, method, path)
