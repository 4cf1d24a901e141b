"""Lists with arguments: from the query of a URL to a page, and from a page to its answer.

In: a request, a `lists.Page`. Out: a `proton.query.Query`, a reply with the link to the next page. Called by `resources`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from gluon import errors
from gluon.api import message
from gluon.objects import codec
from gluon.proton import lists, registry
from gluon.proton import query as queries

EMBEDDED = "_embedded"
_NOTHING = queries.Query()


def of(request: message.Request, resource: registry.Resource) -> queries.Query:
    """Raises `Invalid` naming every argument that means nothing."""
    return queries.parse(resource, pairs(request)) if request.query else _NOTHING


def answer(request: message.Request, query: queries.Query, page: lists.Page) -> message.Reply:
    """The objects, their count, and where the next page is."""
    resource, plural = page.resource, page.resource.type.plural
    if page.documents is not None:
        objects = page.documents
    elif query.fields or query.embed or page.hidden is not None:
        objects = b",".join(codec.encode(body) for body in _bodies(query, page))
    else:
        objects = b",".join(map(resource.records.document, page.rows))
    text = b'{"%s":[%s]' % (plural.encode(), objects)
    if page.count is not None:
        text += b',"count":%d' % page.count
    if page.more:
        text += b',"%s_links":%s' % (
            plural.encode(),
            codec.encode([{"rel": "next", "href": _next(request, page)}]),
        )
    return message.Reply(200, text + b"}")


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
    kept = [(name, value) for name, value in pairs(request) if name != "marker"]
    path = "/".join(quote(segment, safe="") for segment in request.path)
    return f"/{path}?{urlencode([*kept, ('marker', page.last)])}"


def pairs(request: message.Request) -> list[tuple[str, str]]:
    """The arguments of a request, in order. Raises `Invalid`."""
    try:
        return parse_qsl(request.query.decode("utf-8"), keep_blank_values=True, errors="strict")
    except (UnicodeDecodeError, ValueError) as error:
        problem = errors.FieldProblem(
            pointer="", code="argument", message="the query is no text in UTF-8", hint="percent-encode UTF-8"
        )
        raise errors.Invalid([problem]) from error
