"""The field problems that `fields` tells: our words, and beside them the original's where it had any.

In: an attribute, the value given and the broken rule. Out: `errors.FieldProblem`. A secret value is never
among the words.
"""

from __future__ import annotations

from collections.abc import Mapping

from gluon import errors
from gluon.model.fieldtypes import RESERVED
from gluon.model.problems import suggest
from gluon.model.types import Attribute, AttributeType, ObjectType
from gluon.model.wrong import Part, Wrong, parts_of, shown

_HIDDEN = "…"


def problems_of(attribute: Attribute, value: object, wrong: Wrong) -> list[errors.FieldProblem]:
    """One problem for each broken rule behind `wrong`."""
    return [_problem(attribute, part) for part in parts_of(value, wrong)]


def _problem(attribute: Attribute, part: Part) -> errors.FieldProblem:
    name = "/".join((attribute.name, *map(shown, part.path)))
    value = _HIDDEN if attribute.secret else shown(part.value)
    rule = part.wrong.rule
    return errors.FieldProblem(
        pointer="".join(map(_pointer, (attribute.name, *part.path))),
        code=part.wrong.code,
        message=f"{name}: a value is required"
        if part.wrong.code == "required" and part.value is None
        else f"{name}: '{value}' {rule}",
        hint=part.wrong.hint,
        legacy=_legacy(name, value, part.wrong.why) if attribute.kept else "",
    )


def problems_inside(
    members: Mapping[str, Attribute], value: object, wrong: Wrong
) -> list[errors.FieldProblem]:
    """One problem for each broken rule of a body that has no object type, only these attributes."""
    found = []
    for part in parts_of(value, wrong):
        member = members.get(part.path[0]) if part.path else None
        if member is not None:
            found.append(_problem(member, Part(part.path[1:], part.value, part.wrong)))
        else:
            name = "/".join(map(shown, part.path)) or "the body"
            pointer = "".join(map(_pointer, part.path))
            message = f"{name}: {part.wrong.rule}"
            found.append(
                errors.FieldProblem(
                    pointer=pointer, code=part.wrong.code, message=message, hint=part.wrong.hint
                )
            )
    return found


def missing(name: str) -> errors.FieldProblem:
    """No value where one is required."""
    return errors.FieldProblem(
        pointer=_pointer(name),
        code="required",
        message=f"{name}: a value is required",
        hint=f"give {name}",
        legacy=_legacy(name, None, "Mandatory field missing."),
    )


def read_only(attribute: Attribute, value: object) -> errors.FieldProblem:
    """A value of an attribute that keeps the one it has."""
    given = _HIDDEN if attribute.secret else shown(value)
    rule = "the server sets it" if attribute.read_only else "it is fixed once the object is made"
    return errors.FieldProblem(
        pointer=_pointer(attribute.name),
        code="read_only" if attribute.read_only else "immutable",
        message=f"{attribute.name}: '{given}' cannot be taken, {rule}",
        hint="leave it out",
        legacy=_legacy(attribute.name, given, "Cannot set read only field."),
    )


def unknown(object_type: ObjectType, name: str, value: object) -> errors.FieldProblem:
    """A member of a body that is no attribute, or one of the server's."""
    given = shown(name)
    if name in RESERVED:
        return errors.FieldProblem(
            pointer=_pointer(name),
            code="read_only",
            message=f"{given}: the server sets it",
            hint="leave it out",
            legacy=_legacy(given, value, "Cannot set read only field."),
        )
    return errors.FieldProblem(
        pointer=_pointer(name),
        code="unknown",
        message=f"{given}: {object_type.name} has no such attribute",
        hint=suggest(name, object_type.attributes) if len(name) <= 100 else "",
        legacy=f"Unknown attribute for argument body: {given}",
    )


def bad_key(attribute: Attribute, text: str, wrong: Wrong) -> errors.FieldProblem:
    """A key in a path that no object can have."""
    why = wrong.why
    if attribute.value_type is AttributeType.UUID:
        why = f"unable to convert to uuid. Error: {wrong.why}"
    return errors.FieldProblem(
        pointer="",
        code=wrong.code,
        message=f"{attribute.name} in the path: '{shown(text)}' {wrong.rule}",
        hint=wrong.hint,
        legacy=_legacy("key", text, why) if attribute.kept else "",
    )


def no_object(body: object) -> errors.FieldProblem:
    """A body that is no JSON object."""
    return errors.FieldProblem(
        pointer="",
        code="type",
        message=f"the body is no JSON object but '{shown(body)}'",
        hint='send an object such as {"name": "a"}',
        legacy='Missing argument: "body"',
    )


def _pointer(name: str) -> str:
    return "/" + shown(name).replace("~", "~0").replace("/", "~1")


def _legacy(name: str, value: object, why: str) -> str:
    return f"Invalid input for field/attribute {name}. Value: '{shown(value)}'. {why}"
