"""The calls of etcd 3.4 that Gluon makes, bound to one channel; and what their failures mean.

In: a channel. Out: `Rpcs`, and `BusError`s made of `Failed`. Invariant: no `Failed` leaves this
room. Used by `endpoints`, `client` and `watching`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Generic, TypeVar

from gluon.errors import BusError, BusUnavailable, Compacted, LeaseLost
from gluon.kv.channel import Channel, Metadata
from gluon.kv.etcdpb import etcd_pb2 as pb
from gluon.kv.outcome import Code, Failed
from gluon.kv.stream import Stream

_UNREACHABLE = {
    Code.UNAVAILABLE,
    Code.DEADLINE_EXCEEDED,
    Code.CANCELLED,
    Code.ABORTED,
    Code.INTERNAL,
    Code.UNKNOWN,
}

# etcd 3.4 answers "permission denied" to some calls with a token that it has forgotten, and the
# others when authentication was switched on or changed after the token was made.
_TOKEN_REASONS = (
    "permission denied",
    "invalid auth token",
    "user name is empty",
    "revision of auth store is old",
)


_Answer = TypeVar("_Answer")


class Talk(Generic[_Answer]):
    """A call with messages both ways."""

    def __init__(self, stream: Stream, decode: Callable[[bytes], _Answer]) -> None:
        self._stream = stream
        self._decode = decode

    def send(self, request: Any) -> None:
        self._stream.send(request.SerializeToString())

    async def read(self) -> _Answer | None:
        """The next answer; None: that was the last one. Raises `Failed`."""
        message = await self._stream.read()
        return None if message is None else self._decode(message)

    def cancel(self) -> None:
        self._stream.cancel()


class Rpcs:
    """One callable for each call; unary ones take `(request, timeout=, metadata=)`. They raise `Failed`."""

    def __init__(self, channel: Channel) -> None:
        def unary(path: str, response: Any) -> Callable[..., Awaitable[Any]]:
            path, decode = f"/etcdserverpb.{path}", response.FromString

            async def call(request: Any, *, timeout: float, metadata: Metadata = None) -> Any:
                message = request.SerializeToString()
                return decode(await channel.unary(path, message, timeout=timeout, metadata=metadata))

            return call

        def stream(path: str, response: Any) -> Callable[[Metadata], Talk[Any]]:
            path, decode = f"/etcdserverpb.{path}", response.FromString
            return lambda metadata: Talk(channel.stream(path, metadata), decode)

        self.range = unary("KV/Range", pb.RangeResponse)
        self.put = unary("KV/Put", pb.PutResponse)
        self.delete = unary("KV/DeleteRange", pb.DeleteRangeResponse)
        self.txn = unary("KV/Txn", pb.TxnResponse)
        self.compact = unary("KV/Compact", pb.CompactionResponse)
        self.watch = stream("Watch/Watch", pb.WatchResponse)
        self.grant = unary("Lease/LeaseGrant", pb.LeaseGrantResponse)
        self.revoke = unary("Lease/LeaseRevoke", pb.LeaseRevokeResponse)
        self.keep_alive = stream("Lease/LeaseKeepAlive", pb.LeaseKeepAliveResponse)
        self.status = unary("Maintenance/Status", pb.StatusResponse)
        self.alarm = unary("Maintenance/Alarm", pb.AlarmResponse)
        self.authenticate = unary("Auth/Authenticate", pb.AuthenticateResponse)


def reason(error: Failed) -> str:
    """What etcd said, in one line."""
    text: str = error.details or error.code.name
    return text.splitlines()[0]


def blames_token(error: Failed) -> bool:
    """Could a new token help? Such a call has not happened."""
    return error.code is Code.UNAUTHENTICATED or reason_blames_token(reason(error))


def reason_blames_token(text: str) -> bool:
    return any(known in text for known in _TOKEN_REASONS)


def is_unreachable(error: Failed) -> bool:
    """No answer, or one that says "not now": another endpoint may do better."""
    if error.code is Code.RESOURCE_EXHAUSTED:
        return "too many requests" in reason(error)
    return error.code in _UNREACHABLE


def bus_error(error: Failed, names: str) -> BusError:
    """The error of ours for one of gRPC. `names`: the endpoints, for the message."""
    text = reason(error)
    if is_unreachable(error):
        return BusUnavailable(f"etcd at {names} does not answer: {text}")
    if error.code is Code.OUT_OF_RANGE:
        return Compacted(text)
    if error.code is Code.NOT_FOUND and "lease" in text:
        return LeaseLost(text)
    return BusError(f"etcd at {names} refused: {text}")
