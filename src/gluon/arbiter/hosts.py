"""The hosts that shims have reported of, and an end of what they said once they are gone for good.

What a shim says stays while it is away: its host may go on forwarding. So an object of which a host that never comes back has
said something waits for it for ever. Called by the main, for `gluon hosts`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gluon import errors
from gluon.arbiter import assign, bindings, tables
from gluon.objects import codec, keys, status
from gluon.spi import bus, store

_HOLDING = (bindings.State.BINDING.value, bindings.State.BOUND.value)
_AT_ONCE = 500
"""Keys of one Txn."""

Told = Callable[[], Mapping[tuple[str, str], int]]
"""Of how many objects each controller says something on each host. Raises `BusUnavailable`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """What one controller has said of a host (`*`: of all), and which of its instances serve it now."""

    controller: str
    host: str
    reports: int
    instances: tuple[str, ...]

    def body(self) -> dict[str, Any]:
        return {
            "controller": self.controller,
            "host": self.host,
            "reports": self.reports,
            "instances": list(self.instances),
        }


def known(told: Mapping[tuple[str, str], int], registered: Sequence[status.Registration]) -> Sequence[Host]:
    """By controller and host: those of which something is said, and those that are served."""
    serving: dict[tuple[str, str], list[str]] = {}
    for one in registered:
        for host in one.hosts:
            serving.setdefault((one.controller, host), []).append(one.instance)
    return [
        Host(
            controller=name[0],
            host=name[1],
            reports=told.get(name, 0),
            instances=tuple(serving.get(name, ())),
        )
        for name in sorted({*told, *serving})
    ]


class Hosts:
    """Lists them, and forgets one."""

    def __init__(
        self,
        database: store.Store,
        target: bus.Bus,
        told: Told,
        registered: Callable[[], Sequence[status.Registration]],
    ) -> None:
        self._store = database
        self._bus = target
        self._told = told
        self._registered = registered

    def list(self) -> dict[str, Any]:
        """Raises `BusUnavailable`."""
        return {"hosts": [host.body() for host in known(self._told(), self._registered())]}

    async def forget(self, name: str, controller: str | None, force: bool) -> dict[str, Any]:
        """Take away all that shims (of one controller) have said of a host; the statuses follow.

        Raises `NotFound`, `Conflict` while a shim serves it, or while ports are bound there and `force` is not given, `BusError`.
        """
        found = [
            host
            for host in known(self._told(), self._registered())
            if host.host == name and controller in (None, host.controller)
        ]
        if not found:
            of = f" of controller '{controller}'" if controller is not None else ""
            raise errors.NotFound(
                f"no shim{of} has said anything of host '{name}'", hint="see gluon hosts list"
            )
        for host in found:
            if host.instances:
                raise _served(host, f"instance '{host.instances[0]}'")
        if not force:
            await self._unbound(found)
        await self._end(found)
        return {"forgotten": [host.body() for host in found]}

    async def _unbound(self, hosts: Sequence[Host]) -> None:
        for host in hosts:
            somewhere = (("host", host.host),) if host.host != assign.ANY_HOST else ()
            ours = codec.encode(host.controller).decode()
            bound = await self._store.count(
                store.Select(
                    table=tables.BINDING,
                    equals=somewhere,
                    filters=(
                        store.Filter(column="state", match=store.Match.EQUAL, values=_HOLDING),
                        store.Filter(column="controllers", match=store.Match.CONTAINS, values=(ours,)),
                    ),
                )
            )
            if bound:
                raise errors.Conflict(
                    f"ports are bound to host '{host.host}' by controller '{host.controller}': {bound}",
                    code="in_use",
                    hint="move or unbind them first (gluon ports --on-host), or force it: they are down then, and stay bound",
                )

    async def _end(self, hosts: Sequence[Host]) -> None:
        """All that was said, unless somebody leads there by now: whoever does says it himself.

        Not at once: of 30,000 keys that went in one revision etcd tells each of those who watch for 17 s, and nothing else.
        """
        leads = [keys.lead(host.controller, host.host) for host in hosts]
        unled = [bus.Compare(key=key, create_revision=0) for key in leads]
        lists = [await self._bus.list(keys.status_prefix(host.controller, host.host)) for host in hosts]
        there = [bus.Delete(key=item.key) for listing in lists for item in listing.items]
        most = min(_AT_ONCE, self._bus.max_writes)
        for begin in range(0, len(there), most):
            if not (await self._bus.txn(unled, there[begin : begin + most])).succeeded:
                led = [host for host, key in zip(hosts, leads, strict=True) if await self._bus.get(key)]
                raise _served((led or hosts)[0], "an instance that leads there")


def _served(host: Host, by: str) -> errors.Conflict:
    return errors.Conflict(
        f"host '{host.host}' is served by controller '{host.controller}', {by}",
        code="host_served",
        hint="stop that shim first; the one of a host that died is gone after some seconds",
    )
