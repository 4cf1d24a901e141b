"""One connection to a server: a request is written, its answer is read in parts, then the next may follow.

In: bytes of a request. Out: status, headers and parts of a body. Neither side is read faster than the other takes it.
Invariant: a connection is used again only after a whole answer that says so. Called by `pool`.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import cast

import httptools

from gluon.spi.passing import Broken, Headers, Late

_MOST = 256 * 1024
"""Bytes that wait to be taken before the server is told to wait."""
_FIRST_FINAL, _LAST = 200, 599
_FEW = 5
"""Digits of the length of a body that is waited for."""


class Connection(asyncio.Protocol):
    """`begin`, `write` as often as needed, `head`, `read` until it is empty."""

    def __init__(self, name: str, seconds: float) -> None:
        """`name`: the server's; `seconds`: that it has to say anything while it is waited for."""
        self._loop = asyncio.get_running_loop()
        self._name, self._seconds = name, seconds
        self._until: float | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._parts: deque[bytes] = deque()
        self._size = 0
        self._reader: asyncio.Future[None] | None = None
        self._writer: asyncio.Future[None] | None = None
        self._full = self._paused = self._lost = self._busy = False
        self.idle_since = 0.0
        self._start(bodiless=False)

    def _start(self, *, bodiless: bool) -> None:
        self._bodiless = bodiless
        self._keeps = self._endless = self._comes_whole = False
        self.status = 0
        self.headers: Headers = []
        self.began = self.done = self.touched = self.measured = False

    # -- what its user calls -------------------------------------------------------------------

    @property
    def usable(self) -> bool:
        """For another request."""
        lost = self._transport is None or self._transport.is_closing() or self._lost
        return not (self._busy or lost)

    def begin(self, request: bytes, *, bodiless: bool) -> None:
        """`bodiless`: the answer has no body, whatever its head says."""
        assert self._transport is not None
        self._busy = True
        self._parser = httptools.HttpResponseParser(self)
        self._start(bodiless=bodiless)
        self._transport.write(request)

    async def write(self, part: bytes) -> None:
        """More of the request's body. Raises `Broken`, `Late`."""
        if self._lost or self._transport is None:
            raise Broken("the connection was closed before all was sent")
        self._transport.write(part)
        if self._full:
            self._writer = self._loop.create_future()
            try:
                async with asyncio.timeout(self._seconds):
                    await self._writer
            except TimeoutError:
                raise self.late() from None

    async def head(self, *, limited: bool = True) -> None:
        """Until the head is there, and all of a small answer: so nobody is woken twice for it. Raises `Broken`, and if
        `limited` `Late`."""
        while not self.began or (self._comes_whole and not self.done):
            await self._news(limited=limited)

    async def read(self) -> bytes:
        """A part of the body, empty at its end. Raises `Broken`, `Late`."""
        while not self._parts:
            if self.done:
                return b""
            await self._news()
        part = self._parts.popleft() if len(self._parts) == 1 else b"".join(self._parts)
        self._parts.clear()
        self._size = 0
        if self._paused and self._transport is not None:
            self._paused = False
            self._transport.resume_reading()
        return part

    @property
    def ended(self) -> bool:
        return self.done and not self._parts

    def finish(self) -> bool:
        """The request is over: whether the connection may be used again. Else it is closed."""
        self._parts.clear()
        self._size = 0
        self._busy = False
        if self.done and self._keeps and self.usable:
            return True
        self.close()
        return False

    def spoil(self) -> None:
        """Its request was not sent to the end: nothing may follow."""
        self._keeps = False

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    async def _news(self, *, limited: bool = True) -> None:
        if self._lost:
            raise Broken("the server closed the connection before its answer was whole")
        self._reader = self._loop.create_future()
        self._until = self._loop.time() + self._seconds if limited else None
        if self._timer is None and limited:
            self._timer = self._loop.call_later(self._seconds, self._look)
        try:
            await self._reader
        finally:
            self._reader = None

    def _look(self) -> None:
        """The timer stays armed over many waits."""
        self._timer = None
        if self._reader is None or self._reader.done() or self._until is None:
            return
        left = self._until - self._loop.time()
        if left > 0:
            self._timer = self._loop.call_later(left, self._look)
        else:
            self._reader.set_exception(self.late())

    def late(self) -> Late:
        return Late(f"{self._name} gives no answer within {self._seconds:g} s")

    def _tell(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)

    # -- what the transport calls --------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        if not self._busy or self.done:
            self._fail()  # it says something that nobody asked for
            return
        self.touched = True
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            if not self._is_head():
                self._fail()
        self._tell()
        if self._size > _MOST and not self._paused and self._transport is not None:
            self._paused = True
            self._transport.pause_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost = True
        if self.began and self._endless and exc is None:
            self.done = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._tell()
        self.resume_writing()

    def _is_head(self) -> bool:
        """All that is wanted of the answer is there."""
        return self.began and self._bodiless

    def _fail(self) -> None:
        self._lost, self._keeps = True, False
        self.close()

    def pause_writing(self) -> None:
        self._full = True

    def resume_writing(self) -> None:
        self._full = False
        if self._writer is not None and not self._writer.done():
            self._writer.set_result(None)

    # -- what the parser calls -----------------------------------------------------------------

    def on_message_begin(self) -> None:
        if self.began:
            raise Broken("another answer, which nobody asked for")

    def on_header(self, name: bytes, value: bytes | None) -> None:
        if not self.began:  # what follows a body in chunks counts for nothing
            self.headers.append((name.lower(), value or b""))

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if status < _FIRST_FINAL:
            self.headers = []  # it only says that the answer is to come
            return
        if status > _LAST:
            raise Broken("its status is none of HTTP's")
        if any(name == b"transfer-encoding" and value.lower() != b"chunked" for name, value in self.headers):
            raise Broken("its transfer encoding is another than chunked")
        self.status = status
        said = dict(self.headers)
        length = said.get(b"content-length")
        self.measured = length is not None
        self._endless = length is None and b"transfer-encoding" not in said
        self._comes_whole = length is not None and len(length) <= _FEW
        self._keeps = self._parser.should_keep_alive() and not self._bodiless
        self.began = True
        self.done = self.done or self._bodiless

    def on_body(self, body: bytes) -> None:
        if not self._bodiless:
            self._parts.append(body)
            self._size += len(body)

    def on_message_complete(self) -> None:
        if self.began:
            self.done = True
