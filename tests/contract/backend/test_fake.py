"""The fake backend passes the conformance suite of backends."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import AsyncIterator, Collection
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from gluon.backends.fake.actual import FakeNetwork
from gluon.backends.fake.backend import FakeBackend
from gluon.backends.fake.desired import Place, Route, Vrf
from gluon.testing.backend_suite import BackendSuite, Rig
from gluon.testing.l3vpn_states import HERE


class FakeRig(Rig):
    backend = FakeBackend

    def __init__(self) -> None:
        self.network = FakeNetwork(auto=False)
        self.plane = self.network.plane(HERE)
        self.options = {"network": self.network}
        self._plugged: set[str] = set()

    async def rows(self) -> Any:
        return dict(self.plane.facts)

    async def plug(self, ports: Collection[str]) -> None:
        for port in self._plugged - set(ports):
            self.network.unplug(port)
        for port in set(ports) - self._plugged:
            self.network.plug(port)
        self._plugged = set(ports)

    async def damage(self, dice: random.Random) -> None:
        facts = self.plane.facts
        for key in dice.sample(sorted(facts), k=len(facts) // 2):
            fact = facts[key]
            if isinstance(fact, Place):
                del facts[key]
            elif isinstance(fact, Vrf):
                facts[key] = dataclasses.replace(fact, import_targets=("1:1",))
            else:
                facts[key] = dataclasses.replace(fact, mac="00:00:00:00:00:00")
        stray = Route(
            service="gone", host=HERE, port="p", interface="i", mac="00:00:00:00:00:00", address="10.9.9.9"
        )
        facts[stray.key] = stray

    async def add_foreign(self) -> None:
        self.plane.foreign["theirs"] = "kept"

    async def foreign(self) -> Any:
        return dict(self.plane.foreign)

    async def break_writes(self, after: int) -> None:
        self.plane.writes_left = after

    async def heal(self) -> None:
        self.plane.writes_left = None


class TestFake(BackendSuite):
    def rig(self) -> AbstractAsyncContextManager[Rig]:
        return _rig()


@asynccontextmanager
async def _rig() -> AsyncIterator[Rig]:
    yield FakeRig()
