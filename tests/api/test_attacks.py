"""What somebody sends who means no good: each is refused, changes nothing and leaves the server as it was."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from gluon.testing.product import GluonServer
from tests.api.conftest import V1, Api
from tests.api.personas import world

HOST = b"Host: localhost\r\n"
JSON = b"Content-Type: application/json\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
VPNS = f"POST {V1}/vpns HTTP/1.1\r\n".encode()
WAYS = {"quick": b"", "by ASGI": b"Expect: 100-continue\r\n"}


def spoken(server: GluonServer, data: bytes, *, more: bool = False) -> bytes:
    """All that the server answers until it ends the connection; `more`: to a client that could go on."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as line:
        with suppress(OSError):  # refused, and closed, before the end of it
            line.sendall(data)
            if not more:
                line.shutdown(socket.SHUT_WR)
        answer = b""
        try:
            while part := line.recv(65536):
                answer += part
        except ConnectionError:
            return answer
        return answer


def statuses(answer: bytes) -> list[int]:
    return [
        int(part.split(b" ", 1)[0]) for part in answer.split(b"HTTP/1.1 ")[1:] if not part.startswith(b"100")
    ]


@pytest.fixture
def unchanged(api: Api, server: GluonServer) -> Iterator[None]:
    """No VPN comes from what is sent."""
    before = server.request("GET", f"{V1}/vpns")[1]
    yield
    assert server.request("GET", f"{V1}/vpns")[1] == before


def vpn(more: str = "") -> bytes:
    return b'{"tenant_id": "attacker", "name": "x"%s}' % more.encode()


# -- one request that two readers understand differently --------------------------------------------

SMUGGLED = b"DELETE / HTTP/1.1\r\n" + HOST + b"\r\n"


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("head", "body"),
    [
        (b"Content-Length: 37\r\nContent-Length: 37\r\n", b""),
        (b"Content-Length: 3\r\nContent-Length: 37\r\n", b""),
        (b"Content-Length: 37, 37\r\n", b""),
        (b"Content-Length: +37\r\n", b""),
        (b"Content-Length: 0x25\r\n", b""),
        (b"Content-Length: -1\r\n", b""),
        (b"Content-Length : 37\r\n", b""),
        (b"Content-Length: 4\r\n" + CHUNKED, b"0\r\n\r\n"),
        (CHUNKED + b"Content-Length: 4\r\n", b"0\r\n\r\n"),
        (CHUNKED + CHUNKED, b"0\r\n\r\n"),
        (b"Transfer-Encoding: gzip, chunked\r\n", b"0\r\n\r\n"),
        (b"Transfer-Encoding: xchunked\r\n", b"0\r\n\r\n"),
        (b"Transfer-Encoding: chunked, identity\r\n", b"0\r\n\r\n"),
        (b"Transfer-Encoding : chunked\r\n", b"0\r\n\r\n"),
        (b"Transfer-Encoding:\x0bchunked\r\n", b"0\r\n\r\n"),
        (CHUNKED, b"zz\r\n\r\n"),
        (CHUNKED, b"2\nab\r\n0\r\n\r\n"),
        (CHUNKED, b"2\r\nabXX0\r\n\r\n"),
        (CHUNKED, b"-2\r\nab\r\n0\r\n\r\n"),
        (CHUNKED, b"2;a=\nb\r\nab\r\n0\r\n\r\n"),
        (CHUNKED, b"ffffffffffffffff1\r\nab\r\n0\r\n\r\n"),
        (b"X-A: b\r\n c\r\n", b""),
        (b"X-A: b\nX-B: c\r\n", b""),
        (b"X-A: b\rX-B: c\r\n", b""),
        (b"X-A: b\0c\r\n", b""),
        (b": b\r\n", b""),
    ],
)
@pytest.mark.usefixtures("unchanged")
def test_what_could_be_read_in_two_ways_is_refused(
    server: GluonServer, way: str, head: bytes, body: bytes
) -> None:
    body = body or vpn()
    answer = spoken(server, VPNS + HOST + JSON + WAYS[way] + head + b"\r\n" + body + SMUGGLED)
    assert statuses(answer) == [400], answer
    assert b"connection: close" in answer.lower()


@pytest.mark.usefixtures("unchanged")
def test_lines_end_as_they_should_and_an_old_client_sends_no_chunks(server: GluonServer) -> None:
    for data in (
        (VPNS + HOST + JSON + b"\r\n").replace(b"\r\n", b"\n"),
        VPNS.replace(b"1.1", b"1.0") + HOST + JSON + CHUNKED + b"\r\n0\r\n\r\n",
        VPNS.replace(b"1.1", b"2.0") + HOST + JSON + b"Content-Length: 37\r\n\r\n" + vpn(),
    ):
        assert statuses(spoken(server, data)) == [400], data


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "twice",
    [b"Host: evil.example\r\n", JSON, b"X-Auth-Token: a\r\nX-Auth-Token: b\r\n", b"Authorization: a\r\nAuthorization: b\r\n",
     b"Idempotency-Key: a\r\nIdempotency-Key: b\r\n", b"Origin: http://localhost\r\nOrigin: http://localhost\r\n"],
)  # fmt: skip
@pytest.mark.usefixtures("unchanged")
def test_a_header_of_which_one_counts_stands_once(server: GluonServer, way: str, twice: bytes) -> None:
    body = vpn()
    length = b"Content-Length: %d\r\n" % len(body)
    answer = spoken(server, VPNS + HOST + JSON + WAYS[way] + twice + length + b"\r\n" + body)
    assert statuses(answer) == [400] and b'"head"' in answer, answer


def test_what_follows_a_body_in_chunks_is_no_header(server: GluonServer) -> None:
    head = b"GET / HTTP/1.1\r\nHost: evil.example\r\n" + CHUNKED
    answer = spoken(server, head + b"\r\n0\r\nHost: localhost\r\n\r\n")
    assert statuses(answer) == [403], answer


@pytest.mark.parametrize("path", [f"{V1}/vpns", "/gluon/v1/resync"])
@pytest.mark.usefixtures("unchanged")
def test_an_offer_of_another_protocol_in_pieces_makes_no_request_of_a_body(
    server: GluonServer, path: str
) -> None:
    """The parser takes what follows such a head for that protocol, and the next piece for the next request."""
    head = f"POST {path} HTTP/1.1\r\n".encode() + HOST + JSON + b"Connection: upgrade\r\nUpgr"
    length = b"Content-Length: %d\r\n\r\n" % len(SMUGGLED)
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as line:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        answer = b""
        for piece in (head, b"ade: foo\r\n" + length, SMUGGLED):
            time.sleep(0.1)  # so that each is a piece of its own
            with suppress(ConnectionError):  # refused before the last one
                line.sendall(piece)
        try:
            while part := line.recv(65536):
                answer += part
        except ConnectionError:
            answer += b""
    assert statuses(answer) == [400], answer
    assert b"connection: close" in answer.lower()


def test_a_refused_head_waits_its_turn(api: Api, server: GluonServer) -> None:
    """What came before it is answered first, what comes after not at all."""
    good = f"GET {V1}/vpns HTTP/1.1\r\n".encode() + HOST + b"\r\n"
    bad = f"GET {V1}/vpns HTTP/1.1\r\n".encode() + HOST + HOST + b"\r\n"
    assert statuses(spoken(server, good + good + bad + good, more=True)) == [200, 200, 400]


# -- heads ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("head", "status", "code"),
    [
        (b"".join(b"X-%d: a\r\n" % n for n in range(150)), 431, b"head_too_large"),
        (b"X: " + b"a" * 40_000 + b"\r\n", 431, b"head_too_large"),
        (b"X-Auth-Token: \xff\xfe\r\n", 400, b"head"),
        (b"If-Match: \xc3\r\n", 400, b"head"),
    ],
)
@pytest.mark.parametrize("way", WAYS)
def test_heads_have_limits(server: GluonServer, way: str, head: bytes, status: int, code: bytes) -> None:
    data = f"GET {V1}/ports HTTP/1.1\r\n".encode() + HOST + WAYS[way] + head + b"\r\n"
    answer = spoken(server, data)
    assert statuses(answer) == [status] and b'"code":"%s"' % code in answer, answer


def test_heads_in_pieces_have_limits_too(server: GluonServer) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as line:
        line.sendall(f"GET {V1}/ports HTTP/1.1\r\n".encode() + HOST)
        with suppress(ConnectionError):  # refused before the last one
            for n in range(150):
                line.sendall(b"X-%d: a\r\n" % n)
            line.sendall(b"\r\n")
        assert statuses(line.recv(65536)) == [431]


def test_targets_have_a_limit(server: GluonServer) -> None:
    for path in (V1 + "/ports?name=" + "a" * 50_000, V1 + "/" + "a" * 50_000, "/" + "a" * 50_000):
        status, fault = server.request("GET", path)
        assert (status, fault["code"]) == (414, "target_too_long")


@pytest.mark.parametrize(
    "path", ["/ports/%ff", "/ports/%C3", "/ports?name=%ff", "/ports?%fe=a", "/%ff", "/ports/%ed%a0%80"]
)
@pytest.mark.parametrize("way", WAYS)
def test_targets_are_utf8(server: GluonServer, way: str, path: str) -> None:
    answer = spoken(server, f"GET {V1}{path} HTTP/1.1\r\n".encode() + HOST + WAYS[way] + b"\r\n")
    assert statuses(answer) == [400], answer


# -- bodies -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "code", "pointer"),
    [
        (b'{"tenant_id": "a", "name": "x", "name": "y"}', "twice", "/name"),
        (b'{"tenant_id": "a", "name": "x", "n\\u0061me": "y"}', "twice", "/name"),
        (b'{"tenant_id" : "a", "name": "x","name":"y"}', "twice", "/name"),
        (b'{"tenant_id": "a", "name": {"b": [{"c/d": 1, "c/d": 2}]}}', "twice", "/name/b/0/c~1d"),
        (b'{"tenant_id": "a", "name": ' + b"[" * 70 + b"]" * 70 + b"}", "depth", "/name" + "/0" * 63),
        (b'{"tenant_id": "a", "name": ' + b'{"a":' * 200 + b"1" + b"}" * 201, "depth", "/name" + "/a" * 63),
        (b'{"tenant_id": "a", "name": ' + b"[" * 5000 + b"]" * 5000 + b"}", "body", ""),
        (b'{"tenant_id": "a", "name": [' + b"1," * 11_000 + b"1]}", "items", "/name"),
        (b'{"tenant_id": "a", "name": "\xff"}', "body", ""),
        (b'{"tenant_id": "a", "name": "\\ud800"}', "body", ""),
        (b'\xef\xbb\xbf{"tenant_id": "a"}', "body", ""),
        (b'{"tenant_id": "a", "name": NaN}', "body", ""),
    ],
)
@pytest.mark.usefixtures("unchanged")
def test_bodies_are_read_in_one_way_only(server: GluonServer, body: bytes, code: str, pointer: str) -> None:
    data = VPNS + HOST + JSON + b"Content-Length: %d\r\n\r\n" % len(body) + body
    answer = spoken(server, data)
    assert statuses(answer) == [400], answer
    problem = json.loads(answer.partition(b"\r\n\r\n")[2])["errors"][0]
    assert (problem["code"], problem["pointer"]) == (code, pointer)


def test_colons_and_white_space_in_a_body_are_no_reason(api: Api) -> None:
    name = 'a": {"name": [:,:] "name":'
    made = api.make("vpns", {"tenant_id": api.project, "name": name})
    assert made["name"] == name
    status, answer = api.server.request("PUT", f"{V1}/vpns/{made['id']}", {"name": " : "})
    assert (status, answer["name"]) == (200, " : ")


# -- web pages --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "head",
    [b"Host: evil.example\r\n", b"Host: evil.example:2705\r\n", b"Host: 127.0.0.1.evil.example\r\n",
     b"Host: localhost.evil.example\r\n", b"Host: [::ffff:192.0.2.1]\r\n", b"Host: 0.0.0.0\r\n", b"Host: \r\n", b"",
     HOST + b"Origin: http://evil.example\r\n", HOST + b"Origin: null\r\n"],
)  # fmt: skip
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.usefixtures("unchanged")
def test_a_page_whose_name_leads_here_is_not_served(server: GluonServer, way: str, head: bytes) -> None:
    body = vpn()
    length = b"Content-Length: %d\r\n" % len(body)
    for first in (VPNS, f"GET {V1}/vpns HTTP/1.1\r\n".encode()):
        answer = spoken(server, first + head + JSON + WAYS[way] + length + b"\r\n" + body)
        assert statuses(answer) == [403], answer


@pytest.mark.usefixtures("unchanged")
def test_a_form_of_a_page_is_not_taken(server: GluonServer) -> None:
    for kind in (b"text/plain", b"application/x-www-form-urlencoded", b"multipart/form-data"):
        body = vpn()
        head = HOST + b"Content-Type: %s\r\nContent-Length: %d\r\n\r\n" % (kind, len(body))
        assert statuses(spoken(server, VPNS + head + body)) == [415]


async def test_no_object_has_a_key_that_leads_elsewhere(tmp_path: Path) -> None:
    async with world(tmp_path, [Path("tests/api/models/odd")]) as odd:
        nodes = "/proton/odd/v1.0/nodes"
        for key in (".", ".."):
            refused = await odd.ask("admin", "POST", nodes, {"key": key})
            assert refused.status == 400 and f"'{key}'" in str(refused.body)
        assert (await odd.ask("admin", "POST", nodes, {"key": "..."})).status == 201
        assert [n["key"] for n in (await odd.ask("admin", "GET", nodes)).body["nodes"]] == ["..."]
