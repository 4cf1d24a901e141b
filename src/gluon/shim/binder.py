"""The fast lane: a wanted binding of this shard is answered at once, beside all reconciling.

In: ports whose binding or body changed. Out: replies for the reporter. Invariant: the reply is a
function of the binding and the world alone; one whose port has not arrived yet is asked again when
it does. Called by `session`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from gluon.objects import status
from gluon.shim import calls, said, served
from gluon.shim.cache import Cache
from gluon.shim.queue import Backoff
from gluon.shim.report import Reporter
from gluon.shim.settings import Pace
from gluon.spi.backend import Backend, PortBinding, Ref, Vif


class Binder:
    """Answers the bindings of one shard under one leadership."""

    def __init__(
        self,
        backend: Backend,
        cache: Cache,
        reporter: Reporter,
        *,
        shard: str,
        serving: served.Served,
        pace: Pace,
    ) -> None:
        self._backend = backend
        self._cache = cache
        self._reporter = reporter
        self._shard = shard
        self._serving = serving
        self._loop = asyncio.get_running_loop()
        self._backoff = Backoff(pace, self._loop.time)
        self._timers: dict[tuple[Ref, str], asyncio.TimerHandle] = {}

    def hosts(self, ref: Ref) -> frozenset[str]:
        """The hosts that this shard has to answer for, for one port."""
        return frozenset(bound.host for bound in self._bindings(ref))

    def look(self, refs: Iterable[Ref]) -> None:
        """Answer all bindings of these ports."""
        for ref in refs:
            for bound in self._bindings(ref):
                self._answer(bound)

    def look_at_all(self) -> None:
        """Answer everything, as at the begin of a leadership."""
        host = None if self._shard == served.ANY_HOST else self._shard
        for api in self._serving.apis:
            for bound in self._cache.world.bindings(api, host):
                self._answer(bound)

    def stop(self) -> None:
        """No retry comes any more."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()

    def _bindings(self, ref: Ref) -> list[PortBinding]:
        found = self._cache.world.bindings_of(ref)
        known = [b for b in found if b.port is not None or self._cache.refusal(ref.api)]
        return [b for b in known if self._shard in (served.ANY_HOST, b.host)]

    def _answer(self, bound: PortBinding) -> None:
        timer = self._timers.pop((bound.ref, bound.host), None)
        if timer is not None:
            timer.cancel()
        if bound.port is None and not self._cache.refusal(bound.ref.api):
            return  # it is asked for again when the port arrives
        reply = self._reply(bound)
        if reply is None:
            return
        revision = self._cache.binding_revision(bound.ref, bound.host)
        self._reporter.answer(bound.ref, bound.host, said.Reply(report=reply, mod_revision=revision))

    def _reply(self, bound: PortBinding) -> status.BindingReport | None:
        epoch = bound.wanted.epoch
        why = self._cache.refusal(bound.ref.api)
        if why:
            held = self._reporter.replied(bound.ref, bound.host)
            if held is not None and held.epoch == epoch:
                return held
            return status.BindingReport(epoch=epoch, refused=served.TOO_NEW, message=why)
        found = calls.bind(self._backend, self._cache.world, bound)
        if isinstance(found, Vif):
            self._backoff.clear(_name(bound))
            return status.BindingReport(epoch=epoch, vif_type=found.vif_type, vif_details=dict(found.details))
        if not found.final:
            self._later(bound, found.after)
            return None
        return status.BindingReport(epoch=epoch, refused=found.reason, message=found.message)

    def _later(self, bound: PortBinding, after: float) -> None:
        self._backoff.fail(_name(bound), after)
        due = self._backoff.due(_name(bound))
        timer = self._loop.call_at(due, self._again, bound.ref, bound.host)
        self._timers[bound.ref, bound.host] = timer

    def _again(self, ref: Ref, host: str) -> None:
        bound = self._cache.world.binding(ref, host)
        if bound is None:
            self._timers.pop((ref, host), None)
        else:
            self._answer(bound)


def _name(bound: PortBinding) -> str:
    return f"{bound.ref.api}/{bound.ref.key}/{bound.host}"
