"""The words of `gluon audit`: arguments in, a call of `changes` out. Imports little."""

from __future__ import annotations

import sys
from datetime import UTC, datetime

import click

from gluon.cmd import settings as config

_DIGITS = 18
"""Of a revision that any database can be asked for."""


def _since(ctx: click.Context, param: click.Parameter, value: str) -> str:
    """A revision, or a time as the journal has it."""
    if not value or (value.isascii() and value.isdigit() and len(value) <= _DIGITS):
        return value
    try:
        at = datetime.fromisoformat(value)
        return (at if at.tzinfo is None else at.astimezone(UTC).replace(tzinfo=None)).isoformat()
    except (ValueError, OverflowError):
        raise click.BadParameter(
            f"'{value}' is neither a time such as 2026-01-31T23:59 nor a revision"
        ) from None


@click.command("audit")
@click.option("--config", "file", metavar="FILE", help="TOML file of settings; flags win over it.")
@click.option("--database", metavar="URL", help="sqlite:///PATH, postgresql://… or mysql://…")
@click.option("--data", metavar="DIR", help="Folder of the embedded database.")
@click.option("--api", default="", metavar="NAME", help="Of this proton.")
@click.option("--type", "kind", default="", metavar="TYPE", help="Of this object type.")
@click.option("--key", default="", help="Of the object with this key.")
@click.option("--who", default="", metavar="USER", help="Made by this user.")
@click.option("--project", default="", help="Of objects of this project.")
@click.option("--request", default="", metavar="ID", help="Made by this request.")
@click.option(
    "--since",
    default="",
    callback=_since,
    metavar="WHEN",
    help="Since a time (UTC unless it says its zone, 2026-01-31T23:59) or a revision.",
)
@click.option("--limit", type=click.IntRange(0, 10**9), default=0, metavar="N", help="The newest N only.")
@click.option("--format", "style", type=click.Choice(["text", "json"]), default="text", show_default=True)
def audit(
    file: str | None, database: str | None, data: str | None, kind: str, style: str, **given: str
) -> None:
    """Who changed what and when: the journal of the database, oldest first, while servers serve.

    The journal goes back some days; audit.file has a record that lasts, with what was refused.
    """
    from gluon.cmd import changes

    settings = config.load(file, {"data": {"directory": data, "database": database}})
    limit = int(given.pop("limit"))
    filters = changes.Filters(type=kind, limit=limit, **given)
    sys.exit(changes.show(config.database_url(settings), filters, as_json=style == "json"))
