"""One connection of HTTP/2 (RFC 9113) to a server that speaks gRPC: streams of messages, both ways.

In: an open transport. Out: `Stream`s, each with its messages and how it ended. Invariants: a stream ends once, with a
status; what was not sent is `Code.UNAVAILABLE`, as is all that was under way when the connection broke; who reads slowly is
sent no more than a window, and holds up nobody else. Everything happens on one event loop. Used by `channel`.

It stands here because gRPC's own client passes each message through two threads: a write and the event that follows cost
a process 0.8 ms of CPU by it, and 0.3 by this.
"""

from __future__ import annotations

import asyncio
from collections import deque
from struct import Struct
from typing import cast

from gluon.kv import hpack
from gluon.kv.outcome import Code, Failed, of_reset, of_trailers
from gluon.kv.stream import CREDIT, OWN_WINDOW, Stream

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_DATA, _HEADERS, _RESET, _SETTINGS, _PING, _GOAWAY, _WINDOW, _CONTINUATION = 0, 1, 3, 4, 6, 7, 8, 9
_END_STREAM, _ACK, _END_HEADERS, _PADDED, _PRIORITY = 1, 1, 4, 8, 32
_TABLE_SIZE, _PUSH, _MOST_STREAMS, _FIRST_WINDOW, _LARGEST_FRAME = 1, 2, 3, 4, 5
_CANCEL = 8

_DEFAULT_WINDOW = 65535
_SHARED_WINDOW = 2**31 - 1
_LAST_STREAM = 2**31 - 1
_LARGEST_OWN_FRAME = 16384

_head = Struct(">HBBBI")
_setting = Struct(">HI")
_number = Struct(">I")


def frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    size = len(payload)
    return _head.pack(size >> 8, size & 255, kind, flags, stream) + payload


class Connection(asyncio.Protocol):
    """`opened` is done when the server has said that it speaks HTTP/2; it fails with `Failed`."""

    def __init__(self, *, secure: bool, authority: str) -> None:
        loop = asyncio.get_running_loop()
        self.opened: asyncio.Future[None] = loop.create_future()
        self.heard = 0
        """Grows with whatever comes."""
        scheme = b"\x87" if secure else b"\x86"
        self._common = b"\x83" + scheme
        self._always = hpack.encode(
            ((":authority", authority), ("te", "trailers"), ("content-type", "application/grpc"))
        )
        self._transport: asyncio.WriteTransport | None = None
        self._buffer = b""
        self._streams: dict[int, Stream] = {}
        self._waiting: deque[Stream] = deque()
        self._next = 1
        self._leaving = False
        self._block: tuple[int, int, bytes] | None = None
        self._received = 0
        # What the server lets us do.
        self._window = _DEFAULT_WINDOW
        self._first_window = _DEFAULT_WINDOW
        self._largest_frame = _LARGEST_OWN_FRAME
        self._most_streams = _LAST_STREAM

    @property
    def usable(self) -> bool:
        """Whether a new stream may begin."""
        return self._transport is not None and not self._leaving and self.opened.done()

    @property
    def stands(self) -> bool:
        return self._transport is not None

    @property
    def leaving(self) -> bool:
        """Whether it ends with what is under way."""
        return self._leaving

    @property
    def busy(self) -> bool:
        return bool(self._streams)

    def open(self, path: str, headers: tuple[tuple[str, str], ...] = (), only: bytes | None = None) -> Stream:
        """A new stream. `only`: the one message that is sent; it goes in one piece with the headers, for which the server wakes once."""
        block = self._common + hpack.encode(((":path", path),)) + self._always + hpack.encode(headers)
        stream = Stream(self, block)
        if only is not None:
            stream.put(only, last=True)
        if not self.usable:
            stream.end(Failed(Code.UNAVAILABLE, "the connection is closed"))
        elif len(self._streams) >= self._most_streams or self._waiting:
            self._waiting.append(stream)
        else:
            self._begin(stream)
        return stream

    def ping(self) -> None:
        self._write(frame(_PING, 0, 0, bytes(8)))

    def close(self, why: str = "the connection was closed") -> None:
        """At once; what is under way fails."""
        transport, self._transport = self._transport, None
        if transport is not None:
            transport.abort()
        self._fail(why)

    # For streams.

    def flush(self, stream: Stream, head: bytes = b"") -> None:
        """Send of its outbox what the server has room for, behind `head`."""
        if not stream.number:
            return
        box, sent = stream.outbox, [head] if head else []
        while box:
            size = min(len(box), self._window, stream.window, self._largest_frame)
            if size <= 0:
                break
            part = bytes(box[:size])
            del box[:size]
            self._window -= size
            stream.window -= size
            sent.append(frame(_DATA, 0 if box or stream.writes else _END_STREAM, stream.number, part))
        if sent:
            self._write(b"".join(sent))

    def drop(self, stream: Stream) -> None:
        """Tell the server that nobody wants this any more."""
        if not stream.number:
            if stream in self._waiting:
                self._waiting.remove(stream)
        elif self._streams.pop(stream.number, None) is not None:
            self._write(frame(_RESET, 0, stream.number, _number.pack(_CANCEL)))
            self._after_end()

    def credit(self, number: int, size: int) -> None:
        if number in self._streams:
            self._write(frame(_WINDOW, 0, number, _number.pack(size)))

    def _begin(self, stream: Stream) -> None:
        stream.number, self._next = self._next, self._next + 2
        self._leaving = self._leaving or self._next > _LAST_STREAM
        stream.window = self._first_window
        self._streams[stream.number] = stream
        self.flush(stream, frame(_HEADERS, _END_HEADERS, stream.number, stream.headers))

    def _end(self, number: int, outcome: Failed) -> None:
        stream = self._streams.pop(number, None)
        if stream is not None:
            stream.end(outcome)
            self._after_end()

    def _after_end(self) -> None:
        """There is room for one that waits, or nothing is left of a connection that ends."""
        while self._waiting and not self._leaving and len(self._streams) < self._most_streams:
            self._begin(self._waiting.popleft())
        if self._leaving and not self._streams:
            self.close()

    def _fail(self, why: str) -> None:
        outcome = Failed(Code.UNAVAILABLE, why)
        streams, self._streams = list(self._streams.values()), {}
        streams += self._waiting
        self._waiting.clear()
        for stream in streams:
            stream.end(outcome)
        if not self.opened.done():
            self.opened.set_exception(outcome)
            self.opened.exception()  # perhaps nobody waits

    # `asyncio.Protocol`.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)
        wanted = ((_TABLE_SIZE, hpack.TABLE_SIZE), (_PUSH, 0), (_FIRST_WINDOW, OWN_WINDOW))
        settings = b"".join(_setting.pack(name, value) for name, value in wanted)
        more = _number.pack(_SHARED_WINDOW - _DEFAULT_WINDOW)
        self._write(_PREFACE + frame(_SETTINGS, 0, 0, settings) + frame(_WINDOW, 0, 0, more))

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        self._fail(str(error) if error else "the server closed the connection")

    def data_received(self, data: bytes) -> None:
        self.heard += 1
        data = self._buffer + data if self._buffer else data
        at, end = 0, len(data)
        try:
            while end - at >= _head.size:
                high, low, kind, flags, number = _head.unpack_from(data, at)
                size = high << 8 | low
                if size > _LARGEST_OWN_FRAME:
                    raise ValueError(f"a frame of {size} bytes")
                begin = at + _head.size
                if end - begin < size:
                    break
                at = begin + size
                self._take(kind, flags, number & _LAST_STREAM, data[begin:at])
        except (ValueError, IndexError) as error:
            self.close(f"the server does not speak gRPC as we do: {error}")
        self._buffer = data[at:]

    def _take(self, kind: int, flags: int, number: int, payload: bytes) -> None:
        """One frame. Raises `ValueError`, `IndexError`."""
        if kind == _DATA:
            self._take_data(flags, number, payload)
        elif kind == _HEADERS:
            self._take_headers(flags, number, _unpadded(flags, payload, 5 if flags & _PRIORITY else 0))
        elif kind == _CONTINUATION and self._block is not None and self._block[0] == number:
            self._take_headers(flags | self._block[1], number, self._block[2] + payload)
        elif kind == _SETTINGS:
            self._take_settings(flags, payload)
        elif kind == _WINDOW:
            self._take_window(number, int.from_bytes(payload[:4], "big") & _LAST_STREAM)
        elif kind == _PING and not flags & _ACK:
            self._write(frame(_PING, _ACK, 0, payload))
        elif kind == _RESET:
            self._end(number, of_reset(int.from_bytes(payload[:4], "big")))
        elif kind == _GOAWAY:
            self._take_goaway(int.from_bytes(payload[:4], "big") & _LAST_STREAM, payload[8:])

    def _take_data(self, flags: int, number: int, payload: bytes) -> None:
        self._received += len(payload)
        if self._received >= CREDIT:
            self._write(frame(_WINDOW, 0, 0, _number.pack(self._received)))
            self._received = 0
        stream = self._streams.get(number)
        if stream is not None:
            stream.take(_unpadded(flags, payload, 0))
            if flags & _END_STREAM:
                self._end(number, Failed(Code.INTERNAL, "the server ended a call without a status"))

    def _take_headers(self, flags: int, number: int, block: bytes) -> None:
        if not flags & _END_HEADERS:
            self._block = number, flags & _END_STREAM, block
            return
        self._block = None
        if not flags & _END_STREAM:
            return  # the messages follow, and what comes after them counts
        self._end(number, of_trailers(dict(hpack.decode(block))))

    def _take_settings(self, flags: int, payload: bytes) -> None:
        if flags & _ACK:
            return
        for at in range(0, len(payload) - 5, 6):
            name, value = _setting.unpack_from(payload, at)
            if name == _FIRST_WINDOW:
                more, self._first_window = value - self._first_window, value
                for stream in self._streams.values():
                    stream.window += more
            elif name == _LARGEST_FRAME:
                self._largest_frame = value
            elif name == _MOST_STREAMS:
                self._most_streams = value
        self._write(frame(_SETTINGS, _ACK, 0, b""))
        if not self.opened.done():
            self.opened.set_result(None)
        for stream in list(self._streams.values()):
            self.flush(stream)

    def _take_window(self, number: int, size: int) -> None:
        if not number:
            self._window += size
            for stream in list(self._streams.values()):
                self.flush(stream)
        elif number in self._streams:
            stream = self._streams[number]
            stream.window += size
            self.flush(stream)

    def _take_goaway(self, last: int, why: bytes) -> None:
        """The server ends the connection, once what it has taken is done."""
        self._leaving = True
        outcome = Failed(Code.UNAVAILABLE, f"the server leaves: {why.decode(errors='replace')[:200]}")
        for number in [n for n in self._streams if n > last]:
            self._streams.pop(number).end(outcome)
        while self._waiting:
            self._waiting.popleft().end(outcome)
        self._after_end()

    def _write(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)


def _unpadded(flags: int, payload: bytes, skipped: int) -> bytes:
    if flags & _PADDED:
        return payload[1 + skipped : len(payload) - payload[0]]
    return payload[skipped:] if skipped else payload
