"""One call to etcd: connection, token, deadline, another try where that is safe.

In: a call and its request. Out: its response, or one of our errors. Invariant: a call that may
change something is sent again only if etcd said that it did not happen (its token was bad);
a call that only reads goes on to the next endpoint until its time is up. Used by `etcd` and
`watching`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from gluon.errors import BusError, BusUnavailable
from gluon.kv.channel import Metadata
from gluon.kv.endpoints import Endpoint, Endpoints
from gluon.kv.etcdpb import etcd_pb2 as pb
from gluon.kv.follow import Patience
from gluon.kv.outcome import Code, Failed
from gluon.kv.rpcs import Rpcs, blames_token, bus_error, is_unreachable, reason
from gluon.kv.settings import EtcdSettings

Call = Callable[[Rpcs, float, Metadata], Awaitable[Any]]


class Client:
    def __init__(self, settings: EtcdSettings) -> None:
        self.settings = settings
        self.endpoints = Endpoints(settings)
        self.tokens = Tokens(settings)

    async def call(self, act: Call, *, repeatable: bool) -> Any:
        """Run `act(rpcs, timeout, metadata)`. Raises `BusError` and its kinds only."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self.settings.timeout
        patience = Patience(first=0.02, longest=0.5)
        renewed = False
        while True:
            endpoint = await self.endpoints.ready(deadline)
            try:
                metadata = await self.tokens.metadata(endpoint, self._limit(deadline, repeatable=True))
            except BusUnavailable:
                self.endpoints.leave(endpoint)
                if loop.time() >= deadline:
                    raise
                await patience.wait()
                continue
            try:
                return await act(endpoint.rpcs, self._limit(deadline, repeatable=repeatable), metadata)
            except Failed as error:
                if blames_token(error) and self.tokens.used and not renewed:
                    renewed = True
                    self.tokens.drop(metadata)
                    continue
                if is_unreachable(error):
                    self.endpoints.leave(endpoint)
                if not (is_unreachable(error) and repeatable and loop.time() < deadline):
                    raise bus_error(error, self.settings.names) from None
            await patience.wait()

    async def unary(self, name: str, request: Any, *, repeatable: bool) -> Any:
        """The usual case: the unary call `name` of `Rpcs`."""

        def act(rpcs: Rpcs, timeout: float, metadata: Metadata) -> Awaitable[Any]:
            call: Awaitable[Any] = getattr(rpcs, name)(request, timeout=timeout, metadata=metadata)
            return call

        return await self.call(act, repeatable=repeatable)

    async def close(self) -> None:
        await self.endpoints.close()

    def _limit(self, deadline: float, *, repeatable: bool) -> float:
        """A read leaves time for a second endpoint, in case the first one hangs."""
        left = deadline - asyncio.get_running_loop().time()
        if repeatable and len(self.endpoints) > 1:
            left = min(left, self.settings.timeout / 2)
        return max(left, 0.001)


class Tokens:
    """The token of our user, made when it is first needed and again after it was refused."""

    def __init__(self, settings: EtcdSettings) -> None:
        self._settings = settings
        self._metadata: Metadata = None
        self._one_at_a_time = asyncio.Lock()

    @property
    def used(self) -> bool:
        return bool(self._settings.user)

    def drop(self, metadata: Metadata) -> None:
        """The call with this token was refused; a newer token stays."""
        if self._metadata is metadata:
            self._metadata = None

    async def metadata(self, endpoint: Endpoint, timeout: float) -> Metadata:
        if not self.used or self._metadata is not None:
            return self._metadata
        async with self._one_at_a_time:
            if self._metadata is None:
                self._metadata = await self._authenticate(endpoint, timeout)
        return self._metadata

    async def _authenticate(self, endpoint: Endpoint, timeout: float) -> Metadata:
        request = pb.AuthenticateRequest(name=self._settings.user, password=self._settings.password)
        try:
            response = await endpoint.rpcs.authenticate(request, timeout=timeout)
        except Failed as error:
            if error.code is Code.FAILED_PRECONDITION:
                return ()  # authentication is not switched on (yet)
            if is_unreachable(error):
                raise BusUnavailable(f"etcd at {endpoint.name} does not answer: {reason(error)}") from None
            raise BusError(
                f"etcd at {endpoint.name} does not let user {self._settings.user!r} in: {reason(error)}"
            ) from None
        return (("token", response.token),)
