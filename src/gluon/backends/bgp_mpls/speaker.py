"""The BGP speaker of a PE: one gobgpd 3.x, driven over gRPC (usually a unix socket).

    async with Speaker("unix:/run/gobgp.sock") as speaker:
        await speaker.start(asn=65000, router_id="192.0.2.1", peers=[Peer(address="192.0.2.9", asn=65000)])
        await speaker.announce(route)                 # again with another label or target: replaces
        async for event in speaker.watch():           # Synced first, then Changed, until gobgpd ends
            ...

Every call raises `SpeakerGone` (a `TryLater`) when gobgpd does not answer or was not started, and
`GiveUp` when it refuses. gobgpd keeps nothing over its restart: when `watch` raises, the caller begins
again with `start` and announces all. `routes` tells what an earlier life of the caller announced.

An FRR reflector needs `no bgp suppress-duplicates`: by default (seen with 8.4) it takes a route of which
only the label changed for a duplicate, and does not send it on.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self, TypeVar

import grpc.aio
from google.protobuf.empty_pb2 import Empty
from google.protobuf.message import Message

from gluon.backends.bgp_mpls.gobgp import codec
from gluon.backends.bgp_mpls.gobgp import gobgp_pb2 as pb
from gluon.backends.bgp_mpls.routes import RouteKey, VpnRoute
from gluon.errors import GiveUp, TryLater

_Answer = TypeVar("_Answer", bound=Message)
_SERVICE = "/apipb.GobgpApi/"
_ESTABLISHED = 6
_CHANNEL_OPTIONS = (
    ("grpc.max_receive_message_length", -1),  # the first event of a watch is the whole table
    ("grpc.use_local_subchannel_pool", 1),  # each speaker its own connection
    ("grpc.initial_reconnect_backoff_ms", 100),  # a gobgpd that is back is found at once
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1000),
)
_GONE = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.CANCELLED}


class SpeakerGone(TryLater):
    """gobgpd does not answer, ended, or lost its configuration: `start` again later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """A BGP neighbour for VPNv4 and VPNv6, mostly a route reflector.

    `passive`: wait for it to dial. gobgpd itself takes 5 to 10 s to dial; FRR dials within one.
    """

    address: str
    asn: int
    passive: bool = False
    reflector_client: bool = False
    local_address: str = ""
    hold_time: int = 90
    multihop: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteTable:
    """What gobgpd holds: `own` were announced by us (or an earlier life), `learnt` are best routes of others."""

    own: Mapping[RouteKey, VpnRoute] = field(default_factory=dict)
    learnt: Mapping[RouteKey, VpnRoute] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Synced:
    """The first event of a watch: all learnt best routes. Replaces what the follower holds."""

    routes: Mapping[RouteKey, VpnRoute]


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """Learnt best routes that changed; None: gone (or an own route is better)."""

    routes: Mapping[RouteKey, VpnRoute | None]


RouteEvent = Synced | Changed


class Speaker:
    """One gobgpd. `target` is gRPC's: `unix:/path` or `host:port`. Making it does no I/O."""

    def __init__(self, target: str, *, timeout: float = 5.0) -> None:
        self.target = target
        self._timeout = timeout
        self._open: grpc.aio.Channel | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connection. gobgpd goes on, and so do its routes."""
        if self._open is not None:
            channel, self._open = self._open, None
            await channel.close()

    async def start(self, *, asn: int, router_id: str, peers: Iterable[Peer] = (), port: int = 179) -> bool:
        """Start BGP unless it runs, add the peers that are missing. True if it was not running.

        Raises `GiveUp` if it runs as another AS or router: that gobgpd is somebody else's.
        """
        running = (await self._call("GetBgp", pb.GetBgpRequest(), pb.GetBgpResponse)).bgp
        fresh = running.asn == 0
        if fresh:
            wanted = pb.Global(asn=asn, router_id=router_id, listen_port=port)
            await self._call("StartBgp", pb.StartBgpRequest(bgp=wanted), Empty)
        elif (running.asn, running.router_id) != (asn, router_id):
            raise GiveUp(
                f"gobgpd at {self.target} runs as AS {running.asn}, router {running.router_id}; "
                f"configured are AS {asn}, router {router_id}",
                reason="SpeakerMismatch",
            )
        known = await self.peers()
        for peer in peers:
            if peer.address not in known:
                await self._call("AddPeer", pb.AddPeerRequest(peer=_peer_message(peer)), Empty)
        return fresh

    async def peers(self) -> dict[str, bool]:
        """Address of each neighbour, and whether its session is established."""
        answers = self._stream("ListPeer", pb.ListPeerRequest(), pb.ListPeerResponse)
        return {
            answer.peer.conf.neighbor_address: answer.peer.state.session_state == _ESTABLISHED
            async for answer in answers
        }

    async def announce(self, route: VpnRoute) -> None:
        """Announce a route, or replace the one with the same key."""
        await self._call("AddPath", pb.AddPathRequest(path=codec.path_of(route)), pb.AddPathResponse)

    async def withdraw(self, route: VpnRoute) -> None:
        """Withdraw a route; one that is not announced is no error."""
        request = pb.DeletePathRequest(family=codec.family_of(route), path=codec.path_of(route))
        await self._call("DeletePath", request, Empty)

    async def routes(self) -> RouteTable:
        """All VPN routes of both families, own and learnt, as of now."""
        own: dict[RouteKey, VpnRoute] = {}
        learnt: dict[RouteKey, VpnRoute] = {}
        for family in codec.FAMILIES:
            request = pb.ListPathRequest(family=family)
            async for answer in self._stream("ListPath", request, pb.ListPathResponse):
                for path in answer.destination.paths:
                    route = codec.route_of(path)
                    if route is not None and codec.is_own(path):
                        own[route.key] = route
                    elif route is not None and path.best:
                        learnt[route.key] = route
        return RouteTable(own=own, learnt=learnt)

    async def watch(self) -> AsyncGenerator[RouteEvent, None]:
        """Learnt best routes: the present ones, then what changes. Ends only by raising `SpeakerGone`."""
        if (await self._call("GetBgp", pb.GetBgpRequest(), pb.GetBgpResponse)).bgp.asn == 0:
            raise SpeakerGone(f"BGP is not started in gobgpd at {self.target}")
        # gobgpd registers the watch and takes the table in one step, and sends the table as one event.
        wanted = pb.WatchEventRequest.Table.Filter(type=0, init=True)
        request = pb.WatchEventRequest(table=pb.WatchEventRequest.Table(filters=[wanted]))
        synced = False
        async with aclosing(
            self._stream("WatchEvent", request, pb.WatchEventResponse, timeout=None)
        ) as events:
            async for event in events:
                changes = _changes(event.table.paths)
                if not synced:
                    synced = True
                    yield Synced(routes={k: r for k, r in changes.items() if r is not None})
                elif changes:
                    yield Changed(routes=changes)
        raise SpeakerGone(f"gobgpd at {self.target} ended")

    # -- gRPC ------------------------------------------------------------------------------------

    @property
    def _channel(self) -> grpc.aio.Channel:
        """Made at first use, inside the event loop."""
        if self._open is None:
            self._open = grpc.aio.insecure_channel(self.target, options=_CHANNEL_OPTIONS)
        return self._open

    async def _call(self, method: str, request: Message, answer: type[_Answer]) -> _Answer:
        call = self._channel.unary_unary(
            _SERVICE + method,
            request_serializer=type(request).SerializeToString,
            response_deserializer=answer.FromString,
        )
        try:
            reply: _Answer = await call(request, timeout=self._timeout)
        except grpc.aio.AioRpcError as error:
            raise self._translated(error) from error
        return reply

    async def _stream(
        self, method: str, request: Message, answer: type[_Answer], *, timeout: float | None = 30.0
    ) -> AsyncGenerator[_Answer, None]:
        call = self._channel.unary_stream(
            _SERVICE + method,
            request_serializer=type(request).SerializeToString,
            response_deserializer=answer.FromString,
        )(request, timeout=timeout)
        try:
            async for message in call:
                yield message
        except grpc.aio.AioRpcError as error:
            raise self._translated(error) from error
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            # Nobody cancelled us: the channel was closed under the stream.
            raise SpeakerGone(f"connection to gobgpd at {self.target} was closed") from None
        finally:
            call.cancel()

    def _translated(self, error: grpc.aio.AioRpcError) -> TryLater | GiveUp:
        said = error.details() or error.code().name
        if error.code() in _GONE or "started" in said:  # "bgp server hasn't started yet"
            return SpeakerGone(f"gobgpd at {self.target}: {said}")
        return GiveUp(f"gobgpd at {self.target}: {said}", reason="SpeakerRefused")


def _changes(paths: Iterable[pb.Path]) -> dict[RouteKey, VpnRoute | None]:
    """The newest state of each route in one event."""
    changes: dict[RouteKey, VpnRoute | None] = {}
    for path in paths:
        key = codec.key_of(path)
        if key is not None:
            learnt = not path.is_withdraw and not codec.is_own(path)
            changes[key] = codec.route_of(path) if learnt else None
    return changes


def _peer_message(peer: Peer) -> pb.Peer:
    keepalive = max(1, peer.hold_time // 3)
    return pb.Peer(
        conf=pb.PeerConf(neighbor_address=peer.address, peer_asn=peer.asn),
        ebgp_multihop=pb.EbgpMultihop(enabled=peer.multihop, multihop_ttl=255 if peer.multihop else 0),
        route_reflector=pb.RouteReflector(route_reflector_client=peer.reflector_client),
        timers=pb.Timers(
            config=pb.TimersConfig(
                connect_retry=1,
                hold_time=peer.hold_time,
                keepalive_interval=keepalive,
                idle_hold_time_after_reset=1,
            )
        ),
        transport=pb.Transport(local_address=peer.local_address, passive_mode=peer.passive),
        afi_safis=[
            pb.AfiSafi(config=pb.AfiSafiConfig(family=family, enabled=True)) for family in codec.FAMILIES
        ],
    )
