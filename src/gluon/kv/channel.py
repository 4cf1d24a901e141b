"""A way to one server of gRPC: a connection that is made again when it broke, and the calls on it.

In: an address, bytes of requests. Out: bytes of answers, `Failed`. Invariants: a call goes over a connection that stands, or is
`Code.UNAVAILABLE` and was never sent; nothing runs in the background unless somebody asks whether it is ready. Within one event
loop. Used by `endpoints` and `rpcs`.
"""

from __future__ import annotations

import asyncio
import math
import random
import socket
import ssl

from gluon.kv.http2 import Connection
from gluon.kv.outcome import Code, Failed
from gluon.kv.settings import Address
from gluon.kv.stream import Stream

_ATTEMPT = 3.0
"""Seconds that an attempt to connect may take."""
_FIRST_WAIT, _LONGEST_WAIT = 0.1, 1.0
"""Between attempts: an etcd that comes back is noticed within about a second."""
_QUIET, _PONG = 10.0, 3.0
"""A connection with calls under way that is silent for so long has to answer within the other. etcd ends connections that
ask more often than every 5 s, or without a call."""
_LONGEST_LIMIT = 99_999_999
"""Seconds that gRPC can say."""

Metadata = tuple[tuple[str, str], ...] | None


class Channel:
    def __init__(self, address: Address, context: ssl.SSLContext | None) -> None:
        """`context` for TLS, if the address says so."""
        self._target = address.target
        host, _, port = address.target.rpartition(":")
        self._host, self._port = host.strip("[]"), int(port)
        self._context = context if address.tls else None
        self._connection: Connection | None = None
        self._attempt: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._heard = 0
        self._wait = _FIRST_WAIT
        self._next = 0.0
        self._closed = False

    def is_ready(self) -> bool:
        """Whether calls can be made; if not, it is seen to that they soon can."""
        if self._connection is not None and self._connection.usable:
            return True
        free = self._attempt is None or self._attempt.done()
        if free and not self._closed and asyncio.get_running_loop().time() >= self._next:
            self._attempt = asyncio.create_task(self._connect(), name=f"connect to {self._target}")
        return False

    async def wait_ready(self, seconds: float) -> None:
        """Raises `Failed` when it is not ready by then."""
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while not self.is_ready():
            if loop.time() >= end:
                raise Failed(Code.UNAVAILABLE, "no connection")
            if self._attempt is not None and not self._attempt.done():
                await asyncio.wait({self._attempt}, timeout=end - loop.time())
            else:
                await asyncio.sleep(_FIRST_WAIT / 4)

    async def unary(self, path: str, message: bytes, *, timeout: float, metadata: Metadata = None) -> bytes:
        """The one answer. Raises `Failed`."""
        limit = (
            "grpc-timeout",
            f"{min(math.ceil(timeout), _LONGEST_LIMIT)}S",
        )  # for the server: our own clock is nearer
        stream = self._standing().open(path, (*(metadata or ()), limit), message)
        late = asyncio.get_running_loop().call_later(
            timeout, stream.cancel, Code.DEADLINE_EXCEEDED, "no answer in time"
        )
        try:
            return await stream.answer()
        finally:
            late.cancel()
            stream.cancel()

    def stream(self, path: str, metadata: Metadata = None) -> Stream:
        """A call with messages both ways; who opened it ends it."""
        return self._standing().open(path, metadata or ())

    def _standing(self) -> Connection:
        if self._connection is None:
            raise Failed(Code.UNAVAILABLE, "no connection")
        return self._connection

    async def close(self) -> None:
        self._closed = True
        if self._attempt is not None:
            self._attempt.cancel()
            await asyncio.wait({self._attempt})
        self._drop("the bus is closed")

    async def _connect(self) -> None:
        """One attempt."""
        loop = asyncio.get_running_loop()
        self._next = loop.time() + _FIRST_WAIT
        self._drop("another connection is made")
        made = Connection(secure=self._context is not None, authority=self._target)
        try:
            async with asyncio.timeout(_ATTEMPT):
                name = self._host if self._context is not None else None
                transport, _ = await loop.create_connection(
                    lambda: made, self._host, self._port, ssl=self._context, server_hostname=name
                )
                _give_up_early(transport)
                await made.opened
        except (OSError, Failed, TimeoutError):
            made.close()
            self._next = loop.time() + self._wait * random.uniform(0.8, 1.0)
            self._wait = min(self._wait * 1.6, _LONGEST_WAIT)
        except BaseException:
            made.close()
            raise
        else:
            self._wait, self._connection, self._heard = _FIRST_WAIT, made, 0
            self._timer = loop.call_later(_QUIET, self._listen, made)

    def _drop(self, why: str) -> None:
        if self._timer is not None:
            self._timer.cancel()
        connection, self._connection = self._connection, None
        if connection is not None and not (connection.leaving and connection.busy and not self._closed):
            connection.close(why)

    def _listen(self, connection: Connection) -> None:
        """Ask who was silent."""
        loop = asyncio.get_running_loop()
        if not connection.stands:
            return
        if connection.busy and connection.heard == self._heard:
            connection.ping()
            self._timer = loop.call_later(_PONG, self._answered, connection, connection.heard)
        else:
            self._heard = connection.heard
            self._timer = loop.call_later(_QUIET, self._listen, connection)

    def _answered(self, connection: Connection, heard: int) -> None:
        if connection.heard == heard:
            connection.close("the server does not answer")
            return
        self._heard = connection.heard
        self._timer = asyncio.get_running_loop().call_later(_QUIET, self._listen, connection)


def _give_up_early(transport: asyncio.BaseTransport) -> None:
    """What was sent over a link that is cut is not sent again for a quarter of an hour."""
    found = transport.get_extra_info("socket")
    option = getattr(socket, "TCP_USER_TIMEOUT", None)
    if found is not None and option is not None:
        found.setsockopt(socket.IPPROTO_TCP, option, round(_PONG * 1e3))
