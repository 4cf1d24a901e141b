"""An address may try so many wrong tokens, and no more; who has a good one is not held up."""

import asyncio

import pytest

from gluon import errors
from gluon.identity import gate, wrong
from gluon.identity.known import Known
from gluon.spi.policy import Caller
from tests.unit.identity.test_gate import ALICE, Clock, Way, clock

__all__ = ["clock"]
PEER = b":peer"


def made(way: Way, rate: float = 2, burst: float = 5) -> gate.Gate:
    limit = wrong.Wrong(rate, burst, lambda headers: headers.get(PEER, b"").decode() or None)
    return gate.Gate((way,), lambda _: False, gate.Options(), limit)


async def told(door: gate.Gate, token: str, address: str = "192.0.2.1") -> str:
    """Who it is, or why not."""
    headers = {b"x-auth-token": token.encode(), PEER: address.encode()}
    try:
        found = door.admit("GET", headers)
        caller = found if isinstance(found, Caller) else await found
    except errors.TooMany as error:
        return f"wait {error.retry_after}"
    except errors.Unavailable:
        return "unavailable"
    except errors.Rejected as error:
        return error.code
    return caller.user


async def test_a_flood_of_wrong_tokens_asks_nobody(clock: Clock) -> None:
    way = Way(alice=ALICE)
    door = made(way)
    assert await told(door, "alice") == "alice"
    answers = [await told(door, f"wrong-{n}") for n in range(20)]
    assert answers == ["unauthorized"] * 5 + ["wait 1"] * 15
    assert len(way.asked) == 6
    assert await told(door, "alice") == "alice"
    assert await told(door, "wrong-3") == "unauthorized", "it is known that it is wrong"
    assert await told(door, "other", "192.0.2.2") == "unauthorized", "another address has its own"
    clock.passed += 1.0
    assert [await told(door, f"again-{n}") for n in range(3)] == ["unauthorized"] * 2 + ["wait 1"]


async def test_good_tokens_cost_nothing(clock: Clock) -> None:
    way = Way(**{f"good{n}": Known(user=f"u{n}") for n in range(50)})
    door = made(way)
    assert [await told(door, f"good{n}") for n in range(50)] == [f"u{n}" for n in range(50)]
    assert [await told(door, f"wrong{n}") for n in range(6)] == ["unauthorized"] * 5 + ["wait 1"]


async def test_those_that_are_being_asked_for_count(clock: Clock) -> None:
    way = Way()
    way.hold = asyncio.Event()
    door = made(way)
    every = [asyncio.create_task(told(door, f"wrong-{n}")) for n in range(30)]
    while len(way.asked) < 5 or sum(one.done() for one in every) < 25:
        await asyncio.sleep(0)
    assert len(way.asked) == 5
    way.hold.set()
    assert sorted(await asyncio.gather(*every)) == ["unauthorized"] * 5 + ["wait 1"] * 25


async def test_while_keystone_is_away_nobody_is_wrong(clock: Clock) -> None:
    way = Way()
    way.away = True
    door = made(way)
    assert [await told(door, f"t{n}") for n in range(20)] == ["unavailable"] * 20


async def test_a_network_of_ipv6_is_one(clock: Clock) -> None:
    door = made(Way())
    answers = [await told(door, f"t{n}", f"2001:db8::{n + 1:x}") for n in range(7)]
    assert answers == ["unauthorized"] * 5 + ["wait 1"] * 2
    assert await told(door, "t9", "2001:db8:0:1::1") == "unauthorized"
    assert [await told(door, f"n{n}", "") for n in range(7)] == ["unauthorized"] * 7, "no address, no limit"


async def test_addresses_are_forgotten(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wrong, "MOST", 3)
    door = made(Way(), burst=1)
    for n in range(20):
        assert await told(door, f"t{n}", f"192.0.2.{n}") == "unauthorized"
    assert await told(door, "last", "192.0.2.19") == "wait 1"
    clock.passed += 60
    for n in range(20):
        assert await told(door, f"s{n}", f"192.0.2.{n}") == "unauthorized"
