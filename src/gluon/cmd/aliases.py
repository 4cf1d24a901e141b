"""The original's commands as thin aliases: `proton-server` and `gluon-api-tool`."""

from __future__ import annotations

import sys

import click

from gluon import errors
from gluon.cmd import main as gluon
from gluon.cmd import models


def proton_server() -> None:
    """`proton-server` is `gluon server`."""
    sys.argv[1:1] = ["server"]
    gluon.main()


@click.group()
def _tool() -> None:
    """Look at the installed models (`gluon model` does more)."""


@_tool.command("list")
def _list() -> None:
    """The names of the installed models."""
    for name in models.names():
        click.echo(name)


@_tool.command("check")
@click.argument("api")
def _check(api: str) -> None:
    """Validate one installed model and print it merged."""
    sys.exit(models.show(None, api))


def api_tool() -> None:
    """Entry point of `gluon-api-tool`."""
    try:
        _tool()
    except errors.GluonError as error:
        click.echo(f"gluon-api-tool: {error}", err=True)
        sys.exit(1)
