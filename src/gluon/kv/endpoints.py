"""One channel for each endpoint of etcd, and which of them is in use now.

In: settings. Out: an `Endpoint` whose connection stands. Invariant: a call is made only on a
connection that stands, so a call that fails to connect has never been sent; an endpoint that
failed is left for the next one. Used by `client` and `watching`, inside one event loop.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path

import grpc
import grpc.aio

from gluon.errors import BusError, BusUnavailable
from gluon.kv.requests import BusClosed
from gluon.kv.rpcs import Rpcs
from gluon.kv.settings import Address, EtcdSettings

_READY = grpc.ChannelConnectivity.READY
_SHORTEST_LOOK, _LONGEST_LOOK = 0.002, 0.05
_AVOIDED = 5.0  # seconds after it failed in which an endpoint is the last one to be tried again
_OTHERS_FIRST = 1.5  # seconds in which another endpoint may connect before that: longer than its back-off

_OPTIONS = (
    # An etcd that comes back is noticed within about a second.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1000),
    ("grpc.min_reconnect_backoff_ms", 3000),  # in spite of its name: the limit of one attempt
    # etcd ends connections that ping more often than every 5 s, or without a call under way.
    ("grpc.keepalive_time_ms", 10_000),
    ("grpc.keepalive_timeout_ms", 3000),
    ("grpc.keepalive_permit_without_calls", 0),
    ("grpc.http2.max_pings_without_data", 0),
    # Pages are cut by us, and one Txn of another writer may come as one event message.
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
    # Own connections: their back-off must not be that of another client in the process.
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.enable_retries", 0),
)


class Endpoint:
    """A channel to one address and the calls on it."""

    def __init__(self, address: Address, credentials: grpc.ChannelCredentials | None) -> None:
        self.name = address.target
        if address.tls:
            self.channel = grpc.aio.secure_channel(address.target, credentials, options=_OPTIONS)
        else:
            self.channel = grpc.aio.insecure_channel(address.target, options=_OPTIONS)
        self.rpcs = Rpcs(self.channel)

    def is_ready(self) -> bool:
        return self.channel.get_state(try_to_connect=True) is _READY


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
            credentials = _credentials(self._settings)
            self._endpoints = [Endpoint(address, credentials) for address in self._settings.addresses]
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
        """Look at all endpoints in turn until one stands; gRPC itself tries again meanwhile.

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


def _credentials(settings: EtcdSettings) -> grpc.ChannelCredentials | None:
    """Read anew for each client, so that a restart takes up new certificates."""
    if not any(address.tls for address in settings.addresses):
        return None
    return grpc.ssl_channel_credentials(
        root_certificates=_read(settings.ca_file),
        private_key=_read(settings.key_file),
        certificate_chain=_read(settings.cert_file),
    )


def _read(name: str) -> bytes | None:
    if not name:
        return None
    try:
        return Path(name).read_bytes()
    except OSError as error:
        raise BusError(f"cannot read {name}: {error.strerror}") from None
