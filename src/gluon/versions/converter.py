"""Bodies of one object type from another version to the stored one (`up`) and back (`down`).

In: bodies as JSON values, in the order and names of one version. Out: bodies of the other. Invariant
for conversions that `judge` finds sound: `down(up(b)) == b` for every full body there, and
`up(down(h), stored=h)` with what `h` keeps is `h`. Compiled once for a pair of types, then pure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from gluon import errors
from gluon.model import conversions as facts
from gluon.model import types

Body = Mapping[str, Any]
_Giver = Callable[[Body], Any]

SERVER_SET = ("created_at", "updated_at")


class Converter:
    """One object type in two versions. `there` is the other version's, `here` the stored one's."""

    def __init__(self, there: types.ObjectType, here: types.ObjectType, said: facts.TypeFacts) -> None:
        self.there, self.here = there, here
        self.origins = origins(there, said)
        self._givers = {name: giver(o) for name, o in self.origins.items()}
        self._parts = _parts(self.origins)
        self._back = {target: name for name, o in self.origins.items() for target in targets(o)}

    def down(self, body: Body) -> dict[str, Any]:
        """The body there of an object here; attributes that the other version lacks are left out."""
        shown = {name: give(body) for name, give in self._givers.items()}
        shown.update((name, body[name]) for name in SERVER_SET if name in body)
        return shown

    def needs_stored(self, body: Body) -> bool:
        """Whether a partial body there says only a part of a text here, so that the rest must be read first."""
        return any(0 < sum(p in body for p in names) < len(names) for names, _ in self._parts.values())

    def up(self, body: Body, *, stored: Body | None = None) -> dict[str, Any]:
        """What a body there says of the object here; what it does not say is absent.

        The body was judged by the other version's own rules. `stored` is the object here, asked for by
        `needs_stored`. Raises `Invalid` for a value that has no place here.
        """
        given: dict[str, Any] = {}
        problems: list[errors.FieldProblem] = []
        for name, value in body.items():
            origin = self.origins.get(name)
            if isinstance(origin, facts.Renamed):
                given[origin.name] = origin.values.get(value, value) if isinstance(value, str) else value
            elif isinstance(origin, facts.Joined):
                given.update(_apart(name, value, origin, problems, self._hides(name)))
            elif isinstance(origin, facts.Fixed) and value != origin.value:
                rule = f"is {origin.value!r} in this version"
                problems.append(_problem(name, value, rule, "leave it out", self._hides(name)))
        for target, (names, by) in self._parts.items():
            if any(name in body for name in names):
                given[target] = self._whole(names, by, body, stored)
        if problems:
            raise errors.Invalid(problems)
        return given

    def _hides(self, name: str) -> bool:
        """Whether a value there is secret, or part of a secret here."""
        found = [self.there.attributes.get(name)]
        found += [self.here.attributes.get(target) for target in targets(self.origins[name])]
        return any(attribute is not None and attribute.secret for attribute in found)

    def _whole(self, names: tuple[str, ...], by: str, body: Body, stored: Body | None) -> Any:
        before = self.down(stored) if stored is not None else {}
        return _together([body.get(name, before.get(name)) for name in names], by)

    def blame(self, pointer: str) -> str:
        """The JSON pointer there for one here: what a client of the other version is told of."""
        first, slash, rest = pointer.removeprefix("/").partition("/")
        return f"/{self._back.get(first, first)}{slash}{rest}"


def origins(there: types.ObjectType, said: facts.TypeFacts) -> dict[str, facts.Origin]:
    """For every attribute there its place here, declared or by its own name."""
    return {name: said.attributes.get(name, facts.Renamed(name=name)) for name in there.attributes}


def targets(origin: facts.Origin) -> tuple[str, ...]:
    """The attributes here that an attribute there stands for."""
    if isinstance(origin, facts.Joined):
        return origin.names
    return () if isinstance(origin, facts.Fixed) else (origin.name,)


def giver(origin: facts.Origin) -> _Giver:
    if isinstance(origin, facts.Renamed):
        return _renamed(origin)
    if isinstance(origin, facts.Joined):
        return lambda body: _together([body.get(name) for name in origin.names], origin.by)
    if isinstance(origin, facts.Part):
        return lambda body: _part(body.get(origin.name), origin)
    return lambda body: origin.value


def _renamed(origin: facts.Renamed) -> _Giver:
    name, back = origin.name, {new: old for old, new in origin.values.items()}
    if not back:
        return lambda body: body.get(name)

    def give(body: Body) -> Any:
        value = body.get(name)
        return back.get(value, value) if isinstance(value, str) else value

    return give


def _together(values: list[Any], by: str) -> str | None:
    return None if None in values else by.join(map(str, values))


def _part(whole: Any, origin: facts.Part) -> Any:
    parts = whole.split(origin.by) if isinstance(whole, str) else []
    return parts[origin.index] if origin.index < len(parts) else None


def _parts(found: Mapping[str, facts.Origin]) -> dict[str, tuple[tuple[str, ...], str]]:
    """For each text here that is divided there: the names of its parts, in order, and what divides them."""
    by_target: dict[str, list[tuple[int, str, str]]] = {}
    for name, origin in found.items():
        if isinstance(origin, facts.Part):
            by_target.setdefault(origin.name, []).append((origin.index, name, origin.by))
    return {
        target: (tuple(name for _, name, _ in sorted(parts)), parts[0][2])
        for target, parts in by_target.items()
    }


def _apart(
    name: str, value: Any, origin: facts.Joined, problems: list[errors.FieldProblem], hides: bool
) -> dict[str, Any]:
    if value is None:
        return dict.fromkeys(origin.names)
    parts = value.split(origin.by) if isinstance(value, str) else []
    if len(parts) != len(origin.names):
        form = origin.by.join(f"<{n}>" for n in origin.names)
        problems.append(_problem(name, value, f"has not the form {form}", f"write it as {form}", hides))
        return {}
    return dict(zip(origin.names, parts, strict=True))


def _problem(name: str, value: Any, rule: str, hint: str, hides: bool) -> errors.FieldProblem:
    given = "…" if hides else str(value)[:100]
    return errors.FieldProblem(
        pointer=f"/{name}", code="version", message=f"{name}: {given!r} {rule}", hint=hint, legacy=""
    )
