"""Waiting for what shims say: present values first, then changes, only of what was asked for."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from gluon.kv.memory import MemoryBus
from gluon.objects import keys, status
from gluon.publisher.replies import Reply, ReplyWatch


@pytest.fixture
async def memory() -> AsyncIterator[MemoryBus]:
    made = MemoryBus()
    yield made
    await made.close()


@asynccontextmanager
async def watching(watch: ReplyWatch) -> AsyncIterator[None]:
    task = asyncio.create_task(watch.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def take(replies: AsyncIterator[Reply]) -> tuple[str, bytes | None]:
    async with asyncio.timeout(60):
        key, value = await anext(replies)
        return key.shard, value


def port(name: str, shard: str = "h1") -> str:
    return keys.status("ctl", shard, "net", "Port", name)


@pytest.mark.parametrize("synced", [True, False])
async def test_present_values_come_first_then_changes(memory: MemoryBus, synced: bool) -> None:
    watch = ReplyWatch(memory)
    await memory.put(port("a b"), b"old")
    async with watching(watch):
        if synced:
            async with watch.subscribe("net", "Port", "a b") as warm:
                await take(warm)
        async with watch.subscribe("net", "Port", "a b") as replies:
            assert await take(replies) == ("h1", b"old")
            await memory.put(port("other"), b"x")
            await memory.put(port("a b", shard="h2"), b"new")
            assert await take(replies) == ("h2", b"new")
            await memory.delete(port("a b"))
            assert await take(replies) == ("h1", None)


async def test_a_slow_reader_sees_the_newest_value(memory: MemoryBus) -> None:
    watch = ReplyWatch(memory)
    async with watching(watch), watch.subscribe("net", "Port", "a") as replies:
        await memory.put(port("a"), b"first")
        assert await take(replies) == ("h1", b"first")
        for n in range(100):
            await memory.put(port("a"), str(n).encode())
        seen = b""
        while seen != b"99":
            _, value = await take(replies)
            assert value is not None
            seen = value


async def test_several_wait_for_one_object(memory: MemoryBus) -> None:
    watch = ReplyWatch(memory)
    async with (
        watching(watch),
        watch.subscribe("net", "Port", "a") as one,
        watch.subscribe("net", "Port", "a") as two,
    ):
        await memory.put(port("a"), b"x")
        assert await take(one) == ("h1", b"x")
        assert await take(two) == ("h1", b"x")


async def test_too_large_a_value_counts_as_none(memory: MemoryBus) -> None:
    watch = ReplyWatch(memory)
    async with watching(watch), watch.subscribe("net", "Port", "a") as replies:
        await memory.put(port("a"), b"x" * (status.MAX_REPORT + 1))
        assert await take(replies) == ("h1", None)


async def test_after_a_break_in_history_the_state_is_told_again() -> None:
    memory = MemoryBus(max_events=2)
    watch = ReplyWatch(memory)
    async with watching(watch), watch.subscribe("net", "Port", "a") as replies:
        await memory.put(port("a"), b"1")
        assert await take(replies) == ("h1", b"1")
        # More than its history holds, before the watch gets to run: it has to list again.
        await memory.put(port("a", shard="h2"), b"2")
        await asyncio.gather(*(memory.put(port(f"x{n}"), b"") for n in range(10)), memory.delete(port("a")))
        seen: dict[str, bytes | None] = {}
        while seen != {"h2": b"2", "h1": None}:
            shard, value = await take(replies)
            seen[shard] = value
    await memory.close()


async def test_nothing_is_kept_for_who_left(memory: MemoryBus) -> None:
    watch = ReplyWatch(memory)
    async with watching(watch):
        async with watch.subscribe("net", "Port", "a"):
            pass
        assert watch._boxes == {}
