"""One check of a rule, `kind:match`, as a closure over caller and stored object.

As in `oslo.policy`, with one difference: null equals nothing. There, a caller without project owns what belongs to no
project, because both are written `None`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from gluon.model import rules
from gluon.spi.policy import Caller, Scope, Target, normal_project

Check = Callable[[Caller, Target], bool]
ScopeOf = Callable[[Caller], Scope]

_PLACE = re.compile(r"%\(([^()]*)\)s")
_PROJECT = frozenset({"project_id", "tenant_id"})
_REMOTE = frozenset({"http", "https"})
_MISSING: Any = object()


class Compiled(NamedTuple):
    """`constant`: what it is for everyone and everything, where that is known."""

    check: Check
    scope: ScopeOf
    constant: bool | None = None
    depth: int = 1


def constant(value: bool) -> Compiled:
    scope = Scope.ALL if value else Scope.NOTHING
    return Compiled(_yes if value else _no, lambda _: scope, value)


def _yes(_caller: Caller, _target: Target) -> bool:
    return True


def _no(_caller: Caller, _target: Target) -> bool:
    return False


def compile_check(check: rules.Check) -> Compiled:
    """Of a check that is no `rule:`. Raises `ValueError` for one that cannot be made."""
    if check.kind in _REMOTE:
        raise ValueError(
            f"{check.kind}: checks ask another server in the middle of a request, which is not supported"
        )
    expected = _expected(check.match)
    fixed = isinstance(expected, str)
    if check.kind == "role":
        made = _role(check.match) if isinstance(expected, str) else _role_of(expected)
        return Compiled(made, _by_caller(made) if fixed else _rows)
    literal = _literal(check.kind)
    if check.kind in _PROJECT and isinstance(expected, str):
        expected = normal_project(expected)
    if literal is not None:
        if _one_place(check.match) in _PROJECT:
            literal = normal_project(literal)
        if isinstance(expected, str):
            return constant(literal == expected)
        value = expected
        return Compiled(lambda _caller, target: value(target) == literal, _rows)
    if check.kind in _PROJECT and (name := _one_place(check.match)) in _PROJECT:
        return Compiled(_owner(name), _own)
    made = _credential(check.kind, expected)
    return Compiled(made, _by_caller(made) if fixed else _rows)


def _rows(_caller: Caller) -> Scope:
    return Scope.ROWS


def _own(caller: Caller) -> Scope:
    return Scope.NOTHING if caller.project is None else Scope.OWN


def _by_caller(check: Check) -> ScopeOf:
    """Of a check that looks at no object."""
    return lambda caller: Scope.ALL if check(caller, {}) else Scope.NOTHING


def _role(name: str) -> Check:
    lower = name.lower()

    return lambda caller, _target: lower in caller.lowered


def _role_of(expected: Callable[[Target], str | None]) -> Check:
    def check(caller: Caller, target: Target) -> bool:
        name = expected(target)
        return name is not None and name.lower() in caller.lowered

    return check


def _owner(name: str) -> Check:
    def check(caller: Caller, target: Target) -> bool:
        project = caller.project
        return project is not None and target.get(name) == project

    return check


def _credential(kind: str, expected: str | Callable[[Target], str | None]) -> Check:
    name, *rest = kind.split(".")
    path, known = tuple(rest), _known(name)
    if name == "is_admin" and not path and expected in ("True", "False"):
        wanted = expected == "True"
        return lambda caller, _target: caller.admin is wanted
    if isinstance(expected, str):
        text = expected
        return lambda caller, _target: _holds(known(caller), path, text)

    def check(caller: Caller, target: Target) -> bool:
        value = expected(target)
        return value is not None and _holds(known(caller), path, value)

    return check


def _known(name: str) -> Callable[[Caller], Any]:
    """What is known of a caller under a name of `oslo.policy`."""
    if name == "is_admin":
        return lambda caller: caller.admin
    if name == "user_id":
        return lambda caller: caller.user
    if name in _PROJECT:
        return lambda caller: caller.project
    if name == "roles":
        return lambda caller: list(caller.roles)
    return lambda caller: caller.more.get(name, _MISSING)


def _holds(value: Any, path: tuple[str, ...], expected: str) -> bool:
    """Whether what lies at `path` of a credential is `expected`; of a list, any item will do."""
    if not path and isinstance(value, str):
        return value == expected
    if isinstance(value, (list, tuple)):
        return any(_holds(item, path, expected) for item in value)
    if value is None or value is _MISSING:
        return False
    if not path:
        return str(value) == expected
    return isinstance(value, Mapping) and _holds(value.get(path[0], _MISSING), path[1:], expected)


def _one_place(match: str) -> str:
    found = _PLACE.fullmatch(match)
    return found[1] if found else ""


def _expected(match: str) -> str | Callable[[Target], str | None]:
    """The text on the right: fixed, or made of the object; None where that lacks what is named. Raises `ValueError`."""
    parts = _PLACE.split(match)
    if any("%" in part for part in parts[::2]):
        raise ValueError(f"{match!r}: an attribute of the object is written %(name)s")
    if len(parts) == 1:
        return match
    if parts[::2] == ["", ""]:
        name = parts[1]
        return lambda target: _text(_find(target, name))

    def of(target: Target) -> str | None:
        found = [_text(_find(target, part)) if n % 2 else part for n, part in enumerate(parts)]
        return None if None in found else "".join(str(part) for part in found)

    return of


def _text(value: Any) -> str | None:
    return None if value is None or value is _MISSING else str(value)


def _find(target: Target, name: str) -> Any:
    """An attribute, or by `a.b` a member of one."""
    value = target.get(name, _MISSING)
    if value is not _MISSING or "." not in name:
        return value
    value = target
    for part in name.split("."):
        if not isinstance(value, Mapping):
            return _MISSING
        value = value.get(part, _MISSING)
    return value


def _literal(kind: str) -> str | None:
    """The text of a literal on the left: `'text'`, `12`, `True`."""
    try:
        value = ast.literal_eval(kind)
    except (ValueError, SyntaxError):
        return None
    return str(value)
