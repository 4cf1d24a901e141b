"""Code of the proton `rich`: it refuses a name, writes one attribute, and runs an action."""

from __future__ import annotations

from typing import Any

from gluon import errors
from gluon.spi import hooks


async def count(change: Any, reader: Any) -> None:
    """A line may not be called so."""
    if change.new is not None and change.new["name"] == "forbidden":
        raise errors.Conflict("no line is called forbidden", code="name", hint="choose another name")


async def test(line: Any, wanted: Any, reader: Any) -> hooks.Outcome:
    """Count the tests of a line."""
    return hooks.Outcome(answer={"lost": 0}, changes={"tests": line.old["tests"] + 1})
