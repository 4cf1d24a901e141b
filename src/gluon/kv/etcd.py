"""The bus on etcd v3.

In: settings and calls of the engines. Out: etcd's answers in the words of `gluon.spi.bus`.
Invariant: nothing is believed that a member made up alone: reads are linearizable, a listing is
of one revision and one cluster. Made by `connect`, inside a running event loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from itertools import chain
from operator import attrgetter
from typing import Any

from gluon.errors import BusError, BusUnavailable, Compacted, LeaseLost
from gluon.kv.campaign import Won, campaign
from gluon.kv.channel import Metadata
from gluon.kv.client import Client
from gluon.kv.endpoints import Endpoint
from gluon.kv.etcdpb import etcd_pb2 as pb
from gluon.kv.follow import follow
from gluon.kv.leases import KeptLease, kept_lease
from gluon.kv.outcome import Code, Failed
from gluon.kv.requests import check_key, check_txn, max_writes
from gluon.kv.rpcs import Rpcs, bus_error
from gluon.kv.settings import EtcdSettings
from gluon.kv.watching import Position, watch
from gluon.kv.wire import delete_request, encode_key, key_value, prefix_range, txn_request, txn_result
from gluon.spi.bus import BusHealth, Compare, Get, KeyValue, Listing, Op, Synced, TxnResult, Watched

_FIRST_PAGE, _LARGEST_PAGE = 128, 4000
_PAGE_BYTES = 2 * 1024 * 1024
_LISTING_ATTEMPTS = 3


class EtcdBus:
    """`gluon.spi.bus.Bus` on etcd."""

    def __init__(self, settings: EtcdSettings) -> None:
        self.max_ops = settings.max_ops
        self._settings = settings
        self._client = Client(settings)
        self._cluster = 0

    @property
    def max_writes(self) -> int:
        return max_writes(self.max_ops)

    # Reading.

    async def get(self, key: str) -> KeyValue | None:
        check_key(key)
        request = pb.RangeRequest(key=encode_key(key))
        response = await self._client.unary("range", request, repeatable=True)
        return key_value(response.kvs[0]) if response.kvs else None

    async def list(self, prefix: str) -> Listing:
        """Begins again if history breaks or is compacted between two pages."""
        for _ in range(_LISTING_ATTEMPTS - 1):
            try:
                return await self._list_once(prefix)
            except Compacted:
                continue
        return await self._list_once(prefix)

    async def _list_once(self, prefix: str) -> Listing:
        start, end = prefix_range(prefix)
        items: list[KeyValue] = []
        revision = cluster = 0
        limit = _FIRST_PAGE
        while True:
            request = pb.RangeRequest(key=start, range_end=end, revision=revision, limit=limit)
            page = await self._client.unary("range", request, repeatable=True)
            if revision and page.header.cluster_id != cluster:
                raise Compacted("etcd became another cluster while it was listed")
            cluster = page.header.cluster_id
            revision = revision or page.header.revision
            items += map(key_value, page.kvs)
            if not page.more:
                break
            start = page.kvs[-1].key + b"\0"
            average = max(page.ByteSize() // len(page.kvs), 1)
            limit = max(1, min(_PAGE_BYTES // average, _LARGEST_PAGE))
        self._cluster = cluster
        return Listing(items=tuple(items), revision=revision)

    # Writing.

    async def put(self, key: str, value: bytes, *, lease: int = 0) -> int:
        check_key(key)
        request = pb.PutRequest(key=encode_key(key), value=value, lease=lease)
        response = await self._client.unary("put", request, repeatable=False)
        return int(response.header.revision)

    async def delete(self, key: str, *, prefix: bool = False) -> int:
        if not prefix:
            check_key(key)
        request = delete_request(key, prefix=prefix)
        response = await self._client.unary("delete", request, repeatable=False)
        return int(response.deleted)

    async def txn(
        self, compares: Sequence[Compare], then: Sequence[Op], otherwise: Sequence[Op] = ()
    ) -> TxnResult:
        check_txn(compares, then, otherwise, self.max_ops)
        request = txn_request(compares, then, otherwise, self.max_ops)
        reads_only = all(isinstance(op, Get) for op in chain(then, otherwise))
        response = await self._client.unary("txn", request, repeatable=reads_only)
        return txn_result(response, then, otherwise)

    # Watching.

    def watch(self, prefix: str, *, after: int) -> AsyncGenerator[Watched]:
        """Waits out an outage for as long as it lasts, the first connection too."""
        return watch(self._client, prefix, Position(revision=after, cluster=self._cluster))

    def follow(self, prefix: str) -> AsyncIterator[Synced | Watched]:
        return follow(prefix, list_prefix=self.list, watch_listing=self._watch_listing)

    def _watch_listing(self, prefix: str, listing: Listing) -> AsyncGenerator[Watched]:
        newest = max(listing.items, key=attrgetter("mod_revision"), default=None)
        position = Position(
            revision=listing.revision, witness=newest, count=len(listing.items), cluster=self._cluster
        )
        return watch(self._client, prefix, position)

    # Leases and elections.

    def lease(self, ttl: int) -> AbstractAsyncContextManager[KeptLease]:
        return kept_lease(self, ttl)

    def campaign(self, key: str, value: bytes, *, ttl: int = 5) -> AbstractAsyncContextManager[Won]:
        return campaign(self, key, value, ttl=ttl)

    async def grant(self, ttl: int) -> tuple[int, int]:
        # A lease granted twice because an answer was lost ends by itself.
        response = await self._client.unary("grant", pb.LeaseGrantRequest(ttl=ttl), repeatable=True)
        return int(response.id), int(response.ttl)

    async def keep_alive(self, lease: int) -> int:
        """One short stream each time: it needs no care when a connection breaks."""

        async def ask(rpcs: Rpcs, timeout: float, metadata: Metadata) -> Any:
            call = rpcs.keep_alive(metadata)
            try:
                call.send(pb.LeaseKeepAliveRequest(id=lease))
                async with asyncio.timeout(timeout):
                    return await call.read()
            except TimeoutError:
                raise Failed(Code.DEADLINE_EXCEEDED, "no answer in time") from None
            finally:
                call.cancel()

        response = await self._client.call(ask, repeatable=True)
        if response is None:
            raise BusUnavailable(f"etcd at {self._settings.names} closed the stream")
        if response.ttl <= 0:
            raise LeaseLost(f"lease {lease:x} has ended")
        return int(response.ttl)

    async def revoke(self, lease: int) -> None:
        try:
            await self._client.unary("revoke", pb.LeaseRevokeRequest(id=lease), repeatable=True)
        except LeaseLost:
            return

    # Upkeep.

    async def compact(self, revision: int) -> None:
        try:
            await self._client.unary("compact", pb.CompactionRequest(revision=revision), repeatable=True)
        except Compacted as error:
            if "future" in str(error):
                raise BusError(f"cannot compact revision {revision}: {error}") from None

    async def health(self) -> BusHealth:
        """Asks every member for itself, and the cluster for its alarms."""
        loop = asyncio.get_running_loop()
        await self._client.endpoints.ready(loop.time() + self._settings.timeout)
        asked = [self._status(endpoint) for endpoint in self._client.endpoints.all]
        answers = await asyncio.gather(*asked, return_exceptions=True)
        good = [answer for answer in answers if isinstance(answer, pb.StatusResponse)]
        if not good:
            raise BusUnavailable(f"etcd at {self._settings.names} does not answer")
        alarms = await self._client.unary("alarm", pb.AlarmRequest(), repeatable=True)
        return BusHealth(
            size=max(answer.db_size for answer in good),
            revision=max(answer.header.revision for answer in good),
            alarms=tuple(sorted({pb.AlarmType.Name(one.alarm) for one in alarms.alarms})),
            members=len({answer.header.member_id for answer in good}),
        )

    async def _status(self, endpoint: Endpoint) -> pb.StatusResponse:
        try:
            # Short: one member answers, and the others are known to be down or connected soon.
            limit = min(self._settings.timeout, 1.0)
            await endpoint.channel.wait_ready(limit)
            response = await endpoint.rpcs.status(pb.StatusRequest(), timeout=limit)
        except Failed as error:
            raise bus_error(error, endpoint.name) from None
        assert isinstance(response, pb.StatusResponse)
        return response

    async def close(self) -> None:
        await self._client.close()
