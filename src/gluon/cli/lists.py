"""The command that lists objects of a 2.0 proton: what the query of the URL can say, as options.

In: the options. Out: the whole list, page after page, or the one page that `--limit` asks for. Called by `commands`.
"""

from __future__ import annotations

from typing import Any

import click

from gluon.client import http

_OPTIONS: tuple[tuple[str, str, str], ...] = (
    ("sort_key", "ATTRIBUTE", "Sort by it; may be repeated."),
    ("sort_dir", "asc|desc", "The direction of each --sort-key, in their order."),
    ("fields", "ATTRIBUTE", "Show only this; may be repeated."),
    ("embed", "REFERENCE", "Show the object that it refers to; may be repeated."),
)


def options() -> list[click.Parameter]:
    """Those of every list."""
    several = [
        click.Option([f"--{name.replace('_', '-')}", name], metavar=word, help=text, multiple=True)
        for name, word, text in _OPTIONS
    ]
    return [
        click.Option(
            ["--filter", "filters"],
            metavar="NAME=VALUE",
            multiple=True,
            help="Only objects with it; NAME__ne, __lt, __le, __gt, __ge, __in, __contains, __startswith, __within.",
        ),
        *several,
        click.Option(["--limit"], metavar="NUMBER", help="At most so many objects; without, all."),
        click.Option(["--marker"], metavar="KEY", help="Begin behind this object."),
        click.Option(["--count"], is_flag=True, help="Say how many there are."),
    ]


def act(path: str, plural: str) -> Any:
    """What the command does."""

    def run(
        client: http.Client,
        filters: tuple[str, ...],
        limit: str | None,
        marker: str | None,
        count: bool,
        **several: tuple[str, ...],
    ) -> Any:
        pairs = [(name, value) for name, _, value in (text.partition("=") for text in filters)]
        pairs += [(name, value) for name, values in several.items() for value in values]
        pairs += [(name, v) for name, v in (("limit", limit), ("marker", marker)) if v is not None]
        pairs += [("count", "true")] if count else []
        answer = client.request("GET", path + http.query(pairs))
        return _rest(client, answer, plural) if limit is None else answer

    return run


def _rest(client: http.Client, answer: Any, plural: str) -> Any:
    """The pages behind the first one, in one list."""
    links = f"{plural}_links"
    while isinstance(answer, dict) and (link := answer.pop(links, None)):
        page = client.facts(link[0]["href"], plural)
        answer[plural] += page[plural]
        answer |= {links: page[links]} if links in page else {}
    return answer
