"""Pages of objects, as a `query.Query` asks for them.

In: a context, a query, what all rows have in common. Out: a `Page` of what the caller may see. A marker or a
referred object that the caller may not see is as good as missing. Called by `service`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import msgspec
from msgspec import structs

from gluon import errors
from gluon.proton import access, registry, showing, units, visible
from gluon.proton import query as queries
from gluon.spi import store

Equals = tuple[tuple[str, store.Value], ...]
Bodies = Mapping[store.Value, dict[str, Any] | None]

_CHUNK = 2000
"""Objects that are read at once of a list without end."""


class Page(msgspec.Struct, frozen=True):
    """`more`: there are objects behind these, of which the key of the last one is `last`. `count`: of all pages, where
    it was asked for. `embedded`: by the name of the reference the objects by key, those that the caller may not see as
    null."""

    resource: registry.Resource
    last: store.Value
    more: bool
    count: int | None
    documents: bytes | None = None
    """The whole objects as an array of JSON; else there are rows."""
    rows: Sequence[store.Row] = ()
    embedded: Mapping[str, Bodies] = {}
    hidden: Callable[[store.Row], Collection[str]] | None = None
    """Attributes of an object that its body leaves out."""


class Lists:
    """Objects whose bodies are whole are never rows: the database's values are encoded as they come."""

    def __init__(self, database: store.Store, shown: showing.Showing) -> None:
        self._store = database
        self._shown = shown

    async def all(self, context: units.Context, equals: Equals = ()) -> Sequence[store.Row]:
        """The rows of all objects, by key."""
        part, resource = visible.Part(context), context.resource
        rows = await part.select(self._store, store.Select(table=resource.table, equals=equals))
        return await self._shown.rows(resource, rows)

    async def documents(self, context: units.Context, equals: Equals = ()) -> bytes | None:
        """All of them as JSON with commas between, read a part at a time; None where each body has to be looked at."""
        part, resource = visible.Part(context), context.resource
        columns = self._columns(context, part)
        if columns is None:
            return None
        wanted = store.Select(table=resource.table, equals=equals, project=part.project, limit=_CHUNK)
        found: list[bytes] = []
        while True:
            lines = await self._store.values(wanted, columns)
            if lines:
                found.append(resource.records.documents(lines)[1:-1])
            if len(lines) < _CHUNK:
                return b",".join(found)
            wanted = replace(wanted, after=lines[-1][resource.records.key_place])

    def _columns(self, context: units.Context, part: visible.Part) -> showing.Columns | None:
        """What to read where every object of a list is shown whole, and by its values alone."""
        if part.each or (context.access.guards and not context.caller.admin):
            return None
        return self._shown.columns(context.resource)

    async def page(self, context: units.Context, query: queries.Query, equals: Equals = ()) -> Page:
        """Raises `Invalid` for a marker that names no object here, and for what takes too long as no index serves it."""
        try:
            return await self._page(context, query, equals)
        except errors.TooSlow as slow:
            own = visible.Part(context).project is not None
            raise queries.too_slow(context.resource, query, own=own) or slow from slow

    async def _page(self, context: units.Context, query: queries.Query, equals: Equals) -> Page:
        resource = context.resource
        part = visible.Part(context)
        visible.check_query(context, query)
        columns = None if query.fields or query.embed else self._columns(context, part)
        if columns is not None and query.limit:
            return await self._lines(context, query, equals, part, columns)
        start = await self._marker(resource, query.marker, part, equals)
        wanted = store.Select(
            table=resource.table,
            equals=equals,
            filters=query.filters,
            order=query.order,
            start=start if query.order else None,
            after=start[resource.records.key_column] if start is not None and not query.order else None,
            limit=query.limit + 1,
        )
        rows = await part.select(self._store, wanted) if query.limit else ()
        more = len(rows) > query.limit
        rows = await self._shown.rows(resource, rows[: query.limit])
        count = await part.count(self._store, wanted) if query.count else None
        embedded = {name: await self._embedded(context, name, rows) for name in query.embed}
        hides = context.access.guards and not context.caller.admin
        hidden = partial(access.hidden, context) if hides else None
        last = rows[-1][resource.records.key_column] if rows else None
        return Page(resource, last, more, count, rows=rows, embedded=embedded, hidden=hidden)

    async def _lines(
        self,
        context: units.Context,
        query: queries.Query,
        equals: Equals,
        part: visible.Part,
        columns: showing.Columns,
    ) -> Page:
        """A page of whole objects. By key alone it begins with the marker itself, so that nobody has to look for it."""
        resource, limit, place = context.resource, query.limit, context.resource.records.key_place
        before, since = None, None
        if query.order or query.filters:
            before = await self._marker(resource, query.marker, part, equals)
        elif query.marker is not None:
            since = _key(resource, query.marker)
        wanted = store.Select(
            table=resource.table,
            equals=equals,
            project=part.project,
            after=None if before is None or query.order else before[resource.records.key_column],
            since=since,
            limit=limit + (1 if since is None else 2),
            filters=query.filters,
            order=query.order,
            start=before if query.order else None,
        )
        lines = await self._store.values(wanted, columns)
        if since is not None:
            if not lines or lines[0][place] != since:
                raise _no_marker(resource, query.marker or "")
            lines = lines[1:]
        more = len(lines) > limit
        lines = lines[:limit]
        count = await part.count(self._store, wanted) if query.count else None
        last = lines[-1][place] if lines else None
        return Page(resource, last, more, count, resource.records.documents(lines))

    async def _marker(
        self, resource: registry.Resource, marker: str | None, part: visible.Part, equals: Equals
    ) -> store.Row | None:
        if marker is None:
            return None
        row = await self._store.get(resource.table, _key(resource, marker))
        if row is None or not part.has(row) or any(row[name] != value for name, value in equals):
            raise _no_marker(resource, marker)
        return row

    async def _embedded(self, context: units.Context, name: str, rows: Sequence[store.Row]) -> Bodies:
        resource = context.resource
        target = resource.family[resource.type.attributes[name].reference or ""]
        column = resource.records.column(name)
        keys = list(dict.fromkeys(row[column] for row in rows if row[column] is not None))
        found = await asyncio.gather(*(self._store.get(target.table, key) for key in keys))
        there = structs.replace(context, resource=target)
        seen = [row for row in found if row is not None and access.sees(context, target, row)]
        bodies: dict[store.Value, dict[str, Any] | None] = dict.fromkeys(keys)
        for row in await self._shown.rows(target, seen):
            without = access.hidden(there, row)
            body = target.records.body(row)
            bodies[row[target.records.key_column]] = {n: v for n, v in body.items() if n not in without}
        return bodies


def _key(resource: registry.Resource, marker: str) -> store.Value:
    """Raises `Invalid`."""
    try:
        key: store.Value = resource.fields.key(marker)
    except errors.Invalid:
        raise _no_marker(resource, marker) from None
    return key


def _no_marker(resource: registry.Resource, marker: str) -> errors.Invalid:
    problem = errors.FieldProblem(
        pointer="",
        code="marker",
        message=f"marker '{marker[:100]}' names no {resource.type.singular} of this list",
        hint=f"give the {resource.type.key} of the last object of the page before, or begin again",
    )
    return errors.Invalid([problem])
