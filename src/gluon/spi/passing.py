"""A request passed on to another server, and its answer, as they come.

In: a request whose target and headers are bytes that nobody has looked into. Out: an answer whose body is read in parts.
`pipe` does it, `api.passing` asks for it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol

import msgspec

from gluon import errors

Headers = list[tuple[bytes, bytes]]
"""Names in lower case."""


class Unreached(errors.Unavailable):
    """Nothing of the request was sent."""


class Broken(errors.Unavailable):
    """It was sent, and no whole answer came: what became of it is not known."""


class Late(Broken):
    """None came in time."""


class Asked(msgspec.Struct, kw_only=True):
    """`target`: path and query, without the path of the server's URL. `body` in parts has the length `length`; None: in chunks."""

    method: bytes
    target: bytes
    headers: Headers
    body: bytes | AsyncIterator[bytes] | None = None
    length: int | None = None


class Answer(Protocol):
    """Of one request; `close` is called in any case."""

    @property
    def status(self) -> int: ...

    @property
    def headers(self) -> Headers: ...

    @property
    def measured(self) -> bool:
        """Its head says how long the body is."""

    @property
    def ended(self) -> bool:
        """Nothing is left to be read."""

    async def read(self) -> bytes:
        """What came of the body, empty at its end. Raises `Broken`."""

    def close(self) -> None:
        """Whoever does not read to the end costs a connection."""


class Pipe(Protocol):
    """To one server."""

    async def ask(self, asked: Asked) -> Answer:
        """Once the head of the answer is there. Raises `Unreached`, `Broken`, `Late`."""

    async def close(self) -> None:
        """Let go of connections that are idle."""
