"""What the head of an HTTP request may not be, though the parser takes it.

In: target, headers, version. Out: why it is refused, or None. What two readers could understand differently is refused:
a header twice of which only one can count, a body whose length has two words for it. Called by `short` for all
requests that are not plain; one that is refused is the last of its connection.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import unquote_to_bytes

from gluon import errors

MAX_TARGET = 48 * 1024
"""Bytes of path and query: the keys of the largest bulk delete fit."""
MAX_HEADERS = 100
MAX_SIZE = 32 * 1024
"""Bytes of all names and values."""

_ONCE = frozenset({
    b"host", b"content-length", b"content-type", b"transfer-encoding", b"x-auth-token", b"x-service-token",
    b"authorization", b"idempotency-key", b"origin", b"x-openstack-request-id",
})  # fmt: skip


def problem(target: bytes, headers: Sequence[tuple[bytes, bytes]], version: str) -> errors.Rejected | None:
    if len(target) > MAX_TARGET:
        return errors.TargetTooLong(
            f"path and query have {len(target)} bytes, at most {MAX_TARGET} are read",
            hint="ask for less at once",
        )
    size = sum(len(name) + len(value) for name, value in headers)
    if len(headers) > MAX_HEADERS or size > MAX_SIZE:
        return errors.HeadTooLarge(
            f"{len(headers)} headers have {size} bytes, at most {MAX_HEADERS} with {MAX_SIZE} are read",
            hint="send fewer headers, or a shorter token",
        )
    if version not in ("1.0", "1.1"):
        return _wrong(f"HTTP/{version} is not spoken here", "speak HTTP/1.1")
    if not _is_utf8(unquote_to_bytes(target)):
        return _wrong("path or query is no UTF-8", "percent-encode the bytes of UTF-8")
    if b"#" in target:
        return _wrong("a fragment is no part of a request", "leave out what begins with #, or write it %23")
    return _of_headers(headers, version)


def upgrade() -> errors.Rejected:
    """Of an offer of another protocol that came in pieces, so that `connection` saw none: what follows such a head is
    for the parser no body, and would be the next request."""
    return _wrong("no other protocol is spoken here", "leave Upgrade out")


def _of_headers(headers: Sequence[tuple[bytes, bytes]], version: str) -> errors.Rejected | None:
    seen: dict[bytes, bytes] = {}
    for name, value in headers:
        if not _is_utf8(value):
            return _wrong(f"the header {name.decode('latin-1')} is no UTF-8", "send ASCII")
        if name in seen and name in _ONCE:
            return _wrong(f"the header {name.decode('latin-1')} stands twice", "send it once")
        seen[name] = value
    coding = seen.get(b"transfer-encoding")
    if coding is not None and (coding.strip().lower() != b"chunked" or version == "1.0"):
        return _wrong("the transfer encoding is not understood", "send chunks, or a Content-Length")
    return None


def _is_utf8(text: bytes) -> bool:
    if text.isascii():
        return True
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def _wrong(message: str, hint: str) -> errors.Invalid:
    return errors.Invalid([errors.FieldProblem(pointer="", code="head", message=message, hint=hint)])
