"""A shim: one process (or a part of one) that serves a controller's name on some shards.

In: a bus, a backend's class, who and where it is. Out: registration, elections, and a `Session`
for each shard that it leads. Everything is level-triggered: it may be ended and begun at any
moment. Made by `cmd` and by `gluon.testing`.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from gluon.objects import codec, keys, status
from gluon.shim import register, served
from gluon.shim.cache import Cache
from gluon.shim.session import Session
from gluon.shim.settings import Pace, Stats
from gluon.shim.shard import Shard
from gluon.spi.backend import Backend
from gluon.spi.bus import Bus


class Shim:
    """Serves `controller` on `hosts` (`["*"]`: one shard for all) with one backend.

    `apis` limits the protons to some of those that the backend serves. `options` are the backend's
    own, `level`: of the controllers that share a binding. Raises `ValueError` where these do not fit together.
    """

    def __init__(
        self,
        bus: Bus,
        backend: type[Backend],
        *,
        hosts: Sequence[str],
        controller: str = "",
        instance: str = "",
        apis: Sequence[str] = (),
        options: Mapping[str, Any] | None = None,
        level: int = 0,
        pace: Pace | None = None,
    ) -> None:
        self._bus = bus
        self._backend = backend
        self._serving = served.of_backend(backend, apis, hosts)
        self.controller = controller or self._serving.backend
        self.instance = instance or (hosts[0] if hosts[0] != served.ANY_HOST else "all")
        self._level = level
        self._hosts = tuple(dict.fromkeys(hosts))
        self._options = dict(options or {})
        self._pace = pace or Pace()
        self._cache = Cache(
            bus,
            controller=self.controller,
            apis=self._serving.apis,
            pace=self._pace,
            backend=self._serving.backend,
            secrets=self._serving.secrets,
        )
        self._stop = asyncio.Event()
        self.stats: Mapping[str, Stats] = {host: Stats() for host in self._hosts}
        self._shards = {host: self._shard(host) for host in self._hosts}

    @property
    def ready(self) -> bool:
        """Whether it holds all of the desired state."""
        return self._cache.complete

    @property
    def leading(self) -> frozenset[str]:
        """The shards that this instance leads now."""
        return frozenset(host for host, shard in self._shards.items() if shard.leads)

    def backend(self, host: str) -> Backend | None:
        """The backend of a shard while this instance runs it (for tests and the demo)."""
        session = self._shards[host].session
        return session.backend if session else None

    def rescan(self) -> None:
        """Ask for a full scan of each shard that is led, now."""
        for session in self._sessions():
            session.completed()

    def look(self) -> None:
        """Scan everything now on each shard that is led, as the engine does from time to time."""
        for session in self._sessions():
            session.look(None)

    def settled(self, revision: int) -> bool:
        """Whether all up to `revision` of the bus is programmed and said, on each shard that is led."""
        seen = self._cache.complete and self._cache.revision >= revision
        return seen and all(session.idle for session in self._sessions())

    @property
    def registration(self) -> status.Registration:
        """What the arbiter is told of this process."""
        return status.Registration(
            controller=self.controller,
            instance=self.instance,
            backend=self._serving.backend,
            apis={api: tuple(versions) for api, versions in self._serving.apis.items()},
            hosts=self._hosts,
            vnic_types=self._serving.vnic_types,
            level=self._level,
            deadline=self._serving.deadline,
            refused=self._cache.refused,
        )

    async def run(self) -> None:
        """Serve until `stop` is called or this is cancelled; then give leadership and registration up."""
        stopping = asyncio.create_task(self._stop.wait())
        serving = asyncio.create_task(self._serve())
        try:
            await asyncio.wait({stopping, serving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (stopping, serving):
                task.cancel()
            await asyncio.wait({stopping, serving})
        if not serving.cancelled():
            serving.result()

    def stop(self) -> None:
        """Make `run` return soon."""
        self._stop.set()

    async def _serve(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._cache.run())
            await self._cache.wait_read()
            group.create_task(self._keep_registered())
            for shard in self._shards.values():
                group.create_task(shard.run())

    async def _keep_registered(self) -> None:
        await register.keep_registered(
            self._bus, lambda: self.registration, self._cache.models_changed, self._pace
        )

    def _sessions(self) -> list[Session]:
        return [shard.session for shard in self._shards.values() if shard.session is not None]

    def _shard(self, host: str) -> Shard:
        return Shard(
            self._bus,
            partial(
                Session,
                self._bus,
                self._cache,
                self._backend,
                controller=self.controller,
                shard=host,
                options=self._options,
                serving=self._serving,
                pace=self._pace,
                stats=self.stats[host],
            ),
            key=keys.lead(self.controller, host),
            value=codec.encode({"instance": self.instance, "id": secrets.token_hex(8)}),
            per_host=self._backend.per_host,
            pace=self._pace,
            stats=self.stats[host],
        )
