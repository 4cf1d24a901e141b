"""Registered shims: who is there now, and who is not believed."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from gluon.kv.memory import MemoryBus
from gluon.objects import codec, keys, status
from gluon.publisher.registrations import Registrations


def shim(instance: str, controller: str = "ctl") -> status.Registration:
    return status.Registration(
        controller=controller, instance=instance, backend="fake", apis={"net": ()}, hosts=("h1",)
    )


@pytest.fixture
async def memory() -> AsyncIterator[MemoryBus]:
    made = MemoryBus()
    yield made
    await made.close()


@pytest.fixture
async def registrations(memory: MemoryBus) -> AsyncIterator[Registrations]:
    held = Registrations(memory)
    task = asyncio.create_task(held.run())
    yield held
    task.cancel()
    await asyncio.wait([task])


async def after(held: Registrations, version: int) -> int:
    async with asyncio.timeout(60):
        return await held.changed(version)


async def test_they_come_and_go(memory: MemoryBus, registrations: Registrations) -> None:
    version = await after(registrations, 0)
    assert registrations.current() == ()
    for name in ("b", "a"):
        await memory.put(keys.shim("ctl", name), codec.encode(shim(name)))
        version = await after(registrations, version)
    assert registrations.current() == (shim("a"), shim("b"))
    await memory.delete(keys.shim("ctl", "b"))
    await after(registrations, version)
    assert registrations.current() == (shim("a"),)


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"\xff",
        b"[]",
        b'{"controller":"ctl"}',
        codec.encode(shim("somebody else")),
        codec.encode(shim("a", controller="other")),
        codec.encode(shim("a")) + b" " * status.MAX_REPORT,
    ],
)
async def test_a_hostile_value_is_ignored(
    memory: MemoryBus, registrations: Registrations, value: bytes
) -> None:
    version = await after(registrations, 0)
    await memory.put(keys.shim("ctl", "a"), value)
    await memory.put(keys.shim("ctl", "b"), codec.encode(shim("b")))
    await after(registrations, version)
    assert registrations.current() == (shim("b"),)


async def test_a_value_that_turns_bad_ends_the_registration(
    memory: MemoryBus, registrations: Registrations
) -> None:
    version = await after(registrations, 0)
    await memory.put(keys.shim("ctl", "a"), codec.encode(shim("a")))
    version = await after(registrations, version)
    await memory.put(keys.shim("ctl", "a"), b"{}")
    await after(registrations, version)
    assert registrations.current() == ()
