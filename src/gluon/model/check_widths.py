"""The part of `check` that asks whether keys and unique values fit into the indexes of every database."""

from __future__ import annotations

from collections.abc import Iterator

from gluon.model import check_values, resolve, widths
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


def _indexes(object_type: resolve.ObjectType) -> Iterator[tuple[Mark, str, list[str]]]:
    """Where an index is asked for, what for, and of which attributes."""
    attributes = object_type.attributes
    for name, attribute in attributes.items():
        merged = attribute.merged
        if merged.type is None:
            continue
        if merged.unique and merged.unique.value.lower() not in _FREE:
            yield merged.unique.mark, f"unique attribute {name}", [name]
        elif merged.primary and merged.says("primary"):
            yield merged.primary.mark, f"primary attribute {name}", [name]
    for group in object_type.declared.unique:
        names = [fact.value for fact in group.attributes.value] if group.attributes else []
        known = [n for n in dict.fromkeys(names) if n in attributes and attributes[n].merged.type]
        yield group.mark, f"unique group {', '.join(names)}", known
