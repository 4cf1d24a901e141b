"""Requests to one other server: HTTP/1.1 over asyncio's streams, a few connections that are kept.

In: method, path, headers, body. Out: status and body, or `Unreachable`. A connection that the server closed while it was
idle is replaced once. Used for Keystone and for key sets, whose requests may all be repeated.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from typing import NamedTuple

import httptools

from gluon import errors
from gluon.values import url as urls

_MOST = 4 * 1024 * 1024
"""Bytes of an answer."""
_PIECE = 64 * 1024
_LIKE = "https://keystone.example:5000/v3"


class Unreachable(errors.Unavailable):
    """No answer that is one."""


class Busy(errors.Unavailable):
    """All connections are in use, and were for as long as a request waits."""


class Answer(NamedTuple):
    """`headers` by lower-case name."""

    status: int
    headers: dict[bytes, bytes]
    body: bytes


class _Reading:
    """What the parser tells."""

    def __init__(self) -> None:
        self.parser = httptools.HttpResponseParser(self)
        self._start()

    def _start(self) -> None:
        self.headers: dict[bytes, bytes] = {}
        self.body = bytearray()
        self.began = self.done = self.keeps = False

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers[name.lower()] = value

    def on_headers_complete(self) -> None:
        self.began = True
        self.keeps = self.parser.should_keep_alive()  # asked later it is of the next answer

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        if self.parser.get_status_code() < 200:
            self._start()
        else:
            self.done = True

    def closed(self) -> None:
        """The server closed: an answer without a length ends so."""
        self.done = self.began and not {b"content-length", b"transfer-encoding"} & self.headers.keys()


Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Server:
    """`url`: its root, `https` with the system's authorities or those in `ca_file`. Raises `ValueError` for no URL."""

    def __init__(self, url: str, *, ca_file: str = "", seconds: float = 5.0, most: int = 16) -> None:
        parts = urls.of_server(url, like=_LIKE)
        if parts.query:
            raise ValueError(f"{url!r} is no URL of a server such as {_LIKE}")
        self._base = parts.path.rstrip("/")
        self._secure = ssl.create_default_context(cafile=ca_file or None) if parts.scheme == "https" else None
        self._at = (parts.hostname or "", parts.port or (443 if self._secure else 80))
        self._host = parts.netloc
        self._seconds = seconds
        self._idle: list[Connection] = []
        self._room = asyncio.Semaphore(most)

    async def ask(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> Answer:
        """The answer. Raises `Unreachable`, also after `seconds`, and `Busy`."""
        lines = {"host": self._host, "accept": "application/json", **(headers or {})}
        if body:
            lines |= {"content-type": "application/json", "content-length": str(len(body))}
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        request = f"{method} {self._base}{path} HTTP/1.1\r\n{head}\r\n".encode("ascii") + body
        try:
            async with asyncio.timeout(self._seconds):
                await self._room.acquire()
        except TimeoutError:
            raise Busy(f"{self._host} is asked too much at once", retry_after=2) from None
        try:
            async with asyncio.timeout(self._seconds):
                return await self._answer(request)
        except TimeoutError:
            raise Unreachable(f"{self._host} gives no answer within {self._seconds:g} s") from None
        except (OSError, EOFError, httptools.HttpParserError) as error:
            raise Unreachable(f"{self._host}: {error or type(error).__name__}") from error
        finally:
            self._room.release()

    async def _answer(self, request: bytes) -> Answer:
        while self._idle:
            connection = self._idle.pop()
            try:
                return await self._over(connection, request)
            except (OSError, EOFError):
                continue  # closed while it was idle
        return await self._over(await asyncio.open_connection(*self._at, ssl=self._secure), request)

    async def _over(self, connection: Connection, request: bytes) -> Answer:
        reader, writer = connection
        reading = _Reading()
        keep = False
        try:
            writer.write(request)
            await writer.drain()
            while not reading.done:
                piece = await reader.read(_PIECE)
                if piece:
                    reading.parser.feed_data(piece)
                else:
                    reading.closed()
                    if not reading.done:
                        raise EOFError("it closed the connection without an answer")
                if len(reading.body) > _MOST:
                    raise OSError("its answer is too large")
            keep = reading.keeps and not reader.at_eof()
            return Answer(reading.parser.get_status_code(), reading.headers, bytes(reading.body))
        finally:
            if keep:
                self._idle.append(connection)
            else:
                writer.close()

    async def close(self) -> None:
        """Let go of all connections that are idle."""
        for _, writer in self._idle:
            writer.close()
        self._idle.clear()
