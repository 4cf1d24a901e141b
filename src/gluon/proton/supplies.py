"""Values that come from pools: taken, wished for and released with the objects that hold them.

In: a model's pools, compiled by `registry`, and rows of a unit. Out: rows with their values; the writes go to the
unit's session (`gluon.pools`). Invariant: an attribute with a pool holds a value (a list: each of its items) exactly as long
as the pool says that this attribute of this object holds it. Pure.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from gluon import errors, pools
from gluon.model import types
from gluon.objects import codec
from gluon.particles import pooling, records
from gluon.proton import referring
from gluon.spi import store
from gluon.values.space import Part, Space

_MOST = 100
"""Objects of a type whose pools are kept."""


class Kind(Protocol):
    """What this room needs of a resource."""

    @property
    def pooled(self) -> tuple[Pooled, ...]: ...
    @property
    def pools(self) -> tuple[OwnPool, ...]: ...
    @property
    def name(self) -> str: ...
    @property
    def records(self) -> records.Records: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Draws:
    """Of which parts of their pools attributes take, one value of each part; a list has them behind what it is given.
    `ranges`: by attribute; None: each family of addresses, `first` the one that comes first and `others`, a list of the same
    pool, the rest."""

    first: str
    others: str | None
    ranges: Mapping[str, Sequence[str]] | None = None

    def of(self, name: str, space: Space) -> Sequence[Part]:
        """The parts for an attribute; none: it has what it would have anyway."""
        if self.ranges is not None:
            return [space.within(one) for one in self.ranges.get(name, ())]
        families = space.families
        if len(families) < 2 or name not in (self.first, self.others):
            return ()
        return families[:1] if name == self.first else families[1:]


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnPool:
    """A pool that each object of a type has."""

    api: str
    owner: str
    pool: types.Pool
    records: records.Records
    known: dict[store.Value, tuple[store.Row, pools.Supply]] = field(default_factory=dict)
    """By key, of the row that was last seen."""

    def id(self, key: object) -> str:
        return pools.object_pool_id(self.api, self.owner, key, self.pool.name)

    def supply(self, row: store.Row) -> pools.Supply:
        """Its values while the object is `row`. Raises `Invalid` where an attribute holds no range."""
        key = row[self.records.key_column]
        known = self.known.get(key)
        if known is not None and known[0] is row:  # the units of a batch see the same one
            return known[1]
        if len(self.known) >= _MOST:
            self.known.clear()
        made = self._made(row)
        self.known[key] = row, made
        return made

    def _made(self, row: store.Row) -> pools.Supply:
        sources, exclude = pooling.ranges(self.records, self.pool, row)
        try:
            return pools.of_object(
                self.api, self.owner, row[self.records.key_column], self.pool, sources, exclude
            )
        except ValueError as error:
            at = (self.pool.source or "").split(".")[0]
            problem = errors.FieldProblem(
                pointer=f"/{at}" if at else "",
                code="pool_range",
                message=f"pool {self.pool.name}: {error}",
                hint="give prefixes or ranges of the pool's type",
            )
            raise errors.Invalid([problem]) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pooled:
    """An attribute that takes from a pool: of the model (`supply`), or of the object that `through` refers to. A list takes
    what is wished for, and is given nothing by itself."""

    attribute: types.Attribute
    column: str
    owner: str
    key_column: str
    rest: int
    supply: pools.Supply | None = None
    through: referring.Reference | None = None
    of: OwnPool | None = None

    def holder(self, row: store.Row) -> str:
        return pooling.holder(self.owner, row[self.key_column], self.attribute.name)

    def values(self, row: store.Row) -> list[Any]:
        """All that it has of the pool while the object is `row`."""
        return pooling.values(self.attribute, row[self.column])

    def id(self, row: Mapping[str, Any]) -> str | None:
        """The pool while the object is `row`; None: there is none, as it refers to nothing."""
        if self.supply is not None:
            return self.supply.id
        key = row.get(self.through.column) if self.through is not None else None
        return None if key is None or self.of is None else self.of.id(key)

    def source(self, view: store.View, row: store.Row) -> pools.Supply | None:
        """The values that may be taken. The object referred to is there: that was checked before."""
        if self.supply is not None or self.through is None or self.of is None:
            return self.supply
        key = row[self.through.column]
        target = view.get(self.through.target_table, key) if key is not None else None
        return None if target is None else self.of.supply(target)


def reads(kind: Kind, values: Mapping[str, Any]) -> list[store.Lookup]:
    """What a new object of these values will look at."""
    found: list[store.Lookup] = []
    for pooled in kind.pooled:
        pool = pooled.id(values)
        given = values.get(pooled.attribute.name)
        if pool is None:
            continue
        if pooled.attribute.drawn:
            found += pools.reads(pool) if given is None else pools.reads(pool, given)
        elif given:
            found += pools.reads(pool, *given)
    return found


def steering(kind: Kind) -> frozenset[str]:
    """Attributes by which a new object looks at other pools, or at more of one, than an object without them does."""
    through = (p.through.attribute for p in kind.pooled if p.through is not None)
    return frozenset({*(p.attribute.name for p in kind.pooled), *through})


def supply(
    session: pools.Session,
    view: store.View,
    kind: Kind,
    before: store.Row | None,
    row: store.Row,
    given: Collection[str],
    draws: Draws | None = None,
) -> store.Row:
    """The row with values for all that has a pool. `given`: attributes that the request names.

    A value stays while neither it nor its pool changes; with another pool it is replaced, unless it is given, immutable or in
    a list. Where there is no pool, or one that has no ranges, null will do. Raises `Conflict` or `Invalid`.
    """
    new = dict(row)
    for pooled in kind.pooled:
        if before is not None:
            _release(session, pooled, before, row)
    left: list[tuple[Pooled, pools.Supply, Part | None]] = []
    for pooled in kind.pooled:
        name, value = pooled.attribute.name, row[pooled.column]
        pool, held = pooled.id(row), None
        if before is not None:
            held = pooled.id(before)
            if draws is None and pool == held and value == before[pooled.column]:
                continue
        source = pooled.source(view, row)
        parts = draws.of(name, source.space) if draws is not None and source is not None else ()
        left += [(pooled, source, part) for part in parts if source is not None]
        if not pooled.attribute.drawn:
            if source is not None:
                _wish_all(session, source, pooled, before if pool == held else None, row)
            continue
        if parts or (before is not None and pool == held and value == before[pooled.column]):
            continue
        if source is None:
            if value is not None and name not in given and held is not None and pooled.attribute.nullable:
                new[pooled.column] = None
            if value is None and not pooled.attribute.nullable:
                raise _nowhere(pooled)
            continue
        keeps = name in given or pooled.attribute.immutable or pool == held
        if value is not None and (keeps or before is None):
            session.wish(source, value, pooled.holder(row), f"/{name}")
        elif not source.space.size and pooled.attribute.nullable:
            new[pooled.column] = None
        elif value is not None or (before is None and name not in given):
            left.append((pooled, source, None))
    for pooled, source, of in left:  # last, so that none gets what another attribute wishes for
        holder = pooled.holder(row)
        taken = session.take(source, holder) if of is None else session.take_of(source, of, holder)
        if not pooled.attribute.drawn:
            taken = codec.encode([*(referring.plain(new[pooled.column]) or ()), taken]).decode()
        new[pooled.column] = taken
    return new


def supply_new(
    view: store.View,
    changes: store.Changes,
    kind: Kind,
    row: store.Row,
    given: Collection[str],
    project: str | None,
    draws: Draws | None = None,
) -> store.Row:
    """As `supply`, for a new object that is alone in its unit; the writes go to `changes`, which has none yet."""
    if draws is not None and draws.ranges is not None:
        return _supply_alone(view, changes, kind, row, given, project, draws)
    new = row.copy()
    used: list[str] = []
    for pooled in kind.pooled:
        if not pooled.attribute.drawn and not pooled.values(row):
            continue
        source = pooled.supply or pooled.source(view, row)
        taken = None
        if (
            source is not None
            and pooled.attribute.name not in given
            and source.id not in used
            and (draws is None or not draws.of(pooled.attribute.name, source.space))
        ):
            used.append(source.id)
            taken = pools.take_next(view, source, pooled.holder(row), project)
        if taken is None:
            del changes.writes[:]
            return _supply_alone(view, changes, kind, row, given, project, draws)
        new[pooled.column], written = taken
        changes.writes += written
    return new


def _supply_alone(
    view: store.View,
    changes: store.Changes,
    kind: Kind,
    row: store.Row,
    given: Collection[str],
    project: str | None,
    draws: Draws | None,
) -> store.Row:
    """With a session of its own."""
    session = pools.Session(view, project=project)
    supplied = supply(session, view, kind, None, row, given, draws)
    session.flush(changes)
    return supplied


def _nowhere(pooled: Pooled) -> errors.Invalid:
    name = pooled.attribute.name
    through = pooled.through.attribute if pooled.through is not None else "its pool"
    problem = errors.FieldProblem(
        pointer=f"/{name}",
        code="required",
        message=f"{name}: a value is required, and without {through} there is no pool to take it from",
        hint=f"give {name} or {through}",
    )
    return errors.Invalid([problem])


def _wish_all(
    session: pools.Session, source: pools.Supply, pooled: Pooled, before: store.Row | None, row: store.Row
) -> None:
    """What a list has now and had not `before`, while its pool is the same."""
    stays = pooled.values(before) if before is not None else []
    wished: list[tuple[int, Any]] = []
    for number, value in enumerate(referring.plain(row[pooled.column]) or ()):
        if value in stays:
            stays.remove(value)
        elif value is not None:
            wished.append((number, value))
    if wished:
        session.expect(source.id, [value for _, value in wished])
    for number, value in wished:
        pointer = f"/{pooled.attribute.name}/{number}"
        session.wish(source, value, pooled.holder(row), pointer, listed=True)


def _release(session: pools.Session, pooled: Pooled, before: store.Row, after: store.Row | None) -> None:
    """What it held of its pool and does not hold any more."""
    pool = pooled.id(before)
    if pool is None:
        return
    stays: list[Any] = []
    if after is not None and pooled.id(after) == pool:
        if before[pooled.column] == after[pooled.column]:
            return
        stays = pooled.values(after)
    gone = [value for value in pooled.values(before) if value not in stays]
    if gone:
        session.expect(pool, gone)
    for value in gone:
        session.release(pool, value, pooled.holder(before), pooled.rest)


def follow(session: pools.Session, kind: Kind, before: store.Row | None, after: store.Row | None) -> None:
    """After an object changed or went: values it no longer holds are free, its own pools have its new ranges."""
    for pooled in kind.pooled:
        if before is None:
            break
        _release(session, pooled, before, after)
    for own in kind.pools:
        if after is None:
            assert before is not None
            session.drop(own.id(before[own.records.key_column]))
            continue
        supply = own.supply(after)
        if before is not None and own.supply(before).space.digest != supply.space.digest:
            session.respace(supply)


def own_pools(api: str, made: Mapping[str, records.Records]) -> Mapping[str, tuple[OwnPool, ...]]:
    """The pools that objects have, by type."""
    return {
        name: tuple(
            OwnPool(api=api, owner=name, pool=pool, records=form) for pool in form.object_type.pools.values()
        )
        for name, form in made.items()
    }


def pooled(
    model: types.Model,
    form: records.Records,
    references: Collection[referring.Reference],
    own: Mapping[str, tuple[OwnPool, ...]],
) -> tuple[Pooled, ...]:
    """The attributes of one type that take from a pool."""
    found = []
    for attribute in form.object_type.attributes.values():
        use = attribute.pool
        if use is None:
            continue
        through = next((r for r in references if r.link is None and r.attribute == use.through), None)
        of = next((p for p in own[through.target] if p.pool.name == use.name), None) if through else None
        pool = of.pool if of is not None else model.pools[use.name]
        found.append(
            Pooled(
                attribute=attribute,
                column=form.column(attribute.name),
                owner=form.object_type.name,
                key_column=form.key_column,
                rest=pool.rest,
                supply=None if of is not None else pools.of_model(model.name, pool),
                through=through,
                of=of,
            )
        )
    return tuple(found)
