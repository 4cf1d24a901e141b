"""The part of `check` that judges attributes: names, types, formats, limits, references, keys."""

from __future__ import annotations

import re

from gluon.model import declare, fieldtypes, resolve
from gluon.model.fieldtypes import (
    FORMATS,
    IMPLICIT_KEY,
    MAX_LENGTH,
    MAX_NAME,
    RANGES,
    RESERVED,
    TYPE_KEYS,
    TYPES,
)
from gluon.model.problems import Problems, suggest
from gluon.model.types import AttributeType, Format

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*").fullmatch


def check_attributes(object_type: resolve.ObjectType, model: resolve.Model, problems: Problems) -> None:
    """Note every attribute, declared or inherited, that breaks a rule."""
    seen: dict[str, str] = {}
    for name, attribute in object_type.attributes.items():
        merged = attribute.merged
        where = f"attribute {name} of {_declared_by(object_type, name, model)}"
        if not _NAME(name) or len(name) > MAX_NAME:
            problems.add(
                merged.mark, f"{where}: a name is letters, digits and '_' after a letter, {MAX_NAME} at most"
            )
        if name.lower() in RESERVED:
            problems.add(merged.mark, f"{where}: this name is reserved", "every object has it already")
        first = seen.setdefault(name.lower(), name)
        if first != name:
            problems.add(merged.mark, f"{where}: {first} differs only in upper and lower case")
        if merged.type is None:
            problems.add(merged.mark, f"{where} has no type", f"one of {', '.join(TYPES)} or an object type")
        elif _check_type(merged.type, where, model, problems):
            _check_keys(merged, merged.type, where, problems)


def _declared_by(object_type: resolve.ObjectType, name: str, model: resolve.Model) -> str:
    """The nearest object type that declares the attribute, so that a fault of a base is told once."""
    for candidate in (object_type.name, *object_type.bases):
        known = model.types.get(candidate) or model.bases.get(candidate)
        if known and name in known.declared.attributes:
            return candidate
    return object_type.name


def _check_type(type_: declare.Fact[str], where: str, model: resolve.Model, problems: Problems) -> bool:
    name = type_.value
    if name in TYPES or name in model.types:
        return True
    if name in model.bases:
        hint = "refer to an object type with an api, or use uuid"
        problems.add(type_.mark, f"{where}: {name} is a base object, nothing can refer to it", hint)
    else:
        problems.add(type_.mark, f"{where}: unknown type {name!r}", suggest(name, [*TYPES, *model.types]))
    return False


def _check_keys(merged: declare.Attribute, type_: declare.Fact[str], where: str, problems: Problems) -> None:
    """The keys that belong to some types only."""
    kind = fieldtypes.type_of(type_.value)
    allowed = TYPE_KEYS[kind]
    for key in sorted({key for keys in TYPE_KEYS.values() for key in keys}):
        fact = getattr(merged, key)
        if fact is not None and key not in allowed:
            takers = [t.value for t, keys in TYPE_KEYS.items() if key in keys]
            hint = f"{key} belongs to {' and '.join(takers)}"
            problems.add(fact.mark, f"{where}: type {type_.value} takes no {key}", hint)
    if merged.primary and merged.primary.value and kind in {AttributeType.NUMBER, AttributeType.BOOLEAN}:
        problems.add(
            merged.primary.mark, f"{where}: a {kind} cannot be primary", "its text in a URL would not be one"
        )
    if merged.format and "format" in allowed:
        _check_format(merged.format, kind, where, problems)
    if merged.length and "length" in allowed and not 1 <= merged.length.value <= MAX_LENGTH:
        problems.add(merged.length.mark, f"{where}: length is from 1 to {MAX_LENGTH}")
    if "min" in allowed:
        _check_limits(merged, where, problems)
    if kind is AttributeType.ENUM:
        _check_values(merged, where, problems)


def _check_format(format_: declare.Fact[str], kind: AttributeType, where: str, problems: Problems) -> None:
    known = [f.value for f in FORMATS[kind]]
    if format_.value not in known:
        hint = suggest(format_.value, known)
        problems.add(format_.mark, f"{where}: {format_.value!r} is no format of {kind}", hint)


def _check_limits(merged: declare.Attribute, where: str, problems: Problems) -> None:
    form = merged.format.value if merged.format else Format.INT64
    lowest, highest = RANGES.get(Format(form) if form in RANGES else Format.INT64, RANGES[Format.INT64])
    for fact, key in ((merged.min, "min"), (merged.max, "max")):
        if fact and not lowest <= fact.value <= highest:
            problems.add(fact.mark, f"{where}: {key} {fact.value} is outside of {form}")
    if merged.min and merged.max and merged.min.value > merged.max.value:
        problems.add(merged.min.mark, f"{where}: min {merged.min.value} is above max {merged.max.value}")


def _check_values(merged: declare.Attribute, where: str, problems: Problems) -> None:
    if merged.values is None or not merged.values.value:
        mark = merged.values.mark if merged.values else merged.mark
        problems.add(mark, f"{where}: an enum needs values", "write values: [one, two]")
        return
    seen: set[str] = set()
    for value in merged.values.value:
        if value.value in seen:
            problems.add(value.mark, f"{where}: the value {value.value!r} is listed twice")
        if len(value.value) > fieldtypes.STRING_LENGTH:
            problems.add(value.mark, f"{where}: a value has at most {fieldtypes.STRING_LENGTH} characters")
        seen.add(value.value)


def primaries(object_type: resolve.ObjectType) -> list[str]:
    """The primary attributes, inherited first; `primary: false` is none."""
    return [n for n, a in object_type.attributes.items() if a.merged.primary and a.merged.primary.value]


def check_key(object_type: resolve.ObjectType, model: resolve.Model, problems: Problems) -> None:
    """Note where no key can be made, or where following keys through references never ends."""
    keys = primaries(object_type)
    if not keys and object_type.whole and IMPLICIT_KEY in object_type.attributes:
        problems.add(
            object_type.attributes[IMPLICIT_KEY].merged.mark,
            f"{object_type.name} has no primary attribute, and {IMPLICIT_KEY!r} is the name of the key it gets then",
            "write primary: true, or give it another name",
        )
    path, current = [object_type.name], object_type
    while names := primaries(current):
        type_ = current.attributes[names[0]].merged.type
        target = model.types.get(type_.value) if type_ else None
        if target is None or type_ is None:
            return
        if target.name in path:
            if target is object_type:  # each type of the circle tells its own reference
                circle = " → ".join([*path, target.name])
                problems.add(
                    type_.mark, f"the keys of object types refer to each other in a circle: {circle}"
                )
            return
        path.append(target.name)
        current = target
