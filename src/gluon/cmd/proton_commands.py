"""`gluon proton`: list, load, replace and retire the protons of a running server."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import click

from gluon.cli import output

Options = Callable[[Callable[..., None]], Callable[..., None]]
Settings = Callable[..., Any]


def group(options: Options, settings: Settings) -> click.Group:
    """The commands. `options` name the server, `settings` makes its settings of what they say."""

    @click.group("proton")
    def proton() -> None:
        """The protons of a running server: list, load, replace, retire."""

    @proton.command("list")
    @output.json_option
    @options
    def _list(as_json: bool, file: str | None, host: str | None, port: int | None) -> None:
        """All protons with their versions, who loaded them and when."""
        from gluon.cmd import proton_work

        sys.exit(proton_work.listed(settings(file, host=host, port=port).api, as_json=as_json))

    @proton.command("load")
    @click.argument("path")
    @options
    def _load(path: str, file: str | None, host: str | None, port: int | None) -> None:
        """Serve one more proton: the model at PATH, with its other versions."""
        from gluon.cmd import proton_work

        sys.exit(proton_work.load(settings(file, host=host, port=port).api, path, replace=False))

    @proton.command("replace")
    @click.argument("path")
    @options
    def _replace(path: str, file: str | None, host: str | None, port: int | None) -> None:
        """Serve the model at PATH in the place of the one of that name.

        Refused where stored objects would have to be rewritten first: `gluon db upgrade` does that.
        """
        from gluon.cmd import proton_work

        sys.exit(proton_work.load(settings(file, host=host, port=port).api, path, replace=True))

    @proton.command("retire")
    @click.argument("name")
    @click.option("--force", is_flag=True, help="Although it has objects; they stay in the database.")
    @options
    def _retire(name: str, force: bool, file: str | None, host: str | None, port: int | None) -> None:
        """Serve a proton no more."""
        from gluon.cmd import proton_work

        sys.exit(proton_work.retire(settings(file, host=host, port=port).api, name, force=force))

    return proton
