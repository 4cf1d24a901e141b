"""Both implementations of the bus, as fixtures: every test of this folder runs on each.

`bus`: an empty one. `another`: makes a second client of the same (for the embedded bus it is the
same object). Silent watches are asked after half a second instead of ten.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator

import pytest

from gluon.kv.connect import connect
from gluon.kv.etcd import EtcdBus
from gluon.kv.memory import MemoryBus
from gluon.testing.fixtures import require_programs
from gluon.testing.servers import EtcdServer

AnyBus = EtcdBus | MemoryBus
PROGRESS = 0.5


@pytest.fixture(params=["memory", "etcd"])
async def another(request: pytest.FixtureRequest) -> AsyncIterator[Callable[[], AnyBus]]:
    made: list[AnyBus] = []
    urls = [request.getfixturevalue("etcd_url")] if request.param == "etcd" else None

    def make() -> AnyBus:
        if urls is None and made:
            return made[0]
        bus = connect(urls, progress=PROGRESS)
        assert isinstance(bus, (EtcdBus, MemoryBus))
        made.append(bus)
        return bus

    yield make
    for bus in made:
        await bus.close()


@pytest.fixture
def bus(another: Callable[[], AnyBus]) -> AnyBus:
    return another()


@pytest.fixture
def own_etcd() -> Iterator[EtcdServer]:
    """An etcd that the test may break."""
    require_programs("etcd", "etcdctl")
    with EtcdServer() as server:
        yield server


@pytest.fixture
async def connected(own_etcd: EtcdServer) -> AsyncIterator[EtcdBus]:
    """A client of `own_etcd` with short limits."""
    bus = connect([own_etcd.url], timeout=4.0, progress=PROGRESS)
    assert isinstance(bus, EtcdBus)
    yield bus
    await bus.close()
