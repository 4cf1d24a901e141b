"""The ASGI app of `/v2.0` and `/networking`: beside the lane, before Falcon.

In: a request that the lane admitted. Out: an answer in Neutron's words; no refusal has another form.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import parse_qsl

from gluon import errors
from gluon.api import errors as problems
from gluon.api import evened, lane, message, places, rates, terms
from gluon.api.neutron import answers, routes
from gluon.neutron.face import Face
from gluon.neutron.faults import Fault
from gluon.proton.work import MOST

_PAUSES = (0.0, 0.05, 0.3)
_IF_MATCH = b"if-match"
_LONGEST_NUMBER = 18
_SCHEMES = ("http", "https")
ROOTS = frozenset({"v2.0", "networking"})


PORTS = frozenset({(routes.VERSION, "ports"), ("networking", routes.VERSION, "ports")})


class Front:
    """`rest`: what answers all other paths; `refresh` loads models that others have replaced; `face`: that of the routes. A
    `places.Face`."""

    paths = PORTS

    def __init__(
        self, rest: lane.App, found: routes.Routes, refresh: Callable[[], Awaitable[None]], face: Face
    ) -> None:
        self._rest = rest
        self._routes = found
        self.refresh = refresh
        self.face = face
        self.rates: rates.Rates | None = None
        self.posts: places.Posting | None = None

    async def handle(self, request: message.Request) -> message.Reply:
        """The answer to a request without a query."""
        asked = routes.Asked(
            method=request.method,
            path=request.path,
            query=[],
            base="",  # only pages have links
            caller=request.caller,
            request_id=request.id,
            revision=_revision(request.method, request.headers),
        )
        if asked.method in ("POST", "PUT"):
            self._take(asked, request.body, request.headers)
        return await self._answer(asked)

    async def __call__(self, scope: lane.Scope, receive: lane.Receive, send: lane.Send) -> None:
        path = (
            places.segments(scope.get("raw_path") or scope["path"].encode())
            if scope["type"] == "http"
            else ()
        )
        if not path or path[0] not in ROOTS:
            await self._rest(scope, receive, send)
            return
        headers: dict[bytes, bytes] = dict(scope["headers"])
        request_id: str = scope["gluon.request_id"]
        began = evened.now()
        try:
            asked = routes.Asked(
                method=scope["method"],
                path=_without_form(path),
                query=parse_qsl(
                    scope["query_string"].decode("latin-1"), keep_blank_values=True, errors="replace"
                ),
                base=_base(scope, headers),
                caller=scope["gluon.caller"],
                request_id=request_id,
                revision=_revision(scope["method"], headers),
            )
            if asked.method in ("POST", "PUT"):
                self._take(asked, await lane.read_body(receive, headers), headers)
            reply = await self._answer(asked)
            if asked.query and asked.reads and not self.face.asker(asked.caller, request_id).serves:
                await evened.tick(began)  # rows that others have are read as well, and then left out
        except lane.Gone:
            return
        except Exception as error:  # noqa: BLE001 - the border: no client sees a stack
            if not isinstance(error, Fault):
                lane.failed(error, headers, request_id)
            await evened.hold(error, scope["gluon.caller"], began)
            reply = answers.refused(error, headers, request_id)
        await _respond(send, reply, head=scope["method"] == "HEAD")

    def _take(self, asked: routes.Asked, raw: bytes, headers: dict[bytes, bytes]) -> None:
        """The body of a request. Raises `Rejected`."""
        asked.body = _decoded(raw, headers) if raw.strip() or asked.method == "POST" else {}
        if terms.HEADER in headers and asked.method == "POST":
            asked.once = terms.ports_once(asked.caller, headers[terms.HEADER], raw)
        self._check_count(asked)

    def _check_count(self, asked: routes.Asked) -> None:
        """Of the objects of a request. Raises `Fault`."""
        several = asked.body.get("ports")
        if not isinstance(several, list):
            return
        if len(several) > MOST:
            raise Fault(
                400, "InvalidInput", f"{len(several)} ports are named, one request takes {MOST}.", "split it"
            )
        if self.rates is not None:
            self.rates.charge(asked.caller, len(several))

    async def _answer(self, asked: routes.Asked) -> message.Reply:
        """Again where models were replaced meanwhile."""
        for pause in _PAUSES:
            try:
                return await self._routes.answer(asked)
            except errors.StaleModel:
                await asyncio.sleep(pause)
                await self.refresh()
        return await self._routes.answer(asked)


def _without_form(path: tuple[str, ...]) -> tuple[str, ...]:
    """`ports.json` and `ports/id.json` are as Neutron has them, too; a host may end so."""
    below = len(path) - path.index(routes.VERSION) if routes.VERSION in path[:2] else 0
    return (*path[:-1], path[-1].removesuffix(".json")) if below in (2, 3) else path


def _decoded(raw: bytes, headers: dict[bytes, bytes]) -> dict[str, object]:
    """Neutron takes a body of any type, but only JSON."""
    kind = headers.get(b"content-type", b"").split(b";", 1)[0].strip().lower()
    if kind != message.JSON:
        raise Fault(
            415,
            "UnsupportedContentType",
            f"content type '{kind.decode('latin-1')}' is not understood",
            "send application/json",
        )
    return problems.decoded(raw)


def _revision(method: str, headers: Mapping[bytes, bytes]) -> int | None:
    """Of `If-Match: revision_number=7`, as clients of Neutron send it. Raises `Fault`."""
    if _IF_MATCH not in headers or method not in ("PUT", "DELETE"):
        return None
    text = headers[_IF_MATCH]
    name, _, number = text.strip().partition(b"=")
    if name != b"revision_number" or not number.isdigit() or len(number) > _LONGEST_NUMBER:
        raise Fault(
            400,
            "InvalidInput",
            f"If-Match '{text[:64].decode('latin-1')}' is not understood",
            "send revision_number=NUMBER, as it was answered",
        )
    return int(number)


def _base(scope: lane.Scope, headers: dict[bytes, bytes]) -> str:
    """As the client wrote it; who ends TLS for it says so, as to Neutron."""
    host = headers.get(b"host", b"localhost").decode("latin-1")
    said = headers.get(b"x-forwarded-proto", b"").decode("latin-1").strip().lower()
    return f"{said if said in _SCHEMES else scope.get('scheme', 'http')}://{host}"


async def _respond(send: lane.Send, reply: message.Reply, *, head: bool) -> None:
    """The lane adds the request's id."""
    body = reply.body or b""
    sent = list(reply.headers)
    if reply.body is not None:
        sent += [(b"content-type", reply.content_type), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": reply.status, "headers": sent})
    await send({"type": "http.response.body", "body": b"" if head else body})
