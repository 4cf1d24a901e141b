"""Several processes write one database: order, and what a holder of the lock can do to the others."""

from __future__ import annotations

import asyncio
import signal
import sys
from asyncio.subprocess import PIPE, Process

import pytest

from gluon.objects import journal
from gluon.store import SqlStore
from tests.contract.store import child
from tests.contract.store.conftest import Opener
from tests.contract.store.world import create, network

pytestmark = pytest.mark.fault


async def start(url: str, name: str, count: int, *fault: str) -> Process:
    command = [sys.executable, "-m", "tests.contract.store.child", url, name, str(count), *fault]
    return await asyncio.create_subprocess_exec(*command, stdout=PIPE)


async def said(process: Process, word: str) -> None:
    """Wait until the process prints this line."""
    assert process.stdout is not None
    async with asyncio.timeout(60):
        while (line := await process.stdout.readline()).strip() != word.encode():
            assert line, "the process ended"


async def rest(process: Process) -> list[str]:
    """What it prints until its end."""
    out, _ = await asyncio.wait_for(process.communicate(), 60)
    return [line for line in out.decode().split() if "-" in line]


async def follow(db: SqlStore, done: asyncio.Event) -> list[journal.Entry]:
    """Read the journal with a cursor until the writers are done and nothing is left."""
    read: list[journal.Entry] = []
    while True:
        last = done.is_set()
        part = await db.tail(read[-1].revision if read else 0, limit=50)
        read += part
        if last and not part:
            return read


async def check(db: SqlStore, read: list[journal.Entry], answered: set[str]) -> None:
    assert [(e.revision, e.n) for e in read] == sorted({(e.revision, e.n) for e in read})
    whole = await db.tail(0, limit=100_000)
    assert read == whole, "the reader's cursor has passed entries by"
    keys = [e.key for e in whole]
    assert len(keys) == len(set(keys)) and answered <= set(keys)


async def test_a_reader_loses_nothing_under_six_processes(shared_url: str, opener: Opener) -> None:
    db = await opener(shared_url)
    done = asyncio.Event()
    reader = asyncio.create_task(follow(db, done))
    writers = [await start(shared_url, f"w{n}", 120) for n in range(6)]
    answered = {key for keys in await asyncio.gather(*map(rest, writers)) for key in keys}
    done.set()
    assert len(answered) == 720 and all(w.returncode == 0 for w in writers)
    await check(db, await reader, answered)


async def test_a_reader_loses_nothing_under_six_writers(db: SqlStore) -> None:
    """The same in one process: the only way for SQLite."""
    done = asyncio.Event()
    reader = asyncio.create_task(follow(db, done))
    await asyncio.gather(
        *(child.write(db, f"w{n}", first, 4, 60, ("", -1)) for n in range(6) for first in range(4))
    )
    done.set()
    read = await reader
    assert len(read) == 360
    await check(db, read, set())


async def test_a_stopped_holder_of_the_lock_is_ended_and_writes_later(
    shared_url: str, opener: Opener
) -> None:
    db = await opener(shared_url)
    holder = await start(shared_url, "h", 20, "stop", "9")
    await said(holder, "stop")
    async with asyncio.timeout(60):
        await asyncio.gather(*(db.submit(create(network(f"n{n}", f"n{n}"))) for n in range(10)))
    holder.send_signal(signal.SIGCONT)
    answered = await rest(holder)
    assert holder.returncode == 0 and "h-9" in answered
    keys = [e.key for e in await db.tail(0, limit=1000)]
    assert sorted(keys) == sorted({f"n{n}" for n in range(10)} | {f"h-{n}" for n in range(20)})


async def test_a_holder_that_is_killed_leaves_nothing_half_done(shared_url: str, opener: Opener) -> None:
    db = await opener(shared_url)
    holder = await start(shared_url, "h", 40, "die", "22")
    answered = set(await rest(holder))
    assert holder.returncode == -signal.SIGKILL
    async with asyncio.timeout(60):
        await db.submit(create(network("after", "after")))
    entries = {e.key for e in await db.tail(0, limit=1000)}
    async with db.snapshot() as snapshot:
        rows = {str(r["id"]) for r in [r for c in [c async for c in snapshot.scan("Network")] for r in c]}
    assert entries == rows and answered <= entries and "h-22" not in entries


async def test_writers_killed_at_any_moment_lose_nothing_that_was_answered(
    shared_url: str, opener: Opener
) -> None:
    db = await opener(shared_url)
    done = asyncio.Event()
    reader = asyncio.create_task(follow(db, done))
    answered: set[str] = set()
    for n in range(4):
        writer = await start(shared_url, f"w{n}", 100_000)
        await said(writer, f"w{n}-40")
        writer.kill()
        answered |= set(await rest(writer))
    done.set()
    await check(db, await reader, answered)
    assert (await db.submit(create(network("last", "last")))).revision > 0
