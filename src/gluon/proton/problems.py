"""The words for what can be wrong with a request against stored objects.

Each error names field, value, rule and cure, and carries the original's wording beside it.
"""

from __future__ import annotations

from collections.abc import Sequence

from gluon import errors
from gluon.proton import registry
from gluon.spi import store

_SHOWN = 10


def missing(resource: registry.Resource, key: object) -> errors.NotFound:
    return errors.NotFound(
        f"no {resource.name} with {resource.type.key} '{key}'",
        legacy=f"Object of {resource.legacy_name} with Primay Key {key} not found.",
    )


def taken(
    resource: registry.Resource, attributes: Sequence[str], values: Sequence[object]
) -> errors.Conflict:
    what = ", ".join(f"{a} '{v}'" for a, v in zip(attributes, values, strict=True))
    return errors.Conflict(
        f"a {resource.name} with {what} exists already",
        code="taken",
        hint="choose another value, or update the object that has it",
        legacy=f'Object of {resource.legacy_name} with {attributes[0]} "{values[0]}" already exists.',
    )


def dangling(reference: registry.Reference, value: object) -> errors.FieldProblem:
    """The same for an object that does not exist and for one of another project."""
    message = (
        f"{reference.attribute}: no {reference.target} '{value}' in the project of this {reference.owner}"
    )
    return errors.FieldProblem(
        pointer=f"/{reference.attribute}",
        code="reference",
        message=message,
        hint=f"name a {reference.target} that exists in the same project",
        legacy=f"Invalid input for field/attribute {reference.attribute}. Value: '{value}'. "
        f"No such {reference.target} in this project.",
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
    resource: registry.Resource, key: object, referrers: Sequence[tuple[registry.Reference, store.Row]]
) -> errors.Conflict:
    names = [f"{r.owner} '{row[r.owner_key]}' ({r.attribute})" for r, row in referrers[:_SHOWN]]
    more = f" and {len(referrers) - _SHOWN} more" if len(referrers) > _SHOWN else ""
    return errors.Conflict(
        f"{resource.name} '{key}' is still referred to by {', '.join(names)}{more}",
        code="still_referred",
        hint="delete or change those first",
    )
