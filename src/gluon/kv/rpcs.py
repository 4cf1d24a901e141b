"""The calls of etcd 3.4 that Gluon makes, bound to one channel; and what their failures mean.

In: a channel. Out: `Rpcs`, and `BusError`s made of gRPC's. Invariant: no gRPC error leaves this
room. Used by `endpoints`, `client` and `watching`.
"""

from __future__ import annotations

from typing import Any

import grpc
import grpc.aio

from gluon.errors import BusError, BusUnavailable, Compacted, LeaseLost
from gluon.kv.etcdpb import etcd_pb2 as pb

_UNREACHABLE = {
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.CANCELLED,
    grpc.StatusCode.ABORTED,
    grpc.StatusCode.INTERNAL,
    grpc.StatusCode.UNKNOWN,
}

# etcd 3.4 answers "permission denied" to some calls with a token that it has forgotten, and the
# others when authentication was switched on or changed after the token was made.
_TOKEN_REASONS = (
    "permission denied",
    "invalid auth token",
    "user name is empty",
    "revision of auth store is old",
)


class Rpcs:
    """One callable for each call; unary ones take `(request, timeout=, metadata=)`."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        def unary(path: str, request: Any, response: Any) -> Any:
            return channel.unary_unary(
                f"/etcdserverpb.{path}",
                request_serializer=request.SerializeToString,
                response_deserializer=response.FromString,
            )

        def stream(path: str, request: Any, response: Any) -> Any:
            return channel.stream_stream(
                f"/etcdserverpb.{path}",
                request_serializer=request.SerializeToString,
                response_deserializer=response.FromString,
            )

        self.range = unary("KV/Range", pb.RangeRequest, pb.RangeResponse)
        self.put = unary("KV/Put", pb.PutRequest, pb.PutResponse)
        self.delete = unary("KV/DeleteRange", pb.DeleteRangeRequest, pb.DeleteRangeResponse)
        self.txn = unary("KV/Txn", pb.TxnRequest, pb.TxnResponse)
        self.compact = unary("KV/Compact", pb.CompactionRequest, pb.CompactionResponse)
        self.watch = stream("Watch/Watch", pb.WatchRequest, pb.WatchResponse)
        self.grant = unary("Lease/LeaseGrant", pb.LeaseGrantRequest, pb.LeaseGrantResponse)
        self.revoke = unary("Lease/LeaseRevoke", pb.LeaseRevokeRequest, pb.LeaseRevokeResponse)
        self.keep_alive = stream("Lease/LeaseKeepAlive", pb.LeaseKeepAliveRequest, pb.LeaseKeepAliveResponse)
        self.status = unary("Maintenance/Status", pb.StatusRequest, pb.StatusResponse)
        self.alarm = unary("Maintenance/Alarm", pb.AlarmRequest, pb.AlarmResponse)
        self.authenticate = unary("Auth/Authenticate", pb.AuthenticateRequest, pb.AuthenticateResponse)


def reason(error: grpc.aio.AioRpcError) -> str:
    """What etcd said, in one line."""
    text: str = error.details() or error.code().name
    return text.splitlines()[0]


def blames_token(error: grpc.aio.AioRpcError) -> bool:
    """Could a new token help? Such a call has not happened."""
    return error.code() is grpc.StatusCode.UNAUTHENTICATED or reason_blames_token(reason(error))


def reason_blames_token(text: str) -> bool:
    return any(known in text for known in _TOKEN_REASONS)


def is_unreachable(error: grpc.aio.AioRpcError) -> bool:
    """No answer, or one that says "not now": another endpoint may do better."""
    if error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED:
        return "too many requests" in reason(error)
    return error.code() in _UNREACHABLE


def bus_error(error: grpc.aio.AioRpcError, names: str) -> BusError:
    """The error of ours for a gRPC error. `names`: the endpoints, for the message."""
    text = reason(error)
    if is_unreachable(error):
        return BusUnavailable(f"etcd at {names} does not answer: {text}")
    if error.code() is grpc.StatusCode.OUT_OF_RANGE:
        return Compacted(text)
    if error.code() is grpc.StatusCode.NOT_FOUND and "lease" in text:
        return LeaseLost(text)
    return BusError(f"etcd at {names} refused: {text}")
