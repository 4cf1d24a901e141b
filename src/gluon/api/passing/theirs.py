"""A list of Neutron's, read whole.

In: a request, and the query that Neutron gets for it. Out: its answer, with the rows apart, as they are encoded. Called by `lists`.
"""

from __future__ import annotations

import msgspec

from gluon.api import lane
from gluon.api.passing import heads
from gluon.neutron.faults import Fault
from gluon.objects import codec
from gluon.spi import passing

_MOST = 256 * 1024 * 1024
_OK = 200
_READ = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ROWS = msgspec.json.Decoder(list[msgspec.Raw])


class Answered(msgspec.Struct, kw_only=True):
    """`more`: a page that is full, so that others may follow."""

    status: int
    headers: passing.Headers
    body: bytes
    rows: list[msgspec.Raw]
    more: bool

    async def send(self, send: lane.Send) -> None:
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
        await send({"type": "http.response.body", "body": self.body})


class Theirs:
    """Asks with the headers of who asks."""

    def __init__(self, pipe: passing.Pipe) -> None:
        self._pipe = pipe

    async def ask(self, scope: lane.Scope, kind: str, query: bytes, *, reverse: bool = False) -> Answered:
        """`reverse`: it is a page before a marker."""
        path = heads.target(scope).partition(b"?")[0]
        asked = passing.Asked(
            method=b"GET",
            target=path + b"?" + query if query else path,
            headers=heads.for_a_list(heads.of_request(scope)),
        )
        answer = await self._pipe.ask(asked)
        parts, size = [], 0
        try:
            while part := await answer.read():
                parts.append(part)
                size += len(part)
                if size > _MOST:
                    raise Fault(
                        502, "BadGateway", "Neutron's list is too long", "ask for it in pages, with limit"
                    )
        finally:
            answer.close()
        body = b"".join(parts)
        sent = [p for p in heads.of_answer(answer.headers) if p[0] != b"content-length"]
        sent.append((b"content-length", b"%d" % len(body)))
        found = Answered(status=answer.status, headers=sent, body=body, rows=[], more=False)
        if answer.status == _OK:
            _read(found, kind, "previous" if reverse else "next")
        return found


def _read(found: Answered, kind: str, onward: str) -> None:
    """Raises `Fault` for what is no list."""
    try:
        document = _READ.decode(found.body)
        found.rows = _ROWS.decode(document[kind])
        links = codec.decode(bytes(document.get(f"{kind}_links", b"[]")))
        found.more = any(link.get("rel") == onward for link in links)
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise Fault(502, "BadGateway", f"Neutron's answer is no list of {kind}: {error}") from error
