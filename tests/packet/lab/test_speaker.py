"""VPNv4 routes pass from one gobgpd through a reflector into the watch of another."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from gluon.backends.bgp_mpls.routes import RouteKey, VpnRoute
from gluon.backends.bgp_mpls.speaker import Changed, Peer, Speaker, SpeakerGone, Synced
from gluon.errors import GiveUp
from gluon.values.route_target import RouteDistinguisher, RouteTarget

from .conftest import ASN, REFLECTOR, Network, Pe

pytestmark = pytest.mark.packet


class Follower:
    """Holds what a watch says, as a backend would."""

    def __init__(self, speaker: Speaker) -> None:
        self.speaker = speaker
        self.routes: dict[RouteKey, VpnRoute] = {}
        self.synced = asyncio.Event()
        self.gone = asyncio.Event()
        self._news = asyncio.Condition()

    async def run(self) -> None:
        try:
            async for event in self.speaker.watch():
                if isinstance(event, Synced):
                    self.routes = dict(event.routes)
                    self.synced.set()
                else:
                    self._change(event)
                async with self._news:
                    self._news.notify_all()
        except SpeakerGone:
            self.gone.set()

    def _change(self, event: Changed) -> None:
        for key, route in event.routes.items():
            if route is None:
                self.routes.pop(key, None)
            else:
                self.routes[key] = route

    async def wait_for(self, *routes: VpnRoute) -> None:
        """Until exactly these routes are learnt."""
        async with asyncio.timeout(60), self._news:
            await self._news.wait_for(lambda: set(self.routes.values()) == set(routes))


@asynccontextmanager
async def following(speaker: Speaker) -> AsyncIterator[Follower]:
    follower = Follower(speaker)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(follower.run())
        async with asyncio.timeout(60):
            await follower.synced.wait()
        try:
            yield follower
        finally:
            task.cancel()


async def start(speaker: Speaker, pe: Pe, *, passive: bool) -> bool:
    peer = Peer(address=REFLECTOR, asn=ASN, passive=passive)
    return await speaker.start(asn=ASN, router_id=pe.address, peers=[peer])


def route(pe: Pe, prefix: str, *, label: int = 16, rd: str = "") -> VpnRoute:
    return VpnRoute(
        rd=RouteDistinguisher.parse(rd or f"{pe.address}:1"),
        prefix=prefix,
        label=label,
        next_hop=pe.address,
        route_targets=frozenset(map(RouteTarget.parse, ("65000:1", "70000:2", "192.0.2.1:3"))),
    )


async def test_route_reaches_the_other_pe_and_goes_again(network: Network) -> None:
    a, b = network.a, network.b
    async with Speaker(a.gobgpd.target) as at_a, Speaker(b.gobgpd.target) as at_b:
        for speaker, pe in ((at_a, a), (at_b, b)):
            await start(speaker, pe, passive=network.reflector.dials)
        first, second = route(a, "10.1.1.5/32"), route(a, "10.1.1.5/32", rd="70000:1")
        await at_a.announce(first)
        async with following(at_b) as follower:
            await follower.wait_for(first)
            await at_a.announce(second)
            await follower.wait_for(first, second)
            relabelled = route(a, "10.1.1.5/32", label=1_048_575)
            await at_a.announce(relabelled)
            await follower.wait_for(relabelled, second)
            await at_a.withdraw(second)
            await follower.wait_for(relabelled)
            a.gobgpd.kill9()
            await follower.wait_for()


async def test_restarted_caller_finds_what_it_announced_before(network: Network) -> None:
    pe = network.a
    announced = route(pe, "10.1.1.5/32")
    async with Speaker(pe.gobgpd.target) as before:
        assert await start(before, pe, passive=True)
        await before.announce(announced)

    async with Speaker(pe.gobgpd.target) as after:
        assert not await start(after, pe, passive=True)
        table = await after.routes()
        assert (set(table.own.values()), dict(table.learnt)) == ({announced}, {})
        assert set(await after.peers()) == {REFLECTOR}
        with pytest.raises(GiveUp, match="configured are AS 65001"):
            await after.start(asn=65001, router_id=pe.address)


async def test_death_of_gobgpd_ends_the_watch_and_a_new_one_is_empty(network: Network) -> None:
    pe = network.a
    async with Speaker(pe.gobgpd.target) as speaker:
        await start(speaker, pe, passive=True)
        await speaker.announce(route(pe, "10.1.1.5/32"))
        async with following(speaker) as follower:
            pe.gobgpd.kill9()
            async with asyncio.timeout(60):
                await follower.gone.wait()
        with pytest.raises(SpeakerGone):
            await speaker.announce(route(pe, "10.1.1.6/32"))

        await asyncio.to_thread(pe.gobgpd.start)

        assert await start_when_back(speaker, pe)
        assert not (await speaker.routes()).own


async def start_when_back(speaker: Speaker, pe: Pe) -> bool:
    async with asyncio.timeout(60):
        while True:
            try:
                return await start(speaker, pe, passive=True)
            except SpeakerGone:
                await asyncio.sleep(0.05)
