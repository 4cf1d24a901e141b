"""The handlers of the generated resources: one proton's collections, objects, children, standings.

A path finds its resource by two dictionary look-ups; what it does not know falls through (None).
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from gluon import errors
from gluon.api import editions, message, rates
from gluon.api import errors as answers
from gluon.api import query as queries
from gluon.api import terms as wishes
from gluon.arbiter import binder, standing
from gluon.objects import codec
from gluon.particles import tables
from gluon.proton import access, referring, registry, service, units
from gluon.proton import editions as other
from gluon.proton.work import MOST
from gluon.spi import store

COLLECTION = "GET, HEAD, POST"
OBJECT = "GET, HEAD, PUT, DELETE"
MODERN_COLLECTION = "GET, HEAD, POST, DELETE"
MODERN_OBJECT = "GET, HEAD, PUT, PATCH, DELETE"
READ = "GET, HEAD"
ACTION = "POST"
STATUS = "status"
RESUME = b"x-gluon-resume"
MAX_OBJECT = 256 * 1024
MERGE_PATCH = b"application/merge-patch+json"

_ETAGS = re.compile(r'(?:W/)?"\d{1,18}"(?:\s*,\s*(?:W/)?"\d{1,18}")*').fullmatch
_REVISION = re.compile(r"\d+").findall


Served = registry.Resource | other.Edition
"""What a path names: an object type as it is stored, or in another version."""


class Resources:
    """Answers requests for the objects of the loaded models."""

    def __init__(
        self,
        known: Callable[[], registry.Registry],
        actions: service.Service,
        binds: binder.Binder,
        standings: standing.Standing,
    ) -> None:
        self._known = known
        self._actions = actions
        self._binder = binds
        self._standing = standings
        self._editions = editions.Editions(actions, self._put, self._stands)
        self.token: Callable[[], Awaitable[str]] | None = None
        """Where a watch goes on that follows a list, asked for before the list is read."""
        self.rates: rates.Rates | None = None

    @property
    def paths(self) -> object:
        """Another object after models were replaced."""
        return self._known().by_path

    def check(self, paths: object) -> None:
        """Raises `StaleModel` where models were replaced since `paths` were those of this: what was found by them must not
        make units, which the store would take for units of the new models."""
        if self.paths is not paths:
            raise errors.StaleModel("the models were replaced meanwhile")

    def find(self, path: tuple[str, ...]) -> tuple[Served, tuple[str, ...]] | None:
        """The resource of `/[proton/]<api>/v<version>/<plural>/…` and the segments after the plural."""
        if path and path[0] == "proton":
            path = path[1:]
        if len(path) < 3:
            return None
        known = self._known()
        plurals = known.by_path.get((path[0], path[1])) or known.editions.get((path[0], path[1]))
        resource = plurals.get(path[2]) if plurals else None
        return (resource, path[3:]) if resource else None

    async def handle(
        self, request: message.Request, resource: Served, rest: tuple[str, ...]
    ) -> message.Reply:
        """Raises the errors of `gluon.errors`, and `Replayed`."""
        if not json_will_do(request.headers.get(b"accept")):
            return answers.plain(406, "only application/json is served here", request)
        if not isinstance(resource, registry.Resource):
            if request.method in ("POST", "PUT"):
                _check_size(request)
            headers = await self._resume() if request.method in ("GET", "HEAD") and len(rest) % 2 == 0 else []
            return _with(await self._editions.handle(request, resource, rest, _expected(request)), headers)
        above: list[tuple[units.Context, str]] = []
        here, parent = resource, None
        for n in range(0, len(rest), 2):
            key = rest[n]
            if n + 1 == len(rest):
                await self._follow(here, above)
                return await self._object(request, here, key, parent)
            word, last = rest[n + 1], n + 2 == len(rest)
            if word == STATUS and last:
                await self._follow(here, above)
                return await self._status(request, here, key, parent)
            listing = here.listings.get(word)
            if listing is not None and last:
                await self._follow(here, above)
                return await self._listing(request, here, key, parent, listing)
            if word in here.actions and last:
                await self._follow(here, above)
                return await self._act(request, here, key, parent, word)
            child = here.children.get(word)
            if child is None or (parent is not None and not here.modern):
                return answers.plain(404, "no such path", request)
            above.append((self._context(request, here), key))
            here, parent = child, key
        if above:
            await self._follow(here, above)
        return await self._collection(request, here, parent)

    async def again(self, request: message.Request) -> message.Reply:
        """A request whose models were replaced while it ran, answered by the new ones if there is a way to them."""
        raise errors.StaleModel("the models of this process are older than those of the database")

    async def _follow(self, resource: registry.Resource, above: list[tuple[units.Context, str]]) -> None:
        """The objects of the path are there, one under the other; 1.0 never looked."""
        if above and resource.modern:
            paths = self.paths
            await self._actions.follow(above)
            self.check(paths)

    async def _resume(self) -> list[tuple[bytes, bytes]]:
        """The header of a list that is read after this."""
        return [] if self.token is None else [(RESUME, (await self.token()).encode())]

    def _context(self, request: message.Request, resource: registry.Resource) -> units.Context:
        return self._actions.context(resource, request.caller, request.id)

    def _writing(
        self, request: message.Request, resource: registry.Resource, answer: wishes.Answers
    ) -> units.Context:
        """The context of a change, on the client's terms; `answer`: what its result is told as."""
        wish = None
        if request.query or wishes.HEADER in request.headers:
            wish = wishes.of(request, answer)
        return self._actions.context(resource, request.caller, request.id, wish)

    async def _collection(
        self, request: message.Request, resource: registry.Resource, parent: str | None
    ) -> message.Reply:
        if request.method == "POST":
            body = answers.json_body(request)
            bodies = several(resource, body)
            if bodies is not None:
                return await self._create_many(request, resource, bodies, parent)
            _check_size(request)
            context = self._writing(request, resource, _made)
            return _made(await self._actions.create(context, body, parent))
        if request.method in ("GET", "HEAD"):
            if resource.modern:
                asked = queries.of(request, resource)
                headers = await self._resume()
                page = await self._actions.page(self._context(request, resource), asked, parent)
                return _with(queries.answer(request, asked, page), headers)
            answers.no_arguments(request)
            headers = await self._resume()
            objects = await self._actions.documents(self._context(request, resource), parent)
            text = b'{"%s":[%s]}' % (resource.type.plural.encode(), objects)
            return message.Reply(200, text, headers=headers)
        if request.method == "DELETE" and resource.modern:
            return await self._delete_many(request, resource, parent)
        return _other_method(request, MODERN_COLLECTION if resource.modern else COLLECTION)

    async def _create_many(
        self, request: message.Request, resource: registry.Resource, bodies: Sequence[Any], parent: str | None
    ) -> message.Reply:
        def made(results: Sequence[units.Result]) -> message.Reply:
            return message.Reply(201, _listed(resource, results))

        context = self._writing(request, resource, made)
        _check_count(resource, len(bodies), "/" + resource.type.plural)
        if self.rates is not None:
            self.rates.charge(request.caller, len(bodies))
        return made(await self._actions.create_many(context, bodies, parent))

    async def _delete_many(
        self, request: message.Request, resource: registry.Resource, parent: str | None
    ) -> message.Reply:
        """All objects whose keys are given, each once."""
        keys = wishes.keys(request, resource.type.key)
        _check_count(resource, len(keys), "")
        if self.rates is not None:
            self.rates.charge(request.caller, len(keys))
        wish = wishes.of(request, _gone, own=(resource.type.key,))
        context = self._actions.context(resource, request.caller, request.id, wish)
        await self._actions.delete_many(context, keys, _expected(request), parent)
        return _gone(None)

    async def _object(
        self, request: message.Request, resource: registry.Resource, key: str, parent: str | None = None
    ) -> message.Reply:
        method = request.method
        if method in ("GET", "HEAD"):
            answers.no_arguments(request)
            return _object(200, await self._actions.get(self._context(request, resource), key, parent))
        if method == "PUT" or (method == "PATCH" and resource.modern):
            _check_size(request)
            merge = method == "PATCH"
            body = answers.json_body(request, *((MERGE_PATCH,) if merge else ()))
            context = self._writing(request, resource, _changed)
            return _changed(await self._put(context, key, body, _expected(request), parent, merge=merge))
        if method == "DELETE":
            context = self._writing(request, resource, _gone)
            await self._actions.delete(context, key, _expected(request), parent)
            return _gone(None)
        return _other_method(request, MODERN_OBJECT if resource.modern else OBJECT)

    async def _put(
        self,
        context: units.Context,
        key: str,
        body: Mapping[str, Any],
        expected: frozenset[int] | None,
        parent: str | None,
        *,
        merge: bool = False,
    ) -> units.Result:
        """An object changed; where that began a bind, after it."""
        result = await self._actions.update(context, key, body, expected, parent, merge=merge)
        if result.wait is not None and not context.dry_run:
            rows: list[store.Row] = []
            await self._binder.settle(context.resource, result.wait, rows)
            if rows:
                return await self._actions.show(context, key, rows[-1])
            result = await self._actions.get(context, key)
        return result

    async def _status(
        self, request: message.Request, resource: registry.Resource, key: str, parent: str | None
    ) -> message.Reply:
        answers.no_arguments(request)
        if request.method not in ("GET", "HEAD"):
            return _other_method(request, READ)
        return await self._stands(request, self._context(request, resource), key, parent)

    async def _stands(
        self, _request: message.Request, context: units.Context, key: str, parent: str | None
    ) -> message.Reply:
        found = await self._actions.get(context, key, parent)
        body = await self._standing.of(context.resource, found.row)
        roles = context.resource.type.roles
        hidden = access.hidden(context, found.row)
        if hidden:
            body = standing.reduced(body, {role for role, name in roles.items() if name in hidden})
        return message.Reply(200, codec.encode(body))

    async def _act(
        self, request: message.Request, resource: registry.Resource, key: str, parent: str | None, name: str
    ) -> message.Reply:
        """An action of the model."""
        if request.method != "POST":
            return _other_method(request, ACTION)
        _check_size(request)
        body = answers.json_body(request) if request.body else {}
        wish = wishes.of(request, _acted, tried=False)
        context = self._actions.context(resource, request.caller, request.id, wish)
        return _acted(await self._actions.act(context, key, name, body, parent))

    async def _listing(
        self,
        request: message.Request,
        resource: registry.Resource,
        key: str,
        parent: str | None,
        reference: referring.Reference,
    ) -> message.Reply:
        """What refers to an object, under the name that the reference gives."""
        if request.method not in ("GET", "HEAD"):
            return _other_method(request, READ)
        asked = queries.of(request, resource.family[reference.owner])
        headers = await self._resume()
        page = await self._actions.referrers(self._context(request, resource), key, reference, asked, parent)
        return _with(queries.answer(request, asked, page), headers)


def json_will_do(accept: bytes | None) -> bool:
    """Whether a client takes what we have."""
    if not accept or b"json" in accept or b"*/*" in accept:
        return True
    lower = accept.lower()
    return b"json" in lower or b"application/*" in lower


def _with(reply: message.Reply, headers: list[tuple[bytes, bytes]]) -> message.Reply:
    reply.headers += headers
    return reply


def _object(status: int, result: units.Result) -> message.Reply:
    return message.Reply(
        status, result.document, headers=[(b"etag", b'"%d"' % int(result.row[tables.REVISION] or 0))]
    )


def _made(result: units.Result) -> message.Reply:
    return _object(201, result)


def _changed(result: units.Result) -> message.Reply:
    return _object(200, result)


def _acted(answer: Mapping[str, Any]) -> message.Reply:
    return message.Reply(200, codec.encode(answer))


def _gone(_: object) -> message.Reply:
    return message.Reply(204)


def several(resource: registry.Resource, body: Mapping[str, Any]) -> list[Any] | None:
    """The bodies of several new objects, under the plural alone."""
    plural = resource.type.plural
    if not resource.modern or len(body) != 1 or plural in resource.type.attributes:
        return None
    bodies = body.get(plural)
    return bodies if isinstance(bodies, list) else None


def _listed(resource: registry.Resource, results: Sequence[units.Result]) -> bytes:
    return b'{"%s":[%s]}' % (resource.type.plural.encode(), b",".join(r.document for r in results))


def _check_count(resource: registry.Resource, count: int, pointer: str) -> None:
    if not 1 <= count <= MOST:
        problem = errors.FieldProblem(
            pointer=pointer,
            code="too_many" if count else "required",
            message=f"{count} {resource.type.plural} are named, and one request takes 1 to {MOST}",
            hint="split the request" if count else f"name at least one {resource.type.singular}",
        )
        raise errors.Invalid([problem])


def _other_method(request: message.Request, allow: str) -> message.Reply:
    if request.method == "OPTIONS":
        return message.Reply(200, b"", headers=[(b"allow", allow.encode())])
    return answers.plain(405, f"{request.method} is not possible here", request, allow=allow)


def _check_size(request: message.Request) -> None:
    if len(request.body) > MAX_OBJECT:
        raise errors.TooLarge(
            f"the body has {len(request.body)} bytes, an object has at most {MAX_OBJECT}", hint="send less"
        )


def _expected(request: message.Request) -> frozenset[int] | None:
    """The revisions of If-Match, any of which will do; `*` and none ask for nothing."""
    text = request.headers.get(b"if-match", b"*").decode("latin-1").strip()
    if text == "*":
        return None
    if not _ETAGS(text):
        raise errors.Stale(
            f"If-Match '{text[:64]}' is no ETag of this API", hint='send the ETag as read: "<revision>"'
        )
    return frozenset(int(number) for number in _REVISION(text))
