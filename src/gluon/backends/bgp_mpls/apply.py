"""Writes a delta: numbers and flows, then announcements; withdrawals, then what they rested on.

A step that fails keeps back only the steps that rest on it (no route is announced whose flows are
not in; a route is withdrawn although the switch is dead); the first failure is raised at the end.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from gluon.backends.bgp_mpls import desired, flows
from gluon.backends.bgp_mpls.actual import NUMBER
from gluon.backends.bgp_mpls.config import Config
from gluon.backends.bgp_mpls.ovs import Switch, Tunnel
from gluon.backends.bgp_mpls.routes import VpnRoute
from gluon.backends.bgp_mpls.speaker import Speaker
from gluon.errors import GiveUp, TryLater
from gluon.spi.backend import Delta

_Kind = TypeVar("_Kind")


class Writer:
    """Writes deltas to one switch and one speaker."""

    def __init__(self, switch: Switch, speaker: Speaker, config: Config) -> None:
        self._switch = switch
        self._speaker = speaker
        self._config = config

    async def write(self, delta: Delta) -> None:
        """Raises `TryLater` or `GiveUp` after having done what could be done."""
        wanted = {**delta.make, **delta.change}
        gone = {key: row for key, row in delta.remove.items() if key not in wanted}
        failures: list[TryLater | GiveUp] = []
        async with _attempt(failures):
            await self._ground(wanted.values())
            await _each(self._speaker.announce, _of(VpnRoute, wanted), failures)
        await _each(self._speaker.withdraw, _of(VpnRoute, gone), failures)
        async with _attempt(failures):
            await self._clear(gone)
        if failures:
            raise failures[0]

    async def prepare(self) -> None:
        """Make the bridge and its tunnel port where they are missing."""
        tunnel = Tunnel(name=self._config.tunnel, local_ip=self._config.router_id)
        await self._switch.ensure_bridge(tunnel=tunnel)

    async def _ground(self, wanted: Iterable[Any]) -> None:
        rows = list(wanted)
        if any(isinstance(row, desired.Bridge) for row in rows):
            await self.prepare()
        numbers = {f"{NUMBER}{r.number}": r.name for r in rows if isinstance(r, desired.KeptNumber)}
        if numbers:
            await self._switch.write_external_ids(numbers)
        additions = [row.addition() for row in rows if isinstance(row, flows.Flow)]
        if additions:
            await self._switch.edit_flows(additions)

    async def _clear(self, gone: Mapping[str, Any]) -> None:
        deletions = [flow.deletion() for flow in _of(flows.Flow, gone)]
        if deletions:
            await self._switch.edit_flows(deletions)
        numbers = {f"{NUMBER}{row.number}": None for row in _of(desired.KeptNumber, gone)}
        if numbers:
            await self._switch.write_external_ids(numbers)


def _of(kind: type[_Kind], rows: Mapping[str, Any]) -> list[_Kind]:
    return [row for row in rows.values() if isinstance(row, kind)]


async def _each(
    call: Callable[[VpnRoute], Awaitable[None]], routes: Iterable[VpnRoute], failures: list[TryLater | GiveUp]
) -> None:
    """A route that is refused stands in no other's way; a speaker that is gone stands in all ways."""
    for route in routes:
        try:
            await call(route)
        except GiveUp as error:
            failures.append(error)
        except TryLater as error:
            failures.append(error)
            return


@asynccontextmanager
async def _attempt(failures: list[TryLater | GiveUp]) -> AsyncIterator[None]:
    try:
        yield
    except (TryLater, GiveUp) as error:
        failures.append(error)
