"""`gluon quota`: how many objects a project may have, and how many it has.

In: a project, limits as PROTON.TYPE=NUMBER. Out: a line for each type with a quota; exit status 0, 1 where the server
refused, 2 for wrong usage. By the API of a running server, like any other client.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from typing import Any

import click

from gluon.cli import output

Options = Callable[[Callable[..., None]], Callable[..., None]]
Settings = Callable[..., Any]

_NUMBER = re.compile(r"-?[0-9]{1,20}").fullmatch


def group(options: Options, settings: Settings) -> click.Group:
    """The commands. `options` name the server, `settings` makes its settings of what they say."""

    @click.group("quota")
    def quota() -> None:
        """How many objects a project may have: show, set, unset."""

    @quota.command("show")
    @click.argument("project")
    @output.json_option
    @options
    def _show(project: str, as_json: bool, file: str | None, host: str | None, port: int | None) -> None:
        """Limits and use of a project."""
        sys.exit(_run(settings(file, host=host, port=port).api, "GET", project, None, as_json=as_json))

    @quota.command("set")
    @click.argument("project")
    @click.argument("limits", nargs=-1, required=True, metavar="PROTON.TYPE=NUMBER...")
    @options
    def _set(
        project: str, limits: tuple[str, ...], file: str | None, host: str | None, port: int | None
    ) -> None:
        """Set limits of a project; -1 is no limit. What has no quota in its model cannot have one here."""
        given: dict[str, dict[str, int]] = {}
        for one in limits:
            api, name, most = _parts(one)
            if name in given.setdefault(api, {}):
                raise click.UsageError(f"{api}.{name} has two limits")
            given[api][name] = most
        sys.exit(_run(settings(file, host=host, port=port).api, "PUT", project, given))

    @quota.command("unset")
    @click.argument("project")
    @options
    def _unset(project: str, file: str | None, host: str | None, port: int | None) -> None:
        """Let the models' quotas count again."""
        sys.exit(_run(settings(file, host=host, port=port).api, "DELETE", project, None))

    return quota


def _parts(given: str) -> tuple[str, str, int]:
    what, equals, most = given.partition("=")
    api, dot, name = what.rpartition(".")
    if not (equals and dot and api and name and _NUMBER(most)):
        raise click.UsageError(f"'{given[:100]}' is not PROTON.TYPE=NUMBER, such as net-l2.Port=500")
    return api, name, int(most)


def _run(
    server: Any,
    method: str,
    project: str,
    limits: dict[str, dict[str, int]] | None,
    *,
    as_json: bool = False,
) -> int:
    from gluon.client import http
    from gluon.cmd import operate

    body = None if limits is None else {"quotas": limits}
    try:
        with operate.connect(server) as client:
            path = http.object_path("/gluon/v1/quotas", project)
            if method == "DELETE":
                client.request(method, path)
                click.echo(f"the quotas of {project} are those of the models")
                return 0
            found = client.facts(path, "quotas", method=method, body=body)
    except http.ClientError as error:
        return operate.fail(error)
    if as_json:
        output.document(found)
        return 0
    rows = []
    for api, types in found["quotas"].items():
        for name, facts in types.items():
            limit = "none" if facts["limit"] < 0 else str(facts["limit"])
            rows.append((api, name, str(facts["used"]), limit, str(facts["default"])))
    output.table(("PROTON", "TYPE", "USED", "LIMIT", "DEFAULT"), rows)
    return 0
