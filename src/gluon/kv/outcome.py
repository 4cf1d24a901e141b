"""How a call over gRPC ends: a code and what the server said. Used by `http2`, `channel` and `rpcs`."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from urllib.parse import unquote


class Code(IntEnum):
    """gRPC's."""

    OK = 0
    CANCELLED = 1
    UNKNOWN = 2
    INVALID_ARGUMENT = 3
    DEADLINE_EXCEEDED = 4
    NOT_FOUND = 5
    ALREADY_EXISTS = 6
    PERMISSION_DENIED = 7
    RESOURCE_EXHAUSTED = 8
    FAILED_PRECONDITION = 9
    ABORTED = 10
    OUT_OF_RANGE = 11
    UNIMPLEMENTED = 12
    INTERNAL = 13
    UNAVAILABLE = 14
    DATA_LOSS = 15
    UNAUTHENTICATED = 16


class Failed(Exception):
    """A call that ended otherwise than with its answer. No error of gRPC leaves this room: `rpcs.bus_error`."""

    def __init__(self, code: Code, details: str) -> None:
        super().__init__(details)
        self.code = code
        self.details = details

    def again(self) -> Failed:
        """The same, for one more who waits for it."""
        return Failed(self.code, self.details)


_RESETS = {
    7: (Code.UNAVAILABLE, "the server did not take the call"),
    8: (Code.CANCELLED, "the server gave the call up"),
    11: (Code.RESOURCE_EXHAUSTED, "the server has too much to do"),
    12: (Code.PERMISSION_DENIED, "the connection is not safe enough"),
}
_HTTP = {
    "401": Code.UNAUTHENTICATED,
    "403": Code.PERMISSION_DENIED,
    "404": Code.UNIMPLEMENTED,
    "429": Code.UNAVAILABLE,
    "502": Code.UNAVAILABLE,
    "503": Code.UNAVAILABLE,
    "504": Code.UNAVAILABLE,
}


def of_reset(error: int) -> Failed:
    """Of a stream that the server broke off with this error of HTTP/2."""
    return Failed(*_RESETS.get(error, (Code.INTERNAL, f"the server broke the call off: error {error}")))


def of_trailers(headers: Mapping[str, str]) -> Failed:
    """Of the last headers of a stream."""
    said = headers.get("grpc-status")
    if said is None:
        status = headers.get(":status", "none")
        return Failed(_HTTP.get(status, Code.UNKNOWN), f"an answer that is not gRPC's, HTTP status {status}")
    try:
        code = Code(int(said))
    except ValueError:
        code = Code.UNKNOWN
    return Failed(code, unquote(headers.get("grpc-message", "")))
