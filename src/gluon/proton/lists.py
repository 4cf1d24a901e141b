"""Pages of objects, as a `query.Query` asks for them.

In: a context, a query, what all rows have in common. Out: a `Page` of what the caller may see. A marker or a
referred object that the caller may not see is as good as missing. Called by `service`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import msgspec

from gluon import errors
from gluon.particles import tables
from gluon.proton import query as queries
from gluon.proton import registry, units
from gluon.spi import policy, store

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


class Lists:
    """`shown` puts the operational status into rows."""

    def __init__(self, database: store.Store, rules: policy.Policy, shown: Shown) -> None:
        self._store = database
        self._policy = rules
        self._shown = shown

    async def page(self, context: units.Context, query: queries.Query, equals: Equals = ()) -> Page:
        """Raises `Invalid` for a marker that names no object here."""
        resource = context.resource
        scope = self._policy.scope(context.caller, resource.api, resource.name)
        self._policy.check(context.caller, "list", resource.api, resource.name, scope)
        start = await self._marker(resource, query.marker, scope, equals)
        wanted = store.Select(
            table=resource.table,
            equals=equals,
            project=scope,
            filters=query.filters,
            order=query.order,
            start=start if query.order else None,
            after=start[resource.records.key_column] if start is not None and not query.order else None,
            limit=query.limit + 1,
        )
        rows = await self._store.select(wanted) if query.limit else ()
        more = len(rows) > query.limit
        rows = await self._shown(resource, rows[: query.limit])
        count = await self._store.count(wanted) if query.count else None
        embedded = {name: await self._embedded(context, name, rows) for name in query.embed}
        return Page(resource, rows, more, count, embedded)

    async def _marker(
        self, resource: registry.Resource, marker: str | None, scope: str | None, equals: Equals
    ) -> store.Row | None:
        if marker is None:
            return None
        try:
            row = await self._store.get(resource.table, resource.fields.key(marker))
        except errors.Invalid:
            row = None
        if (
            row is None
            or (scope is not None and row[tables.PROJECT] not in (None, scope))
            or any(row[name] != value for name, value in equals)
        ):
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
        seen = [row for row in found if row is not None and self._may_see(context, target, row)]
        bodies: dict[store.Value, dict[str, Any] | None] = dict.fromkeys(keys)
        for row in await self._shown(target, seen):
            bodies[row[target.records.key_column]] = target.records.body(row)
        return bodies

    def _may_see(self, context: units.Context, target: registry.Resource, row: store.Row) -> bool:
        scope = self._policy.scope(context.caller, target.api, target.name)
        project = units.text_of(row[tables.PROJECT])
        if scope is not None and project not in (None, scope):
            return False
        try:
            self._policy.check(context.caller, "get", target.api, target.name, project)
        except errors.Forbidden:
            return False
        return True
