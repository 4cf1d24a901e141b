"""List and watch, replayed, is the list: whatever is written, wherever a client is cut off."""

import asyncio
import random

import pytest

from gluon.watch import feed
from gluon.watch.interest import View
from gluon.watch.watcher import End
from tests.unit.watch.world import Client, World, thing

PROJECTS = ("p", "q", None)
VIEWS = (
    View(),
    View(projects=frozenset({"p", None})),
    View(projects=frozenset({"q"})),
    View(matches=lambda body: body["name"] == "a"),
    View(projects=frozenset({"p", None}), matches=lambda body: body["number"] % 2 == 0),
)


async def some_writes(world: World, rng: random.Random, count: int) -> int:
    """Units of one to five things: made, changed, moved to other projects, deleted; and reports of them."""
    revision = 0
    for _ in range(count):
        keys = rng.sample([f"k{n}" for n in range(12)], rng.randint(1, 5))
        gone = [key for key in keys if rng.random() < 0.25]
        made = [
            thing(key, rng.choice(PROJECTS), rng.choice("abc"), rng.randrange(100))
            for key in keys
            if key not in gone
        ]
        status = rng.sample([f"k{n}" for n in range(12)], rng.choice((0, 0, 1, 2)))
        revision = await world.write(*made, gone=gone, status=status) or revision
        if rng.random() < 0.3:
            await asyncio.sleep(rng.random() * 0.02)
    return revision


async def cut_again_and_again(client: Client, rng: random.Random) -> None:
    while True:
        running = asyncio.create_task(client.run())
        try:
            await asyncio.sleep(rng.random() * 0.06)
        finally:
            running.cancel()
            await asyncio.wait({running})


@pytest.mark.parametrize("seed", range(5))
async def test_replayed_events_are_the_list_over_reconnects_trims_and_broken_history(
    world: World, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "_BREATH", 0.0)  # others have a turn between any two units
    rng = random.Random(seed)
    clients = [Client(world, view) for view in VIEWS for _ in range(2)]
    cutting = [asyncio.create_task(cut_again_and_again(c, random.Random(rng.random()))) for c in clients]
    for _ in range(4):
        await some_writes(world, rng, 40)
        await world.database.trim(below=10**9, keep_seconds=1e9, keep_rows=rng.choice((5, 30, 1000)))
        if rng.random() < 0.4:
            await world.database.rebase(beyond=(await world.database.position()).revision)
    for task in cutting:
        task.cancel()
    await asyncio.gather(*cutting, return_exceptions=True)
    running = [asyncio.create_task(client.run()) for client in clients]
    await some_writes(world, rng, 10)
    for client in clients:
        await client.agrees()
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    assert sum(client.lists for client in clients) < 200


@pytest.mark.parametrize("seed", range(5))
async def test_replayed_events_are_the_list_over_streams_that_the_server_ends(
    world: World, seed: int
) -> None:
    """As rules or models are replaced, or as it stops: clients go on from the last token of the stream."""
    rng = random.Random(seed)
    clients = [Client(world, view, everything=n == 0, ruled=True) for view in VIEWS for n in range(2)]
    running = [asyncio.create_task(client.run()) for client in clients]
    for _ in range(20):
        await some_writes(world, rng, 2)
        match rng.randrange(5):
            case 0:
                world.kinds.replace()
            case 1 | 2:
                world.kinds.rules = object()
            case _:
                for watcher in list(world.feed._all):
                    watcher.cut(End.STOPPING, "the server stops")
        await some_writes(world, rng, 1)
        for client in clients:
            await client.agrees()
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)


async def test_a_client_that_is_never_cut_hears_each_change_once_and_in_order(world: World) -> None:
    rng = random.Random(7)
    client = Client(world)
    running = asyncio.create_task(client.run())
    last = await some_writes(world, rng, 100)
    await client.until(last)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    changes = [e for e in client.events if e["type"] in ("ADDED", "MODIFIED", "DELETED")]
    assert client.lists == 1
    revisions = [e["revision"] for e in changes]
    assert revisions == sorted(revisions)
    told = [(e["revision"], e["key"], e["cause"]) for e in changes]
    assert len(told) == len(set(told))
    entries = [(e.revision, e.key, "intent") for e in await world.database.tail(0, limit=10_000, intent=True)]
    assert [one for one in told if one[2] == "intent"] == entries


@pytest.mark.parametrize("everything", [False, True])
async def test_a_token_inside_a_unit_repeats_the_unit_and_leaves_nothing_out(
    world: World, everything: bool
) -> None:
    first = await world.write(thing("a"))
    client = Client(world, everything=everything)
    running = asyncio.create_task(client.run())
    await client.until(first)
    second = await world.write(thing("b"), thing("c"), thing("d"))
    await client.until(second)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    of_unit = [e for e in client.events if e.get("revision") == second and e["type"] == "ADDED"]
    assert [int(e["resume"].split(".")[1]) for e in of_unit] == [second - 1, second - 1, second]
    again = Client(world, token=of_unit[0]["resume"])
    running = asyncio.create_task(again.run())
    await again.until(second)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert [e["key"] for e in again.events if e["type"] == "ADDED"] == ["b", "c", "d"]
