"""The connection to etcd against a server that is played byte by byte: no socket, no time."""

import asyncio
from collections.abc import Callable, Coroutine
from struct import pack, unpack
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gluon.kv import hpack, stream
from gluon.kv.http2 import Connection, frame
from gluon.kv.outcome import Code, Failed

DATA, HEADERS, RESET, SETTINGS, PING, GOAWAY, WINDOW, CONTINUATION = 0, 1, 3, 4, 6, 7, 8, 9
FIRST = hpack.encode(((":status", "200"), ("content-type", "application/grpc")))
LAST = hpack.encode((("grpc-status", "0"),))
Play = Callable[["Server"], Coroutine[Any, Any, None]]


class Server(asyncio.Transport):
    """Keeps what was sent to it, and is the transport of the connection."""

    def __init__(self, *settings: tuple[int, int]) -> None:
        super().__init__()
        self.sent, self.writes = b"", 0
        self.aborted = False
        self.connection = Connection(secure=False, authority="etcd:2379")
        self.connection.connection_made(self)
        self.say(SETTINGS, 0, 0, b"".join(pack(">HI", *one) for one in settings))

    def write(self, data: Any) -> None:
        self.sent += bytes(data)
        self.writes += 1

    def abort(self) -> None:
        self.aborted = True

    def say(self, kind: int, flags: int, number: int, payload: bytes = b"") -> None:
        self.connection.data_received(frame(kind, flags, number, payload))

    def answer(self, number: int, message: bytes) -> None:
        self.say(HEADERS, 4, number, FIRST)
        self.say(DATA, 0, number, packed(message))
        self.say(HEADERS, 5, number, LAST)

    def frames(self, kind: int) -> list[tuple[int, int, bytes]]:
        """Flags, stream and payload of those that were sent so far."""
        rest, found = self.sent.removeprefix(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), []
        while rest:
            high, low, of_kind, flags, number = unpack(">HBBBI", rest[:9])
            size = high << 8 | low
            if of_kind == kind:
                found.append((flags, number, rest[9 : 9 + size]))
            rest = rest[9 + size :]
        return found

    def data(self, number: int) -> bytes:
        return b"".join(payload for _, of, payload in self.frames(DATA) if of == number)


def packed(message: bytes) -> bytes:
    return b"\0" + pack(">I", len(message)) + message


async def ended(call: stream.Stream) -> Failed:
    with pytest.raises(Failed) as caught:
        while await call.read() is not None:
            pass
    return caught.value


async def test_a_call_is_sent_and_answered() -> None:
    server = Server()
    call = server.connection.open("/etcdserverpb.KV/Range", (("token", "t" * 500),))
    call.send(b"request", last=True)
    ((flags, number, block),) = server.frames(HEADERS)
    assert (flags, number) == (4, 1)
    assert dict(hpack.decode(block)) == {
        ":method": "POST",
        ":scheme": "http",
        ":path": "/etcdserverpb.KV/Range",
        ":authority": "etcd:2379",
        "te": "trailers",
        "content-type": "application/grpc",
        "token": "t" * 500,
    }
    assert server.frames(DATA) == [(1, 1, packed(b"request"))]
    server.answer(1, b"answer")
    assert await call.answer() == b"answer"
    assert not server.connection.busy


async def test_a_call_of_one_message_is_sent_in_one_piece() -> None:
    """What comes in two wakes the server twice."""
    server = Server()
    before = server.writes
    call = server.connection.open("/etcdserverpb.KV/Range", (), b"request")
    assert server.writes == before + 1
    assert [number for _, number, _ in server.frames(HEADERS)] == [1]
    assert server.frames(DATA) == [(1, 1, packed(b"request"))]
    server.answer(1, b"answer")
    assert await call.answer() == b"answer"


async def test_an_error_is_told_in_its_own_words() -> None:
    server = Server()
    call = server.connection.open("/p")
    server.say(HEADERS, 5, 1, hpack.encode((("grpc-status", "11"), ("grpc-message", "a%20b%C3%A9"))))
    failed = await ended(call)
    assert (failed.code, failed.details) == (Code.OUT_OF_RANGE, "a bé")


@pytest.mark.parametrize(
    ("kind", "flags", "payload", "code"),
    [
        (RESET, 0, pack(">I", 7), Code.UNAVAILABLE),
        (RESET, 0, pack(">I", 8), Code.CANCELLED),
        (RESET, 0, pack(">I", 11), Code.RESOURCE_EXHAUSTED),
        (RESET, 0, pack(">I", 2), Code.INTERNAL),
        (HEADERS, 5, hpack.encode(((":status", "503"),)), Code.UNAVAILABLE),
        (HEADERS, 5, hpack.encode(((":status", "200"),)), Code.UNKNOWN),
        (HEADERS, 5, hpack.encode((("grpc-status", "99"),)), Code.UNKNOWN),
        (DATA, 1, b"", Code.INTERNAL),
    ],
)
async def test_ends_that_are_no_answer(kind: int, flags: int, payload: bytes, code: Code) -> None:
    server = Server()
    call, other = server.connection.open("/p"), server.connection.open("/q")
    server.say(kind, flags, 1, payload)
    assert (await ended(call)).code is code
    server.answer(3, b"x")
    assert await other.answer() == b"x"


async def test_an_answer_without_a_message_is_none() -> None:
    server = Server()
    call = server.connection.open("/p")
    server.say(HEADERS, 5, 1, LAST)
    with pytest.raises(Failed):
        await call.answer()


async def test_a_large_request_waits_for_room() -> None:
    server = Server((4, 100), (5, 16384))
    call = server.connection.open("/p")
    request = bytes(range(256)) * 400
    call.send(request, last=True)
    assert server.data(1) == packed(request)[:100]
    server.say(WINDOW, 0, 1, pack(">I", 2**20))
    assert server.data(1) == packed(request)[:65535], "the connection has a window of its own"
    server.say(WINDOW, 0, 0, pack(">I", 2**20))
    assert server.data(1) == packed(request)
    assert [flags for flags, _, _ in server.frames(DATA)][-1] == 1
    assert max(len(payload) for _, _, payload in server.frames(DATA)) <= 16384


async def test_a_window_that_grows_by_a_setting_lets_requests_go() -> None:
    server = Server((4, 10))
    call = server.connection.open("/p")
    call.send(b"x" * 50, last=True)
    assert len(server.data(1)) == 10
    server.say(SETTINGS, 0, 0, pack(">HI", 4, 100))
    assert server.data(1) == packed(b"x" * 50)


async def test_more_calls_than_the_server_wants_wait() -> None:
    server = Server((3, 1))
    calls = [server.connection.open("/p") for _ in range(3)]
    for call in calls:
        call.send(b"x", last=True)
    assert len(server.frames(HEADERS)) == 1
    calls[1].cancel()
    server.answer(1, b"1")
    assert await calls[0].answer() == b"1"
    assert [number for _, number, _ in server.frames(DATA)] == [1, 3]
    server.answer(3, b"3")
    assert await calls[2].answer() == b"3"
    assert (await ended(calls[1])).code is Code.CANCELLED


async def test_a_cancelled_call_is_told_and_what_comes_late_is_dropped() -> None:
    server = Server()
    call = server.connection.open("/p")
    call.cancel()
    call.cancel()
    assert server.frames(RESET) == [(0, 1, pack(">I", 8))]
    server.answer(1, b"late")
    assert (await ended(call)).code is Code.CANCELLED


async def test_a_server_that_leaves_ends_what_it_took() -> None:
    server = Server()
    first, second = server.connection.open("/p"), server.connection.open("/q")
    server.say(GOAWAY, 0, 0, pack(">II", 1, 0) + b"bye")
    assert not server.connection.usable
    assert "bye" in (await ended(second)).details
    assert (await ended(server.connection.open("/r"))).code is Code.UNAVAILABLE
    assert not server.aborted
    server.answer(1, b"x")
    assert await first.answer() == b"x"
    assert server.aborted


async def test_all_calls_end_with_their_connection() -> None:
    server = Server((3, 1))
    calls = [server.connection.open("/p") for _ in range(2)]
    server.connection.connection_lost(None)
    assert [(await ended(call)).code for call in calls] == [Code.UNAVAILABLE] * 2
    assert not server.connection.usable
    calls[0].send(b"x")
    calls[0].cancel()


async def test_a_ping_is_answered() -> None:
    server = Server()
    server.say(PING, 0, 0, b"12345678")
    assert server.frames(PING) == [(1, 0, b"12345678")]
    server.say(PING, 1, 0, bytes(8))
    assert len(server.frames(PING)) == 1


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 400 Bad Request\r\n\r\n" + bytes(40),
        frame(HEADERS, 5, 1, b"\xbe"),
        frame(DATA, 0, 1, b"\1" + bytes(9)),
        frame(DATA, 8, 1, b""),
    ],
)
async def test_what_is_not_what_we_speak_ends_the_connection(data: bytes) -> None:
    server = Server()
    call = server.connection.open("/p")
    server.connection.data_received(data)
    assert server.aborted
    assert (await ended(call)).code is Code.UNAVAILABLE


async def test_a_connection_opens_when_the_server_has_spoken() -> None:
    silent = Connection(secure=True, authority="x")
    assert not silent.usable
    silent.connection_lost(OSError("refused"))
    with pytest.raises(Failed, match="refused"):
        await silent.opened


async def test_who_reads_slowly_is_sent_no_more_and_then_goes_on() -> None:
    server = Server()
    call = server.connection.open("/p")
    message = bytes(2**14 - 5)
    for _ in range(stream.OWN_WINDOW // 2**14):
        server.say(DATA, 0, 1, packed(message))
    opened = sum(unpack(">I", payload)[0] for _, number, payload in server.frames(WINDOW) if number == 1)
    assert opened <= stream.OWN_WINDOW // 2
    for _ in range(stream.OWN_WINDOW // 2**14):
        assert await call.read() == message
    opened = sum(unpack(">I", payload)[0] for _, number, payload in server.frames(WINDOW) if number == 1)
    assert opened > stream.OWN_WINDOW - stream.CREDIT
    shared = sum(unpack(">I", payload)[0] for _, number, payload in server.frames(WINDOW) if number == 0)
    assert shared >= 2**31 - 1 - 65535 + stream.OWN_WINDOW - stream.CREDIT, "nobody else is held up"


async def test_a_message_larger_than_the_window_arrives() -> None:
    server = Server()
    call = server.connection.open("/p")
    whole = packed(bytes(stream.OWN_WINDOW + 2**20))
    for at in range(0, len(whole), 2**14):
        server.say(DATA, 0, 1, whole[at : at + 2**14])
    opened = sum(unpack(">I", payload)[0] for _, number, payload in server.frames(WINDOW) if number == 1)
    assert opened >= 2**20
    assert await call.read() == whole[5:]


@settings(deadline=None)
@given(
    cuts=st.lists(st.integers(1, 400), max_size=20),
    messages=st.lists(st.binary(max_size=40), max_size=5),
    padding=st.integers(0, 20),
)
def test_it_does_not_matter_how_bytes_are_cut(cuts: list[int], messages: list[bytes], padding: int) -> None:
    async def play() -> None:
        server = Server()
        call = server.connection.open("/p")
        pad, text = bytes((padding,)), b"".join(packed(one) for one in messages)
        parts = [text[at : at + 7] for at in range(0, len(text), 7)]
        sent = frame(HEADERS, 8 | 32, 1, pad + bytes(5) + FIRST[:5] + bytes(padding))
        sent += frame(CONTINUATION, 4, 1, FIRST[5:]) + frame(99, 0, 1, b"of a later version")
        sent += b"".join(frame(DATA, 8, 1, pad + part + bytes(padding)) for part in parts)
        sent += frame(HEADERS, 1, 1, LAST[:3]) + frame(CONTINUATION, 4, 1, LAST[3:])
        for cut in (*cuts, len(sent)):
            server.connection.data_received(sent[:cut])
            sent = sent[cut:]
        assert [await call.read() for _ in messages] == messages
        assert await call.read() is None

    asyncio.run(play())
