"""`gluon why`: what a port waits for, who said what of it, and what became of it before.

In: the id of a port, or a name that no other port has. Out: its account for people, or as JSON; exit status 0 if it works, 1 if
not or where the server refused. By the API of a running server.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any

import click

Options = Callable[[Callable[..., None]], Callable[..., None]]
Settings = Callable[..., Any]

_MISSING = 404
_SHOWN = 5
"""Ids of ports that have one name."""
_MARKS = {"done": "ok", "waiting": "wait", "stuck": "STUCK", "later": "-"}


def command(options: Options, settings: Settings) -> click.Command:
    """`options` name the server, `settings` makes its settings of what they say."""

    def run(file: str | None, host: str | None, port: int | None, id_: str, *, as_json: bool) -> None:
        sys.exit(_run(settings(file, host=host, port=port).api, id_, as_json=as_json))

    made = click.option("--json", "as_json", is_flag=True, help="All that is known, as JSON.")(options(run))
    made = click.argument("id_", metavar="PORT")(made)
    return click.command("why", help="Why a port does not work, and what became of it before.")(made)


def _run(server: Any, port: str, *, as_json: bool) -> int:
    from gluon.client import http
    from gluon.cmd import operate
    from gluon.objects import codec
    from gluon.values.text import shown

    try:
        with operate.connect(server) as client:
            found = _account(client, port)
    except http.ClientError as error:
        return operate.fail(error)
    if as_json:
        click.echo(shown(codec.encode(found).decode()))
    else:
        for line in lines(found):
            click.echo(shown(line))
    return 0 if found["works"] else 1


def _account(client: Any, port: str) -> dict[str, Any]:
    """Of the port that has this id, else of the one that has this name. Raises `ClientError`."""
    from gluon.client import http

    place = "/gluon/v1/ports"
    try:
        found: dict[str, Any] = client.facts(http.object_path(place, port), "port", "stages")
    except http.ApiError as error:
        if error.status != _MISSING or not port:
            raise
        asked = http.query([("name", port), ("limit", str(_SHOWN + 1))])
        named = client.facts(f"{place}{asked}", "ports")["ports"]
        if not named:
            raise
        if len(named) > 1:
            raise http.ClientError(_several(port, [one["id"] for one in named])) from None
        found = client.facts(http.object_path(place, named[0]["id"]), "port", "stages")
    return found


def _several(name: str, ids: list[str]) -> str:
    more = " and others" if len(ids) > _SHOWN else ""
    return f"several ports are named {name}: {', '.join(ids[:_SHOWN])}{more} (give the id of one)"


def lines(found: dict[str, Any]) -> Iterator[str]:
    """The account, the most important first."""
    port = found["port"]
    name = f' "{port["name"]}"' if port["name"] else ""
    yield f"port {port['id']}{name} of {port['api']}: {port['status']}"
    if port["device_id"]:
        yield f"  used by {port['device_owner'] or 'device'} {port['device_id']}"
    first = next((s for s in found["stages"] if s["state"] != "done"), None)
    if first is not None:
        yield f"  {first['name']}: not yet. {first['words']}"
        if first["cure"]:
            yield f"  what helps: {first['cure']}"
    yield ""
    width = max(len(s["name"]) for s in found["stages"])
    for stage in found["stages"]:
        yield f"{_MARKS[stage['state']]:<6}{stage['name']:<{width}}  {stage['words']}".rstrip()
    if found["bindings"]:
        yield from ("", "bindings")
        for binding in found["bindings"]:
            yield from _binding(binding)
    if found["history"]:
        yield from ("", "before, newest first")
        for left in reversed(found["history"]):
            yield from _left(left)


def _binding(binding: dict[str, Any]) -> Iterator[str]:
    role = "carries the traffic" if binding["active"] else "carries none"
    yield f"  host {binding['host']}: {binding['state']} since {binding['since']}, {role}"
    for controller in binding["controllers"]:
        said = binding["answers"].get(controller)
        yield f"    {controller}: {_said(said) if said is not None else 'no answer yet'}"


def _left(left: dict[str, Any]) -> Iterator[str]:
    then = left.get("next") or "gone"
    reason = left.get("reason") if left.get("reason") != then else ""
    why = ": ".join(text for text in (reason, left.get("message")) if text)
    yield f"  {left['until']}  host {left['host']}: {left['state']} -> {then}{f' ({why})' if why else ''}"
    for controller, said in left.get("answers", {}).items():
        yield f"    {controller}: {_said(said)}"


def _said(said: dict[str, Any]) -> str:
    at = f", at {said['at']}" if said.get("at") else ""
    if said.get("refused"):
        return f"refused, {said['refused']}: {said.get('message', '')}{at}"
    state = "up" if said.get("up") else "ready" if said.get("ready") else "not up"
    return f"{said.get('vif_type') or 'its part'}, {state}{at}"
