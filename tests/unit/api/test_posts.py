"""Creates that are begun in one call and answered in another."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest
from msgspec import structs

from gluon import errors
from gluon.api import lane, message, metrics, places, posts, rates
from gluon.model import loader
from gluon.proton import registry, units
from gluon.spi import policy, store

ALICE = policy.Caller(user="alice", project="p")
BODY = b'{"name": "a"}'


@pytest.fixture(scope="module")
def place() -> places.Place:
    ports = registry.Registry(loader.load_catalog()).by_name["net-l3vpn", "Port"]
    return places.Place(("net-l3vpn", "v1.0", "ports"), ports, (), b"", True)


class Guard:
    open: frozenset[str] = frozenset()

    def __init__(self) -> None:
        self.caller: policy.Caller | Awaitable[policy.Caller] = ALICE

    def admit(self, method: str, headers: dict[bytes, bytes]) -> policy.Caller | Awaitable[policy.Caller]:
        return self.caller


class Actions:
    """Keeps what is begun; `error`: raised instead."""

    def __init__(self) -> None:
        self.begun: list[tuple[Any, posts.Asked]] = []
        self.error: Exception | None = None

    def context(self, resource: object, caller: policy.Caller, request_id: str) -> object:
        return SimpleNamespace(resource=resource, caller=caller, request_id=request_id)

    def begin(self, context: object, body: Any, asked: posts.Asked) -> None:
        if self.error is not None:
            raise self.error
        self.begun.append((body, asked))


async def until(told: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not told():
            await asyncio.sleep(0.005)


class Asked(posts.Asked):
    __slots__ = ("said",)

    def __init__(self, place: places.Place, body: bytes = BODY, **headers: str) -> None:
        given = {name.replace("_", "-").encode(): value.encode() for name, value in headers.items()}
        super().__init__("POST", place, {b"content-type": message.JSON, **given})
        self.body = body
        self.said: list[object] = []

    def made(self, document: bytes, revision: store.Value) -> None:
        self.said.append((document, revision))

    def told(self, reply: message.Reply) -> None:
        self.said.append(reply.status)

    def again(self) -> None:
        self.said.append("again")


class Site:
    def __init__(self) -> None:
        self.guard, self.actions, self.counting = Guard(), Actions(), metrics.Counting()
        self.recorded: list[lane.Answered] = []
        self.posts = posts.Posts(self.guard, cast("Any", self.actions), self.counting, self.recorded.append)


@pytest.fixture
def site() -> Site:
    return Site()


async def test_answers_come_after_the_batch_each_to_who_asked(site: Site, place: places.Place) -> None:
    asked = [Asked(place) for _ in range(3)]
    assert [site.posts.begin(one) for one in asked] == [True] * 3
    assert [body for body, _ in site.actions.begun] == [{"name": "a"}] * 3
    asked[0].set_result(store.Committed(7, units.Result({"_revision": 7}, b"{}")))
    asked[1].set_exception(errors.Conflict("taken", code="taken"))
    asked[2].set_exception(errors.StaleModel("replaced"))
    assert [one.said for one in asked] == [[], [], []]
    await asyncio.sleep(0)
    assert [one.said for one in asked] == [[(b"{}", 7)], [409], ["again"]]
    assert [(r.status, r.caller, r.request_id) for r in site.recorded] == [
        (201, ALICE, asked[0].request_id),
        (409, ALICE, asked[1].request_id),
    ]
    assert sum(count for *_, count in site.counting.snapshot()["answers"]) == 2


@pytest.mark.parametrize(
    "asked",
    [
        pytest.param({"idempotency_key": "a"}, id="once"),
        pytest.param({"x_openstack_request_id": "req-1"}, id="an id that others gave it"),
        pytest.param({"content_type": "text/plain"}, id="no JSON by its own word"),
        pytest.param({"accept": "text/html"}, id="another form is wanted"),
        pytest.param({"body": b"{"}, id="no JSON"),
        pytest.param({"body": b'{"a": 1, "a": 2}'}, id="a name twice"),
    ],
)
def test_what_is_unusual_is_left_alone(site: Site, place: places.Place, asked: dict[str, Any]) -> None:
    site.posts.rates = rates.Rates(rates.Rate(rate=1, burst=1), {})
    assert not site.posts.begin(Asked(place, **asked))
    assert site.actions.begun == []
    assert site.posts.begin(Asked(place))  # the token is still there


def test_what_was_found_by_a_former_model_is_found_anew(site: Site, place: places.Place) -> None:
    former = copy.copy(place.resource)
    assert isinstance(former, registry.Resource)
    former.former = True
    assert not site.posts.begin(Asked(structs.replace(place, resource=former)))
    assert site.actions.begun == []


def test_what_is_wrong_is_left_to_who_tells_it(site: Site, place: places.Place) -> None:
    site.posts.rates = rates.Rates(rates.Rate(rate=0.001, burst=1), {})
    for site.actions.error in (
        errors.Conflict("taken", code="taken"),
        errors.Unavailable("full"),
        ValueError("our own mistake"),
    ):
        assert not site.posts.begin(Asked(place))
    site.actions.error = None
    assert site.posts.begin(Asked(place))  # the token is still there
    assert len(site.actions.begun) == 1


async def test_who_is_too_early_has_his_turn_later_and_who_is_much_too_early_is_refused(
    site: Site, place: places.Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rates, "monotonic", lambda: 100.0)
    site.posts.rates = rates.Rates(rates.Rate(rate=30, burst=1), {})
    asked = [Asked(place) for _ in range(5)]
    assert [site.posts.begin(one) for one in asked] == [True] * 5
    assert [one for _, one in site.actions.begun] == asked[:1]
    await until(lambda: len(site.actions.begun) == 4 and asked[4].said == [429])
    assert [one for _, one in site.actions.begun] == asked[:4]  # in their order
    assert [one.said for one in asked[:4]] == [[]] * 4
    assert [(r.status, r.caller, r.request_id) for r in site.recorded] == [(429, ALICE, asked[4].request_id)]


async def test_what_is_wrong_when_its_turn_has_come_goes_the_long_way(
    site: Site, place: places.Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rates, "monotonic", lambda: 100.0)
    site.posts.rates = rates.Rates(rates.Rate(rate=30, burst=1), {})
    assert site.posts.begin(Asked(place))
    early = Asked(place)
    assert site.posts.begin(early)
    site.actions.error = errors.Unavailable("full")
    await until(lambda: early.said == ["again"])
    assert len(site.actions.begun) == 1


async def test_who_asks_is_looked_up_once(site: Site, place: places.Place) -> None:
    async def known() -> policy.Caller:
        return ALICE

    site.guard.caller = known()
    asked = Asked(place)
    assert not site.posts.begin(asked)
    assert asked.admitted is site.guard.caller
    assert await asked.admitted == ALICE
