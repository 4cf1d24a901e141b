"""One channel for each endpoint of etcd, and which of them is in use now.

In: settings. Out: an `Endpoint` whose connection stands. Invariant: a call is made only on a
connection that stands, so a call that fails to connect has never been sent; an endpoint that
failed is left for the next one. Used by `client` and `watching`, inside one event loop.
"""

from __future__ import annotations

import asyncio
import ssl
from contextlib import suppress
from pathlib import Path

from gluon.errors import BusError, BusUnavailable
from gluon.kv.channel import Channel
from gluon.kv.requests import BusClosed
from gluon.kv.rpcs import Rpcs
from gluon.kv.settings import Address, EtcdSettings

_SHORTEST_LOOK, _LONGEST_LOOK = 0.002, 0.05
_AVOIDED = 5.0  # seconds after it failed in which an endpoint is the last one to be tried again
_OTHERS_FIRST = 1.5  # seconds in which another endpoint may connect before that: longer than its back-off


class Endpoint:
    """A channel to one address and the calls on it."""

    def __init__(self, address: Address, context: ssl.SSLContext | None) -> None:
        self.name = address.target
        self.channel = Channel(address, context)
        self.rpcs = Rpcs(self.channel)

    def is_ready(self) -> bool:
        return self.channel.is_ready()


class Endpoints:
    """Channels are made at first use, when the event loop runs."""

    def __init__(self, settings: EtcdSettings) -> None:
        self._settings = settings
        self._endpoints: list[Endpoint] = []
        self._current = 0
        self._left: dict[int, float] = {}
        self._connecting: asyncio.Task[None] | None = None
        self._closed = False

    def __len__(self) -> int:
        return len(self._settings.addresses)

    def check_open(self) -> None:
        if self._closed:
            raise BusClosed("the bus is closed")

    @property
    def all(self) -> list[Endpoint]:
        """Every endpoint, connected or not."""
        self.check_open()
        if not self._endpoints:
            context = _context(self._settings)
            self._endpoints = [Endpoint(address, context) for address in self._settings.addresses]
        return self._endpoints

    async def ready(self, deadline: float) -> Endpoint:
        """The endpoint in use, connected. Raises `BusUnavailable` at `deadline` (loop time)."""
        endpoint = self.all[self._current]
        if endpoint.is_ready():
            return endpoint
        if self._connecting is None or self._connecting.done():
            self._connecting = asyncio.create_task(self._connect(), name="connect to etcd")
        # Shared by all who wait, so none of them may cancel it.
        with suppress(TimeoutError):
            async with asyncio.timeout_at(deadline):
                await asyncio.wait({self._connecting})
        endpoint = self.all[self._current]
        if endpoint.is_ready():
            return endpoint
        raise BusUnavailable(f"no connection to etcd at {self._settings.names}")

    def leave(self, endpoint: Endpoint) -> None:
        """This endpoint failed: let the next call try another one, if it is still in use."""
        if self.all[self._current] is endpoint:
            self._left[self._current] = asyncio.get_running_loop().time()
            self._current = (self._current + 1) % len(self._endpoints)

    async def close(self) -> None:
        self._closed = True
        if self._connecting is not None:
            self._connecting.cancel()
            await asyncio.wait({self._connecting})
        endpoints, self._endpoints = self._endpoints, []
        for endpoint in endpoints:
            await endpoint.channel.close()

    async def _connect(self) -> None:
        """Look at all endpoints in turn until one stands; each tries again by itself meanwhile.

        The connection of an endpoint that hangs stands, so one that just failed comes last.
        """
        loop = asyncio.get_running_loop()
        began = loop.time()
        look = _SHORTEST_LOOK
        while True:
            now = loop.time()
            any_will_do = now - began >= _OTHERS_FIRST or len(self) == 1
            for step in range(len(self)):
                index = (self._current + step) % len(self)
                avoided = not any_will_do and now - self._left.get(index, -_AVOIDED) < _AVOIDED
                if self.all[index].is_ready() and not avoided:
                    self._current = index
                    return
            await asyncio.sleep(look)
            look = min(look * 2, _LONGEST_LOOK)


def _context(settings: EtcdSettings) -> ssl.SSLContext | None:
    """Read anew for each client, so that a restart takes up new certificates. Raises `BusError`."""
    if not any(address.tls for address in settings.addresses):
        return None
    for name in (settings.ca_file, settings.cert_file, settings.key_file):
        _check_readable(name)
    try:
        context = ssl.create_default_context(cafile=settings.ca_file or None)
        if settings.cert_file:
            context.load_cert_chain(settings.cert_file, settings.key_file or None)
    except (OSError, ValueError) as error:
        names = ", ".join(n for n in (settings.ca_file, settings.cert_file, settings.key_file) if n)
        raise BusError(f"cannot use the certificates {names}: {error}") from None
    context.set_alpn_protocols(["h2"])
    return context


def _check_readable(name: str) -> None:
    if name:
        try:
            Path(name).read_bytes()
        except OSError as error:
            raise BusError(f"cannot read {name}: {error.strerror}") from None
