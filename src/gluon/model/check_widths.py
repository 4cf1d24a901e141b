"""The part of `check` that asks whether objects fit into the tables, and keys and unique values into the indexes, of every database."""

from __future__ import annotations

from collections.abc import Iterator

from gluon.model import check_values, resolve, widths
from gluon.model.declare_attributes import Attribute
from gluon.model.problems import Mark, Problems
from gluon.model.types import NESTED

_FREE = frozenset({"false", "no", "off"})


def check(object_type: resolve.ObjectType, model: resolve.Model, problems: Problems) -> None:
    """Note every index whose values together are too long, at the place that asks for it."""
    for mark, what, names in _indexes(object_type):
        total = 0
        for name in names:
            merged = object_type.attributes[name].merged
            made = check_values.attempt(name, merged, model)
            total += widths.length(made) if made and made.value_type not in NESTED else 0
        if total > widths.MOST:
            message = f"{what}: the values have up to {total} characters, an index takes {widths.MOST}"
            problems.add(mark, message, "give its texts a shorter length")
    if object_type.declared.api:
        _check_table(object_type, model, problems)


def _check_table(object_type: resolve.ObjectType, model: resolve.Model, problems: Problems) -> None:
    """Note a type whose attributes, or indexes, are more than one table takes."""
    held = {fact.value for group in object_type.unique if group.attributes for fact in group.attributes.value}
    indexes, page, row = len(object_type.unique), 0, 0
    for name, attribute in object_type.attributes.items():
        made = check_values.attempt(name, attribute.merged, model)
        if made is None:
            continue
        own = _is_unique(attribute.merged) or made.indexed or made.reference is not None
        indexes += own
        inside, whole = widths.bytes_of(made, held=own or made.primary or name in held)
        page, row = page + inside, row + whole
    if page > widths.PAGE or row > widths.ROW:
        problems.add(
            object_type.mark,
            f"{object_type.name}: its attributes are too many, or too long, for one row of a table",
            "put some into an attribute of type object: its members are one column",
        )
    if indexes > widths.INDEXES:
        problems.add(
            object_type.mark,
            f"{object_type.name}: references, unique and indexed attributes are {indexes}, a table takes {widths.INDEXES}",
            "leave indexed out where no list asks for it, or put references into a list",
        )


def _is_unique(merged: Attribute) -> bool:
    return merged.unique is not None and merged.unique.value.lower() not in _FREE


def _indexes(object_type: resolve.ObjectType) -> Iterator[tuple[Mark, str, list[str]]]:
    """Where an index is asked for, what for, and of which attributes."""
    attributes = object_type.attributes
    for name, attribute in attributes.items():
        merged = attribute.merged
        if merged.type is None:
            continue
        if merged.unique and _is_unique(merged):
            yield merged.unique.mark, f"unique attribute {name}", [name]
        elif merged.primary and merged.says("primary"):
            yield merged.primary.mark, f"primary attribute {name}", [name]
    for group in object_type.declared.unique:
        names = [fact.value for fact in group.attributes.value] if group.attributes else []
        known = [n for n in dict.fromkeys(names) if n in attributes and attributes[n].merged.type]
        yield group.mark, f"unique group {', '.join(names)}", known
