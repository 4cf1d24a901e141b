"""What commands print: tables for people, on any terminal, and the end of one that may have nowhere to print to."""

from __future__ import annotations

import codecs
import io
import json
import os
import sys
from collections.abc import Sequence

import click

from gluon.values.text import shown


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows below their heads, each column as wide as its widest text."""
    all_rows = [heads, *([shown(text) for text in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*all_rows, strict=True)]
    for row in all_rows:
        click.echo("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())


json_option = click.option("--json", "as_json", is_flag=True, help="What the server answers, as JSON.")


def document(found: object) -> None:
    """Print what a server said, for programs."""
    click.echo(shown(json.dumps(found, indent=2, ensure_ascii=False), lines=True))


def begin() -> None:
    """What the terminal has no letter for is written as JSON may write it: what is JSON stays JSON."""
    codecs.register_error("gluon", _escaped)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="gluon")


def _escaped(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return json.dumps(error.object[error.start : error.end])[1:-1], error.end


def end() -> None:
    """Print what is left. What cannot be printed is not tried again when the interpreter ends, which would change the exit
    status to 120."""
    if sys.stdout is None:
        return
    try:
        sys.stdout.flush()
    except OSError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
