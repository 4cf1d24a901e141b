"""Requests that are passed on: byte for byte, both ways, and never twice where they might have been done."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import pytest

from gluon.pipe.connection import Connection
from gluon.pipe.pool import Pool
from gluon.spi.passing import Asked, Broken, Late, Unreached

Handle = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def served(handle: Handle, *, seconds: float = 120.0, most: int = 10) -> AsyncIterator[Pool]:
    """`handle` has each connection."""
    writers: list[asyncio.StreamWriter] = []

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await handle(reader, writer)
        writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    pool = Pool(f"http://127.0.0.1:{port}/base/", seconds=seconds, connect=60, most=most)
    try:
        yield pool
    finally:
        await pool.close()
        for writer in writers:
            writer.close()
        server.close()
        await server.wait_closed()


def get(target: bytes = b"/v2.0/ports", **more: object) -> Asked:
    return Asked(**{"method": b"GET", "target": target, "headers": [(b"host", b"here")], **more})  # type: ignore[arg-type]


async def whole(pool: Pool, asked: Asked) -> tuple[int, bytes]:
    answer = await pool.ask(asked)
    try:
        parts = []
        while part := await answer.read():
            parts.append(part)
        return answer.status, b"".join(parts)
    finally:
        answer.close()


def saying(*answers: bytes, keep: bool = True) -> tuple[Handle, list[bytes]]:
    """The heads that came; each is answered by the next, the last by all that follow."""
    heads: list[bytes] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            heads.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(answers[min(len(heads), len(answers)) - 1])
            await writer.drain()
            if not keep:
                return

    return handle, heads


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-One: a\r\nX-One: b\r\n\r\nok"


async def test_target_and_headers_go_on_as_they_came() -> None:
    handle, heads = saying(OK)
    async with served(handle) as pool:
        odd = b"/v2.0/ports?name=%2f%FF+a&&x=%7e&name="
        answer = await pool.ask(get(odd, headers=[(b"host", b"h"), (b"x-a", b"1"), (b"x-a", b"\xff2")]))
        assert heads == [b"GET /base" + odd + b" HTTP/1.1\r\nhost: h\r\nx-a: 1\r\nx-a: \xff2\r\n\r\n"]
        assert answer.headers == [(b"content-length", b"2"), (b"x-one", b"a"), (b"x-one", b"b")]
        assert (await answer.read(), answer.ended) == (b"ok", True)
        answer.close()


async def test_a_connection_is_kept_for_reads_and_only_for_them() -> None:
    places: list[object] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await reader.readuntil(b"\r\n\r\n")
            places.append(writer)
            writer.write(OK)

    async with served(handle) as pool:
        for method in (b"GET", b"GET", b"DELETE", b"GET"):
            assert await whole(pool, get(method=method)) == (200, b"ok")
        assert places[0] is places[1] is not places[2]


async def test_a_read_is_sent_again_when_its_kept_connection_was_closed() -> None:
    met = 0

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal met
        met += 1
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OK)
        if met == 1:
            await reader.readuntil(b"\r\n\r\n")  # the next one, which gets no answer

    async with served(handle) as pool:
        assert await whole(pool, get()) == (200, b"ok")
        assert await whole(pool, get()) == (200, b"ok")
        assert met == 2


@pytest.mark.parametrize("method", [b"POST", b"GET"])
async def test_nothing_is_sent_again_over_a_new_connection(method: bytes) -> None:
    met = 0

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal met
        met += 1
        await reader.readuntil(b"\r\n\r\n")

    async with served(handle) as pool:
        with pytest.raises(Broken):
            await pool.ask(get(method=method, body=b"x" if method == b"POST" else None))
        assert met == 1


async def test_an_answer_that_breaks_off_is_no_whole_one() -> None:
    for text in (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok",
                 b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n",
                 b"HTTP/1.1 200 OK\r\nContent-Le",
                 b"no HTTP\r\n\r\n",
                 b"HTTP/1.1 600 Odd\r\nContent-Length: 2\r\n\r\nok",
                 b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"):  # fmt: skip
        handle, _ = saying(text, keep=False)
        async with served(handle) as pool:
            with pytest.raises(Broken):
                await whole(pool, get())


@pytest.mark.parametrize(
    ("text", "keep"),
    [
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n1\r\nk\r\n0\r\nX-T: 1\r\n\r\n",
            True,
        ),
        (b"HTTP/1.1 200 OK\r\n\r\nok", False),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", False),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", True),
    ],
)
async def test_each_way_to_end_a_body(text: bytes, keep: bool) -> None:
    handle, _ = saying(text, keep=keep)
    async with served(handle) as pool:
        for _ in range(2):
            assert await whole(pool, get()) == (200, b"ok")


async def test_answers_without_a_body() -> None:
    length = b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n"
    handle, _ = saying(length, b"HTTP/1.1 204 No Content\r\n\r\n", OK)
    async with served(handle) as pool:
        assert await whole(pool, get(method=b"HEAD")) == (200, b"")
        assert await whole(pool, get(method=b"DELETE")) == (204, b"")
        assert await whole(pool, get()) == (200, b"ok")


async def parts(count: int, size: int) -> AsyncIterator[bytes]:
    for _ in range(count):
        yield b"x" * size
        await asyncio.sleep(0)


@pytest.mark.parametrize("length", [None, 3_000_000])
async def test_a_body_goes_on_in_parts(length: int | None) -> None:
    got = bytearray()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        assert (b"transfer-encoding: chunked" in head) == (length is None)
        if length is not None:
            assert b"content-length: 3000000" in head
            got.extend(await reader.readexactly(length))
        else:
            while size := int(await reader.readline(), 16):
                got.extend(await reader.readexactly(size))
                await reader.readline()
            await reader.readline()
        writer.write(OK)

    async with served(handle) as pool:
        body = parts(30, 100_000)
        assert await whole(pool, get(method=b"POST", body=body, length=length)) == (200, b"ok")
        assert bytes(got) == b"x" * 3_000_000


async def test_who_is_refused_before_he_has_said_all_need_not_go_on() -> None:
    said = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        yield b"a beginning"
        said.set()
        await asyncio.Event().wait()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await said.wait()
        writer.write(b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno")
        await reader.read()

    async with served(handle) as pool:
        assert await whole(pool, get(method=b"PUT", body=endless())) == (413, b"no")


async def test_a_client_that_takes_nothing_holds_the_server_up() -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 30000000\r\n\r\n")
        for _ in range(30):
            writer.write(b"x" * 1_000_000)
            await writer.drain()

    async with served(handle) as pool:
        answer = await pool.ask(get())
        connection = answer._connection
        async with asyncio.timeout(120):
            while not connection._paused:
                await asyncio.sleep(0.01)
        assert connection._size < 2_000_000
        size = 0
        while part := await answer.read():
            size += len(part)
        answer.close()
        assert size == 30_000_000


async def test_who_does_not_answer_is_late_and_who_is_not_there_unreached() -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with served(handle, seconds=0.05, most=1) as pool:
        with pytest.raises(Late):
            await pool.ask(get())
        with pytest.raises(Late):
            await pool.ask(get(method=b"POST", body=parts(1, 1)))  # the room of the first is free again
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))  # and does not listen
        with pytest.raises(Unreached):
            await Pool(f"http://127.0.0.1:{bound.getsockname()[1]}", connect=60).ask(get())


@pytest.mark.parametrize("size", [20, 75, 1000])
async def test_what_nobody_asked_for_belongs_to_no_answer(size: int) -> None:
    """However much of a second answer comes in one piece with the first: neither is changed, and nobody gets the rest of it."""
    second = b"HTTP/1.1 500 Oops\r\nContent-Length: 4\r\nX-Two: another's\r\n\r\nevil"
    handle, heads = saying(OK + second[:size], OK)
    async with served(handle) as pool:
        answer = await pool.ask(get())
        assert (answer.status, await answer.read(), answer.ended) == (200, b"ok", True)
        assert answer.headers == [(b"content-length", b"2"), (b"x-one", b"a"), (b"x-one", b"b")]
        answer.close()
        assert pool._idle == []
        assert await whole(pool, get()) == (200, b"ok")
        assert len(heads) == 2


async def test_what_follows_a_body_in_chunks_is_no_header() -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: x-t\r\n\r\n"
    handle, _ = saying(head + b"2\r\nok\r\n0\r\nX-T: 1\r\nSet-Cookie: a=b\r\n\r\n")
    async with served(handle) as pool:
        answer = await pool.ask(get())
        assert await answer.read() == b"ok"
        assert answer.headers == [(b"transfer-encoding", b"chunked"), (b"trailer", b"x-t")]
        answer.close()


async def test_a_server_that_takes_no_more_of_a_body_is_late() -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:  # who connects is not even heard
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        pool = Pool(f"http://127.0.0.1:{deaf.getsockname()[1]}", seconds=0.05, connect=60, most=1)
        async with asyncio.timeout(120):
            for _ in range(2):  # the room of the first is free again
                with pytest.raises(Late):
                    await pool.ask(get(method=b"POST", body=parts(300, 100_000), length=30_000_000))


@pytest.mark.parametrize("turns", range(5))
async def test_a_body_that_was_not_sent_to_its_end_ends_the_connection(turns: int) -> None:
    """Though it breaks off in the very moment in which the answer comes: the next request would be read as its rest."""
    made: list[Connection] = []

    async def broken() -> AsyncIterator[bytes]:
        yield b"a beginning"
        while not made[0].done:
            await asyncio.sleep(0)
        for _ in range(turns):
            await asyncio.sleep(0)
        raise ConnectionError

    handle, _ = saying(b"HTTP/1.1 401 No\r\nContent-Length: 2\r\n\r\nno")
    async with served(handle) as pool:
        make = pool._made
        pool._made = lambda: made.append(make()) or made[-1]  # type: ignore[method-assign,func-returns-value]
        with suppress(ConnectionError):
            await whole(pool, get(method=b"PUT", body=broken(), length=99))
        assert pool._idle == []


async def test_no_url() -> None:
    for url in ("neutron:9696", "ftp://neutron", "http://", "http://a/?b"):
        with pytest.raises(ValueError, match="is no URL"):
            Pool(url)
