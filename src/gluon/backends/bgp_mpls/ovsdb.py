"""The OVSDB management protocol (RFC 7047), as little of it as a switch's shim needs.

In: the address of an ovsdb-server (`unix:/path` or `tcp:host:port`). Out: `connect`, a context with
`transact` and `monitor`. Values come as Python's: str, int, bool, tuple for a set, dict for a map.
Raises `DatabaseGone` when the server does not answer. Called by `ovs`.
"""

from __future__ import annotations

import asyncio
import codecs
import contextlib
import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from typing import Any

from gluon.errors import GiveUp, TryLater

_DATABASE = "Open_vSwitch"
_CHUNK = 1 << 16

Row = Mapping[str, Any]
Tables = dict[str, dict[str, Row]]
"""table -> uuid of the row -> row"""


class DatabaseGone(TryLater):
    """ovsdb-server does not answer or ended."""


@contextlib.asynccontextmanager
async def connect(address: str, *, timeout: float = 5.0) -> AsyncIterator[Connection]:
    """A connection to ovsdb-server, closed with the context."""
    try:
        async with asyncio.timeout(timeout):
            reader, writer = await _open(address)
    except (OSError, TimeoutError) as error:
        raise DatabaseGone(f"ovsdb-server at {address}: {error or 'no answer'}") from error
    try:
        yield Connection(address, reader, writer, timeout)
    finally:
        writer.close()
        with contextlib.suppress(OSError):  # it was lost before
            await writer.wait_closed()


async def _open(address: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    kind, _, rest = address.partition(":")
    if kind == "unix":
        return await asyncio.open_unix_connection(rest)
    host, _, port = rest.rpartition(":")
    if kind != "tcp" or not port.isdigit():
        raise GiveUp(f"{address!r} is no address of an ovsdb-server (unix:PATH, tcp:HOST:PORT)")
    return await asyncio.open_connection(host.strip("[]"), int(port))


class Connection:
    """One connection; one use at a time."""

    def __init__(
        self, address: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, timeout: float
    ) -> None:
        self._address = address
        self._reader = reader
        self._writer = writer
        self._timeout = timeout
        self._text = ""
        self._decode = codecs.getincrementaldecoder("utf-8")().decode  # a chunk may end inside a character
        self._last_id = 0

    async def transact(self, *operations: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Run operations as one transaction; all or none. Raises `GiveUp` if the server refuses."""
        results = await self._request("transact", [_DATABASE, *operations])
        for result in results:
            if result and result.get("error"):
                raise GiveUp(f"ovsdb-server: {result['error']}: {result.get('details', '')}")
        return list(results)

    async def monitor(self, columns: Mapping[str, Sequence[str]]) -> AsyncGenerator[Tables, None]:
        """These columns of these tables: now, and again after each change (all of them, kept up to date)."""
        wanted = {table: {"columns": list(names)} for table, names in columns.items()}
        tables: Tables = {table: {} for table in columns}
        _merge(tables, await self._request("monitor", [_DATABASE, None, wanted]))
        yield tables
        while True:
            message = await self._receive()
            if message.get("method") == "update":
                _merge(tables, message["params"][1])
                yield tables

    async def _request(self, method: str, params: list[Any]) -> Any:
        self._last_id += 1
        await self._send({"method": method, "params": params, "id": self._last_id})
        try:
            async with asyncio.timeout(self._timeout):
                while (reply := await self._receive()).get("id") != self._last_id:
                    pass
        except TimeoutError as error:
            raise DatabaseGone(f"ovsdb-server at {self._address}: no answer") from error
        if reply.get("error"):
            raise GiveUp(f"ovsdb-server: {reply['error']}")
        return reply["result"]

    async def _send(self, message: Mapping[str, Any]) -> None:
        try:
            self._writer.write(json.dumps(message).encode())
            await self._writer.drain()
        except OSError as error:
            raise DatabaseGone(f"ovsdb-server at {self._address}: {error}") from error

    async def _receive(self) -> dict[str, Any]:
        """The next message; echo requests are answered here. Messages follow each other without frames."""
        decoder = json.JSONDecoder()
        while True:
            try:
                message, end = decoder.raw_decode(self._text)
            except ValueError:
                await self._read_more()
                continue
            self._text = self._text[end:].lstrip()
            if message.get("method") != "echo":
                return dict(message)
            await self._send({"result": message["params"], "error": None, "id": message["id"]})

    async def _read_more(self) -> None:
        try:
            data = await self._reader.read(_CHUNK)
        except OSError as error:
            raise DatabaseGone(f"ovsdb-server at {self._address}: {error}") from error
        if not data:
            raise DatabaseGone(f"ovsdb-server at {self._address} ended")
        self._text = (self._text + self._decode(data)).lstrip()


def map_value(values: Mapping[str, str]) -> list[Any]:
    """A map as the protocol writes it."""
    return ["map", [[key, value] for key, value in values.items()]]


def set_value(values: Sequence[str]) -> list[Any]:
    """A set as the protocol writes it."""
    return ["set", list(values)]


def row_of(row: Mapping[str, Any]) -> Row:
    """A row with Python's values."""
    return {column: _value(value) for column, value in row.items()}


def _merge(tables: Tables, updates: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> None:
    for table, rows in updates.items():
        for uuid, change in rows.items():
            if "new" in change:
                tables[table][uuid] = row_of(change["new"])
            else:
                tables[table].pop(uuid, None)


def _value(value: Any) -> Any:
    match value:
        case ["set", list(members)]:
            return tuple(_value(member) for member in members)
        case ["map", list(pairs)]:
            return {_value(k): _value(v) for k, v in pairs}
        case ["uuid", str(uuid)] | ["named-uuid", str(uuid)]:
            return uuid
        case _:
            return value
