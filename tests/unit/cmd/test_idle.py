"""A connection that is idle for too long is closed, one that is busy or used again is not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from gluon.cmd.connection import Connection

IDLE = 1.0
ASK = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


class App:
    """Answers when `go` is set."""

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.go.set()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.go.wait()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})


@asynccontextmanager
async def connected(
    app: App, idle: float = IDLE
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    config = uvicorn.Config(
        app, http=Connection.limited(30), ws="none", lifespan="off", log_config=None, access_log=False
    )
    config.timeout_keep_alive = idle  # type: ignore[assignment]
    config.load()
    state = ServerState()
    loop = asyncio.get_running_loop()
    kind: Any = config.http_protocol_class
    server = await loop.create_server(
        lambda: kind(config=config, server_state=state, app_state={}), "127.0.0.1", 0
    )
    reader, writer = await asyncio.open_connection("127.0.0.1", server.sockets[0].getsockname()[1])
    try:
        yield reader, writer
    finally:
        writer.close()
        server.close()


async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(ASK)
    await asyncio.wait_for(reader.readuntil(b"ok"), 60)


async def closed_after(reader: asyncio.StreamReader) -> float:
    """Seconds until the server closes the connection."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    assert await asyncio.wait_for(reader.read(), 60) == b""
    return loop.time() - began


async def test_an_idle_connection_is_closed() -> None:
    async with connected(App()) as (reader, writer):
        await ask(reader, writer)
        assert await closed_after(reader) >= IDLE * 0.9


async def test_idle_counts_from_the_last_answer() -> None:
    idle = 2.5  # a machine may stand still for a second
    async with connected(App(), idle) as (reader, writer):
        for _ in range(6):
            await ask(reader, writer)
            await asyncio.sleep(idle * 0.2)
        await ask(reader, writer)
        assert await closed_after(reader) >= idle * 0.9


@pytest.mark.parametrize("before", [0, 1])
async def test_a_busy_connection_is_not_idle(before: int) -> None:
    app = App()
    async with connected(app) as (reader, writer):
        for _ in range(before):
            await ask(reader, writer)
        app.go.clear()
        asked = asyncio.create_task(ask(reader, writer))
        await asyncio.sleep(IDLE * 1.5)
        assert not asked.done()
        app.go.set()
        await asked
        assert await closed_after(reader) >= IDLE * 0.9
