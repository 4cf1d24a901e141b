"""Reads gathered over a database whose answers come all at the same moment."""

import asyncio
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from gluon import errors
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

    async def fetch(self, _sql: str, *_args: store.Value) -> list[store.Row]:
        self.begun += 1
        await self._gate.wait()
        await asyncio.sleep(0)
        return []

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
    async with asyncio.timeout(60):
        await asyncio.gather(first, second)
    await readers.close()


async def test_reads_of_whole_tables_leave_connections_to_others() -> None:
    gate = asyncio.Event()
    made: list[Connection] = []

    async def reader() -> Connection:
        made.append(Connection(gate))
        return made[-1]

    database: Any = SimpleNamespace(reader=reader)
    readers = Readers(database, Settings(readers=4, statement_timeout=0.2), Stats())
    shape: Any = Shape()
    whole = [asyncio.create_task(readers.page("SELECT", (), True)) for _ in range(3)]
    with pytest.raises(errors.TooSlow):
        await whole[2]
    assert sum(one.begun for one in made) == 2
    others = [
        asyncio.create_task(readers.page("SELECT", (), False)),
        asyncio.create_task(readers.get(shape, ("a",))),
    ]
    async with asyncio.timeout(60):
        while sum(one.begun for one in made) < 4:
            await asyncio.sleep(0)
    gate.set()
    await asyncio.gather(*whole[:2], *others)
    whole.append(asyncio.create_task(readers.page("SELECT", (), True)))
    await whole[-1]
    await readers.close()


async def test_who_came_first_is_served_first() -> None:
    """Four that read again and again over one connection have the same number of turns, whoever is quickest to ask."""

    async def reader() -> Connection:
        gate = asyncio.Event()
        gate.set()
        return Connection(gate)

    database: Any = SimpleNamespace(reader=reader)
    readers = Readers(database, Settings(readers=1), Stats())
    turns: list[int] = []

    async def ask(who: int) -> None:
        while len(turns) < 400:
            await readers.fetch("SELECT")
            turns.append(who)

    await asyncio.gather(*(ask(n) for n in range(4)))
    assert max(turns.count(n) for n in range(4)) - min(turns.count(n) for n in range(4)) <= 4
    await readers.close()


async def test_who_has_left_holds_up_nobody() -> None:
    """Also one who leaves in the moment in which a connection is handed to him."""
    gate = asyncio.Event()

    async def reader() -> Connection:
        return Connection(gate)

    database: Any = SimpleNamespace(reader=reader)
    readers = Readers(database, Settings(readers=1), Stats())
    first = asyncio.create_task(readers.fetch("SELECT"))
    await asyncio.sleep(0)
    left = asyncio.create_task(readers.fetch("SELECT"))
    await asyncio.sleep(0)
    gate.set()
    while not readers._idle and not first.done():
        await asyncio.sleep(0)
    left.cancel()
    async with asyncio.timeout(60):
        await first
        for _ in range(3):
            await readers.fetch("SELECT")
    await readers.close()
