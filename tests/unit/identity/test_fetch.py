"""The client of other servers: kept connections, and every way in which a server may disappoint."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from gluon.identity import fetch

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def serving(handler: Handler, *, seconds: float = 2.0, most: int = 16) -> AsyncIterator[fetch.Server]:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await handler(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    listening = await asyncio.start_server(handle, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    client = fetch.Server(f"http://127.0.0.1:{port}/v3/", seconds=seconds, most=most)
    try:
        yield client
    finally:
        await client.close()
        listening.close()


def answering(*answers: bytes, keep: bool = True) -> tuple[Handler, list[bytes]]:
    """Each request gets the next answer; the requests."""
    left, requests = list(answers), []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while left:
            requests.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(left.pop(0))
            await writer.drain()
            if not keep:
                return
        await reader.read()

    return handle, requests


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Subject-Token: t\r\n\r\nok"


async def test_a_connection_is_kept() -> None:
    connections = []
    handle, requests = answering(OK, OK)

    async def counted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(1)
        await handle(reader, writer)

    async with serving(counted) as client:
        for _ in range(2):
            answer = await client.ask("GET", "/auth/tokens?nocatalog=1", {"x-auth-token": "abc"})
            assert (answer.status, answer.headers[b"x-subject-token"], answer.body) == (200, b"t", b"ok")
    assert len(connections) == 1
    assert requests[0].startswith(b"GET /v3/auth/tokens?nocatalog=1 HTTP/1.1\r\nhost: 127.0.0.1:")
    assert b"\r\nx-auth-token: abc\r\n" in requests[0]


async def test_one_that_was_closed_meanwhile_is_replaced() -> None:
    handle, requests = answering(OK, OK, keep=False)
    async with serving(handle) as client:
        for _ in range(2):
            assert (await client.ask("GET", "/")).body == b"ok"
            await asyncio.sleep(0.05)
    assert len(requests) == 2


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", b"abcde"),
        (b"HTTP/1.0 200 OK\r\n\r\nuntil the end", b"until the end"),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + OK, b"ok"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
    ],
)
async def test_answers_of_all_kinds(answer: bytes, body: bytes) -> None:
    handle, _ = answering(answer, keep=b"1.0" not in answer)
    async with serving(handle) as client:
        assert (await client.ask("GET", "/")).body == body


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
        b"SSH-2.0-OpenSSH\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n" + b"x" * (5 * 1024 * 1024),
    ],
)
async def test_what_is_no_answer(answer: bytes) -> None:
    handle, _ = answering(answer, keep=False)
    async with serving(handle) as client:
        with pytest.raises(fetch.Unreachable, match="127.0.0.1"):
            await client.ask("GET", "/", {"x-auth-token": "secret"})


async def test_no_answer_in_time_and_too_many_questions() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with serving(silent, seconds=0.2, most=2) as client:
        asked = [asyncio.create_task(client.ask("GET", "/")) for _ in range(6)]
        done = await asyncio.gather(*asked, return_exceptions=True)
    assert {type(one) for one in done} == {fetch.Unreachable, fetch.Busy}


async def test_nobody_listens() -> None:
    with pytest.raises(fetch.Unreachable, match="127.0.0.1:1"):
        await fetch.Server("http://127.0.0.1:1").ask("GET", "/")


@pytest.mark.parametrize("url", ["", "keystone:5000", "ftp://x/", "http://", "http://u:p@x/", "http://x/?a"])
def test_what_is_no_url(url: str) -> None:
    with pytest.raises(ValueError, match="no URL"):
        fetch.Server(url)
