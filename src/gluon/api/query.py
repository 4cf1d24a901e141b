"""Lists with arguments: from the query of a URL to a page, and from a page to its answer.

In: a request, a `lists.Page`. Out: a `proton.query.Query`, a reply with the link to the next page. Called by `resources`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, quote, quote_plus, urlencode
from weakref import WeakKeyDictionary

from msgspec import structs

from gluon import errors
from gluon.api import message
from gluon.objects import codec
from gluon.proton import lists, registry
from gluon.proton import query as queries

EMBEDDED = "_embedded"
_NOTHING = queries.Query()
_PAGE = re.compile(rb"(?:(.{0,200}?)&)?marker=([0-9A-Za-z_.~-]{1,255})", re.DOTALL).fullmatch
"""The query of a page behind another one, as we write it in links."""
_FEW = 20
_MOST = 200
_known: WeakKeyDictionary[registry.Resource, dict[bytes, queries.Query]] = WeakKeyDictionary()
"""Who reads a list page by page asks the same again, but for the marker. Without that; clients say these, so they are
bounded."""
_links: dict[tuple[tuple[str, ...], bytes], str] = {}
"""Likewise, the link to the page behind, up to its marker."""


def of(request: message.Request, resource: registry.Resource) -> queries.Query:
    """Raises `Invalid` naming every argument that means nothing."""
    if not request.query:
        return _NOTHING
    head, marker = _apart(request.query)
    if head is None:
        return queries.parse(resource, pairs(request))
    known = _known.get(resource)
    if known is None:
        known = _known[resource] = {}
    found = known.get(head)
    if found is None:
        found = queries.parse(resource, _pairs(head))
        if found.marker is not None:  # by another name, such as m%61rker
            return queries.parse(resource, pairs(request))
        if len(known) >= _MOST:
            known.clear()
        known[head] = found
    return found if marker is None else structs.replace(found, marker=marker)


def _apart(query: bytes) -> tuple[bytes | None, str | None]:
    """What may be known from before, and the marker; None: neither, for it is unusual."""
    if b"marker" not in query:
        return (query if query.count(b"&") < _FEW and len(query) <= 200 else None), None
    page = _PAGE(query)
    if page is None:
        return None, None
    head, marker = page.groups(b"")
    if b"marker" in head or head.count(b"&") >= _FEW:
        return None, None
    return head, marker.decode()


def answer(request: message.Request, query: queries.Query, page: lists.Page) -> message.Reply:
    """The objects, their count, and where the next page is."""
    resource, plural = page.resource, page.resource.type.plural
    if page.documents is not None:
        objects = page.documents
    elif query.fields or query.embed or page.hidden is not None:
        objects = b"[%s]" % b",".join(codec.encode(body) for body in _bodies(query, page))
    else:
        objects = b"[%s]" % b",".join(map(resource.records.document, page.rows))
    end = b"" if page.count is None else b',"count":%d' % page.count
    if page.more:
        end += b',"%s_links":%s' % (
            plural.encode(),
            codec.encode([{"rel": "next", "href": _next(request, page)}]),
        )
    return message.Reply(200, b'{"%s":%s%s}' % (plural.encode(), objects, end))


def _bodies(query: queries.Query, page: lists.Page) -> Iterator[dict[str, Any]]:
    forms = page.resource.records
    for row in page.rows:
        body = forms.body(row)
        if page.hidden is not None:
            for name in page.hidden(row):
                del body[name]
        if query.fields:
            body = {name: body[name] for name in query.fields if name in body}
        if query.embed:
            body[EMBEDDED] = {n: page.embedded[n].get(row[forms.column(n)]) for n in query.embed}
        yield body


def _next(request: message.Request, page: lists.Page) -> str:
    """The same query, behind the last object of this page."""
    head, _ = _apart(request.query)
    if head is None:
        return _link(request, request.query) + quote_plus(str(page.last))
    found = _links.get((request.path, head))
    if found is None:
        if len(_links) >= _MOST:
            _links.clear()
        found = _links[request.path, head] = _link(request, head)
    return found + quote_plus(str(page.last))


def _link(request: message.Request, query: bytes) -> str:
    kept = [(name, value) for name, value in _pairs(query) if name != "marker"]
    path = "/".join(quote(segment, safe="") for segment in request.path)
    return f"/{path}?{urlencode([*kept, ('marker', '')])}"


def pairs(request: message.Request) -> list[tuple[str, str]]:
    """The arguments of a request, in order. Raises `Invalid`."""
    return _pairs(request.query)


def _pairs(query: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(query.decode("utf-8"), keep_blank_values=True, errors="strict")
    except (UnicodeDecodeError, ValueError) as error:
        problem = errors.FieldProblem(
            pointer="", code="argument", message="the query is no text in UTF-8", hint="percent-encode UTF-8"
        )
        raise errors.Invalid([problem]) from error
