"""`/gluon/v1/changesets`: many changes in one commit; plans, history and undo.

In: requests as Falcon has them. Out: what `proton.changesets` answers. A bind that a change began is waited for, as after
a `PUT`. Called by `routes`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import falcon
import falcon.asgi

from gluon import errors
from gluon.api import arguments, message, places, rates, terms
from gluon.api import errors as answers
from gluon.arbiter import binder
from gluon.objects import codec
from gluon.proton import service
from gluon.proton import terms as wishes
from gluon.proton.changesets import engine
from gluon.spi import policy, store

MAX_BODY = 4 * 1024 * 1024
PAGE = 100
MOST = 1000
_PATIENCE = (0.0, 0.2, 0.5)
_COLLECTION, _OBJECT, _ACTION = "GET, HEAD, POST", "GET, HEAD", "POST"

Do = Callable[[engine.Who], Awaitable[engine.Outcome]]


class ChangeSets:
    """The handlers. `refresh` loads models that others have replaced."""

    def __init__(
        self,
        sets: engine.ChangeSets,
        actions: service.Service,
        binds: binder.Binder,
        refresh: Callable[[], Awaitable[None]],
    ) -> None:
        self._sets, self._actions, self._binder, self._refresh = sets, actions, binds, refresh
        self.rates: rates.Rates | None = None

    async def collection(self, request: message.Request) -> message.Reply:
        if request.method == "POST":
            plan = arguments.truth(arguments.known(request, {"plan"}), "plan")
            body = answers.json_body(request)
            if self.rates is not None and isinstance(several := body.get("changes"), list):
                self.rates.charge(request.caller, len(several))
            status = 200 if plan else 201
            return await self._do(request, status, lambda who: self._sets.change(who, body, plan=plan))
        if request.method not in ("GET", "HEAD"):
            return _other(request, _COLLECTION)
        given = arguments.known(request, {"who", "project", "since", "api", "limit", "marker"})
        listed = await self._sets.page(
            request.caller, _filters(given), _limit(given.get("limit")), given.get("marker")
        )
        return message.Reply(200, codec.encode(listed))

    async def one(self, request: message.Request, id: str) -> message.Reply:
        if request.method not in ("GET", "HEAD"):
            return _other(request, _OBJECT)
        arguments.known(request, set())
        return message.Reply(200, codec.encode(await self._sets.show(request.caller, id)))

    async def apply(self, request: message.Request, id: str) -> message.Reply:
        if request.method != "POST":
            return _other(request, _ACTION)
        arguments.known(request, set())
        _no_body(request)
        return await self._do(request, 200, lambda who: self._sets.apply(who, id))

    async def undo(self, request: message.Request, id: str) -> message.Reply:
        if request.method != "POST":
            return _other(request, _ACTION)
        plan = arguments.truth(arguments.known(request, {"plan"}), "plan")
        _no_body(request)
        status = 200 if plan else 201
        return await self._do(request, status, lambda who: self._sets.undo(who, id, plan=plan))

    async def _do(self, request: message.Request, status: int, do: Do) -> message.Reply:
        """The answer of a change; models that were replaced meanwhile are loaded first."""

        def told(kept: Any) -> message.Reply:
            return _reply(status, self._sets.outcome(request.caller, kept))

        word = request.headers.get(terms.HEADER)
        once = None if word is None else terms.once(request, word, told)
        who = engine.Who(request.caller, request.id, once)
        try:
            outcome = await self._done(lambda: do(who))
        except wishes.Replayed as before:
            return terms.replayed(before.answer)
        await self._settle(outcome)
        return _reply(status, outcome)

    async def _done(self, do: Callable[[], Awaitable[engine.Outcome]]) -> engine.Outcome:
        for pause in _PATIENCE:
            try:
                return await do()
            except errors.StaleModel:
                await asyncio.sleep(pause)
                await self._refresh()
        return await do()

    async def _settle(self, outcome: engine.Outcome) -> None:
        """Wait for binds that were begun: their ports are shown as they are then, or as they were at the commit where nobody can
        say. Nothing that happens here is a refusal: all of the set was done."""
        if not outcome.waits:
            return
        shown = {one["change"]: one for one in outcome.answer["changes"]}

        async def settle(number: int, wait: Any) -> None:
            _, context, key, bind = wait
            with suppress(errors.Rejected, errors.Unavailable):
                await self._binder.settle(context.resource, bind)
                found = await self._actions.get(context, key)
                if number in shown:
                    shown[number]["body"] = codec.decode(found.document)

        await asyncio.gather(*(settle(wait[0], wait) for wait in outcome.waits))


def _reply(status: int, outcome: engine.Outcome) -> message.Reply:
    headers = [(b"etag", b'"%d"' % outcome.revision)] if outcome.revision else []
    return message.Reply(status, codec.encode(outcome.answer), headers=headers)


# -- requests ---------------------------------------------------------------------------------


def _limit(value: str | None) -> int:
    if value is None:
        return PAGE
    if not value.isascii() or not value.isdigit() or len(value) > 4 or not 1 <= int(value) <= MOST:
        raise arguments.wrong(f"limit is a number from 1 to {MOST}, not '{value[:40]}'", "leave it out")
    return int(value)


def _filters(given: Mapping[str, str]) -> list[store.Filter]:
    found = []
    if "who" in given:
        found.append(store.Filter(column="who", match=store.Match.EQUAL, values=(given["who"],)))
    if "project" in given:
        project = policy.normal_project(given["project"])
        found.append(store.Filter(column="project", match=store.Match.EQUAL, values=(project,)))
    if "since" in given:
        value = (_instant(given["since"]),)
        found.append(store.Filter(column="at", match=store.Match.AT_LEAST, values=value))
    if "api" in given:
        found.append(store.Filter(column="apis", match=store.Match.CONTAINS, values=(f" {given['api']} ",)))
    return found


def _instant(text: str) -> str:
    try:
        at = datetime.fromisoformat(text.replace(" ", "+"))
        at = at.astimezone(UTC) if at.tzinfo is not None else at
        return at.replace(tzinfo=None).isoformat(timespec="microseconds")
    except (ValueError, OverflowError):
        raise arguments.wrong(
            f"since is no date and time: '{text[:40]}'", "write 2026-01-31T12:00:00Z"
        ) from None


def _no_body(request: message.Request) -> None:
    """An empty object at most."""
    if request.body.strip() and answers.json_body(request):
        raise errors.Invalid(
            [
                errors.FieldProblem(
                    pointer="", code="body", message="nothing is taken here", hint="send {} or nothing"
                )
            ]
        )


def _other(request: message.Request, allow: str) -> message.Reply:
    if request.method == "OPTIONS":
        return message.Reply(200, b"", headers=[(b"allow", allow.encode())])
    return answers.plain(405, f"{request.method} is not possible here", request, allow=allow)


# -- Falcon -----------------------------------------------------------------------------------

Handle = Callable[..., Awaitable[message.Reply]]


class Route:
    """A path of Falcon's, all of whose methods are `handle`'s."""

    def __init__(self, handle: Handle) -> None:
        self._handle = handle

    async def on_request(self, req: falcon.asgi.Request, resp: falcon.asgi.Response, **names: str) -> None:
        body = await req.stream.read(MAX_BODY + 1)
        if len(body) > MAX_BODY:
            raise errors.TooLarge(f"a change set has at most {MAX_BODY} bytes", hint="split it")
        reply = await self._handle(
            message.Request(
                method=req.method,
                path=places.segments(req.scope.get("raw_path") or req.path.encode()),
                query=req.query_string.encode("latin-1", "replace"),
                headers=dict(req.scope["headers"]),
                caller=req.scope["gluon.caller"],
                id=req.scope["gluon.request_id"],
                body=body,
                modern=True,
            ),
            **names,
        )
        resp.status = reply.status
        resp.content_type = reply.content_type.decode()
        resp.data = reply.body or b""
        for name, value in reply.headers:
            resp.set_header(name.decode(), value.decode())

    on_get = on_head = on_post = on_options = on_request


def add(app: falcon.asgi.App[Any, Any], sets: ChangeSets) -> falcon.asgi.App[Any, Any]:
    """The app with the routes of change sets."""
    base = "/gluon/v1/changesets"
    app.add_route(base, Route(sets.collection))
    app.add_route(f"{base}/{{id}}", Route(sets.one))
    app.add_route(f"{base}/{{id}}/apply", Route(sets.apply))
    app.add_route(f"{base}/{{id}}/undo", Route(sets.undo))
    return app
