"""The words for what can be wrong with a request against stored objects.

Each error names field, value, rule and cure, and carries the original's wording beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gluon import errors
from gluon.policy import names
from gluon.proton import referring, registry
from gluon.spi import store
from gluon.values import nouns

_SHOWN = 10


def missing(resource: registry.Resource, key: object) -> errors.NotFound:
    return errors.NotFound(
        f"no {resource.name} with {resource.type.key} '{key}'",
        legacy=f"Object of {resource.legacy_name} with Primay Key {key} not found.",
    )


def forbidden(resource: registry.Resource, action: str) -> errors.Forbidden:
    rule = names.of_action(resource.api, action, resource.type.singular)
    return errors.Forbidden(
        f"the policy does not allow you to {action} this {resource.name}",
        hint=f"ask the operator: the rule is {rule}",
        legacy=f"Policy doesn't allow {action}_{resource.type.plural} to be performed.",
    )


def not_settable(resource: registry.Resource, action: str, attributes: Sequence[str]) -> errors.Forbidden:
    """Attributes that the caller may not set."""
    told = [
        errors.FieldProblem(
            pointer=f"/{name}",
            code="forbidden",
            message=f"{name}: the policy does not allow you to set it",
            hint="leave it out, or ask the operator: "
            f"the rule is {names.of_attribute(resource.api, action, resource.type.singular, name)}",
        )
        for name in attributes
    ]
    return errors.Forbidden(told[0].message, problems=told, hint=told[0].hint)


def taken(
    resource: registry.Resource, attributes: Sequence[str], values: Sequence[object], where: str = ""
) -> errors.Conflict:
    """`where`: among which objects the values are unique; whose the other is, is nobody's business."""
    known = resource.type.attributes
    values = ["…" if known[a].secret else v for a, v in zip(attributes, values, strict=True)]
    what = ", ".join(f"{a} '{v}'" for a, v in zip(attributes, values, strict=True))
    return errors.Conflict(
        f"{nouns.a(resource.name)} with {what} exists already{where}",
        code="taken",
        hint="choose another value, or update the object that has it",
        legacy=f'Object of {resource.legacy_name} with {attributes[0]} "{values[0]}" already exists.',
    )


def dangling(reference: referring.Reference, value: object, pointer: str) -> errors.FieldProblem:
    """The same for an object that does not exist and for one of another project."""
    place = pointer[1:] if reference.link is not None else reference.attribute
    message = f"{place}: no {reference.target} '{value}' in the project of this {reference.owner}"
    return errors.FieldProblem(
        pointer=pointer,
        code="reference",
        message=message,
        hint=f"name {nouns.a(reference.target)} that exists in the same project",
        legacy=f"Invalid input for field/attribute {place}. Value: '{value}'. "
        f"No such {reference.target} in this project.",
    )


def guarded(field: registry.Guarded, stored: object, given: object) -> errors.FieldProblem:
    """A value that is not the stored one, where the attribute is `immutable` or `read_only`."""
    if field.secret:
        stored = given = "…"
    if not field.read_only:
        return fixed(field.attribute, stored, given)
    return errors.FieldProblem(
        pointer=f"/{field.attribute}",
        code="read_only",
        message=f"{field.attribute}: the server sets it, and it is '{stored}', not '{given}'",
        hint=f"leave {field.attribute} out, or give the stored value",
        legacy=f"Invalid input for field/attribute {field.attribute}. Value: '{given}'. "
        "Cannot set read only field.",
    )


def fixed(attribute: str, stored: object, given: object) -> errors.FieldProblem:
    return errors.FieldProblem(
        pointer=f"/{attribute}",
        code="immutable",
        message=f"{attribute}: '{given}' is not the object's '{stored}', which cannot change",
        hint=f"leave {attribute} out, or create a new object",
        legacy=f"Invalid input for field/attribute {attribute}. Value: '{given}'. Cannot set read only field.",
    )


def parent_mismatch(attribute: str, given: object, path: object) -> errors.Invalid:
    text = f"API parent identifier({attribute}): {given} does not match parent key value: {path}"
    return errors.Invalid(
        [
            errors.FieldProblem(
                pointer=f"/{attribute}",
                code="parent",
                message=f"{attribute}: '{given}' is not '{path}' of the path",
                hint=f"leave {attribute} out; the path says it",
                legacy=text,
            )
        ]
    )


def referred_to(
    resource: registry.Resource,
    key: object,
    referrers: Sequence[tuple[referring.Reference, store.Row]],
    sees: Callable[[referring.Reference, store.Row], bool],
) -> errors.Conflict:
    """Names the referrers that the caller `sees`."""
    seen: list[tuple[referring.Reference, store.Row]] = []
    for one in referrers:
        if len(seen) < _SHOWN and sees(*one):
            seen.append(one)
    told = [f"{r.owner} '{row[r.owner_key]}' ({r.name})" for r, row in seen]
    more = len(referrers) - len(told)
    if more:
        told.append(f"{more} more" if told else f"{more} of other projects")
    text = (
        told[0] if len(told) == 1 else f"{', '.join(told[:-1])} and {told[-1]}" if more else ", ".join(told)
    )
    return errors.Conflict(
        f"{resource.name} '{key}' is still referred to by {text}",
        code="still_referred",
        hint="delete or change those first",
    )


def too_deep(attribute: str) -> errors.FieldProblem:
    """A value nested deeper than any attribute can be."""
    return errors.FieldProblem(
        pointer=f"/{attribute}",
        code="type",
        message=f"{attribute}: the value is nested too deep",
        hint="send less",
    )
