"""Requests passed on to one server over connections that are kept.

In: a request. Out: its answer, as soon as its head is there. Nothing is sent twice that might have been done: only what
reads goes over a kept connection, which the server may be closing just now, and once more over a new one if not a byte came
back; all else gets a new connection. Called by `api.passing`.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator

from gluon.pipe.connection import Connection
from gluon.spi.passing import Asked, Broken, Headers, Late, Unreached
from gluon.values import url as urls

_READS = frozenset({b"GET", b"HEAD"})
_IDLE = 30.0
"""Seconds that a connection without requests is kept."""
_KEPT = 64
_LIKE = "http://neutron.example:9696"


class Pool:
    """`url`: its root, over `https` with the system's authorities or those in `ca_file`. Raises `ValueError` for no URL.

    `seconds`: that it has to begin an answer, and to go on with one; `most`: requests under way."""

    def __init__(
        self, url: str, *, ca_file: str = "", seconds: float = 60.0, connect: float = 5.0, most: int = 500
    ) -> None:
        parts = urls.of_server(url, like=_LIKE)
        if parts.query:
            raise ValueError(f"{url!r} is no URL of a server such as {_LIKE}")
        self._base = parts.path.rstrip("/").encode("ascii")
        self._secure = ssl.create_default_context(cafile=ca_file or None) if parts.scheme == "https" else None
        self._at = (parts.hostname or "", parts.port or (443 if self._secure else 80))
        self.name = parts.netloc
        self._seconds = seconds
        self._connect_seconds = connect
        self._idle: list[Connection] = []
        self._room = asyncio.Semaphore(most)

    async def ask(self, asked: Asked) -> Exchange:
        """Raises `Unreached`, `Broken`, `Late`."""
        if self._room.locked():
            await self._turn()
        else:
            await self._room.acquire()
        try:
            return await self._asked(asked)
        except BaseException:
            self._room.release()
            raise

    async def _turn(self) -> None:
        try:
            async with asyncio.timeout(self._seconds):
                await self._room.acquire()
        except TimeoutError:
            raise Unreached(f"{self.name} has as many requests as it is given at once") from None

    async def _asked(self, asked: Asked) -> Exchange:
        head = _head(asked, self._base)
        if asked.body is None and asked.method in _READS:
            while (kept := self._kept()) is not None:
                try:
                    return await self._over(kept, asked, head)
                except Late:
                    raise
                except Broken:
                    if kept.touched:
                        raise  # else it was closed while it was idle
        return await self._over(await self._connected(), asked, head)

    def _kept(self) -> Connection | None:
        oldest = asyncio.get_running_loop().time() - _IDLE
        while self._idle:
            found = self._idle.pop()
            if found.usable and found.idle_since > oldest:
                return found
            found.close()
        return None

    def _made(self) -> Connection:
        return Connection(self.name, self._seconds)

    async def _connected(self) -> Connection:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._connect_seconds):
                _, made = await loop.create_connection(self._made, *self._at, ssl=self._secure)
        except (OSError, TimeoutError) as error:
            reason = getattr(error, "strerror", "") or str(error) or "it does not answer"
            raise Unreached(f"{self.name}: {reason}") from error
        return made

    async def _over(self, connection: Connection, asked: Asked, head: bytes) -> Exchange:
        exchange = Exchange(self, connection, self._seconds)
        try:
            whole = isinstance(asked.body, bytes)
            connection.begin(
                head + asked.body if isinstance(asked.body, bytes) else head, bodiless=asked.method == b"HEAD"
            )
            if asked.body is None or whole:
                await connection.head()
            else:
                assert not isinstance(asked.body, bytes)
                await exchange.send(asked.body, chunked=asked.length is None)
        except BaseException:
            connection.close()
            connection.finish()
            raise
        return exchange

    def free(self, connection: Connection) -> None:
        """A request is over."""
        self._room.release()
        if connection.finish():
            connection.idle_since = asyncio.get_running_loop().time()
            self._idle.append(connection)
            if len(self._idle) > _KEPT:
                self._idle.pop(0).close()

    async def close(self) -> None:
        for connection in self._idle:
            connection.close()
        self._idle.clear()


class Exchange:
    """`spi.passing.Answer`."""

    def __init__(self, pool: Pool, connection: Connection, seconds: float) -> None:
        self._pool = pool
        self._connection = connection
        self._seconds = seconds
        self._closed = False

    @property
    def status(self) -> int:
        return self._connection.status

    @property
    def headers(self) -> Headers:
        return self._connection.headers

    @property
    def measured(self) -> bool:
        return self._connection.measured

    @property
    def ended(self) -> bool:
        return self._connection.ended

    async def read(self) -> bytes:
        return await self._connection.read()

    async def send(self, body: AsyncIterator[bytes], *, chunked: bool) -> None:
        """A body in parts, until the answer begins: who is answered before he has said all need not go on."""
        sending = asyncio.create_task(self._send(body, chunked=chunked))
        answered = asyncio.create_task(self._connection.head(limited=False))
        try:
            await asyncio.wait({sending, answered}, return_when=asyncio.FIRST_COMPLETED)
            if sending.done() and not answered.done():
                failed = sending.exception()
                if failed is not None and (isinstance(failed, Late) or not isinstance(failed, Broken)):
                    raise failed
                await asyncio.wait({answered}, timeout=self._seconds)
            if not answered.done():
                raise self._connection.late()
            if not sending.done() or sending.exception() is not None:
                self._connection.spoil()
            await answered
        finally:
            for task in (sending, answered):
                task.cancel()
            await asyncio.gather(sending, answered, return_exceptions=True)

    async def _send(self, body: AsyncIterator[bytes], *, chunked: bool) -> None:
        async for part in body:
            if part:
                await self._connection.write(b"%x\r\n%s\r\n" % (len(part), part) if chunked else part)
        if chunked:
            await self._connection.write(b"0\r\n\r\n")

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._pool.free(self._connection)


def _head(asked: Asked, base: bytes) -> bytes:
    """Values came over HTTP, so none holds a line's end."""
    lines = [b"%s %s%s HTTP/1.1" % (asked.method, base, asked.target)]
    lines += [b"%s: %s" % pair for pair in asked.headers]
    if isinstance(asked.body, bytes):
        lines.append(b"content-length: %d" % len(asked.body))
    elif asked.body is not None:
        chunked = asked.length is None
        lines.append(
            b"transfer-encoding: chunked" if chunked else b"content-length: %d" % (asked.length or 0)
        )
    return b"\r\n".join((*lines, b"", b""))
