"""One HTTP connection of a server: uvicorn's, with a limit of size and time for each request.

In: bytes of a client, which may be slow, endless or no HTTP. Out: ASGI events. A request that
comes in one piece, as nearly all do, costs two comparisons.
"""

from __future__ import annotations

import asyncio
import re

from gluon.api import lane, message
from gluon.cmd import repeated
from gluon.cmd.short import ShortWay

MAX_HEAD = 64 * 1024
MAX_REQUEST = 8 * 1024 * 1024
"""A body that is too large for us is still read up to here, so that its sender gets to see why."""
_SMALL = 16 * 1024
"""No head inside so many bytes is too large."""

_UPGRADE = re.compile(rb"\r\nupgrade:", re.IGNORECASE)


class Connection(ShortWay):
    """`seconds`: the time that a client has to send one whole request."""

    seconds: float
    _late: asyncio.TimerHandle | None = None
    _received: int | None = None
    """Of a request that comes in pieces, all but the first, which may hold other requests too."""

    @classmethod
    def limited(cls, seconds: float) -> type[Connection]:
        """The class of connections with this limit, as uvicorn wants it."""
        return type("LimitedConnection", (cls,), {"seconds": seconds, "heads": repeated.Heads()})

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._late = self.loop.call_later(self.seconds, self._end)

    def connection_lost(self, exc: Exception | None) -> None:
        self._on_time()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._received is None and self.repeated(data):  # a parser has read this head before
            if self._late is not None:
                self._on_time()
            return
        offers = b"pgrade:" in data or b"PGRADE:" in data
        if offers:
            # The parser takes what follows an offer of another protocol for that protocol; declined,
            # it is a body. The name is made one that means nothing, of the same length.
            data = _UPGRADE.sub(b"\r\nx-grade:", data)
        self.doubtful = len(data) > _SMALL or self._received is not None or not data.isascii()
        if offers or self._received is not None:
            super().data_received(data)
        else:
            self.received(data)
        heading = self.cycle is None or "method" not in self.scope
        if heading or self.cycle.more_body:
            self._go_on(len(data), MAX_HEAD if heading else MAX_REQUEST)
        elif self._late is not None:
            self._on_time()

    def on_message_begin(self) -> None:
        if self._late is not None:
            self._on_time()
        super().on_message_begin()

    def _go_on(self, size: int, most: int) -> None:
        """A request that is not complete yet."""
        self._received = 0 if self._received is None else self._received + size
        if self._received > most:
            self.transport.abort()
        elif self._late is None:
            self._late = self.loop.call_later(self.seconds, self._end)

    def _on_time(self) -> None:
        self._received = None
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _end(self) -> None:
        self._late = None
        if not self.transport.is_closing():
            self.transport.close()

    def send_400_response(self, msg: str) -> None:
        """Of what is no HTTP. The connection ends with it."""
        body = msg.encode()
        lines = [
            b"HTTP/1.1 400 Bad Request",
            b"%s: %s" % (lane.REQUEST_ID, message.request_id().encode()),
            b"content-type: %s" % message.TEXT,
            b"content-length: %d" % len(body),
            b"connection: close",
        ]
        self.last(b"\r\n".join([*lines, b"", body]))
