"""Arguments of a query that a path knows by name, each given once."""

from __future__ import annotations

from collections.abc import Mapping, Set
from urllib.parse import parse_qsl

from gluon import errors
from gluon.api import message

_TRUTH = {"true": True, "false": False}


def known(request: message.Request, names: Set[str]) -> dict[str, str]:
    """Raises `Invalid` for one that is not among them."""
    found: dict[str, str] = {}
    for name, value in parse_qsl(request.query.decode("latin-1"), keep_blank_values=True):
        if name in names and name not in found:
            found[name] = value
            continue
        said = "is given twice" if name in names else "is not known"
        hint = f"known here: {', '.join(sorted(names))}" if names else "this resource takes none"
        raise wrong(f"query argument '{name[:100]}' {said}", hint)
    return found


def truth(given: Mapping[str, str], name: str) -> bool:
    """False where it is not given. Raises `Invalid`."""
    value = given.get(name, "false")
    if value not in _TRUTH:
        raise wrong(f"{name} is true or false, not '{value[:40]}'", f"say {name}=true, or leave it out")
    return _TRUTH[value]


def wrong(text: str, hint: str) -> errors.Invalid:
    return errors.Invalid([errors.FieldProblem(pointer="", code="argument", message=text, hint=hint)])
