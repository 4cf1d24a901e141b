"""How long somebody stays who he was: tokens that end, are revoked or mean another, ways that are away, rules that change."""

import asyncio
import time
from dataclasses import replace
from typing import Any

import pytest

from gluon import errors
from gluon.identity import gate
from gluon.identity.staying import Staying
from gluon.spi.policy import Caller
from tests.unit.identity.test_gate import ALICE, Way, admit

HEADERS = {b"x-auth-token": b"good"}


class House:
    """A gate with one way, and somebody who was let in."""

    def __init__(self, **options: Any) -> None:
        self.way = Way(good=ALICE)
        self.admins = False
        self.gate = gate.Gate((self.way,), lambda _: self.admins, gate.Options(**options))

    async def enter(self, **patience: float) -> "asyncio.Task[errors.GluonError]":
        """The end of his stay, to be waited for."""
        caller: Caller = await admit(self.gate, x_auth_token="good")
        ended = asyncio.create_task(Staying(self.gate, **patience).end(HEADERS, caller))
        await asyncio.sleep(0)
        return ended


async def test_a_stay_ends_with_its_token() -> None:
    house = House()
    expires = time.time() + 2
    house.way.bearers["good"] = replace(ALICE, expires=expires)
    ended = await house.enter()
    found = await asyncio.wait_for(ended, 60)
    assert isinstance(found, errors.Unauthorized)
    assert time.time() >= expires


async def test_a_revoked_token_is_noticed_once_it_would_be_in_a_request() -> None:
    house = House(seconds=0.3)
    ended = await house.enter()
    assert not (await asyncio.wait((ended,), timeout=0.8))[0]
    house.way.bearers.clear()
    assert isinstance(await asyncio.wait_for(ended, 60), errors.Unauthorized)


async def test_a_token_is_not_asked_for_more_often_than_for_requests() -> None:
    house = House(seconds=0.6)
    began = time.monotonic()
    stays = [await house.enter() for _ in range(20)]
    async with asyncio.timeout(60):
        while len(house.way.asked) < 3:
            await asyncio.sleep(0.01)
    assert len(house.way.asked) <= 2 + (time.monotonic() - began) / 0.6
    for stay in stays:
        stay.cancel()


async def test_other_tokens_of_a_file_count_at_once() -> None:
    house = House()
    ended = await house.enter()
    house.gate.forget()
    assert not (await asyncio.wait((ended,), timeout=0.5))[0]  # still the same one
    house.way.bearers["good"] = replace(ALICE, roles=frozenset({"reader"}))
    house.gate.forget()
    found = await asyncio.wait_for(ended, 60)
    assert not isinstance(found, errors.Unauthorized) and "other rights" in str(found)


async def test_other_rules_of_who_is_an_admin_count_at_once() -> None:
    house = House()
    house.admins = True
    ended = await house.enter()
    house.admins = False
    house.gate.reconsider()
    assert "other rights" in str(await asyncio.wait_for(ended, 60))
    assert len(house.way.asked) == 1


async def test_a_change_between_the_request_and_its_stream_is_noticed() -> None:
    house = House()
    caller: Caller = await admit(house.gate, x_auth_token="good")
    house.way.bearers.clear()
    house.gate.forget()
    found = await asyncio.wait_for(Staying(house.gate).end(HEADERS, caller), 60)
    assert isinstance(found, errors.Unauthorized)


@pytest.mark.parametrize("back", [True, False])
async def test_a_way_that_is_away_ends_no_stay_at_once(*, back: bool) -> None:
    house = House(seconds=0.3, stale=0.0)
    began = time.monotonic()
    ended = await house.enter(again=0.2, patience=60.0 if back else 1.0)
    house.way.away = True
    if back:
        assert not (await asyncio.wait((ended,), timeout=0.8))[0]
        house.way.away = False
        assert not (await asyncio.wait((ended,), timeout=0.8))[0]
        ended.cancel()
    else:
        assert isinstance(await asyncio.wait_for(ended, 60), errors.Unavailable)
        assert time.monotonic() - began > 1.0
