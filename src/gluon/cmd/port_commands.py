"""`gluon ports`: the ports of all protons, by what they have in common.

In: filters. Out: a line for each port; exit status 0, 1 where the server refused, 2 for wrong usage. By the API of a running
server, like any other client.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any

import click

from gluon.cli import output

Options = Callable[[Callable[..., None]], Callable[..., None]]
Settings = Callable[..., Any]

_FILTERS = (
    ("--api", "api", "NAME", "Of this proton."),
    ("--project", "project", "ID", "Of this project."),
    ("--device", "device_id", "ID", "Used by this machine."),
    ("--on-host", "on_host", "NAME", "Bound to this host."),  # --host says where the server is
    ("--mac", "mac", "ADDRESS", "With this MAC address."),
    ("--name", "name", "NAME", "With this name."),
    ("--status", "status", "WORD", "ACTIVE, DOWN, BUILD or ERROR."),
)
_COLUMNS = ("id", "name", "api", "project", "device_id", "host", "status")
_HEADS = ("ID", "NAME", "PROTON", "PROJECT", "DEVICE", "HOST", "STATUS")


def command(options: Options, settings: Settings) -> click.Command:
    """`options` name the server, `settings` makes its settings of what they say."""

    def run(
        file: str | None, host: str | None, port: int | None, limit: int | None, as_json: bool, **given: Any
    ) -> None:
        asked = [(n.removeprefix("on_"), value) for n, values in given.items() for value in values]
        sys.exit(_run(settings(file, host=host, port=port).api, asked, limit, as_json=as_json))

    made = output.json_option(options(run))
    for flag, name, word, text in reversed(_FILTERS):
        made = click.option(flag, name, metavar=word, multiple=True, help=f"{text} Repeatable.")(made)
    made = click.option("--limit", type=click.IntRange(min=1), help="At most so many; without, all.")(made)
    return click.command("ports", help="The ports of all protons.")(made)


def _run(server: Any, asked: list[tuple[str, str]], limit: int | None, *, as_json: bool) -> int:
    from gluon.client import http
    from gluon.cmd import operate

    try:
        with operate.connect(server) as client:
            found = list(_pages(client, asked, limit))
    except http.ClientError as error:
        return operate.fail(error)
    if as_json:
        output.document({"ports": found})
    else:
        output.table(_HEADS, [tuple(str(p[c] or "-") for c in _COLUMNS) for p in found])
    return 0


def _pages(client: Any, asked: list[tuple[str, str]], limit: int | None) -> Iterator[dict[str, Any]]:
    from gluon.client import http

    marker: str | None = None
    while limit is None or limit > 0:
        page = [*asked, *((("marker", marker),) if marker else ())]
        if limit is not None:
            page.append(("limit", str(min(limit, 1000))))
        found = client.facts("/gluon/v1/ports" + http.query(page), "ports")
        yield from found["ports"]
        limit = None if limit is None else limit - len(found["ports"])
        marker = found.get("next")
        if marker is None:
            return
