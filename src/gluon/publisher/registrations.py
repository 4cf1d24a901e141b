"""Who can program the network: the shims registered under `/gluon/shim/`, held in memory.

In: a followed prefix. Out: `current()`, and a wait for its changes. Invariant: a value is believed
only if it decodes, is not too large and names the controller and instance of its key. Used by the
arbiter in each API process.
"""

from __future__ import annotations

import asyncio

import structlog

from gluon.objects import keys, status
from gluon.spi import bus

log = structlog.get_logger(__name__)


class Registrations:
    """`run` it for the life of the process."""

    def __init__(self, target: bus.Bus) -> None:
        self._bus = target
        self._known: dict[str, status.Registration] = {}
        self._current: tuple[status.Registration, ...] = ()
        self._version = 0
        self._changed = asyncio.Event()

    @property
    def version(self) -> int:
        """Grows with each change; 0 until etcd was read for the first time."""
        return self._version

    def current(self) -> tuple[status.Registration, ...]:
        """All registered now, ordered by controller and instance."""
        return self._current

    async def changed(self, after: int) -> int:
        """Wait until `version` is above `after`; returns it."""
        while self._version <= after:
            await self._changed.wait()
        return self._version

    async def run(self) -> None:
        """Until cancelled. Through an outage of the bus the last known ones stay."""
        async for seen in self._bus.follow(keys.SHIM):
            if isinstance(seen, bus.Synced):
                self._known.clear()
                for item in seen.listing.items:
                    self._take(item.key, item.value)
            elif seen.events:
                for event in seen.events:
                    self._take(event.key, event.value.value if event.value else None)
            else:
                continue
            self._tell()

    def _take(self, key: str, value: bytes | None) -> None:
        found = None if value is None else _decode(key, value)
        if found is None:
            self._known.pop(key, None)
        else:
            self._known[key] = found

    def _tell(self) -> None:
        current = tuple(self._known[key] for key in sorted(self._known))
        if current == self._current and self._version:
            return
        self._current = current
        self._version += 1
        told, self._changed = self._changed, asyncio.Event()
        told.set()


def _decode(key: str, value: bytes) -> status.Registration | None:
    try:
        if len(value) > status.MAX_REPORT:
            raise ValueError(f"{len(value)} bytes, at most {status.MAX_REPORT} are read")
        registration = status.decode_registration(value)
        if keys.parse_shim(key) != (registration.controller, registration.instance):
            raise ValueError("controller and instance are not those of its key")
        if too_long := registration.too_long():
            raise ValueError(too_long)
    except ValueError as error:
        log.warning("registration of a shim ignored", key=key[:512], reason=str(error)[:500])
        return None
    return registration
