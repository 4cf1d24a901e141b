"""Gluon in front of Neutron: who answers a request at Neutron's paths, and what is passed on.

In: requests before anybody has looked who asks: Neutron asks that itself. Out: Neutron's answer as it came, or ours. An id says
whose it is, or the index of ports does (`whose`); lists are put together in `lists`. While Gluon's database cannot say, Neutron is
asked, whose ids are not ours: only where it knows of nothing the answer is 503. Called by the server, as a `Lane`.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from time import perf_counter
from typing import Any
from urllib.parse import quote

import structlog

from gluon import errors
from gluon.api import guard, lane, message, places, watch
from gluon.api.neutron import answers, routes
from gluon.api.neutron import front as face_front
from gluon.api.passing import heads, lists
from gluon.api.passing.whose import Owner, Whose
from gluon.neutron.faults import Fault
from gluon.objects import codec
from gluon.spi import passing, policy

log = structlog.get_logger(__name__)

_MISSING = 404
_ROOTS = (b"/v2.0/", b"/networking/")
_GIVEN = frozenset({b"transfer-encoding", b"content-length"})
_RESOURCES = {"ports": "port", "subnets": "subnet"}
"""What is made in a network that is named."""


class Front(lane.Lane):
    """`pass_to` makes it one."""

    def pass_to(self, pipe: passing.Pipe, whose: Whose, mixed: lists.Lists) -> None:
        """`pipe`: to Neutron."""
        self._pipe = pipe
        self._whose = whose
        self._mixed = mixed

    async def leave(self) -> None:
        """Close the connections that are kept."""
        await self._pipe.close()

    async def __call__(self, scope: lane.Scope, receive: lane.Receive, send: lane.Send) -> None:
        if scope["type"] != "http" or lane.REFUSED in scope or not _is_neutrons(scope):
            await super().__call__(scope, receive, send)
            return
        began, status = perf_counter(), 0
        request_id = message.request_id()

        async def sending(event: dict[str, Any]) -> None:
            nonlocal status
            if event["type"] == "http.response.start":
                status = event["status"]
            await send(event)

        if (whole := scope.get(lane.WHOLE)) is not None:

            def at_once(said: int, headers: passing.Headers, body: bytes) -> bool:
                nonlocal status
                if done := whole(said, headers, body):
                    status = said
                return bool(done)

            scope[lane.WHOLE] = at_once

        try:
            self._screen(scope)
            left = await self._answered(scope, receive, sending)
        except lane.Gone:
            return
        except Exception as error:  # noqa: BLE001 - the border: no client sees a stack
            left = None
            if status:
                # the server closes the connection, so that nobody takes it for whole
                log.warning("an answer of Neutron's ended too soon", reason=str(error))
            else:
                reply = _refused(error, dict(scope["headers"]), request_id)
                await lane.respond(sending, reply, request_id, head=scope["method"] == "HEAD")
        if left is not None:
            await super().__call__(scope, left, send)
            return
        self._passed(scope, request_id, status, perf_counter() - began)

    def _passed(self, scope: lane.Scope, request_id: str, status: int, seconds: float) -> None:
        if self._record is None:
            self._observer.answered(None, scope["method"], status, seconds)
            return
        path, headers = places.segments(scope["raw_path"]), dict(scope["headers"])
        self._told(
            lane.Answered(scope["method"], path, headers, None, request_id, None, status, None, seconds)
        )

    def place(self, target: bytes) -> places.Place | None:
        """Nobody looks for Neutron's paths among ours."""
        return None if target.startswith(_ROOTS) else super().place(target)

    def _screen(self, scope: lane.Scope) -> None:
        """Without authentication no web page may be the one who asks."""
        if heads.comes_back(scope):
            raise Fault(502, "BadGateway", "[passing] url leads back to Gluon.", "name Neutron's own")
        if isinstance(self._guard, guard.NoAuth):
            self._guard.admit(scope["method"], dict(scope["headers"]))

    async def turn(self, scope: lane.Scope) -> policy.Caller:
        """Who asks, once it is his turn. Raises `Rejected`, `Unavailable`."""
        caller = await self.admit(scope)
        await self._enter(caller, dict(scope["headers"]))
        return caller

    async def admit(self, scope: lane.Scope) -> policy.Caller:
        """Who asks. Raises `Rejected`, `Unavailable`."""
        admitted = self._guard.admit(scope["method"], dict(scope["headers"]))
        return admitted if isinstance(admitted, policy.Caller) else await admitted

    async def _answered(
        self, scope: lane.Scope, receive: lane.Receive, send: lane.Send
    ) -> lane.Receive | None:
        """None: it is answered; else it is ours, and its body is read from there."""
        path = heads.names(heads.target(scope))
        kind = path[1] if len(path) > 1 and path[0] == routes.VERSION else ""
        if kind not in lists.KINDS:
            await self.pass_on(scope, receive, send)
            return None
        if len(path) > 2:
            owner = await self._whose.of(kind, path[2], lambda: self.admit(scope))
            if owner is Owner.GLUON:
                _plain(scope, path)
                return receive
            port = path[2] if kind == "ports" else ""
            await self.pass_on(scope, receive, send, doubted=owner is Owner.UNKNOWN, port=port)
            return None
        if scope["method"] == "GET":
            await self._mixed.answer(self, kind, scope, receive, send)
            return None
        if scope["method"] == "POST" and kind in _RESOURCES:
            return await self._made(scope, path, receive, send)
        await self.pass_on(scope, receive, send)
        return None

    async def _made(
        self, scope: lane.Scope, path: tuple[str, ...], receive: lane.Receive, send: lane.Send
    ) -> lane.Receive | None:
        """The network says who makes it."""
        begun, whole = await _beginning(receive)
        networks = _networks(begun, path[1]) if whole else []
        owners = {await self._whose.of("networks", one, lambda: self.admit(scope)) for one in networks}
        again = _again(begun, receive, whole=whole)
        if Owner.GLUON not in owners:
            doubted = Owner.UNKNOWN in owners
            await self.pass_on(scope, again, send, body=begun if whole else None, doubted=doubted)
            return None
        if len(owners) > 1:
            raise Fault(400, "InvalidInput", "Some of these networks are Gluon's, some are Neutron's.",
                        "make the ports of each in a request of its own")  # fmt: skip
        _plain(scope, path)
        return again

    async def pass_on(
        self,
        scope: lane.Scope,
        receive: lane.Receive,
        send: lane.Send,
        *,
        body: bytes | None = None,
        doubted: bool = False,
        port: str = "",
    ) -> None:
        """Untouched, both ways. `doubted`: what Neutron does not know may be Gluon's, which cannot say; `port`: what is asked
        about."""
        asked = _asked(scope)
        await _with_body(asked, scope, receive, body)
        answer = await self._pipe.ask(asked)
        try:
            if port:
                self._whose.told(port, answer.status)
            if doubted and answer.status == _MISSING:
                raise errors.Unavailable("Neutron does not know it, and Gluon's database cannot be asked")
            await send_on(answer, send, scope)
        finally:
            answer.close()


async def send_on(answer: passing.Answer, send: lane.Send, scope: lane.Scope) -> None:
    """An answer as it comes, as long as there is somebody who takes it. Raises `Broken`."""
    first = await answer.read() if not answer.ended else b""
    status, headers = answer.status, heads.of_answer(answer.headers, answer.status)
    whole = scope.get(lane.WHOLE) if first and answer.ended else None
    if whole is not None and answer.measured and whole(status, headers, first):
        return
    await send({"type": "http.response.start", "status": status, "headers": headers})
    to = scope.get(watch.TRANSPORT)
    while not answer.ended:
        if to is not None and to.is_closing():
            return
        await send({"type": "http.response.body", "body": first, "more_body": True})
        first = await answer.read()
    await send({"type": "http.response.body", "body": first})


def _is_neutrons(scope: lane.Scope) -> bool:
    path: str = scope["path"]
    return path[1:].partition("/")[0] in face_front.ROOTS


def _asked(scope: lane.Scope) -> passing.Asked:
    return passing.Asked(
        method=scope["method"].encode("ascii"), target=heads.target(scope), headers=heads.of_request(scope)
    )


async def _with_body(
    asked: passing.Asked, scope: lane.Scope, receive: lane.Receive, body: bytes | None
) -> None:
    given = {name: value for name, value in scope["headers"] if name in _GIVEN}
    if body is not None:
        asked.body = body
    elif given:
        begun, whole = await _beginning(receive)
        length = given.get(b"content-length")
        asked.body = begun if whole else _parts(begun, receive)
        asked.length = int(length) if length is not None and not whole else None


async def _beginning(receive: lane.Receive) -> tuple[bytes, bool]:
    """As much of a body as is kept, and whether that is all. Raises `Gone`."""
    parts, size, more = [], 0, True
    while more and size <= lane.MAX_BODY:
        part, more = await _part(receive)
        parts.append(part)
        size += len(part)
    return b"".join(parts), not more


async def _parts(begun: bytes, receive: lane.Receive) -> AsyncIterator[bytes]:
    yield begun
    more = True
    while more:
        part, more = await _part(receive)
        yield part


async def _part(receive: lane.Receive) -> tuple[bytes, bool]:
    event = await receive()
    if event["type"] != "http.request":
        raise lane.Gone
    return event.get("body", b""), event.get("more_body", False)


def _again(begun: bytes, receive: lane.Receive, *, whole: bool) -> lane.Receive:
    """What was read of a body is read once more."""
    left: list[dict[str, Any]] = [{"type": "http.request", "body": begun, "more_body": not whole}]

    async def read() -> Any:
        return left.pop() if left else await receive()

    return read


def _networks(body: bytes, kind: str) -> list[str]:
    """Those that a body names; none where it is not as it should be, which Neutron says."""
    with contextlib.suppress(ValueError, RecursionError):
        read = codec.decode(body)
        if isinstance(read, dict):
            several = read.get(kind, [read.get(_RESOURCES[kind])])
            found = (
                [one.get("network_id") for one in map(_unwrapped, several) if isinstance(one, dict)]
                if isinstance(several, list)
                else []
            )
            return list(dict.fromkeys(one for one in found if isinstance(one, str)))
    return []


def _unwrapped(one: Any) -> Any:
    """One of several, which may be written as one alone is."""
    return one.get("port", one) if isinstance(one, dict) else one


def _plain(scope: lane.Scope, path: tuple[str, ...]) -> None:
    """The path as our own face reads it."""
    scope["path"] = "/" + "/".join(path)
    scope["raw_path"] = "/".join(("", *(quote(part, safe="") for part in path))).encode("ascii")


def _refused(error: Exception, headers: dict[bytes, bytes], request_id: str) -> message.Reply:
    if isinstance(error, passing.Late):
        error = Fault(
            504, "GatewayTimeout", f"Neutron: {error}.", "look whether it was done before it is sent again"
        )
    elif isinstance(error, passing.Broken):
        error = Fault(
            502, "BadGateway", f"Neutron: {error}.", "look whether it was done before it is sent again"
        )
    elif isinstance(error, passing.Unreached):
        error = errors.Unavailable(f"Neutron is not reached: {error}")
    elif not isinstance(error, Fault):
        lane.failed(error, headers, request_id)
    return answers.refused(error, headers, request_id)
