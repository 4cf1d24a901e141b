"""Watch requests: `?watch=true` on a collection, and `/gluon/v1/watch` over all; each is one long answer.

In: a request that is admitted. Out: events as lines of JSON or as server-sent events, until the client leaves or the
feed ends it. All that can be wrong is said before the answer begins. Called by the lane.
"""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import aclosing, contextmanager, suppress
from typing import Any, Protocol

from gluon import errors
from gluon.api import errors as answers
from gluon.api import message, resources, watch_query, watching
from gluon.particles import queries as facts
from gluon.proton import access, editions, query, registry, service, units, visible
from gluon.spi import policy, store
from gluon.watch import kinds, matching, tokens
from gluon.watch.feed import Feed
from gluon.watch.interest import Interest, View
from gluon.watch.told import ANY, LINES, SSE, Shape
from gluon.watch.watcher import CHUNK, End, Watcher

PATH = ("gluon", "v1", "watch")
NDJSON = b"application/x-ndjson"
EVENTS = b"text/event-stream"
REQUEST_ID = b"x-openstack-request-id"
ASKED = b"watch=true"
TRANSPORT = "gluon.transport"
"""In a request's scope: its connection."""
PROJECT = 1000
"""Streams of one project in a process, a fifth of all: nobody keeps others from watching."""
_SENT = 128 * 1024
"""Bytes that the system may hold for a stream; it would take 4 MB for each client that does not read."""

Receive = Callable[[], Awaitable[Any]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Match = tuple[resources.Served, tuple[str, ...]]


class Staying(Protocol):
    """Whether somebody who was admitted is still who he was."""

    async def end(self, headers: dict[bytes, bytes], caller: policy.Caller) -> errors.GluonError:
        """Why not any more, once it is so; `Unauthorized`: his token is over."""


def wanted(method: str, path: tuple[str, ...], query: bytes, match: Match | None) -> bool:
    """Whether it is a request for a stream."""
    if method != "GET":
        return False
    return path == PATH if match is None else ASKED in query and ASKED in query.split(b"&")


class Streams:
    """All watch requests of a process. `staying`: None where nobody has to say who he is."""

    def __init__(
        self,
        feed: Feed,
        served: watching.Served,
        known: Callable[[], registry.Registry],
        actions: service.Service,
        rules: policy.Policy,
        staying: Staying | None = None,
    ) -> None:
        self._feed = feed
        self._served = served
        self._known = known
        self._actions = actions
        self._rules = rules
        self._staying = staying
        self._of_project: Counter[str] = Counter()
        self._shapes: dict[tuple[editions.Edition, bool], Shape] = {}

    def end(self) -> None:
        """The server stops."""
        self._feed.end()

    async def serve(
        self,
        scope: dict[str, Any],
        receive: Receive,
        send: Send,
        request: message.Request,
        match: Match | None,
    ) -> None:
        """Raises the errors of `gluon.errors` before anything is sent."""
        sse = _wants_events(request)
        asked = watch_query.of(request)
        interest = (
            self._all(request, asked, sse) if match is None else await self._one(request, asked, match, sse)
        )
        with self._counted(request.caller):
            await self._stream(scope, receive, send, request, match, interest, asked.since)

    @contextmanager
    def _counted(self, caller: policy.Caller) -> Iterator[None]:
        """Raises `Unavailable` where a project has too many streams; admins and services act for all."""
        project = "" if caller.admin or "service" in caller.lowered else caller.project or ""
        if project and self._of_project[project] >= PROJECT:
            raise errors.Unavailable(f"the project has {PROJECT} streams open already", retry_after=10)
        self._of_project[project] += 1
        try:
            yield
        finally:
            self._of_project[project] -= 1
            if not self._of_project[project]:
                del self._of_project[project]

    async def _stream(
        self,
        scope: dict[str, Any],
        receive: Receive,
        send: Send,
        request: message.Request,
        match: Match | None,
        interest: Interest,
        since: tokens.Token | None,
    ) -> None:
        sse = interest.shape.sse
        watcher = await self._feed.open(interest, since)
        ending: list[asyncio.Task[None]] = []
        try:
            watcher.abort = _narrow(scope.get(TRANSPORT))
            ending.append(asyncio.create_task(_until_gone(receive, watcher)))
            if self._staying is not None:
                ending.append(asyncio.create_task(_until_over(self._staying, request, watcher)))
            await send(
                {"type": "http.response.start", "status": 200, "headers": _headers(request, match, sse)}
            )
            async with aclosing(self._feed.chunks(watcher)) as chunks:
                async for chunk in chunks:
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        finally:
            for task in ending:
                task.cancel()
            self._feed.close(watcher)

    # -- what is asked for ---------------------------------------------------------------------

    def _all(self, request: message.Request, asked: watch_query.Asked, sse: bool) -> Interest:
        wide = watch_query.wide(asked.rest, self._known())

        def view(kind: kinds.Kind) -> View | None:
            if (wide.apis and kind.api not in wide.apis) or (wide.types and kind.name not in wide.types):
                return None
            return self._view(kind, request.caller, only=wide.projects)

        everyone = frozenset(wide.projects or {ANY}) if request.caller.admin else None
        return Interest(SSE if sse else LINES, view, ops=wide.ops, projects=everyone, ruled=everyone is None)

    async def _one(
        self, request: message.Request, asked: watch_query.Asked, match: Match, sse: bool
    ) -> Interest:
        """Of one collection, also below an object."""
        target, inside = await self._find(request, *match)
        shape = SSE if sse else LINES
        found: tuple[store.Filter, ...] = ()
        if isinstance(target, editions.Edition):
            shape = self._shape(target, sse)
            resource = target.resource
        else:
            resource = target
        if isinstance(target, registry.Resource) and target.modern:
            found = watch_query.filters(target, asked.rest)
        else:
            watch_query.nothing_more(asked.rest)
        kind = self._served.of(resource)
        context = self._actions.context(resource, request.caller, request.id)
        names = {resource.records.column(name): name for name in resource.type.attributes}
        matches = matching.compiled(found, {**names, **{c: n for n, c in facts.TIMES.items()}})
        view = self._view(kind, request.caller, matches=_both(inside, matches))
        if view is None:
            raise access.refuse_listing(context)
        visible.check_query(context, query.Query(filters=found))
        return Interest(shape, lambda _: view, only=kind, ruled=not request.caller.admin)

    def _view(
        self,
        kind: kinds.Kind,
        caller: policy.Caller,
        *,
        matches: matching.Matches | None = None,
        only: frozenset[str | None] | None = None,
    ) -> View | None:
        return watching.view(lambda: self._rules.of(kind.api, kind.name), caller, matches, only)

    async def _find(
        self, request: message.Request, target: resources.Served, rest: tuple[str, ...]
    ) -> tuple[resources.Served, matching.Matches | None]:
        """The type that a path leads to, and what its objects below another have in common. Raises `NotFound`,
        `Invalid`, `Forbidden`."""
        above: list[tuple[units.Context, str]] = []
        inside, listed = None, None
        while rest:
            if len(rest) == 1:
                raise errors.Invalid([_no_collection()])
            key, word, rest = rest[0], rest[1], rest[2:]
            here = target if isinstance(target, registry.Resource) else target.resource
            by = target.parent_key if isinstance(target, editions.Edition) else None
            above.append((self._actions.context(here, request.caller, request.id, parent_key=by), key))
            target, inside = _below(target, word, key)
            listed = here.listings.get(word)
        if above and target.modern:
            await self._actions.follow(above)
        if listed is not None and isinstance(target, registry.Resource):
            owner = self._actions.context(target, request.caller, request.id)
            if not access.readable(owner, listed.attribute):  # who is told of them would know what it holds
                raise access.refuse_listing(owner)
        return target, inside

    def _shape(self, edition: editions.Edition, sse: bool) -> Shape:
        found = self._shapes.get((edition, sse))
        if found is None:
            words = {
                "version": edition.version.model.version,
                "kind": edition.type.name,
                "plural": edition.type.plural,
            }
            found = self._shapes[edition, sse] = Shape(sse=sse, turn=edition.turn.down, words=words)
        return found


def _below(target: resources.Served, word: str, key: str) -> tuple[resources.Served, matching.Matches]:
    """The collection of this name below an object, and what is in it. Raises `NotFound`."""
    child = target.children.get(word)
    if child is not None:
        if isinstance(child, editions.Edition):
            return child, _in(child.resource, child.parent_key, key)
        return child, _in(child, child.type.parent_key, key)
    listing = target.listings.get(word) if isinstance(target, registry.Resource) else None
    if listing is None or not isinstance(target, registry.Resource):
        raise errors.NotFound(f"there is no collection '{word[:100]}' below {target.type.name}")
    owner = target.family[listing.owner]
    return owner, _in(owner, listing.attribute, key)


def _in(resource: registry.Resource, attribute: str | None, key: str) -> matching.Matches:
    """Objects that name this one."""
    assert attribute is not None
    value = resource.fields.from_text(attribute, key)

    def matches(body: kinds.Body) -> bool:
        given = body.get(attribute)
        try:
            return given is not None and resource.fields.normal(attribute, given) == value
        except errors.Invalid:
            return False

    return matches


def _both(one: matching.Matches | None, other: matching.Matches | None) -> matching.Matches | None:
    if one is None or other is None:
        return one or other
    return lambda body: one(body) and other(body)


def _no_collection() -> errors.FieldProblem:
    return errors.FieldProblem(
        pointer="",
        code="argument",
        message="one object cannot be watched",
        hint="watch its collection with a filter on the key",
    )


def _wants_events(request: message.Request) -> bool:
    """Whether as server-sent events. Raises `NotAcceptable` where neither form will do."""
    accept = request.headers.get(b"accept", b"").lower()
    if EVENTS in accept:
        return True
    if not accept or b"json" in accept or b"*/*" in accept or b"application/*" in accept:
        return False
    raise answers.NotAcceptable("only application/x-ndjson and text/event-stream are served here")


def _headers(request: message.Request, match: Match | None, sse: bool) -> list[tuple[bytes, bytes]]:
    """Nobody in between may keep a part back."""
    found = [
        (REQUEST_ID, request.id.encode()),
        (b"content-type", EVENTS if sse else NDJSON),
        (b"cache-control", b"no-store"),
        (b"x-accel-buffering", b"no"),
    ]
    if match is not None and isinstance(match[0], editions.Edition):
        found += editions.headers(match[0].version)
    return found


def _narrow(transport: asyncio.Transport | None) -> Callable[[], None] | None:
    """Let little wait in a connection, here and in the system; what ends it at once."""
    if transport is None or transport.is_closing():  # who asked has left already
        return None
    transport.set_write_buffer_limits(high=CHUNK)
    with suppress(OSError):
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SENT)
    return transport.abort


async def _until_gone(receive: Receive, watcher: Watcher) -> None:
    """Nobody is told anything any more once the client has left."""
    while (await receive())["type"] != "http.disconnect":
        continue
    watcher.cut(End.RENEW, "the client has left")


async def _until_over(staying: Staying, request: message.Request, watcher: Watcher) -> None:
    """Nor once who asked is not who he was: from then on he is told what he may see then, by another stream."""
    why = await staying.end(request.headers, request.caller)
    if isinstance(why, errors.Unauthorized):
        watcher.cut(End.TOKEN, f"{why}; open the stream again with another")
    else:
        watcher.cut(End.RENEW, f"{why}: open the stream again, and be admitted again")
