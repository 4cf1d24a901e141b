"""`gluon hosts`: the hosts of which shims have reported, and an end for those that are gone for good.

In: a host's name. Out: a line for each controller of each host; exit status 0, 1 where the server refused, 2 for wrong usage. By the
API of a running server, like any other client.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import click

from gluon.cli import output

Options = Callable[[Callable[..., None]], Callable[..., None]]
Settings = Callable[..., Any]

_HEADS = ("HOST", "CONTROLLER", "REPORTS", "SERVED BY")


def group(options: Options, settings: Settings) -> click.Group:
    """The commands. `options` name the server, `settings` makes its settings of what they say."""

    @click.group("hosts")
    def hosts() -> None:
        """The hosts of which shims have reported: list, forget."""

    @hosts.command("list")
    @output.json_option
    @options
    def _list(as_json: bool, file: str | None, host: str | None, port: int | None) -> None:
        """All of them, of how many objects each has said something, and who serves it."""
        sys.exit(_listed(settings(file, host=host, port=port).api, as_json=as_json))

    @hosts.command("forget")
    @click.argument("name", metavar="HOST")
    @click.option("--controller", metavar="NAME", help="What this one has said; without, all of them.")
    @click.option(
        "--force", is_flag=True, help="Although ports are bound there; they are down then, and stay bound."
    )
    @options
    def _forget(
        name: str, controller: str | None, force: bool, file: str | None, host: str | None, port: int | None
    ) -> None:
        """Forget what shims have said of a host that is gone for good.

        What they said stays while they are away, so objects wait for them (BUILD). Refused while a shim serves the host.
        """
        sys.exit(_forgotten(settings(file, host=host, port=port).api, name, controller, force=force))

    return hosts


def _listed(server: Any, *, as_json: bool) -> int:
    from gluon.client import http
    from gluon.cmd import operate

    try:
        with operate.connect(server) as client:
            answer = client.facts("/gluon/v1/hosts", "hosts")
    except http.ClientError as error:
        return operate.fail(error)
    if as_json:
        output.document(answer)
        return 0
    output.table(
        _HEADS, [_row(host) for host in sorted(answer["hosts"], key=lambda h: (h["host"], h["controller"]))]
    )
    return 0


def _row(host: dict[str, Any]) -> tuple[str, ...]:
    served = ", ".join(host["instances"]) or "nobody"
    return host["host"], host["controller"], str(host["reports"]), served


def _forgotten(server: Any, name: str, controller: str | None, *, force: bool) -> int:
    from gluon.client import http
    from gluon.cmd import operate
    from gluon.values.text import shown

    asked = [("controller", controller)] if controller is not None else []
    asked += [("force", "true")] if force else []
    path = http.object_path("/gluon/v1/hosts", name) + http.query(asked)
    try:
        with operate.connect(server) as client:
            done = client.facts(path, "forgotten", method="DELETE")
    except http.ClientError as error:
        return operate.fail(error)
    for host in done["forgotten"]:
        told = f"{host['reports']} reports of {host['controller']} on {host['host']} are forgotten"
        click.echo(shown(told))
    return 0
