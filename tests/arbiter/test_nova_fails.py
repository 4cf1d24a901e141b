"""Nova answers 500: to everything while its database is away, or to one event for ever. Only the latter may be given up."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from gluon.nova import notifier
from tests import novas
from tests.arbiter.test_nova import CHANGED, PLUGGED, Site, kept, nova, quiet, until

__all__ = ["nova", "quiet"]
BROKEN: novas.Answer = (500, {"computeFault": {"message": "an unexpected error"}})


@asynccontextmanager
async def telling(site: Site) -> AsyncIterator[notifier.Notifier]:
    made = site.notifier()
    running = asyncio.create_task(made.run())
    await kept(site)
    try:
        yield made
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def two_works(site: Site) -> tuple[str, str]:
    """Two ports of which Nova has much to hear."""
    async with telling(site):
        pass
    (one, first), (two, second) = await site.server(), await site.server()
    await site.up(one, first)
    await site.up(two, second)
    return one["id"], two["id"]


async def test_what_nova_failed_over_before_it_was_well_again_is_told_then(quiet: Site) -> None:
    """It was tried together, then event by event, when Nova came back."""
    one, two = await two_works(quiet)
    quiet.nova.script = [BROKEN] * 4
    async with telling(quiet) as told:
        await until(lambda: not told.stats.waiting_since and CHANGED in quiet.nova.names(two))
        assert PLUGGED in quiet.nova.names(one) and PLUGGED in quiet.nova.names(two)
        assert told.stats.lost == 0


async def test_what_nova_fails_over_when_it_falls_ill_again_is_told_then(quiet: Site) -> None:
    one, two = await two_works(quiet)

    def answer() -> None:
        """Well for a moment only, in the third of single events."""
        asked = len(quiet.nova.requests)
        quiet.nova.script = [] if asked == 6 or asked > 12 else [BROKEN]

    quiet.nova.asked = answer
    async with telling(quiet) as told:
        await until(lambda: not told.stats.waiting_since and CHANGED in quiet.nova.names(two))
        assert PLUGGED in quiet.nova.names(one) and PLUGGED in quiet.nova.names(two)
        assert told.stats.lost == 0


async def test_an_event_over_which_nova_always_fails_is_given_up_while_it_takes_others(quiet: Site) -> None:
    one, two = await two_works(quiet)

    def answer() -> None:
        bad = any((e["tag"], e["name"]) == (one, PLUGGED) for e in quiet.nova.requests[-1])
        quiet.nova.script = [BROKEN] if bad else []

    quiet.nova.asked = answer
    async with telling(quiet) as told:
        await until(lambda: told.stats.lost == 1 and not told.stats.waiting_since)
        assert set(quiet.nova.names(two)) == {PLUGGED, CHANGED}
        assert quiet.nova.names(one) == [CHANGED]


async def test_an_event_that_nova_refuses_does_not_show_that_it_takes_others(quiet: Site) -> None:
    """Its database is away: it fails over what it reads, and refuses what it need not look at. Nothing of the former may be
    given up for that, and the latter is counted once."""
    one, two = await two_works(quiet)
    away = True

    def answer() -> None:
        events = quiet.nova.requests[-1]
        bad = (one, PLUGGED) in {(e["tag"], e["name"]) for e in events}
        refused: novas.Answer = (400, {"badRequest": {"message": "no"}})
        quiet.nova.script = [refused] if bad else [BROKEN] if away else []

    quiet.nova.asked = answer
    async with telling(quiet) as told:
        await until(lambda: len(quiet.nova.requests) > 10)
        away = False
        await until(lambda: not told.stats.waiting_since and CHANGED in quiet.nova.names(two))
        assert quiet.nova.names(one) == [CHANGED] and PLUGGED in quiet.nova.names(two)
        assert told.stats.lost == 1
