"""The words of `gluon model …`: arguments in, a call of `models` out. Imported by every command, so it imports little."""

from __future__ import annotations

import sys

import click

_NAME = click.argument("name", required=False)
_OUTPUT = click.option("--output", metavar="FILE", help="Write there instead of to standard output.")


@click.group()
def model() -> None:
    """Make, check and look at models.

    A WHERE is a model file, a folder with models, or the name of a shipped model (net-l3vpn). Where there are several,
    NAME says which: net-l3vpn, or net-l3vpn/v1.0.
    """


@model.command("check")
@click.argument("paths", nargs=-1, required=True, metavar="PATH…")
@click.option("--format", "style", type=click.Choice(["text", "json"]), default="text", show_default=True)
def check(paths: tuple[str, ...], style: str) -> None:
    """All problems of some models, each with its place and a hint.

    Ends with 0 if all is good, 1 if there are problems, 2 for wrong usage.

    With --format json one object goes to standard output: {"models": [{"name", "version", "file_version", "source",
    "types"}], "problems": [{"file", "line", "column", "message", "hint"}]}; lines and columns count from 1, and
    models are there only if nothing is wrong.
    """
    from gluon.cmd import models

    sys.exit(models.check(paths, as_json=style == "json"))


@model.command("show")
@click.argument("where", required=False)
@_NAME
@click.option("--format", "style", type=click.Choice(["yaml", "json"]), default="yaml", show_default=True)
def show(where: str | None, name: str | None, style: str) -> None:
    """The merged model, as it is served; all shipped ones without WHERE.

    YAML is the language itself, without imports and base objects; JSON is what a server tells its clients.
    """
    from gluon.cmd import models

    sys.exit(models.show(where, name, as_json=style == "json"))


@model.command("docs")
@click.argument("where")
@_NAME
@_OUTPUT
def docs(where: str, name: str | None, output: str | None) -> None:
    """The reference page of a model, in Markdown."""
    from gluon.cmd import models

    sys.exit(models.docs(where, name, output))


@model.command("export")
@click.argument("where")
@_NAME
@click.option(
    "--as",
    "kind",
    type=click.Choice(["openapi", "json-schema", "sql", "markdown"]),
    required=True,
    help="OpenAPI 3.1, JSON Schema of the bodies, the tables, or the reference page.",
)
@click.option(
    "--database",
    type=click.Choice(["sqlite", "postgresql", "mysql"]),
    default="sqlite",
    show_default=True,
    help="Whose SQL.",
)
@_OUTPUT
def export(where: str, name: str | None, kind: str, database: str, output: str | None) -> None:
    """A model for other tools."""
    from gluon.cmd import models

    sys.exit(models.export(where, name, kind, database, output))


@model.command("schema")
@click.option("--version", type=click.Choice(["1.0", "2.0"]), help="Of the language; without it both.")
def schema(version: str | None) -> None:
    """The JSON Schema of the language, by which editors complete and check model files.

    In the model file: # yaml-language-server: $schema=PATH
    """
    from gluon.cmd import models

    sys.exit(models.schema(version))


@model.command("new")
@click.argument("name")
@click.option("--folder", default=".", metavar="DIR", help="Where to make it (here).")
def new(name: str, folder: str) -> None:
    """A model to begin with: DIR/NAME/api.yaml, which works and says what each part is for."""
    from gluon.cmd import models
    from gluon.export import skeleton

    if not skeleton.NAME(name):
        raise click.BadParameter(
            "small letters, digits and single dashes, a letter first: net-eline", param_hint="NAME"
        )
    sys.exit(models.new(name, folder))
