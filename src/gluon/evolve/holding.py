"""Values that stored objects have, where a new model takes them from another pool than before, or from one at all.

In: a plan; objects as they are at the switch. Out: writes to the tables of pools, in the switch's own transaction: what an attribute
no longer has of a pool goes back, what it has of its new one is held by it. Raises `Stopped` where somebody else has a value. What
lies outside of the ranges stays with its holder, as where the ranges change. Called by `runner`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from gluon import pools
from gluon.evolve import settling, values, watching
from gluon.evolve.plan import Kind, Plan
from gluon.evolve.work import SHOWN, Stopped
from gluon.model.types import Attribute, Model, ObjectType, Pool
from gluon.objects import journal
from gluon.particles import pooling, records, tables
from gluon.spi import store
from gluon.spi import tables as spi_tables

_AT_ONCE = 200
"""Objects that one statement reads."""
_EMPTY = (None, "[]")


class Look:
    """A `settling.Place` of what is there now; nothing is written."""

    def __init__(self, select: Callable[[store.Select], Awaitable[Sequence[store.Row]]]) -> None:
        self._select = select
        self._known: dict[tuple[str, store.Value], Sequence[store.Row]] = {}

    async def rows(self, table: str, column: str, values: Sequence[store.Value]) -> Sequence[store.Row]:
        found: list[store.Row] = []
        for start in range(0, len(values), _AT_ONCE):
            some = store.Filter(
                column=column, match=store.Match.EQUAL, values=tuple(values[start : start + _AT_ONCE])
            )
            found += await self._select(store.Select(table=table, filters=(some,)))
        return found

    async def found(
        self, table: str, columns: tuple[str, ...], values: Sequence[tuple[store.Value, ...]]
    ) -> Sequence[store.Row]:
        """All that a pool has is read at once."""
        wanted = set(values)
        for first in {value[0] for value in values}:
            if (table, first) not in self._known:
                one = store.Select(table=table, equals=((columns[0], first),))
                self._known[table, first] = await self._select(one)
        every = (row for first in {value[0] for value in values} for row in self._known[table, first])
        return [row for row in every if tuple(row[c] for c in columns) in wanted]

    async def write(
        self, table: str, gone: Sequence[tuple[store.Value, ...]], rows: Sequence[store.Row]
    ) -> None: ...


class _Use:
    """An attribute of one model with the pool that it takes from."""

    def __init__(self, model: Model, name: str, attribute: Attribute) -> None:
        assert attribute.pool is not None
        self.attribute, self._model, self._name = attribute, model, name
        self._form = records.Records(model, model.types[name])
        self._column = self._form.column(attribute.name)
        through = attribute.pool.through
        self._through = self._form.column(through) if through is not None else None
        reference = model.types[name].attributes[through].reference if through is not None else None
        self.target = records.Records(model, model.types[reference]) if reference is not None else None
        owned = model.types[reference].pools if reference is not None else model.pools
        self.pool: Pool = owned[attribute.pool.name]

    def holder(self, row: store.Row) -> str:
        return pooling.holder(self._name, row[self._form.key_column], self.attribute.name)

    def values(self, row: store.Row) -> list[Any]:
        return pooling.values(self.attribute, row.get(self._column))

    def owner(self, row: store.Row) -> store.Value:
        """The key of the object that has the pool."""
        return row.get(self._through) if self._through is not None else None

    def id(self, row: store.Row) -> str | None:
        """None: there is none, as the object refers to nothing."""
        if self.target is None:
            return pools.model_pool_id(self._model.name, self.pool.name)
        key, kind = self.owner(row), self.target.object_type.name
        return None if key is None else pools.object_pool_id(self._model.name, kind, key, self.pool.name)

    def supply(self, owner: store.Row | None) -> pools.Supply:
        """`owner`: the object that has the pool. Raises `ValueError`."""
        if self.target is None:
            return pools.of_model(self._model.name, self.pool)
        if owner is None:
            raise ValueError("the object that has it is not there")
        row = {**dict.fromkeys(self.target.columns.values()), **owner}
        made = pooling.ranges(self.target, self.pool, row)
        kind, key = self.target.object_type.name, row[self.target.key_column]
        return pools.of_object(self._model.name, kind, key, self.pool, *made)


class _Moving:
    """The attributes of one type whose pool changes."""

    def __init__(self, old: Model, new: Model, name: str) -> None:
        self.api, self.name = new.name, name
        self.old, after = old.types[name], new.types.get(name)
        self.source, self.key = tables.table_of(old, self.old), _key(self.old)
        self.table, self.new_key = (
            (tables.table_of(new, after), _key(after)) if after is not None else ("", "")
        )
        self.given: list[_Use] = []
        self.taken: list[_Use] = []
        self._columns: list[str] = []
        for was, is_ in moved(self.old.attributes, after.attributes if after is not None else {}):
            self._columns.append(tables.column_name(was))
            self.given += [_Use(old, name, was)] if was.pool is not None else []
            self.taken += [_Use(new, name, is_)] if is_ is not None and is_.pool is not None else []

    def concerns(self, row: store.Row) -> bool:
        """Whether an object of the old model has any such value."""
        return any(row[column] not in _EMPTY for column in self._columns)


def moved(
    old: Mapping[str, Attribute], new: Mapping[str, Attribute]
) -> Iterator[tuple[Attribute, Attribute | None]]:
    """The attributes that take from another pool than before, or from one at all, or from none any more: as they go, too."""
    taken = set()
    for attribute in new.values():
        source = values.source(old, attribute)
        taken.add(source)
        if source is not None and old[source].pool != attribute.pool:
            yield old[source], attribute
    for name, attribute in old.items():
        if name not in taken and attribute.pool is not None:
            yield attribute, None


def _key(kind: ObjectType) -> str:
    return tables.column_name(kind.attributes[kind.key])


class Holding:
    """What one upgrade does with pools. `note` whatever may have such values, then `settle`."""

    def __init__(self, plan: Plan) -> None:
        old = {m.name: m for m in plan.old}
        new = {m.name: m for m in plan.new}
        wanted = [(s.api, s.object_type) for s in plan.steps if s.kind is Kind.HOLD]
        self._moving = {(api, name): _Moving(old[api], new[api], name) for api, name in wanted}
        self._keys: dict[tuple[str, str], dict[store.Value, None]] = {name: {} for name in wanted}

    @property
    def sources(self) -> Iterator[tuple[tuple[str, str], str]]:
        """The types whose objects are looked at, with the tables that have them."""
        return ((name, moving.source) for name, moving in self._moving.items())

    @property
    def tables(self) -> Sequence[spi_tables.Table]:
        """What is read and written beside the objects."""
        return pools.TABLES if self._moving else ()

    def note(self, name: tuple[str, str], rows: Sequence[store.Row]) -> store.Value:
        """A page of objects as the old table has them; the key of the last one."""
        moving = self._moving[name]
        self._keys[name].update(dict.fromkeys(row[moving.key] for row in rows if moving.concerns(row)))
        return rows[-1][moving.key]

    def note_entries(self, entries: Iterable[journal.Entry]) -> None:
        """Objects that were written meanwhile."""
        for entry in entries:
            name = (entry.api, entry.type)
            if name in self._moving:
                self._keys[name][watching.key_of(self._moving[name].old, entry.key)] = None

    async def settle(self, locked: settling.Place) -> None:
        """When the new tables have the objects. Raises `Stopped`; then nothing of the switch is done."""
        acts: dict[str, settling.Acts] = {}
        problems: list[str] = []
        for name, moving in self._moving.items():
            keys = list(self._keys[name])
            await self._give(locked, moving, keys, acts)
            await self._take(locked, moving, keys, acts, problems)
        for id_, one in acts.items():
            problems += await settling.settle(locked, id_, one)
        if problems:
            raise Stopped(problems[:SHOWN], len(problems))

    async def _give(
        self,
        locked: settling.Place,
        moving: _Moving,
        keys: Sequence[store.Value],
        acts: dict[str, settling.Acts],
    ) -> None:
        """What goes back, by the objects as they were."""
        if not moving.given:
            return
        for row in await locked.rows(moving.source, moving.key, keys):
            for use in moving.given:
                id_, rest = use.id(row), use.pool.rest
                if id_ is not None:
                    one = acts.setdefault(id_, settling.Acts())
                    one.free += [(value, use.holder(row), rest) for value in use.values(row)]

    async def _take(
        self,
        locked: settling.Place,
        moving: _Moving,
        keys: Sequence[store.Value],
        acts: dict[str, settling.Acts],
        problems: list[str],
    ) -> None:
        """What is held from now on, by the objects as they will be."""
        rows = await locked.rows(moving.table, moving.new_key, keys) if moving.taken else ()
        for use in moving.taken:
            having = [(row, use.values(row), use.id(row)) for row in rows]
            having = [(row, found, id_) for row, found, id_ in having if found and id_ is not None]
            owners: dict[store.Value, store.Row] = {}
            if use.target is not None:
                named = list(dict.fromkeys(use.owner(row) for row, _, _ in having))
                column = use.target.key_column
                owners = {r[column]: r for r in await locked.rows(use.target.table, column, named)}
            for row, found, id_ in having:
                one = acts.setdefault(str(id_), settling.Acts())
                where = f"{moving.api} {moving.name} {row[moving.new_key]}: {use.attribute.name}"
                try:
                    one.supply = one.supply or use.supply(owners.get(use.owner(row)))
                except ValueError as error:
                    problems.append(f"{where}: pool {use.pool.name}: {error}")
                    continue
                project = row[tables.PROJECT]
                whose = None if project is None else str(project)
                one.held += [(value, use.holder(row), whose, where) for value in found]
