"""Bodies of one object type from another version to the stored one (`up`) and back (`down`).

In: bodies as JSON values, in the order and names of one version. Out: bodies of the other. Invariant
for conversions that `judge` finds sound: `down(up(b)) == b` for every full body there, and
`up(down(h), stored=h)` with what `h` keeps is `h`. Compiled once for a pair of types, then pure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
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
        self._givers = givers(self.origins)
        self._parts = _parts(self.origins)
        self._back = {target: name for name, o in self.origins.items() for target in targets(o)}

    def down(self, body: Body) -> dict[str, Any]:
        """The body there of an object here; attributes that the other version lacks are left out."""
        shown = {name: give(body) for name, give in self._givers.items()}
        shown.update((name, body[name]) for name in SERVER_SET if name in body)
        return shown

    def answered(self) -> types.ObjectType:
        """The object type there as its bodies are answered: values are stored by the limits here."""
        attributes = {n: self._answered(a, self.origins[n]) for n, a in self.there.attributes.items()}
        return replace(self.there, attributes=attributes)

    def _answered(self, theirs: types.Attribute, origin: facts.Origin) -> types.Attribute:
        ours = [self.here.attributes.get(target) for target in targets(origin)]
        if not ours:
            return theirs
        own = _said(theirs) | {"policies": {}}
        if isinstance(origin, facts.Renamed) and (stored := ours[0]) is not None:
            back = {new: old for old, new in origin.values.items()}
            found = replace(stored, **own, values=tuple(back.get(v, v) for v in stored.values))
            return replace(found, **_NULL) if "get" in stored.policies else found
        if isinstance(origin, facts.Renamed):
            return replace(theirs, **_NULL)
        text = types.AttributeType.STRING
        return replace(
            theirs, **_NULL, type=text, value_type=text, format=None, value_format=None, length=None
        )

    def needs_stored(self, body: Body) -> bool:
        """Whether a partial body there says only a part of a text here, or a text that may be the one that stood there
        and cannot be divided: so that what is stored must be read first."""
        if any(0 < sum(p in body for p in names) < len(names) for names, _ in self._parts.values()):
            return True
        return any(
            isinstance(origin, facts.Joined) and name in body and _divided(body[name], origin) is None
            for name, origin in self.origins.items()
        )

    def up(self, body: Body, *, stored: Body | None = None) -> dict[str, Any]:
        """What a body there says of the object here; what it does not say is absent.

        The body was judged by the other version's own rules. `stored` is the object here, asked for by
        `needs_stored`. Raises `Invalid` for a value that has no place here.
        """
        given: dict[str, Any] = {}
        problems: list[errors.FieldProblem] = []
        before = self.down(stored) if stored is not None else {}
        for name, value in body.items():
            origin = self.origins.get(name)
            if isinstance(origin, facts.Renamed):
                given[origin.name] = origin.values.get(value, value) if isinstance(value, str) else value
            elif isinstance(origin, facts.Joined):
                if name in before and before[name] == value:
                    continue  # what was read is sent back
                given.update(_apart(name, value, origin, problems, self._hides(name)))
            elif isinstance(origin, facts.Fixed) and value != origin.value:
                rule = f"is {origin.value!r} in this version"
                problems.append(_problem(name, value, rule, "leave it out", self._hides(name)))
        for target, (names, by) in self._parts.items():
            if any(name in body for name in names):
                given[target] = self._whole({n: body.get(n, before.get(n)) for n in names}, by, problems)
        if problems:
            raise errors.Invalid(problems)
        return given

    def _hides(self, name: str) -> bool:
        """Whether a value there is secret, or part of a secret here."""
        found = [self.there.attributes.get(name)]
        found += [self.here.attributes.get(target) for target in targets(self.origins[name])]
        return any(attribute is not None and attribute.secret for attribute in found)

    def _whole(self, parts: Mapping[str, Any], by: str, problems: list[errors.FieldProblem]) -> str | None:
        """The text here: of the parts that are given, none after one that is not; the last may have `by` in it."""
        given = [name for name, value in parts.items() if value is not None]
        for place, (name, value) in enumerate(parts.items()):
            if value is None and place < len(given):
                rule = f"stands before {given[-1]}, which is given"
                problems.append(_problem(name, value, rule, f"give {name} too", hides=False))
            elif value is not None and place < len(parts) - 1 and by in str(value):
                rule = f"has {by!r} in it, which stands between the parts"
                problems.append(_problem(name, value, rule, "leave it out", self._hides(name)))
        return by.join(str(parts[name]) for name in given) if given else None

    def place(self, name: str) -> str | None:
        """The attribute here that has the value of one there, as it is."""
        origin = self.origins.get(name)
        if isinstance(origin, facts.Renamed) and origin.name in self.here.attributes:
            return origin.name
        return None

    def blame(self, pointer: str) -> str:
        """The JSON pointer there for one here: what a client of the other version is told of."""
        first, slash, rest = pointer.removeprefix("/").partition("/")
        return f"/{self._back.get(first, first)}{slash}{rest}"


_NULL: dict[str, Any] = {"required": False, "nullable": True}


def _said(attribute: types.Attribute) -> dict[str, Any]:
    """What does not depend on what is stored."""
    return {name: getattr(attribute, name) for name in ("name", "description", "reference")}


def origins(there: types.ObjectType, said: facts.TypeFacts) -> dict[str, facts.Origin]:
    """For every attribute there its place here, declared or by its own name."""
    return {name: said.attributes.get(name, facts.Renamed(name=name)) for name in there.attributes}


def targets(origin: facts.Origin) -> tuple[str, ...]:
    """The attributes here that an attribute there stands for."""
    if isinstance(origin, facts.Joined):
        return origin.names
    return () if isinstance(origin, facts.Fixed) else (origin.name,)


def givers(found: Mapping[str, facts.Origin]) -> dict[str, _Giver]:
    """For every attribute there what makes its value of a body here."""
    parts = _parts(found)
    return {
        name: _of_part(o, len(parts[o.name][0])) if isinstance(o, facts.Part) else _giver(o)
        for name, o in found.items()
    }


def _giver(origin: facts.Renamed | facts.Joined | facts.Fixed) -> _Giver:
    if isinstance(origin, facts.Renamed):
        return _renamed(origin)
    if isinstance(origin, facts.Joined):
        return lambda body: _together([body.get(name) for name in origin.names], origin.by)
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


def _of_part(origin: facts.Part, count: int) -> _Giver:
    """Of so many parts; the last is all that is left."""

    def give(body: Body) -> Any:
        whole = body.get(origin.name)
        parts = whole.split(origin.by, count - 1) if isinstance(whole, str) else []
        return parts[origin.index] if origin.index < len(parts) else None

    return give


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
    parts = _divided(value, origin)
    if parts is None:
        form = origin.by.join(f"<{n}>" for n in origin.names)
        problems.append(_problem(name, value, f"has not the form {form}", f"write it as {form}", hides))
        return {}
    return dict(zip(origin.names, parts, strict=True))


def _divided(value: Any, origin: facts.Joined) -> list[str] | None:
    """A text there as those here, or None where it is not certain which."""
    parts = value.split(origin.by) if isinstance(value, str) else []
    return parts if len(parts) == len(origin.names) else None


def _problem(name: str, value: Any, rule: str, hint: str, hides: bool) -> errors.FieldProblem:
    given = "…" if hides else str(value)[:100]
    return errors.FieldProblem(
        pointer=f"/{name}", code="version", message=f"{name}: {given!r} {rule}", hint=hint, legacy=""
    )
