"""A request as handlers see it and a reply as the server sends it: plain data, no framework."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field

from gluon.spi import policy

JSON = b"application/json"
TEXT = b"text/plain; charset=utf-8"

Headers = Sequence[tuple[bytes, bytes]]


@dataclass(slots=True, kw_only=True)
class Request:
    """`path` holds the decoded segments; `headers` are lower-case names; `body` the whole body."""

    method: str
    path: tuple[str, ...]
    query: bytes
    headers: dict[bytes, bytes]
    caller: policy.Caller
    id: str
    body: bytes = b""


@dataclass(slots=True)
class Reply:
    """`body` None: no content."""

    status: int
    body: bytes | None = None
    content_type: bytes = JSON
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)


def request_id() -> str:
    """A new request id in OpenStack's form."""
    raw = os.urandom(16).hex()
    return f"req-{raw[:8]}-{raw[8:12]}-{raw[12:16]}-{raw[16:20]}-{raw[20:]}"
