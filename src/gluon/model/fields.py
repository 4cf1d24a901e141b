"""Bodies judged by a model: `compile_fields` makes, once for each object type, what checks bodies.

In: the decoded JSON object of a request. Out: the normal form of each attribute given (what tables
hold and compare) and, where that differs, the form written by the client (what answers show); or
`errors.Invalid` with every problem of the body. Called by the proton engine.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from gluon import errors
from gluon.model import acceptors
from gluon.model.fieldtypes import RESERVED
from gluon.model.problems import suggest
from gluon.model.types import Attribute, AttributeType, Format, ObjectType

MOST_PROBLEMS = 100
"""Of one body; more of them would help nobody."""

_KEPT = frozenset({Format.MAC, Format.IPV6})


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """What a body holds: `values` in normal form, `written` only where the client wrote another form."""

    values: dict[str, Any]
    written: dict[str, Any]


class Field:
    """One attribute of bodies. `required`: null is refused. `keeps`: the written form is shown."""

    __slots__ = ("attribute", "generated", "keeps", "name", "parse", "required")

    def __init__(self, attribute: Attribute, *, key: bool, generated: bool) -> None:
        self.attribute = attribute
        self.name = attribute.name
        self.parse = (
            _not_empty(acceptors.acceptor(attribute))
            if key and not generated
            else acceptors.acceptor(attribute)
        )
        self.required = (attribute.required or key) and not generated
        self.generated = generated
        self.keeps = attribute.value_type is AttributeType.UUID or attribute.value_format in _KEPT

    def accept(self, value: object) -> tuple[Any, Any]:
        """The normal form of `value` and the form to show. Raises `Invalid` with the one problem."""
        if value is None:
            normal = None
        else:
            try:
                normal = self.parse(value)
            except acceptors.Wrong as wrong:
                raise errors.Invalid([_problem(self.name, value, wrong)]) from None
        if normal is None and self.required:
            raise errors.Invalid([_missing(self.name)])
        return normal, value if self.keeps and value and normal is not None else normal


class Fields:
    """All attributes of one object type, compiled."""

    def __init__(self, object_type: ObjectType) -> None:
        self.object_type = object_type
        self._fields = {
            name: Field(
                a,
                key=name == object_type.key,
                generated=name == object_type.key and object_type.generated_key,
            )
            for name, a in object_type.attributes.items()
        }
        # What the loop of `check` needs of each field, in one look-up; of most only how to parse it.
        self._plain = {
            f.name: f.parse
            for f in self._fields.values()
            if not (f.generated or f.keeps or f.attribute.reference)
        }
        self._table = {f.name: (f.parse, f.required, f.generated, f.keeps) for f in self._fields.values()}
        self._required = tuple(f.name for f in self._fields.values() if f.required)
        self._required_set = frozenset(self._required)
        self._key = self._fields[object_type.key]

    def __getitem__(self, name: str) -> Field:
        return self._fields[name]

    def check(self, body: Mapping[str, Any], *, partial: bool, key_given: bool = False) -> Checked:
        """The attributes that `body` gives, judged.

        `partial`: absent attributes stay as they are, so none is missing. `key_given`: the key comes
        from elsewhere. A key that the server makes may be absent, null or empty, and is then not
        among the values. Raises `Invalid` with every problem (100 at most).
        """
        values: dict[str, Any] = {}
        written: dict[str, Any] = {}
        problems: list[errors.FieldProblem] = []
        table = self._table
        if type(body) is not dict and not isinstance(body, Mapping):
            raise errors.Invalid([_no_object(body)])
        for name, value in body.items():
            if value is not None and (simple := self._plain.get(name)) is not None:
                try:
                    values[name] = simple(value)
                except acceptors.Wrong as wrong:
                    problems.append(_problem(name, value, wrong))
                continue
            entry = table.get(name)
            if entry is None:
                problems.append(self._unknown(name, value))
                if len(problems) >= MOST_PROBLEMS:
                    break
                continue
            parse, required, generated, keeps = entry
            try:
                normal = parse(value) if value is not None else None
            except acceptors.Wrong as wrong:
                problems.append(_problem(name, value, wrong))
                continue
            if normal is None and required:
                problems.append(_missing(name))
            elif normal or not generated:
                values[name] = normal
                if keeps and normal and normal != value:
                    written[name] = value
        if not partial and not body.keys() >= self._required_set:
            absent = [name for name in self._required if name not in body]
            problems += [_missing(n) for n in absent if not (key_given and n == self._key.name)]
        if problems:
            raise errors.Invalid(problems[:MOST_PROBLEMS])
        return Checked(values=values, written=written)

    def key(self, text: str) -> Any:
        """The normal form of a key as a path gives it. Raises `Invalid` where it can be none."""
        try:
            normal = self._key.parse(text)
        except acceptors.Wrong as wrong:
            raise errors.Invalid([_bad_key(self._key, text, wrong)]) from None
        if normal in {None, ""}:
            raise errors.Invalid([_missing(self._key.name)])
        return normal

    def normal(self, name: str, value: object) -> Any:
        """The normal form of one attribute's value. Raises `Invalid`."""
        return self._fields[name].accept(value)[0]

    def _unknown(self, name: str, value: object) -> errors.FieldProblem:
        given = acceptors.shown(name)
        if name in RESERVED:
            why = "Cannot set read only field."
            return errors.FieldProblem(
                pointer=_pointer(name),
                code="read_only",
                message=f"{given}: the server sets it",
                hint="leave it out",
                legacy=_legacy(given, value, why),
            )
        return errors.FieldProblem(
            pointer=_pointer(name),
            code="unknown",
            message=f"{given}: {self.object_type.name} has no such attribute",
            hint=suggest(name, self._fields) if len(name) <= 100 else "",
            legacy=f"Unknown attribute for argument body: {given}",
        )


def compile_fields(object_type: ObjectType) -> Fields:
    """What checks bodies of `object_type`."""
    return Fields(object_type)


def _not_empty(accept: acceptors.Acceptor) -> Callable[[Any], Any]:
    """For keys that clients choose: they stand in URLs, where an empty one is none."""

    def accept_key(value: Any) -> Any:
        if value == "":
            raise acceptors.Wrong(
                "required", "is no key", hint="a key is not empty", why="Mandatory field missing."
            )
        return accept(value)

    return accept_key


def _pointer(name: str) -> str:
    return "/" + acceptors.shown(name).replace("~", "~0").replace("/", "~1")


def _legacy(name: str, value: object, why: str) -> str:
    return f"Invalid input for field/attribute {name}. Value: '{acceptors.shown(value)}'. {why}"


def _problem(name: str, value: object, wrong: acceptors.Wrong) -> errors.FieldProblem:
    return errors.FieldProblem(
        pointer=_pointer(name),
        code=wrong.code,
        message=f"{name}: '{acceptors.shown(value)}' {wrong.rule}",
        hint=wrong.hint,
        legacy=_legacy(name, value, wrong.why),
    )


def _missing(name: str) -> errors.FieldProblem:
    return errors.FieldProblem(
        pointer=_pointer(name),
        code="required",
        message=f"{name}: a value is required",
        hint=f"give {name}",
        legacy=_legacy(name, None, "Mandatory field missing."),
    )


def _bad_key(field: Field, text: str, wrong: acceptors.Wrong) -> errors.FieldProblem:
    why = wrong.why
    if field.attribute.value_type is AttributeType.UUID:
        why = f"unable to convert to uuid. Error: {wrong.why}"
    return errors.FieldProblem(
        pointer="",
        code=wrong.code,
        message=f"{field.name} in the path: '{acceptors.shown(text)}' {wrong.rule}",
        hint=wrong.hint,
        legacy=_legacy("key", text, why),
    )


def _no_object(body: object) -> errors.FieldProblem:
    return errors.FieldProblem(
        pointer="",
        code="type",
        message=f"the body is no JSON object but '{acceptors.shown(body)}'",
        hint='send an object such as {"name": "a"}',
        legacy='Missing argument: "body"',
    )
