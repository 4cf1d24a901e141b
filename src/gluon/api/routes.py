"""Falcon's part: roots, Gluon's own resources under `/gluon/v1/`, health and metrics.

The lane admitted the caller already. What comes back here unknown is a plain 404, as in the
original.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

import falcon
import falcon.asgi

from gluon import errors
from gluon.api import access, arguments, documents, lane, message, pages, query, roots
from gluon.api import errors as answers
from gluon.model import describe
from gluon.objects import codec
from gluon.proton import registry
from gluon.spi import policy

READ = "GET, HEAD"

Facts = Callable[[], Awaitable[dict[str, Any]]]
Described = Callable[[policy.Caller], Awaitable[dict[str, Any]]]
Action = Callable[[], Awaitable[dict[str, Any]]]


Account = Callable[[str], Awaitable[dict[str, Any]]]
Listing = Callable[[Iterable[tuple[str, str]]], Awaitable[dict[str, Any]]]


class Operations:
    """What the mains provide: state of the process, and what an admin may ask for."""

    def __init__(
        self,
        *,
        status: Facts,
        ready: Facts,
        metrics: Callable[[], Awaitable[tuple[bytes, str]]],
        resync: Action,
        hosts: Facts,
        forget: Forget,
        ports: Listing,
        account: Account,
        protons: Facts,
        load: Load,
        retire: Retire,
    ) -> None:
        """`ready` says whether the process is, and why not; `metrics` are a page and its content type; `protons`
        tells which models are loaded; `ports` lists those that arguments ask for; `account` tells all of one; `hosts` lists those of shims."""
        self.metrics = metrics
        self.protons = protons
        self.load = load
        self.retire = retire
        self.status = status
        self.ready = ready
        self.resync = resync
        self.hosts = hosts
        self.forget = forget
        self.ports = ports
        self.account = account


Load = Callable[[Mapping[str, str], str | None, policy.Caller], Awaitable[dict[str, Any]]]
"""`load(texts, api, caller)`: `api` is the proton to replace, None for a new one."""
Retire = Callable[[str, bool, policy.Caller], Awaitable[dict[str, Any]]]
"""`retire(api, force, caller)`."""
Forget = Callable[[str, str | None, bool], Awaitable[dict[str, Any]]]
"""`forget(host, controller, force)`: what one controller said of a host, or all of them."""


def _request(req: falcon.asgi.Request) -> message.Request:
    return message.Request(
        method=req.method,
        path=(),
        query=req.query_string.encode(),
        headers=dict(req.scope["headers"]),
        caller=req.scope["gluon.caller"],
        id=req.scope["gluon.request_id"],
    )


def _send(resp: falcon.asgi.Response, reply: message.Reply) -> None:
    resp.status = reply.status
    resp.content_type = reply.content_type.decode()
    resp.data = reply.body or b""
    for name, value in reply.headers:
        resp.set_header(name.decode(), value.decode())


Read = Callable[..., Awaitable[message.Reply | None]]
"""`read(req, **names)`: what stands at a path, None for nothing."""


def _anywhere(**names: str) -> bool:
    return True


class _Get:
    """A route that is read; `there`: whether a path of it leads to something, without a look."""

    def __init__(self, read: Read, there: Callable[..., bool] = _anywhere) -> None:
        self._read = read
        self._there = there

    async def on_get(self, req: falcon.asgi.Request, resp: falcon.asgi.Response, **names: str) -> None:
        found = await self._read(req, **names)
        _send(resp, found or answers.plain(404, "no such path", _request(req)))

    on_head = on_get

    async def on_request(self, req: falcon.asgi.Request, resp: falcon.asgi.Response, **names: str) -> None:
        """Any other method."""
        request = _request(req)
        if not self._there(**names):
            _send(resp, answers.plain(404, "no such path", request))
        elif req.method == "OPTIONS":
            _send(resp, message.Reply(200, b"", headers=[(b"allow", READ.encode())]))
        else:
            _send(resp, answers.plain(405, f"{req.method} is not possible here", request, allow=READ))

    on_options = on_request


def _json(read: Callable[..., Awaitable[dict[str, Any] | None]]) -> Read:
    async def reply(req: falcon.asgi.Request, **names: str) -> message.Reply | None:
        body = await read(req, **names)
        return None if body is None else message.Reply(200, codec.encode(body))

    return reply


def _told(facts: Facts) -> Read:
    async def reply(req: falcon.asgi.Request) -> message.Reply:
        return message.Reply(200, codec.encode(await facts()))

    return reply


def _listed(listing: Listing) -> Read:
    async def reply(req: falcon.asgi.Request) -> message.Reply:
        return message.Reply(200, codec.encode(await listing(query.pairs(_request(req)))))

    return reply


def _page_of(metrics: Callable[[], Awaitable[tuple[bytes, str]]]) -> Read:
    async def reply(req: falcon.asgi.Request) -> message.Reply:
        content, kind = await metrics()
        return message.Reply(200, content, kind.encode())

    return reply


class _Post:
    """A route that does something and says what."""

    def __init__(self, act: Action) -> None:
        self._act = act

    async def on_post(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        request = _request(req)
        request.body = await req.stream.read(message_limit) or b"{}"
        answers.json_body(request)
        _send(resp, message.Reply(202, codec.encode(await self._act())))


message_limit = 64 * 1024
MODEL_LIMIT = 2 * 1024 * 1024
"""Bytes of a request with a model: as many as the lane reads."""


class _Protons:
    """`/gluon/v1/protons`: what is loaded; POST loads one more."""

    def __init__(self, operations: Operations, described: Described) -> None:
        self._operations = operations
        self._described = described

    async def on_get(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        _send(resp, message.Reply(200, codec.encode(await self._described(req.scope["gluon.caller"]))))

    on_head = on_get

    async def on_post(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        request = _request(req)
        texts = await _texts(req, request)
        done = await self._operations.load(texts, None, request.caller)
        _send(resp, message.Reply(201, codec.encode(done)))


class _Proton:
    """`/gluon/v1/protons/<api>`: PUT replaces its model, DELETE retires it."""

    def __init__(self, operations: Operations) -> None:
        self._operations = operations

    async def on_put(self, req: falcon.asgi.Request, resp: falcon.asgi.Response, api: str) -> None:
        request = _request(req)
        texts = await _texts(req, request)
        done = await self._operations.load(texts, api, request.caller)
        _send(resp, message.Reply(200, codec.encode(done)))

    async def on_delete(self, req: falcon.asgi.Request, resp: falcon.asgi.Response, api: str) -> None:
        request = _request(req)
        force = arguments.truth(arguments.known(request, {"force"}), "force")
        done = await self._operations.retire(api, force, request.caller)
        _send(resp, message.Reply(200, codec.encode(done)))


class _Host:
    """`/gluon/v1/hosts/<host>`: DELETE forgets what was said of it."""

    def __init__(self, forget: Forget) -> None:
        self._forget = forget

    async def on_delete(self, req: falcon.asgi.Request, resp: falcon.asgi.Response, host: str) -> None:
        given = arguments.known(_request(req), {"controller", "force"})
        done = await self._forget(host, given.get("controller"), arguments.truth(given, "force"))
        _send(resp, message.Reply(200, codec.encode(done)))


async def _texts(req: falcon.asgi.Request, request: message.Request) -> dict[str, str]:
    """`{"files": {name: text}}`. Raises `Invalid`, `TooLarge`."""
    request.body = await req.stream.read(MODEL_LIMIT + 1)
    if len(request.body) > MODEL_LIMIT:
        raise errors.TooLarge(f"a model has at most {MODEL_LIMIT} bytes", hint="leave comments out")
    body = answers.json_body(request)
    files = body.get("files")
    if set(body) != {"files"} or not isinstance(files, dict) or not files:
        raise _wrong("", 'the body is not {"files": {name: text}}')
    for name, text in files.items():
        if not isinstance(text, str):
            raise _wrong(f"/files/{name}", f"files/{name} is no text")
    return files


_TEXTS = "send the text of each file of the model by its name"


def _wrong(pointer: str, message: str, hint: str = _TEXTS) -> errors.Invalid:
    return errors.Invalid([errors.FieldProblem(pointer=pointer, code="type", message=message, hint=hint)])


async def _health(req: falcon.asgi.Request) -> message.Reply:
    return message.Reply(200, b"ok\n", message.TEXT)


async def _own(req: falcon.asgi.Request) -> message.Reply:
    return message.Reply(200, documents.own())


async def _page(req: falcon.asgi.Request) -> message.Reply:
    return pages.of(req.uri_template or req.path)


async def _unknown(req: falcon.asgi.Request, resp: falcon.asgi.Response | None, **_: Any) -> None:
    assert resp is not None, "only WebSockets come without a response, and the lane passes none on"
    _send(resp, answers.plain(404, "no such path", _request(req)))


async def _refused(
    req: falcon.asgi.Request, resp: falcon.asgi.Response, error: Exception, params: dict[str, Any]
) -> None:
    request = _request(req)
    if isinstance(error, falcon.HTTPMethodNotAllowed):
        allow = str((error.headers or {}).get("Allow", "")) if isinstance(error.headers, dict) else ""
        _send(resp, answers.plain(405, f"{req.method} is not possible here", request, allow=allow))
    elif isinstance(error, falcon.HTTPError):
        _send(resp, answers.plain(error.status_code, error.title or "refused", request))
    else:
        _send(resp, lane.failed(error, request.headers, request.id))


Known = Callable[[], registry.Registry]


def _openapi(known: Known, rules: policy.Policy) -> Callable[..., Awaitable[message.Reply | None]]:
    """The document of a proton, as it is for who asks."""

    async def openapi(req: falcon.asgi.Request, api: str, version: str) -> message.Reply | None:
        found = next((m for m in roots.models(known()) if m.name == api and version == f"v{m.version}"), None)
        if found is None:
            return None
        return message.Reply(200, documents.openapi(found, known(), rules, req.scope["gluon.caller"]))

    return openapi


def build(
    known: Known, operations: Operations, allowed: access.Allowed, rules: policy.Policy
) -> falcon.asgi.App[Any, Any]:
    """The Falcon app."""
    app = falcon.asgi.App(middleware=[access.Access(allowed)])
    app.req_options.strip_url_path_trailing_slash = True
    app.router_options.default_to_on_request = True

    async def root(req: falcon.asgi.Request) -> dict[str, Any]:
        return roots.root(req.prefix)

    async def protons(req: falcon.asgi.Request) -> dict[str, Any]:
        return roots.protons(req.prefix, known())

    async def proton(req: falcon.asgi.Request, api: str) -> dict[str, Any] | None:
        return roots.proton(req.prefix, known(), api)

    async def version(req: falcon.asgi.Request, api: str, version: str) -> dict[str, Any] | None:
        return roots.version(req.prefix, known(), api, version)

    async def models(caller: policy.Caller) -> dict[str, Any]:
        """Who loaded them, and on which hosts they are served, is for operators."""
        found: dict[str, Any] = {"protons": [describe.describe(m) for m in roots.models(known())]}
        return found | await operations.protons() if allowed(access.RULE, caller) else found

    async def account(req: falcon.asgi.Request, id: str) -> message.Reply:  # the name that the path gives it
        return message.Reply(200, codec.encode(await operations.account(id)))

    async def ready(req: falcon.asgi.Request) -> message.Reply:
        found = await operations.ready()
        return message.Reply(200 if found["ready"] else 503, codec.encode(found))

    def there(api: str, version: str | None = None) -> bool:
        return any(m.name == api and version in (None, f"v{m.version}") for m in roots.models(known()))

    app.add_route("/", _Get(_json(root)))
    for prefix in ("/proton", ""):
        app.add_route(f"{prefix}/{{api}}", _Get(_json(proton), there))
        app.add_route(f"{prefix}/{{api}}/{{version}}", _Get(_json(version), there))
    app.add_route("/proton", _Get(_json(protons)))
    app.add_route("/gluon/v1/protons", _Protons(operations, models))
    app.add_route("/gluon/v1/protons/{api}", _Proton(operations))
    app.add_route("/gluon/v1/protons/{api}/{version}/openapi.json", _Get(_openapi(known, rules), there))
    app.add_route("/gluon/v1/openapi.json", _Get(_own))
    app.add_route("/gluon/v1/ports", _Get(_listed(operations.ports)))
    app.add_route("/gluon/v1/ports/{id}", _Get(account))
    app.add_route("/gluon/v1/status", _Get(_told(operations.status)))
    app.add_route("/gluon/v1/resync", _Post(operations.resync))
    app.add_route("/gluon/v1/hosts", _Get(_told(operations.hosts)))
    app.add_route("/gluon/v1/hosts/{host:path}", _Host(operations.forget))
    for path in pages.PATHS:
        app.add_route(path, _Get(_page))
    app.add_route("/healthz", _Get(_health))
    app.add_route("/readyz", _Get(ready))
    app.add_route("/metrics", _Get(_page_of(operations.metrics)))
    app.add_sink(_unknown)
    for kind in (Exception, falcon.HTTPError, errors.GluonError):
        app.add_error_handler(kind, _refused)
    return app
