"""The part of `declare` that reads what a model says of its other versions.

In: the node of `versions`. Out: for each version, type and attribute there the place of its value here,
each with its mark. Whether types and attributes exist is for `check_versions`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gluon.model import keywords, source
from gluon.model.facts import Fact, Reader, is_null
from gluon.model.problems import Mark


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where the value of an attribute there is here; `fixed` is a node of any value."""

    mark: Mark
    renamed: Fact[str] | None = None
    values: Mapping[str, Fact[str]] = field(default_factory=dict)
    join: Fact[tuple[Fact[str], ...]] | None = None
    split: Fact[str] | None = None
    part: Fact[int] | None = None
    by: Fact[str] | None = None
    fixed: Fact[source.Node] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Type:
    """An object type there; `name`: what it is called here."""

    mark: Mark
    name: Fact[str] | None = None
    attributes: Mapping[str, Origin] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    name: str
    mark: Mark
    deprecated: Fact[str] | None = None
    sunset: Fact[str] | None = None
    types: Mapping[str, Type] = field(default_factory=dict)


def versions(node: source.Node | None, reader: Reader) -> dict[str, Version]:
    """By version."""
    return {name.text: _version(name, value, reader) for name, value in reader.entries(node, "versions")}


def _version(name: source.Scalar, node: source.Node, reader: Reader) -> Version:
    what = f"version {name.text}"
    keys = {} if is_null(node) else reader.keys(node, keywords.VERSION, what)
    return Version(
        name=name.text,
        mark=name.mark,
        deprecated=reader.text(keys.get("deprecated"), f"deprecated of {what}"),
        sunset=reader.text(keys.get("sunset"), f"sunset of {what}"),
        types={
            key.text: _type(key, value, what, reader)
            for key, value in reader.entries(keys.get("types"), f"types of {what}")
        },
    )


def _type(key: source.Scalar, node: source.Node, of: str, reader: Reader) -> Type:
    what = f"object type {key.text} of {of}"
    keys = {} if is_null(node) else reader.keys(node, keywords.VERSION_TYPE, what)
    return Type(
        mark=key.mark,
        name=reader.text(keys.get("is"), f"is of {what}"),
        attributes={
            name.text: _origin(name, value, what, reader)
            for name, value in reader.entries(keys.get("attributes"), f"attributes of {what}")
        },
    )


def _origin(name: source.Scalar, node: source.Node, of: str, reader: Reader) -> Origin:
    what = f"attribute {name.text} of {of}"
    if isinstance(node, source.Scalar) and not is_null(node):
        return Origin(mark=name.mark, renamed=reader.text(node, what))
    keys = reader.keys(node, keywords.ORIGIN, what)
    texts = {
        key.text: reader.text(value, f"value {key.text} of {what}")
        for key, value in reader.entries(keys.get("values"), f"values of {what}")
    }
    return Origin(
        mark=name.mark,
        renamed=reader.text(keys.get("is"), f"is of {what}"),
        values={key: fact for key, fact in texts.items() if fact},
        join=reader.texts(keys.get("join"), f"join of {what}"),
        split=reader.text(keys.get("split"), f"split of {what}"),
        part=reader.integer(keys.get("part"), f"part of {what}"),
        by=reader.text(keys.get("by"), f"by of {what}", empty=False),
        fixed=reader.value(keys.get("fixed"), f"fixed of {what}"),
    )
