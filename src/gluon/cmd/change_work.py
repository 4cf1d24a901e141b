"""What `gluon changes` does: change sets of a running server, by its API like any other client.

In: a server's address, a file or an id. Out: what is or would be changed, a sign and the attributes for each object;
exit status 0, 1 where the server refused, 2 for a file that cannot be read.
"""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import click
import yaml

from gluon.cli import output
from gluon.client import http
from gluon.cmd import operate
from gluon.cmd import settings as config
from gluon.objects import codec
from gluon.values import once
from gluon.values.text import shown

BASE = "/gluon/v1/changesets"
_SIGNS = {"create": ("+", "green"), "update": ("~", "yellow"), "delete": ("-", "red")}
_STAMPS = ("created_at", "updated_at")
_WIDEST = 100
_MOST = 16 * 1024 * 1024
"""Bytes of a file, of which a server takes a part."""
_is_id = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}").fullmatch


class _Loader(once.Loader):
    """YAML whose numbers are those of JSON."""


def plan(server: config.Api, source: str, *, as_json: bool) -> int:
    body = _read(source)
    if body is None:
        return 2
    return _ask(server, f"{BASE}?plan=true", body, as_json=as_json)


def apply(server: config.Api, what: str, *, as_json: bool) -> int:
    """`what`: the id of a plan, or a file."""
    if _is_id(what):
        return _ask(server, f"{BASE}/{what}/apply", {}, as_json=as_json)
    body = _read(what, missing="there is no such file, and it is not the id of a plan")
    if body is None:
        return 2
    return _ask(server, BASE, body, as_json=as_json)


def show(server: config.Api, name: str, *, as_json: bool) -> int:
    return _ask(server, http.object_path(BASE, name), method="GET", as_json=as_json)


def undo(server: config.Api, name: str, *, planned: bool, as_json: bool) -> int:
    path = f"{http.object_path(BASE, name)}/undo{'?plan=true' if planned else ''}"
    return _ask(server, path, {}, as_json=as_json)


def listed(server: config.Api, filters: Mapping[str, Any], *, as_json: bool) -> int:
    query = http.query((name, str(value)) for name, value in filters.items() if value is not None)
    try:
        with operate.connect(server) as client:
            answer = client.facts(BASE + query, "changesets")
    except http.ClientError as error:
        return _fail(error)
    if as_json:
        click.echo(shown(json.dumps(answer, indent=2, ensure_ascii=False), lines=True))
        return 0
    rows: list[tuple[str, ...]] = []
    for one in answer["changesets"]:
        counts = [str(one["counts"][op]) for op in _SIGNS]
        name = one["name"] + (f" (undoes {one['undoes']})" if one["undoes"] else "")
        rows.append((one["id"], one["at"][:19], one["who"], *counts, ", ".join(one["apis"]), name))
    output.table(("ID", "AT (UTC)", "WHO", "+", "~", "-", "PROTONS", "NAME"), rows)
    return 0


def _read(source: str, *, missing: str = "there is no such file") -> Any:
    """The decoded file, None where it cannot be."""
    try:
        read = yaml.load(_text(source), Loader=_Loader)  # noqa: S506 - a safe loader
        if not isinstance(read, dict):
            raise ValueError("this is no mapping with `changes:`")  # noqa: TRY004 - as for all else
        codec.encode(read)
    except RecursionError:
        why = "a part of it refers to itself, or is nested too deep"
    except FileNotFoundError:
        why = missing
    except OSError as error:
        why = error.strerror or str(error)  # without the name, which stands before it
    except (ValueError, TypeError, yaml.YAMLError) as error:
        why = str(error)
    else:
        return read
    click.echo(shown(f"gluon: {source}: {why}", lines=True), err=True)
    return None


def _text(source: str) -> str:
    if source == "-" and sys.stdin is None:
        raise OSError("standard input is closed")
    with nullcontext(sys.stdin.buffer) if source == "-" else Path(source).open("rb") as file:
        read = file.read(_MOST + 1)
    if len(read) > _MOST:
        raise ValueError(f"it has more than {_MOST >> 20} MiB")
    return read.decode()


def _finite(loader: Any, node: yaml.ScalarNode) -> float:
    """JSON has no number that is none or without end."""
    number = float(loader.construct_yaml_float(node))
    if not math.isfinite(number):
        raise ValueError(f"'{node.value}' is no number of JSON")
    return number


_Loader.add_constructor("tag:yaml.org,2002:float", _finite)


def _ask(server: config.Api, path: str, body: Any = None, *, method: str = "POST", as_json: bool) -> int:
    try:
        with operate.connect(server) as client:
            answer = client.facts(path, "changes", "consequences", method=method, body=body)
    except http.ClientError as error:
        return _fail(error)
    if as_json:
        click.echo(shown(json.dumps(answer, indent=2, ensure_ascii=False), lines=True))
    else:
        for line in told(answer):
            click.echo(line)
    return 0


def _fail(error: http.ClientError) -> int:
    """Say what is refused and where it stands in the file."""
    problems = error.problems if isinstance(error, http.ApiError) else []
    if not any(p.get("pointer") for p in problems):
        return operate.fail(error)
    for p in problems:
        hint = f" ({p['hint']})" if p.get("hint") else ""
        click.echo(shown(f"gluon: {p.get('pointer')}: {p.get('detail')}{hint}"), err=True)
    return 1


# -- for people -------------------------------------------------------------------------------


def told(answer: Mapping[str, Any]) -> list[str]:
    """A change set or a plan, line by line."""
    lines: list[str] = []
    for one in answer["changes"]:
        lines += _object(one)
    if answer["consequences"]:
        lines.append("with them:")
        for one in answer["consequences"]:
            lines += _object(one)
    if answer["withheld"]:
        lines.append(f"and {answer['withheld']} objects that you may not read")
    lines += [
        f"pool {one['pool']} gives {one['attribute']} {_value(one['value'])} to change {one['change']}"
        for one in answer["allocations"]
    ]
    lines += [
        shown(f"not undone: {one['attribute']} of {one['type']} {one['key']}: {one['why']}")
        for one in answer["not_undone"]
    ]
    lines.append(shown(_sum(answer)))
    return lines


def _object(one: Mapping[str, Any]) -> list[str]:
    sign, colour = _SIGNS[one["op"]]
    name = f" ({one['as']})" if one.get("as") else ""
    why = f": {one['reason']}" if one.get("reason") else ""
    what = shown(f"{sign} {one['api']} {one['type']} {one['key']}{name}")
    head = click.style(what, fg=colour, bold=True) + shown(why)
    old, new = one["old"] or {}, one["body"] or {}
    if one["op"] == "delete":
        return [head]
    names = [n for n in new if n not in _STAMPS and old.get(n) != new[n]]
    width = max((len(n) for n in names), default=0)
    if one["op"] == "create":
        return [head, *(f"    {n:<{width}}  {_value(new[n])}" for n in names)]
    return [head, *(f"    {n:<{width}}  {_value(old.get(n))} -> {_value(new[n])}" for n in names)]


def _value(value: Any) -> str:
    text = shown(json.dumps(value, ensure_ascii=False))
    return text if len(text) <= _WIDEST else f"{text[: _WIDEST - 1]}…"


def _sum(answer: Mapping[str, Any]) -> str:
    whole = (*answer["changes"], *answer["consequences"])
    counts = [sum(1 for one in whole if one["op"] == op and one["old"] != one["body"]) for op in _SIGNS]
    planned = answer["state"] == "planned"
    verbs = ("to create", "to change", "to delete") if planned else ("created", "changed", "deleted")
    said = ", ".join(f"{n} {verb}" for n, verb in zip(counts, verbs, strict=True))
    if planned:
        return f"{said}. Until {answer['expires_at'][:19]} UTC: gluon changes apply {answer['id']}"
    by = f", undone by {answer['undone_by']}" if answer.get("undone_by") else ""
    return f"{said} by {answer['who']} at revision {answer['revision']}{by}. Change set {answer['id']}"
