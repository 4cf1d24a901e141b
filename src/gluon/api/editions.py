"""The handlers of object types in other versions than the stored one.

In: a request and an edition. Out: what `resources` answers for the stored object, turned. A version that
cannot be turned back is read only.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

from gluon import errors
from gluon.api import errors as answers
from gluon.api import message
from gluon.model import types
from gluon.objects import codec
from gluon.particles import tables
from gluon.proton import access, editions, service, units

COLLECTION = "GET, HEAD, POST"
OBJECT = "GET, HEAD, PUT, DELETE"
READ = "GET, HEAD"
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE"})
"""Any other is refused as such."""

Put = Callable[
    [units.Context, str, Mapping[str, Any], frozenset[int] | None, str | None], Awaitable[units.Result]
]
Standing = Callable[[message.Request, units.Context, str, str | None], Awaitable[message.Reply]]


class Editions:
    """`put` changes an object and waits for its bind; `standing` answers how it stands."""

    def __init__(self, actions: service.Service, put: Put, standing: Standing) -> None:
        self._actions = actions
        self._put = put
        self._standing = standing

    async def handle(
        self,
        request: message.Request,
        edition: editions.Edition,
        rest: tuple[str, ...],
        expected: frozenset[int] | None,
    ) -> message.Reply:
        """Raises the errors of `gluon.errors`, in the words of the edition."""
        reply = await self._answer(request, edition, rest, expected)
        reply.headers += editions.headers(edition.version)
        return reply

    async def _answer(
        self,
        request: message.Request,
        edition: editions.Edition,
        rest: tuple[str, ...],
        expected: frozenset[int] | None,
    ) -> message.Reply:
        if request.method in _METHODS:
            _no_arguments(request, edition)
        parent = None
        above: list[tuple[units.Context, str]] = []
        while len(rest) >= 2 and rest[1] in edition.children:
            above.append((self._context(request, edition), rest[0]))
            edition, parent, rest = edition.children[rest[1]], rest[0], rest[2:]
        if above and edition.modern:
            await self._actions.follow(above)
        try:
            return await self._below(request, edition, rest, parent, expected)
        except errors.Invalid as error:
            raise edition.blamed(error) from None

    async def _below(
        self,
        request: message.Request,
        edition: editions.Edition,
        rest: tuple[str, ...],
        parent: str | None,
        expected: frozenset[int] | None,
    ) -> message.Reply:
        if not rest:
            return await self._collection(request, edition, parent)
        if len(rest) == 1:
            return await self._object(request, edition, rest[0], parent, expected)
        if rest[1:] == ("status",):
            if request.method not in ("GET", "HEAD"):
                return _other_method(request, READ)
            return await self._standing(request, self._context(request, edition), rest[0], parent)
        return answers.plain(404, "no such path", request)

    def _context(self, request: message.Request, edition: editions.Edition) -> units.Context:
        return self._actions.context(
            edition.resource, request.caller, request.id, parent_key=edition.parent_key
        )

    async def _collection(
        self, request: message.Request, edition: editions.Edition, parent: str | None
    ) -> message.Reply:
        context = self._context(request, edition)
        if request.method in ("GET", "HEAD"):
            bodies = await self._actions.list(context, parent)
            return message.Reply(
                200, codec.encode({edition.type.plural: [edition.turn.down(body) for body in bodies]})
            )
        if request.method != "POST":
            return _other_method(request, COLLECTION if not edition.why else READ)
        if edition.why:
            return _read_only(request, edition)
        body = access.owned(edition.type.role(types.Role.PROJECT), answers.json_body(request), request.caller)
        attribute = edition.type.parent_key
        if parent is not None and attribute and body.get(attribute) in (None, ""):
            body = {**body, attribute: parent}
        made = await self._actions.create(context, edition.up(body, partial=False), parent)
        return _object(201, edition, context, made)

    async def _object(
        self,
        request: message.Request,
        edition: editions.Edition,
        key: str,
        parent: str | None,
        expected: frozenset[int] | None,
    ) -> message.Reply:
        context = self._context(request, edition)
        if request.method in ("GET", "HEAD"):
            return _object(200, edition, context, await self._actions.get(context, key, parent))
        if request.method not in ("PUT", "DELETE"):
            return _other_method(request, OBJECT if not edition.why else READ)
        if edition.why:
            return _read_only(request, edition)
        if request.method == "DELETE":
            await self._actions.delete(context, key, expected, parent)
            return message.Reply(204)
        body = answers.json_body(request)
        stored = None
        if edition.needs_stored(body):
            found = await self._actions.get(context, key, parent)
            stored = edition.resource.records.whole(found.row)  # a part of a secret may be given
            expected = expected or frozenset({int(found.row[tables.REVISION] or 0)})
        changed = edition.up(body, partial=True, stored=stored)
        return _object(200, edition, context, await self._put(context, key, changed, expected, parent))


def _no_arguments(request: message.Request, edition: editions.Edition) -> None:
    """Raises `Invalid`: what is filtered and sorted by is stored, and in the words of the stored version."""
    try:
        answers.no_arguments(request)
    except errors.Invalid as error:
        (problem,) = error.problems
        model = edition.resource.model
        hint = f"version {edition.version.model.version} takes none here; ask {model.version} of {model.name}, which is stored"
        raise errors.Invalid([replace(problem, hint=hint)]) from None


def _object(
    status: int, edition: editions.Edition, context: units.Context, result: units.Result
) -> message.Reply:
    tag = (b"etag", b'"%d"' % int(result.row[tables.REVISION] or 0))
    body = edition.down(result.row, access.hidden(context, result.row))
    return message.Reply(status, codec.encode(body), headers=[tag])


def _read_only(request: message.Request, edition: editions.Edition) -> message.Reply:
    text = f"version {edition.version.model.version} of {edition.type.name} is read only: {edition.why}"
    return answers.plain(405, text, request, allow=READ)


def _other_method(request: message.Request, allow: str) -> message.Reply:
    if request.method == "OPTIONS":
        return message.Reply(200, b"", headers=[(b"allow", allow.encode())])
    return answers.plain(405, f"{request.method} is not possible here", request, allow=allow)
