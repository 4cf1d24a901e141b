"""The way to Keystone: Gluon's own token, odd answers, and who tries while it is away."""

import asyncio
import json
import time
from datetime import UTC, datetime
from typing import Any

import pytest

from gluon import errors
from gluon.identity import fetch, keystone
from gluon.identity.credentials import Credentials
from gluon.identity.known import Known

GOOD: dict[str, Any] = {
    "user": {"id": "u1", "name": "alice", "domain": {"id": "d1", "name": "D"}},
    "project": {"id": "p1", "name": "net", "domain": {"id": "d2", "name": "E"}},
    "roles": [{"id": "1", "name": "member"}, {"id": "2", "name": "reader"}],
    "expires_at": "2099-01-01T00:00:00.000000Z",
}


def stamp(seconds: float) -> str:
    return datetime.fromtimestamp(time.time() + seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class Fake:
    """Answers as a test says; stands for `fetch.Server`."""

    def __init__(self) -> None:
        self.logins = 0
        self.good: set[str] = set()
        self.life = 3600.0
        self.answers: dict[str, tuple[int, Any]] = {"good": (200, {"token": GOOD})}
        self.asked: list[str] = []
        self.login_status = 201
        self.away = False
        self.hold: asyncio.Event | None = None

    async def ask(
        self, method: str, path: str, headers: dict[str, str] | None = None, body: bytes = b""
    ) -> fetch.Answer:
        await asyncio.sleep(0)
        if self.away:
            raise fetch.Unreachable("away")
        if method == "POST":
            self.logins += 1
            self.good = {f"own-{self.logins}"}
            sent = {b"x-subject-token": f"own-{self.logins}".encode()}
            return fetch.Answer(
                self.login_status, sent, json.dumps({"token": {"expires_at": stamp(self.life)}}).encode()
            )
        given = headers or {}
        self.asked.append(path)
        if self.hold is not None:
            await self.hold.wait()
        if given["x-auth-token"] not in self.good:
            return fetch.Answer(401, {}, b"{}")
        status, answer = self.answers.get(given["x-subject-token"], (404, {}))
        return fetch.Answer(status, {}, answer if isinstance(answer, bytes) else json.dumps(answer).encode())


@pytest.fixture
def fake() -> Fake:
    return Fake()


def way(fake: Fake) -> keystone.Keystone:
    made = keystone.Keystone("http://k.example/v3", Credentials(user="gluon", password="pw"))
    made._server = fake  # type: ignore[assignment]
    made._own._server = fake  # type: ignore[assignment]
    return made


async def known(judge: keystone.Keystone, which: str = "good", *, expired: bool = False) -> Known | None:
    return await judge.known(which, expired=expired)


async def test_a_token_is_described(fake: Fake) -> None:
    judge = way(fake)
    found = await known(judge)
    assert found is not None
    assert (found.user, found.project, found.roles) == ("u1", "p1", frozenset({"member", "reader"}))
    assert found.more["user_domain_id"] == "d1"
    assert found.more["project_domain_id"] == "d2"
    assert "domain_id" not in found.more
    assert "system_scope" not in found.more
    assert await known(judge, "unknown") is None
    await known(judge, expired=True)
    assert fake.asked[-1].endswith("allow_expired=1")
    assert fake.logins == 1


async def test_scopes_without_a_project(fake: Fake) -> None:
    bare = {name: value for name, value in GOOD.items() if name != "project"}
    fake.answers["domain"] = (200, {"token": {**bare, "domain": {"id": "d9"}}})
    fake.answers["system"] = (200, {"token": {**bare, "system": {"all": True}}})
    fake.answers["none"] = (200, {"token": {**bare, "roles": None}})
    judge = way(fake)
    for token, more in (("domain", {"domain_id": "d9"}), ("system", {"system_scope": "all"}), ("none", {})):
        found = await known(judge, token)
        assert found is not None
        assert found.project is None
        assert more.items() <= found.more.items()


async def test_its_own_token_is_made_anew_before_it_ends_and_when_it_is_refused(fake: Fake) -> None:
    judge = way(fake)
    await asyncio.gather(*(known(judge) for _ in range(20)))
    assert fake.logins == 1
    fake.good.clear()  # Keystone has other keys now, say
    found = await asyncio.gather(*(known(judge) for _ in range(20)))
    assert all(found)
    assert fake.logins == 2
    fake.life = 1.0
    fake.good.clear()
    await known(judge)
    await asyncio.sleep(0.6)
    await known(judge)
    assert fake.logins == 4


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (500, {}), (403, {}), (302, {}), (200, b""), (200, b"<html>"), (200, []), (200, {}), (200, {"token": []}),
        (200, {"token": {}}), (200, {"token": {**GOOD, "user": {}}}), (200, {"token": {**GOOD, "roles": [1]}}),
        (200, {"token": {**GOOD, "expires_at": "soon"}}), (200, {"token": {**GOOD, "expires_at": "2099-01-01T00:00:00"}}),
        (200, {"token": {**GOOD, "project": "p"}}),
    ],
)  # fmt: skip
async def test_an_odd_answer_lets_nobody_in(fake: Fake, status: int, answer: Any) -> None:
    fake.answers["odd"] = (status, answer)
    with pytest.raises(errors.Unavailable):
        await known(way(fake), "odd")


async def test_wrong_credentials_are_not_tried_again_and_again(fake: Fake) -> None:
    """Keystone may lock a user who fails too often."""
    fake.login_status = 401
    judge = way(fake)
    for _ in range(50):
        with pytest.raises(errors.Unavailable):
            await known(judge)
    assert fake.logins == 1


async def test_only_one_tries_while_it_is_away(fake: Fake) -> None:
    judge = way(fake)
    await known(judge)
    fake.away = True
    with pytest.raises(errors.Unavailable):
        await known(judge)
    fake.away, fake.asked = False, []
    with pytest.raises(errors.Unavailable):
        await known(judge)  # too soon
    assert fake.asked == []
    judge._away_until = 0.0
    fake.hold = asyncio.Event()
    trying = asyncio.create_task(known(judge))
    while not fake.asked:
        await asyncio.sleep(0)
    for _ in range(20):
        with pytest.raises(errors.Unavailable):
            await known(judge)
    assert len(fake.asked) == 1
    fake.hold.set()
    assert await trying is not None
    assert await known(judge) is not None


def test_nothing_of_the_credentials_is_shown() -> None:
    shown = repr(Credentials(user="gluon", password="pass-word", secret="se-cret"))
    assert "pass-word" not in shown
    assert "se-cret" not in shown
