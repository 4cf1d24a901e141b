"""Links of OpenAPI: what can be done with an object that was just made.

In: the paths of a document. Out: a link at each create, to all that stands below the new object. Called by `openapi`
when all operations are there: a link to one that a version does not have would be none.
"""

from __future__ import annotations

import re
from typing import Any

from gluon.export import paths
from gluon.model.types import Model

Document = dict[str, Any]

_PARAMETER = re.compile(r"{(\w+)}")
_VERBS = ("get", "post", "put", "patch", "delete")


def add(model: Model, found: Document) -> None:
    """Into the answers of creates."""
    for t in model.types.values():
        for place in paths.places(model, t):
            made = found.get(place.path, {}).get("post", {}).get("responses", {}).get("201")
            if not place.listed and made is not None:
                given = [f"$request.path.{s.parameter}" for s in place.above]
                made["links"] = _below(found, place.one, [*given, f"$response.body#/{t.key}"])


def _below(found: Document, one: str, values: list[str]) -> Document:
    """To the object at `one` and its collections; the keys in the path have these values."""
    begin, links = _form(one), {}
    for path, item in found.items():
        form, names = _form(path), _PARAMETER.findall(path)
        if len(names) != len(values) or not (form == begin or form.startswith(f"{begin}/")):
            continue
        given = dict(zip(names, values, strict=True))
        for verb in _VERBS:
            if verb in item:
                name = item[verb]["operationId"]
                links[name] = {"operationId": name, "parameters": given}
    return links


def _form(path: str) -> str:
    """A path without the names of its keys, which differ by place."""
    return _PARAMETER.sub("{}", path)
