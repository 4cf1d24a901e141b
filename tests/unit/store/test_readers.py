"""Reads gathered over a database whose answers come all at the same moment."""

import asyncio
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

from gluon.spi import store
from gluon.store.readers import Readers
from gluon.store.settings import Settings
from gluon.store.stats import Stats


class Shape:
    """As much of a table as a look-up by key needs."""

    key = ("id",)

    @staticmethod
    def key_of(row: store.Row) -> tuple[store.Value, ...]:
        return (row["id"],)


class Connection:
    """Answers every look-up once `gate` is open."""

    def __init__(self, gate: asyncio.Event) -> None:
        self._gate = gate
        self.begun = 0

    async def lookup(self, _shape: object, _columns: object, keys: Sequence[Any]) -> list[store.Row]:
        self.begun += 1
        await self._gate.wait()
        return [{"id": key[0]} for key in keys]

    def kill(self) -> None:
        """Nothing to do."""

    async def close(self) -> None:
        """Nothing to do."""


async def test_a_read_that_begins_as_all_pumps_end_is_answered() -> None:
    gate = asyncio.Event()
    connection = Connection(gate)

    async def reader() -> Connection:
        return connection

    database: Any = SimpleNamespace(reader=reader)
    readers = Readers(database, Settings(), Stats())
    shape: Any = Shape()

    async def twice() -> None:
        await readers.get(shape, ("a",))
        await readers.get(shape, ("b",))

    async def once() -> None:
        await readers.get(shape, ("c",))

    first = asyncio.create_task(twice())
    while connection.begun < 1:
        await asyncio.sleep(0)
    second = asyncio.create_task(once())
    while connection.begun < 2:
        await asyncio.sleep(0)
    gate.set()
    async with asyncio.timeout(10):
        await asyncio.gather(first, second)
    await readers.close()
