"""Takes from one pool in a process of its own: `python -m tests.contract.store.pool_child URL NAME COUNT [AT]`.

Prints a line for each unit that was answered: its name and the value, or `none` when the pool is exhausted.
With `AT` the process kills itself while that unit is decided, with the writer lock held.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable

from gluon import errors, pools, store
from gluon.objects import journal
from gluon.spi.store import Changes, View
from gluon.values.space import Addresses, Space
from tests.contract.store import world

LANES = 64
POOL = "net/addresses"
_FOUR = 4094 - 16 - 1


def supply(size: int) -> pools.Supply:
    """That many addresses of both families, with holes."""
    ranges = ["10.0.0.0/20", f"2001:db8::1-2001:db8::{size - _FOUR:x}"]
    space = Space.of(Addresses(), ranges, ["10.0.0.16/28", "10.0.2.77"])
    return pools.Supply(id=POOL, name="pool addresses", space=space, rest=0)


def unit(
    name: str,
    act: Callable[[pools.Session], int | str],
    op: journal.Operation = journal.Operation.CREATE,
    reads: tuple[str, ...] = (),
) -> world.Unit:
    """One act on a pool; its value is the key of the journal entry."""

    def decide(view: View) -> Changes:
        session = pools.Session(view)
        value = act(session)
        changes = Changes(result=value)
        session.flush(changes)
        changes.entries.append(world.draft(str(value), op))
        return changes

    return world.Unit(decide, pools.reads(POOL, *reads), request_id=name)


async def take(db: store.SqlStore, pool: pools.Supply, name: str, dying: bool = False) -> int | str | None:
    """None: the pool is exhausted."""

    def act(session: pools.Session) -> int | str:
        if dying:
            os.kill(os.getpid(), signal.SIGKILL)
        return session.take(pool, name)

    try:
        done = await db.submit(unit(name, act))
    except errors.Conflict as error:
        if error.code != "pool_exhausted":
            raise
        return None
    assert isinstance(done.result, int | str)
    return done.result


async def lane(db: store.SqlStore, name: str, first: int, count: int, size: int, at: int) -> None:
    for n in range(first, count, LANES):
        value = await take(db, supply(size), f"{name}-{n}", n == at)
        print(f"{name}-{n}", value or "none", flush=True)


async def main(url: str, name: str, count: str, size: str, at: str = "-1") -> None:
    db = store.open(url)
    await db.install((*world.TABLES, *pools.TABLES), ())
    await asyncio.gather(*(lane(db, name, n, int(count), int(size), int(at)) for n in range(LANES)))
    await db.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
