"""Whatever is written, whatever is lost and whoever crashes when: at the end etcd is the database's picture."""

import asyncio
import random
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gluon.errors import Unavailable
from gluon.kv.memory import MemoryBus
from gluon.objects import keys
from gluon.publisher import batches, cursor, resync
from gluon.publisher.relay import Relay
from gluon.spi import bus
from tests.unit.publisher.parts import (
    PREFIX,
    FaultyBus,
    Write,
    assert_converges,
    persist,
    relay_of,
)
from tests.unit.publisher.tiny import TinyStore

names = st.sampled_from([f"t{n}" for n in range(12)])
writes = st.dictionaries(names, st.none() | st.sampled_from(["1", "2", "x" * 300]), min_size=1, max_size=12)


@dataclass(frozen=True)
class Step:
    """A write, then perhaps something that goes wrong."""

    things: dict[str, str | None]
    intent: bool
    then: str


EVENTS = ["", "", "", "crash", "wipe", "snapshot", "older etcd", "trim", "dump", "older database", "ask"]
steps = st.lists(
    st.builds(Step, writes, st.sampled_from([True, True, True, False]), st.sampled_from(EVENTS)), max_size=25
)


class World:
    """One database, one bus, some relays that somebody always starts again."""

    def __init__(self, seed: int, relays: int) -> None:
        self.dice = random.Random(seed)
        self.database = TinyStore()
        self.memory = MemoryBus(max_ops=6)
        self.faults = True
        self.target = FaultyBus(self.memory, self._fault)
        self.database.refuse = self._refuse
        self.relays: list[Relay] = []
        self.tasks: list[asyncio.Task[None]] = []
        self.snapshot: tuple[bus.KeyValue, ...] = ()
        self.dump = self.database.dump()
        for _ in range(relays):
            self._start()

    def _fault(self, call: str) -> str:
        return self.dice.choice(["before", "after"]) if self.faults and self.dice.random() < 0.1 else ""

    def _refuse(self) -> None:
        if self.faults and self.dice.random() < 0.05:
            raise Unavailable("the database does not answer")

    def _start(self) -> None:
        relay = relay_of(self.database, self.target)
        self.relays.append(relay)
        self.tasks.append(asyncio.create_task(persist(relay)))

    async def crash(self) -> None:
        """One relay ends wherever it is; another one is started."""
        task = self.tasks.pop(0)
        self.relays.pop(0)
        task.cancel()
        await asyncio.wait([task])
        self._start()

    async def write(self, step: Step) -> None:
        while True:
            try:
                await self.database.submit(Write(step.things, intent=step.intent))
            except Unavailable:
                continue
            break
        for relay in self.relays:
            relay.notify()
        for _ in range(self.dice.randrange(12)):
            await asyncio.sleep(0)

    async def happen(self, event: str) -> None:
        match event:
            case "crash":
                await self.crash()
            case "wipe":
                await self.memory.delete("", prefix=True)
            case "snapshot":
                self.snapshot = (await self.memory.list("")).items
            case "older etcd":
                # One step, as for those who look: a restore is not seen half done.
                kept = {item.key for item in self.snapshot}
                ops = [batches.op(item.key, item.value) for item in self.snapshot]
                now = (await self.memory.list("")).items
                self.memory.max_ops = 1000
                gone = [batches.op(item.key, None) for item in now if item.key not in kept]
                await self.memory.txn((), [*ops, *gone])
            case "trim":
                value = await self.memory.get(keys.RELAY_CURSOR)
                found = cursor.parse(value.value) if value else None
                if found and found.incarnation == self.database.data.incarnation:
                    await self._patiently_trim(found.revision)
            case "dump":
                self.dump = self.database.dump()
            case "older database":
                # A restore breaks every connection: nobody reads on from what he read before.
                count = len(self.tasks)
                await self._stop()
                self.database.data = self.dump
                self.dump = self.database.dump()
                for _ in range(count):
                    self._start()
            case "ask":
                await resync.request(self.memory, "test")

    async def _patiently_trim(self, below: int) -> None:
        try:
            await self.database.trim(below=below, keep_seconds=0, keep_rows=0)
        except Unavailable:
            return

    async def _stop(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.wait(self.tasks)
        self.tasks.clear()
        self.relays.clear()

    async def end(self) -> None:
        await self._stop()
        await self.memory.close()


async def play(story: list[Step], seed: int, relays: int) -> None:
    world = World(seed, relays)
    try:
        for step in story:
            await world.write(step)
            await world.happen(step.then)
        world.faults = False
        for relay in world.relays:
            relay.notify()
        await assert_converges(world.database, world.memory)
        assert all(item.key.startswith(PREFIX) for item in (await world.memory.list("/proton/")).items)
    finally:
        await world.end()


@given(steps, st.integers(0, 2**32), st.integers(1, 2))
def test_the_bus_converges_to_the_database(story: list[Step], seed: int, relays: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gluon.publisher.relay._LOOK", 0.02)
        asyncio.run(play(story, seed, relays))
