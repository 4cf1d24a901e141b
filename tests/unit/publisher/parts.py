"""What tests of the publisher share: one table and its picture in etcd, units on it, and a bus
that loses requests and answers."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from gluon.errors import BusError, BusUnavailable, Unavailable
from gluon.objects import codec, journal, keys
from gluon.publisher import cursor
from gluon.publisher.relay import Models, Overtaken, Relay
from gluon.publisher.stats import Stats
from gluon.spi import bus, store, tables

THING = tables.Table(
    name="thing",
    columns=(
        tables.Column(name="id", type=tables.ColumnType.TEXT, length=64, nullable=False),
        tables.Column(name="value", type=tables.ColumnType.DOCUMENT),
        tables.Column(name="revision", type=tables.ColumnType.INTEGER),
        tables.Column(name="secret", type=tables.ColumnType.TEXT),
    ),
    key=("id",),
)
PREFIX = "/proton/t/"


class Picture:
    """A projection: for each thing one key, and one with what only its row holds; one that comes from no row."""

    prefixes: tuple[str, ...] = (PREFIX, keys.SECRET, keys.MODEL)
    tables: tuple[str, ...] = ("thing",)

    def __init__(self, constant: str = "model one") -> None:
        self._constant = constant

    def of_entry(self, entry: journal.Entry) -> Sequence[tuple[str, bytes | None]]:
        if entry.type != "Thing":
            return ()
        return ((keys.proton("t", "Thing", entry.key), entry.new),)

    parted = True

    def apart(self, entry: journal.Entry) -> tuple[str, store.Value] | None:
        return ("thing", entry.key) if entry.type == "Thing" else None

    def of_apart(self, entry: journal.Entry, row: store.Row | None) -> Sequence[tuple[str, bytes | None]]:
        key = keys.secret("t", "Thing", entry.key)
        return ((key, secret(row) if row is not None and entry.new is not None else None),)

    def made(self, entry: journal.Entry, row: store.Row) -> bool:
        return row["revision"] == entry.revision

    def of_row(self, table: str, row: store.Row) -> Sequence[tuple[str, bytes]]:
        name = str(row["id"])
        return (
            (keys.secret("t", "Thing", name), secret(row)),
            (keys.proton("t", "Thing", name), document(row)),
        )

    def constant(self) -> Sequence[tuple[str, bytes]]:
        return ((keys.model("t"), self._constant.encode()),)


def document(row: store.Row) -> bytes:
    return codec.encode({name: value for name, value in row.items() if name != "secret"})


def secret(row: store.Row) -> bytes:
    return codec.encode({name: row[name] for name in ("secret", "revision")})


@dataclass(frozen=True, slots=True)
class Write:
    """A unit: things by id with their new value, None to delete. `intent` False: nothing to publish."""

    things: Mapping[str, str | None]
    intent: bool = True
    who: str = "test"
    request_id: str = ""

    @property
    def reads(self) -> Sequence[store.Lookup]:
        return [store.Lookup("thing", ("id",), (name,)) for name in self.things]

    def decide(self, view: store.View) -> store.Changes:
        changes = store.Changes()
        for name, value in self.things.items():
            old = view.get("thing", name)
            if value is None:
                if old is None:
                    continue
                if self.intent:
                    changes.delete("thing", name)
                new = None
            else:
                row: store.Row = {
                    "id": name,
                    "value": value,
                    "revision": view.revision,
                    "secret": f"secret of {name} in {view.revision}",
                }
                if self.intent:
                    changes.put("thing", row)
                new = document(row)
            op = journal.Operation.DELETE if new is None else journal.Operation.UPDATE
            changes.entries.append(
                journal.Draft(
                    op=op,
                    api="t",
                    type="Thing" if self.intent else "Status",
                    key=name,
                    project=None,
                    intent=self.intent,
                    old=document(old) if old else None,
                    new=new,
                )
            )
        return changes


T = TypeVar("T")
Fault = Callable[[str], str]
"""Given the name of a call: "" (nothing), "before" (it never arrives), "after" (its answer is lost)."""


class FaultyBus:
    """A bus whose writes and reads fail when `fault` says so; what follows keys is left alone."""

    def __init__(self, real: bus.Bus, fault: Fault = lambda call: "") -> None:
        self._real = real
        self.max_ops = real.max_ops
        self.max_writes = real.max_writes
        self.fault = fault
        self.txns: list[Sequence[bus.Op]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    async def txn(
        self, compares: Sequence[bus.Compare], then: Sequence[bus.Op], otherwise: Sequence[bus.Op] = ()
    ) -> bus.TxnResult:
        self.txns.append(then)
        return await self._call("txn", lambda: self._real.txn(compares, then, otherwise))

    async def list(self, prefix: str) -> bus.Listing:
        return await self._call("list", lambda: self._real.list(prefix))

    async def _call(self, name: str, call: Callable[[], Awaitable[T]]) -> T:
        fault = self.fault(name)
        if fault == "before":
            raise BusUnavailable("never arrived")
        result = await call()
        if fault == "after":
            raise BusUnavailable("the answer was lost")
        return result


async def no_hook() -> None:
    return None


def relay_of(
    database: store.Store,
    target: bus.Bus,
    *,
    picture: Picture | None = None,
    on_rebase: Callable[[], Awaitable[None]] = no_hook,
    stats: Stats | None = None,
    models: Models | None = None,
) -> Relay:
    return Relay(
        database=database,
        target=target,
        picture=picture or Picture(),
        on_rebase=on_rebase,
        stats=stats or Stats(),
        models=models,
    )


async def persist(relay: Relay) -> None:
    """What the leader does, without an election: run it again whatever happened."""
    while True:
        try:
            await relay.run()
        except (Overtaken, BusError, Unavailable):
            await asyncio.sleep(secrets.randbelow(5) / 1000)


@asynccontextmanager
async def running(*relays: Relay) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(persist(relay)) for relay in relays]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


async def eventually(
    holds: Callable[[], Awaitable[bool]], what: str, *, limit: float = 60.0, every: float = 0.005
) -> None:
    """Wait for a condition, with a limit."""
    try:
        async with asyncio.timeout(limit):
            while not await holds():
                await asyncio.sleep(every)
    except TimeoutError:
        raise AssertionError(f"not within {limit:g} s: {what}") from None


async def published(database: store.Store, target: bus.Bus) -> bool:
    """Is all intent of the database in etcd, as the cursor says?"""
    value = await target.get(keys.RELAY_CURSOR)
    found = cursor.parse(value.value) if value else None
    if found is None or found.resync or found.ahead:
        return False
    entries = await database.entry(found.revision)
    if cursor.judge(found, entries, await database.position()) is not cursor.Verdict.GO_ON:
        return False
    return not await database.tail(found.revision, limit=1, intent=True)


async def content(target: bus.Bus, picture: Picture) -> dict[str, bytes]:
    """All that etcd has under the projection's prefixes."""
    listings = [await target.list(prefix) for prefix in picture.prefixes]
    return {item.key: item.value for listing in listings for item in listing.items}


async def wanted(database: store.Store, picture: Picture) -> dict[str, bytes]:
    """The projection of the database."""
    found = dict(picture.constant())
    async with database.snapshot() as snapshot:
        for table in picture.tables:
            async for rows in snapshot.scan(table):
                for row in rows:
                    found.update(picture.of_row(table, row))
    return found


async def assert_converges(database: store.Store, target: bus.Bus, picture: Picture | None = None) -> None:
    """Wait until all is published; then etcd must be exactly the picture of the database."""
    picture = picture or Picture()
    await eventually(lambda: published(database, target), "all published")
    assert await content(target, picture) == await wanted(database, picture)
