"""The same over sockets: bodies in chunks and in parts, answers that break off, clients that go away."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
import pytest_asyncio
import uvicorn

from gluon.cmd.connection import Connection
from gluon.cmd.serve import _Server
from tests.api.neutron.cloud import PROJECT, Cloud
from tests.api.passing.small import Small, said

pytestmark = pytest.mark.asyncio(loop_scope="module")
LIMIT = 240
HEAD = "Host: site\r\nX-Persona: nova\r\n"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def port(cloud: Cloud) -> AsyncIterator[int]:
    listening = socket.create_server(("127.0.0.1", 0))
    app: Any = cloud.world._app
    given: dict[str, Any] = {"ws": "none", "lifespan": "off", "log_config": None, "proxy_headers": False}
    config = uvicorn.Config(app, http=Connection.limited(60), access_log=False, server_header=False, **given)
    server = _Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    yield listening.getsockname()[1]
    server.should_exit = True
    await serving
    listening.close()


@asynccontextmanager
async def line(port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    async with asyncio.timeout(LIMIT):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            yield reader, writer
        finally:
            writer.close()


async def answer(reader: asyncio.StreamReader, method: str = "GET") -> tuple[int, dict[str, str], bytes]:
    first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[:-2]
    headers = {name.lower(): value for name, _, value in (one.partition(": ") for one in lines)}
    length = 0 if method == "HEAD" else int(headers.get("content-length", "0"))
    return int(first.split()[1]), headers, await reader.readexactly(length)


async def test_bodies_of_each_form(port: int, cloud: Cloud, behind: Small) -> None:
    behind.odd = lambda request: said(200, {"got": request.body.decode()})
    async with line(port) as (reader, writer):
        for path in ("security-groups", "ports"):
            start = f"POST /networking/v2.0/{path} HTTP/1.1\r\n{HEAD}Content-Type: application/json\r\n"
            writer.write(
                f"{start}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n".encode()
            )
            assert (await answer(reader))[2] == b'{"got": "abcde"}'
            writer.write(f"{start}Content-Length: 3\r\nExpect: 100-continue\r\n\r\n".encode())
            assert (await answer(reader))[0] == 100
            writer.write(b"xyz")
            assert (await answer(reader))[2] == b'{"got": "xyz"}'
            assert "expect" not in dict(behind.heard[-1].headers)
        writer.write(f"HEAD /v2.0/ports HTTP/1.1\r\n{HEAD}\r\n".encode())
        status, headers, _ = await answer(reader, "HEAD")
        assert (status, headers["content-length"]) == (200, "11")
        writer.write(f"GET /v2.0/x?%FF=%c3%bc&a HTTP/1.1\r\n{HEAD}\r\n".encode())
        assert (await answer(reader))[0] == 400  # no UTF-8
        assert await reader.read() == b""


@pytest.mark.parametrize(
    ("method", "first", "length"),
    [("GET", "304 Not Modified", ""), ("GET", "204 No Content", ""), ("HEAD", "200 OK", "9")],
)
async def test_answers_without_a_body(
    port: int, cloud: Cloud, behind: Small, method: str, first: str, length: str
) -> None:
    """A length may be said all the same, of the body that another request would get. The connection goes on."""
    behind.odd = lambda _: f"HTTP/1.1 {first}\r\nETag: x\r\nContent-Length: 9\r\n\r\n".encode()
    async with line(port) as (reader, writer):
        for _ in range(2):
            writer.write(f"{method} /v2.0/routers HTTP/1.1\r\n{HEAD}\r\n".encode())
            status, headers, _ = await answer(reader, "HEAD")
            assert (status, headers["etag"], headers.get("content-length", "")) == (
                int(first[:3]),
                "x",
                length,
            )


async def test_answers_are_passed_on_before_they_end(port: int, cloud: Cloud, behind: Small) -> None:
    first = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"
    more: list[Callable[[bytes], None]] = []
    behind.odd, behind.writes = lambda _: first, more.append
    async with line(port) as (reader, writer):
        writer.write(f"GET /v2.0/routers HTTP/1.1\r\n{HEAD}\r\n".encode())
        await reader.readuntil(b"\r\n\r\n")
        assert await reader.readuntil(b"abc\r\n") == b"3\r\nabc\r\n"
        more[0](b"2\r\nde\r\n0\r\n\r\n")
        assert await reader.readuntil(b"0\r\n\r\n") == b"2\r\nde\r\n0\r\n\r\n"


@pytest.mark.parametrize("framing", ["Content-Length: 200000", "Transfer-Encoding: chunked"])
async def test_an_answer_that_breaks_off_ends_the_connection(
    port: int, cloud: Cloud, behind: Small, framing: str
) -> None:
    behind.odd = lambda _: f"HTTP/1.1 200 OK\r\n{framing}\r\n\r\n3\r\nabc\r\n"[:-1].encode()
    behind.closes = True
    async with line(port) as (reader, writer):
        writer.write(f"GET /v2.0/routers HTTP/1.1\r\n{HEAD}\r\n".encode())
        text = await reader.read()
        assert text.startswith(b"HTTP/1.1 200")
        assert not text.endswith(b"0\r\n\r\n")


async def test_who_goes_away_in_the_middle_of_his_body_asks_for_nothing(
    port: int, cloud: Cloud, behind: Small
) -> None:
    async with line(port) as (_, writer):
        start = f"POST /v2.0/ports HTTP/1.1\r\n{HEAD}Content-Type: application/json\r\nContent-Length: 99\r\n"
        writer.write(f"{start}\r\n{{".encode())
        await writer.drain()
    async with line(port) as (reader, writer):
        writer.write(f"GET /v2.0/routers HTTP/1.1\r\n{HEAD}\r\n".encode())
        assert (await answer(reader))[0] == 200
    assert [request.method for request in behind.heard] == ["GET"]


async def test_who_goes_away_in_the_middle_of_an_answer_ends_it(
    port: int, cloud: Cloud, behind: Small, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neutron is not read on, however long it goes on."""
    left = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        with suppress(ConnectionError):
            while not reader.at_eof():
                writer.write(b"3\r\nabc\r\n")
                await writer.drain()
                await asyncio.sleep(0.01)
        left.set()
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    app: Any = cloud.world._app
    await app._pipe.close()
    monkeypatch.setattr(app._pipe, "_at", server.sockets[0].getsockname())
    async with line(port) as (reader, writer):
        writer.write(f"GET /v2.0/routers HTTP/1.1\r\n{HEAD}\r\n".encode())
        await reader.readuntil(b"abc")
    async with asyncio.timeout(LIMIT):
        await left.wait()
    server.close()
    await server.wait_closed()


async def test_the_network_says_who_makes_a_port(port: int, cloud: Cloud, behind: Small) -> None:
    """In one piece, as most clients send it: a port of Gluon's network is made on the short way, others are Neutron's."""
    ours, theirs = (await cloud.l2_network("192.0.2.0/24"))["id"], "11111111-2222-4333-8444-555555555555"
    async with line(port) as (reader, writer):
        for prefix in ("", "/networking"):
            for network, name in ((theirs, "a"), (ours, "b"), (theirs, "c")):
                text = json.dumps({"port": {"network_id": network, "name": name, "tenant_id": PROJECT}})
                head = f"POST {prefix}/v2.0/ports HTTP/1.1\r\n{HEAD}Content-Type: application/json\r\n"
                writer.write(f"{head}Content-Length: {len(text)}\r\n\r\n{text}".encode())
                status, _, body = await answer(reader)
                assert (status, json.loads(body)["port"]["name"]) == (201, name)
    assert len([request for request in behind.heard if request.method == "POST"]) == 4
