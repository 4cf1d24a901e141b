"""URLs of servers (RFC 3986). One with a name and a password in it is none: it would be told in logs and refusals."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit


def of_server(text: str, *, like: str) -> SplitResult:
    """The parts of an `http` or `https` URL, with a host and perhaps a port. Raises `ValueError`, which tells no password."""
    if "@" in text:
        raise ValueError("what has an @ in it is no URL of a server: names and passwords are no part of one")
    try:
        parts = urlsplit(text)
        good = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError as error:
        raise ValueError(f"{text!r} is no URL of a server: {error}") from None
    if not good:
        raise ValueError(f"{text!r} is no URL of a server such as {like}")
    return parts
