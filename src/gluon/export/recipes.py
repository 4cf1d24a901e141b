"""Requests that work, in the order in which they do: for `protonclient` and for curl.

In: a model and bodies (`samples`). Out: Markdown with two scripts. Each leaves the server as it was.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from gluon.export import paths, samples
from gluon.model.types import Kind, Model, ObjectType

_SERVER = "http://127.0.0.1:2705"
_WIDTH = 110


def openapi_path(model: Model) -> str:
    """Where a server has the OpenAPI document."""
    return f"/gluon/v1/protons/{model.name}/v{model.version}/openapi.json"


def walk(model: Model, bodies: Mapping[str, samples.Body]) -> Iterator[str]:
    """The section with both scripts."""
    if not bodies:
        return
    yield "## Try it\n\n"
    yield f"On a server at {_SERVER} (`gluon up --model PATH`). Each script makes one object of each type, looks at"
    yield " the services and takes all away again.\n\nWith `protonclient`, whose commands are made from the model:\n\n"
    yield "```sh\n" + "".join(f"{line}\n" for line in _by_client(model, bodies)) + "```\n\n"
    yield "With curl:\n\n"
    yield "```sh\n" + "".join(f"{line}\n" for line in _by_curl(model, bodies)) + "```\n\n"


def _looked_at(model: Model, bodies: Mapping[str, samples.Body]) -> list[ObjectType]:
    """The services, as they are what it is about; all where there is none."""
    made = [model.types[name] for name in bodies]
    return [t for t in made if t.kind is Kind.SERVICE] or made


def _by_client(model: Model, bodies: Mapping[str, samples.Body]) -> Iterator[str]:
    def line(t: ObjectType, verb: str, *words: str) -> str:
        return _wrapped(["protonclient", "--api", model.name, f"{t.singular}-{verb}", *words])

    for name, body in bodies.items():
        yield line(model.types[name], "create", *_options(body))
    for t in _looked_at(model, bodies):
        key = shlex.quote(str(bodies[t.name][t.key]))
        yield line(t, "list")
        yield line(t, "show", key)
        if change := samples.changes(t):
            yield line(t, "update", key, *_options(change))
    for name, body in reversed(list(bodies.items())):
        t = model.types[name]
        yield line(t, "delete", shlex.quote(str(body[t.key])))


def _options(body: samples.Body) -> list[str]:
    return [f"--{name} {shlex.quote(_option(value))}" for name, value in body.items()]


def _option(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _by_curl(model: Model, bodies: Mapping[str, samples.Body]) -> Iterator[str]:
    yield f"API={_SERVER}{paths.base(model)}"
    yield "ask() { curl --silent --show-error --fail-with-body -H 'Content-Type: application/json' \"$@\"; echo; }"
    for name, body in bodies.items():
        yield _wrapped(["ask", f"$API/{model.types[name].plural}", _data(body)])
    for t in _looked_at(model, bodies):
        one = _path(t, bodies[t.name])
        yield f"ask $API/{t.plural}"
        yield f"ask {one}"
        yield f"ask {one}/status"
        if change := samples.changes(t):
            yield _wrapped(["ask", "-X PUT", one, _data(change)])
    for name, body in reversed(list(bodies.items())):
        yield f"ask -X DELETE {_path(model.types[name], body)}"


def _path(t: ObjectType, body: samples.Body) -> str:
    return f"$API/{t.plural}/{quote(str(body[t.key]), safe=':')}"


def _data(body: samples.Body) -> str:
    return f"-d {shlex.quote(json.dumps(body, ensure_ascii=False))}"


def _wrapped(words: Sequence[str]) -> str:
    """A command over as many lines as it takes."""
    lines = [words[0]]
    for word in words[1:]:
        if len(lines[-1]) + len(word) < _WIDTH:
            lines[-1] += f" {word}"
        else:
            lines.append(f"  {word}")
    return " \\\n".join(lines)
