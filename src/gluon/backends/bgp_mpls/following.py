"""Follows the outside: interfaces of the switch, the switch itself, the speaker's routes.

In: the daemons. Out: up-to-date `Facts`, and `look` for each scope that they touch. An event only
changes facts and says "look"; what is to be done is computed elsewhere.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Coroutine, Mapping
from typing import Any, TypeVar

import structlog

from gluon.backends.bgp_mpls import desired
from gluon.backends.bgp_mpls.ovs import Interface, Switch
from gluon.backends.bgp_mpls.speaker import Speaker, SpeakerGone, Synced
from gluon.errors import GiveUp
from gluon.spi.backend import Look

_Answer = TypeVar("_Answer")
log = structlog.get_logger(__name__)
_SPEAKER_PAUSE = 0.2
_REFUSED_PAUSE = 10.0
_SESSION_PAUSE = 2.0
_ANSWER_LIMIT = 5.0
_SWITCH_GRACE = 5.0
"""A switch that is back within this time was restarted: its routes stay announced meanwhile."""


class Follower:
    """Keeps `facts` true. `of_ports`, `of_targets` and `of_all` name scopes to look at."""

    def __init__(
        self,
        facts: desired.Facts,
        switch: Switch,
        speaker: Speaker,
        *,
        of_ports: Callable[[Collection[str]], Collection[str]],
        of_targets: Callable[[Collection[str]], Collection[str]],
        of_all: Callable[[], Collection[str]],
    ) -> None:
        self._facts = facts
        self._switch = switch
        self._speaker = speaker
        self._of_ports = of_ports
        self._of_targets = of_targets
        self._of_all = of_all
        self._look: Look = lambda scope: None
        self._interfaces: Mapping[str, Interface] = {}
        self._tried = asyncio.Event()
        self._silent = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self, look: Look) -> None:
        """Learn how things are, then follow. Raises `TryLater` if the switch's database is away."""
        self._take_interfaces(await self._switch.interfaces())
        work = (
            self._follow_interfaces,
            self._follow_switch,
            self._follow_speaker,
        )
        self._tasks = [asyncio.create_task(_for_ever(job)) for job in work]
        # Routes of a speaker that runs are known before anything is compared, so that a restart of
        # the shim changes nothing; one that does not run holds nobody up.
        await self._tried.wait()
        self._look = look

    async def stop(self) -> None:
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def while_speaking(self, work: Coroutine[Any, Any, _Answer]) -> _Answer:
        """Do `work` with the speaker; raises `SpeakerGone` as soon as that is known to be gone."""
        job, ended = asyncio.create_task(work), asyncio.create_task(self._silent.wait())
        try:
            await asyncio.wait((job, ended), return_when=asyncio.FIRST_COMPLETED)
            if not job.done():
                raise SpeakerGone(self._facts.trouble[1])
            return job.result()
        finally:
            for task in (job, ended):
                task.cancel()
            await asyncio.gather(job, ended, return_exceptions=True)

    # -- the switch ------------------------------------------------------------------------------

    async def _follow_interfaces(self) -> None:
        async for interfaces in self._switch.follow_interfaces():
            self._interfaces = interfaces
            self._take_interfaces(interfaces if self._facts.switch else {})

    def _take_interfaces(self, interfaces: Mapping[str, Interface]) -> None:
        plugs: dict[str, int] = {}
        for interface in interfaces.values():
            if interface.iface_id and interface.usable and interface.ofport is not None:
                known = plugs.get(interface.iface_id, interface.ofport)
                plugs[interface.iface_id] = min(known, interface.ofport)
        tunnel = interfaces.get(self._facts.config.tunnel)
        number = max(0, tunnel.ofport or 0) if tunnel is not None else 0
        before, moved = self._facts.plugs, number != self._facts.tunnel
        self._facts.plugs, self._facts.tunnel = plugs, number
        if moved:
            self._look(None)
        elif changed := {p for p in plugs.keys() | before.keys() if plugs.get(p) != before.get(p)}:
            self._look_at(self._of_ports(changed))

    async def _follow_switch(self) -> None:
        grace: asyncio.Task[None] | None = None
        try:
            async for lives in self._switch.follow_switch():
                if grace is not None:
                    grace.cancel()
                    grace = None
                if not lives:
                    log.warning("the switch ended", bridge=self._facts.config.bridge)
                    grace = asyncio.create_task(self._give_switch_up())
                    continue
                if not self._facts.switch:
                    self._facts.switch = True
                    self._take_interfaces(self._interfaces)
                self._look(None)
        finally:
            if grace is not None:
                grace.cancel()

    async def _give_switch_up(self) -> None:
        await asyncio.sleep(_SWITCH_GRACE)
        self._facts.switch = False
        self._take_interfaces({})
        self._look(None)

    # -- the speaker -----------------------------------------------------------------------------

    async def _follow_speaker(self) -> None:
        config = self._facts.config
        while True:
            pause = _SPEAKER_PAUSE
            try:
                await self._speaker.start(
                    asn=config.asn, router_id=config.router_id, peers=config.peers, port=config.bgp_port
                )
                await _first_of(self._follow_routes(), self._follow_sessions())
            except SpeakerGone as error:
                self._end("NoSpeaker", str(error))
            except GiveUp as error:
                pause = _REFUSED_PAUSE
                self._end(error.reason, str(error))
            except ValueError as error:
                self._end("NoSpeaker", f"it sent what cannot be read: {error}")
            self._tried.set()
            await asyncio.sleep(pause)

    async def _follow_routes(self) -> None:
        async for event in self._speaker.watch():
            if isinstance(event, Synced):
                self._begin(self._facts.learnt.replace(event.routes))
                self._tried.set()
            else:
                self._look_at(self._of_targets(self._facts.learnt.change(event.routes)))

    async def _follow_sessions(self) -> None:
        """Also the proof that the speaker lives: one that hangs keeps its connections."""
        while True:
            try:
                async with asyncio.timeout(_ANSWER_LIMIT):
                    peers = await self._speaker.peers()
            except TimeoutError:
                raise SpeakerGone(f"the BGP speaker does not answer within {_ANSWER_LIMIT} s") from None
            down = frozenset(address for address, up in peers.items() if not up)
            if down != self._facts.sessions_down:
                self._facts.sessions_down = down
                self._look_at(self._of_all())
            await asyncio.sleep(_SESSION_PAUSE)

    def _begin(self, targets: Collection[str]) -> None:
        """A speaker that is back knows nothing of us: all is read back and announced again."""
        if self._facts.speaker:
            self._look_at(self._of_targets(targets))
            return
        self._facts.speaker, self._facts.trouble = True, ("", "")
        self._silent.clear()
        self._look(None)

    def _end(self, reason: str, why: str) -> None:
        if self._facts.speaker or self._facts.trouble != (reason, why):
            log.warning("the BGP speaker cannot be used", reason=why)
            self._facts.speaker, self._facts.trouble = False, (reason, why)
            self._silent.set()
            self._facts.learnt.replace({})
            self._look(None)

    def _look_at(self, scopes: Collection[str]) -> None:
        for scope in scopes:
            self._look(scope)


async def _for_ever(job: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Our own mistake in following one thing must not end it: said in the log, then begun anew."""
    while True:
        try:
            await job()
        except Exception:
            log.exception("following the data plane failed")
        await asyncio.sleep(_REFUSED_PAUSE)


async def _first_of(*jobs: Coroutine[Any, Any, None]) -> None:
    """Run them until one ends, raise what it raised, end the others."""
    tasks = [asyncio.create_task(job) for job in jobs]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
