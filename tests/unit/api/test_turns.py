"""Calls at their time."""

from __future__ import annotations

import asyncio
from functools import partial

import uvloop

from gluon.api import turns


async def _in_order() -> None:
    loop = asyncio.get_running_loop()
    found, began = turns.Turns(), loop.time()
    made: list[tuple[str, float]] = []

    def note(name: str) -> None:
        made.append((name, loop.time() - began))

    for name, seconds in (("d", 0.2), ("b", 0.05), ("c", 0.05), ("a", 0.0), ("e", 0.2001)):
        found.after(seconds, partial(note, name))

    def more() -> None:
        note("f")
        found.after(0.01, partial(note, "g"))

    found.after(0.25, more)
    async with asyncio.timeout(30):
        while len(made) < 7:
            await asyncio.sleep(0.005)
    assert [name for name, _ in made] == list("abcdefg")
    for (name, at), due in zip(made, (0, 0.05, 0.05, 0.2, 0.2001, 0.25, 0.26), strict=True):
        assert at >= due - 0.002, name


def test_each_is_made_in_its_order_and_not_before_its_time() -> None:
    for kind in (asyncio.run, uvloop.run):
        kind(_in_order())
