"""The processes of one server tell each other their figures, so that any of them can tell those of all.

In: what this process tells. Out: what its siblings tell. Each listens at a socket without a file, whose name is its
supervisor's process id and its own name; only processes of the same user are heard, and asked.
"""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import structlog

from gluon.objects import codec

log = structlog.get_logger(__name__)

_PATIENCE = 1.0
_MOST = 16 * 1024 * 1024

Own = Callable[[], dict[str, Any]]


class Gathering:
    """Of a process alone: its own figures. `family`: the supervisor's id and all names, this one's among them."""

    def __init__(self, name: str, own: Own, family: tuple[int, Sequence[str]] | None = None) -> None:
        self._name = name
        self._own = own
        self._family = family

    async def all(self) -> list[dict[str, Any]]:
        """Of all processes that answer, by name."""
        if self._family is None:
            return [self._own()]
        others = [name for name in self._family[1] if name != self._name]
        told = await asyncio.gather(*(self._ask(name) for name in others))
        found = [self._own(), *(one for one in told if one is not None)]
        return sorted(found, key=lambda one: str(one["process"]))

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Tell siblings who ask."""
        if self._family is None:
            yield
            return
        server = await asyncio.start_unix_server(
            self._tell, sock=_bound(_address(self._family[0], self._name))
        )
        try:
            yield
        finally:
            server.close()

    async def _tell(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if _uid_of(writer) == os.getuid():
                writer.write(codec.encode(self._own()))
                await writer.drain()
        except OSError:
            return  # it asked and went away
        finally:
            writer.close()

    async def _ask(self, name: str) -> dict[str, Any] | None:
        if self._family is None:
            return None
        try:
            async with asyncio.timeout(_PATIENCE):
                reader, writer = await asyncio.open_unix_connection(
                    sock=_connected(_address(self._family[0], name)), limit=_MOST
                )
                try:
                    told = await reader.read(-1) if _uid_of(writer) == os.getuid() else b""
                finally:
                    writer.close()
                found: dict[str, Any] | None = codec.decode(told) if told else None
        except (OSError, TimeoutError, ValueError):
            return None  # it is being started again
        return found


def _address(supervisor: int, name: str) -> str:
    return f"\0gluon-{supervisor}-{name}"


def _bound(address: str) -> socket.socket:
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        made.bind(address)
    except OSError:
        made.close()
        raise
    return made


def _connected(address: str) -> socket.socket:
    """At once, or not at all: uvloop knows no names without a file."""
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        made.setblocking(False)
        made.connect(address)
    except OSError:
        made.close()
        raise
    return made


def _uid_of(writer: asyncio.StreamWriter) -> int:
    peer = writer.get_extra_info("socket")
    _, uid, _ = struct.unpack("3i", peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    return int(uid)
