"""Make or extend the schema, and record the models: the only place that changes tables.

In: wanted tables and models. Out: the `Catalog` of the new epoch, or `MigrationRefused` with nothing
changed. Invariant: everything is there before the epoch says so. Called by `sql`.
"""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from gluon import errors
from gluon.spi import store, tables, usage
from gluon.store import ddl, driver, fixed
from gluon.store.compare import Difference, Stored, StoredColumn, compare
from gluon.store.dialect import Dialect
from gluon.store.shape import Catalog, catalog

ACTIVE = "active"
"""The state of a model that is served; a retired one keeps its record and its tables."""

JUMP = 1_000_000
"""How far revisions jump when history is broken."""


class Fetching(Protocol):
    """A connection, or whatever reads as one does."""

    async def fetch(self, sql: str, *args: store.Value) -> Sequence[Sequence[Any]]: ...


async def nothing(connection: driver.Installer) -> None:
    """No more to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hooks:
    """What a change of models does in the same breath: when the installer has begun, and when all of the rest shows
    at once. Models are recorded anew then."""

    begun: Callable[[driver.Installer], Awaitable[None]] = nothing
    locked: Callable[[driver.Installer], Awaitable[None]] = nothing


async def install(
    database: driver.Database,
    wanted: Sequence[tables.Table],
    models: Sequence[store.StoredModel],
    hooks: Hooks | None = None,
    *,
    at: int | None = None,
    fresh: Sequence[tables.Table] | None = None,
) -> Catalog:
    """`at`: the epoch for which this was decided; `fresh`: the tables of `wanted` that may be missing or others,
    None: all. Raises `StaleModel` at another, `MigrationRefused`, driver errors, and
    what `hooks` raise."""
    everything = (*fixed.TABLES, *(wanted if fresh is None else fresh))
    connection = await database.installer()
    try:
        if hooks is not None:
            await connection.execute(database.dialect.hurry)
        await connection.begin()
        if hooks is not None:
            await hooks.begun(connection)
        before = await read_tables(connection, database.dialect)
        new = fixed.WRITER not in before
        if at is not None and at != (0 if new else await epoch_of(connection)):
            raise errors.StaleModel("other models were recorded meanwhile")
        difference = compare(everything, before, database.dialect)
        _refuse(difference)
        if new:
            difference.statements.extend(database.dialect.fixed)
        for sql in difference.statements:
            await connection.execute(sql)
        await connection.switch()
        if hooks is not None:
            await hooks.locked(connection)
        changed = bool(difference.statements) or hooks is not None
        epoch = await _record(
            connection,
            models,
            database.dialect.clock,
            changed=changed,
            anew=hooks is not None,
            counting=usage.TABLE.name in {*before, *(t.name for t in wanted)},
        )
        await connection.commit()
        after = await read_tables(connection, database.dialect) if difference.statements else before
    except driver.Failed as failed:
        connection.kill()
        raise errors.MigrationRefused([f"the database refuses to change: {failed}"]) from failed
    except BaseException:
        connection.kill()
        raise
    await driver.leave(connection)
    return catalog(epoch, wanted, {name: tuple(t.columns) for name, t in after.items()})


async def epoch_of(connection: Fetching) -> int:
    """0 before the first."""
    rows = await connection.fetch("SELECT epoch FROM gluon_writer WHERE id = 1")
    return int(rows[0][0]) if rows else 0


def _refuse(difference: Difference) -> None:
    if difference.reasons:
        raise errors.MigrationRefused(difference.reasons)


async def _record(
    connection: driver.Installer,
    models: Sequence[store.StoredModel],
    clock: str,
    *,
    changed: bool,
    anew: bool,
    counting: bool,
) -> int:
    """The epoch, one more if anything changed."""
    writers = await connection.fetch("SELECT epoch FROM gluon_writer WHERE id = 1")
    if not writers:
        await connection.fetch(
            "INSERT INTO gluon_writer (id, revision, epoch, incarnation) VALUES (1, 0, 0, ?)",
            uuid.uuid4().hex,
        )
    epoch = int(writers[0][0]) if writers else 0
    rows = await connection.fetch("SELECT api, version, digest, loaded_by, state FROM gluon_schema")
    known = {row[0]: (row[1], row[2]) for row in rows if row[4] == ACTIVE}
    before = {row[0]: row[3] for row in rows if row[4] == ACTIVE}
    fresh = [m for m in models if anew or known.get(m.api) != (m.version, m.digest)]
    if not changed and not fresh and writers:
        return epoch
    epoch += 1
    now = (await connection.fetch(f"SELECT {clock}"))[0][0]
    for model in fresh:
        await connection.fetch("DELETE FROM gluon_schema WHERE api = ?", model.api)
        await connection.fetch(
            "INSERT INTO gluon_schema (api, version, digest, document, epoch, state, loaded_at, loaded_by)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            model.api, model.version, model.digest, model.document, epoch, ACTIVE, now,
            model.who or before.get(model.api) or "",
        )  # fmt: skip
        if counting:
            await _count(connection, model)
    await connection.fetch("UPDATE gluon_writer SET epoch = ? WHERE id = 1", epoch)
    return epoch


async def _count(connection: driver.Installer, model: store.StoredModel) -> None:
    """Count the objects of each project under the lock, as the quotas of the new model want it: those that units
    counted before are of other types, or of an earlier life of the quota."""
    await connection.fetch("DELETE FROM gluon_usage WHERE api = ?", model.api)
    for name, table in model.counted.items():
        await connection.fetch(
            "INSERT INTO gluon_usage (project, api, type, n)"
            f" SELECT COALESCE(_project, ''), ?, ?, COUNT(*) FROM {ddl.quoted(table)}"
            " GROUP BY COALESCE(_project, '')",
            model.api, name,
        )  # fmt: skip


async def read_tables(connection: Fetching, dialect: Dialect) -> dict[str, Stored]:
    """The tables of the database, columns in stored order. Raises `MigrationRefused` where a restore did not end."""
    found = await stored_tables(connection, dialect)
    if fixed.RESTORING in found:
        raise errors.MigrationRefused(
            ["the database is half restored: run gluon db restore again, with this backup or another"]
        )
    return found


async def stored_tables(connection: Fetching, dialect: Dialect) -> dict[str, Stored]:
    """The same, whatever state the database is in."""
    found: dict[str, Stored] = {}
    for table, column, kind, nullable, key in await connection.fetch(dialect.columns_sql):
        there = found.setdefault(table, Stored())
        there.columns[column] = StoredColumn(kind, bool(nullable), int(key))
    for table, name in await connection.fetch(dialect.indexes_sql):
        if table in found:
            found[table].indexes.add(name)
    for table, column, target in await connection.fetch(dialect.foreign_sql):
        if table in found:
            found[table].foreign.add((column, target))
    return found


async def rebase(connection: driver.Installer, dialect: Dialect, beyond: int) -> None:
    """A new incarnation; revisions go on above `beyond + JUMP`."""
    await connection.begin()
    await connection.switch()
    rows = await connection.fetch("SELECT revision, (SELECT MAX(revision) FROM journal) FROM gluon_writer")
    if not rows:
        raise errors.Unavailable("the schema was not installed")
    base = max(int(rows[0][0]), int(rows[0][1] or 0), beyond) + JUMP
    await connection.fetch(
        "UPDATE gluon_writer SET revision = ?, incarnation = ? WHERE id = 1", base, uuid.uuid4().hex
    )
    if dialect.restart:
        await connection.fetch(dialect.restart, base)
    await connection.commit()
