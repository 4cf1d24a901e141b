"""A writer in a process of its own: `python -m tests.contract.store.child URL NAME COUNT [HOW AT]`.

Prints the key of each unit that was answered. `HOW` is what befalls it while unit `AT` is decided, that is
between the statements of a batch and with the writer lock held: `stop` (SIGSTOP) or `die` (SIGKILL).
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys

from gluon import store
from gluon.spi.store import Changes, View
from tests.contract.store import world

SIGNALS = {"stop": signal.SIGSTOP, "die": signal.SIGKILL}


async def write(
    db: store.SqlStore, name: str, first: int, step: int, count: int, fault: tuple[str, int]
) -> None:
    for n in range(first, count, step):
        key = f"{name}-{n}"
        once = [fault[0]] if fault[1] == n else []

        def decide(view: View, key: str = key, once: list[str] = once) -> Changes:
            changes = Changes()
            changes.put("Network", world.network(key, key))
            changes.entries.append(world.draft(key))
            if once:
                how = once.pop()
                print(how, flush=True)
                os.kill(os.getpid(), SIGNALS[how])
            return changes

        await db.submit(world.Unit(decide, request_id=key))
        print(key, flush=True)


async def main(url: str, name: str, count: str, how: str = "", at: str = "-1") -> None:
    db = store.open(url)
    await db.install(world.TABLES, ())
    await asyncio.gather(*(write(db, name, first, 4, int(count), (how, int(at))) for first in range(4)))
    await db.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
