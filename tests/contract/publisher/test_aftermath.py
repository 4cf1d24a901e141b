"""Hooks after the commit, on real databases: every change at least once, in order, each hook at its own pace."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from gluon import errors, store
from gluon.publisher import aftermath
from gluon.publisher.stats import Stats
from gluon.spi import hooks
from tests.unit.publisher.parts import THING, Write, eventually

THINGS = frozenset({("t", "Thing")})


@pytest.fixture
def kinds(request: pytest.FixtureRequest) -> tuple[str, str]:
    """No bus is needed here."""
    return request.param, "memory"


pytestmark = pytest.mark.parametrize("kinds", ["sqlite", "postgresql", "mariadb"], indirect=True)


class Recorder:
    """A hook that notes what it is told. `failing`: so many calls fail; `stuck`: every call waits for ever."""

    def __init__(self) -> None:
        self.told: list[tuple[int, str]] = []
        self.failing = 0
        self.give_up = False
        self.stuck = False

    async def __call__(self, subject: hooks.Subject) -> None:
        if self.stuck:
            await asyncio.Event().wait()
        if self.failing:
            self.failing -= 1
            raise (errors.GiveUp if self.give_up else OSError)("not now")
        self.told.append((subject.revision, subject.key))


def subscribe(**codes: hooks.After) -> list[hooks.Subscription]:
    return [hooks.Subscription(name=name, types=THINGS, code=code) for name, code in codes.items()]


@asynccontextmanager
async def running(
    database: store.SqlStore, subscriptions: Sequence[hooks.Subscription], limit: float = 30.0
) -> AsyncIterator[aftermath.Aftermath]:
    """Begun: what is committed from now on is told."""
    made = aftermath.Aftermath(database, lambda: subscriptions, Stats(), limit=limit)
    task = asyncio.create_task(made.run())
    try:
        await eventually(lambda: _begun(database, subscriptions), "the hooks have begun")
        yield made
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _begun(database: store.SqlStore, subscriptions: Sequence[hooks.Subscription]) -> bool:
    return None not in [await database.get(aftermath.HOOK, one.name) for one in subscriptions]


async def write(database: store.SqlStore, *names: str) -> int:
    return (await database.submit(Write(dict.fromkeys(names, "new")))).revision


@pytest.fixture
async def db(database: store.SqlStore) -> store.SqlStore:
    await database.install((THING, aftermath.TABLE), ())
    return database


async def told(recorder: Recorder, names: Sequence[str]) -> None:
    async def all_told() -> bool:
        return [key for _, key in recorder.told] == list(names)

    await eventually(all_told, f"{names} are told")


async def test_every_change_from_now_on_is_told_in_order(db: store.SqlStore) -> None:
    await write(db, "before")
    recorder = Recorder()
    async with running(db, subscribe(one=recorder)) as after:
        for n in range(120):
            await write(db, f"a{n}")
        after.notify()
        await told(recorder, [f"a{n}" for n in range(120)])
        revisions = [revision for revision, _ in recorder.told]
        assert revisions == sorted(revisions)


async def test_a_hook_that_fails_delays_itself_only_and_loses_nothing(db: store.SqlStore) -> None:
    bad, good = Recorder(), Recorder()
    bad.failing = 4
    async with running(db, subscribe(bad=bad, good=good)):
        for name in ("a", "b", "c"):
            await write(db, name)
        await told(good, ["a", "b", "c"])
        await told(bad, ["a", "b", "c"])


async def test_a_hook_that_hangs_is_called_again(db: store.SqlStore) -> None:
    recorder = Recorder()
    recorder.stuck = True
    async with running(db, subscribe(one=recorder), limit=0.05) as after:
        await write(db, "a")
        await eventually(lambda: _failed(after), "a call took too long")
        recorder.stuck = False
        await told(recorder, ["a"])


async def _failed(after: aftermath.Aftermath) -> bool:
    return after.failures("one") > 0


async def test_giving_up_skips_one_change(db: store.SqlStore) -> None:
    recorder = Recorder()
    recorder.failing, recorder.give_up = 1, True
    async with running(db, subscribe(one=recorder)):
        await write(db, "a")
        await write(db, "b")
        await told(recorder, ["b"])


async def test_what_a_stopped_publisher_did_not_tell_is_told_later(db: store.SqlStore) -> None:
    recorder = Recorder()
    recorder.stuck = True
    async with running(db, subscribe(one=recorder)):
        await write(db, "a", "b")
        await write(db, "c")
    recorder.stuck = False
    await write(db, "d")
    async with running(db, subscribe(one=recorder)):
        await told(recorder, ["a", "b", "c", "d"])


async def test_the_journal_is_kept_for_a_slow_hook(db: store.SqlStore) -> None:
    recorder = Recorder()
    async with running(db, subscribe(one=recorder)) as after:
        assert await after.held() == (await db.get(aftermath.HOOK, "one") or {})["revision"]
        await write(db, "a")
        last = await write(db, "b")
        await told(recorder, ["a", "b"])

        async def caught_up() -> bool:
            return await after.held() == last

        await eventually(caught_up, "its place is kept")


async def test_after_a_broken_history_the_journal_is_told_again(db: store.SqlStore) -> None:
    recorder = Recorder()
    async with running(db, subscribe(one=recorder)):
        await write(db, "a")
        await told(recorder, ["a"])
        await db.rebase((await db.position()).revision)
        await told(recorder, ["a", "a"])
        await write(db, "b")
        await told(recorder, ["a", "a", "b"])


async def test_it_ends_when_it_is_cancelled_as_it_wakes(db: store.SqlStore) -> None:
    subscriptions = subscribe(one=Recorder())
    for turns in range(6):
        made = aftermath.Aftermath(db, lambda: subscriptions, Stats())
        task = asyncio.create_task(made.run())
        await eventually(lambda: _begun(db, subscriptions), "the hook has begun")
        await asyncio.sleep(0.05)
        made.notify()
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        done, _ = await asyncio.wait({task}, timeout=60)
        assert done, f"cancelled {turns} turns after it was woken"


async def test_who_stood_still_takes_no_hook_back(db: store.SqlStore) -> None:
    incarnation = (await db.position()).incarnation
    await db.submit(aftermath.Place("a", incarnation, 10))
    for late in (aftermath.Place("a", incarnation, 5), aftermath.Place("a", "of before", 50)):
        await db.submit(late)
        row = await db.get(aftermath.HOOK, "a")
        assert row is not None and (row["incarnation"], row["revision"]) == (incarnation, 10)
    moved = (await db.rebase(beyond=1000)).incarnation
    await db.submit(aftermath.Place("a", moved, 7))
    row = await db.get(aftermath.HOOK, "a")
    assert row is not None and (row["incarnation"], row["revision"]) == (moved, 7)
