"""Values of pools against the objects: a value is held exactly where an object has it, and a pool knows of all that its rows say.

In: a checkup. Out: its findings; `Look` and `distrusted` also tell `giving` what to mend. Pairs are kept as digests of 8 bytes, so that a
million values cost some 100 MB, and as much again if all of them are wrong.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from gluon import pools
from gluon.integrity.findings import Checkup, Kind, named
from gluon.particles import tables as model_tables
from gluon.pools import tables as pool_tables
from gluon.pools.state import CHUNK
from gluon.proton import registry, supplies
from gluon.spi import store

VALUES, POOLS, BLOCKS = (
    next(t for t in pools.TABLES if t.name == name)
    for name in (pool_tables.VALUE, pool_tables.POOL, pool_tables.BLOCK)
)
_REPAIR = "gluon db check --repair"
_PAGE = 2000
_PLACED = f"holder IS NULL AND slot >= chunk * {CHUNK} AND slot < (chunk + 1) * {CHUNK}"
"""A value that waits where it is looked for."""


async def check(checkup: Checkup) -> None:
    if not there(checkup):
        return
    look = Look(checkup)
    await look.begin()
    async for chunk in look.unheld():
        for one in chunk:
            said, cure = f"is not held by it in pool {one.pool}", f"{_REPAIR} lets it hold the value"
            if not one.owned:
                cure = f"{one.through} refers to nothing: cure that first"
            elif one.other is not None:
                said = f"of pool {one.pool} is what {one.other} has"
                cure = f"give one of the two objects another value, then {_REPAIR}"
            key = one.row[one.resource.records.key_column]
            checkup.find(
                Kind.POOLS, one.resource.table, named(one.resource, key),
                f"{one.pooled.attribute.name} {one.value} {said}", cure, mendable=one.mendable,
            )  # fmt: skip
    async for rows in look.orphans():
        for row in rows:
            checkup.find(
                Kind.POOLS, pool_tables.VALUE, f"pool {row['pool']}",
                f"{row['value']} is held by {row['holder']}, which does not have it",
                f"{_REPAIR} gives it back to the pool", mendable=True,
            )  # fmt: skip
    async for pool in distrusted(checkup):
        checkup.find(
            Kind.POOLS, pool_tables.POOL, f"pool {pool}",
            "what it knows of its values, as how many are in use and which were never given, is not what their rows say",
            f"{_REPAIR} makes it anew of them", mendable=True,
        )  # fmt: skip


def there(checkup: Checkup) -> bool:
    return checkup.picture.there.keys() >= {VALUES.name, POOLS.name, BLOCKS.name}


def served(checkup: Checkup, pool: object) -> bool:
    """Whether it is of a proton that is served: values of others stay held, with the objects that have them."""
    return str(pool).partition("/")[0] in checkup.known.made


@dataclass(frozen=True, slots=True, kw_only=True)
class Unheld:
    """A value that an object has, and that the pool does not know as its own. `owned`: the object that has the pool is there;
    `other`: who has this value as well."""

    resource: registry.Resource
    pooled: supplies.Pooled
    row: store.Row
    pool: str
    value: str
    owned: bool
    other: str | None

    @property
    def holder(self) -> str:
        return self.pooled.holder(self.row)

    @property
    def through(self) -> str:
        return self.pooled.through.attribute if self.pooled.through is not None else ""

    @property
    def mendable(self) -> bool:
        return self.owned and self.other is None


class Look:
    """Both sides, once each; what differs is looked at again. `begin`, then `unheld`, then `orphans`: rows may be written meanwhile, to
    let objects hold what they have."""

    def __init__(self, checkup: Checkup) -> None:
        self._checkup = checkup
        self._lost: set[bytes] = set()
        """What is held, without what an object has."""
        self._unheld: set[bytes] = set()

    async def begin(self) -> None:
        async for rows in self._held():
            self._lost.update(_digest(row["pool"], row["value"], row["holder"]) for row in rows)
        async for having in self._having():
            for _, pooled, row, pool, value in having:
                mark = _digest(pool, value, pooled.holder(row))
                if mark in self._lost:
                    self._lost.discard(mark)
                else:
                    self._unheld.add(mark)

    async def unheld(self) -> AsyncIterator[Sequence[Unheld]]:
        """By chunks, none of which names a value twice as nobody else's."""
        first: dict[bytes, str] = {}
        if not self._unheld:
            return
        async for having in self._having():
            wrong = [h for h in having if _digest(h[3], h[4], h[1].holder(h[2])) in self._unheld]
            if not wrong:
                continue
            keys = list(dict.fromkeys((pool, value) for _, _, _, pool, value in wrong))
            rows = await self._checkup.picture.found(VALUES, VALUES.key, keys)
            holders = {(row["pool"], row["value"]): row["holder"] for row in rows}
            owners = await self._owners([(pooled, row) for _, pooled, row, _, _ in wrong])
            found = []
            for resource, pooled, row, pool, value in wrong:
                mark, holder = _digest(pool, value), holders.get((pool, value))
                other = first.get(mark)
                if other is None and holder is not None and _digest(pool, value, holder) not in self._lost:
                    other = str(holder)
                owned = (
                    pooled.through is None
                    or (pooled.through.target_table, row[pooled.through.column]) in owners
                )
                if other is None and owned:
                    first[mark] = pooled.holder(row)
                found.append(
                    Unheld(
                        resource=resource,
                        pooled=pooled,
                        row=row,
                        pool=pool,
                        value=value,
                        owned=owned,
                        other=other,
                    )
                )
            yield found

    async def orphans(self) -> AsyncIterator[Sequence[store.Row]]:
        """Rows of values that are held by what does not have them."""
        if not self._lost:
            return
        async for rows in self._held():
            found = [r for r in rows if _digest(r["pool"], r["value"], r["holder"]) in self._lost]
            if found:
                yield found

    async def _held(self) -> AsyncIterator[Sequence[store.Row]]:
        async for chunk in self._checkup.picture.scan(VALUES):
            yield [row for row in chunk if row["holder"] is not None and served(self._checkup, row["pool"])]

    async def _having(self) -> AsyncIterator[list[_Having]]:
        for resource in self._checkup.known.by_name.values():
            if not resource.pooled or resource.table not in self._checkup.picture.there:
                continue
            async for chunk in self._checkup.picture.scan(model_tables.table(resource.model, resource.type)):
                yield [
                    (resource, pooled, row, pool, value)
                    for row in chunk
                    for pooled in resource.pooled
                    if (pool := pooled.id(row)) is not None
                    for value in dict.fromkeys(map(str, pooled.values(row)))
                ]

    async def _owners(
        self, wanted: Sequence[tuple[supplies.Pooled, store.Row]]
    ) -> set[tuple[str, store.Value]]:
        """Which of the objects that have the pools are there."""
        asked: dict[str, tuple[registry.Resource, set[store.Value]]] = {}
        for pooled, row in wanted:
            if pooled.through is not None and pooled.of is not None:
                resource = self._checkup.known.by_name[pooled.of.api, pooled.of.owner]
                _, keys = asked.setdefault(resource.table, (resource, set()))
                keys.add(row[pooled.through.column])
        found: set[tuple[str, store.Value]] = set()
        for name, (resource, keys) in asked.items():
            if name in self._checkup.picture.there:
                key = resource.records.key_column
                table = model_tables.table(resource.model, resource.type)
                rows = await self._checkup.picture.found(table, (key,), [(k,) for k in keys])
                found |= {(name, row[key]) for row in rows}
        return found


_Having = tuple[registry.Resource, supplies.Pooled, store.Row, str, str]
"""An object with a value, and the pool that it is of."""


async def distrusted(checkup: Checkup) -> AsyncIterator[str]:
    """Pools that know other than their rows say, and those of which there are rows of values alone."""
    counts = (
        f"SELECT pool, COUNT(*), COUNT(holder), COUNT(CASE WHEN outside THEN 1 END), COUNT(DISTINCT CASE WHEN {_PLACED}"
        f" THEN slot END), COALESCE(MIN(CASE WHEN {_PLACED} THEN slot END), 0),"
        f" COALESCE(MAX(CASE WHEN {_PLACED} THEN slot END), 0)"
        " FROM gluon_pool_value WHERE pool >= ? AND pool <= ? GROUP BY pool"
    )
    async for chunk in checkup.picture.scan(POOLS):
        ends = str(chunk[0]["id"]), str(chunk[-1]["id"])
        rows = await checkup.picture.fetch(counts, *ends)
        counted = {str(pool): tuple(map(int, found)) for pool, *found in rows}
        marked: dict[str, list[store.Row]] = {}
        marks = [(row["id"],) for row in chunk if max(row["fresh_height"], row["hole_height"]) >= 0]  # type: ignore[type-var,operator]
        for row in await checkup.picture.found(BLOCKS, (BLOCKS.key[0],), marks):
            marked.setdefault(str(row["pool"]), []).append(row)
        for row in chunk:
            pool = str(row["id"])
            all_, held, outside, placed, first, last = counted.get(pool, (0,) * 6)
            said = row["held"], row["outside"], row["queued"], placed
            places = range(int(row["head"] or 0), int(row["tail"] or 0))
            fine = (
                said == (held, outside, all_ - held, all_ - held)
                and (not placed or (first in places and last in places))
                and pools.sound(row, marked.get(pool, ()), within=all_ - outside, queued=all_ - held)
            )
            if not fine and served(checkup, pool):
                yield pool
    lone = await checkup.picture.fetch(
        "SELECT DISTINCT v.pool FROM gluon_pool_value v LEFT JOIN gluon_pool p ON p.id = v.pool WHERE p.id IS NULL"
    )
    for (pool,) in lone:
        if served(checkup, pool):
            yield pool


def _digest(*texts: object) -> bytes:
    return blake2b("\0".join(map(str, texts)).encode(), digest_size=8).digest()
