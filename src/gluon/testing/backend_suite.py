"""The conformance suite of backends: subclass `BackendSuite`, give it a `Rig`, run pytest.

In: a backend's class and a way to look behind its back. What it proves: whatever the order, the
repetition and the interruption of events, the rows and statuses are those of a fresh start in the
same state; a full scan after that changes nothing; drift is repaired; what is foreign stays.
The suite drives the real engine on the embedded bus. `plug` and `damage` play the outside.
"""

from __future__ import annotations

import asyncio
import random
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Collection, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, ClassVar

import hypothesis
import pytest
from hypothesis import strategies as st

from gluon.kv.memory import MemoryBus
from gluon.objects import keys, status
from gluon.shim.engine import Shim
from gluon.shim.settings import Pace
from gluon.spi.backend import Backend
from gluon.spi.bus import Delete, Put
from gluon.testing import desired_state, l3vpn_states
from gluon.testing.l3vpn_states import HERE, State, Step

_WAIT = 20.0


class Rig(ABC):
    """One data plane, and what a test does to it without the backend's knowledge."""

    backend: type[Backend]
    options: Mapping[str, Any]

    @abstractmethod
    async def rows(self) -> Any:
        """All that is programmed and marked as ours, in a form that compares by `==`, without
        numbers that the backend chose itself."""

    @abstractmethod
    async def plug(self, ports: Collection[str]) -> None:
        """Exactly these ports have their VIF plugged now."""

    @abstractmethod
    async def damage(self, dice: random.Random) -> None:
        """Remove some of our rows, change some, and add some with our mark that nobody wants."""

    @abstractmethod
    async def add_foreign(self) -> None:
        """Add something without our mark, beside what is ours."""

    @abstractmethod
    async def foreign(self) -> Any:
        """What is not ours, in a form that compares by `==`."""

    @abstractmethod
    async def break_writes(self, after: int) -> None:
        """After so many further rows, writing fails."""

    @abstractmethod
    async def heal(self) -> None:
        """Writing works again."""


class Lab:
    """A rig, a bus with a desired state, and an engine between them."""

    def __init__(self, rig: Rig, dice: random.Random) -> None:
        self.rig = rig
        self.dice = dice
        self.bus = MemoryBus(progress=0.02)
        self.state: State = {}
        self.shim = self._new_shim()
        self._running: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Run a new engine, as after a restart of the process."""
        self.shim = self._new_shim()
        self._running = asyncio.create_task(self.shim.run())
        await self.bus.put(keys.RELAY_CURSOR, desired_state.CURSOR)

    async def stop(self) -> None:
        if self._running is not None:
            self.shim.stop()
            await self._running
            self._running = None

    async def close(self) -> None:
        await self.stop()
        await self.bus.close()

    async def go(self, name: str, *, squash: bool = False, repeat: bool = False) -> None:
        """Write the way to a state: shuffled, in one Txn or many, some of it twice."""
        target = l3vpn_states.STATES[name]
        await self.write(self._shuffled(l3vpn_states.steps(self.state, target), repeat), squash=squash)
        self.state = target
        await self.rig.plug(l3vpn_states.ports(target, HERE))

    async def write(self, steps: list[Step], *, squash: bool) -> None:
        if squash and steps:
            newest = dict(steps)
            ops = [Delete(key=k) if v is None else Put(key=k, value=v) for k, v in newest.items()]
            await self.bus.txn((), ops)
            return
        for key, value in steps:
            if value is None:
                await self.bus.delete(key)
            else:
                await self.bus.put(key, value)
            if self.dice.random() < 0.3:
                await asyncio.sleep(0)

    async def resync(self) -> None:
        """The bus loses everything and is filled again, out of order."""
        await self.bus.delete(keys.RELAY_CURSOR)
        for key in self.state:
            await self.bus.delete(key)
        await self.bus.put(keys.RELAY_CURSOR, desired_state.RESYNC)
        await asyncio.sleep(self.dice.choice((0, 0.01)))
        await self.write(self._shuffled(l3vpn_states.steps({}, self.state), repeat=True), squash=False)
        await self.bus.put(keys.RELAY_CURSOR, desired_state.CURSOR)

    async def settle(self) -> None:
        """Return once all that was written is programmed and said."""
        revision = (await self.bus.health()).revision
        await until(lambda: HERE in self.shim.leading and self.shim.settled(revision), "the engine is idle")

    async def rescan(self) -> int:
        """A full scan; returns how many rows it wrote."""
        stats = self.shim.stats[HERE]
        before, scans = _rows_written(stats), stats.full_scans
        self.shim.rescan()
        await until(lambda: stats.full_scans > scans and self.shim.settled(0), "the full scan is done")
        return _rows_written(stats) - before

    async def statuses(self) -> Mapping[str, Any]:
        """What the engine says of each object, without times, revisions and texts."""
        prefix = keys.status_prefix(l3vpn_states.CONTROLLER, HERE)
        listing = await self.bus.list(prefix)
        return {kv.key: _plain(status.decode_report(kv.value)) for kv in listing.items}

    async def picture(self) -> tuple[Any, Mapping[str, Any]]:
        """Rows and statuses, once they are settled."""
        await self.settle()
        return await self.rig.rows(), await self.statuses()

    def _shuffled(self, steps: list[Step], repeat: bool) -> list[Step]:
        many = list(steps)
        if repeat:
            # A repeated step may come late only if it is the newest of its key.
            many += self.dice.sample(steps, k=len(steps) // 2)
        self.dice.shuffle(many)
        return many

    def _new_shim(self) -> Shim:
        return Shim(
            self.bus,
            self.rig.backend,
            hosts=(HERE,),
            controller=l3vpn_states.CONTROLLER,
            options=self.rig.options,
            pace=Pace(
                full_scan=3600.0, first_wait=0.01, longest_wait=0.1, later=0.02, grace=0.02, gather=0.02
            ),
        )


async def until(holds: Callable[[], bool | Awaitable[bool]], what: str, seconds: float = _WAIT) -> None:
    """Wait for a condition; `AssertionError` naming it after the limit."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while True:
        found = holds()
        if found if isinstance(found, bool) else await found:
            return
        assert loop.time() < end, f"after {seconds} s it does not hold that {what}"
        await asyncio.sleep(0.005)


class BackendSuite(ABC):
    """The tests. Subclass it as `Test<Backend>` and give `rig`; `examples` random walks are made."""

    examples: ClassVar[int] = 30

    @abstractmethod
    def rig(self) -> AbstractAsyncContextManager[Rig]:
        """A clean data plane."""

    @pytest.mark.parametrize("name", sorted(l3vpn_states.STATES))
    async def test_a_state_reached_from_anywhere_is_as_if_begun_in_it(self, name: str) -> None:
        expected = await self._fresh(name)
        dice = random.Random(name)
        async with self.rig() as rig:
            lab = Lab(rig, dice)
            await lab.start()
            for other in dice.sample(sorted(l3vpn_states.STATES), k=3):
                await lab.go(other, squash=dice.random() < 0.5)
                if dice.random() < 0.5:
                    await lab.settle()
                await lab.go(name, squash=dice.random() < 0.5, repeat=True)
                assert await lab.picture() == expected
                assert await lab.rescan() == 0
            await lab.close()

    def test_a_random_walk_ends_where_a_fresh_start_does(self) -> None:
        walk = st.lists(
            st.tuples(st.sampled_from(sorted(_EVENTS)), st.sampled_from(sorted(l3vpn_states.STATES)))
        )

        @hypothesis.settings(max_examples=self.examples)
        @hypothesis.given(walk=walk, seed=st.integers(0, 2**16))
        def check(walk: list[tuple[str, str]], seed: int) -> None:
            asyncio.run(self._walk(walk, random.Random(seed)))

        check()

    async def test_a_restart_writes_and_says_nothing_new(self) -> None:
        async with self.rig() as rig:
            lab = Lab(rig, random.Random(1))
            await lab.start()
            await lab.go("overlapping addresses")
            before = await lab.picture()
            prefix = keys.status_prefix(l3vpn_states.CONTROLLER, HERE)
            said = (await lab.bus.list(prefix)).items
            await lab.stop()
            await lab.start()
            assert await lab.picture() == before
            assert _rows_written(lab.shim.stats[HERE]) == 0
            assert (await lab.bus.list(prefix)).items == said
            await lab.close()

    async def test_what_changed_while_it_was_away_is_made_up_for(self) -> None:
        expected = await self._fresh("other service")
        async with self.rig() as rig:
            lab = Lab(rig, random.Random(2))
            await lab.start()
            await lab.go("overlapping addresses")
            await lab.settle()
            await lab.stop()
            await lab.go("other service")
            await lab.start()
            assert await lab.picture() == expected
            await lab.close()

    async def test_drift_is_repaired_by_a_full_scan(self) -> None:
        async with self.rig() as rig:
            lab = Lab(rig, random.Random(3))
            await lab.start()
            await lab.go("overlapping addresses")
            before = await lab.picture()
            await rig.damage(lab.dice)
            assert await rig.rows() != before[0]
            await lab.rescan()
            assert await lab.picture() == before
            assert await lab.rescan() == 0
            await lab.close()

    async def test_what_is_foreign_stays(self) -> None:
        async with self.rig() as rig:
            lab = Lab(rig, random.Random(4))
            await rig.add_foreign()
            before = await rig.foreign()
            await lab.start()
            for name in ("overlapping addresses", "empty"):
                await lab.go(name)
                await lab.settle()
                await lab.rescan()
                assert await rig.foreign() == before
            await lab.close()

    @pytest.mark.parametrize("after", [0, 1, 3])
    async def test_a_write_that_fails_half_way_is_finished_later(self, after: int) -> None:
        expected = await self._fresh("overlapping addresses")
        async with self.rig() as rig:
            lab = Lab(rig, random.Random(after))
            await lab.start()
            await lab.go("one port")
            await lab.settle()
            await rig.break_writes(after)
            await lab.go("overlapping addresses")
            await until(lambda: lab.shim.stats[HERE].failures > 0, "a write failed")
            await rig.heal()
            assert await lab.picture() == expected
            assert await lab.rescan() == 0
            await lab.close()

    async def test_nothing_is_left_of_an_empty_state(self) -> None:
        expected = await self._fresh("empty")
        async with self.rig() as rig:
            lab = Lab(rig, random.Random(5))
            await lab.start()
            await lab.go("overlapping addresses")
            await lab.settle()
            await lab.go("empty")
            assert await lab.picture() == expected
            assert await lab.statuses() == {}
            await lab.close()

    async def test_a_wiped_bus_takes_nothing_away(self) -> None:
        async with self.rig() as rig:
            lab = Lab(rig, random.Random(6))
            await lab.start()
            await lab.go("overlapping addresses")
            before = await lab.picture()
            written = _rows_written(lab.shim.stats[HERE])
            await lab.resync()
            assert await lab.picture() == before
            assert _rows_written(lab.shim.stats[HERE]) == written
            await lab.close()

    async def _walk(self, walk: list[tuple[str, str]], dice: random.Random) -> None:
        async with self.rig() as rig:
            lab = Lab(rig, dice)
            await lab.start()
            last = "empty"
            for event, name in walk:
                if event in {"go", "squash", "settle"}:
                    last = name
                await _EVENTS[event](lab, name)
            await rig.heal()
            lab.shim.rescan()
            found = await lab.picture()
            assert await lab.rescan() == 0
            await lab.close()
        assert found == await self._fresh(last)

    async def _fresh(self, name: str) -> tuple[Any, Mapping[str, Any]]:
        """Rows and statuses of a first start in a state."""
        async with self.rig() as rig:
            lab = Lab(rig, random.Random(0))
            await lab.go(name)
            await lab.start()
            found = await lab.picture()
            await lab.close()
            return found


async def _go(lab: Lab, name: str) -> None:
    await lab.go(name, repeat=True)


async def _squash(lab: Lab, name: str) -> None:
    await lab.go(name, squash=True)


async def _settle(lab: Lab, name: str) -> None:
    await lab.go(name)
    await lab.rig.heal()
    await lab.settle()


async def _restart(lab: Lab, name: str) -> None:
    await lab.stop()
    await lab.start()


async def _damage(lab: Lab, name: str) -> None:
    await lab.rig.damage(lab.dice)


async def _break(lab: Lab, name: str) -> None:
    await lab.rig.break_writes(lab.dice.randrange(4))


async def _heal(lab: Lab, name: str) -> None:
    await lab.rig.heal()


async def _resync(lab: Lab, name: str) -> None:
    await lab.resync()


_EVENTS: Mapping[str, Callable[[Lab, str], Awaitable[None]]] = {
    "go": _go,
    "squash": _squash,
    "settle": _settle,
    "restart": _restart,
    "damage": _damage,
    "break": _break,
    "heal": _heal,
    "resync": _resync,
}


def _rows_written(stats: Any) -> int:
    return int(stats.rows_made + stats.rows_changed + stats.rows_removed)


def _plain(report: status.Report) -> Any:
    conditions = sorted((c.type, c.status, c.reason) for c in report.conditions)
    bindings = {h: (b.epoch, b.vif_type, b.refused, b.up) for h, b in report.bindings.items()}
    return report.observed_revision, conditions, bindings
