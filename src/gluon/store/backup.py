"""Write all tables to a file, as of one moment, while servers serve.

In: a picture of the database, which tables models have. Out: a file of `portable`, from which `restoring` fills any of
the three databases. The journal goes too: it is the history of who did what. Called by mains.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from gluon.spi import store, tables
from gluon.store import fixed, portable
from gluon.store.picture import Picture
from gluon.store.shape import in_order, taker

TablesOf = Callable[[Sequence[store.StoredModel]], Sequence[tables.Table]]
"""The tables of models on record, and those of the engines."""

CARRIED = tuple(t for t in fixed.TABLES if t.name in {fixed.SCHEMA, fixed.JOURNAL})
"""Of the store's own: the writer's row is of one database, and an upgrade under way begins anew."""


async def backup(picture: Picture, path: Path, tables_of: TablesOf) -> dict[str, int]:
    """Rows of each table written. Raises `BackupError`, `Unavailable`; nothing is left then."""
    served = {t.name for t in tables_of(await picture.models())}
    every = [*CARRIED, *in_order(tables_of(await picture.models(retired=True)))]
    # what retired models left may have been dropped
    wanted = [t for t in every if t.name in picture.there or t.name in served]
    _refuse_older(picture, wanted)
    out = portable.Writer(path)
    try:
        out.head({
            "release": metadata.version("gluon"), "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "incarnation": picture.incarnation, "revision": picture.revision, "epoch": picture.epoch,
        })  # fmt: skip
        for table in wanted:
            columns = [c.name for c in table.columns]
            values_of = taker(columns)
            out.table(table.name, columns)
            async for rows in picture.scan(table):
                out.rows([values_of(row) for row in rows])
        return out.finish()
    finally:
        out.abandon()


def _refuse_older(picture: Picture, wanted: Sequence[tables.Table]) -> None:
    """Raises `BackupError` where the database was never served by this release."""
    for table in wanted:
        there = picture.there.get(table.name)
        if there is None or any(c.name not in there.columns for c in table.columns):
            raise portable.BackupError(
                f"the database has not all of table {table.name} yet: start a server of this release on it, "
                "or back it up with the release that serves it"
            )
