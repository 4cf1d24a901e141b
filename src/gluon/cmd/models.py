"""`gluon model …`: designers' view of model files. Nothing is served."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from gluon import errors
from gluon.model import describe, loader


def check(paths: Sequence[str]) -> int:
    """Print every problem, or what was found good. 0 good, 1 problems."""
    try:
        models = loader.load([Path(p) for p in paths], shape=True)
    except errors.ModelError as error:
        for problem in error.problems:
            click.echo(str(problem), err=True)
        count = len(error.problems)
        click.echo(f"{count} problem{'s' if count != 1 else ''}", err=True)
        return 1
    for model in models:
        types = ", ".join(model.types)
        click.echo(f"{model.source or model.name}: {model.name} {model.version} is good: {types}")
    return 0


def show(name: str | None, paths: Sequence[str]) -> int:
    """Print the merged models (one by name). 0 shown, 1 not found or wrong."""
    models = loader.load([Path(p) for p in paths]) if paths else loader.load_catalog()
    found = [m for m in models if name in (None, m.name)]
    if not found:
        click.echo(f"no model '{name}'; there are: {', '.join(m.name for m in models)}", err=True)
        return 1
    click.echo("---\n".join(describe.dump(m) for m in found), nl=False)
    return 0


def names(paths: Sequence[str] = ()) -> list[str]:
    """The names of the models, for the original's `gluon-api-tool list`."""
    models = loader.load([Path(p) for p in paths]) if paths else loader.load_catalog()
    return [m.name for m in models]
