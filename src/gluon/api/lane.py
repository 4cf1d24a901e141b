"""The ASGI app: guards, the lane for generated resources, Falcon for all the rest.

The lane exists for speed: a path split and two look-ups instead of a router and middlewares.
Every answer has `x-openstack-request-id`, every error a body of `api.errors`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple, Protocol

import structlog

from gluon import errors
from gluon.api import errors as answers
from gluon.api import evened, message, places, rates, resources, terms, watch
from gluon.proton import terms as proton_terms
from gluon.spi import context, policy

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

MAX_BODY = 1024 * 1024
_SHORT = 4
"""Segments of the longest path to a collection: `proton`, the model, its version, the plural."""
_KEPT = 4096
REQUEST_ID = b"x-openstack-request-id"
REFUSED = "gluon.refused"
"""Key of a scope whose request the server would not have answered: the error that does."""
WHOLE = "gluon.whole"
"""Key of what takes a whole answer at once: status, headers with a length, body. False: `send` has to."""
NOBODY = policy.Caller(user="")
"""Who reads an open path; nobody looked whether he is somebody."""
_READS = frozenset({"GET", "HEAD"})

log = structlog.get_logger()


class Gone(Exception):
    """The client went away before it had sent all of its request: nobody asked for anything."""


class Guard(Protocol):
    """Who is asking. Raises `Rejected` for a request that must not be answered, at once or when it is awaited.

    `open`: the paths that anybody may read without being known.
    """

    open: frozenset[str]

    def admit(self, method: str, headers: dict[bytes, bytes]) -> policy.Caller | Awaitable[policy.Caller]: ...


class Observer(Protocol):
    """Told of each answered request; `served`: the resource, None where it was none."""

    def answered(self, served: object, method: str, status: int, seconds: float) -> None: ...


class Answered(NamedTuple):
    """All of an answered request, for whoever keeps a record of it. `caller` None: nobody was admitted."""

    method: str
    path: tuple[str, ...]
    headers: dict[bytes, bytes]
    caller: policy.Caller | None
    request_id: str
    served: object
    status: int
    body: bytes | None
    seconds: float


Record = Callable[[Answered], None]


class Lane:
    """`app(scope, receive, send)`; a server that knows us may ask `place` and `answer` instead."""

    def __init__(
        self,
        found: resources.Resources,
        rest: App,
        guard: Guard,
        observer: Observer,
        record: Record | None = None,
    ) -> None:
        self._resources = found
        self._rest = rest
        self._guard = guard
        self._observer = observer
        self._record = record
        self._collections: dict[bytes, places.Place] = {}
        self._known: object = None
        self.streams: watch.Streams | None = None
        self.rates: rates.Rates | None = None
        self.posts: places.Posting | None = None
        self.face: places.Face | None = None
        """What answers some paths that are no resource's."""
        self.refusals: Mapping[str, places.Refusal] = {}
        """By the first segment of a path, who tells errors in other words than ours."""

    def place(self, target: bytes) -> places.Place | None:
        """Of a request's target; None if it is not the lane's. Those of collections are kept while the models stay."""
        if self._known is not self._resources.paths:
            self._known, self._collections = self._resources.paths, {}
        place = self._collections.get(target)
        if place is None:
            raw, _, query = target.partition(b"?")
            if watch.ASKED in query:
                return None
            path = places.segments(raw)
            place = self._found(path, query)
            if place is None:
                return None
            if len(path) <= _SHORT and not query and len(self._collections) < _KEPT:
                self._collections[target] = place
        return place

    def _found(self, path: tuple[str, ...], query: bytes) -> places.Place | None:
        match = self._resources.find(path)
        if match is not None:
            makes = places.makes(*match, query)
            return places.Place(path, *match, query, makes, self._resources, self._known, self.posts)
        if self.face is not None and not query and path in self.face.paths:
            return places.Place(path, None, (), query, True, posting=self.face.posts, face=self.face)
        return None

    def end(self) -> None:
        """The server stops: who watches hears of it."""
        if self.streams is not None:
            self.streams.end()

    async def answer(
        self,
        method: str,
        place: places.Place,
        headers: dict[bytes, bytes],
        body: bytes,
        admitted: policy.Caller | Awaitable[policy.Caller] | None = None,
    ) -> tuple[message.Reply, str]:
        """The answer to a whole request, and its request id; `admitted`: what the guard said before. Never raises."""
        began, at = time.perf_counter(), evened.now()
        request_id = message.request_id()
        context.REQUEST.set(request_id)
        caller = None
        try:
            if admitted is None:
                admitted = self._guard.admit(method, headers)
            caller = admitted if isinstance(admitted, policy.Caller) else await admitted
            await self._enter(caller, headers)
            request = message.Request(
                method=method,
                path=place.path,
                query=place.query,
                headers=headers,
                caller=caller,
                id=request_id,
                body=body,
                modern=place.modern,
            )
            reply = await self._handled(request, place)
        except proton_terms.Replayed as before:
            reply = terms.replayed(before.answer)
        except Exception as error:  # noqa: BLE001 - the border: no client sees a stack
            await evened.hold(error, caller, at)
            reply = self._refused(error, headers, request_id, place.path, modern=place.modern)
        self._told(Answered(method, place.path, headers, caller, request_id, place.resource, reply.status,
                            reply.body, time.perf_counter() - began))  # fmt: skip
        return reply, request_id

    async def _handled(self, request: message.Request, place: places.Place) -> message.Reply:
        """Raises `Replayed` and the errors of `gluon.errors`."""
        if place.resource is None:
            assert place.face is not None
            return await place.face.handle(request)
        try:
            place.check()
            return await self._resources.handle(request, place.resource, place.rest)
        except errors.StaleModel:
            return await self._resources.again(request)

    def _refused(
        self,
        error: Exception,
        headers: dict[bytes, bytes],
        request_id: str,
        path: tuple[str, ...],
        *,
        modern: bool,
    ) -> message.Reply:
        """The answer to a request that raised, in the words of its path."""
        reply = failed(error, headers, request_id, modern=modern)
        told = self.refusals.get(path[0])
        return reply if told is None else told(error, headers, request_id)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._rest(scope, receive, send)
            return
        began, at = time.perf_counter(), evened.now()
        method: str = scope["method"]
        request_id = message.request_id()
        context.REQUEST.set(request_id)
        headers: dict[bytes, bytes] = dict(scope["headers"])
        modern, caller, served = False, None, None
        path = places.segments(scope.get("raw_path") or scope["path"].encode())
        paths = self._resources.paths
        try:
            match = self._resources.find(path)
            modern = match is not None and match[0].modern
            admitted = self._admitted(method, scope, headers)
            caller = admitted if isinstance(admitted, policy.Caller) else await admitted
            if caller is not NOBODY:
                await self._enter(caller, headers)
            if self.streams is not None and watch.wanted(method, path, scope["query_string"], match):
                modern = match is None or match[0].modern
                request = _request(scope, path, headers, caller, request_id, modern=modern)
                await self.streams.serve(scope, receive, send, request, match)
                self._streamed(request, time.perf_counter() - began)
                return
            if match is None:
                await self._pass_on(scope, receive, send, path, caller, request_id, began)
                return
            served = match[0]
            request = _request(scope, path, headers, caller, request_id, modern=modern)
            if method in ("POST", "PUT", "PATCH"):
                request.body = await read_body(receive, headers)
            try:
                self._resources.check(paths)
                reply = await self._resources.handle(request, *match)
            except errors.StaleModel:
                reply = await self._resources.again(request)
        except Gone:
            return
        except proton_terms.Replayed as before:
            reply = terms.replayed(before.answer)
        except Exception as error:  # noqa: BLE001 - the border: no client sees a stack
            await evened.hold(error, caller, at)
            reply = self._refused(error, headers, request_id, path, modern=modern)
        await respond(send, reply, request_id, head=method == "HEAD")
        self._told(Answered(method, path, headers, caller, request_id, served, reply.status, reply.body,
                            time.perf_counter() - began))  # fmt: skip

    async def _pass_on(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        path: tuple[str, ...],
        caller: policy.Caller,
        request_id: str,
        began: float,
    ) -> None:
        """What is not the lane's: the rest of the app answers."""
        scope["gluon.caller"] = caller
        scope["gluon.request_id"] = request_id
        status, body = await _passed_on(self._rest, scope, receive, send, request_id)
        self._told(Answered(scope["method"], path, dict(scope["headers"]), caller, request_id, None, status,
                            body, time.perf_counter() - began))  # fmt: skip

    def _streamed(self, request: message.Request, seconds: float) -> None:
        """It counts in no figure: how long a stream lasts is up to its client."""
        if self._record is not None:
            self._record(Answered(request.method, request.path, request.headers, request.caller, request.id,
                                  None, 200, None, seconds))  # fmt: skip

    def _admitted(
        self, method: str, scope: Scope, headers: dict[bytes, bytes]
    ) -> policy.Caller | Awaitable[policy.Caller]:
        """Who asks for a path that may be open."""
        if REFUSED in scope:
            raise scope[REFUSED]
        if scope["path"] in self._guard.open and method in _READS:
            return NOBODY
        return self._guard.admit(method, headers)

    async def _enter(self, caller: policy.Caller, headers: dict[bytes, bytes]) -> None:
        """Wait for the caller's turn; what follows is done in the turn of his project, under the id that a service gave."""
        if caller.project:
            context.PROJECT.set(caller.project)
        if self.rates is not None and (wait := self.rates.admit(caller)):
            await asyncio.sleep(wait)
        if REQUEST_ID in headers:
            message.note_global(headers[REQUEST_ID], caller)

    def _told(self, answered: Answered) -> None:
        self._observer.answered(answered.served, answered.method, answered.status, answered.seconds)
        if self._record is not None:
            self._record(answered)


def _request(
    scope: Scope,
    path: tuple[str, ...],
    headers: dict[bytes, bytes],
    caller: policy.Caller,
    request_id: str,
    *,
    modern: bool,
) -> message.Request:
    """One whose body is not read yet."""
    return message.Request(
        method=scope["method"],
        path=path,
        query=scope["query_string"],
        headers=headers,
        caller=caller,
        id=request_id,
        modern=modern,
    )


def failed(
    error: Exception, headers: dict[bytes, bytes], request_id: str, *, modern: bool = False
) -> message.Reply:
    """The answer to a request that raised; what nobody raised on purpose is logged."""
    if not isinstance(error, (errors.Rejected, errors.Unavailable, errors.BusError)):
        log.error("request failed", request_id=request_id, exc_info=error)
    return answers.reply(error, headers, request_id, modern=modern)


async def read_body(receive: Receive, headers: dict[bytes, bytes]) -> bytes:
    """The whole body. Raises `TooLarge` or `Gone`."""
    length = headers.get(b"content-length", b"0")
    if length.isdigit() and int(length) > MAX_BODY:
        raise errors.TooLarge(f"the body has {int(length)} bytes, at most {MAX_BODY} are read")
    body, more = await _chunk(receive)
    if not more:
        return body
    chunks, size = [body], len(body)
    while more:
        body, more = await _chunk(receive)
        chunks.append(body)
        size += len(body)
        if size > MAX_BODY:
            raise errors.TooLarge(f"the body is larger than {MAX_BODY} bytes")
    return b"".join(chunks)


async def _chunk(receive: Receive) -> tuple[bytes, bool]:
    """A part of the body, and whether there is more of it."""
    event = await receive()
    if event["type"] != "http.request":
        raise Gone
    return event.get("body", b""), event.get("more_body", False)


async def respond(send: Send, reply: message.Reply, request_id: str, *, head: bool = False) -> None:
    """Send a reply as ASGI events."""
    body = reply.body
    sent = [(REQUEST_ID, request_id.encode()), *reply.headers]
    if body is not None:
        sent.append((b"content-type", reply.content_type))
        sent.append((b"content-length", b"%d" % len(body)))
    await send({"type": "http.response.start", "status": reply.status, "headers": sent})
    await send({"type": "http.response.body", "body": b"" if head or body is None else body})


async def _passed_on(
    app: App, scope: Scope, receive: Receive, send: Send, request_id: str
) -> tuple[int, bytes | None]:
    """The answer of another app with the request's id; its status, 499 where it sent none, and its body if it came whole."""
    status, body, parts = 499, None, False

    async def wrapped(event: dict[str, Any]) -> None:
        nonlocal status, body, parts
        if event["type"] == "http.response.start":
            status = event["status"]
            event = {**event, "headers": [*event.get("headers", ()), (REQUEST_ID, request_id.encode())]}
        elif event.get("more_body", False):
            parts = True
        elif not parts:
            body = event.get("body")
        await send(event)

    await app(scope, receive, wrapped)
    return status, body
