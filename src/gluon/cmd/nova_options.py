"""The options of `gluon server` and `gluon up` that say how Nova is told of ports; all of them stand under `[nova]`, too.

In: the command line. Out: a section of settings. Called by `main`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

_TEXTS = (
    ("auth-url", "URL", "Identity API v3 that Gluon gets its token for Nova at."),
    ("user", "NAME", "Gluon's user there."),
    ("password-file", "FILE", "File whose first line is the password."),
    ("interface", "KIND", "public, internal or admin endpoint of the catalog."),
    ("region", "NAME", "Of which region."),
    ("endpoint", "URL", "Nova's URL, instead of the catalog's."),
)


def options(function: F) -> F:
    """Added to a command, whose function gets them as `nova` and `nova_…`."""
    for name, word, text in reversed(_TEXTS):
        function = click.option(f"--nova-{name}", metavar=word, help=text)(function)
    return click.option("--nova/--no-nova", default=None, help="Tell Nova what becomes of ports.")(function)


def section(given: Mapping[str, Any]) -> dict[str, Any]:
    """What was given, by the keys of `[nova]`."""
    return {"enabled" if name == "nova" else name.removeprefix("nova_"): v for name, v in given.items()}
