"""Wakes: coalesced, never in the way, and the relay hears them."""

import asyncio
from collections.abc import Awaitable, Callable

from gluon.errors import BusUnavailable
from gluon.kv.memory import MemoryBus
from gluon.objects import keys
from gluon.publisher import wake
from tests.unit.publisher.parts import eventually


class SlowBus(MemoryBus):
    """Counts puts, and holds each until `go`."""

    def __init__(self) -> None:
        super().__init__()
        self.go = asyncio.Event()
        self.running = 0
        self.most = 0
        self.puts = 0
        self.down = False

    async def put(self, key: str, value: bytes, *, lease: int = 0) -> int:
        self.puts += 1
        if self.down:
            raise BusUnavailable("away")
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await self.go.wait()
            return await super().put(key, value, lease=lease)
        finally:
            self.running -= 1


async def ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait([task])


def condition(check: Callable[[], bool]) -> Callable[[], Awaitable[bool]]:
    async def holds() -> bool:
        return check()

    return holds


async def test_many_commits_make_few_puts_one_at_a_time() -> None:
    target = SlowBus()
    waker = wake.Waker(target, "p1")
    task = asyncio.create_task(waker.run())
    waker.notify()
    await eventually(condition(lambda: target.puts == 1), "the first put is on its way")
    for _ in range(100):
        waker.notify()
        await asyncio.sleep(0)
    target.go.set()
    await eventually(condition(lambda: target.puts == 2), "one more for all the others")
    await eventually(condition(lambda: target.running == 0), "it is through")
    assert target.most == 1
    await ended(task)
    assert await target.get(keys.wake("p1")) is None
    await target.close()


async def test_a_relay_in_the_same_process_needs_no_bus() -> None:
    target = SlowBus()
    told: list[str] = []

    def local() -> bool:
        told.append("woken")
        return True

    waker = wake.Waker(target, "p1", local=local)
    task = asyncio.create_task(waker.run())
    waker.notify()
    await asyncio.sleep(0)
    assert told == ["woken"]
    await ended(task)
    assert target.puts == 0
    await target.close()


async def test_an_outage_is_said_once_and_survived() -> None:
    target = SlowBus()
    target.go.set()
    target.down = True
    waker = wake.Waker(target, "p1")
    task = asyncio.create_task(waker.run())
    waker.notify()
    await eventually(condition(lambda: target.puts == 1), "it tried")
    target.down = False
    waker.notify()

    async def woken() -> bool:
        return await target.get(keys.wake("p1")) is not None

    await eventually(woken, "it tried again")
    await ended(task)
    await target.close()


async def test_the_listener_hears_and_clears_what_was_left_behind() -> None:
    memory = MemoryBus()
    await memory.put(keys.wake("dead process"), b"")
    heard = 0

    def notify() -> None:
        nonlocal heard
        heard += 1

    task = asyncio.create_task(wake.listen(memory, notify))
    await eventually(condition(lambda: heard > 0), "it follows")
    before = heard
    await memory.put(keys.wake("p1"), b"")
    await eventually(condition(lambda: heard > before), "it heard the wake")
    assert await memory.get(keys.wake("dead process")) is None
    await ended(task)
    await memory.close()
