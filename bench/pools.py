"""What it costs a unit to take a value from a pool, whatever the size of the pool."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

import msgspec

from bench.measure import Figure, Plan, Skipped, at_most, median
from gluon import pools, store
from gluon.objects import journal
from gluon.spi.store import Changes, Lookup, Row, View
from gluon.spi.tables import Column, ColumnType, Table
from gluon.testing.programs import missing_programs
from gluon.testing.servers import PostgresServer
from gluon.values.space import Addresses, Space

_THING = Table(
    name="thing",
    columns=tuple(Column(name=n, type=ColumnType.TEXT) for n in ("id", "name", "address", "notes")),
    key=("id",),
)
_SIZES = {
    "/24": "192.0.2.0/24",
    "/24 in use before": "192.0.2.0/24",
    "/8": "10.0.0.0/8",
    "/120": "2001:db8::/120",
    "ten million of IPv6": "2001:db8::-2001:db8::98:967f",
}
_AGAIN = "/24 in use before"
_TOGETHER = 200
_DOCUMENT = b'{"id":"' + b"x" * 540 + b'"}'
_MOST_ADDED = 30.0


class _Unit(msgspec.Struct):
    """Create a thing; with a supply its address is of the pool."""

    n: int
    supply: pools.Supply | None
    reads: Sequence[Lookup]
    who: str = "bench"
    request_id: str = "bench"

    def decide(self, view: View) -> Changes:
        changes = Changes()
        row: Row = {"id": str(self.n), "name": "name", "address": None, "notes": None}
        if self.supply is not None:
            session = pools.Session(view)
            row["address"] = changes.result = session.take(self.supply, _holder(self.n))
            session.flush(changes)
        changes.put("thing", row)
        changes.entries.append(_draft(str(self.n), journal.Operation.CREATE))
        return changes


class _After(msgspec.Struct):
    """Off the clock: what was taken goes back, or the whole pool is forgotten."""

    pool: str
    taken: Sequence[tuple[str, str]]
    reads: Sequence[Lookup]
    who: str = "bench"
    request_id: str = "bench"

    def decide(self, view: View) -> Changes:
        session, changes = pools.Session(view), Changes()
        for holder, value in self.taken:
            session.release(self.pool, value, holder, 0)
        if not self.taken:
            session.drop(self.pool)
        session.flush(changes)
        return changes


def _holder(n: int) -> str:
    return f"Thing/{n}/address"


def _draft(key: str, op: journal.Operation) -> journal.Draft:
    return journal.Draft(
        op=op, api="bench", type="Thing", key=key, project=None, intent=True, old=None, new=_DOCUMENT
    )


class _Bench:
    """Samples of one database, in microseconds of this process's CPU for each unit."""

    def __init__(self, db: store.SqlStore) -> None:
        self._db = db
        self._n = 0

    async def creates(self, supply: pools.Supply | None, seconds: float, *, again: bool) -> float:
        """Units that come `_TOGETHER` at a time. `again`: they take what was released before."""
        spent, count, end = 0.0, 0, time.monotonic() + seconds
        reads = () if supply is None else pools.reads(supply.id)
        while time.monotonic() < end:
            numbers = range(self._n, self._n + _TOGETHER)
            self._n += _TOGETHER
            units = [_Unit(n, supply, [Lookup("thing", ("id",), (str(n),)), *reads]) for n in numbers]
            began = time.process_time()
            done = await asyncio.gather(*map(self._db.submit, units))
            spent += time.process_time() - began
            count += len(units)
            if supply is not None:
                taken = [(_holder(n), str(one.result)) for n, one in zip(numbers, done, strict=True)]
                await self._db.submit(
                    _After(supply.id, taken if again else (), pools.reads(supply.id, *(v for _, v in taken)))
                )
        return spent / count * 1e6


async def _samples(url: str, plan: Plan) -> dict[str, list[float]]:
    db = store.open(url)
    found: dict[str, list[float]] = {}
    try:
        await db.install((_THING, *pools.TABLES), ())
        one = _Bench(db)
        supplies: dict[str, pools.Supply | None] = {"plain": None}
        for name, text in _SIZES.items():
            space = Space.of(Addresses(), [text])
            supplies[name] = pools.Supply(id=f"bench/{name}", name=f"pool {name}", space=space, rest=0)
        for turn in range(plan.rounds + 1):  # the first warms up
            for name, supply in supplies.items():
                cpu = await one.creates(supply, plan.seconds / 4, again=name == _AGAIN)
                if turn:
                    found.setdefault(name, []).append(cpu)
    finally:
        await db.close()
    return found


def run(plan: Plan) -> Sequence[Figure]:
    """On PostgreSQL, whose own CPU is not counted."""
    missing = missing_programs("initdb", "postgres", "psql")
    if missing:
        raise Skipped("; ".join(str(m) for m in missing))
    with PostgresServer() as server:
        found = asyncio.run(_samples(server.url(server.create_database()), plan))
    plain, small = found.pop("plain"), found["/24"]
    added = [a - b for a, b in zip(small, plain, strict=True)]
    figures = [median("CPU of a unit without a pool", plain, "µs")]
    figures += [median(f"CPU with a take of a {name}", cpu, "µs") for name, cpu in found.items()]
    figures.append(at_most("CPU that a take adds", added, "µs", _MOST_ADDED))
    for wide, narrow in (("/8", "/24"), ("ten million of IPv6", "/120")):
        ratio = [a / b for a, b in zip(found[wide], found[narrow], strict=True)]
        figures.append(at_most(f"a {wide} to a {narrow}", ratio, "×", 1.2))
    return figures
