"""The part of `check` for what only 2.0 says of an attribute of an object type, and of nested ones."""

from __future__ import annotations

import re

from gluon.model import fieldtypes, patterns, resolve, rules
from gluon.model.declare_attributes import Attribute
from gluon.model.facts import is_null
from gluon.model.fieldtypes import MAX_ITEMS, MAX_LENGTH, NEW, STRING_LENGTH
from gluon.model.keywords import ATTRIBUTE
from gluon.model.problems import Problems, suggest
from gluon.model.types import AttributeType, OnDelete

_SEGMENT = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*").fullmatch

MAX_PATTERN = 1_000


def check(
    name: str, merged: Attribute, where: str, object_type: resolve.ObjectType, problems: Problems
) -> None:
    """Note what does not go together in an attribute of an object type."""
    assert merged.type
    word = fieldtypes.word(NEW, merged.type.value)
    _check_closed(merged, where, problems)
    if merged.says("primary") and merged.primary:
        _check_primary(merged, word, where, problems)
        if object_type.primaries[0] != name:
            problems.add(
                merged.primary.mark,
                f"{where}: {object_type.primaries[0]} is primary already",
                f"an object has one key; for a second one write unique: [[{name}]]",
            )
    if merged.unique and _true(merged.unique.value) and (word.nested or word.type is AttributeType.BOOLEAN):
        problems.add(
            merged.unique.mark, f"{where}: type {merged.type.value} cannot be unique", "leave unique out"
        )
    if merged.indexed and merged.says("indexed"):
        why = _unlisted(merged, word)
        if why:
            problems.add(merged.indexed.mark, f"{where}: {why}, so no list asks for it", "leave indexed out")
    if merged.required and merged.says("required") and merged.says("read_only") and not _has_value(merged):
        problems.add(
            merged.required.mark,
            f"{where}: required and read_only, so that nobody could give it",
            "give a default or a pool, or leave one of the two out",
        )
    _check_renamed(name, merged, where, object_type, problems)
    _check_policies(merged, where, problems)


def check_any(merged: Attribute, word: fieldtypes.Word, where: str, problems: Problems) -> None:
    """Note what does not go together, wherever the attribute stands."""
    _check_text(merged, word, where, problems)
    _check_items(merged, word, where, problems)
    if merged.on_delete:
        known = ATTRIBUTE.rows["on_delete"].values
        if merged.on_delete.value not in known:
            hint = suggest(merged.on_delete.value, known)
            problems.add(
                merged.on_delete.mark, f"{where}: unknown on_delete {merged.on_delete.value!r}", hint
            )
        elif merged.on_delete.value == OnDelete.UNSET and merged.nested != "item" and _strict(merged):
            why = (
                "primary"
                if merged.says("primary")
                else "required"
                if merged.says("required")
                else "not nullable"
            )
            problems.add(
                merged.on_delete.mark,
                f"{where}: on_delete unset needs null, and the attribute is {why}",
                "write on_delete: cascade or restrict, or let it be null",
            )
    if merged.listed_as and merged.nested:
        problems.add(
            merged.listed_as.mark,
            f"{where}: only an attribute of the object type itself can be listed",
            "leave listed_as out",
        )
    elif merged.listed_as and not _SEGMENT(merged.listed_as.value):
        message = f"{where}: listed_as {merged.listed_as.value!r} is no segment of a URL"
        problems.add(merged.listed_as.mark, message, "write letters, digits, '-', '_' and '.' after a letter")
    if merged.pool and merged.nested:
        problems.add(
            merged.pool.mark,
            f"{where}: a pool fills attributes of the object type itself",
            "write pool at the list, or leave it out"
            if merged.nested == "item"
            else "move the attribute up, or leave pool out",
        )


def _check_closed(merged: Attribute, where: str, problems: Problems) -> None:
    """Keys whose texts are few."""
    for key in ("role", "unique"):
        fact = getattr(merged, key)
        known = ATTRIBUTE.rows[key].values
        if fact and fact.value.lower() not in {*known, "yes", "no", "on", "off"}:
            hint = suggest(fact.value, _shown(key, known)) or f"one of {', '.join(known)}"
            problems.add(fact.mark, f"{where}: unknown {key} {fact.value!r}", hint)


def _unlisted(merged: Attribute, word: fieldtypes.Word) -> str:
    """Why lists are neither filtered nor sorted by an attribute."""
    if word.nested:
        return f"it is a {word.name}"
    if merged.says("secret"):
        return "it is secret"
    longest = merged.length.value if merged.length else 0
    return (
        f"it has up to {longest} characters, and {STRING_LENGTH} are sorted by"
        if longest > STRING_LENGTH
        else ""
    )


def _shown(key: str, known: tuple[str, ...]) -> tuple[str, ...]:
    return ("true", "global") if key == "unique" else known


def _true(text: str) -> bool:
    return text.lower() not in {"false", "no", "off"}


def _has_default(merged: Attribute) -> bool:
    return merged.default is not None and not is_null(merged.default.value)


def _has_value(merged: Attribute) -> bool:
    return _has_default(merged) or (merged.pool is not None and not _is_list(merged))


def _is_list(merged: Attribute) -> bool:
    return merged.type is not None and merged.type.value == AttributeType.LIST


def _strict(merged: Attribute) -> bool:
    """Whether null is refused."""
    if merged.nullable:
        return not merged.nullable.value or merged.says("primary")
    return merged.says("required") or merged.says("primary") or _has_default(merged)


def _check_primary(merged: Attribute, word: fieldtypes.Word, where: str, problems: Problems) -> None:
    """A key is known before the object is written, stands in URLs and never changes."""
    for key, why in (("default", "two objects would have it"), ("pool", "the key is known before the write")):
        fact = getattr(merged, key)
        if fact:
            problems.add(fact.mark, f"{where}: a primary attribute takes no {key}", why)
    if merged.secret and merged.says("secret"):
        problems.add(
            merged.secret.mark, f"{where}: a primary attribute cannot be secret", "it stands in URLs"
        )
    if merged.nullable and merged.nullable.value:
        problems.add(
            merged.nullable.mark, f"{where}: a primary attribute cannot be null", "leave nullable out"
        )
    if merged.read_only and merged.says("read_only") and word.type is not AttributeType.UUID:
        problems.add(
            merged.read_only.mark,
            f"{where}: the server makes keys of type uuid only",
            "leave read_only out, or write type: uuid",
        )


def _check_renamed(
    name: str, merged: Attribute, where: str, object_type: resolve.ObjectType, problems: Problems
) -> None:
    if merged.renamed_from and merged.renamed_from.value in object_type.attributes:
        old = merged.renamed_from.value
        hint = "leave renamed_from out" if old == name else f"remove {old}: its values move to {name}"
        problems.add(merged.renamed_from.mark, f"{where}: renamed_from {old!r} is still an attribute", hint)


def _check_policies(merged: Attribute, where: str, problems: Problems) -> None:
    for word, fact in (merged.policies or {}).items():
        try:
            rules.parse(fact.value)
        except ValueError as error:
            problems.add(fact.mark, f"{where}: the {word} policy is no rule: {error}")
        if word == "get" and merged.says("primary"):
            problems.add(
                fact.mark, f"{where}: the key stands in URLs, so it takes no get policy", "leave it out"
            )
        if word == "set" and merged.says("read_only"):
            problems.add(fact.mark, f"{where}: nobody sets what is read_only", "leave the set policy out")


def _check_text(merged: Attribute, word: fieldtypes.Word, where: str, problems: Problems) -> None:
    if merged.min_length and "min_length" in word.keys:
        most = merged.length.value if merged.length else STRING_LENGTH
        if not 0 <= merged.min_length.value <= MAX_LENGTH:
            problems.add(merged.min_length.mark, f"{where}: min_length is from 0 to {MAX_LENGTH}")
        elif merged.min_length.value > most:
            message = f"{where}: min_length {merged.min_length.value} is above the length {most}"
            problems.add(merged.min_length.mark, message, "" if merged.length else "write length too")
    if merged.pattern and "pattern" in word.keys:
        if why := patterns.problem(merged.pattern.value):
            message = f"{where}: the pattern is no regular expression: {why}"
            problems.add(merged.pattern.mark, message, "in YAML, put patterns into single quotes")
        if len(merged.pattern.value) > MAX_PATTERN:
            problems.add(merged.pattern.mark, f"{where}: a pattern has at most {MAX_PATTERN} characters")


def _check_items(merged: Attribute, word: fieldtypes.Word, where: str, problems: Problems) -> None:
    for key in ("min_items", "max_items"):
        fact = getattr(merged, key)
        if fact and key in word.keys and not 0 <= fact.value <= MAX_ITEMS:
            problems.add(fact.mark, f"{where}: {key} is from 0 to {MAX_ITEMS}")
    if merged.min_items and "min_items" in word.keys:
        most = merged.max_items.value if merged.max_items else fieldtypes.LIST_ITEMS
        if merged.min_items.value > most:
            message = f"{where}: min_items {merged.min_items.value} is above max_items {most}"
            problems.add(merged.min_items.mark, message)
