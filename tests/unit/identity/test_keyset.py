"""Keys from a URL: read again for a new one, but not as often as somebody likes, and kept while it is away."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from gluon import errors
from gluon.identity import fetch, keyset

KEY = ec.generate_private_key(ec.SECP256R1()).public_key()


def keys(*kids: str) -> bytes:
    made: list[dict[str, Any]] = [
        {**jwt.algorithms.ECAlgorithm.to_jwk(KEY, as_dict=True), "kid": k} for k in kids
    ]
    return json.dumps({"keys": made}).encode()


class Issuer:
    """Stands for `fetch.Server`, whose own tests are elsewhere."""

    def __init__(self) -> None:
        self.body = keys("a")
        self.status = 200
        self.asked: list[str] = []
        self.silent: asyncio.Event | None = None

    async def ask(self, method: str, path: str) -> fetch.Answer:
        self.asked.append(path)
        await asyncio.sleep(0)
        if self.silent is not None:
            await self.silent.wait()
        if not self.status:
            raise fetch.Unreachable("away")
        return fetch.Answer(self.status, {}, self.body)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    now = [1000.0]
    monkeypatch.setattr("gluon.identity.keyset.monotonic", lambda: now[0])
    yield now
    monkeypatch.undo()


def made(issuer: Issuer) -> keyset.Keys:
    found = keyset.Keys("https://issuer.example/keys?v=1")
    found._server = issuer  # type: ignore[assignment]
    return found


async def test_keys_are_read_when_they_are_needed_and_kept(clock: list[float]) -> None:
    issuer = Issuer()
    known = made(issuer)
    assert issuer.asked == []
    found = await asyncio.gather(*(known.find("a", "ES256") for _ in range(20)))
    assert {key.kid for key in found if key} == {"a"}
    assert issuer.asked == ["/keys?v=1"]
    assert await known.find("a", "RS256") is None
    clock[0] += 3601
    issuer.body = keys("b")
    assert await known.find("a", "ES256") is None


async def test_an_unknown_key_is_looked_for_each_half_minute_at_most(clock: list[float]) -> None:
    issuer = Issuer()
    known = made(issuer)
    await known.find("a", "ES256")
    for _ in range(50):
        assert await known.find("b", "ES256") is None
    assert len(issuer.asked) == 1
    clock[0] += 31
    issuer.body = keys("a", "b")
    assert await known.find("b", "ES256") is not None
    assert await known.find(None, "ES256") is None  # which of the two it is, is not said
    for _ in range(50):
        assert await known.find("c", "ES256") is None
    assert len(issuer.asked) == 2


@pytest.mark.parametrize("wanted", ["a", "zz"])
async def test_an_issuer_that_says_nothing_holds_up_no_token_of_a_known_key(
    clock: list[float], wanted: str
) -> None:
    """Whether keys are old, or somebody sends names of keys that there are not."""
    issuer = Issuer()
    known = made(issuer)
    await known.find("a", "ES256")
    clock[0] += 9999
    issuer.silent = asyncio.Event()
    waiting = asyncio.create_task(known.find(wanted, "ES256"))
    while len(issuer.asked) < 2:
        await asyncio.sleep(0)
    assert await asyncio.wait_for(known.find("a", "ES256"), 60) is not None
    issuer.silent.set()
    assert (await waiting is None) == (wanted == "zz")


@pytest.mark.parametrize(("status", "body"), [(0, b""), (500, b""), (302, b""), (200, b"<html>")])
async def test_keys_go_on_while_the_issuer_is_away(clock: list[float], status: int, body: bytes) -> None:
    issuer = Issuer()
    known = made(issuer)
    await known.find("a", "ES256")
    issuer.status, issuer.body = status, body
    clock[0] += 9999
    assert await known.find("a", "ES256") is not None
    fresh = made(issuer)
    with pytest.raises(errors.Unavailable):
        await fresh.find("a", "ES256")
    issuer.status, issuer.body = 200, keys("a")
    clock[0] += 2
    assert await fresh.find("a", "ES256") is not None
