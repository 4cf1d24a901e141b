"""The commands of one proton, made from its description: `<object>-<verb>` with an option an attribute.

Lists, maps and objects are written as JSON: `--targets '["65000:1"]'`. Actions of the model are verbs too.
"""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Callable
from typing import Any, NoReturn

import click

from gluon.cli import lists
from gluon.client import http
from gluon.objects import codec
from gluon.values.text import shown

VERBS = ("list", "show", "create", "update", "delete")
BINDING_FAILED = "binding_failed"
_INDENT = 4

_INTEGER = re.compile(r"[+-]?[0-9]+").fullmatch

_WRITTEN_AS_JSON = ("list", "map", "object")

Kind = dict[str, Any]


class _Key(click.ParamType[str]):
    """A key stands in a URL, where an empty one would mean all objects."""

    name = "key"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if not value:
            self.fail("a key is not empty", param, ctx)
        return str(value)


def names(proton: dict[str, Any]) -> list[str]:
    """All command names of a proton."""
    return [
        f"{kind['singular']}-{verb}"
        for kind in proton["types"].values()
        for verb in (*VERBS, *(kind.get("actions") or ()))
    ]


def make(proton: dict[str, Any], name: str) -> click.Command | None:
    """The command of this name, None if there is none."""
    found = _kind_and_verb(proton, name)
    if found is None:
        return None
    kind, verb = found
    singular, path = kind["singular"], kind["paths"][0]
    key = click.Argument(["object_key"], metavar=kind["key"].upper(), type=_Key())
    if verb not in VERBS:
        action = kind["actions"][verb]
        options = _options(action.get("takes") or {})
        text = action.get("description") or f"{verb} of {_a(singular)}."
        return _command(name, text, [key, *options], _act(kind, verb, action))
    made: dict[str, Callable[[], click.Command]] = {
        "list": lambda: _list(proton, kind, name),
        "show": lambda: _command(name, f"One {singular}.", [key], _on_object(kind, "GET")),
        "delete": lambda: _command(name, f"Delete {_a(singular)}.", [key], _on_object(kind, "DELETE")),
        "create": lambda: _command(
            name, f"Create {_a(singular)}.", _attributes(kind, create=True), _create(kind, path)
        ),
        "update": lambda: _command(
            name,
            f"Change attributes of {_a(singular)}.",
            [key, *_attributes(kind, create=False)],
            _update(kind),
        ),
    }
    return made[verb]()


def _list(proton: dict[str, Any], kind: Kind, name: str) -> click.Command:
    """1.0 lists all and takes no arguments."""
    path, text = kind["paths"][0], f"All {kind['plural']}."
    if proton.get("file_version", "1.0") == "1.0":
        return _command(name, text, [], lambda c: c.request("GET", path))
    return _command(name, text, lists.options(), lists.act(path, kind["plural"]))


def _a(name: str) -> str:
    return f"{'an' if name[:1].lower() in 'aeio' else 'a'} {name}"


def _kind_and_verb(proton: dict[str, Any], name: str) -> tuple[Kind, str] | None:
    """An object's name and an action's may have dashes."""
    for kind in proton["types"].values():
        verb = name.removeprefix(f"{kind['singular']}-")
        if verb != name and verb in (*VERBS, *(kind.get("actions") or ())):
            return kind, verb
    return None


def _command(
    name: str, help_text: str, params: list[click.Parameter], act: Callable[..., Any]
) -> click.Command:
    @click.pass_context
    def callback(ctx: click.Context, /, **given: Any) -> None:
        client: http.Client = ctx.ensure_object(dict)["client"]
        try:
            answer = act(client, **given)
        except http.ClientError as error:
            fail(error)
        if answer is not None:
            click.echo(shown(json.dumps(answer, indent=_INDENT, ensure_ascii=False), lines=True))

    return click.Command(name, params=params, callback=callback, help=help_text)


def _on_object(kind: Kind, method: str) -> Callable[..., Any]:
    def act(client: http.Client, object_key: str) -> Any:
        return client.request(method, http.object_path(kind["paths"][0], object_key))

    return act


def _create(kind: Kind, path: str) -> Callable[..., Any]:
    def act(client: http.Client, **given: str | None) -> Any:
        return client.request("POST", path, _body(kind, given))

    return act


def _update(kind: Kind) -> Callable[..., Any]:
    def act(client: http.Client, object_key: str, **given: str | None) -> Any:
        path = http.object_path(kind["paths"][0], object_key)
        answer = client.request("PUT", path, _body(kind, given))
        if isinstance(answer, dict) and answer.get("vif_type") == BINDING_FAILED:
            _say_why(client, path)
        return answer

    return act


def _act(kind: Kind, verb: str, action: Kind) -> Callable[..., Any]:
    def act(client: http.Client, object_key: str, **given: str | None) -> Any:
        path = f"{http.object_path(kind['paths'][0], object_key)}/{verb}"
        return client.request("POST", path, _body({"attributes": action.get("takes") or {}}, given))

    return act


def _say_why(client: http.Client, path: str) -> None:
    """A bind that failed is no error of the request; its reason stands in the port's status."""
    binding = client.facts(f"{path}/status", "binding")["binding"]
    click.echo(shown(f"binding failed: {binding.get('reason')}: {binding.get('message')}"), err=True)


def _attributes(kind: Kind, *, create: bool) -> list[click.Parameter]:
    """An option for each attribute; what is required is the server's to say."""
    attributes = {
        name: facts
        for name, facts in kind["attributes"].items()
        if (create or name != kind["key"]) and not facts.get("read_only")
    }
    return _options(attributes)


def _options(attributes: dict[str, Any]) -> list[click.Parameter]:
    return [
        click.Option(
            [f"--{name}", _variable(name)],
            help=_help(attribute),
            metavar="JSON" if attribute["type"] in _WRITTEN_AS_JSON else None,
        )
        for name, attribute in attributes.items()
    ]


def _variable(name: str) -> str:
    """A Python name that no other parameter has, whatever the attribute is called (click keeps no capitals)."""
    return f"attribute_{name.encode().hex()}"


def _help(attribute: dict[str, Any]) -> str:
    facts = [_kind_of(attribute)]
    facts += attribute.get("values") or []
    if "min" in attribute or "max" in attribute:
        facts.append(f"{attribute.get('min', '')}..{attribute.get('max', '')}")
    text = str(attribute.get("description") or "")
    required = ", required" if attribute.get("required") else ""
    default = f", default {json.dumps(attribute['default'])}" if attribute.get("default") is not None else ""
    return f"{text} [{' '.join(str(f) for f in facts)}{required}{default}]".strip()


def _kind_of(attribute: dict[str, Any]) -> str:
    """The type in a word or three."""
    if attribute["type"] in {"list", "map"}:
        return f"{attribute['type']} of {_kind_of(attribute.get('items') or {'type': 'values'})}"
    if attribute["type"] == "object":
        return f"object of {', '.join(attribute.get('attributes') or ()) or 'nothing'}"
    return str(attribute.get("reference") or attribute.get("format") or attribute["type"])


def _body(kind: Kind, given: dict[str, str | None]) -> dict[str, Any]:
    by_variable = {_variable(name): (name, facts) for name, facts in kind["attributes"].items()}
    body = {}
    for variable, text in given.items():
        if text is not None:
            name, facts = by_variable[variable]
            body[name] = _value(facts, text)
    return body


def _value(attribute: dict[str, Any], text: str) -> Any:
    """What the text means; where it means nothing it goes as it is, and the server says why not."""
    kind = attribute.get("value_type") or attribute["type"]
    if kind in _WRITTEN_AS_JSON:
        return _json(text)
    if text == "null" and attribute.get("nullable") and kind in {"integer", "number", "boolean"}:
        return None
    if kind == "integer" and _INTEGER(text) and len(text) <= 30:
        return int(text)
    if kind == "number":
        return _number(text)
    if kind == "boolean":
        return {"true": True, "false": False}.get(text.lower(), text)
    return text


def _json(text: str) -> Any:
    """JSON as the server reads it too: no number without end, no depth without end."""
    try:
        return codec.decode(text)
    except (ValueError, RecursionError):
        return text


def _number(text: str) -> float | str:
    """JSON has no number that is none or without end."""
    try:
        number = float(text)
    except ValueError:
        return text
    return number if math.isfinite(number) and "_" not in text else text


def fail(error: http.ClientError) -> NoReturn:
    """Say what the server said, and end with 1."""
    if isinstance(error, http.ApiError):
        click.echo(f"Bad return status {error.status}", err=True)
        for line in error.lines:
            click.echo(shown(line), err=True)
    else:
        click.echo(shown(f"protonclient: {error}"), err=True)
    sys.exit(1)
