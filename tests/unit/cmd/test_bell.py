"""The pipe by which workers wake the publisher beside them."""

import asyncio
import os
from collections.abc import Iterator

import pytest

from gluon.cmd import bell


@pytest.fixture
def ends() -> Iterator[tuple[int, int]]:
    listening, ringing = bell.pipe()
    yield listening, ringing
    os.close(listening)
    os.close(ringing)


async def test_many_rings_of_one_turn_wake_once(ends: tuple[int, int]) -> None:
    woken = asyncio.Event()
    worker = bell.Bell(ends[1])
    for _ in range(5):
        worker.ring()
    await asyncio.sleep(0)
    assert os.read(ends[0], 100) == b"\0"
    bell.listen(ends[0], woken.set)
    worker.ring()
    await asyncio.wait_for(woken.wait(), 60)
    asyncio.get_running_loop().remove_reader(ends[0])


async def test_a_ring_before_anyone_listens_is_heard(ends: tuple[int, int]) -> None:
    woken = asyncio.Event()
    bell.Bell(ends[1]).ring()
    await asyncio.sleep(0)
    bell.listen(ends[0], woken.set)
    await asyncio.wait_for(woken.wait(), 60)
    asyncio.get_running_loop().remove_reader(ends[0])


async def test_a_full_pipe_and_a_closed_one_stop_no_worker(ends: tuple[int, int]) -> None:
    worker = bell.Bell(ends[1])
    with pytest.raises(BlockingIOError):
        while True:
            os.write(ends[1], b"\0" * 4096)
    worker.ring()
    await asyncio.sleep(0)
    gone = os.dup(ends[1])
    os.close(gone)
    bell.Bell(gone).ring()
    await asyncio.sleep(0)
