"""A refusal is answered at a tick of its request, whatever it took to find out."""

from __future__ import annotations

import asyncio

import pytest

from gluon import errors
from gluon.api import evened
from gluon.spi import policy

MEMBER = policy.Caller(user="m", project="p")


async def taken(work: float, error: Exception, caller: policy.Caller | None) -> float:
    """Seconds from the beginning to the answer, of a request that works for so long."""
    began = evened.now()
    await asyncio.sleep(work)
    await evened.hold(error, caller, began)
    return evened.now() - began


@pytest.mark.parametrize("work", [0.0, 0.0005, 0.003, 0.0102])
async def test_what_is_missing_is_told_at_a_tick(work: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evened, "_TICK", 0.1)
    found = await taken(work, errors.NotFound("no"), MEMBER)
    assert found >= 0.099


@pytest.mark.parametrize(
    ("error", "caller"),
    [
        (errors.NotFound("no"), policy.Caller(user="root", admin=True)),
        (errors.NotFound("no"), None),
        (errors.Conflict("no"), MEMBER),
    ],
)
async def test_others_wait_for_nothing(
    error: Exception, caller: policy.Caller | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evened, "_TICK", 100.0)
    async with asyncio.timeout(60):
        await taken(0.0, error, caller)
