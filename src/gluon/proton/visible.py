"""Which rows of a type a caller's lists have: as far as possible by SQL, else row by row while they are read.

In: a context. Out: a `Part`, which selects and counts. Invariant: a page is as long as it was asked for while there are
rows, and its marker and count know only of what the caller may see. Called by `lists`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from gluon import errors
from gluon.particles import tables
from gluon.proton import access, query, registry, units
from gluon.spi import store
from gluon.spi.policy import Scope
from gluon.spi.usage import TABLE

_STEP = 1000
"""Rows that are read at a time where each is looked at."""


class Part:
    """What the rules leave of a type."""

    __slots__ = ("_context", "each", "project")

    def __init__(self, context: units.Context) -> None:
        """Raises `Forbidden` where that is nothing, whatever there is."""
        scope = context.access.listed(context.caller)
        if scope is Scope.NOTHING:
            raise access.refuse_listing(context)
        own = scope in (Scope.OWN, Scope.OWN_ROWS)
        self._context = context
        self.each = scope in (Scope.OWN_ROWS, Scope.ROWS)
        """Each row is looked at."""
        self.project = context.caller.project if own else None
        """SQL reads rows of it and of none; None: all."""

    def has(self, row: store.Row) -> bool:
        """Whether a row is of it."""
        if self.project is not None and row[tables.PROJECT] not in (None, self.project):
            return False
        return not self.each or self._lists(row)

    async def select(self, database: store.Store, wanted: store.Select) -> Sequence[store.Row]:
        """The rows that `wanted` means, in its order."""
        wanted = replace(wanted, project=self.project)
        if not self.each:
            return await database.select(wanted)
        limit = wanted.limit
        if limit is None:
            return [row for row in await database.select(wanted) if self._lists(row)]
        found: list[store.Row] = []
        step = max(limit, _STEP)
        key = self._context.resource.records.key_column
        while True:
            rows = await database.select(replace(wanted, limit=step))
            found += [row for row in rows if self._lists(row)]
            if len(found) >= limit or len(rows) < step:
                return found[:limit]
            last = rows[-1]
            wanted = replace(wanted, start=last) if wanted.order else replace(wanted, after=last[key])

    async def count(self, database: store.Store, wanted: store.Select) -> int:
        """How many there are on all pages."""
        if not self.each:
            if self._context.resource.type.quota is not None and not (wanted.filters or wanted.equals):
                return await self._kept(database)
            return await database.count(replace(wanted, project=self.project))
        whole = replace(wanted, project=self.project, order=(), start=None, after=None, limit=_STEP)
        key = self._context.resource.records.key_column
        total = 0
        while True:
            rows = await database.select(whole)
            total += sum(map(self._lists, rows))
            if len(rows) < _STEP:
                return total
            whole = replace(whole, after=rows[-1][key])

    async def _kept(self, database: store.Store) -> int:
        """How many there are of a type whose objects are counted as they are made: as many rows as projects are read."""
        resource = self._context.resource
        of_type = (("api", resource.api), ("type", resource.name))
        mine = () if self.project is None else (_any("project", "", self.project),)
        select = store.Select(table=TABLE.name, equals=of_type, filters=mine)
        return sum(int(n or 0) for (n,) in await database.values(select, ("n",)))

    def _lists(self, row: store.Row) -> bool:
        context = self._context
        return context.access.lists(context.caller, access.read(context.resource, row, context.caller))


def _any(column: str, *values: store.Value) -> store.Filter:
    return store.Filter(column=column, match=store.Match.EQUAL, values=values)


def check_query(context: units.Context, asked: query.Query) -> None:
    """Nothing is asked for by an attribute that the caller may not read. Raises `Forbidden`."""
    if context.caller.admin or not context.access.guards:
        return
    columns = {one.column for one in asked.filters} | {one.column for one in asked.order}
    names = [*_names(context.resource, columns), *asked.embed]
    wrong = sorted({name for name in names if not access.readable(context, name)})
    if wrong:
        raise errors.Forbidden(
            f"the policy does not allow you to read {wrong[0]} of every {context.resource.name} here",
            hint=f"leave {', '.join(wrong)} out of the query",
        )


def _names(resource: registry.Resource, columns: Collection[str]) -> list[str]:
    return [name for name, column in resource.records.columns.items() if column in columns]
