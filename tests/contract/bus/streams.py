"""Helpers for tests that read watches: wait for what is expected, with a limit."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from gluon.spi.bus import Event, KeyValue, Synced, Watched

LIMIT = 60.0


async def take(stream: AsyncIterator[Watched], count: int, *, limit: float = LIMIT) -> list[Event]:
    """The next `count` events; fails if the last message brings more than that."""
    events: list[Event] = []
    async with asyncio.timeout(limit):
        while len(events) < count:
            events += (await anext(stream)).events
    assert len(events) == count
    return events


async def close(stream: AsyncIterator[object]) -> None:
    assert isinstance(stream, AsyncGenerator)
    await stream.aclose()


@dataclass
class Follower:
    """What somebody who follows a prefix holds in memory."""

    values: dict[str, KeyValue] = field(default_factory=dict)
    revision: int = 0
    syncs: int = 0
    seen: list[tuple[str, bytes | None]] = field(default_factory=list)
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    def apply(self, message: Synced | Watched) -> None:
        if isinstance(message, Synced):
            self.values = {item.key: item for item in message.listing.items}
            self.revision = message.listing.revision
            self.syncs += 1
            return
        assert message.revision > self.revision, "a revision came twice or in the wrong order"
        self.revision = message.revision
        for event in message.events:
            self.seen.append((event.key, None if event.value is None else event.value.value))
            if event.value is None:
                self.values.pop(event.key, None)
            else:
                assert event.value.mod_revision <= message.revision
                self.values[event.key] = event.value

    async def until(self, holds: Callable[[Follower], bool], *, limit: float = LIMIT) -> None:
        async with asyncio.timeout(limit), self.changed:
            await self.changed.wait_for(lambda: holds(self))

    def content(self) -> dict[str, bytes]:
        return {key: value.value for key, value in self.values.items()}


@asynccontextmanager
async def following(stream: AsyncIterator[Synced | Watched]) -> AsyncGenerator[Follower]:
    """Read a `follow` in the background, from its first `Synced` on."""
    follower = Follower()

    async def read() -> None:
        async for message in stream:
            async with follower.changed:
                follower.apply(message)
                follower.changed.notify_all()

    task = asyncio.create_task(read())
    task.add_done_callback(lambda done: None if done.cancelled() else done.exception())
    try:
        await follower.until(lambda f: f.syncs > 0)
        yield follower
    finally:
        failed = task.done()
        task.cancel()
        await asyncio.wait({task})
        await close(stream)
    assert not failed, f"the follower ended: {task.exception()!r}"
