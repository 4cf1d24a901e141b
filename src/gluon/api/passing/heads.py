"""Headers of requests and answers that are passed on, and what of their paths says whose they are.

In: an ASGI scope, or the headers of an answer. Out: what the other side gets. Headers of one connection stay there (RFC 9110,
section 7.6.1); `Host` goes on as the client wrote it, so that links in answers lead back here. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import unquote

from gluon.api import message
from gluon.spi.passing import Headers

Scope = dict[str, Any]

NAME = b"gluon"
_PREFIX = b"/networking"
_SUFFIX = ".json"
_VIA = b"via"
_FOR, _PROTO = b"x-forwarded-for", b"x-forwarded-proto"
_OF_ONE_CONNECTION = frozenset({
    b"connection", b"keep-alive", b"proxy-connection", b"te", b"trailer", b"transfer-encoding", b"upgrade",
})  # fmt: skip
_OURS = _OF_ONE_CONNECTION | {b"content-length", b"expect", b"x-grade", message.PEER, _FOR, _VIA}
_ANSWERED = _OF_ONE_CONNECTION | {b"date"}
"""Our server dates its answers itself."""
_BODILESS = frozenset({204, 304})
_OF_THE_WHOLE = frozenset({b"accept-encoding", b"if-none-match", b"if-modified-since", b"range"})
"""Of an answer as it is sent: what is put together here is another."""


def of_request(scope: Scope) -> Headers:
    """The headers of a request for Neutron, without those of its body."""
    given: Sequence[tuple[bytes, bytes]] = scope["headers"]
    named = _named(given)
    sent, proto = [], False
    through, clients = [], []
    for name, value in given:
        if name == _VIA:
            through.append(value)
        elif name == _FOR:
            clients.append(value)
        elif name not in _OURS and name not in named:
            sent.append((name, value))
            proto = proto or name == _PROTO
    client = scope.get("client")
    if client:
        clients.append(client[0].encode("ascii"))
    sent.append((_VIA, b", ".join((*through, b"1.1 " + NAME))))
    if clients:
        sent.append((_FOR, b", ".join(clients)))
    if not proto:
        sent.append((_PROTO, str(scope.get("scheme", "http")).encode("ascii")))
    return sent


def for_a_list(headers: Headers) -> Headers:
    """The same where the answer is read here."""
    return [pair for pair in headers if pair[0] not in _OF_THE_WHOLE]


def comes_back(scope: Scope) -> bool:
    """It was here before: what stands as Neutron leads to Gluon."""
    return any(name == _VIA and NAME in value.replace(b",", b" ").split() for name, value in scope["headers"])


def of_answer(given: Headers, status: int = 0) -> Headers:
    """A length that is said of no body is that of another answer: our server would wait for it."""
    named = _named(given)
    if status in _BODILESS:
        named |= {b"content-length"}
    return [pair for pair in given if pair[0] not in _ANSWERED and pair[0] not in named]


def _named(given: Iterable[tuple[bytes, bytes]]) -> frozenset[bytes]:
    """What `Connection` names is of one connection too."""
    found = [value for name, value in given if name == b"connection"]
    return frozenset(part.strip().lower() for value in found for part in value.split(b","))


def target(scope: Scope) -> bytes:
    """Path and query as they came, without the prefix that Neutron does not know."""
    raw: bytes = (scope.get("raw_path") or scope["path"].encode()).partition(b"?")[0]
    if raw.startswith(_PREFIX) and raw[len(_PREFIX) : len(_PREFIX) + 1] in (b"", b"/"):
        raw = raw[len(_PREFIX) :] or b"/"
    query: bytes = scope["query_string"]
    return raw + b"?" + query if query else raw


def place(scope: Scope) -> str:
    """The URL of what is asked for, as its client knows it, without the query."""
    given = dict(scope["headers"])
    scheme = given.get(_PROTO, str(scope.get("scheme", "http")).encode("ascii")).decode("latin-1")
    host = given.get(b"host", b"localhost").decode("latin-1")
    raw: bytes = (scope.get("raw_path") or scope["path"].encode()).partition(b"?")[0]
    return f"{scheme}://{host}{raw.decode('latin-1')}"


def names(raw: bytes) -> tuple[str, ...]:
    """The segments of a target, as Neutron reads them: none is empty, and `.json` at the end says nothing."""
    text = raw.partition(b"?")[0].decode("latin-1")
    parts = [unquote(part, errors="replace") for part in text.split("/") if part]
    if parts and len(parts) > 1 and parts[-1].endswith(_SUFFIX):
        parts[-1] = parts[-1].removesuffix(_SUFFIX)
    return tuple(parts)
