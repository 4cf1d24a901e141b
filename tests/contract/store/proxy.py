"""A TCP proxy before a database that cuts the connection around a COMMIT."""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from enum import StrEnum
from urllib.parse import urlsplit

_PARSED = re.compile(rb"P.{4}(\w+)\0WITH [^\0]*setval\(", re.DOTALL)
"""A prepared statement of PostgreSQL that writes a batch and commits by itself."""


class Cut(StrEnum):
    NOTHING = "nothing"
    BEFORE = "before"
    """COMMIT never reaches the server; the client cannot know that."""
    AFTER = "after"
    """The server commits, its answer never reaches the client."""
    LATE = "late"
    """COMMIT reaches the server when the client has given that connection up: at `Proxy.deliver`."""
    FOR_GOOD = "for good"
    """As AFTER, and nobody can connect any more."""


class Proxy:
    """`async with Proxy(url) as p: p.url`; the next COMMIT after `p.cut = …` is hit."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._target = (parts.hostname or "", parts.port or 0)
        self._url = url
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.cut = Cut.NOTHING
        self.hits = 0
        self._closed = False
        self._late: list[tuple[bytes, asyncio.StreamReader, asyncio.StreamWriter]] = []
        self._writing: set[bytes] = set()

    async def __aenter__(self) -> Proxy:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        await self.deliver()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def url(self) -> str:
        assert self._server is not None
        port = self._server.sockets[0].getsockname()[1]
        return self._url.replace(f":{self._target[1]}/", f":{port}/")

    async def deliver(self) -> None:
        """What was late, to its end."""
        while self._late:
            data, reader, writer = self._late.pop()
            with suppress(OSError):  # the server may have ended it
                writer.write(data)
                writer.write_eof()
                await reader.read()
            writer.close()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            if not self._closed:
                far_reader, far_writer = await asyncio.open_connection(*self._target)
                try:
                    await self._pass(reader, writer, far_reader, far_writer)
                finally:
                    if not any(kept is far_writer for _, _, kept in self._late):
                        far_writer.close()
        except (OSError, asyncio.CancelledError):
            return
        finally:
            writer.close()

    async def _pass(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        far_reader: asyncio.StreamReader,
        far_writer: asyncio.StreamWriter,
    ) -> None:
        back = asyncio.create_task(_copy(far_reader, writer))
        try:
            while data := await reader.read(1 << 20):
                if self._commits(data) and self.cut is not Cut.NOTHING:
                    back.cancel()
                    await asyncio.gather(back, return_exceptions=True)
                    await self._hit(data, reader, far_reader, far_writer)
                    return
                far_writer.write(data)
                await far_writer.drain()
        finally:
            back.cancel()

    def _commits(self, data: bytes) -> bool:
        self._writing.update(_PARSED.findall(data))
        if data.startswith(b"B\0"):  # the message that runs a prepared statement
            return any(b"\0" + name + b"\0" in data[:64] for name in self._writing)
        return data.rstrip(b"\0").endswith(b"COMMIT")

    async def _hit(
        self,
        data: bytes,
        reader: asyncio.StreamReader,
        far_reader: asyncio.StreamReader,
        far_writer: asyncio.StreamWriter,
    ) -> None:
        self.hits += 1
        cut, self.cut = self.cut, Cut.NOTHING
        if cut is Cut.LATE:
            self._late.append((data, far_reader, far_writer))
            while await reader.read(1 << 20):
                continue
            return
        self._closed = cut is Cut.FOR_GOOD
        if cut is not Cut.BEFORE:
            far_writer.write(data)
            await far_writer.drain()
            await far_reader.read(1)  # the server has answered: it is committed


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(1 << 16):
        writer.write(data)
        await writer.drain()
    writer.close()
