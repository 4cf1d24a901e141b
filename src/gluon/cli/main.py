"""The entry of `protonclient --api NAME <object>-<list|show|create|update|delete>`.

Exit codes: 0 done, 1 the server refused or was not reached, 2 wrong usage, 255 no or an unknown
`--api` or `--api-version`.
"""

from __future__ import annotations

import os
import sys
from typing import Any

import click

from gluon.cli import commands, login, output
from gluon.client import http
from gluon.values.text import shown

UNKNOWN_API = 255


class Protons(click.Group):
    """A group whose commands are the verbs of one proton's object types."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        proton = _proton(ctx, quiet=True)
        return commands.names(proton) if proton else []

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Where there are several protons, which they are; where the server says none, why."""
        if _proton(ctx, quiet=True) is None:
            try:
                names = " ".join(_served(ctx))
            except http.ClientError as error:
                with formatter.section("Commands, which are made of what the server serves"):
                    formatter.write_text(shown(f"none can be listed: {error}"))
            else:
                with formatter.section("Protons, whose commands --api NAME --help lists"):
                    formatter.write_text(names or "none")
        super().format_commands(ctx, formatter)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        proton = _proton(ctx)
        return commands.make(proton, cmd_name) if proton else None


def _proton(ctx: click.Context, *, quiet: bool = False) -> dict[str, Any] | None:
    """The proton that `--api` names, or the only one; of its versions the one named, or the stored one. Ends with 255 where there is none (or, quiet: None)."""
    try:
        client: http.Client = ctx.ensure_object(dict)["client"]
        served = client.protons()
    except http.ClientError as error:
        if quiet:
            return None
        commands.fail(error)
    wanted = ctx.params.get("api")
    version = ctx.params.get("api_version")
    only = len({p["name"] for p in served}) == 1
    found = [p for p in served if p["name"] == wanted] if wanted else served if only else []
    fits = [p for p in found if version in (None, p["version"], f"v{p['version']}")]
    if fits:
        return fits[0]  # the stored version stands before the others
    if quiet:
        return None
    known = ", ".join(_names(ctx)) or "none"
    what = f"unknown API '{wanted}'" if wanted else "give --api"
    if found:
        what = f"unknown version '{version}'"
        known = f"{found[0]['name']} {', '.join(p['version'] for p in found)}"
    click.echo(f"protonclient: {what}; the server serves: {known}", err=True)
    sys.exit(UNKNOWN_API)


def _names(ctx: click.Context) -> list[str]:
    """The protons of the server; none where it is not reached."""
    try:
        return _served(ctx)
    except http.ClientError:
        return []


def _served(ctx: click.Context) -> list[str]:
    """The protons of the server. Raises `ClientError`."""
    client: http.Client = ctx.ensure_object(dict)["client"]
    return list(dict.fromkeys(str(p["name"]) for p in client.protons()))


@click.group(cls=Protons, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.option(
    "--api", metavar="NAME", help="The proton to speak to; may be left out if there is one.", is_eager=True
)
@click.option(
    "--api-version",
    metavar="VERSION",
    help="A version of it; without, the one that is stored.",
    is_eager=True,
)
@click.option(
    "--host",
    envvar="OS_PROTON_HOST",
    default="127.0.0.1",
    show_default=True,
    show_envvar=True,
    help="Server.",
    is_eager=True,
)
@click.option(
    "--port",
    envvar="OS_PROTON_PORT",
    type=click.IntRange(1, 65535),
    default=2705,
    show_default=True,
    show_envvar=True,
    help="Its port.",
    is_eager=True,
)
@login.options
@click.pass_context
def cli(ctx: click.Context, api: str | None, api_version: str | None, host: str, port: int) -> None:
    """Create, show, change and delete the objects of a proton."""


class _Context(click.Context):
    """Connects once the options that say where are known."""

    @property
    def command_path(self) -> str:
        """With the proton, without which nobody knows the commands that a line of usage leads to."""
        said = ("api", "api_version") if self.parent is None else ()
        words = [f" --{name.replace('_', '-')} {given}" for name in said if (given := self.params.get(name))]
        return super().command_path + "".join(words)

    def ensure_object(self, object_type: type[Any]) -> Any:
        if self.obj is None:
            root = self.find_root()
            # `--help` lists commands before the other options are read
            host = root.params.get("host") or os.environ.get("OS_PROTON_HOST") or "127.0.0.1"
            port = root.params.get("port") or os.environ.get("OS_PROTON_PORT") or "2705"
            root.obj = {"client": login.connect(http.address(host, port))}
            self.obj = root.obj
        return self.obj


cli.context_class = _Context


def main() -> None:
    """Entry point of `protonclient`."""
    output.begin()
    try:
        cli()
    except OSError as error:  # nowhere to print to
        click.echo(f"protonclient: {error}", err=True)
        output.end()
        sys.exit(1)


if __name__ == "__main__":
    main()
