"""The part of `check` that judges attributes: names, types, formats, limits, references, keys.

What only 2.0 says of them is in `check_new`.
"""

from __future__ import annotations

import math
import re

from gluon.model import check_new, check_values, fieldtypes, keywords, resolve
from gluon.model.declare_attributes import Attribute
from gluon.model.facts import Fact
from gluon.model.fieldtypes import (
    FORMATS,
    IMPLICIT_KEY,
    MAX_LENGTH,
    MAX_NAME,
    NEW,
    RANGES,
    RESERVED,
    SYSTEM_COLUMNS,
    WORDS,
)
from gluon.model.problems import Problems, suggest
from gluon.model.types import AttributeType, Format

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*").fullmatch

_KEYS = {
    AttributeType.NUMBER,
    AttributeType.BOOLEAN,
    AttributeType.LIST,
    AttributeType.MAP,
    AttributeType.OBJECT,
}
"""Types that cannot be a key."""


def check_attributes(object_type: resolve.ObjectType, model: resolve.Model, problems: Problems) -> None:
    """Note every attribute, declared or inherited, that breaks a rule."""
    seen: dict[str, str] = {}
    for name, attribute in object_type.attributes.items():
        merged = attribute.merged
        where = f"attribute {name} of {declared_by(object_type, name, model)}"
        if name.lower() in RESERVED:
            problems.add(merged.mark, f"{where}: this name is reserved", "every object has it already")
        if name.lower() in SYSTEM_COLUMNS:
            hint = "choose another name; objects that have it already keep it by renamed_from"
            problems.add(merged.mark, f"{where}: PostgreSQL has a column of this name in every table", hint)
        before = problems.reports
        _check_name(name, where, merged, seen, problems)
        if check_type(merged, where, model, problems):
            _check_new(name, merged, where, object_type, model, problems)
        if model.version == NEW and problems.reports == before:
            check_values.check_attribute(name, merged, where, model, problems)


def _check_new(
    name: str,
    merged: Attribute,
    where: str,
    object_type: resolve.ObjectType,
    model: resolve.Model,
    problems: Problems,
) -> None:
    if model.version == NEW:
        check_new.check(name, merged, where, object_type, problems)


def check_members(
    attributes: dict[str, Attribute], of: str, model: resolve.Model, problems: Problems
) -> None:
    """Note every attribute of a nested object or an action that breaks a rule."""
    seen: dict[str, str] = {}
    for name, merged in attributes.items():
        where = f"attribute {name} in {of}"
        before = problems.reports
        _check_name(name, where, merged, seen, problems)
        check_type(merged, where, model, problems)
        if problems.reports == before:
            check_values.check_attribute(name, merged, where, model, problems)


def _check_name(name: str, where: str, merged: Attribute, seen: dict[str, str], problems: Problems) -> None:
    if not _NAME(name) or len(name) > MAX_NAME:
        message = f"{where}: a name is letters, digits and '_' after a letter, {MAX_NAME} at most"
        problems.add(merged.mark, message)
    first = seen.setdefault(name.lower(), name)
    if first != name:
        problems.add(merged.mark, f"{where}: {first} differs only in upper and lower case")


def declared_by(object_type: resolve.ObjectType, name: str, model: resolve.Model) -> str:
    """The nearest object type that declares the attribute, so that a fault of a base is told once."""
    for candidate in (object_type.name, *object_type.bases):
        known = model.types.get(candidate) or model.bases.get(candidate)
        if known and name in known.declared.attributes:
            return candidate
    return object_type.name


def check_type(merged: Attribute, where: str, model: resolve.Model, problems: Problems) -> bool:
    """Note where the type, or what is said of it, is wrong; true where there is a type to go on with."""
    words = WORDS[model.version]
    if merged.type is None:
        if not merged.misread:
            problems.add(merged.mark, f"{where} has no type", _no_type(model.version))
        return False
    name = merged.type.value
    if name not in words and name not in model.types:
        _unknown_type(merged.type, where, model, problems)
        return False
    word = fieldtypes.word(model.version, name)
    _check_keys(merged, word, where, model, problems)
    if model.version == NEW:
        check_new.check_any(merged, word, where, problems)
    if word.nested:
        _check_nested(merged, word, where, model, problems)
    return True


def _no_type(version: str) -> str:
    if version == NEW:
        return (
            "write type: string, integer, boolean, ip, vlan, list, object, …, or the name of an object type"
        )
    return f"one of {', '.join(WORDS[version])} or an object type"


def _unknown_type(type_: Fact[str], where: str, model: resolve.Model, problems: Problems) -> None:
    name, words = type_.value, WORDS[model.version]
    if name in model.bases:
        hint = "refer to an object type with an api, or use uuid"
        problems.add(type_.mark, f"{where}: {name} is a base object, nothing can refer to it", hint)
        return
    hint = _MEANT.get(name.lower(), "") if model.version == NEW else ""
    if not hint and name in WORDS[NEW]:
        hint = f'file_version "{NEW}" has it'
    problems.add(type_.mark, f"{where}: unknown type {name!r}", hint or suggest(name, [*words, *model.types]))


_MEANT = {
    "int": "did you mean 'integer'?", "float": "did you mean 'number'?", "double": "did you mean 'number'?",
    "text": "did you mean 'string'?", "str": "did you mean 'string'?", "array": "did you mean 'list'?",
    "dict": "did you mean 'map' or 'object'?", "datetime": "did you mean 'date-time'?", "bool": "did you mean 'boolean'?",
    "reference": "the name of the object type is the type", "ref": "the name of the object type is the type",
    "prefix": "did you mean 'cidr'?", "subnet": "did you mean 'cidr'?", "address": "did you mean 'ip'?",
    "rd": "did you mean 'route_distinguisher'?", "rt": "did you mean 'route_target'?", "label": "did you mean 'mpls_label'?",
}  # fmt: skip


def _check_nested(
    merged: Attribute, word: fieldtypes.Word, where: str, model: resolve.Model, problems: Problems
) -> None:
    """Items and members are attributes too."""
    if word.type is AttributeType.OBJECT:
        if not merged.attributes and not merged.misread:
            problems.add(
                merged.mark, f"{where}: an object needs attributes", "write attributes: {name: {type: …}}"
            )
        check_members(dict(merged.attributes or {}), where.removeprefix("attribute "), model, problems)
    elif merged.items is None:
        if not merged.misread:
            problems.add(merged.mark, f"{where}: a {word.name} needs items", "write items: {type: …}")
    else:
        check_type(merged.items, f"items of {where}", model, problems)


def _check_keys(
    merged: Attribute, word: fieldtypes.Word, where: str, model: resolve.Model, problems: Problems
) -> None:
    """The keys that belong to some types only."""
    assert merged.type
    words = WORDS[model.version].values()
    for key in sorted(keywords.OF_TYPES.of(model.version)):
        fact = getattr(merged, key)
        if fact is not None and key not in word.keys:
            hint = _takers(key, merged, model.version) or _belongs(
                key, [w.name for w in words if key in w.keys]
            )
            place = merged.mark if isinstance(fact, dict) else fact.mark
            problems.add(place, f"{where}: type {merged.type.value} takes no {key}", hint)
    if merged.says("primary") and merged.primary and word.type in _KEYS:
        hint = "its text in a URL would not be one" if not word.nested else "a key is one value"
        article = "an" if word.name == "object" else "a"
        problems.add(merged.primary.mark, f"{where}: {article} {word.type} cannot be primary", hint)
    if merged.format and "format" in word.keys:
        _check_format(merged.format, word.type, where, model.version, problems)
    if merged.length and "length" in word.keys and not 1 <= merged.length.value <= MAX_LENGTH:
        problems.add(merged.length.mark, f"{where}: length is from 1 to {MAX_LENGTH}")
    if "min" in word.keys:
        _check_limits(merged, word, where, problems)
    if word.type is AttributeType.ENUM:
        _check_values(merged, where, problems)


def _belongs(key: str, takers: list[str]) -> str:
    if len(takers) > 5:
        takers = [*takers[:4], "others"]
    *most, last = takers
    return f"{key} belongs to {', '.join(most)}{' and ' if most else ''}{last}"


def _takers(key: str, merged: Attribute, version: str) -> str:
    """What would be written instead, where that is known."""
    if version != NEW or merged.type is None:
        return ""
    if key == "format" and merged.format and merged.format.value in WORDS[NEW]:
        return f"write type: {merged.format.value}"
    if key == "values":
        return "write type: enum"
    if key in {"on_delete", "listed_as"}:
        return f"{key} belongs to references: give the name of an object type as type"
    return ""


def _check_format(form: Fact[str], kind: AttributeType, where: str, version: str, problems: Problems) -> None:
    known = [f.value for f in FORMATS[version][kind]]
    if form.value not in known:
        hint = suggest(form.value, known)
        if version == NEW and form.value in WORDS[NEW]:
            hint = f"write type: {form.value}"
        problems.add(form.mark, f"{where}: {form.value!r} is no format of {kind}", hint)


def _check_limits(merged: Attribute, word: fieldtypes.Word, where: str, problems: Problems) -> None:
    form = word.format or (merged.format.value if merged.format else Format.INT64)
    if word.type is AttributeType.NUMBER:
        lowest, highest = -math.inf, math.inf
    else:
        lowest, highest = RANGES.get(Format(form) if form in RANGES else Format.INT64, RANGES[Format.INT64])
    for fact, key in ((merged.min, "min"), (merged.max, "max")):
        if fact is None:
            continue
        if isinstance(fact.value, float) and word.type is AttributeType.INTEGER:
            problems.add(fact.mark, f"{where}: {key} {fact.value} is no integer", "number takes fractions")
        elif isinstance(fact.value, float) and math.isinf(fact.value):
            problems.add(fact.mark, f"{where}: {key} is not finite")
        elif not lowest <= fact.value <= highest:
            hint = f"{form} is from {lowest} to {highest}" if word.format and form not in _WIDE else ""
            problems.add(fact.mark, f"{where}: {key} {fact.value} is outside of {form}", hint)
    if merged.min and merged.max and merged.min.value > merged.max.value:
        problems.add(merged.min.mark, f"{where}: min {merged.min.value} is above max {merged.max.value}")


_WIDE = {Format.INT32, Format.INT64}


def _check_values(merged: Attribute, where: str, problems: Problems) -> None:
    if merged.values is None or not merged.values.value:
        if merged.misread:
            return
        mark = merged.values.mark if merged.values else merged.mark
        problems.add(mark, f"{where}: an enum needs values", "write values: [one, two]")
        return
    seen: set[str] = set()
    for value in merged.values.value:
        if value.value in seen:
            problems.add(value.mark, f"{where}: the value {value.value!r} is listed twice")
        if len(value.value) > fieldtypes.STRING_LENGTH:
            problems.add(value.mark, f"{where}: a value has at most {fieldtypes.STRING_LENGTH} characters")
        if "\0" in value.value:
            hint = "leave NUL out"
            problems.add(value.mark, f"{where}: a value holds a character that cannot be stored", hint)
        seen.add(value.value)


def check_key(object_type: resolve.ObjectType, model: resolve.Model, problems: Problems) -> None:
    """Note where no key can be made, or where following keys through references never ends."""
    if not object_type.primaries and object_type.whole and IMPLICIT_KEY in object_type.attributes:
        problems.add(
            object_type.attributes[IMPLICIT_KEY].merged.mark,
            f"{object_type.name} has no primary attribute, and {IMPLICIT_KEY!r} is the name of the key it gets then",
            "write primary: true, or give it another name",
        )
    path, current = [object_type.name], object_type
    while names := current.primaries:
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
