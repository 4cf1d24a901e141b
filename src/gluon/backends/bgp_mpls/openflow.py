"""Does ovs-vswitchd live? An idle OpenFlow connection to a bridge tells at once.

vswitchd starts without flows, and its database shows no difference between a start and a
restart; its connections end with it. Called by `ovs`.
"""

from __future__ import annotations

import asyncio
import struct
from pathlib import Path

from gluon.errors import TryLater

_VERSION = 6  # OpenFlow 1.5
_HELLO, _ERROR, _ECHO_REQUEST, _ECHO_REPLY = range(4)
_HEADER = struct.Struct("!BBHI")  # version, type, length, transaction


class SwitchGone(TryLater):
    """ovs-vswitchd does not answer, or has no such bridge."""


class SwitchConnection:
    """An idle OpenFlow connection. Made by `connect_switch`."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def wait_gone(self) -> None:
        """Return when the switch ended (or removed the bridge)."""
        try:
            while True:
                await self._answer(*await _receive(self._reader))
        except (OSError, asyncio.IncompleteReadError):
            return
        finally:
            self.close()

    async def _answer(self, kind: int, transaction: int, body: bytes) -> None:
        if kind == _ECHO_REQUEST:
            self._writer.write(_message(_ECHO_REPLY, transaction, body))
            await self._writer.drain()

    def close(self) -> None:
        self._writer.close()


async def connect_switch(socket: Path, *, timeout: float = 5.0) -> SwitchConnection:
    """Connect to a bridge's management socket. Raises `SwitchGone`."""
    try:
        async with asyncio.timeout(timeout):
            reader, writer = await asyncio.open_unix_connection(socket)
            try:
                writer.write(_message(_HELLO, 1))
                kind, _, body = await _receive(reader)
            except BaseException:
                writer.close()
                raise
    except (OSError, TimeoutError, asyncio.IncompleteReadError) as error:
        raise SwitchGone(f"no switch answers at {socket}: {error or 'no answer'}") from error
    if kind == _ERROR:
        writer.close()
        raise SwitchGone(f"the switch at {socket} refuses OpenFlow 1.5: {body!r}")
    return SwitchConnection(reader, writer)


def _message(kind: int, transaction: int, body: bytes = b"") -> bytes:
    return _HEADER.pack(_VERSION, kind, _HEADER.size + len(body), transaction) + body


async def _receive(reader: asyncio.StreamReader) -> tuple[int, int, bytes]:
    _, kind, length, transaction = _HEADER.unpack(await reader.readexactly(_HEADER.size))
    return kind, transaction, await reader.readexactly(max(0, length - _HEADER.size))
