"""The words of `gluon db …` and `gluon model diff`: arguments in, a call of `upgrading` out. Imports little."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from gluon.cmd import settings as config

_STYLE = click.option(
    "--format", "style", type=click.Choice(["text", "json"]), default="text", show_default=True
)
_WHERE = [
    click.option("--config", "file", metavar="FILE", help="TOML file of settings; flags win over it."),
    click.option(
        "--model",
        "models",
        multiple=True,
        metavar="PATH",
        help="Models instead of the shipped ones; repeatable.",
    ),
    click.option("--database", metavar="URL", help="sqlite:///PATH, postgresql://… or mysql://…"),
    click.option("--data", metavar="DIR", help="Folder of the embedded database."),
]


def _where(function: Any) -> Any:
    for option in reversed(_WHERE):
        function = option(function)
    return function


@click.command("diff")
@click.argument("old", metavar="OLD")
@click.argument("new", metavar="NEW")
@_STYLE
def diff(old: str, new: str, style: str) -> None:
    """What differs between two models, and what each change asks of stored objects and of clients.

    OLD and NEW are model files or folders. Models are compared by name.

    Ends with 0 if nothing differs, 1 if all takes effect at once, 2 if stored objects must be rewritten or looked
    at first (gluon db upgrade does), 3 if something cannot be done; 4 if a model is wrong.
    """
    from gluon.cmd import upgrading

    sys.exit(upgrading.diff(old, new, as_json=style == "json"))


@click.group()
def db() -> None:
    """Look at the database, and bring it to other models."""


@db.command("plan")
@_where
@click.option("--drop", is_flag=True, help="As gluon db upgrade --drop would go.")
@_STYLE
def plan(file: str | None, drop: bool, style: str, **given: Any) -> None:
    """The steps from the models that the database holds to those named. Nothing is changed.

    Ends with 0 if it can be done, 1 if something stands in the way.
    """
    from gluon.cmd import upgrading

    sys.exit(upgrading.plan(_settings(file, **given), drop=drop, as_json=style == "json"))


@db.command("upgrade")
@_where
@click.option("--drop", is_flag=True, help="Drop what nothing uses afterwards. There is no way back.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def upgrade(file: str | None, drop: bool, yes: bool, **given: Any) -> None:
    """Take the steps of gluon db plan, while servers serve. Killed, it goes on where it was when it is run again.

    Ends with 0 if the database has the models, 1 if something stands in the way: the old models go on to serve.
    """
    from gluon.cmd import upgrading

    sys.exit(upgrading.upgrade(_settings(file, **given), drop=drop, yes=yes))


@db.command("backup")
@_where
@click.argument("path", metavar="FILE", type=click.Path(path_type=Path))
def backup(path: Path, file: str | None, **given: Any) -> None:
    """Write all of the database to FILE, as of one moment, while servers serve. FILE must not be there yet.

    Any of the three databases can be restored from it. It holds secrets: only its owner may read it.
    """
    from gluon.cmd import backup_commands

    sys.exit(backup_commands.backup(_settings(file, **given), path))


@db.command("restore")
@_where
@click.argument("path", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--replace", is_flag=True, help="Drop first all that Gluon has in the database.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def restore(path: Path, file: str | None, replace: bool, yes: bool, **given: Any) -> None:
    """Fill an empty database from FILE. Stop the servers first; etcd follows when they are started again.

    Revisions go on far above those of before. Killed, it is run again.
    """
    from gluon.cmd import backup_commands

    sys.exit(backup_commands.restore(_settings(file, **given), path, replace=replace, yes=yes))


@db.command("check")
@_where
@click.option(
    "--repair",
    is_flag=True,
    help="Put right what the objects themselves tell: pools, counts, the index of ports, networks.",
)
@_STYLE
def check(file: str | None, repair: bool, style: str, **given: Any) -> None:
    """Look whether the database is sound: schema, references, unique values, pools, quotas, journal, ports, networks,
    places up to where others were told, secrets.

    It looks as of one moment, while servers serve. Ends with 0 if nothing was found, 3 if something was, 1 if it
    could not look. --repair needs the server of a SQLite file stopped.
    """
    from gluon.cmd import backup_commands

    sys.exit(backup_commands.check(_settings(file, **given), repair=repair, as_json=style == "json"))


def _settings(
    file: str | None, *, models: tuple[str, ...], database: str | None, data: str | None
) -> config.Settings:
    return config.load(file, {"data": {"directory": data, "database": database}, "models": {"paths": models}})
