"""Values of pools against their holders: a value is held exactly where an object has it.

In: a checkup. Out: its findings. Pairs are kept as digests of 8 bytes, so that a million values cost some 100 MB.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from hashlib import blake2b

from gluon import pools
from gluon.integrity.findings import Checkup, Kind, named
from gluon.particles import tables as model_tables
from gluon.pools import tables as pool_tables

_CURE = "write the attribute of the object anew: another value, then its own; or restore a backup"


async def check(checkup: Checkup) -> None:
    there = checkup.picture.there
    if pool_tables.VALUE not in there or pool_tables.POOL not in there:
        return
    await _counts(checkup)
    held = set()
    async for pool, value, holder in _held(checkup):
        held.add(_digest(pool, value, holder))
    wanted = set()
    for resource in checkup.known.by_name.values():
        if not resource.pooled or resource.table not in there:
            continue
        async for chunk in checkup.picture.scan(model_tables.table(resource.model, resource.type)):
            for row in chunk:
                for pooled in resource.pooled:
                    source = pooled.id(row)
                    for given in pooled.values(row) if source is not None else ():
                        mark = _digest(str(source), str(given), pooled.holder(row))
                        wanted.add(mark)
                        if mark not in held:
                            checkup.find(
                                Kind.POOLS, resource.table, named(resource, row[resource.records.key_column]),
                                f"{pooled.attribute.name} {given} is not held by it in pool {source}", _CURE,
                            )  # fmt: skip
    if held - wanted:
        await _orphans(checkup, wanted)


async def _counts(checkup: Checkup) -> None:
    rows = await checkup.picture.fetch(
        "SELECT p.id, p.held, COUNT(v.value) FROM gluon_pool p LEFT JOIN gluon_pool_value v"
        " ON v.pool = p.id AND v.holder IS NOT NULL GROUP BY p.id, p.held HAVING p.held <> COUNT(v.value)"
    )
    for pool, said, counted in rows:
        checkup.find(
            Kind.POOLS, pool_tables.POOL, f"pool {pool}", f"{counted} values are held, its count says {said}",
            "restore a backup; values are given correctly meanwhile, only what errors say of the pool is wrong",
        )  # fmt: skip


async def _orphans(checkup: Checkup, wanted: set[bytes]) -> None:
    """Values held by an object that does not have them. Those of protons that are served no more stay held."""
    served = {m.name for m in checkup.models}
    async for pool, value, holder in _held(checkup):
        if pool.split("/", 1)[0] in served and _digest(pool, value, holder) not in wanted:
            checkup.find(
                Kind.POOLS, pool_tables.VALUE, f"pool {pool}", f"{value} is held by {holder}, which does not have it",
                "nobody gets this value until a backup is restored; others are given",
            )  # fmt: skip


async def _held(checkup: Checkup) -> AsyncIterator[tuple[str, str, str]]:
    (table,) = [t for t in pools.TABLES if t.name == pool_tables.VALUE]
    async for chunk in checkup.picture.scan(table):
        for row in chunk:
            if row["holder"] is not None:
                yield str(row["pool"]), str(row["value"]), str(row["holder"])


def _digest(*texts: str) -> bytes:
    return blake2b("\0".join(texts).encode(), digest_size=8).digest()
