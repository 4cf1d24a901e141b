"""Heads that came before mean the same again, and nothing else is taken for one."""

from __future__ import annotations

import httptools
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gluon.cmd.repeated import Head, Heads

HEAD = b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n"
KNOWN = Head("POST", b"/a", {b"host": b"x"}, 4)


class Parsed:
    """What the parser makes of bytes: each message's target and body."""

    def __init__(self, data: bytes) -> None:
        self.messages: list[tuple[bytes, bytes]] = []
        self._target = self._body = b""
        httptools.HttpRequestParser(self).feed_data(data)

    def on_message_begin(self) -> None:
        self._target = self._body = b""

    def on_url(self, url: bytes) -> None:
        self._target += url

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        self.messages.append((self._target, self._body))


def kept(data: bytes = HEAD + b"body", body: bytes = b"body") -> Heads:
    heads = Heads()
    heads.keep(data, KNOWN, body)
    return heads


def test_the_same_head_with_another_body_is_found() -> None:
    assert kept().find(HEAD + b"more") == (KNOWN, b"more")


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(HEAD + b"bod", id="a body that is not whole"),
        pytest.param(HEAD + b"body" + HEAD, id="another request behind it"),
        pytest.param(HEAD.replace(b"/a", b"/b") + b"body", id="another target"),
        pytest.param(HEAD[:-2], id="a head that is not whole"),
        pytest.param(b"", id="nothing"),
        pytest.param(b"\r\n" + HEAD + b"body", id="an empty line before"),
    ],
)
def test_other_bytes_are_not_found(data: bytes) -> None:
    assert kept().find(data) is None


@pytest.mark.parametrize(
    ("data", "body"),
    [
        pytest.param(HEAD + b"body", b"other", id="the parser saw another body"),
        pytest.param(HEAD.replace(b"x\r\n", b"x\n") + b"body", b"body", id="a line that ends its own way"),
        pytest.param(
            HEAD.replace(b"Host", b"H" * 3000) + b"body", b"body", id="a head longer than is worth it"
        ),
    ],
)
def test_a_head_that_may_end_elsewhere_is_not_kept(data: bytes, body: bytes) -> None:
    heads = kept(data, body)
    assert heads.find(data) is None


def test_only_so_many_are_kept() -> None:
    heads = Heads()
    for n in range(3000):
        heads.keep(b"GET /%d HTTP/1.1\r\n\r\n" % n, Head("GET", b"/%d" % n, {}, 0), b"")
    found = [n for n in range(3000) if heads.find(b"GET /%d HTTP/1.1\r\n\r\n" % n) is not None]
    assert 1 <= len(found) <= 1000
    assert found[-1] == 2999


@given(
    lines=st.lists(
        st.sampled_from(
            [b"Host: x", b"Content-Length: 4", b"X: a\nY: b", b"X:\r", b"", b"\n", b"A: \x00", b"B:c"]
        ),
        max_size=6,
    ),
    body=st.sampled_from([b"", b"body", b"\r\n\r\n", b"a\r\n\r\nbody", b"\n\n\r\n\r\n"]),
    other=st.sampled_from([b"", b"more", b"\r\n\r\n", b"GET ", b"{}{}"]),
)
def test_what_is_found_is_what_the_parser_says(lines: list[bytes], body: bytes, other: bytes) -> None:
    data = b"\r\n".join([b"POST /a HTTP/1.1", *lines, b"", b""]) + body
    try:
        messages = Parsed(data).messages
    except httptools.HttpParserError:
        return
    if len(messages) != 1:
        return
    target, read = messages[0]
    heads = Heads()
    heads.keep(data, Head("POST", target, {}, len(read)), read)
    again = data[: len(data) - len(read)] + other
    found = heads.find(again)
    if found is not None:
        assert Parsed(again).messages == [(found[0].target, found[1])]
