"""`/gluon/v1/quotas/<project>`: GET for operators and the project's own members; PUT and DELETE for operators.

In: requests as Falcon has them. Out: limits and use. Called by `node`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import falcon.asgi

from gluon import errors
from gluon.api import access, changesets, message
from gluon.api import errors as answers
from gluon.objects import codec
from gluon.proton import quotas as limits
from gluon.spi import policy

_METHODS = "GET, HEAD, PUT, DELETE"
_SEGMENTS = 4
_PAUSES = (0.0, 0.2, 0.5)


class Quotas:
    """The handlers. `refresh` loads models that others have replaced."""

    def __init__(
        self, quotas: limits.Quotas, allowed: access.Allowed, refresh: Callable[[], Awaitable[None]]
    ) -> None:
        self._quotas = quotas
        self._allowed = allowed
        self._refresh = refresh

    async def one(self, request: message.Request, **_: str) -> message.Reply:
        answers.no_arguments(request)
        if len(request.path) != _SEGMENTS:
            return answers.plain(404, "no such path", request)
        project = policy.normal_project(request.path[-1])  # Falcon cuts a slash off its end
        operator = self._allowed(access.RULE, request.caller)
        if request.method in ("GET", "HEAD"):
            if not operator and request.caller.project != project:
                raise errors.Forbidden(
                    "the quotas of other projects are for operators", hint="ask for your own"
                )
            return message.Reply(200, codec.encode(await self._quotas.show(project)))
        if request.method not in ("PUT", "DELETE"):
            if request.method == "OPTIONS":
                return message.Reply(200, b"", headers=[(b"allow", _METHODS.encode())])
            return answers.plain(405, f"{request.method} is not possible here", request, allow=_METHODS)
        if not operator:
            raise errors.Forbidden("quotas are set by operators", hint="ask the operator for more")
        return await self._write(request, project)

    async def _write(self, request: message.Request, project: str) -> message.Reply:
        who = request.caller.user
        if request.method == "DELETE":
            await self._again(lambda: self._quotas.forget(project, who, request.id))
            return message.Reply(204)
        body = answers.json_body(request)
        if set(body) != {"quotas"}:
            text, hint = 'the body is not {"quotas": {proton: {type: number}}}', "-1 is no limit"
            raise errors.Invalid([errors.FieldProblem(pointer="", code="body", message=text, hint=hint)])
        await self._again(lambda: self._quotas.change(project, body["quotas"], who, request.id))
        return message.Reply(200, codec.encode(await self._quotas.show(project)))

    async def _again(self, change: Callable[[], Awaitable[None]]) -> None:
        """Models that were replaced meanwhile are loaded first."""
        for pause in _PAUSES:
            try:
                await change()
                return
            except errors.StaleModel:
                await asyncio.sleep(pause)
                await self._refresh()
        await change()


def add(app: falcon.asgi.App[Any, Any], quotas: Quotas) -> None:
    app.add_route("/gluon/v1/quotas/{project:path}", _Route(quotas.one))


class _Route(changesets.Route):
    on_put = on_delete = changesets.Route.on_request
