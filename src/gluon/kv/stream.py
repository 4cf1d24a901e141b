"""One call of gRPC on a connection: its messages, and how it ended.

In: bytes as the connection brings them. Out: whole messages, in order; the end, once. Invariant: who reads slowly is sent no
more than a window. Used by `http2`, `channel` and `watching`.
"""

from __future__ import annotations

import asyncio
from collections import deque
from struct import Struct
from typing import Protocol

from gluon.kv.outcome import Code, Failed

OWN_WINDOW = 4 * 1024 * 1024
"""Bytes that a stream may bring which nobody has read yet."""
CREDIT = 2**20
"""Bytes after which a window is opened again."""

_message = Struct(">BI")


class Carrier(Protocol):
    """What a stream needs of its connection."""

    def flush(self, stream: Stream) -> None: ...

    def drop(self, stream: Stream) -> None: ...

    def credit(self, number: int, size: int) -> None: ...


class Stream:
    """One call. Messages come by `read`, in order."""

    __slots__ = (
        "_connection", "_loaded", "_parts", "_unread", "_waiter", "_whole", "ended", "headers", "messages", "number", "outbox",
        "window", "writes",
    )  # fmt: skip

    def __init__(self, connection: Carrier, headers: bytes) -> None:
        self._connection = connection
        self.headers = headers
        self.number = 0
        """0: it waits for room on the connection."""
        self.messages: deque[bytes] = deque()
        self.ended: Failed | None = None
        """How it ended; also where all went well, with `Code.OK`."""
        self.outbox = bytearray()
        self.writes = True
        """Whether more may be sent."""
        self.window = 0
        self._parts = bytearray()
        self._loaded = 0
        self._unread = 0
        self._whole = False
        self._waiter: asyncio.Future[None] | None = None

    async def read(self) -> bytes | None:
        """The next message; None: that was the last one. Raises `Failed`."""
        while not self.messages:
            if self.ended is not None:
                if self.ended.code is Code.OK:
                    return None
                raise self.ended.again()
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        message = self.messages.popleft()
        self._load(-len(message))
        return message

    async def answer(self) -> bytes:
        """The only message, once the call ended well. Raises `Failed`."""
        self._whole = True
        if self.ended is None:
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        if self.ended is not None and self.ended.code is not Code.OK:
            raise self.ended.again()
        message = await self.read()
        if message is None:
            raise Failed(Code.INTERNAL, "the server ended a call without an answer")
        return message

    def put(self, message: bytes, *, last: bool = False) -> None:
        """It goes with what is sent next."""
        self.writes = not last
        self.outbox += _message.pack(0, len(message)) + message

    def send(self, message: bytes, *, last: bool = False) -> None:
        """Without waiting: messages are small, or few."""
        if self.ended is None and self.writes:
            self.put(message, last=last)
            self._connection.flush(self)

    def cancel(self, code: Code = Code.CANCELLED, why: str = "cancelled") -> None:
        """End it, if it has not ended."""
        if self.ended is None:
            self._connection.drop(self)
            self.end(Failed(code, why))

    # For the connection.

    def take(self, data: bytes) -> None:
        """What came. Raises `ValueError`."""
        self._credit(len(data))
        parts = self._parts
        parts += data
        while len(parts) >= _message.size:
            packed, size = _message.unpack_from(parts)
            if packed:
                raise ValueError("a message is compressed, which nobody asked for")
            end = _message.size + size
            if len(parts) < end:
                break
            message = bytes(parts[_message.size : end])
            del parts[:end]
            self.messages.append(message)
            self._load(len(message))
            if not self._whole:
                self._wake()

    def end(self, outcome: Failed) -> None:
        if self.ended is None:
            self.ended = outcome
            self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _load(self, size: int) -> None:
        """So many bytes more wait to be read."""
        self._loaded += size
        if self._loaded <= OWN_WINDOW // 2:
            self._credit(0)

    def _credit(self, size: int) -> None:
        """Open the window again, unless what it brought lies unread: so many bytes came."""
        self._unread += size
        if self._unread >= CREDIT and self._loaded <= OWN_WINDOW // 2 and self.ended is None:
            self._connection.credit(self.number, self._unread)
            self._unread = 0
