"""`gluon db backup`, `restore` and `check`: from words to a file, a database, findings.

Out: text on standard output, reasons on standard error, and the exit code. Called by `db_commands`.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path

import click

from gluon import errors
from gluon.cmd import engines, etcd
from gluon.cmd import settings as config
from gluon.evolve.stored import restore as model_of
from gluon.integrity import check as checking
from gluon.integrity import findings, mending, unreadable
from gluon.objects import keys
from gluon.particles import tables as model_tables
from gluon.publisher import cursor
from gluon.spi import store, tables
from gluon.store import backup as writing
from gluon.store import restoring
from gluon.store.picture import alter, look
from gluon.values.text import shown

_PROBE = 3.0
_FOUND = 3
"""Exit status where something is not as it must be."""


def tables_of(records: Sequence[store.StoredModel]) -> Sequence[tables.Table]:
    """Of models on record, and of the engines."""
    return (*engines.TABLES, *model_tables.tables_of([model_of(r) for r in records]))


def backup(settings: config.Settings, path: Path) -> int:
    """Write the file."""

    async def main() -> dict[str, int]:
        async with look(config.database_url(settings)) as picture:
            return await writing.backup(picture, path, tables_of)

    counts = asyncio.run(main())
    size = path.stat().st_size / 1e6
    click.echo(f"{path}: {sum(counts.values())} rows of {len(counts)} tables, {size:.1f} MB")
    click.echo("it holds secrets: keep it as you keep the database", err=True)
    return 0


def restore(settings: config.Settings, path: Path, *, replace: bool, yes: bool) -> int:
    """Fill the database."""
    url = config.database_url(settings)
    question = "Drop all that Gluon has in this database, and put the backup in its place?"
    if replace and not yes and not click.confirm(question):
        return 1

    async def main() -> restoring.Done:
        wish = restoring.Wish(replace=replace, beyond=await _reached(settings))
        return await restoring.restore(url, path, tables_of, wish)

    try:
        done = asyncio.run(main())
    except errors.Conflict as conflict:
        click.echo(f"gluon: {conflict}", err=True)
        return 1
    click.echo(f"restored {sum(done.rows.values())} rows; revisions go on at {done.revision + 1}")
    return 0


def check(settings: config.Settings, *, repair: bool, as_json: bool) -> int:
    """Print what is not as it must be. 0: nothing; 3: something is left."""
    url = config.database_url(settings)

    async def main() -> tuple[findings.Checkup, int]:
        mended, failed = await _mended(url) if repair else (0, None)
        async with look(url) as picture:
            checkup = await checking.check(picture, engines.TABLES)
        if failed is not None and not checkup.unreadable:
            raise failed
        return checkup, mended

    found, mended = asyncio.run(main())
    if as_json:
        told = {
            "revision": found.picture.revision,
            "total": found.total,
            "mended": mended,
            "findings": [f.facts() for f in found.findings],
        }
        click.echo(shown(json.dumps(told, indent=2, ensure_ascii=False), lines=True))
    else:
        _say(found, mended)
    return _FOUND if found.total else 0


async def _mended(url: str) -> tuple[int, Exception | None]:
    """Rows put right: none, and why, where some cannot be read."""
    try:
        async with alter(url) as picture:
            return await mending.mend(picture, engines.TABLES), None
    except unreadable.ERRORS as error:
        return 0, error


def _say(found: findings.Checkup, mended: int) -> None:
    if mended:
        click.echo(f"{mended} rows put right")
    for finding in found.findings:
        click.echo(shown(f"{finding.kind}: {finding.where}: {finding.message}"))
        click.echo(shown(f"  cure: {finding.cure}"))
    for place, count in found.untold.items():
        click.echo(shown(f"{place}: {count} more"))
    if not found.total:
        click.echo(f"nothing found: the database is sound at revision {found.picture.revision}")


async def _reached(settings: config.Settings) -> int:
    """What etcd has seen of the history before; without etcd, its relay finds out when it starts."""
    if not settings.etcd.urls:
        return 0
    bus = etcd.connect_bus(settings)
    try:
        async with asyncio.timeout(_PROBE):
            value = await bus.get(keys.RELAY_CURSOR)
    except (errors.BusError, TimeoutError):
        click.echo("etcd does not answer: the server will look at its start", err=True)
        return 0
    finally:
        await bus.close()
    found = cursor.parse(value.value) if value is not None else None
    return found.revision if found is not None else 0
