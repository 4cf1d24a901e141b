"""How streams end, and what goes on while nothing happens."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import pytest

from gluon import errors
from gluon.watch import feed, tokens
from gluon.watch.interest import View
from gluon.watch.settings import Settings
from gluon.watch.watcher import Watcher
from tests.unit.watch.world import Client, World, thing


async def said(world: World, watcher: Watcher) -> AsyncIterator[dict[str, Any]]:
    async with aclosing(world.feed.chunks(watcher)) as chunks:
        async for chunk in chunks:
            for line in chunk.splitlines():
                yield json.loads(line)


async def next_of(events: AsyncIterator[dict[str, Any]], kind: str) -> dict[str, Any]:
    async with asyncio.timeout(60):
        async for event in events:
            if event["type"] == kind:
                return event
    raise AssertionError(f"the stream ended without {kind}")


async def heard(world: World, revision: int) -> None:
    """Waits until the feed has come so far."""
    async with asyncio.timeout(60):
        while world.feed.head < revision:
            await asyncio.sleep(0.01)


async def live(world: World, events: AsyncIterator[dict[str, Any]]) -> int:
    """The revision of a first change that came."""
    await anext(events)
    await world.write(thing("first"))
    found = await next_of(events, "ADDED")
    return int(found["revision"])


@pytest.fixture
def settings(request: pytest.FixtureRequest) -> Settings:
    given = getattr(request, "param", {})
    return Settings(**{"gather": 0.002, "look": 0.01, "check": 0.02, "idle": 0.2, **given})


@pytest.mark.parametrize("settings", [{"waiting": 20_000}], indirect=True)
async def test_a_client_that_does_not_read_is_cut_and_can_go_on(world: World) -> None:
    watcher = await world.feed.open(world.watch(), None)
    events = said(world, watcher)
    first = await live(world, events)
    reader = Client(world)
    running = asyncio.create_task(reader.run())
    last = 0
    for n in range(60):
        last = await world.write(thing(f"k{n}", name="x" * 400))
    await reader.until(last)  # it is not held up
    rest = [event async for event in events]
    assert (rest[-1]["type"], rest[-1]["code"]) == ("ERROR", "slow")
    assert int(rest[-1]["resume"].split(".")[1]) == first
    assert len(rest) == 1
    world.feed.close(watcher)
    assert world.feed.cuts == 1
    again = Client(world, token=rest[-1]["resume"])
    going_on = asyncio.create_task(again.run())
    await again.until(last)
    assert [e["key"] for e in again.events if e["type"] == "ADDED"] == [f"k{n}" for n in range(60)]
    for task in (running, going_on):
        task.cancel()
    await asyncio.gather(running, going_on, return_exceptions=True)


@pytest.mark.parametrize("settings", [{"waiting": 5_000}], indirect=True)
async def test_a_unit_that_is_larger_than_what_may_wait_cuts_nobody_who_reads(world: World) -> None:
    watcher = await world.feed.open(world.watch(), None)
    events = said(world, watcher)
    await live(world, events)
    for _ in range(3):
        await world.write(*(thing(f"k{n}", name=f"{n}" * 100) for n in range(60)))
        assert [(await anext(events))["key"] for _ in range(60)] == [f"k{n}" for n in range(60)]
    await world.feed.open(world.watch(), None)


async def test_a_watch_of_a_model_that_was_just_replaced_is_refused(world: World) -> None:
    interest = world.watch()
    world.kinds.replace()
    with pytest.raises(errors.StaleModel):
        await world.feed.open(interest, None)


async def test_who_joins_while_a_unit_is_told_misses_nothing_of_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "_BREATH", 0.0)
    watcher = await world.feed.open(world.watch(), None)
    before = await live(world, said(world, watcher))
    token = tokens.Token(tokens.parse(await world.feed.now()).incarnation, before, world.kinds.models)
    hearing: list[asyncio.Task[list[str]]] = []

    async def hear() -> list[str]:
        events = said(world, await world.feed.open(world.watch(), token))
        await anext(events)
        async with asyncio.timeout(60):
            return [(await anext(events))["key"] for _ in range(60)]

    async def join_all_the_time() -> None:
        told = 0
        while True:
            if world.feed._ring.next != told:
                hearing.append(asyncio.create_task(hear()))
            told = world.feed._ring.next
            await asyncio.sleep(0)

    joining = asyncio.create_task(join_all_the_time())
    for unit in range(6):
        await world.write(*(thing(f"u{unit}k{n}") for n in range(10)))
    joining.cancel()
    wanted = [f"u{unit}k{n}" for unit in range(6) for n in range(10)]
    assert all(found == wanted for found in await asyncio.gather(*hearing))


@pytest.mark.parametrize("settings", [{"waiting": 5_000, "patience": 0.05}], indirect=True)
async def test_who_does_not_even_take_the_last_word_is_cut_off(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "_TICK", 0.02)
    watcher = await world.feed.open(world.watch(), None)
    aborted = asyncio.Event()
    watcher.abort = aborted.set
    await live(world, said(world, watcher))
    for n in range(20):
        await world.write(thing(f"k{n}", name="x" * 400))
    await asyncio.wait_for(aborted.wait(), 60)


async def test_what_the_ring_forgets_cuts_who_has_not_taken_it(world: World) -> None:
    world.feed._ring._most = 20
    watcher = await world.feed.open(world.watch(), None)
    events = said(world, watcher)
    first = await live(world, events)
    for n in range(30):
        await world.write(thing(f"k{n}"))
    async with asyncio.timeout(60):
        while not watcher.cut_off:
            await asyncio.sleep(0.01)
    (last,) = [event async for event in events]
    assert (last["code"], int(last["resume"].split(".")[1])) == ("slow", first)


async def test_a_watch_without_a_token_begins_now(world: World) -> None:
    for n in range(5):
        await world.write(thing(f"old{n}"))
    watcher = await world.feed.open(world.watch(), None)
    first = asyncio.create_task(next_of(said(world, watcher), "ADDED"))
    await world.write(thing("new"))
    assert (await first)["key"] == "new"


@pytest.mark.parametrize("settings", [{"waiting": 5_000}], indirect=True)
async def test_who_is_cut_need_not_hear_again_what_was_not_of_interest(world: World) -> None:
    watcher = await world.feed.open(world.watch(View(projects=frozenset({"p"}))), None)
    events = said(world, watcher)
    await anext(events)
    await world.write(thing("first", "p"))
    await next_of(events, "ADDED")
    other = 0
    for n in range(10):
        other = await world.write(thing(f"k{n}", "q"))
    await heard(world, other)
    for n in range(20):
        await world.write(thing(f"k{n}", "p", "x" * 400))
    last = await next_of(events, "ERROR")
    assert int(last["resume"].split(".")[1]) >= other


async def test_a_server_that_stops_tells_what_waits_and_where_to_go_on(world: World) -> None:
    watcher = await world.feed.open(world.watch(), None)
    events = said(world, watcher)
    await live(world, events)
    revision = await world.write(thing("last"))
    await heard(world, revision)
    world.feed.end()
    rest = [event async for event in events]
    assert [e["type"] for e in rest] == ["ADDED", "ERROR"]
    assert (rest[-1]["code"], int(rest[-1]["resume"].split(".")[1])) == ("stopping", revision)
    with pytest.raises(errors.Unavailable):
        await world.feed.open(world.watch(), None)


@pytest.mark.parametrize("settings", [{"bookmark": 0.1, "heartbeat": 0.3}], indirect=True)
async def test_bookmarks_pass_what_is_not_of_interest_and_come_while_nothing_happens(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "_TICK", 0.02)
    interest = world.watch()
    interest.judge = lambda told: None  # type: ignore[method-assign]
    watcher = await world.feed.open(interest, None)
    events = said(world, watcher)
    await anext(events)
    revision = await world.write(thing("a"))
    assert (await next_of(events, "BOOKMARK"))["revision"] == revision
    assert (await next_of(events, "BOOKMARK"))["revision"] == revision  # a heartbeat


async def test_watchers_of_a_replaced_model_list_again(world: World) -> None:
    watcher = await world.feed.open(world.watch(), None)
    events = said(world, watcher)
    await live(world, events)
    token = await world.feed.now()
    world.kinds.replace()
    await world.write(thing("b"))
    error = await next_of(events, "ERROR")
    assert error["code"] == "expired"
    assert "resume" not in error
    with pytest.raises(errors.Expired):
        await world.feed.open(world.watch(), tokens.parse(token))


async def test_other_rules_end_streams_that_follow_from_rules(world: World) -> None:
    ruled = world.watch()
    ruled.ruled = True
    free = await world.feed.open(world.watch(), None)
    watcher = await world.feed.open(ruled, None)
    events = said(world, watcher)
    await live(world, events)
    world.kinds.rules = object()
    revision = await world.write(thing("b"))
    end = await next_of(events, "ERROR")
    assert end["code"] == "renew"
    assert not free.cut_off
    again = Client(world, token=end["resume"])
    going_on = asyncio.create_task(again.run())
    await again.until(revision)
    assert [e["key"] for e in again.events if e["type"] == "ADDED"] == ["b"], (
        "what was not told yet comes then"
    )
    going_on.cancel()
    await asyncio.wait({going_on})


async def test_what_comes_after_the_end_of_a_stream_is_left_to_the_next_one(world: World) -> None:
    """A server that stops goes on to hear of commits for a while, and this client reads slowly."""
    watcher = await world.feed.open(world.watch(), None)
    events = said(world, watcher)
    await live(world, events)
    told = await world.write(thing("before"))
    await heard(world, told)
    world.feed.end()
    late = await world.write(thing("late"))
    await heard(world, late)
    rest = [event async for event in events]
    assert [e.get("key") for e in rest] == ["before", None]
    assert told <= int(rest[-1]["resume"].split(".")[1]) < late


async def test_broken_history_ends_all_streams(world: World) -> None:
    watcher = await world.feed.open(world.watch(), None)
    events = said(world, watcher)
    await live(world, events)
    await world.database.rebase(beyond=5)
    assert (await next_of(events, "ERROR"))["code"] == "expired"


async def test_tokens_of_nowhere_are_refused(world: World) -> None:
    await world.write(thing("a"))
    good = tokens.parse(await world.feed.now())
    for text in ("", "x", "a.b.c", "1.1", f"{good}.1", "a" * 100_000, f"{good.incarnation}.-1.00", "é.1.00"):
        with pytest.raises(errors.Invalid):
            tokens.parse(text)
    for bad in (
        tokens.Token("other", good.revision, good.models),
        tokens.Token(good.incarnation, 10**17, good.models),
        tokens.Token(good.incarnation, good.revision, "ff"),
    ):
        with pytest.raises(errors.Expired):
            await world.feed.open(world.watch(), bad)


async def test_a_token_that_the_journal_has_passed_is_expired(world: World) -> None:
    await world.write(thing("a"))
    token = tokens.parse(await world.feed.now())
    for n in range(5):
        await world.write(thing(f"k{n}"))
    await world.database.trim(below=10**9, keep_seconds=1e9, keep_rows=1)
    with pytest.raises(errors.Expired):
        await world.feed.open(world.watch(), token)


async def test_what_is_trimmed_while_a_watcher_catches_up_is_not_passed_over(world: World) -> None:
    reader = Client(world)
    running = asyncio.create_task(reader.run())
    world.feed._ring._most = 3
    await world.write(thing("a"))
    token = tokens.parse(await world.feed.now())
    for n in range(9):
        await world.write(thing(f"k{n}"))
    await reader.until((await world.database.position()).revision)
    watcher = await world.feed.open(world.watch(), token)
    await world.database.trim(below=10**9, keep_seconds=1e9, keep_rows=5)
    assert [e["type"] async for e in said(world, watcher)] == ["BOOKMARK", "ERROR"]
    running.cancel()
    await asyncio.wait({running})


@pytest.mark.parametrize("settings", [{"bookmark": 0.1, "heartbeat": 0.1}], indirect=True)
async def test_streams_stay_while_the_database_is_away_and_go_on_when_it_is_back(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "_TICK", 0.02)
    watcher = await world.feed.open(world.watch(), None)
    events = said(world, watcher)
    await live(world, events)
    token = tokens.parse(await world.feed.now())

    async def away(*_args: object, **_named: object) -> None:
        raise errors.Unavailable("the database does not answer")

    with monkeypatch.context() as patched:
        for name in ("tail", "position"):
            patched.setattr(world.database, name, away)
        for _ in range(3):
            assert (await next_of(events, "BOOKMARK"))["revision"] == token.revision
        with pytest.raises(errors.Unavailable):
            await world.feed.open(world.watch(), None)
        known = await world.feed.open(world.watch(), token)  # nothing has to be looked up
        world.feed.close(known)
    await world.write(thing("back"))
    assert (await next_of(events, "ADDED"))["key"] == "back"


async def test_nothing_is_read_while_nobody_watches(world: World) -> None:
    watcher = await world.feed.open(world.watch(), None)
    events = said(world, watcher)
    await live(world, events)
    await events.aclose()  # type: ignore[attr-defined]
    world.feed.close(watcher)
    async with asyncio.timeout(60):
        while world.feed._running:
            await asyncio.sleep(0.02)
    for n in range(3):
        await world.write(thing(f"k{n}"))
    again = Client(world)
    running = asyncio.create_task(again.run())
    await again.until(await world.write(thing("z")))
    assert again.state.keys() == {"first", "k0", "k1", "k2", "z"}
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
