"""Pages of objects, as a `query.Query` asks for them.

In: a context, a query, what all rows have in common. Out: a `Page` of what the caller may see. A marker or a
referred object that the caller may not see is as good as missing. Called by `service`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Any

import msgspec
from msgspec import structs

from gluon import errors
from gluon.proton import access, registry, units, visible
from gluon.proton import query as queries
from gluon.spi import store

Equals = tuple[tuple[str, store.Value], ...]
Shown = Callable[[registry.Resource, Sequence[store.Row]], Awaitable[Sequence[store.Row]]]
Bodies = Mapping[store.Value, dict[str, Any] | None]


class Page(msgspec.Struct, frozen=True):
    """`more`: there are rows behind these. `count`: of all pages, where it was asked for. `embedded`: by the name of
    the reference the objects by key, those that the caller may not see as null."""

    resource: registry.Resource
    rows: Sequence[store.Row]
    more: bool
    count: int | None
    embedded: Mapping[str, Bodies]
    hidden: Callable[[store.Row], Collection[str]] | None = None
    """Attributes of an object that its body leaves out."""


class Lists:
    """`shown` puts the operational status into rows."""

    def __init__(self, database: store.Store, shown: Shown) -> None:
        self._store = database
        self._shown = shown

    async def all(self, context: units.Context, equals: Equals = ()) -> Sequence[store.Row]:
        """The rows of all objects, by key."""
        part, resource = visible.Part(context), context.resource
        rows = await part.select(self._store, store.Select(table=resource.table, equals=equals))
        return await self._shown(resource, rows)

    async def page(self, context: units.Context, query: queries.Query, equals: Equals = ()) -> Page:
        """Raises `Invalid` for a marker that names no object here."""
        resource = context.resource
        part = visible.Part(context)
        visible.check_query(context, query)
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
        rows = await self._shown(resource, rows[: query.limit])
        count = await part.count(self._store, wanted) if query.count else None
        embedded = {name: await self._embedded(context, name, rows) for name in query.embed}
        hides = context.access.guards and not context.caller.admin
        hidden = partial(access.hidden, context) if hides else None
        return Page(resource, rows, more, count, embedded, hidden)

    async def _marker(
        self, resource: registry.Resource, marker: str | None, part: visible.Part, equals: Equals
    ) -> store.Row | None:
        if marker is None:
            return None
        try:
            row = await self._store.get(resource.table, resource.fields.key(marker))
        except errors.Invalid:
            row = None
        if row is None or not part.has(row) or any(row[name] != value for name, value in equals):
            problem = errors.FieldProblem(
                pointer="",
                code="marker",
                message=f"marker '{marker[:100]}' names no {resource.type.singular} of this list",
                hint=f"give the {resource.type.key} of the last object of the page before, or begin again",
            )
            raise errors.Invalid([problem])
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
        for row in await self._shown(target, seen):
            without = access.hidden(there, row)
            body = target.records.body(row)
            bodies[row[target.records.key_column]] = {n: v for n, v in body.items() if n not in without}
        return bodies
