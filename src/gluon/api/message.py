"""A request as handlers see it and a reply as the server sends it: plain data, no framework."""

from __future__ import annotations

import itertools
import re
import uuid

import msgspec

from gluon.spi import context, policy

JSON = b"application/json"
TEXT = b"text/plain; charset=utf-8"
PEER = b":peer"
"""Under this name the headers of a request have the address of its connection; no client can send such a name."""

_PROCESS = f"req-{str(uuid.uuid4())[:24]}"
_NUMBERS = itertools.count(1)


class Request(msgspec.Struct, kw_only=True):
    """`path` holds the decoded segments; `headers` are lower-case names; `body` the whole body.

    `modern`: for a proton of version 2.0 or later, whose refusals are problem details and nothing else.
    """

    method: str
    path: tuple[str, ...]
    query: bytes
    headers: dict[bytes, bytes]
    caller: policy.Caller
    id: str
    body: bytes = b""
    modern: bool = False


class Reply(msgspec.Struct):
    """`body` None: no content."""

    status: int
    body: bytes | None = None
    content_type: bytes = JSON
    headers: list[tuple[bytes, bytes]] = msgspec.field(default_factory=list)


def request_id() -> str:
    """A new request id in OpenStack's form: most of it is the process's, drawn at its start, the end counts."""
    return f"{_PROCESS}{next(_NUMBERS):012x}"


_GIVEN = re.compile(rb"req-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}").fullmatch
TRUSTED = frozenset({"admin", "service"})
"""Roles of services, which pass on the id that a request had where it began."""


def note_global(given: bytes, caller: policy.Caller) -> None:
    """Keep the id that a trusted service gave a request; anything else by this name counts for nothing."""
    if (caller.admin or not TRUSTED.isdisjoint(caller.roles)) and _GIVEN(given):
        context.GLOBAL.set(given.decode())
