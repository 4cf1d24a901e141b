"""A watch on etcd that survives its connections, and notices when it must not.

In: a prefix, the revision to start after, and what is known of history there. Out: `Watched` in
order, without gap or repeat, or `Compacted`. Used by `etcd`.

Facts of etcd that shape it:
* A watch from a revision that is ahead of the server (wiped, restored from a snapshot) hangs
  without a word. So each new stream has its history checked before its first event counts.
* Compacting at R may drop deletes made at R, yet a watch from R is accepted. The same check
  reads at the last revision *seen*, which is refused then.
* A watch that starts in the past waits for a round of up to 100 ms; one that starts at the next
  revision does not.
* Before 3.4.25 and 3.5.8 an asked-for progress answer may overtake events. So a progress answer
  counts only when the next one has come and no event did between them.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import structlog

from gluon.errors import BusError, BusUnavailable, Compacted
from gluon.kv.channel import Metadata
from gluon.kv.client import Client
from gluon.kv.endpoints import Endpoint
from gluon.kv.etcdpb import etcd_pb2 as pb
from gluon.kv.follow import Patience
from gluon.kv.outcome import Failed
from gluon.kv.rpcs import Talk, blames_token, bus_error, is_unreachable, reason, reason_blames_token
from gluon.kv.settings import EtcdSettings
from gluon.kv.wire import encode_key, event, key_value, prefix_range
from gluon.spi.bus import Event, KeyValue, Watched

log = structlog.get_logger(__name__)


_PROGRESS = pb.WatchRequest(progress_request=pb.WatchProgressRequest())


class _Broken(Exception):
    """This stream is over; another one may go on."""


class _TokenRefused(Exception):
    """etcd does not take our token, or the user may not watch this: it says the same to both."""


@dataclass(slots=True, kw_only=True)
class Position:
    """What the watch knows: all up to `revision` was delivered. At that revision `witness`, if any,
    was so, and the prefix had `count` keys, if known. `cluster`: its id, 0 for not known yet."""

    revision: int
    witness: KeyValue | None = None
    count: int | None = None
    cluster: int = 0

    def advance(self, revision: int, events: list[Event]) -> None:
        """Take the events up to `revision` into account."""
        count, witness = self.count or 0, self.witness
        for one in events:
            value = one.value
            if value is not None:
                count += value.create_revision == value.mod_revision
                witness = value
            else:
                count -= 1
                if witness is not None and witness.key == one.key:
                    witness = None
        self.revision, self.witness = revision, witness
        if self.count is not None:
            self.count = count


async def watch(client: Client, prefix: str, position: Position) -> AsyncGenerator[Watched]:
    """Opens stream after stream until closed. Raises `Compacted`, and `BusError` if refused."""
    patience = Patience(first=0.02, longest=0.5)
    loop = asyncio.get_running_loop()
    renewed = False
    while True:
        endpoint = None
        try:
            endpoint = await client.endpoints.ready(loop.time() + client.settings.timeout)
            metadata = await client.tokens.metadata(endpoint, client.settings.timeout)
        except BusUnavailable:
            if endpoint is not None:
                client.endpoints.leave(endpoint)
            await patience.wait()
            continue
        stream = _Stream(client, endpoint, metadata, prefix, position)
        try:
            async with aclosing(stream.read()) as batches:
                async for watched in batches:
                    patience.reset()
                    yield watched
        except _TokenRefused as refused:
            if renewed or not client.tokens.used:
                raise BusError(f"etcd does not let us watch {prefix}: {refused}") from None
            renewed = True
            client.tokens.drop(metadata)
        except (_Broken, BusUnavailable) as error:
            client.endpoints.check_open()
            renewed = renewed and not stream.created
            log.debug("watch broke, resuming", prefix=prefix, endpoint=endpoint.name, reason=str(error))
            client.endpoints.leave(endpoint)
            await patience.wait()


class _Stream:
    """One Watch call with one watch on it."""

    def __init__(
        self, client: Client, endpoint: Endpoint, metadata: Metadata, prefix: str, position: Position
    ) -> None:
        self.created = False
        self._client = client
        self._endpoint = endpoint
        self._metadata = metadata
        self._prefix = prefix
        self._position = position
        self._split: list[pb.Event] = []  # of a revision that came in several fragments
        self._progress = 0  # what the last progress answer said, 0 if events came since

    async def read(self) -> AsyncGenerator[Watched]:
        """Create the watch, check history, deliver. Raises `_Broken` at the end of the stream."""
        # Without this a member that is cut off from the others would keep silent.
        metadata = (*(self._metadata or ()), ("hasleader", "true"))
        try:
            call = self._endpoint.rpcs.watch(metadata)
        except Failed as error:
            raise _Broken(reason(error)) from None
        try:
            call.send(self._creation())
            with _Watchdog(call, self._client.settings) as watchdog:
                created = await watchdog.next()
                self._check_response(created)
                await self._check_history()
                watchdog.start_asking()
                self.created = True
                while True:
                    response = await watchdog.next()
                    self._check_response(response)
                    if response.events:
                        watched = self._take_events(response)
                    else:
                        watched = await self._take_progress(response)
                    if watched is not None:
                        yield watched
        except Failed as error:
            if blames_token(error):
                raise _TokenRefused(reason(error)) from None
            if is_unreachable(error):
                raise _Broken(reason(error)) from None
            raise bus_error(error, self._client.settings.names) from None
        finally:
            call.cancel()

    def _creation(self) -> pb.WatchRequest:
        start, end = prefix_range(self._prefix)
        first = self._position.revision + 1
        create = pb.WatchCreateRequest(key=start, range_end=end, start_revision=first, fragment=True)
        return pb.WatchRequest(create_request=create)

    def _check_response(self, response: pb.WatchResponse) -> None:
        cluster = response.header.cluster_id
        if self._position.cluster and cluster != self._position.cluster:
            raise Compacted(f"etcd is another cluster: {cluster:x} instead of {self._position.cluster:x}")
        self._position.cluster = cluster
        if response.compact_revision:
            raise Compacted(
                f"revision {self._position.revision} is compacted; "
                f"the oldest kept is {response.compact_revision}"
            )
        if response.canceled:
            if reason_blames_token(response.cancel_reason):
                raise _TokenRefused(response.cancel_reason)
            raise _Broken(response.cancel_reason or "etcd ended the watch")

    async def _check_history(self) -> None:
        """Raise `Compacted` if the server's history is not the one our position is of.

        The stream was opened before: if history changes after this check, the stream breaks.
        """
        position = self._position
        if not position.revision:
            return
        if position.witness is not None:
            request = pb.RangeRequest(key=encode_key(position.witness.key), revision=position.revision)
        else:
            start, end = prefix_range(self._prefix)
            request = pb.RangeRequest(key=start, range_end=end, revision=position.revision, count_only=True)
        found = await self._client.unary("range", request, repeatable=True)
        if position.witness is not None:
            same = bool(found.kvs) and key_value(found.kvs[0]) == position.witness
        else:
            same = position.count is None or found.count == position.count
        if not same:
            raise Compacted(f"etcd has another history: {self._prefix} differs at {position.revision}")

    async def _check_not_behind(self, revision: int) -> None:
        """A member may be behind another one for a moment, so ask for a linearizable read."""
        if revision >= self._position.revision:
            return
        request = pb.RangeRequest(key=encode_key(self._prefix) or b"\0", count_only=True)
        header = (await self._client.unary("range", request, repeatable=True)).header
        if header.revision < self._position.revision:
            raise Compacted(f"etcd went back from revision {self._position.revision} to {header.revision}")

    def _take_events(self, response: pb.WatchResponse) -> Watched | None:
        """The whole revisions among what has come."""
        self._progress = 0
        messages = [*self._split, *response.events]
        self._split = []
        if messages and response.fragment:
            # The last revision may go on in the next fragment.
            last = messages[-1].kv.mod_revision
            whole = [one for one in messages if one.kv.mod_revision < last]
            self._split = messages[len(whole) :]
            messages = whole
        if not messages:
            return None
        return self._advance(messages[-1].kv.mod_revision, [event(one) for one in messages])

    def _advance(self, revision: int, events: list[Event]) -> Watched:
        self._position.advance(revision, events)
        return Watched(revision=revision, events=tuple(events))

    async def _take_progress(self, response: pb.WatchResponse) -> Watched | None:
        revision = response.header.revision
        await self._check_not_behind(revision)
        settled, self._progress = self._progress, revision
        if settled <= self._position.revision:
            return None
        return self._advance(settled, [])


class _Watchdog:
    """Asks a stream for progress every `interval` and cancels it when it stays silent.

    Only time that somebody waits for the stream counts: a slow consumer is not a dead server.
    Until the watch is created the limit is that of any call.
    """

    def __init__(self, call: Talk[pb.WatchResponse], settings: EtcdSettings) -> None:
        self._call = call
        self._interval = settings.progress
        self._first = settings.timeout
        self._waits_since: float | None = None
        self._timer: asyncio.TimerHandle | None = None

    def __enter__(self) -> Self:
        self._timer = asyncio.get_running_loop().call_later(self._first, self._call.cancel)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def start_asking(self) -> None:
        """The watch exists: from now on it has to answer."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(self._interval, self._tick)

    async def next(self) -> pb.WatchResponse:
        self._waits_since = asyncio.get_running_loop().time()
        try:
            response = await self._call.read()
        finally:
            self._waits_since = None
        if response is None:
            raise _Broken("etcd closed the stream")
        return response

    def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(self._interval, self._tick)
        if self._waits_since is None:
            return
        if loop.time() - self._waits_since > 1.9 * self._interval:
            self._call.cancel()
        else:
            self._call.send(_PROGRESS)
