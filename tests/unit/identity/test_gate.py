"""The gate: who waits for what, what is kept for how long, and which headers count."""

import asyncio
import time
from collections.abc import Awaitable
from typing import Any

import pytest

from gluon import errors
from gluon.identity import gate
from gluon.identity.known import LONGEST, Known
from gluon.spi.policy import Caller

ALICE = Known(user="alice", project="p1", roles=frozenset({"member"}))


class Way:
    """Knows what a test says it knows, and counts questions."""

    challenge = 'Test realm="x"'

    def __init__(self, **known: Known) -> None:
        self.bearers: dict[str, Known | None] = dict(known)
        self.asked: list[tuple[str, bool]] = []
        self.away = False
        self.hold: asyncio.Event | None = None

    async def known(self, token: str, *, expired: bool) -> Known | None:
        self.asked.append((token, expired))
        if self.hold is not None:
            await self.hold.wait()
        if self.away:
            raise errors.Unavailable("away", retry_after=7)
        return self.bearers.get(token)

    async def run(self) -> None:
        """Nothing."""

    async def close(self) -> None:
        """Nothing."""


class Clock:
    """What the gate takes for `time`: it stands still but for what a test lets pass."""

    def __init__(self) -> None:
        self.passed = 0.0

    def monotonic(self) -> float:
        return 1000.0 + self.passed

    def time(self) -> float:
        return 1e9 + self.passed


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    one = Clock()
    monkeypatch.setattr(gate, "time", one)
    return one


def made(*ways: Any, **options: Any) -> gate.Gate:
    return gate.Gate(ways, lambda caller: "admin" in caller.roles, gate.Options(**options))


async def admit(door: gate.Gate, **headers: str) -> Caller:
    given = {name.replace("_", "-").encode(): value.encode("latin-1") for name, value in headers.items()}
    admitted = door.admit("GET", given)
    return admitted if isinstance(admitted, Caller) else await admitted


def at_once(door: gate.Gate, token: str) -> bool:
    """Whether a token is admitted without waiting."""
    admitted: Caller | Awaitable[Caller] = door.admit("GET", {b"x-auth-token": token.encode()})
    if isinstance(admitted, Caller):
        return True
    admitted.close()  # type: ignore[attr-defined]
    return False


async def test_a_token_that_is_known_is_admitted_at_once() -> None:
    way = Way(good=ALICE)
    door = made(way)
    assert not at_once(door, "good")
    caller = await admit(door, x_auth_token="good")
    assert (caller.user, caller.project, caller.roles, caller.admin) == (
        "alice",
        "p1",
        frozenset({"member"}),
        False,
    )
    assert at_once(door, "good")
    assert way.asked == [("good", False)]


async def test_a_bearer_and_an_auth_token_are_one() -> None:
    way = Way(good=ALICE)
    door = made(way)
    for kind in ("Bearer", "bearer", "BEARER"):
        assert (await admit(door, authorization=f"{kind} good")).user == "alice"
    await admit(door, x_auth_token="good")
    assert len(way.asked) == 1


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x_auth_token": ""},
        {"authorization": "good"},
        {"authorization": "Basic good"},
        {"authorization": "Bearer"},
        {"authorization": "Bearer "},
        {"authorization": "Bearer two words"},
        {"x_auth_token": "gööd"},
        {"x_auth_token": "good\x00"},
        {"x_auth_token": "good\tgood"},
        {"x_auth_token": "x" * (LONGEST + 1)},
        {"x_auth_token": "bad"},
        {"x_auth_token": "bad", "authorization": "Bearer good"},
    ],
)
async def test_what_is_no_token_or_a_wrong_one(headers: dict[str, str]) -> None:
    way = Way(good=ALICE)
    with pytest.raises(errors.Unauthorized) as refused:
        await admit(made(way), **headers)
    assert refused.value.challenge == 'Test realm="x"'
    assert "bad" not in str(refused.value)
    assert {token for token, _ in way.asked} <= {"bad"}


async def test_however_many_wait_a_token_is_asked_for_once() -> None:
    way = Way(good=ALICE)
    way.hold = asyncio.Event()
    door = made(way)
    waiting = [asyncio.create_task(admit(door, x_auth_token="good")) for _ in range(100)]
    waiting += [asyncio.create_task(admit(door, authorization="Bearer good")) for _ in range(100)]
    while not way.asked:
        await asyncio.sleep(0)
    waiting[0].cancel()  # who asked first leaves; the others are served all the same
    way.hold.set()
    done = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(one) for one in done] == [asyncio.CancelledError] + [Caller] * 199
    assert len(way.asked) == 1


async def test_a_refusal_is_kept_shortly(clock: Clock) -> None:
    way = Way()
    door = made(way, refused=5)
    for _ in range(3):
        with pytest.raises(errors.Unauthorized):
            await admit(door, x_auth_token="soon")
    assert len(way.asked) == 1
    way.bearers["soon"] = ALICE
    clock.passed += 6
    assert (await admit(door, x_auth_token="soon")).user == "alice"


async def test_a_token_is_kept_so_long_and_never_over_its_expiry(clock: Clock) -> None:
    way = Way(short=Known(user="a", expires=clock.time() + 10), old=Known(user="b", expires=clock.time() - 1))
    door = made(way, seconds=300)
    await admit(door, x_auth_token="short")
    assert at_once(door, "short")
    with pytest.raises(errors.Unauthorized):
        await admit(door, x_auth_token="old")
    clock.passed += 11
    way.away = True
    assert not at_once(door, "short")
    with pytest.raises(errors.Unavailable):
        await admit(door, x_auth_token="short")
    way.away = False
    with pytest.raises(errors.Unauthorized):
        await admit(door, x_auth_token="short")


async def test_one_that_was_revoked_is_found_out(clock: Clock) -> None:
    way = Way(good=ALICE)
    door = made(way, seconds=5)
    await admit(door, x_auth_token="good")
    way.bearers.clear()
    clock.passed += 6
    with pytest.raises(errors.Unauthorized):
        await admit(door, x_auth_token="good")
    way.away = True
    with pytest.raises(errors.Unauthorized):
        await admit(door, x_auth_token="good")


async def test_while_a_way_is_away_known_tokens_go_on_for_a_time(clock: Clock) -> None:
    way = Way(good=ALICE)
    door = made(way, seconds=5, stale=30)
    await admit(door, x_auth_token="good")
    way.away = True
    clock.passed += 6
    assert (await admit(door, x_auth_token="good")).user == "alice"
    assert at_once(door, "good")
    with pytest.raises(errors.Unavailable) as refused:
        await admit(door, x_auth_token="other")
    assert refused.value.retry_after == 7
    clock.passed += 30
    with pytest.raises(errors.Unavailable):
        await admit(door, x_auth_token="good")


async def test_a_way_that_hangs_holds_a_known_token_up_for_a_second_at_most(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(gate, "_PATIENCE", 0.05)
    way = Way(good=ALICE)
    door = made(way, seconds=0.01)
    await admit(door, x_auth_token="good")
    way.hold = asyncio.Event()
    await asyncio.sleep(0.02)
    async with asyncio.timeout(60):
        assert (await admit(door, x_auth_token="good")).user == "alice"
    way.bearers.clear()
    way.hold.set()
    with pytest.raises(errors.Unauthorized):
        async with asyncio.timeout(60):
            while True:  # who was asked already answers first
                await admit(door, x_auth_token="good")
                await asyncio.sleep(0.01)
    await door.close()


async def test_one_way_away_is_no_reason_to_refuse_what_another_knows() -> None:
    first, second = Way(), Way(good=ALICE)
    first.away = True
    door = made(first, second)
    assert (await admit(door, x_auth_token="good")).user == "alice"
    with pytest.raises(errors.Unavailable):
        await admit(door, x_auth_token="bad")


async def test_a_way_that_breaks_is_no_way_in(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(Way):
        async def known(self, token: str, *, expired: bool) -> Known | None:
            raise RuntimeError(token)

    with pytest.raises(errors.Unavailable) as refused:
        await admit(made(Broken()), x_auth_token="secret-token")
    assert "secret-token" not in str(refused.value)


async def test_a_service_lets_an_expired_token_pass_and_is_told() -> None:
    nova = Known(user="nova", project="s1", roles=frozenset({"service"}), more={"user_domain_id": "d"})

    class Window(Way):
        async def known(self, token: str, *, expired: bool) -> Known | None:
            found = await super().known(token, expired=expired)
            if token != "old":
                return found
            return Known(user="alice", expires=time.time() - 5, lasting=False) if expired else None

    way = Window(nova=nova, plain=ALICE)
    door = made(way)
    caller = await admit(door, x_auth_token="old", x_service_token="nova")
    assert caller.user == "alice"
    assert caller.more["service_roles"] == ["service"]
    assert caller.more["service_user_id"] == "nova"
    assert caller.more["service_project_id"] == "s1"
    assert caller.more["service_user_domain_id"] == "d"
    headers = {b"x-auth-token": b"old", b"x-service-token": b"nova"}
    assert isinstance(door.admit("GET", headers), Caller)
    for given in ({}, {"x_service_token": "plain"}, {"x_service_token": "none"}, {"x_service_token": ""}):
        with pytest.raises(errors.Unauthorized):
            await admit(door, x_auth_token="old", **given)
    with pytest.raises(errors.Unauthorized):
        await admit(door, x_service_token="nova")


async def test_only_the_rules_make_an_admin() -> None:
    door = made(Way(root=Known(user="root", roles=frozenset({"admin"})), good=ALICE))
    assert (await admit(door, x_auth_token="root")).admin
    given = {"x_roles": "admin", "x_is_admin": "True", "x_project_id": "p2", "x_user_id": "root"}
    caller = await admit(door, x_auth_token="good", **given)
    assert (caller.admin, caller.project, caller.user) == (False, "p1", "alice")


async def test_what_is_kept_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "MOST", 10)
    way = Way(**{f"t{n}": ALICE for n in range(50)})
    door = made(way)
    for n in range(50):
        await admit(door, x_auth_token=f"t{n}")
        with pytest.raises(errors.Unauthorized):
            await admit(door, x_auth_token=f"bad{n}")
    assert (len(door._quick), len(door._entries), len(door._refused)) == (10, 10, 10)
    assert at_once(door, "t49")
    assert not at_once(door, "t0")


async def test_too_many_unknown_tokens_at_once_are_told_to_come_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(gate, "_WAITING", 5)
    way = Way()
    way.hold = asyncio.Event()
    door = made(way)
    waiting = [asyncio.create_task(admit(door, x_auth_token=f"t{n}")) for n in range(5)]
    while len(way.asked) < 5:
        await asyncio.sleep(0)
    with pytest.raises(errors.Unavailable):
        await admit(door, x_auth_token="t5")
    way.hold.set()
    done = await asyncio.gather(*waiting, return_exceptions=True)
    assert {type(one) for one in done} == {errors.Unauthorized}


async def test_forgetting_asks_again() -> None:
    way = Way(good=ALICE)
    door = made(way)
    await admit(door, x_auth_token="good")
    way.bearers.clear()
    door.forget()
    with pytest.raises(errors.Unauthorized):
        await admit(door, x_auth_token="good")


async def test_what_was_asked_for_before_a_change_is_not_kept() -> None:
    """A file of tokens changes while Keystone is asked for another token, or for one that is in the file now."""
    file, slow = Way(service=Known(user="nova", roles=frozenset({"service"}))), Way(good=ALICE)
    slow.hold = asyncio.Event()
    door = made(file, slow)
    through = asyncio.create_task(admit(door, x_auth_token="good", x_service_token="service"))
    early = asyncio.create_task(admit(door, x_auth_token="new"))
    while len(slow.asked) < 2:
        await asyncio.sleep(0)
    file.bearers = {"new": ALICE}
    door.forget()
    slow.hold.set()
    await asyncio.wait((through, early))
    assert isinstance(early.exception(), errors.Unauthorized)
    with pytest.raises(errors.Unauthorized):
        await admit(door, x_auth_token="good", x_service_token="service")
    assert (await admit(door, x_auth_token="new")).user == "alice"


async def test_no_token_is_shown_by_what_keeps_them() -> None:
    door = made(Way(good=ALICE))
    await admit(door, x_auth_token="good")
    assert "good" not in repr(door) + repr(door._entries)
