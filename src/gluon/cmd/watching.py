"""`gluon watch`: what changes, one JSON object a line, until it is interrupted.

In: what to watch. Out: the server's events, over restarts of it and broken connections, none left out; bookmarks stay
here. Ends with 1 where the server refuses, or has forgotten what came after the token.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import click

from gluon.client import http
from gluon.cmd import operate
from gluon.cmd import settings as config
from gluon.objects import codec
from gluon.values.text import shown

_PAUSE = 0.2
_LONGEST = 5.0
_GO_ON = frozenset({"slow", "stopping", "renew", "token_expired"})
"""Ends of a stream after which there is no gap: its token leads on. Credentials get a new token of theirs when it is opened again."""
_BUSY = frozenset({429, 503})
"""What a server says that has no time yet."""
_AWAY = frozenset({502, 504})
"""What a balancer says of one that is being started again."""

Pairs = list[tuple[str, str]]


def watch(server: config.Api, what: str, filters: tuple[str, ...], since: str | None) -> int:
    """Print events of `what` (`<proton>[/<type or plural>]`, empty: all) that pass the filters."""
    try:
        with operate.connect(server) as client:
            path, pairs = _place(client, what, [_pair(text) for text in filters])
        for event in _events(server, path, pairs, since):
            click.echo(shown(codec.encode(event).decode()))
    except http.ClientError as error:
        return operate.fail(error)
    except KeyboardInterrupt:
        return 0
    return 1


def _pair(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name, value


def _place(client: http.Client, what: str, filters: Pairs) -> tuple[str, Pairs]:
    """The path and arguments of a watch. With filters on attributes it is the one of a collection."""
    api, _, kind = what.partition("/")
    if not kind:
        return "/gluon/v1/watch", ([("api", api)] if api else []) + filters
    proton = next((p for p in client.protons() if p["name"] == api), None)
    types: dict[str, Any] = proton["types"] if proton is not None else {}
    plurals = {word: t["plural"] for name, t in types.items() for word in (name, t["singular"], t["plural"])}
    if proton is None or kind not in plurals:
        known = f"; {api} has {', '.join(types)}" if types else ""
        raise http.ClientError(f"no {what} is served{known}")
    return f"{proton['path']}/{plurals[kind]}", [("watch", "true"), *filters]


def _events(server: config.Api, path: str, pairs: Pairs, since: str | None) -> Iterator[dict[str, Any]]:
    token, pause = since, _PAUSE
    while True:
        query = http.query([*pairs, *([("resume", token)] if token else [])])
        try:
            with operate.connect(server) as client:
                for event in client.lines(path + query):
                    token, pause = event.get("resume"), _PAUSE
                    if event["type"] == "ERROR":
                        if event["code"] in _GO_ON:
                            break
                        raise http.ApiError(410, {"detail": event["detail"]})
                    if event["type"] != "BOOKMARK":
                        yield event
        except http.ClientError as error:
            status = error.status if isinstance(error, http.ApiError) else None
            away = token is not None and (status is None or status in _AWAY)
            if not away and status not in _BUSY:
                raise
            click.echo(shown(f"gluon: {error}; trying again"), err=True)
        time.sleep(pause)
        pause = min(pause * 2, _LONGEST)
