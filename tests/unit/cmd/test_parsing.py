"""Models read in a process of their own."""

from __future__ import annotations

import asyncio
import time

import pytest

from gluon import errors
from gluon.cmd import parsing

HEAD = """
file_version: "2.0"
imports: base-2.0
info: {name: net-many, version: "2.0", description: Many.}
objects:
"""


def model(count: int) -> dict[str, str]:
    kinds = [
        f"  Thing{n}:\n    extends: BaseObject\n    description: One.\n"
        f"    api: {{name: thing{n}, plural_name: things{n}}}\n    attributes: {{size: {{type: integer}}}}\n"
        for n in range(count)
    ]
    return {"api.yaml": HEAD + "".join(kinds)}


async def test_others_go_on_while_a_model_is_read() -> None:
    longest, last = 0.0, time.thread_time()  # of work: a machine may stand still too
    reading = asyncio.create_task(parsing.parse(model(150)))
    while not reading.done():
        await asyncio.sleep(0.005)
        now = time.thread_time()
        longest, last = max(longest, now - last), now
    (found,) = await reading
    assert len([name for name in found.types if name.startswith("Thing")]) == 150
    assert longest < 0.5


async def test_problems_are_told_as_ever() -> None:
    with pytest.raises(errors.ModelError) as refusal:
        await parsing.parse({"api.yaml": HEAD + "  A:\n    extends: Nothing\n"})
    assert refusal.value.problems[0].file == "api.yaml"


async def test_a_model_that_takes_too_long_is_refused() -> None:
    with pytest.raises(errors.Invalid, match="takes more than"):
        await parsing.parse(model(5), seconds=0.01)


def test_a_bomb_of_aliases_and_a_deep_text_are_problems() -> None:
    aliases = "a0: &a0 [x, x]\n" + "".join(
        f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}, *a{n - 1}, *a{n - 1}]\n" for n in range(1, 30)
    )
    for text in (aliases, "a: " + "[" * 100_000, "a: " + "{b: " * 5_000 + "1"):
        assert parsing.answer({"api.yaml": text})[:1] == b"P"
